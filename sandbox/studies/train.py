"""The learner's loop with a synthetic teacher in the person's place, without a window.

A quarter of the answers is asked before the policy sees a learned reward, the rest in rounds while
it learns. A person's time is simulated at fixed prices (PRICES), printed with every result.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np

from agents import catalog as learners
from agents import scores
from agents.feedback import Correction, Record
from agents.learner import Learner
from agents.principles import read as read_principles
from agents.rollouts import Variant, fresh_moments, roll
from agents.scores import References
from agents.teachers import Teacher, make_teacher
from envs import catalog as worlds
from envs.trajectory import Trajectory
from envs.world import Task

PRICES = {"comparison": 4.0, "further clip": 2.0}
"""What a person's answer costs [s]; driving and watching cost the time they last."""
KINDS = ("demo", "compare", "rank", "mark", "correct")
RANKED = 4  # clips in a "rank"
BETWEEN_MARKS = 1.0  # a teacher presses at most once in this time [s]

T = TypeVar("T")
Progress = Callable[[float, str], None]
"""progress(share done in 0..1, what is going on)"""


@dataclass(frozen=True)
class TrainConfig:
    """One headless run."""

    world: str = "teachbox/RoomsTidy-v0"
    learner: str = "joint"
    teacher: str = "rational"
    answers: int = 60  # comparisons, where `mix` says nothing else
    mix: Mapping[str, int] = field(default_factory=dict)
    seed: int = 0
    prior: Literal["written", "none"] = "written"
    control: Literal["", "constant", "random"] = ""
    principles: str | None = None  # a file of written rules
    rounds: int = 12  # between which the learner learns
    steps_per_round: int = 20_000  # environment steps of learning after each round
    options: Mapping[str, Any] = field(default_factory=dict)  # of the world: size, difficulty
    config: Mapping[str, Any] = field(default_factory=dict)  # of the learner

    def wanted(self) -> dict[str, int]:
        """How much of each kind of feedback is asked for."""
        return {"compare": self.answers} if not self.mix else dict(self.mix)


@dataclass(frozen=True)
class TrainResult:
    """What a run gave. Returns are of the wish; normalised_return is the score."""

    world: str
    learner: str
    teacher: str
    seed: int
    mix: dict[str, int]
    prior: str
    control: str
    normalised_return: float
    return_mean: float
    done_share: float
    return_random: float
    return_still: float
    return_oracle: float
    answers: int
    human_seconds: float
    env_steps: int
    cpu_seconds: float  # without the teacher's planning
    wall_seconds: float
    teacher_cpu_seconds: float
    prices: dict[str, float]
    curve: tuple[dict[str, float], ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def parse_mix(text: str) -> dict[str, int]:
    """ "demo=2,compare=48" -> {"demo": 2, "compare": 48}; ValueError with a sentence."""
    found: dict[str, int] = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        kind, _, number = part.partition("=")
        if kind not in KINDS or not number.isdigit():
            raise ValueError(
                f"{part!r} in the mix is not understood: write kind=number, the kinds are {', '.join(KINDS)}"
            )
        found[kind] = int(number)
    return found


def train(config: TrainConfig, progress: Progress = lambda share, text: None) -> TrainResult:
    """Teach a fresh learner and score it on unseen layouts.

    Raises UnknownWorld, UnknownLearner, UnknownTeacher or ValueError, each with a sentence.
    """
    task = worlds.task(config.world, **config.options)
    wanted = config.wanted()
    _check(config.learner, wanted)
    progress(0.0, "measuring random, still and oracle")
    refs = scores.references(task)
    began_cpu, began = time.process_time(), time.monotonic()
    extra: dict[str, Any] = {"control": config.control} if config.control else {}
    if config.principles is not None:
        extra["principles"] = read_principles(Path(config.principles), task)
    settings = {**extra, **config.config}
    learner = learners.make(config.learner, task, seed=config.seed, prior=config.prior, **settings)
    run = _Run(config, task, learner, make_teacher(config.teacher, task, config.seed), refs)
    run.go(wanted, progress)
    policy = learner.snapshot().policy
    assert policy is not None
    cpu, wall = time.process_time() - began_cpu - run.teacher_cpu, time.monotonic() - began
    progress(1.0, "scoring")
    final = scores.evaluate(task, policy)
    return TrainResult(
        world=config.world,
        learner=config.learner,
        teacher=config.teacher,
        seed=config.seed,
        mix=wanted,
        prior=config.prior,
        control=config.control,
        normalised_return=refs.checked(final.mean),
        return_mean=final.mean,
        done_share=float(final.done.mean()),
        return_random=refs.random,
        return_still=refs.still,
        return_oracle=refs.oracle,
        answers=run.answers,
        human_seconds=run.human_seconds,
        env_steps=learner.snapshot().env_steps,
        cpu_seconds=cpu,
        wall_seconds=wall,
        teacher_cpu_seconds=run.teacher_cpu,
        prices=dict(PRICES),
        curve=tuple(run.curve),
    )


_RECORD_OF = {
    "demo": "demonstration",
    "compare": "comparison",
    "rank": "comparison",
    "mark": "evaluation",
    "correct": "correction",
}


def _check(learner: str, wanted: Mapping[str, int]) -> None:
    takes = learners.entry(learner).kinds
    for kind, number in wanted.items():
        if number and _RECORD_OF[kind] not in takes:
            able = ", ".join(f"{k}=N" for k in KINDS if _RECORD_OF[k] in takes)
            raise ValueError(f"learner {learner!r} learns nothing from {kind!r}: use --mix with {able}")


class _Run:
    """The state of one run: what has been said, what it cost, how it goes."""

    def __init__(
        self, config: TrainConfig, task: Task, learner: Learner, teacher: Teacher, refs: References
    ) -> None:
        self.config, self.task, self.learner, self.teacher, self.refs = config, task, learner, teacher, refs
        self.random = np.random.default_rng([config.seed, 5])
        self.seq = self.answers = 0
        self.human_seconds = self.teacher_cpu = 0.0
        self.curve: list[dict[str, float]] = []

    def go(self, wanted: Mapping[str, int], progress: Progress) -> None:
        self._learn("learning from the written reward", progress)
        rounds = max(1, min(self.config.rounds, max(wanted.values(), default=1)))
        for turn in range(rounds):
            for kind in KINDS:
                self._give(kind, _due(wanted.get(kind, 0), turn, rounds, kind))
            text = f"round {turn + 1} of {rounds}, {self.answers} answers"
            progress(0.1 + 0.7 * turn / rounds, text)
            self._spend(self.config.steps_per_round)
            self._note()
        progress(0.8, "learning from all of it")
        while self.learner.step():
            pass

    def _learn(self, phase: str, progress: Progress) -> None:
        while self.learner.snapshot().phase == phase:
            progress(0.0, phase)
            self.learner.step()

    def _spend(self, steps: int) -> None:
        until = self.learner.snapshot().env_steps + steps
        while self.learner.step() and self.learner.snapshot().env_steps < until:
            pass

    def _note(self) -> None:
        snapshot = self.learner.snapshot()
        assert snapshot.policy is not None
        unseen = scores.evaluate(self.task, snapshot.policy)
        self.curve.append(
            {
                "answers": self.answers,
                "human_seconds": self.human_seconds,
                "env_steps": snapshot.env_steps,
                "score": self.refs.score(unseen.mean),
                "done": float(unseen.done.mean()),
            }
        )

    def _say(self, record: Record) -> None:
        self.seq += 1
        raters = getattr(self.learner, "raters", None)
        if raters is not None:
            raters[record.id] = self.teacher.rater
        self.learner.observe(self.seq, [record])

    def _give(self, kind: str, number: int) -> None:
        """Ask the teacher for `number` pieces of feedback of one kind."""
        rate = self.task.world.steps_per_second
        if kind == "mark":
            self._mark(number)
            return
        for _ in range(number):
            if kind == "demo":
                seed = int(self.random.integers(2**31))
                driven = self._timed(partial(self.teacher.demonstrate, seed))
                self.human_seconds += len(driven.trajectory) / rate
                self._say(driven)
            elif kind == "correct":
                taken = self._corrected()
                if taken is not None:
                    self.human_seconds += len(taken.person) / rate
                    self._say(taken)
            else:
                self._ask(RANKED if kind == "rank" else 2)

    def _timed(self, work: Callable[[], T]) -> T:
        """Do the teacher's work, and note its processor time apart from the learner's."""
        began = time.process_time()
        done = work()
        self.teacher_cpu += time.process_time() - began
        return done

    def _ask(self, clips: int) -> None:
        question = self.learner.query(clips)
        if question is None:
            return
        self.human_seconds += PRICES["comparison"] + PRICES["further clip"] * (len(question.clips) - 2)
        self.answers += 1
        self._say(self.teacher.compare(question))

    def _watched(self) -> Trajectory:
        """One whole episode of the policy as it is now, on a fresh layout."""
        policy = self.learner.snapshot().policy
        assert policy is not None
        moment = fresh_moments(self.task, 1, int(self.random.integers(2**31)))
        return roll(self.task, moment, [Variant(policy)], [self.task.horizon], self.random)[0]

    def _mark(self, number: int) -> None:
        """Watch episodes and press, until `number` presses or four times as many episodes."""
        rate, given = self.task.world.steps_per_second, 0
        for _ in range(4 * number):
            seen, last = self._watched(), -np.inf
            for step in range(1, len(seen) + 1):
                if given == number:
                    return
                self.human_seconds += 1.0 / rate
                if step - last < BETWEEN_MARKS * rate:
                    continue
                record = self.teacher.evaluate(seen, step)
                if record is not None:
                    self._say(record)
                    given, last = given + 1, step

    def _corrected(self) -> Correction | None:
        """A takeover at the worst moment of an episode; a few episodes are looked at."""
        for _ in range(5):
            seen = self._watched()
            at = self.teacher.where_to_correct(seen)
            record = self._timed(partial(self.teacher.correct, seen, at))
            if record is not None:
                return record
        return None


def _due(number: int, turn: int, rounds: int, kind: str) -> int:
    """How many of `number` come in this round: demonstrations at once, else a quarter, then evenly."""
    if kind == "demo":
        return number if turn == 0 else 0
    first = number if rounds == 1 else round(number / 4)
    if turn == 0:
        return first
    rest = number - first
    return rest * turn // (rounds - 1) - rest * (turn - 1) // (rounds - 1)
