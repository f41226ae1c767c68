"""The learner's loop with a synthetic teacher in the person's place, without a window."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from agents import learner_catalog as learners
from agents.evaluation import scores
from agents.feedback.feedback_kind import COMPARISON
from agents.feedback.principles import read_principles as read_principles
from agents.teachers.synthetic import make_teacher
from envs import task_catalog as worlds
from sandbox.studies.feedback_mix import ALIASES, MIX_KINDS
from sandbox.studies.session_replay import digest_of
from sandbox.studies.simulated_teaching import PRICES, BudgetResult, ProgressCallback, SimulatedTeaching


@dataclass(frozen=True)
class TrainConfig:
    """One headless run."""

    world: str = "teachbox/RoomsTidy-v0"
    learner: str = "joint"
    teacher: str = "rational"
    answers: int = 60  # comparisons, where `mix` says nothing else
    mix: Mapping[str, int] = field(default_factory=dict)
    seed: int = 0
    prior: Literal["", "written", "none"] = ""  # "": as is usual in the world
    control: Literal["", "constant", "random"] = ""
    principles: str | None = None  # a file of written rules
    follow: str = ""  # whose reward, where the members of a pool want different things: their number
    rounds: int = 12  # between which the learner learns
    steps_per_round: int = 20_000  # environment steps of learning after each round
    options: Mapping[str, Any] = field(default_factory=dict)  # of the world: size, difficulty
    config: Mapping[str, Any] = field(default_factory=dict)  # of the learner
    budgets: tuple[Mapping[str, int], ...] = ()  # smaller mixes on the way, at each of which it is scored

    def wanted(self) -> dict[str, int]:
        """How much of each kind of feedback is asked for."""
        return (
            {COMPARISON.name: self.answers}
            if not self.mix
            else {ALIASES.get(k, k): n for k, n in self.mix.items()}
        )

    def stages(self) -> list[dict[str, int]]:
        """The budgets and all of it, in order. ValueError where one is more than the next."""
        found = [*(dict(budget) for budget in self.budgets), self.wanted()]
        for less, more in pairwise(found):
            if any(number > more.get(kind, 0) for kind, number in less.items()):
                raise ValueError(f"the budget {less} is more than {more}, which comes after it")
        return found


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
    raters: dict[str, dict[str, float]]  # what is believed of each: answers, beta, side, error
    parting: dict[str, dict[str, float]]  # who wants something else, and more of what
    warnings: tuple[str, ...]
    digest: str  # SHA-256 over policy and reward: the same seed gives the same on one machine
    budgets: tuple[BudgetResult, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def train(config: TrainConfig, progress: ProgressCallback = lambda share, text: None) -> TrainResult:
    """Teach a fresh learner and score it on unseen layouts.

    Raises UnknownTask, UnknownLearner, UnknownTeacher or ValueError, each with a sentence.
    """
    task = worlds.task(config.world, **config.options)
    wanted, stages = config.wanted(), config.stages()
    _check(config.learner, wanted)
    progress(0.0, "measuring random, still and oracle")
    refs = scores.reference_means(task)
    began_cpu, began = time.process_time(), time.monotonic()
    extra: dict[str, Any] = {"control": config.control} if config.control else {}
    if config.principles is not None:
        extra["principles"] = read_principles(Path(config.principles), task)
    if config.follow:
        extra["follow"] = config.follow
    settings = {**extra, **config.config}
    learners.check_settings(config.learner, settings)
    learner = learners.make(config.learner, task, seed=config.seed, prior=config.prior, settings=settings)
    teacher = make_teacher(config.teacher, task, config.seed)
    _check_follow(config, len(teacher.members))
    run = SimulatedTeaching(task, learner, teacher, refs, config.rounds, config.steps_per_round, config.seed)
    run.started_at = began_cpu
    run.run(stages, progress)
    seen = learner.snapshot()
    policy = seen.policy
    assert policy is not None
    cpu, wall = run.learning_cpu_seconds, time.monotonic() - began
    progress(1.0, "scoring")
    final = scores.evaluate_policy(task, policy)
    return TrainResult(
        world=config.world,
        learner=config.learner,
        teacher=config.teacher,
        seed=config.seed,
        mix=wanted,
        prior=config.prior or task.default_prior,
        control=config.control,
        normalised_return=refs.score_in(task, final.mean),
        return_mean=final.mean,
        done_share=float(final.done.mean()),
        return_random=refs.random,
        return_still=refs.still,
        return_oracle=refs.oracle,
        answers=run.answers,
        human_seconds=run.human_seconds,
        env_steps=seen.env_steps,
        cpu_seconds=cpu,
        wall_seconds=wall,
        teacher_cpu_seconds=run.teacher_cpu,
        prices=dict(PRICES),
        curve=tuple(run.curve),
        raters=seen.raters,
        parting=seen.rater_differences,
        warnings=(*seen.warnings, *filter(None, [refs.remark_on(final.mean) if task.is_costly else ""])),
        digest=digest_of(policy, seen.reward),
        budgets=tuple(run.budgets),
    )


def _check(learner: str, wanted: Mapping[str, int]) -> None:
    takes = learners.find_entry(learner).kinds
    for kind, number in wanted.items():
        if number and MIX_KINDS[kind].name not in takes:
            able = ", ".join(f"{word}=N" for word, one in MIX_KINDS.items() if one.name in takes)
            raise ValueError(f"learner {learner!r} learns nothing from {kind!r}: use --mix with {able}")


def _check_follow(config: TrainConfig, members: int) -> None:
    if config.follow and config.follow not in map(str, range(members)):
        raise ValueError(
            f"--follow {config.follow!r} is nobody of {config.teacher!r}: "
            f"its members are numbered 0 to {members - 1}."
        )
