"""A learner that fits a reward to feedback and trains a policy on it: the base of most learners.

The policy first learns from the proxy reward, so that the first clips show more than an idle agent. Then,
whenever feedback comes, the reward is fitted to all of it, and the policy trains on that reward for a bounded
number of steps: training longer would exploit the reward's errors. It then trains once more from another
starting point, unseen, because the first may have led into a local optimum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, ClassVar

import numpy as np

from agents.checkpoint import StateDict
from agents.feedback.principles import RuleAnswers
from agents.feedback.records import Comparison, Question, Record, Suggestion, count_by_kind
from agents.imitation.cloner import Cloner
from agents.inference.choice_sets import choice_sets
from agents.inference.reward_inference import RewardInference
from agents.learners.checkpointed_learner import CheckpointedLearner
from agents.learners.joint_config import JointConfig, make_query_manager, make_reward
from agents.learners.learning_curve import LearningCurve
from agents.learners.protocol import Prior
from agents.learners.query_source import QuerySource
from agents.learners.training_schedule import TrainingSchedule, TrainingStep, capped_episodes, resolve_steps
from agents.rewards import saliency
from agents.rewards.base import Reward
from agents.rewards.reward_arrays import RewardArrays
from agents.snapshot import Snapshot
from agents.training.trainer import PolicyTrainer
from agents.training.trainer_protocol import Trainer
from envs.world import Task


class RewardLearner(CheckpointedLearner):
    """Fits a reward to the records whose kind is in `kinds`, and trains a policy on it.

    Subclasses choose `name`, `kinds` and `Config`, and may override the public hooks: `make_trainer`,
    `make_reward`, `fit_reward`, `train_iteration`, `apply_reward`, `is_on_proxy` and `phase`.
    """

    Config: ClassVar[type[JointConfig]] = JointConfig
    config: JointConfig
    prior: Prior
    PROXY_EPISODES: ClassVar[int] = 1_000
    """Episodes of training on the proxy reward, unless the configuration says otherwise."""
    EPISODES_PER_FIT: ClassVar[int | None] = None
    """Episodes of training on one fit; None: as many as the reward bears before its errors are exploited."""
    _rule_answers: Sequence[Comparison] = ()

    def __init__(
        self, task: Task, *, seed: int = 0, prior: Prior | None = None, config: JointConfig | None = None
    ) -> None:
        super().__init__(task, seed=seed, prior=prior or task.default_prior, config=config)
        config = self.config
        self.trainer: Trainer = self.make_trainer()
        self._term_counts: Any = None  # of each term per episode, by the newest rollout
        cloning = (0.0 if task.names_terms else 0.3) if config.bc_coef is None else config.bc_coef
        self.cloner = Cloner(task.world.symmetries, cloning, seed)
        self.reward = self.make_reward()
        self.inference = RewardInference(self.reward, len(task.world.terms))
        self.inference.follow = config.follow
        self.query_manager = make_query_manager(task, config, seed)
        self.rule_answers = RuleAnswers(config.principles)
        parts = self.trainer, self.reward, self.inference, self.rule_answers
        self.queries = QuerySource(self.query_manager, *parts, self.kinds)
        self.schedule = TrainingSchedule()
        self.curve = LearningCurve()
        self._feedback_counts: dict[str, int] = {}
        self._saliency: dict[str, float] = {}
        if self.prior == "written":
            self.apply_reward()

    def make_trainer(self) -> Trainer:
        """Hook: what trains the policy."""
        config, value = self.config.trainer, self.episode_value
        return PolicyTrainer(self.task, self.seed, config, value, lambda policy: self.cloner.loss(policy))

    def make_reward(self) -> Reward:
        """Hook: the reward that is fitted."""
        return make_reward(self.task, self.config, self.prior, self.seed)

    @property
    def algorithm(self) -> Any:
        """The model of Stable-Baselines3 that it trains."""
        return self.trainer.algorithm

    @property
    def raters(self) -> dict[str, str]:
        """Who gave a record, by its id: filled by whoever runs the learner."""
        return self.inference.raters

    def follow(self, rater: str) -> None:
        """Learn what this rater wants, if raters want different things; "": what the raters want whose
        answers tell most."""
        if rater != self.inference.follow:
            self.inference.follow = rater
            self.schedule.fitted_ids = frozenset()

    @property
    def proxy_steps(self) -> int:
        """Environment steps of training on the proxy reward."""
        usual = capped_episodes(self.PROXY_EPISODES, self.task)
        return resolve_steps(self.config.proxy_steps, usual, self.task.horizon)

    @property
    def is_on_proxy(self) -> bool:
        """Hook: whether the policy still learns from the proxy reward."""
        return self.prior == "written" and self.trainer.env_steps < self.proxy_steps

    @property
    def has_feedback(self) -> bool:
        """Whether the reward was fitted to any feedback, of a person or of a rule."""
        return bool(self.schedule.fitted_ids or self._rule_answers)

    @property
    def steps_per_fit(self) -> int:
        """Environment steps of training on one fit."""
        episodes = self.EPISODES_PER_FIT or self.reward.max_episodes_per_fit(
            sum(self._feedback_counts.values())
        )
        return resolve_steps(self.config.steps_per_fit, episodes, self.task.horizon)

    @property
    def has_trained_enough(self) -> bool:
        return self.schedule.steps_since_fit >= self.steps_per_fit

    @property
    def has_budget(self) -> bool:
        return self.has_feedback and not self.has_trained_enough

    @property
    def phase(self) -> str:
        """Hook: what it is doing, in words for the screen."""
        if self.is_on_proxy:
            return "learning from the written reward"
        if not self.has_feedback or self.config.control:
            return "waiting for feedback"
        return "learning from your feedback" if self.has_budget else "waiting for more feedback"

    def step(self) -> bool:
        records, schedule = self.active_records(), self.schedule
        ids = frozenset(record.id for record in records)
        if ids != schedule.cloned_ids:
            self.cloner.set_records(records)
            self.trainer.restarts.set_demonstrations(records)
            self._feedback_counts, schedule.cloned_ids = count_by_kind(records), ids
        match schedule.next(
            ids,
            is_on_proxy=self.is_on_proxy,
            has_new_rule_answers=self.rule_answers.has_enough_new,
            has_budget=self.has_budget,
            has_queries=self.queries.has_queries,
        ):
            case TrainingStep.TRAIN_ON_PROXY:
                self.train_iteration()
                self.trainer.restarts.mark_restart_point()
            case TrainingStep.FIT_REWARD:
                self.fit_reward(records)
                schedule.fitted_ids = ids
            case TrainingStep.TRAIN:
                self._train()
            case TrainingStep.SELECT_QUERIES:
                self.select_queries()
                return self.queries.has_queries
            case TrainingStep.WAIT:
                self.learned_seq = self.newest_seq
                return False
        if ids == schedule.fitted_ids:
            self.learned_seq = self.newest_seq
        self.step_count += 1
        return True

    def _train(self) -> None:
        """One iteration on the newest fit, and the end of training on it when its steps are used up."""
        before = self.schedule.steps_since_fit
        self.schedule.steps_since_fit = before + self.train_iteration()
        self.refine_fit(before)
        if self.has_trained_enough:
            self.finish_fit()

    def refine_fit(self, before: int) -> None:
        """Improve the fit while the policy trains, so that the policy need not wait for the best fit."""
        if self.config.control or self.trainer.restarts.is_restarting:  # every restart is for the same reward
            return
        was, now = before / self.steps_per_fit, self.schedule.steps_since_fit / self.steps_per_fit
        if self.inference.refine_if_due(was, now):
            self.trainer.restarts.reset_recent_policies()
        self.trainer.restarts.keep_early_policy(was, now)

    def finish_fit(self) -> None:
        """End the training on this fit, or train once more if there is another starting point."""
        restarts, schedule, counts = self.trainer.restarts, self.schedule, self._term_counts
        if not (schedule.has_restarted or restarts.is_restarting) and self.restart_if_idle():
            schedule.has_restarted, schedule.steps_since_fit = True, 0
        elif restarts.can_restart and counts is not None and self.episode_value(counts) is not None:
            restarts.restart(counts)
            schedule.steps_since_fit = 0
        else:
            self._term_counts = restarts.accept_or_revert(counts, self.reward.is_credibly_better)
            schedule.has_finished = True
            if not self.task.is_costly:  # there no policy is rejected that questions must ask about
                self.select_queries()

    def restart_if_idle(self) -> bool:
        """Go back to the policy that the proxy reward led to, if the agent does nothing any more. From a
        policy that does nothing PPO finds nothing, and its clips show nothing."""
        if self._term_counts is None or self.config.control:
            return False
        return self.reward.is_idle(self._term_counts) and self.trainer.restarts.return_to_restart_point()

    def train_iteration(self) -> int:
        """Hook: one rollout of the policy and its update; the number of environment steps."""
        if self.trainer.restarts.is_warm_starting:
            return self.trainer.restarts.warm_start_some()
        if self._term_counts is not None and not self.config.control:  # a control must know nothing of doubt
            reward = self.reward.risk_adjusted_arrays(self._term_counts, self.inference.usual_counts)
            self.trainer.update_reward_weights(reward)
        steps = self.trainer.train_iteration()
        if (seen := self.trainer.newest_steps()) is not None:
            self.reward.observe_rollout(*seen)
        self._term_counts = self.trainer.term_counts
        if self.trainer.iterations % self.config.curve_every == 1 and not self.trainer.restarts.is_restarting:
            self.record_curve()
        if self.trainer.iterations % self.config.questions_every == 0:
            self.select_queries()
        return steps

    def fit_reward(self, records: list[Record]) -> None:
        """Hook: fit the reward to all feedback, and train on it from now on."""
        self._term_counts = self.trainer.restarts.restore_candidate(self._term_counts)
        self._rule_answers = self.rule_answers.take_new_answers(records) if "comparison" in self.kinds else []
        heard = [*records, *self._rule_answers]
        if self.kinds == {"evaluation"} and not self.schedule.fitted_ids:
            self.queries.draw_clips(is_fitted=False)  # evaluations do not say how much of a term is usual
        steps = self.query_manager.config.clip_steps
        choices = choice_sets(self.task, heard, self.trainer.variants(), steps, self.seed)
        if choices:
            answers = [r for r in heard if isinstance(r, Comparison)]
            self.inference.record_predictions(choices, answers, self.schedule.fitted_ids)
            self.inference.fit(choices, answers, {answer.id for answer in self._rule_answers})
            derived = self.reward.derived_terms
            self._term_counts = self.trainer.set_further_terms(derived, self._term_counts)
        else:
            self.inference.reset()
        if self.config.control == "random":
            self.reward.randomise()
        self.restart_if_idle()
        if self.schedule.has_finished and self.reward.shrinks_policy:
            self.trainer.shrink_last_layer()
        self.apply_reward()
        self.schedule.begin_fit()
        self.select_queries()

    @property
    def current_reward(self) -> RewardArrays | None:
        """The reward to train on; None: a control that pays the same for everything."""
        constant = self.config.control == "constant" and not self.is_on_proxy
        return None if constant else self.reward.arrays()

    def episode_value(self, counts: Any) -> float | None:
        """The risk-adjusted return of an episode with `counts` of each term [M]; None: not known."""
        if not self.has_feedback or self.config.control:
            return None
        return self.reward.risk_adjusted_return(counts, self.inference.usual_counts)

    def apply_reward(self) -> None:
        """Hook: train on the reward as it is estimated now."""
        if (steps := self.trainer.newest_steps()) is not None:
            self.reward.normalise(*steps)
            self._saliency = saliency.compute_saliency(self.task, self.reward.arrays(), *steps)
        self.trainer.set_reward(self.current_reward)

    def select_queries(self) -> None:
        """Choose what to ask next."""
        fitted = bool(self.schedule.fitted_ids)
        self.queries.select(self.active_records(), self._feedback_counts, is_fitted=fitted)

    def query(self, clips: int = 2) -> Question | None:
        fitted = bool(self.schedule.fitted_ids)
        return self.queries.query(clips, self.active_records(), self._feedback_counts, is_fitted=fitted)

    def suggest(self) -> Suggestion | None:
        """The kind of feedback with the largest expected information gain for each second of this person's
        time."""
        self.select_queries()
        return self.queries.suggest()

    def record_curve(self) -> None:
        """Add a point to the learning curve."""
        watched = {} if self.evaluate is None else self.evaluate(self.trainer.policy)
        values = self.trainer.curve_values() | watched | self.inference.agreement
        self.curve.record(self.trainer.env_steps, self._feedback_counts.get("comparison", 0), values)

    def snapshot(self) -> Snapshot:
        names, raters = self.task.world.term_names, self.inference.reliability.raters
        told = (*self.records.warnings(heard := self.active_records()), *self.queries.warnings(heard))
        return Snapshot(
            learner=self.name,
            step=self.step_count,
            feedback_seq=self.learned_seq,
            env_steps=self.trainer.env_steps,
            policy=self.trainer.shown_policy,
            reward=self.reward.arrays(),
            curve=self.curve.points(),
            questions=tuple(self.query_manager.ready),
            phase=self.phase,
            feedback_counts=dict(self._feedback_counts),
            saliency=dict(self._saliency),
            warnings=(*self.inference.warnings(names), *told),
            rater_differences=self.inference.differing_terms(names),
            followed_raters=self.inference.followed_raters,
            raters={rater or "you": asdict(known) for rater, known in raters.items()},
        )

    def state_dict(self) -> StateDict:
        trainer, reward = self.trainer.state_dict(), self.reward.state_dict()
        facts = {
            "step": self.step_count,
            **self.schedule.state_dict().facts,
            "learned_seq": self.learned_seq,
            "uses": self._feedback_counts,
            "agreement": self.inference.agreement,
            "counts": None if self._term_counts is None else self._term_counts.tolist(),
            "inference": self.inference.state_dict().facts,
            "asker": self.query_manager.state_dict().facts,
            "cloner": self.cloner.state_dict().facts,
            "practice": trainer.facts,
            "reward": reward.facts,
        }
        return StateDict(facts, trainer.arrays | reward.arrays)

    def load_state_dict(self, state: StateDict) -> None:
        facts, arrays = state.facts, state.arrays
        self.reward.load_state_dict(StateDict(facts["reward"], arrays))
        self.trainer.set_further_terms(self.reward.derived_terms, None)
        self.step_count = facts["step"]
        self.schedule.load_state_dict(state)
        self.newest_seq = self.learned_seq = facts["learned_seq"]
        self._feedback_counts = dict(facts.get("uses", {}))
        self.inference.agreement.update(facts["agreement"])
        self.query_manager.load_state_dict(StateDict(facts["asker"]))
        self.cloner.load_state_dict(StateDict(facts["cloner"]))
        self._term_counts = None if facts["counts"] is None else np.array(facts["counts"], np.float32)
        self.inference.load_state_dict(StateDict(facts.get("inference", {})))
        self.schedule.has_finished = self.has_trained_enough
        self.trainer.load_state_dict(StateDict(facts["practice"], arrays), self.current_reward)
