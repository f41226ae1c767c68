"""Synthetic teachers. Only they and the scores may read a task's true reward; no torch here."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.feedback.records import Comparison, Correction, Demonstration, Evaluation, Question
from agents.teachers.clip_judgement import CONFUSED, CROWD, REGRET, TIRING, ClipJudge, Judgement
from agents.teachers.experts import make_expert
from agents.teachers.teacher_extensions import external_teacher, installed_teachers
from agents.teachers.teacher_protocol import Teacher, UnknownTeacher
from envs.simulate import random_actions, simulate
from envs.trajectory import Trajectory
from envs.world import Task

REACTION_SECONDS = 0.3
"""Time between an event on screen and a synthetic teacher's press about it [s]."""
SEGMENT_SECONDS = 2.0
"""Length of the segment of an evaluation [s]."""
TAKEOVER_STEPS = 20
TIE_THRESHOLD = 1e-4
"""Returns that differ by less than this are equal to the most careful teacher."""


@dataclass(frozen=True)
class TeacherNoise:
    """What is wrong with a teacher's answers, after Lee et al. 2021, "B-Pref"."""

    beta: float = np.inf  # sharpness of comparisons; infinite is rational
    gamma: float = 1.0  # below 1 what came early in a clip is forgotten
    mistake_rate: float = 0.0  # share of comparisons answered at random
    skip_rate: float = 0.0  # share of comparisons left out, those of little worth first
    equal_threshold: float = TIE_THRESHOLD  # differences of worth up to this are a tie
    position_bias: float = 0.0  # share of comparisons in which the first clip is taken unseen
    action_noise: float = 0.0  # share of acts at random while driving
    # drives with a wide berth round all that could go wrong, and leaves what lies there
    is_cautious: bool = False
    reaction_seconds: float = REACTION_SECONDS  # how late a press comes [s]
    omission_rate: float = 0.0  # share of presses left out
    term_bonus: tuple[tuple[str, float], ...] = ()  # terms and by how much they are worth more to this person
    is_reversed: bool = False  # answers the opposite of what is meant
    judgement: Judgement | None = None  # compares as people do; nothing above then matters for comparisons


TEACHERS: dict[str, TeacherNoise] = {
    "rational": TeacherNoise(),
    "boltzmann": TeacherNoise(beta=2.0),
    "myopic": TeacherNoise(gamma=0.9),
    "mistaken": TeacherNoise(mistake_rate=0.2),
    "skipping": TeacherNoise(skip_rate=0.3),
    "equal": TeacherNoise(equal_threshold=0.5),
    "sided": TeacherNoise(position_bias=0.3),
    "delayed": TeacherNoise(reaction_seconds=0.8),
    "lazy": TeacherNoise(omission_rate=0.6),
    "slipping": TeacherNoise(action_noise=0.2),
    "cautious": TeacherNoise(is_cautious=True),
    "noisy": TeacherNoise(mistake_rate=0.2, action_noise=0.2),
    "useless": TeacherNoise(mistake_rate=1.0, action_noise=0.5, omission_rate=0.5),
    "reversed": TeacherNoise(is_reversed=True),
    "crowd": TeacherNoise(judgement=CROWD),
    "regret": TeacherNoise(judgement=REGRET),
    "confused": TeacherNoise(judgement=CONFUSED),
    "tiring": TeacherNoise(judgement=TIRING),
}
_NUMBER_FIELDS: dict[str, tuple[str, ...]] = {
    "boltzmann": ("beta",),
    "myopic": ("gamma",),
    "mistaken": ("mistake_rate",),
    "skipping": ("skip_rate",),
    "equal": ("equal_threshold",),
    "sided": ("position_bias",),
    "delayed": ("reaction_seconds",),
    "lazy": ("omission_rate",),
    "slipping": ("action_noise",),
    "noisy": ("mistake_rate", "action_noise"),
    "crowd": ("beta",),
    "regret": ("beta",),
    "confused": ("confusion",),
    "tiring": ("first_error", "tired_error"),
}
"""What the number in "mistaken:0.1" sets."""
_UNBOUNDED = ("boltzmann", "equal", "delayed", "crowd", "regret", "confused")
POOL_PREFIX = "pool"
TERM_BONUS_PREFIX = "wants"


def make_teacher(name: str, task: Task, seed: int = 0) -> Teacher:
    """A teacher by name, optionally with a number: "boltzmann:0.5" (beta), "mistaken:0.1" (share).

    "pool:rational,rational,useless" is several people who take turns at random. "wants:cat=1" is rational,
    but a "cat" is worth 1 more to them than is meant. A name that is none of these is that of an entry point
    in the group `teachbox.teachers`, or `module:name` of a class or function that is called with the task and
    the seed (see `teacher_extensions`). Raises UnknownTeacher for a name that is none of these either.
    """
    head, _, number = name.partition(":")
    if head == POOL_PREFIX:
        members = number.split(",") if number else ["rational", "rational", "useless", "useless"]
        return TeacherPool(
            task, [make_teacher(one.strip(), task, seed + i) for i, one in enumerate(members)], seed
        )
    if head == TERM_BONUS_PREFIX:
        return SyntheticTeacher(task, TeacherNoise(term_bonus=_parse_term_bonus(number, task)), seed)
    if head not in TEACHERS:
        if (found := external_teacher(name, task, seed)) is not None:
            return found
        known = teacher_names()
        close = difflib.get_close_matches(head, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"choose one of {', '.join(known)}"
        raise UnknownTeacher(f"there is no teacher {name!r}: {hint}")
    care = TEACHERS[head]
    if not number:
        return SyntheticTeacher(task, care, seed)
    if head not in _NUMBER_FIELDS:
        raise UnknownTeacher(f"teacher {head!r} takes no number: {name!r} should be {head!r}")
    try:
        value = float(number)
    except ValueError:
        raise UnknownTeacher(f"{number!r} in teacher {name!r} is not a number, as in 'noisy:0.1'") from None
    most = np.inf if head in _UNBOUNDED else 1.0
    if not 0.0 <= value <= most:
        limits = "at least 0" if most > 1.0 else "between 0 and 1"
        raise UnknownTeacher(f"{number} in teacher {name!r} is out of range: it must be {limits}")
    given: dict[str, Any] = dict.fromkeys(_NUMBER_FIELDS[head], value)
    if care.judgement is not None:
        given = {"judgement": replace(care.judgement, **given)}
    return SyntheticTeacher(task, replace(care, **given), seed)


def teacher_names() -> list[str]:
    """The names that `make_teacher` knows: those of teachbox, then those of installed packages."""
    return [*TEACHERS, POOL_PREFIX, TERM_BONUS_PREFIX, *installed_teachers()]


def _parse_term_bonus(text: str, task: Task) -> tuple[tuple[str, float], ...]:
    """ "cat=1" -> (("cat", 1.0),); UnknownTeacher with a sentence."""
    term, _, more = text.partition("=")
    if term not in task.world.term_names:
        known = ", ".join(task.world.term_names)
        raise UnknownTeacher(
            f"{text!r} wants no term of {task.id}: write wants:TERM=NUMBER, terms are {known}"
        )
    try:
        return ((term, float(more)),)
    except ValueError:
        raise UnknownTeacher(f"{more!r} in 'wants:{text}' is not a number, as in 'wants:{term}=1'") from None


class SyntheticTeacher:
    """Answers by the task's true reward, with the errors that `noise` describes."""

    rater: str = "0"

    def __init__(self, task: Task, noise: TeacherNoise, seed: int = 0) -> None:
        self.task, self.noise = task, noise
        self._random = np.random.default_rng(seed)
        self._judge = None if noise.judgement is None else ClipJudge(task, noise.judgement, self._random)

    @property
    def members(self) -> Sequence[Teacher]:
        return (self,)

    def step_rewards(self, trajectory: Trajectory) -> NDArray[np.float32]:
        """The true reward of each step, [T]."""
        states = trajectory.states
        worth = self.task.true_reward(states[:-1], trajectory.terms, states[1:])
        for term, more in self.noise.term_bonus:
            worth = worth + more * trajectory.terms[:, self.task.world.term_names.index(term)]
        return worth

    def compare(self, question: Question) -> Comparison:
        """Rank the clips by their returns, with noise, at random by mistake, or not at all."""
        care, seconds = self.noise, 4.0 + 2.0 * (len(question.clips) - 2)
        if self._judge is not None:
            ranks = self._judge.ranks(question.clips)
            return Comparison(question.clips, ranks, question=question.id, seconds=seconds)
        worth = np.array([self._remembered_return(clip) for clip in question.clips])
        if self._random.random() < care.skip_rate * 2.0 * np.exp(-np.ptp(worth)):
            return Comparison(question.clips, (), "skipped", question=question.id, seconds=seconds)
        if care.is_reversed:
            worth = -worth
        if self._random.random() < care.position_bias:
            worth = -np.arange(len(worth), dtype=float)
        elif self._random.random() < care.mistake_rate:
            worth = self._random.standard_normal(len(worth))
        if np.isfinite(care.beta):
            worth = worth + self._random.gumbel(size=len(worth)) / care.beta
        ranks = tuple(int((worth > w + care.equal_threshold).sum()) for w in worth)
        return Comparison(question.clips, ranks, question=question.id, seconds=seconds)

    def _remembered_return(self, clip: Trajectory) -> float:
        """A clip's return, with what happened early in it discounted."""
        worth = self.step_rewards(clip)
        if self.noise.gamma == 1.0:
            return float(worth.sum())
        return float((self.noise.gamma ** np.arange(len(worth))[::-1] * worth).sum())

    def demonstrate(self, seed: int) -> Demonstration:
        """Drive one episode from the seed's start as well as the expert can, until nothing is left to
        gain."""
        sim = simulate(self.task, 1, auto_reset=False)
        sim.reset(np.array([seed]))
        whole = self._run_expert(sim, self.task.horizon, 0)
        paid = np.flatnonzero(np.abs(self.step_rewards(whole)) > 1e-6)
        return Demonstration(whole.clip(0, int(paid[-1]) + 3 if len(paid) else len(whole)))

    def evaluate(self, trajectory: Trajectory, step: int) -> Evaluation | None:
        """The press at `step`, or None: + if what just happened was better than usual, - if it was worse."""
        rate = self.task.world.steps_per_second
        noticed = step - round(self.noise.reaction_seconds * rate)
        if noticed < rate // 2:
            return None  # nobody knows yet what is usual
        worth = self.step_rewards(trajectory)
        usual = np.median(worth[max(0, noticed - 2 * rate) : noticed])  # a mean would resent past success
        surprise = float(worth[noticed] - usual)
        if self.noise.is_reversed:
            surprise = -surprise
        if abs(surprise) < 0.25 or self._random.random() < self.noise.omission_rate:
            return None
        value = float(np.sign(surprise)) * (2.0 if abs(surprise) > 1.2 else 1.0)
        start = max(0, step - round(SEGMENT_SECONDS * rate))
        return Evaluation(trajectory.clip(start, step), value)

    def correct(self, trajectory: Trajectory, step: int) -> Correction | None:
        """Take over at `step`; None if the teacher would do no better than the agent."""
        agent = trajectory.clip(step, step + TAKEOVER_STEPS)
        if len(agent) < 2:
            return None
        sim = simulate(self.task, 1, auto_reset=False)
        sim.fork(0, trajectory, step)
        person = self._run_expert(sim, len(agent), len(agent))
        better = float(self.step_rewards(person).sum() - self.step_rewards(agent).sum())
        return Correction(agent, person) if better > TIE_THRESHOLD else None

    def where_to_correct(self, trajectory: Trajectory) -> int:
        """A step shortly before the worst event (or where the agent was slow)."""
        worth = self.step_rewards(trajectory)
        if worth.min() < -0.25:
            return max(0, int(worth.argmin()) - 4)
        window = min(TAKEOVER_STEPS, len(worth))
        gained = np.convolve(worth, np.ones(window), "valid")
        return int(gained.argmin())

    def _run_expert(self, sim: Any, steps: int, min_steps: int) -> Trajectory:
        act = make_expert(self.task, self._random, self.noise.is_cautious)
        record = sim.recorder(0)
        for _ in range(steps):
            action = act(sim)
            if self._random.random() < self.noise.action_noise:
                action = random_actions(self.task, 1, self._random)[0]
            step = sim.step(np.asarray(action)[None])
            record.add(action, step.terms[0], step.last_states[0], int(sim.rng[0]), step.last_obs[0])
            if step.ended[0] and len(record) >= min_steps:
                break
        return record.trajectory()


class TeacherPool(SyntheticTeacher):
    """Several teachers with different noise. Each record comes from one of them, drawn at random.

    `rater` is the number of the one who gave the last record. Learners are told it, but not how much noise
    anybody has.
    """

    def __init__(self, task: Task, members: Sequence[Teacher], seed: int = 0) -> None:
        super().__init__(task, TeacherNoise(), seed)
        self._members, self.rater = tuple(members), "0"

    @property
    def members(self) -> Sequence[Teacher]:
        return self._members

    def _draw_member(self) -> Teacher:
        index = int(self._random.integers(len(self._members)))
        self.rater = str(index)
        return self._members[index]

    def compare(self, question: Question) -> Comparison:
        return self._draw_member().compare(question)

    def demonstrate(self, seed: int) -> Demonstration:
        return self._draw_member().demonstrate(seed)

    def evaluate(self, trajectory: Trajectory, step: int) -> Evaluation | None:
        return self._draw_member().evaluate(trajectory, step)

    def correct(self, trajectory: Trajectory, step: int) -> Correction | None:
        return self._draw_member().correct(trajectory, step)
