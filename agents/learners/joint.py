"""`joint`: one reward from everything the person did, then PPO in bursts. The default learner.

First the agent practises on the written reward, so that the first clips are not idle. Then, whenever
feedback has come, the reward is fitted to all of it and practice goes on for a bounded number of steps
(longer, it drifts to the reward's faults), and again, unseen, from elsewhere: it may have been in a trap.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from agents import checkpoint
from agents.feedback.feedback_validation import Heard
from agents.feedback.principles import Ruled
from agents.feedback.records import Comparison, Question, Record, Suggestion, kind_of, standing, uses_of
from agents.imitation.cloner import Cloner
from agents.inference.choice_sets import choices_of
from agents.inference.reward_inference import Inference
from agents.learners.joint_config import JointConfig, Prior, asker_of, reward_of
from agents.queries.acquisition import Believed
from agents.rewards import saliency
from agents.rewards.base import Reward
from agents.rewards.reward_arrays import RewardArrays
from agents.snapshot import CurvePoint, Snapshot
from agents.training.trainer import Practice
from envs.simulate import is_foreign
from envs.world import Task


class JointLearner:
    """Learns from demonstrations, comparisons, evaluations and corrections together."""

    name: ClassVar[str] = "joint"
    kinds: ClassVar[frozenset[str]] = frozenset({"demonstration", "comparison", "evaluation", "correction"})
    Config: ClassVar[type[JointConfig]] = JointConfig
    _ruled_answers: Sequence[Comparison] = ()

    def __init__(
        self, task: Task, *, seed: int = 0, prior: Prior = "written", config: JointConfig | None = None
    ) -> None:
        self.task, self.seed = task, seed
        self.prior: Prior = "none" if is_foreign(task) else prior
        self.config = config = config or self.Config()
        self.practice = self._practice()
        self.practice.judge = self._worth
        self._rested = self._woken = False  # at the end of practice on one state of the feedback; on this one
        self._counts: Any = None  # of each term per episode, as practice goes now
        cloning = (0.3 if is_foreign(task) else 0.0) if config.cloning is None else config.cloning
        self.cloner = Cloner(task.world.symmetries, cloning, seed)
        self.practice.ppo.auxiliary = self.cloner.loss
        self.model = self._reward_model()
        self.inference = Inference(self.model, len(task.world.terms))
        self.inference.follow = config.follow
        self.asker = asker_of(task, config, seed)
        self._prior_steps = 1_000 * task.horizon if config.prior_steps is None else config.prior_steps
        self._steps_given = config.steps_per_fit
        self._records = Heard(task)
        self._fitted = self._taken = frozenset[str]()
        self._uses: dict[str, int] = {}
        self._seq = self._learned_seq = self._step = self._since_fit = 0
        self._curve: list[CurvePoint] = []
        self._salience: dict[str, float] = {}
        self.ruled = Ruled(config.principles)
        self._began = time.monotonic()
        if self.prior == "written":
            self._pay()

    @classmethod
    def configured(
        cls, task: Task, *, seed: int = 0, prior: Prior = "written", **config: Any
    ) -> JointLearner:
        """With fields of its configuration as keywords."""
        return cls(task, seed=seed, prior=prior, config=cls.Config(**config))

    def _practice(self) -> Practice:
        """The agent's side of learning."""
        return Practice(self.task, self.seed, self.config.practice)

    def _reward_model(self) -> Reward:
        return reward_of(self.task, self.config, self.prior, self.seed)

    # What comes in.

    def observe(self, seq: int, records: Sequence[Record]) -> None:
        self._seq = max(self._seq, seq)
        self._records.take(records)

    def _standing(self) -> list[Record]:
        return [r for r in standing(self._records.values()) if kind_of(r) in self.kinds]

    @property
    def raters(self) -> dict[str, str]:
        """Who gave a record, by its id: to be filled by whoever runs the learner."""
        return self.inference.raters

    def follow(self, rater: str) -> None:
        """Learn what this rater wants, where raters part; empty: those whose answers tell most."""
        if rater != self.inference.follow:
            self.inference.follow = rater
            self._fitted = frozenset()

    # What goes on.

    @property
    def _in_prior(self) -> bool:
        return self.prior == "written" and self.practice.env_steps < self._prior_steps

    @property
    def _has_budget(self) -> bool:
        return self._has_heard and not self._practised_enough

    @property
    def _has_heard(self) -> bool:
        return bool(self._fitted or self._ruled_answers)

    @property
    def _steps_per_fit(self) -> int:
        if self._steps_given is not None:
            return self._steps_given
        return self.model.patience(sum(self._uses.values())) * self.task.horizon

    @property
    def _practised_enough(self) -> bool:
        return self._since_fit >= self._steps_per_fit

    @property
    def phase(self) -> str:
        if self._in_prior:
            return "learning from the written reward"
        if not self._has_heard or self.config.control:
            return "waiting for feedback"
        return "learning from your feedback" if self._has_budget else "waiting for more feedback"

    def step(self) -> bool:
        records = self._standing()
        ids = frozenset(record.id for record in records)
        if ids != self._taken:
            self.cloner.take(records)
            self.practice.head_start.hear(records)
            self._uses, self._taken = uses_of(records), ids
        if self._in_prior:
            self._burst()
            self.practice.remember()
        elif ids != self._fitted or self.ruled.enough_anew:
            self._fit(records)
            self._fitted = ids
        elif self._has_budget:
            before, self._since_fit = self._since_fit, self._since_fit + self._burst()
            self._refine(before)
            if self._practised_enough:
                self._settle()
        elif not self.asker.ready:
            self._make_questions()
            return bool(self.asker.ready)
        else:
            self._learned_seq = self._seq
            return False
        if ids == self._fitted:
            self._learned_seq = self._seq
        self._step += 1
        return True

    def _refine(self, before: int) -> None:
        """Fit on beside practice, so that what was said is acted on before it is understood fully."""
        if self.config.control or self.practice.tries_again:  # all tries are for the same reward
            return
        was, now = before / self._steps_per_fit, self._since_fit / self._steps_per_fit
        if self.inference.practised(was, now):
            self.practice.late.forget()
        self.practice.keep_early(was, now)

    def _settle(self) -> None:
        """The end of practice on one state of the feedback; again while there is another way to begin."""
        practice = self.practice
        if not (self._woken or practice.tries_again) and self._wake():
            self._woken, self._since_fit = True, 0
        elif practice.may_do_better and self._counts is not None and self._worth(self._counts) is not None:
            practice.try_again(self._counts)
            self._since_fit = 0
        else:
            self._counts, self._rested = practice.choose(self._counts, self.model.outdoes), True
            if not is_foreign(self.task):  # there nothing is given up that is to be asked about
                self._make_questions()

    def _wake(self) -> bool:
        """Start over from what the written reward taught, if the agent has come to do nothing: from there
        PPO finds nothing, and no clip tells anything."""
        known = self._counts is not None and not self.config.control
        return known and self.model.is_idle(self._counts) and self.practice.start_over()

    def _burst(self) -> int:
        if self.practice.imitates:
            return self.practice.imitate()
        if self._counts is not None and not self.config.control:  # a control must know nothing of doubt
            self.practice.reprice(self.model.sure(self._counts, self.inference.usual))
        steps = self.practice.burst()
        if (seen := self.practice.newest_steps()) is not None:
            self.model.see(*seen)
        self._counts = self.practice.counts
        if self.practice.bursts % self.config.curve_every == 1 and not self.practice.tries_again:
            self._note_curve()
        if self.practice.bursts % self.config.questions_every == 0:
            self._make_questions()
        return steps

    def _fit(self, records: list[Record]) -> None:
        """Explain all feedback anew, and practise on what follows from it."""
        self._counts = self.practice.take_back(self._counts)
        self._ruled_answers = self.ruled.take(records) if "comparison" in self.kinds else []
        heard = [*records, *self._ruled_answers]
        if self.kinds == {"evaluation"} and not self._fitted:
            self._draw_clips()  # a press tells nothing of usual amounts, and who asks nothing has no clips
        choices = choices_of(self.task, heard, self.practice.variants(), self.asker.config.steps, self.seed)
        if choices:
            answers = [r for r in heard if isinstance(r, Comparison)]
            self.inference.foresee(choices, answers, self._fitted, self.practice.learned_return)
            self.inference.renew(choices, answers, {answer.id for answer in self._ruled_answers})
        else:
            self.inference.forget()
        if self.config.control == "random":
            self.model.scramble()
        self._wake()
        if self._rested and self.model.softens:
            self.practice.soften()
        self._pay()
        self._since_fit, self._woken, self._rested = 0, False, False
        self._make_questions()

    @property
    def _paid(self) -> RewardArrays | None:
        """The reward to practise on; None: a control that pays the same for everything."""
        constant = self.config.control == "constant" and not self._in_prior
        return None if constant else self.model.arrays()

    def _worth(self, counts: Any) -> float | None:
        """What an episode with so much of each term [M] is surely worth."""
        if not self._has_heard or self.config.control:
            return None
        return self.model.sure_return(counts, self.inference.usual)

    def _pay(self) -> None:
        """Practise on the reward as it is believed now."""
        if (steps := self.practice.newest_steps()) is not None:
            self.model.normalise(*steps)
            self._salience = saliency.salience(self.task, self.model.arrays(), *steps)
        self.practice.set_reward(self._paid)

    # What it asks.

    def _make_questions(self) -> None:
        if "comparison" not in self.kinds:
            return
        self.asker.heard(self._standing(), self.kinds, self.inference.accidents)
        self._draw_clips()
        self.asker.prepare(self._beliefs())
        if self.ruled.principles is not None:
            self.ruled.look(self.asker.pairs(Ruled.PAIRS))

    def _draw_clips(self) -> None:
        """Clips to ask about; the first of them tell how much there usually is of each term."""
        practice = self.practice
        self.asker.draw(practice.moments(self.asker.random), practice.variants(), practice.events.moments)
        if not self._fitted:
            self.model.set_units(self.asker.sums())
        self.model.see_clips(self.asker.clips)

    def _beliefs(self) -> Believed | None:
        """Returns of clips under what may be wanted, to be told apart; None while nothing is believed."""
        return self.inference.believed if self._uses.get("comparison") else None

    def query(self, clips: int = 2) -> Question | None:
        answered = [r for r in self._standing() if isinstance(r, Comparison)] if clips == 2 else []
        if (again := self.asker.again(answered, self.inference.faith.doubtful)) is not None:
            return again
        if not self.asker.ready:
            self._make_questions()
        return self.asker.ask(clips, self._beliefs())

    def suggest(self) -> Suggestion | None:
        """The kind of feedback that would tell most for each second of this person's time."""
        self._make_questions()
        return self.asker.suggest(self.inference.believed, self.model.trusted)

    # What it shows.

    def _note_curve(self) -> None:
        values = self.practice.curve_values() | self.inference.agreement
        answers, seconds = self._uses.get("comparison", 0), time.monotonic() - self._began
        self._curve.append(CurvePoint(seconds, self.practice.env_steps, answers, values))

    def snapshot(self) -> Snapshot:
        names = self.task.world.term_names
        return Snapshot(
            learner=self.name,
            step=self._step,
            feedback_seq=self._learned_seq,
            env_steps=self.practice.env_steps,
            policy=self.practice.shown,
            reward=self.model.arrays(),
            curve=tuple(self._curve),
            questions=tuple(self.asker.ready),
            phase=self.phase,
            uses=dict(self._uses),
            salience=dict(self._salience),
            warnings=(*self.inference.warnings(names), *self._records.remarks(self._standing())),
            parting=self.inference.parting(names),
            followed=self.inference.followed,
            raters={rater or "you": asdict(known) for rater, known in self.inference.faith.raters.items()},
        )

    # Stopping and going on.

    def save(self, folder: Path) -> None:
        """The whole learner but for the feedback, which the store has."""
        facts = {
            "step": self._step,
            "since_fit": self._since_fit,
            "fitted": sorted(self._fitted),
            "learned_seq": self._learned_seq,
            "uses": self._uses,
            "agreement": self.inference.agreement,
            "counts": None if self._counts is None else self._counts.tolist(),
            "inference": self.inference.facts(),
            "asker": self.asker.facts(),
            "cloner": self.cloner.state(),
            "practice": self.practice.facts(),
            "reward": self.model.facts(),
        }
        checkpoint.save(folder, self.name, facts, self.practice.state() | self.model.state())

    def load(self, folder: Path) -> None:
        facts, arrays = checkpoint.load(folder, self.name)
        self.model.restore(facts["reward"], arrays)
        self._step, self._since_fit = facts["step"], facts["since_fit"]
        self._fitted = frozenset(facts["fitted"])
        self._seq = self._learned_seq = facts["learned_seq"]
        self._uses = dict(facts.get("uses", {}))
        self.inference.agreement.update(facts["agreement"])
        self.asker.restore(facts["asker"])
        self.cloner.restore(facts["cloner"])
        self._counts = None if facts["counts"] is None else np.array(facts["counts"], np.float32)
        self.inference.restore(facts.get("inference", {}))
        self._rested = self._practised_enough
        self.practice.restore(facts["practice"], arrays, self._paid)
