"""`teachbox bench people`: what is learned from answers of real people, by condition and number.

For each draw of random answers a reward is learned, planned for exactly and scored by the true reward. Beside
it a plain regret model from the same answers, and what is learned when synthetic teachers answer the same
pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from agents.learners.protocol import Prior
from agents.teachers.clip_judgement import CROWD, Judgement, answer_probabilities
from sandbox.bench.cache import cached_part
from sandbox.bench.people.learned_reward import learn_reward
from sandbox.bench.people.people_answers import (
    FIRST,
    SAME,
    SECOND,
    Answers,
    Measured,
    PeopleData,
    comparisons,
    measured,
)
from sandbox.bench.people.people_grid import TRUE_WEIGHTS, PeopleGrid, people_task
from sandbox.bench.people.people_plan import NEAR_OPTIMAL, PlanScore, exact_futures, true_values, values
from sandbox.bench.people.regret_model import learn_regret
from sandbox.progress import ProgressCallback

Float = NDArray[np.float64]
Who = Literal["people", "crowd", "rational"]
NUMBERS = (0, 50, 200)
PRIORS: tuple[Prior, ...] = ("none", "written")


@dataclass(frozen=True)
class Line:
    """Over draws: the share of policies near the best, and scores (0 random, 1 best).

    held_out: the share of the people's other answers, ties left out, that is foreseen.
    """

    condition: str
    answered_by: str
    learner: str
    prior: str
    answers: int
    draws: int
    near_optimal: float
    median: float
    worst: float
    held_out: float
    cpu_seconds: float


@dataclass(frozen=True)
class Agreement:
    """How a teacher's judgement agrees with what the people answered."""

    condition: str
    teacher: str
    answers: int
    ties: float  # share of the people's answers
    ties_expected: float
    agreement: float  # of strict answers, a teacher's tie is half
    log_score: float | None  # mean log probability of the answers; None: it leaves nothing to chance


def measure(
    data: PeopleData,
    *,
    draws: int,
    numbers: Sequence[int] = NUMBERS,
    priors: Sequence[Prior] = PRIORS,
    who: Sequence[Who] = ("people", "crowd", "rational"),
    folder: Path | None = None,
    tell: ProgressCallback,
) -> Iterator[Line]:
    """A line for each condition, answerer, way of learning, prior and number of answers."""
    for place, one in enumerate(data.conditions):
        for other, name in enumerate(who):
            tell((place + other / len(who)) / len(data.conditions), f"{one.name}, answered by {name}")
            answered = answered_by(name, data.grid, one, seed=place)
            for number in (n for n in numbers if n <= len(one) and (n or not other)):
                for prior in priors:
                    yield _line(data.grid, one, answered, name, "teachbox", prior, number, draws, folder)
                if number and name == "people":
                    yield _line(data.grid, one, answered, name, "regret model", "none", number, draws, folder)


def _line(
    grid: PeopleGrid,
    asked: Answers,
    answered: Answers,
    who: Who,
    learner: str,
    prior: Prior,
    number: int,
    draws: int,
    folder: Path | None,
) -> Line:
    what: dict[str, Any] = {
        "bench": "people 3",
        "board": grid.board.tolist(),
        "pairs": asked.pairs.tolist(),
        "answers": answered.answers.tolist(),
        "heard": asked.answers.tolist(),
        "way": (learner, prior, number, draws if number else 1),
    }

    def run() -> list[tuple[float, float, float]]:
        score = PlanScore(grid)
        count = draws if number else 1  # without answers all draws are one
        return [_draw(grid, score, asked, answered, learner, prior, number, seed) for seed in range(count)]

    found = np.array(cached_part(folder, what, run))
    return Line(
        condition=asked.name,
        answered_by=who if number else "nobody",
        learner=learner,
        prior=prior,
        answers=number,
        draws=len(found),
        near_optimal=float((found[:, 0] >= NEAR_OPTIMAL).mean()),
        median=float(np.median(found[:, 0])),
        worst=float(found[:, 0].min()),
        held_out=float(found[:, 1].mean()),
        cpu_seconds=float(found[:, 2].mean()),
    )


def _draw(
    grid: PeopleGrid,
    score: PlanScore,
    asked: Answers,
    answered: Answers,
    learner: str,
    prior: Prior,
    number: int,
    seed: int,
) -> tuple[float, float, float]:
    """(score, share of held-out answers foreseen, CPU-seconds of learning) from one draw of answers."""
    from time import process_time

    which = np.random.default_rng([seed, number]).permutation(len(asked))[:number]
    began = process_time()
    if learner == "teachbox":
        heard_records = comparisons(grid, answered, which)
        learned = learn_reward(heard_records, people_task(grid), prior, seed, futures=exact_futures(grid))
        weights, alpha, samples = learned.weights, learned.alpha, learned.samples
    else:
        heard = measured(grid, answered.pairs[which])
        weights, alpha = learn_regret(grid, heard, answered.answers[which], seed), 1.0
        samples = weights[None]
    spent = process_time() - began
    rest = np.setdiff1d(np.arange(len(asked)), which)
    gaps = gaps_of(measured(grid, asked.pairs[rest]), weights, alpha, values(grid, weights)[0])
    return score.of_samples(weights, samples), agreement_of(gaps, asked.answers[rest]), spent


def gaps_of(some: Measured, weights: Float, alpha: float, value: Float) -> Float:
    """Worth of the first drives less that of the second [N]: sum plus alpha times the change of value."""
    worth = some.terms @ weights + alpha * (value[some.end] - value[some.start])
    return np.asarray(worth[:, 0] - worth[:, 1], np.float64)


def agreement_of(gaps: Float, answers: NDArray[np.int64]) -> float:
    """Share of the strict answers [N] whose side the gaps [N] foresee; no gap is half."""
    strict = answers != SAME
    side = np.where(np.abs(gaps) < 1e-9, 0.0, np.sign(gaps)) * np.where(answers == FIRST, 1.0, -1.0)
    return float((0.5 + 0.5 * side[strict]).mean()) if strict.any() else float("nan")


def true_gaps(grid: PeopleGrid, pairs: NDArray[np.int64], alpha: float) -> Float:
    """The same under the true reward and its undiscounted values."""
    return gaps_of(measured(grid, pairs), TRUE_WEIGHTS, alpha, true_values(grid))


def answered_by(who: Who, grid: PeopleGrid, asked: Answers, seed: int) -> Answers:
    """The same pairs, answered by somebody else."""
    if who == "people":
        return asked
    if who == "rational":
        side = np.sign(true_gaps(grid, asked.pairs, 0.0))
        return replace(asked, answers=(1 - side).astype(np.int64), stats=None)
    likely = answer_probabilities(true_gaps(grid, asked.pairs, CROWD.alpha), CROWD)
    drawn = np.random.default_rng([seed, 11]).random(len(asked))
    answers = (drawn[:, None] > likely.cumsum(1)).sum(1).clip(FIRST, SECOND)
    return replace(asked, answers=answers, stats=None)


def agreements(data: PeopleData) -> Iterator[Agreement]:
    """What `crowd` and `rational` foresee of each condition."""
    for one in data.conditions:
        for name, how in (("crowd", CROWD), ("rational", None)):
            yield _agreement(data.grid, one, name, how)


def _agreement(grid: PeopleGrid, one: Answers, name: str, how: Judgement | None) -> Agreement:
    gaps = true_gaps(grid, one.pairs, 0.0 if how is None else how.alpha)
    expected, score = float((np.abs(gaps) < 1e-9).mean()), None
    if how is not None:
        likely = answer_probabilities(gaps, how)
        expected = float(likely[:, SAME].mean())
        score = float(np.log(likely[np.arange(len(one)), one.answers]).mean())
    ties = float((one.answers == SAME).mean())
    return Agreement(one.name, name, len(one), ties, expected, agreement_of(gaps, one.answers), score)


def told(lines: Sequence[Line | Agreement]) -> list[dict[str, Any]]:
    """Lines as a report holds them."""
    return [asdict(one) for one in lines]
