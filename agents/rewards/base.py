"""The contracts of learned rewards: `Reward`, and `ChoiceReward` for those that are fitted to choices."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agents.checkpoint import StateDict
from agents.feedback.choices import Future, PackedChoices
from agents.losses import choice
from agents.rewards.derived_terms import DerivedTerms
from agents.rewards.reward_arrays import RewardArrays, trajectory_steps
from envs.trajectory import Trajectory

Float = NDArray[np.float32]


class Reward(ABC):
    """A learned reward: what training, the trainer's choice of policies, and the screen ask of it.

    Training pays `arrays()`, or `sure(...)` where some of it is in doubt. What a reward has no use for it
    does not override: each of those methods has a default.
    """

    shrinks_policy: bool = False
    """Whether an agent that has practised to the end is softened before it practises on a new fit."""

    def __init__(self, one_hot: int, seed: int) -> None:
        """one_hot: number of Discrete actions, 0 for Box."""
        self.one_hot, self._seed = one_hot, seed
        self.generator = torch.Generator().manual_seed(seed)
        self.shift, self.scale = 0.0, 1.0

    @abstractmethod
    def arrays(self) -> RewardArrays:
        """As plain arrays for a snapshot."""

    @abstractmethod
    def reset(self) -> None:
        """Back to the prior, as after all feedback was taken back."""

    @abstractmethod
    def randomise(self) -> None:
        """Random, the same each time, in place of what was learned: a control for studies."""

    @abstractmethod
    def state_dict(self) -> StateDict:
        """What a checkpoint keeps of it."""

    @abstractmethod
    def load_state_dict(self, state: StateDict) -> None:
        """Go on from what a checkpoint kept."""

    def normalise(self, obs: Float, actions: Any, next_obs: Float, terms: Float) -> None:
        """Set shift and scale so that the mean reward of these steps is 0 and its deviation 1."""
        raw = self.arrays().member_rewards(obs, actions, next_obs, terms).mean(0)
        self.shift = float(raw.mean())
        self.scale = 1.0 / max(float(raw.std()), 1e-3)

    # What not every reward learns from. By default nothing is learned.

    def set_term_scales(self, clips: list[Float]) -> None:  # noqa: B027
        """Learn how much of each term [M] clips usually sum up to."""

    def observe_rollout(self, obs: Float, actions: Any, next_obs: Float, terms: Float) -> None:  # noqa: B027
        """A rollout of practice, a step a row, of which nobody said what it is worth."""

    def observe_clips(self, clips: Sequence[Trajectory]) -> None:  # noqa: B027
        """Clips among which questions are chosen."""

    # What not every reward learns besides the named terms. By default there are no derived ones, K is 0.

    @property
    def derived_terms(self) -> DerivedTerms:
        """Functions of what is seen that matter to it beside the world's named terms, K of them."""
        return DerivedTerms(one_hot=self.one_hot)

    @property
    def unnamed_log_odds(self) -> float | None:
        """That something matters which no term names, against that nothing does [nats]; None: not looked."""
        return None

    def count_terms(self, steps: Trajectory, step_weights: Float | None = None) -> Float:
        """Each term [M + K] summed over a recording's steps, each step as often as its weight [T] says."""
        terms = steps.terms
        return np.asarray(terms.sum(0) if step_weights is None else step_weights @ terms, np.float32)

    # What not every reward knows. By default it is in no doubt, and says nothing of whole episodes.

    def rationality(self, kind: str) -> tuple[float, float]:
        """How sharply a kind of feedback chooses, beside answers, and the share of it that counts."""
        return 1.0, 1.0

    def risk_adjusted_arrays(self, counts: Float, usual_counts: Float) -> RewardArrays:
        """What practice is paid by, for a policy that does `counts` of each term an episode [M].

        usual_counts [K, M]: the same of what people chose, in K ways, at any scale.
        """
        return self.arrays()

    def risk_adjusted_return(self, counts: Float, usual_counts: Float) -> float | None:
        """What an episode with `counts` of each term is surely worth; None where that is not known."""
        return None

    def is_credibly_better(self, counts: Float, other_counts: Float) -> bool:
        """Whether episodes with `counts` of each term [M] are surely better than with `other_counts` [M]."""
        return True

    def is_idle(self, counts: Float) -> bool:
        """Whether an agent whose episodes have `counts` of each term [M] has come to do nothing."""
        return False

    def max_episodes_per_fit(self, n_records: int) -> int:
        """Episodes of training on a fit to `n_records` pieces of feedback: longer, its errors are
        exploited."""
        return 500


class ChoiceReward(Reward):
    """A reward that is fitted to choices (see `agents.feedback.choices`) and can be asked what they say."""

    fits_random_answers: bool = False
    """Whether it can explain almost anything that it is told, answers by chance as well."""
    estimates_rater_noise: bool = False
    """Whether a fit itself judges how careful each of several raters is; else it is told (`Choice.noise`)."""
    default_error_rate: float = 0.1
    """Share of the answers of somebody who is not known yet that are taken for accidents."""

    @property
    @abstractmethod
    def has_samples(self) -> bool:
        """Whether feedback has been fitted: before that there is only the prior."""

    @abstractmethod
    def fit(self, packed: PackedChoices) -> None:
        """Explain these choices; starts from the last fit."""

    def refine(self, packed: PackedChoices) -> None:
        """Explain the same choices better, if a fit alone is not as good as it gets."""

    def scaled_prior(self) -> tuple[Float, Float, Float] | None:
        """Prior mean and deviation of weights per unit of each term, the units, [M] each; None: no terms."""
        return None

    @abstractmethod
    def returns(self, packed: PackedChoices) -> Float:
        """Each option's mean return over the ensemble, [S + 1]."""

    def sampled_returns(
        self, clips: Sequence[Trajectory], futures: Sequence[Future | None] | None = None
    ) -> Float:
        """Returns [samples, clips] by samples of what is believed, for choosing questions.

        futures: what each clip leads to, where it is to be counted in the share that the rater does; a reward
        that knows of no such share leaves it out.

        By default the members of `arrays()` are the samples: one, where there is no ensemble.
        """
        steps: Float = self.arrays().member_rewards(*trajectory_steps(clips))
        ends = np.cumsum([len(c) for c in clips])
        return np.stack([part.sum(1) for part in np.split(steps, ends[:-1], axis=1)], axis=1)

    def agreement(self, packed: PackedChoices) -> float:
        """Share (by weight) of choices whose chosen option has the highest return."""
        options = np.where(packed.mask, self.returns(packed)[packed.option_index], -np.inf)
        best = options[:, 0] >= options.max(1) - 1e-6
        return float((best * packed.weight).sum() / packed.weight.sum())


def choices_loss(returns: Tensor, rationality: Tensor, packed: PackedChoices, error_rate: float) -> Tensor:
    """-log P of each choice [E, B], for returns of options [E, S + 1] and trust [E, kinds]."""
    sharp = rationality[:, torch.from_numpy(packed.kind)].unsqueeze(-1)
    options = returns[:, torch.from_numpy(packed.option_index)] * sharp
    first = torch.zeros(len(packed), dtype=torch.int64)
    accidents = torch.from_numpy(
        np.where(np.isnan(packed.error_rate), error_rate, packed.error_rate).astype(np.float32)
    )
    return choice(options, first, torch.from_numpy(packed.mask), accidents)
