"""Which clips to ask about: candidates from one moment, near what the policy does now.

The first questions cover all that can happen; later ones are those whose answer tells most about the
reward.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from agents.feedback.records import Question
from agents.policies.rollouts import Moment, PolicyVariant, rollout_clips
from agents.queries.acquisition import (
    SampledReturns,
    expected_value_of_information,
    information_gain,
    ranking_probabilities,
)
from agents.renamed_settings import renamed_settings
from envs.trajectory import Trajectory
from envs.world import Task

Float = NDArray[np.float32]


Acquisition = Literal["uniform", "disagreement", "information", "value", "improvement"]


@renamed_settings(
    moments="n_moments",
    each="clips_per_moment",
    steps="clip_steps",
    short="short_clip_steps",
    ready="n_ready",
    least="min_clip_steps",
    uniform="n_initial_answers",
    noise="error_rate",
    again_every="repeat_every",
    by="acquisition",
    decisive="n_improvement_answers",
    second="pair_seconds",
    further="further_clip_seconds",
    press="evaluation_seconds",
)
@dataclass(frozen=True)
class QueryConfig:
    """How questions are made."""

    n_moments: int = 32  # moments to start from
    clips_per_moment: int = 6  # clips from each moment
    clip_steps: int = 45  # length of a clip; shorter at the horizon
    short_clip_steps: int = 30  # the same for a reward that must find out which of the steps it was for
    n_ready: int = 3  # questions kept ready
    min_clip_steps: int = 6  # a clip shorter than this is not asked about
    n_initial_answers: int = 2  # before so many answers questions are about all terms, whatever is believed
    error_rate: float = 0.1  # share of answers taken for accidents
    repeat_every: int = 12  # every so many questions one is asked again with its sides swapped; 0: never
    acquisition: Acquisition = "improvement"
    """What is best to ask about. Improvement: that which, once it is settled, is expected to improve most on
    what would be done today, which makes the most of few answers; later questions are by information."""
    n_improvement_answers: int = 10  # before so many answers questions are by improvement
    pair_seconds: float = 4.0  # what a pair costs a person, and
    further_clip_seconds: float = 2.0  # each further clip, and
    # watching until there is something to reward, before this person's are known [s]
    evaluation_seconds: float = 6.0


INFORMATION_COEF = 0.01
"""Worth of a nat of information that changes no decision, beside improvement [nats of return]."""
IMPROVEMENT_RATIONALITY = 2.0
"""How many times as rational as a real answer the answer is taken to be when its value is estimated.

One real answer rarely reverses a wrong belief. Valued by what it changes alone, no question would ever be
asked about something that is wrongly believed to be bad; several questions about it may follow this one.
"""

Group = tuple[Trajectory, ...]
"""Clips from one moment."""


def draw_candidates(
    task: Task,
    moments: Sequence[Moment],
    variants: Sequence[PolicyVariant],
    config: QueryConfig,
    random: np.random.Generator,
    rare_moments: Sequence[Moment] = (),
    max_rare: int = 0,
) -> list[Group]:
    """For each moment some clips, each by a variant drawn at random (the first variant always acts).

    rare_moments: moments of which up to `max_rare` are taken before any other.
    """
    open_moments = _sample_moments(rare_moments, max_rare, config.min_clip_steps, random)
    open_moments += _sample_moments(
        moments, config.n_moments - len(open_moments), config.min_clip_steps, random
    )
    rows = [moment for moment in open_moments for _ in range(config.clips_per_moment)]
    drawn = [
        variants[0] if i % config.clips_per_moment == 0 else variants[int(random.integers(len(variants)))]
        for i in range(len(rows))
    ]
    clips = rollout_clips(task, rows, drawn, [config.clip_steps] * len(rows), random)
    return [
        tuple(clips[i : i + config.clips_per_moment]) for i in range(0, len(clips), config.clips_per_moment)
    ]


def _sample_moments(
    moments: Sequence[Moment], maximum: int, min_steps: int, random: np.random.Generator
) -> list[Moment]:
    """Up to `maximum` moments from which at least `min_steps` steps are left."""
    found = [m for m in moments if m.steps_left >= min_steps]
    if len(found) <= maximum:
        return found
    return [found[i] for i in random.choice(len(found), maximum, replace=False)]


def are_different(first: Trajectory, second: Trajectory) -> bool:
    """Whether two clips from one moment can be told apart."""
    if len(first) != len(second):
        return True
    return not np.array_equal(first.observations, second.observations)


def pair_information_gain(gaps: Float, error_rate: float = 0.1) -> NDArray[np.float64]:
    """Information gain about the reward of the answer to each pair [Q], in nats.

    gaps [Q, S]: by how much the first clip's return is higher, under samples of what is believed.
    Mutual information of answer and reward: H(mean p) - mean H(p) (Houlsby et al. 2011, eq. 2; for
    comparisons of trajectories Biyik et al. 2019, eq. 5).
    """
    gap = np.clip(gaps.astype(np.float64), -50.0, 50.0)
    return information_gain(ranking_probabilities(np.stack([gap, np.zeros_like(gap)], -1), error_rate))


def disagreement(gaps: Float, error_rate: float = 0.1) -> NDArray[np.float64]:
    """Deviation over samples of P(first is better), [Q] (Christiano et al. 2017, section 2.2.4)."""
    gap = np.clip(gaps.astype(np.float64), -50.0, 50.0)
    return np.asarray(((1.0 - error_rate) / (1.0 + np.exp(-gap))).std(1))


def term_sums(clip: Trajectory) -> Float:
    """A clip's terms summed, [M]."""
    return np.asarray(clip.terms.sum(0), np.float32)


def choose_questions(
    groups: Sequence[Group],
    sampled_returns: SampledReturns | None,
    n_clips: int,
    count: int,
    config: QueryConfig,
    random: np.random.Generator,
) -> list[Question]:
    """Up to `count` questions of `n_clips` clips, at most one from each moment, the most telling first.

    believed None draws uniformly.
    """
    returns = (
        None
        if sampled_returns is None or not groups
        else sampled_returns([clip for g in groups for clip in g])
    )
    starts = np.cumsum([0, *(len(group) for group in groups)])[:-1]
    weights = (
        stake_weights(groups)
        if returns is not None and config.acquisition == "improvement"
        else np.ones(len(groups))
    )
    found: list[tuple[float, Group]] = []
    for group, start in zip(groups, starts, strict=True):
        sets = [
            s
            for s in combinations(range(len(group)), n_clips)
            if all(are_different(group[a], group[b]) for a, b in combinations(s, 2))
        ]
        if not sets:
            continue
        if returns is None:
            telling, picked = float(random.random()), sets[int(random.integers(len(sets)))]
        else:
            worth = np.moveaxis(returns[:, start + np.array(sets)], 0, 1)
            gains = _acquisition_values(worth, config, returns, starts, weights)
            telling, picked = float(gains.max()), sets[int(gains.argmax())]
        found.append((telling, tuple(group[i] for i in picked)))
    found.sort(key=lambda item: -item[0])
    return [make_question(group, telling, random) for telling, group in found[:count]]


def stake_weights(groups: Sequence[Group]) -> NDArray[np.float64]:
    """Weights [G] of the decisions between each group's clips, of mean 1, by the rarest term at stake.

    What an agent hardly ever does is at stake in few of today's groups, and in every episode once it is done:
    so each term counts alike, however seldom its sum differs within a group.
    """
    stake = np.stack([np.ptp([term_sums(clip) for clip in group], axis=0) > 1e-6 for group in groups])
    found = (stake / np.maximum(stake.mean(0), 1.0 / len(groups))).max(1, initial=1.0)
    return np.asarray(found / found.mean(), np.float64)


def _acquisition_values(
    returns: Float,
    config: QueryConfig,
    candidate_returns: Float,
    starts: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    """How telling the order of each set of clips is [Q], for their returns [Q, S, clips] under samples.

    candidate_returns [S, N]: the returns of all candidates; starts [G]: where each group of them begins;
    weights [G].
    """
    if config.acquisition == "disagreement":
        pairs = combinations(range(returns.shape[-1]), 2)
        return np.sum(
            [disagreement(returns[..., a] - returns[..., b], config.error_rate) for a, b in pairs], axis=0
        )
    answers = ranking_probabilities(returns.astype(np.float64), config.error_rate)
    if config.acquisition != "improvement":
        return information_gain(answers)
    settled = ranking_probabilities(IMPROVEMENT_RATIONALITY * returns.astype(np.float64), 0.0)
    return expected_value_of_information(
        settled, candidate_returns, starts, weights
    ) + INFORMATION_COEF * information_gain(answers)


def make_question(group: Group, value: float, random: np.random.Generator) -> Question:
    """In random order, so that the side tells nothing."""
    order = random.permutation(len(group))
    return Question(tuple(group[i] for i in order), same_start=True, about=f"{value:.3f}")
