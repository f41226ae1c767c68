"""Which clips to ask about: candidates from one moment, near what the policy does now.

The first questions are drawn uniformly; later the ones whose answer tells most about the reward.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from agents.feedback import Comparison, Question
from agents.rollouts import Moment, Variant, roll
from envs.trajectory import Trajectory
from envs.world import Task

Float = NDArray[np.float32]


@dataclass(frozen=True)
class QueryConfig:
    """How questions are made."""

    moments: int = 48  # moments to start from
    each: int = 4  # clips from each moment
    steps: int = 30  # length of a clip; shorter at the horizon
    ready: int = 3  # questions kept ready
    least: int = 6  # a clip shorter than this is not asked about
    uniform: int = 2  # the first questions are drawn uniformly
    noise: float = 0.1  # share of answers taken for accidents
    again_every: int = 12  # every so many questions one is asked again with its sides swapped; 0: never
    by: Literal["information", "disagreement", "uniform", "value"] = "information"  # how they are chosen


Believed = Callable[[Sequence[Trajectory]], Float]
"""clips -> their returns [samples, clips] by samples of what is believed about the reward."""
Group = tuple[Trajectory, ...]
"""Clips from one moment."""


def candidates(
    task: Task,
    moments: Sequence[Moment],
    variants: Sequence[Variant],
    config: QueryConfig,
    random: np.random.Generator,
) -> list[Group]:
    """For each moment some clips, each by a variant drawn at random (the first variant always acts)."""
    open_moments = [m for m in moments if m.left >= config.least]
    if len(open_moments) > config.moments:
        pick = random.choice(len(open_moments), config.moments, replace=False)
        open_moments = [open_moments[i] for i in pick]
    rows = [moment for moment in open_moments for _ in range(config.each)]
    drawn = [
        variants[0] if i % config.each == 0 else variants[int(random.integers(len(variants)))]
        for i in range(len(rows))
    ]
    clips = roll(task, rows, drawn, [config.steps] * len(rows), random)
    return [tuple(clips[i : i + config.each]) for i in range(0, len(clips), config.each)]


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
    p = (1.0 - noise) / (1.0 + np.exp(-gap)) + noise / 2.0
    return _entropy(p.mean(1)) - _entropy(p).mean(1)


def _entropy(p: NDArray[np.float64]) -> NDArray[np.float64]:
    q = np.clip(p, 1e-9, 1 - 1e-9)
    return -(q * np.log(q) + (1 - q) * np.log(1 - q))


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
            gain, picked = float(random.random()), sets[int(random.integers(len(sets)))]
        else:
            worth = returns[:, mine].T
            pairs = np.stack([[worth[a] - worth[b] for a, b in combinations(s, 2)] for s in sets])
            flat = information(pairs.reshape(-1, pairs.shape[-1]), config.noise)
            gains = flat.reshape(len(sets), -1).sum(1)
            gain, picked = float(gains.max()), sets[int(gains.argmax())]
        found.append((gain, tuple(group[i] for i in picked)))
    found.sort(key=lambda item: -item[0])
    return [_question(group, gain, random) for gain, group in found[:count]]


def _question(group: Group, gain: float, random: np.random.Generator) -> Question:
    """In random order, so that the side tells nothing."""
    order = random.permutation(len(group))
    return Question(tuple(group[i] for i in order), same_start=True, about=f"{gain:.3f}")


class Asker:
    """Keeps a few questions ready about what the policy does now."""

    def __init__(self, task: Task, config: QueryConfig, random: np.random.Generator) -> None:
        self.task, self.config, self.random = task, config, random
        self.ready: list[Question] = []
        self.asked = 0
        self._groups: list[Group] = []
        self._repeated: set[str] = set()

    def draw(self, moments: Sequence[Moment], variants: Sequence[Variant]) -> None:
        """New candidates; questions about the old ones are dropped."""
        self._groups = candidates(self.task, moments, variants, self.config, self.random)
        self.ready.clear()

    def sums(self) -> list[Float]:
        """The terms summed over each candidate clip, [M] each."""
        return [sums(clip) for group in self._groups for clip in group]

    def prepare(self, believed: Believed | None) -> None:
        """Choose the questions to keep ready: by what is believed, or uniformly."""
        self.ready = self._choose(2, self.config.ready, believed)

    def ask(self, clips: int, believed: Believed | None) -> Question | None:
        """The best question of that many clips, each asked once; None while there is none."""
        if clips == 2:
            found = self.ready[:1]
            self.ready = self.ready[1:]
        else:
            found = self._choose(clips, 1, believed)
            asked = found[0].clips[0] if found else None
            self._groups = [g for g in self._groups if not any(clip is asked for clip in g)]
        self.asked += len(found)
        return found[0] if found else None

    def _choose(self, clips: int, count: int, believed: Believed | None) -> list[Question]:
        known = believed if self.asked >= self.config.uniform else None
        return choose(self._groups, known, clips, count, self.config, self.random)

    def pairs(self, count: int) -> list[Question]:
        """Pairs of today's candidates, drawn uniformly, that stay to be asked about."""
        return choose(self._groups, None, 2, count, self.config, self.random)

    def again(self, answered: Sequence[Comparison], doubtful: Sequence[str]) -> Question | None:
        """Every so often an answered pair once more with its sides swapped: a doubtful one if there is."""
        every = self.config.again_every
        pairs = {a.id: a for a in answered if a.verdict == "ranked" and len(a.clips) == 2}
        if not every or not pairs or self.asked % every != every - 1:
            return None
        self.asked += 1
        open_ones = [id for id in doubtful if id in pairs and id not in self._repeated]
        id = open_ones[0] if open_ones else list(pairs)[int(self.random.integers(len(pairs)))]
        self._repeated.add(id)
        return Question(pairs[id].clips[::-1], same_start=True, about="asked again, sides swapped")

    def facts(self) -> dict[str, Any]:
        return {"asked": self.asked, "random": self.random.bit_generator.state}

    def restore(self, facts: dict[str, Any]) -> None:
        self.asked = facts["asked"]
        self.random.bit_generator.state = facts["random"]
