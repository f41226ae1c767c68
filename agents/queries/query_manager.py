"""Who asks: keeps a few questions ready, none of them twice but for those that doubt something."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from agents.checkpoint import StateDict
from agents.feedback.records import Comparison, Question, Record, Suggestion
from agents.policies.rollouts import Moment, Variant
from agents.queries.acquisition import SampledReturns
from agents.queries.d_optimal import DOptimalDesign
from agents.queries.feedback_planner import FeedbackCosts, KindRationality, measured_costs, suggestion
from agents.queries.selection import Float, Group, QueryConfig, candidates, choose, question_of, sums
from envs.trajectory import Trajectory
from envs.world import Task

FIRST, LATER = 1 / 2, 1 / 6
"""Shares of the moments looked at that may be notable: at first it is seen what can happen at all."""


def _word(question: Question) -> str:
    """The same for the same clips in any order."""
    shown = (clip.observations.tobytes() + clip.actions.tobytes() for clip in question.clips)
    return hashlib.sha256(b"".join(sorted(hashlib.sha256(one).digest() for one in shown))).hexdigest()[:16]


class QueryManager:
    """Keeps a few questions ready about what the policy does now."""

    def __init__(self, task: Task, config: QueryConfig, random: np.random.Generator) -> None:
        self.task, self.config, self.random = task, config, random
        self.ready: list[Question] = []
        self.asked = self.answered = 0  # beside a window most questions are made anew and never shown
        self.costs = FeedbackCosts(config.second, config.further)
        """What this person's answers cost; see `heard`."""
        self._groups: list[Group] = []
        self._repeated: set[str] = set()
        self._again_at = 0  # how many answers there were at the newest repeat
        self._known: set[str] = set()
        self.coverage = DOptimalDesign(len(task.world.terms)) if task.names_terms else None
        """For the first questions; None where no terms are named."""
        self.decisive = config.decisive
        """Before so many answers questions are by improvement; it needs a belief to be trusted from few."""
        self._noise = config.noise  # share of accidents to expect of the next answer

    def draw_clips(
        self, moments: Sequence[Moment], variants: Sequence[Variant], notable: Sequence[Moment] = ()
    ) -> None:
        """New candidates; questions about the old ones are dropped."""
        share = FIRST if self._by_improvement else LATER
        most = round(share * self.config.moments)
        self._groups = candidates(self.task, moments, variants, self.config, self.random, notable, most)
        self.ready.clear()

    @property
    def _by_improvement(self) -> bool:
        """Whether questions are still selected by expected improvement.

        They are until the answers carry as much information as `decisive` error-free ones. With a share e of
        errors an uncertain answer carries (1 - e)^2 of an error-free one's information.
        """
        share = (1.0 - max(self._noise, self.config.noise)) / (1.0 - self.config.noise)
        return self.answered * share**2 < self.decisive

    @property
    def clips(self) -> list[Trajectory]:
        """The candidate clips."""
        return [clip for group in self._groups for clip in group]

    def sums(self) -> list[Float]:
        """The terms summed over each of them, [M] each."""
        return [sums(clip) for clip in self.clips]

    def select_queries(self, believed: SampledReturns | None) -> None:
        """Choose the questions to keep ready: by what is believed, or uniformly."""
        self.ready = self._choose(2, self.config.ready, believed)

    def next_query(self, clips: int, believed: SampledReturns | None) -> Question | None:
        """The best question of that many clips, each asked once; None while there is none."""
        if clips == 2 and self.config.by == "value" and believed is not None:
            answers = replace(self.costs, demonstration=None, evaluation=None)
            best = suggestion(self._groups, believed, answers, self._noise, 1.0, self.random)
            clips = clips if best is None else best.clips
        found = self._unasked(clips, believed)
        if found is None:
            return None
        self.asked += 1
        self._known.add(_word(found))
        self._groups = [g for g in self._groups if not any(clip is found.clips[0] for clip in g)]
        if clips == 2 and self.coverage is not None:
            self.coverage.asked(found)
        return found

    def _unasked(self, clips: int, believed: SampledReturns | None) -> Question | None:
        """The best of the questions about other clips than were asked about before."""
        if clips != 2:
            made = self._choose(clips, 4, believed)
            return next((question for question in made if _word(question) not in self._known), None)
        while self.ready:
            found, self.ready = self.ready[0], self.ready[1:]
            if _word(found) not in self._known:
                return found
        return None

    def update(
        self, records: Sequence[Record], kinds: frozenset[str], accidents: float | None = None
    ) -> None:
        """Learn from all that was said how much that is, and what this person's answers cost in `kinds`.

        accidents: the share of them to expect of the next answer; None: as is usual.
        """
        self._noise = self.config.noise if accidents is None else accidents
        self.answered = sum(isinstance(record, Comparison) for record in records)
        usual, rate = FeedbackCosts(self.config.second, self.config.further), self.task.world.steps_per_second
        demo = self.task.horizon / rate if "demonstration" in kinds else None
        mark = self.config.press if "evaluation" in kinds else None
        self.costs = measured_costs(replace(usual, demonstration=demo, evaluation=mark), records, rate)

    def suggest(self, believed: SampledReturns | None, trusted: KindRationality) -> Suggestion | None:
        """The kind of feedback that tells most for each second; None where there are no candidates."""
        rate = self.task.world.steps_per_second
        return suggestion(self._groups, believed, self.costs, self._noise, rate, self.random, trusted)

    def _choose(self, clips: int, count: int, believed: SampledReturns | None) -> list[Question]:
        known = believed if self.answered >= self.config.uniform and self.config.by != "uniform" else None
        if known is None and clips == 2 and self.coverage is not None and self.config.by != "uniform":
            picked = self.coverage.pick(self._groups, count)
            return [question_of(pair, spread, self.random) for spread, pair in picked]
        by = self.config.by
        if by == "improvement" and not self._by_improvement:
            by = "information"
        how = replace(self.config, by=by, noise=self._noise)
        return choose(self._groups, known, clips, count, how, self.random)

    def pairs(self, count: int) -> list[Question]:
        """Pairs of today's candidates, drawn uniformly, that stay to be asked about."""
        return choose(self._groups, None, 2, count, self.config, self.random)

    def repeat_query(self, answered: Sequence[Comparison], doubtful: Sequence[str]) -> Question | None:
        """Every so often an answered pair once more with its sides swapped: a doubtful one if there is."""
        every = self.config.again_every
        pairs = {a.id: a for a in answered if a.verdict == "ranked" and len(a.clips) == 2}
        if not every or not pairs or self.asked % every != every - 1:
            return None
        if len(answered) < self._again_at + every - 1:
            return None
        self.asked, self._again_at = self.asked + 1, len(answered)
        open_ones = [id for id in doubtful if id in pairs and id not in self._repeated]
        id = open_ones[0] if open_ones else list(pairs)[int(self.random.integers(len(pairs)))]
        self._repeated.add(id)
        return Question(pairs[id].clips[::-1], same_start=True, about="asked again, sides swapped")

    def state_dict(self) -> StateDict:
        known, random = sorted(self._known), self.random.bit_generator.state
        return StateDict({"asked": self.asked, "again_at": self._again_at, "known": known, "random": random})

    def load_state_dict(self, state: StateDict) -> None:
        facts = state.facts
        self.asked, self._known = facts["asked"], set(facts["known"])
        self._again_at = facts.get("again_at", self.asked)  # an older version kept none
        self.random.bit_generator.state = facts["random"]
