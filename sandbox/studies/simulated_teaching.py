"""A synthetic teacher's lesson: what is said when, what it would cost a person, how the agent fares.

A quarter of all feedback comes before the first round of practice, the rest in rounds. After each answer
the learner takes a step or two, as it does beside a window, so that its next question knows of it. A person's
time is simulated at fixed prices (PRICES).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np

from agents.evaluation import scores
from agents.evaluation.scores import ReferenceMeans
from agents.feedback.feedback_kind import COMPARISON, CORRECTION, DEMONSTRATION, EVALUATION
from agents.feedback.records import Correction, Record
from agents.learners.protocol import PHASES_BEFORE_QUERIES, Learner
from agents.policies.rollouts import PolicyVariant, episode_starts, rollout_clips
from agents.teachers.teacher_protocol import Teacher
from envs.trajectory import Trajectory
from envs.world import Task
from sandbox.studies.feedback_mix import MIX_KINDS, RANKING, SECONDS

PRICES = {"comparison": 4.0, "further clip": 2.0}
"""What a person's answer costs [s]; driving and watching cost the time they last."""
RANKED = 4  # clips in a ranking
WATCHED = 12  # episodes at most before one takeover; none is given if nothing in them is to be mended
BETWEEN_MARKS = 1.0  # a teacher presses at most once in this time [s]

T = TypeVar("T")
ProgressCallback = Callable[[float, str], None]
"""progress(share done in 0..1, what is going on)"""


@dataclass(frozen=True)
class BudgetResult:
    """How good the policy was once it had learned all it could from so much."""

    mix: dict[str, int]
    answers: int
    human_seconds: float
    env_steps: int
    cpu_seconds: float  # so far, without the teacher's planning and without scoring
    score: float
    done: float


class SimulatedTeaching:
    """What has been said so far, what it cost, how it goes."""

    def __init__(
        self,
        task: Task,
        learner: Learner,
        teacher: Teacher,
        references: ReferenceMeans,
        rounds: int,
        steps_per_round: int,
        seed: int,
    ) -> None:
        """rounds: between which the learner makes `steps_per_round` environment steps."""
        self.task, self.learner, self.teacher, self.references = task, learner, teacher, references
        self.rounds, self.steps_per_round = rounds, steps_per_round
        self.seed, self.random = seed, np.random.default_rng([seed, 5])
        self.seq = self.answers = 0
        self.human_seconds = self.teacher_cpu = 0.0
        self.curve: list[dict[str, float]] = []
        self.budgets: list[BudgetResult] = []
        self.started_at = self._scoring_cpu_seconds = 0.0
        self._seconds_left = 0.0  # of the person's time that the learner may spend as it likes [s]

    @property
    def learning_cpu_seconds(self) -> float:
        """Processor time so far but for the teacher's planning and the scores of budgets [s]."""
        return time.process_time() - self.started_at - self.teacher_cpu - self._scoring_cpu_seconds

    def run(self, stages: Sequence[Mapping[str, int]], progress: ProgressCallback) -> None:
        """Say what each stage holds more than the one before; with several, the policy is scored at each."""
        self._before_answers(progress)
        whole, before = max(1, sum(stages[-1].values())), dict[str, int]()
        for stage in stages:
            more = {kind: number - before.get(kind, 0) for kind, number in stage.items()}
            share = sum(before.values()) / whole, sum(stage.values()) / whole
            rounds = round(self.rounds * (share[1] - share[0]))
            self._stage(more, max(1, min(rounds, max(more.values(), default=1))), share, progress)
            if len(stages) > 1:
                self._score(dict(stage))
            before = dict(stage)

    def _stage(
        self, wanted: Mapping[str, int], rounds: int, share: tuple[float, float], progress: ProgressCallback
    ) -> None:
        """So much feedback in so many rounds, then all the learning that it is good for."""
        for turn in range(rounds):
            for kind in (kind for kind in MIX_KINDS if wanted.get(kind)):
                self._give_feedback(kind, feedback_due(wanted[kind], turn, rounds, kind), turn == rounds - 1)
            text = f"round {turn + 1} of {rounds}, {self.answers} answers"
            progress(0.1 + 0.8 * (share[0] + (share[1] - share[0]) * turn / (rounds + 1)), text)
            self._learn_steps(self.steps_per_round)
            self._append_curve_point()
        progress(0.1 + 0.8 * (share[0] + (share[1] - share[0]) * rounds / (rounds + 1)), "learning from it")
        while self.learner.step():
            pass

    def _score(self, mix: dict[str, int]) -> None:
        snapshot, cpu, began = self.learner.snapshot(), self.learning_cpu_seconds, time.process_time()
        assert snapshot.policy is not None
        found = scores.evaluate_policy(self.task, snapshot.policy)
        self._scoring_cpu_seconds += time.process_time() - began
        score, done = self.references.score_in(self.task, found.mean), float(found.done.mean())
        steps = snapshot.env_steps
        self.budgets.append(BudgetResult(mix, self.answers, self.human_seconds, steps, cpu, score, done))

    def _before_answers(self, progress: ProgressCallback) -> None:
        while (phase := self.learner.snapshot().phase) in PHASES_BEFORE_QUERIES:
            progress(0.0, phase)
            self.learner.step()

    def _learn_steps(self, steps: int) -> None:
        until = self.learner.snapshot().env_steps + steps
        while self.learner.step() and self.learner.snapshot().env_steps < until:
            pass

    def _append_curve_point(self) -> None:
        snapshot = self.learner.snapshot()
        assert snapshot.policy is not None
        unseen = scores.evaluate_policy(self.task, snapshot.policy)
        self.curve.append(
            {
                "answers": self.answers,
                "human_seconds": self.human_seconds,
                "env_steps": snapshot.env_steps,
                "score": self.references.score(unseen.mean),
                "done": float(unseen.done.mean()),
            }
        )

    def _observe_record(self, record: Record) -> None:
        self.seq += 1
        record = replace(record, id=f"{self.seed}-{self.seq}")  # a random id would make the run another one
        self.learner.raters[record.id] = self.teacher.rater
        self.learner.observe(self.seq, [record])

    def _give_feedback(self, kind: str, number: int, last: bool = False) -> None:
        """Ask the teacher for `number` pieces of feedback of one kind; `last`: no more come in this stage."""
        rate = self.task.world.steps_per_second
        if kind == EVALUATION.name:
            self._give_evaluations(number)
            return
        if kind == SECONDS:
            self._seconds_left += number
            self._give_suggested_feedback(last)
            return
        for _ in range(number):
            if kind == DEMONSTRATION.name:
                seed = int(self.random.integers(2**31))
                driven = self._timed(partial(self.teacher.demonstrate, seed))
                self.human_seconds += len(driven.trajectory) / rate
                self._observe_record(driven)
            elif kind == CORRECTION.name:
                taken = self._give_correction()
                if taken is not None:
                    self.human_seconds += len(taken.person) / rate
                    self._observe_record(taken)
            else:
                self._give_comparison(RANKED if kind == RANKING else 2)
                self._learn_steps(1)  # as it would while the person goes on

    def _give_suggested_feedback(self, last: bool) -> None:
        """What the learner thinks worth the person's time, while some is left; a learner that thinks
        nothing of it is given comparisons, and so are the `last` seconds that are too few for it."""
        while True:
            wanted, before = self.learner.suggest(), self.human_seconds
            if (PRICES["comparison"] if wanted is None else wanted.seconds) > self._seconds_left:
                if not last or self._seconds_left < PRICES["comparison"]:
                    return
                wanted = None
            if wanted is not None and wanted.kind != COMPARISON.name:
                self._give_feedback(wanted.kind, 1)
            else:
                self._give_comparison(2 if wanted is None else wanted.clips)
            if self.human_seconds == before:
                return
            self._seconds_left -= self.human_seconds - before
            self._learn_steps(1)  # as it would while the person goes on

    def _timed(self, work: Callable[[], T]) -> T:
        """Do the teacher's work, and note its processor time apart from the learner's."""
        began = time.process_time()
        done = work()
        self.teacher_cpu += time.process_time() - began
        return done

    def _give_comparison(self, clips: int) -> None:
        question = self.learner.query(clips)
        if question is None:
            return
        self.human_seconds += PRICES["comparison"] + PRICES["further clip"] * (len(question.clips) - 2)
        self.answers += 1
        self._observe_record(self.teacher.compare(question))

    def _roll_out_episode(self) -> Trajectory:
        """One whole episode of the policy as it is now, on a fresh layout."""
        policy = self.learner.snapshot().policy
        assert policy is not None
        moment = episode_starts(self.task, 1, int(self.random.integers(2**31)))
        return rollout_clips(self.task, moment, [PolicyVariant(policy)], [self.task.horizon], self.random)[0]

    def _give_evaluations(self, number: int) -> None:
        """Watch episodes and press, until `number` presses or four times as many episodes."""
        rate, given = self.task.world.steps_per_second, 0
        for _ in range(4 * number):
            seen, last = self._roll_out_episode(), -np.inf
            for step in range(1, len(seen) + 1):
                if given == number:
                    return
                self.human_seconds += 1.0 / rate
                if step - last < BETWEEN_MARKS * rate:
                    continue
                record = self.teacher.evaluate(seen, step)
                if record is not None:
                    self._observe_record(record)
                    given, last = given + 1, step

    def _give_correction(self) -> Correction | None:
        """A takeover at the worst moment of an episode; a few episodes are watched, which takes time too."""
        rate = self.task.world.steps_per_second
        for _ in range(WATCHED):
            seen = self._roll_out_episode()
            at = self.teacher.where_to_correct(seen)
            record = self._timed(partial(self.teacher.correct, seen, at))
            self.human_seconds += (len(seen) if record is None else at) / rate
            if record is not None:
                return record
        return None


def feedback_due(number: int, turn: int, rounds: int, kind: str) -> int:
    """How many of `number` come in this round: demonstrations at once, else a quarter, then evenly."""
    if kind == DEMONSTRATION.name:
        return number if turn == 0 else 0
    first = number if rounds == 1 else round(number / 4)
    if turn == 0:
        return first
    rest = number - first
    return rest * turn // (rounds - 1) - rest * (turn - 1) // (rounds - 1)
