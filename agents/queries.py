"""Which clips to ask about: candidates from one moment, near what the policy does now.

The first questions cover all that can happen; later ones are those whose answer tells most about the
reward.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from agents.feedback import Comparison, Question, Record
from agents.rollouts import Moment, Variant, is_foreign, roll
from agents.worth import Believed as Believed
from agents.worth import Prices, Suggestion, gain, improvement, measured, orders, suggestion
from envs.trajectory import Trajectory
from envs.world import Task

Float = NDArray[np.float32]


Ways = Literal["uniform", "disagreement", "information", "value", "improvement"]


@dataclass(frozen=True)
class QueryConfig:
    """How questions are made."""

    moments: int = 48  # moments to start from
    each: int = 4  # clips from each moment
    steps: int = 30  # length of a clip; shorter at the horizon
    ready: int = 3  # questions kept ready
    least: int = 6  # a clip shorter than this is not asked about
    uniform: int = 2  # so many first questions are about all terms, whatever is believed
    noise: float = 0.1  # share of answers taken for accidents
    again_every: int = 12  # every so many questions one is asked again with its sides swapped; 0: never
    by: Ways = "improvement"
    """What is best to ask about. Improvement: that whose answer is expected to improve most on what would be
    done today, which makes the most of few answers; it is short-sighted, so later questions are by
    information."""
    decisive: int = 10  # so many first questions are by improvement
    second: float = 4.0  # what a pair costs a person, and
    further: float = 2.0  # each further clip, and
    press: float = 6.0  # watching until there is something to reward, before this person's are known [s]


FIRST, LATER = 1 / 2, 1 / 6
"""Shares of the moments looked at that may be notable: at first it is seen what can happen at all."""
UNDECIDED = 0.01
"""Worth of a nat of information that changes no decision, beside improvement [nats of return]."""

Group = tuple[Trajectory, ...]
"""Clips from one moment."""


def candidates(
    task: Task,
    moments: Sequence[Moment],
    variants: Sequence[Variant],
    config: QueryConfig,
    random: np.random.Generator,
    notable: Sequence[Moment] = (),
    most: int = 0,
) -> list[Group]:
    """For each moment some clips, each by a variant drawn at random (the first variant always acts).

    notable: moments of which up to `most` are taken before any other.
    """
    open_moments = _some(notable, most, config.least, random)
    open_moments += _some(moments, config.moments - len(open_moments), config.least, random)
    rows = [moment for moment in open_moments for _ in range(config.each)]
    drawn = [
        variants[0] if i % config.each == 0 else variants[int(random.integers(len(variants)))]
        for i in range(len(rows))
    ]
    clips = roll(task, rows, drawn, [config.steps] * len(rows), random)
    return [tuple(clips[i : i + config.each]) for i in range(0, len(clips), config.each)]


def _some(moments: Sequence[Moment], most: int, least: int, random: np.random.Generator) -> list[Moment]:
    """Up to `most` moments from which at least `least` steps are left."""
    found = [m for m in moments if m.left >= least]
    if len(found) <= most:
        return found
    return [found[i] for i in random.choice(len(found), most, replace=False)]


def differ(first: Trajectory, second: Trajectory) -> bool:
    """Whether two clips from one moment can be told apart."""
    if len(first) != len(second):
        return True
    return not np.array_equal(first.observations, second.observations)


def information(gaps: Float, noise: float = 0.1) -> NDArray[np.float64]:
    """Information gain about the reward of the answer to each pair [Q], in nats.

    gaps [Q, S]: by how much the first clip's return is higher, under samples of what is believed.
    Mutual information of answer and reward: H(mean p) - mean H(p) (Houlsby et al. 2011, eq. 2; for
    comparisons of trajectories Biyik et al. 2019, eq. 5).
    """
    gap = np.clip(gaps.astype(np.float64), -50.0, 50.0)
    return gain(orders(np.stack([gap, np.zeros_like(gap)], -1), noise))


def disagreement(gaps: Float, noise: float = 0.1) -> NDArray[np.float64]:
    """Deviation over samples of P(first is better), [Q] (Christiano et al. 2017, section 2.2.4)."""
    gap = np.clip(gaps.astype(np.float64), -50.0, 50.0)
    return np.asarray(((1.0 - noise) / (1.0 + np.exp(-gap))).std(1))


def sums(clip: Trajectory) -> Float:
    """A clip's terms summed, [M]."""
    return np.asarray(clip.terms.sum(0), np.float32)


def choose(
    groups: Sequence[Group],
    believed: Believed | None,
    clips: int,
    count: int,
    config: QueryConfig,
    random: np.random.Generator,
) -> list[Question]:
    """Up to `count` questions of `clips` clips, at most one from each moment, the most telling first.

    believed None draws uniformly.
    """
    returns = None if believed is None or not groups else believed([clip for g in groups for clip in g])
    starts = np.cumsum([0, *(len(group) for group in groups)])[:-1]
    found: list[tuple[float, Group]] = []
    at = 0
    for group in groups:
        mine = slice(at, at + len(group))
        at += len(group)
        sets = [
            s
            for s in combinations(range(len(group)), clips)
            if all(differ(group[a], group[b]) for a, b in combinations(s, 2))
        ]
        if not sets:
            continue
        if returns is None:
            telling, picked = float(random.random()), sets[int(random.integers(len(sets)))]
        else:
            gains = [_tells(returns[:, mine][:, s], config, returns, starts) for s in sets]
            telling, picked = max(gains), sets[int(np.argmax(gains))]
        found.append((telling, tuple(group[i] for i in picked)))
    found.sort(key=lambda item: -item[0])
    return [_question(group, telling, random) for telling, group in found[:count]]


def _tells(worth: Float, config: QueryConfig, every: Float, starts: NDArray[np.int64]) -> float:
    """How telling the order of some clips is, for their returns [S, clips] under samples.

    every [S, N]: the returns of all candidates; starts [G]: where each group of them begins.
    """
    if config.by == "disagreement":
        pairs = combinations(range(worth.shape[1]), 2)
        return float(
            disagreement(np.stack([worth[:, a] - worth[:, b] for a, b in pairs]), config.noise).sum()
        )
    answers = orders(worth.astype(np.float64), config.noise)
    if config.by != "improvement":
        return float(gain(answers))
    return improvement(answers, every, starts) + UNDECIDED * float(gain(answers))


class Coverage:
    """Which directions of the terms have been asked about: a Bayesian design for the first questions.

    The next pair is the one whose difference of terms is least certain given the pairs asked so far,
    in the linear-Gaussian picture of it: D-optimal, greedily (Chaloner and Verdinelli 1995, section 2).
    So twenty questions asked at once are not twenty times about the same.
    """

    def __init__(self, terms: int) -> None:
        self._precision = np.eye(terms)
        self._scale = np.ones(terms)

    def pick(self, groups: Sequence[Group], count: int) -> list[tuple[float, Group]]:
        """Up to `count` pairs from different groups, and by how much each was uncertain."""
        pairs = [(i, a, b) for i, g in enumerate(groups) for a, b in combinations(g, 2) if differ(a, b)]
        if not pairs:
            return []
        gaps = np.stack([sums(a) - sums(b) for _, a, b in pairs]).astype(np.float64)
        scale = np.maximum(np.sqrt((gaps**2).mean(0)), 1e-6)
        gaps = self._directions(gaps, scale)
        found: list[tuple[float, Group]] = []
        used, precision = np.zeros(len(pairs), np.bool_), self._precision.copy()
        for _ in range(min(count, len({i for i, _, _ in pairs}))):
            spread = np.einsum("qi,ij,qj->q", gaps, np.linalg.inv(precision), gaps)
            best = int(np.where(used, -1.0, spread).argmax())
            used |= np.array([i == pairs[best][0] for i, _, _ in pairs])
            precision += np.outer(gaps[best], gaps[best])
            found.append((float(spread[best]), pairs[best][1:]))
        self._scale = scale
        return found

    def asked(self, question: Question) -> None:
        """Remember what a pair was about."""
        gap = self._directions(sums(question.clips[0]) - sums(question.clips[1]), self._scale)
        self._precision += np.outer(gap, gap)

    @staticmethod
    def _directions(gaps: Any, scale: Any) -> Any:
        """Differences [..., M] in units of the usual one; an answer tells a sign, not an amount."""
        gaps = gaps / scale
        return gaps / np.sqrt(1.0 + (gaps**2).mean(-1, keepdims=True))


def _question(group: Group, telling: float, random: np.random.Generator) -> Question:
    """In random order, so that the side tells nothing."""
    order = random.permutation(len(group))
    return Question(tuple(group[i] for i in order), same_start=True, about=f"{telling:.3f}")


def _word(question: Question) -> str:
    """The same for the same clips in any order."""
    shown = (clip.observations.tobytes() + clip.actions.tobytes() for clip in question.clips)
    return hashlib.sha256(b"".join(sorted(hashlib.sha256(one).digest() for one in shown))).hexdigest()[:16]


class Asker:
    """Keeps a few questions ready about what the policy does now."""

    def __init__(self, task: Task, config: QueryConfig, random: np.random.Generator) -> None:
        self.task, self.config, self.random = task, config, random
        self.ready: list[Question] = []
        self.asked = 0
        self.prices = Prices(config.second, config.further)
        """What this person's answers cost; see `heard`."""
        self._groups: list[Group] = []
        self._repeated: set[str] = set()
        self._again_at = 0  # how many answers there were at the newest repeat
        self._known: set[str] = set()
        self.coverage = None if is_foreign(task) else Coverage(len(task.world.terms))
        """For the first questions; None where no terms are named."""
        self.decisive = config.decisive
        """How many questions are by improvement; it needs a belief to be trusted from few answers."""

    def draw(
        self, moments: Sequence[Moment], variants: Sequence[Variant], notable: Sequence[Moment] = ()
    ) -> None:
        """New candidates; questions about the old ones are dropped."""
        share = FIRST if self.asked < self.decisive else LATER
        most = round(share * self.config.moments)
        self._groups = candidates(self.task, moments, variants, self.config, self.random, notable, most)
        self.ready.clear()

    def sums(self) -> list[Float]:
        """The terms summed over each candidate clip, [M] each."""
        return [sums(clip) for group in self._groups for clip in group]

    def prepare(self, believed: Believed | None) -> None:
        """Choose the questions to keep ready: by what is believed, or uniformly."""
        self.ready = self._choose(2, self.config.ready, believed)

    def ask(self, clips: int, believed: Believed | None) -> Question | None:
        """The best question of that many clips, each asked once; None while there is none."""
        if clips == 2 and self.config.by == "value" and believed is not None:
            answers = replace(self.prices, demo=None, mark=None)
            best = suggestion(self._groups, believed, answers, self.config.noise, 1.0, self.random)
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

    def _unasked(self, clips: int, believed: Believed | None) -> Question | None:
        """The best of the questions about other clips than were asked about before."""
        if clips != 2:
            made = self._choose(clips, 4, believed)
            return next((question for question in made if _word(question) not in self._known), None)
        while self.ready:
            found, self.ready = self.ready[0], self.ready[1:]
            if _word(found) not in self._known:
                return found
        return None

    def heard(self, records: Sequence[Record], kinds: frozenset[str]) -> None:
        """Learn what this person's answers cost, in `kinds` of feedback, from what was said so far."""
        usual, rate = Prices(self.config.second, self.config.further), self.task.world.steps_per_second
        demo = self.task.horizon / rate if "demonstration" in kinds else None
        mark = self.config.press if "evaluation" in kinds else None
        self.prices = measured(replace(usual, demo=demo, mark=mark), records, rate)

    def suggest(self, believed: Believed | None) -> Suggestion | None:
        """The kind of feedback that tells most for each second; None where there are no candidates."""
        rate = self.task.world.steps_per_second
        return suggestion(self._groups, believed, self.prices, self.config.noise, rate, self.random)

    def _choose(self, clips: int, count: int, believed: Believed | None) -> list[Question]:
        known = believed if self.asked >= self.config.uniform and self.config.by != "uniform" else None
        if known is None and clips == 2 and self.coverage is not None and self.config.by != "uniform":
            picked = self.coverage.pick(self._groups, count)
            return [_question(pair, spread, self.random) for spread, pair in picked]
        by = self.config.by
        if by == "improvement" and self.asked >= self.decisive:
            by = "information"
        return choose(self._groups, known, clips, count, replace(self.config, by=by), self.random)

    def pairs(self, count: int) -> list[Question]:
        """Pairs of today's candidates, drawn uniformly, that stay to be asked about."""
        return choose(self._groups, None, 2, count, self.config, self.random)

    def again(self, answered: Sequence[Comparison], doubtful: Sequence[str]) -> Question | None:
        """Every so often an answered pair once more with its sides swapped: a doubtful one if there is."""
        every = self.config.again_every
        pairs = {a.id: a for a in answered if a.verdict == "ranked" and len(a.clips) == 2}
        if not every or not pairs or self.asked % every != every - 1:
            return None
        if len(answered) < self._again_at + every - 1:  # beside a window most questions are never shown
            return None
        self.asked, self._again_at = self.asked + 1, len(answered)
        open_ones = [id for id in doubtful if id in pairs and id not in self._repeated]
        id = open_ones[0] if open_ones else list(pairs)[int(self.random.integers(len(pairs)))]
        self._repeated.add(id)
        return Question(pairs[id].clips[::-1], same_start=True, about="asked again, sides swapped")

    def facts(self) -> dict[str, Any]:
        return {"asked": self.asked, "known": sorted(self._known), "random": self.random.bit_generator.state}

    def restore(self, facts: dict[str, Any]) -> None:
        self.asked, self._known = facts["asked"], set(facts["known"])
        self.random.bit_generator.state = facts["random"]
