"""How people judge clips: by what happens and by where it leads, unsharply, with a band of ties.

A clip is worth its return plus alpha times (what is to come at its end less at its start). With alpha 1 that
is the negative regret of the clip (Knox et al. 2022, "Models of human preference for learning reward
functions"), with 0 its plain return. Answers of real people to pairs of three-step drives (Hatgis-Kessell et
al. 2025, arXiv 2501.06416) are foreseen best between the two, with noise on the square root of the gap and
with ties in a band; `CROWD` has those numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.evaluation import reference_returns, scores
from agents.evaluation.scores import true_reward_of
from agents.teachers.experts import make_expert
from agents.teachers.value_functions import ValueFunction, value_function
from envs.simulate import random_actions
from envs.simulation import Simulation
from envs.trajectory import Trajectory
from envs.world import Act, Task

Float = NDArray[np.float64]

SPAN = 112.0
"""How many of a task's units lie between the better of random and still acting and the best.

In the grid where the people answered, whose reward unit is the unit of their noise, the best policy returns
112.5 more than the random one (mean over the 92 starts, discount 0.999). So a task's unit is its span over
this.
"""
SAMPLED = 8
"""Episodes from which the span is estimated where no references are kept."""


@dataclass(frozen=True)
class Judgement:
    """How clips are judged; the defaults are those of a crowd of people."""

    alpha: float = 0.75  # share of what is to come that counts
    beta: float = 1.0  # sharpness, on the (root of the) gap in units
    root: bool = True  # noise on the signed square root of the gap, else on the gap
    band: float = 0.45  # a noisy (root of the) gap of at most this is a tie
    unit: float | None = None  # of the reward; None: as is usual in the task, see `usual_unit`
    confusion: float = 0.0  # by how much each further term in which two clips differ adds to the noise
    first_error: float = 0.0  # share of answers at random at first ...
    learned_after: float = 10.0  # ... which falls to 1/e of it in so many answers
    tired_error: float = 0.0  # share of answers at random when tired ...
    tired_from: float = 40.0  # ... which grows from this answer on
    tired_after: float = 40.0  # ... to within 1/e of it in so many more

    def error(self, answered: int) -> float:
        """The share of answers at random after so many answers."""
        learning = self.first_error * np.exp(-answered / self.learned_after)
        tired = 1.0 - np.exp(-max(0.0, answered - self.tired_from) / self.tired_after)
        return float(min(1.0, learning + self.tired_error * tired))


CROWD = Judgement()
REGRET = Judgement(alpha=1.0, root=False, band=0.0)
CONFUSED = Judgement(confusion=0.5)
TIRING = Judgement(first_error=0.4, tired_error=0.4)


def felt(gap: Float, root: bool) -> Float:
    """A gap of worth [...] in units as it is felt: its signed square root, or itself."""
    return np.asarray(np.sign(gap) * np.sqrt(np.abs(gap)) if root else gap, np.float64)


def answer_probabilities(gap: Float, how: Judgement) -> Float:
    """P [..., 3] of (first better, the same, second better) for gaps [...]: worth of first less second
    [units].

    An ordered logit: the felt gap and logistic noise of scale 1/beta; a sum within the band is a tie.
    People's answers have a mean log probability of -0.61 to -1.01 under it, and of -1.9 to -4.1 with a band
    on the gap before the noise.
    """
    seen = felt(np.asarray(gap, np.float64), how.root)
    first = _sigmoid(how.beta * (seen - how.band))
    second = _sigmoid(how.beta * (-seen - how.band))
    return np.stack([first, np.maximum(0.0, 1.0 - first - second), second], -1)


def _sigmoid(x: Float) -> Float:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -500.0, 500.0))), np.float64)


class ClipJudge:
    """Somebody who judges clips of one task."""

    def __init__(
        self, task: Task, how: Judgement, random: np.random.Generator, value: ValueFunction | None = None
    ) -> None:
        """value: what is still to come; None: the best that can be had for the task, made at first use."""
        self.task, self.how, self._random = task, how, random
        self._value, self._unit, self.answered = value, how.unit, 0

    @property
    def unit(self) -> float:
        """The worth [reward] whose gap is felt as 1."""
        if self._unit is None:
            self._unit = usual_unit(self.task)
        return self._unit

    def worth(self, clip: Trajectory) -> float:
        """The return of a clip plus alpha times the change of what is to come [reward]."""
        states = clip.states
        total = float(true_reward_of(self.task)(states[:-1], clip.terms, states[1:]).sum())
        if self.how.alpha == 0.0:
            return total
        if self._value is None:
            self._value = value_function(self.task, self._random)
        start, end = self._value(states[[0, -1]], clip.rng[[0, -1]])
        return total + self.how.alpha * float(end - start)

    def ranks(self, clips: Sequence[Trajectory]) -> tuple[int, ...]:
        """The place of each clip, 0 the best, equal numbers for ties.

        More than two are put in order as people do it: each new one goes up past those that look worse.
        """
        worth = [self.worth(clip) / self.unit for clip in clips]
        error = self.how.error(self.answered)
        self.answered += 1
        if self._random.random() < error:
            return tuple(int(place) for place in self._random.permutation(len(clips)))
        groups: list[list[int]] = [[0]]
        for new in range(1, len(clips)):
            at = len(groups)
            while at > 0 and (sign := self._sign(clips, worth, new, groups[at - 1][0])) >= 0:
                at -= 1
                if sign == 0:
                    break
            else:
                groups.insert(at, [new])
                continue
            groups[at].append(new)
        places = {index: place for place, group in enumerate(groups) for index in group}
        better = [sum(len(group) for group in groups[:place]) for place in range(len(groups))]
        return tuple(better[places[i]] for i in range(len(clips)))

    def _sign(self, clips: Sequence[Trajectory], worth: Sequence[float], one: int, other: int) -> int:
        """1 if one looks better than the other, -1 if worse, 0 if the same."""
        beta = self.how.beta
        if self.how.confusion:
            apart = np.abs(clips[one].terms.sum(0) - clips[other].terms.sum(0)) > 1e-6
            beta /= 1.0 + self.how.confusion * max(0, int(apart.sum()) - 1)
        gap = felt(np.array(worth[one] - worth[other]), self.how.root)
        noisy = float(gap) + float(self._random.logistic()) / beta
        return 0 if abs(noisy) <= self.how.band else int(np.sign(noisy))


def usual_unit(task: Task) -> float:
    """The unit of a task [reward]: its span from the better of random and still to the best, over SPAN.

    From the references that are kept for it, else from a few episodes.
    """
    seen = scores.with_feature_obs(scores.test_task(task))
    kept = reference_returns.load_shipped(seen, 1) or reference_returns.load_cached(seen, 1)
    if kept is not None:
        low = max(float(kept.random.mean()), float(kept.still.mean()))
        return max(float(kept.oracle.mean()) - low, 1e-6) / SPAN
    if not task.can_restore:
        return 1.0
    return max(_estimated_span(seen), 1e-6) / SPAN


def _estimated_span(task: Task) -> float:
    """Mean return of the expert less that of the better of random and still acting, over SAMPLED starts."""
    seeds, random = np.arange(SAMPLED), np.random.default_rng(0)

    def at_random(obs: NDArray[np.float32]) -> NDArray[np.float32]:
        return random_actions(task, len(obs), random)

    low = max(_mean(task, at_random, seeds), _mean(task, lambda obs: task.idle_actions(len(obs)), seeds))
    best = []
    for seed in seeds:
        sim = Simulation(task, 1, auto_reset=False)
        sim.reset(np.array([seed]))
        act, total = make_expert(task, random), 0.0
        for _ in range(task.horizon):
            before = sim.states.copy()
            step = sim.step(np.array([act(sim)]))
            total += float(true_reward_of(task)(before, step.terms, step.last_states)[0])
        best.append(total)
    return float(np.mean(best)) - low


def _mean(task: Task, act: Act, seeds: NDArray[np.int64]) -> float:
    return scores.run_episodes(task, act, seeds).mean
