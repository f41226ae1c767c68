"""Where a reward learner's questions come from: clips of its policies, chosen by its reward's uncertainty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agents.feedback.feedback_kind import COMPARISON
from agents.feedback.principles import RuleAnswers
from agents.feedback.records import Comparison, Question, Record, Suggestion
from agents.inference.reward_inference import RewardInference
from agents.queries.acquisition import SampledReturns
from agents.queries.query_manager import QueryManager
from agents.rewards.base import Reward
from agents.training.trainer_protocol import Trainer

MIN_ANSWERS_TO_WARN, ALIKE_WARNING_SHARE = 8, 0.9
"""Answers from which on it is said that they tell nothing, and the share of them that found clips alike."""


class QuerySource:
    """Draws clips from the trainer's policies and lets the query manager choose among them.

    counts: how many records of each kind stand. is_fitted: whether the reward was fitted to any.
    """

    def __init__(
        self,
        manager: QueryManager,
        trainer: Trainer,
        reward: Reward,
        inference: RewardInference,
        rules: RuleAnswers,
        kinds: frozenset[str],
    ) -> None:
        self.manager = manager
        self._trainer, self._reward, self._inference = trainer, reward, inference
        self._rules, self._kinds = rules, kinds

    @property
    def has_queries(self) -> bool:
        """Whether questions are ready."""
        return bool(self.manager.ready)

    def select(self, records: Sequence[Record], counts: Mapping[str, int], *, is_fitted: bool) -> None:
        """Choose what to ask next; nothing if the learner does not learn from comparisons."""
        if COMPARISON.name not in self._kinds:
            return
        self.manager.update(records, self._kinds, self._inference.error_rate)
        self.draw_clips(is_fitted=is_fitted)
        self.manager.select_queries(self._sampled_returns(counts))
        if self._rules.principles is not None:
            self._rules.answer(self.manager.draw_pairs(RuleAnswers.N_PAIRS))

    def draw_clips(self, *, is_fitted: bool) -> None:
        """Draw clips to ask about. The first of them say how much of each term is usual."""
        trainer = self._trainer
        moments = trainer.moments(self.manager.random)
        self.manager.draw_clips(moments, trainer.variants(), trainer.rare_moments)
        if not is_fitted:
            self._reward.set_term_scales(self.manager.clip_term_sums())
        self._reward.observe_clips(self.manager.clips)

    def query(
        self, clips: int, records: Sequence[Record], counts: Mapping[str, int], *, is_fitted: bool
    ) -> Question | None:
        """The next question with so many clips: one again whose answer contradicts others, or a new one."""
        answered = [r for r in records if isinstance(r, Comparison)] if clips == 2 else []
        contradictory = self._inference.reliability.contradictory
        if (again := self.manager.repeat_query(answered, contradictory)) is not None:
            return again
        if not self.has_queries:
            self.select(records, counts, is_fitted=is_fitted)
        return self.manager.next_query(clips, self._sampled_returns(counts))

    def suggest(self) -> Suggestion | None:
        """The kind of feedback with the largest expected information gain for each second of the person's
        time."""
        return self.manager.suggest(self._inference.sampled_returns, self._reward.rationality)

    def warnings(self, records: Sequence[Record]) -> tuple[str, ...]:
        """Why nothing can be learned from the answers, where no terms are named; () where something can."""
        answers = [r for r in records if isinstance(r, Comparison)]
        if self.manager.task.names_terms or len(answers) < MIN_ANSWERS_TO_WARN:
            return ()
        alike = sum(one.verdict != "ranked" or len(set(one.ranks)) < 2 for one in answers)
        if alike < ALIKE_WARNING_SHARE * len(answers):
            return ()
        return (
            f"In {alike} of {len(answers)} answers the clips were alike to you: nothing that you care about "
            "happens in what the agent has found so far, so no answer can tell it what you want. Drive it "
            "there once or twice; a drive shows what clips can't.",
        )

    def _sampled_returns(self, counts: Mapping[str, int]) -> SampledReturns | None:
        """Returns of clips under posterior samples of the reward; None before the first comparison."""
        return self._inference.sampled_returns if counts.get(COMPARISON.name) else None
