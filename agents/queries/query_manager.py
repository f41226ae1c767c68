"""Who asks: keeps a few questions ready, none of them twice but for those that doubt something."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from agents.checkpoint import StateDict
from agents.feedback.records import Comparison, Question, Record, Suggestion
from agents.policies.rollouts import Moment, PolicyVariant
from agents.queries.acquisition import SampledReturns
from agents.queries.clip_difference import select_different_pairs
from agents.queries.d_optimal import DOptimalDesign
from agents.queries.feedback_planner import FeedbackCosts, KindRationality, measure_costs, suggest_feedback
from agents.queries.selection import (
    Float,
    Group,
    QueryConfig,
    choose_questions,
    draw_candidates,
    make_question,
    term_sums,
)
from envs.trajectory import Trajectory
from envs.world import Task

EARLY_RARE_SHARE, LATE_RARE_SHARE = 1 / 2, 1 / 6
"""Shares of the moments looked at that may be notable: at first it is seen what can happen at all."""

N_EXPLORING_ANSWERS = 50
"""Answers before which half of the moments stay rare ones where no terms are named."""


def _question_key(question: Question) -> str:
    """The same for the same clips in any order."""
    shown = (clip.observations.tobytes() + clip.actions.tobytes() for clip in question.clips)
    return hashlib.sha256(b"".join(sorted(hashlib.sha256(one).digest() for one in shown))).hexdigest()[:16]


class QueryManager:
    """Keeps a few questions ready about what the policy does now."""

    def __init__(self, task: Task, config: QueryConfig, random: np.random.Generator) -> None:
        self.task, self.config, self.random = task, config, random
        self.ready: list[Question] = []
        self.n_asked = self.n_answered = 0  # beside a window most questions are made anew and never shown
        self.costs = FeedbackCosts(config.pair_seconds, config.further_clip_seconds)
        """What this person's answers cost; see `heard`."""
        self._groups: list[Group] = []
        self._repeated_ids: set[str] = set()
        self._answers_at_repeat = 0  # how many answers there were at the newest repeat
        self._asked_keys: set[str] = set()
        self.d_optimal = DOptimalDesign(len(task.world.terms)) if task.names_terms else None
        """For the first questions; None where no terms are named."""
        self.n_improvement_answers = config.n_improvement_answers
        """Before so many answers questions are by improvement; it needs a belief to be trusted from few."""
        self._error_rate = config.error_rate  # share of accidents to expect of the next answer

    def draw_clips(
        self,
        moments: Sequence[Moment],
        variants: Sequence[PolicyVariant],
        rare_moments: Sequence[Moment] = (),
    ) -> None:
        """New candidates; questions about the old ones are dropped."""
        early = self._by_improvement or (not self.task.names_terms and self.n_answered < N_EXPLORING_ANSWERS)
        share = EARLY_RARE_SHARE if early else LATE_RARE_SHARE
        most = round(share * self.config.n_moments)
        self._groups = draw_candidates(
            self.task, moments, variants, self.config, self.random, rare_moments, most
        )
        self.ready.clear()

    @property
    def _by_improvement(self) -> bool:
        """Whether questions are still selected by expected improvement.

        They are until the answers carry as much information as `n_improvement_answers` error-free ones. With
        a share e of errors an uncertain answer carries (1 - e)^2 of an error-free one's information.
        """
        share = (1.0 - max(self._error_rate, self.config.error_rate)) / (1.0 - self.config.error_rate)
        return self.n_answered * share**2 < self.n_improvement_answers

    @property
    def clips(self) -> list[Trajectory]:
        """The candidate clips."""
        return [clip for group in self._groups for clip in group]

    def clip_term_sums(self) -> list[Float]:
        """The terms summed over each of them, [M] each."""
        return [term_sums(clip) for clip in self.clips]

    def select_queries(self, sampled_returns: SampledReturns | None) -> None:
        """Choose the questions to keep ready: by what is believed, or uniformly."""
        self.ready = self._select(2, self.config.n_ready, sampled_returns)

    def next_query(self, n_clips: int, sampled_returns: SampledReturns | None) -> Question | None:
        """The best question of that many clips, each asked once; None while there is none."""
        if n_clips == 2 and self.config.acquisition == "value" and sampled_returns is not None:
            answers = replace(self.costs, demonstration=None, evaluation=None)
            best = suggest_feedback(
                self._groups, sampled_returns, answers, self._error_rate, 1.0, self.random
            )
            n_clips = n_clips if best is None else best.clips
        found = self._next_unasked(n_clips, sampled_returns)
        if found is None:
            return None
        self.n_asked += 1
        self._asked_keys.add(_question_key(found))
        self._groups = [g for g in self._groups if not any(clip is found.clips[0] for clip in g)]
        if n_clips == 2 and self.d_optimal is not None:
            self.d_optimal.add_question(found)
        return found

    def _next_unasked(self, n_clips: int, sampled_returns: SampledReturns | None) -> Question | None:
        """The best of the questions about other clips than were asked about before."""
        if n_clips != 2:
            made = self._select(n_clips, 4, sampled_returns)
            return next(
                (question for question in made if _question_key(question) not in self._asked_keys), None
            )
        while self.ready:
            found, self.ready = self.ready[0], self.ready[1:]
            if _question_key(found) not in self._asked_keys:
                return found
        return None

    def update(
        self, records: Sequence[Record], kinds: frozenset[str], error_rate: float | None = None
    ) -> None:
        """Learn from all that was said how much that is, and what this person's answers cost in `kinds`.

        error_rate: the share of them to expect of the next answer; None: as is usual.
        """
        self._error_rate = self.config.error_rate if error_rate is None else error_rate
        self.n_answered = sum(isinstance(record, Comparison) for record in records)
        usual, rate = (
            FeedbackCosts(self.config.pair_seconds, self.config.further_clip_seconds),
            self.task.world.steps_per_second,
        )
        demo = self.task.horizon / rate if "demonstration" in kinds else None
        mark = self.config.evaluation_seconds if "evaluation" in kinds else None
        self.costs = measure_costs(replace(usual, demonstration=demo, evaluation=mark), records, rate)

    def suggest(
        self, sampled_returns: SampledReturns | None, rationality: KindRationality
    ) -> Suggestion | None:
        """The kind of feedback that tells most for each second; None where there are no candidates."""
        rate = self.task.world.steps_per_second
        return suggest_feedback(
            self._groups, sampled_returns, self.costs, self._error_rate, rate, self.random, rationality
        )

    def _select(self, n_clips: int, count: int, sampled_returns: SampledReturns | None) -> list[Question]:
        known = (
            sampled_returns
            if self.n_answered >= self.config.n_initial_answers and self.config.acquisition != "uniform"
            else None
        )
        if (
            known is None
            and n_clips == 2
            and self.d_optimal is not None
            and self.config.acquisition != "uniform"
        ):
            picked = self.d_optimal.select_pairs(self._groups, count)
            return [make_question(pair, spread, self.random) for spread, pair in picked]
        by = self.config.acquisition
        if known is None and n_clips == 2 and not self.task.names_terms and by != "uniform":
            picked = select_different_pairs(self._groups, count, self.random)
            return [make_question(pair, apart, self.random) for apart, pair in picked]
        if by == "improvement" and not self._by_improvement:
            by = "information"
        how = replace(self.config, acquisition=by, error_rate=self._error_rate)
        return choose_questions(self._groups, known, n_clips, count, how, self.random)

    def draw_pairs(self, count: int) -> list[Question]:
        """Pairs of today's candidates, drawn uniformly, that stay to be asked about."""
        return choose_questions(self._groups, None, 2, count, self.config, self.random)

    def repeat_query(self, answered: Sequence[Comparison], contradictory: Sequence[str]) -> Question | None:
        """Every so often an answered pair once more with its sides swapped: a doubtful one if there is."""
        every = self.config.repeat_every
        pairs = {a.id: a for a in answered if a.verdict == "ranked" and len(a.clips) == 2}
        if not every or not pairs or self.n_asked % every != every - 1:
            return None
        if len(answered) < self._answers_at_repeat + every - 1:
            return None
        self.n_asked, self._answers_at_repeat = self.n_asked + 1, len(answered)
        open_ones = [id for id in contradictory if id in pairs and id not in self._repeated_ids]
        id = open_ones[0] if open_ones else list(pairs)[int(self.random.integers(len(pairs)))]
        self._repeated_ids.add(id)
        return Question(pairs[id].clips[::-1], same_start=True, about="asked again, sides swapped")

    def state_dict(self) -> StateDict:
        known, random = sorted(self._asked_keys), self.random.bit_generator.state
        return StateDict(
            {"asked": self.n_asked, "again_at": self._answers_at_repeat, "known": known, "random": random}
        )

    def load_state_dict(self, state: StateDict) -> None:
        facts = state.facts
        self.n_asked, self._asked_keys = facts["asked"], set(facts["known"])
        self._answers_at_repeat = facts.get("again_at", self.n_asked)  # an older version kept none
        self.random.bit_generator.state = facts["random"]
