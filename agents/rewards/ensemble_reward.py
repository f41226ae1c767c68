"""A reward of choices that is an ensemble: each member has weights of the terms and a net."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from agents.checkpoint import Arrays, StateDict
from agents.feedback.choices import PackedChoices
from agents.policies.obs_normalisation import ObsNormalisation, normalisation_of
from agents.policies.policy_arrays import Layers, layer_arrays, read_layers
from agents.rewards.base import ChoiceReward, Float
from agents.rewards.reward_arrays import CanonicalView, RewardArrays

LINEAR_UNIT_SCALE = 0.01
"""How small the inputs of a net's straight unit are, so that its tanh bends nothing."""


class EnsembleReward(ChoiceReward):
    """What its kinds of fit share: the members as arrays, their returns, and their checkpoint.

    A fit sets `weights` [E, M] (of the written reward), `_nets` and `kind_rationality` [kinds].
    """

    fits_random_answers = True
    kind_rationality: Float

    def __init__(
        self,
        proxy_weights: Float,
        views: tuple[CanonicalView, ...],
        one_hot: int,
        n_members: int,
        rationality: tuple[float, ...],
        seed: int = 0,
    ) -> None:
        """proxy_weights [M]: the written reward, zeros for none. views: see `canonical_views`. n_members: how
        many, E."""
        super().__init__(one_hot, seed)
        self._proxy_weights, self._views, self._ensemble_size = proxy_weights, views, n_members
        self._proxy_return_scale = 1.0  # a clip's usual written return
        self.kind_rationality = np.array(rationality, np.float32)
        self.shrinks_policy = bool(views)
        self.obs_ranges: Float | None = None
        """See `Task.obs_ranges`: how what is seen varies, where that isn't known beforehand."""
        self.normalisation: ObsNormalisation | None = None
        """Of what is seen in the choices, where its scale isn't known."""
        self.reset()

    def reset(self) -> None:
        self._nets: tuple[Layers, ...] = ()
        self.weights = np.repeat(self._proxy_weights[None], self._ensemble_size, 0)

    @property
    def has_samples(self) -> bool:
        return bool(self._nets)

    def max_episodes_per_fit(self, n_records: int) -> int:
        """More where views are turned: there it judges well what it has not seen."""
        return min(4_000, max(500, 50 * n_records)) if self._views else 500

    def set_term_scales(self, clips: list[Float]) -> None:
        paid = np.array([clip @ self._proxy_weights for clip in clips], np.float32)
        some = paid[np.abs(paid) > 1e-6]
        if len(some):
            self._proxy_return_scale = float(np.sqrt((some**2).mean()))

    def arrays(self) -> RewardArrays:
        turns = self._views[0] if self._views else None
        return RewardArrays(
            self.weights,
            self._nets,
            self.shift,
            self.scale,
            self.one_hot,
            turns,
            normalisation=self.normalisation,
        )

    def _normalised(self, packed: PackedChoices) -> PackedChoices:
        """The choices as the nets see them from now on: by the mean and deviation of all that is shown."""
        self.normalisation = normalisation_of(packed.obs, self.obs_ranges)
        known = self.normalisation
        return (
            packed
            if known is None
            else replace(packed, obs=known(packed.obs), next_obs=known(packed.next_obs))
        )

    def randomise(self) -> None:
        noise = np.random.default_rng([self._seed, 4]).standard_normal((1, self.weights.shape[1]))
        self.weights, self._nets = np.repeat(noise.astype(np.float32), self._ensemble_size, 0), ()

    def returns(self, packed: PackedChoices) -> Float:
        none = np.zeros((len(packed.obs), self.weights.shape[1]), np.float32)
        actions = packed_actions(packed, self.one_hot)
        steps = self.arrays().member_rewards(packed.obs, actions, packed.next_obs, none).mean(0)
        sums = np.asarray(packed.term_sums @ self.weights.mean(0), np.float32)
        np.add.at(sums, packed.step_option, steps * packed.step_weight)
        return sums

    def state_dict(self) -> StateDict:
        facts = {
            "shift": self.shift,
            "scale": self.scale,
            "unit": self._proxy_return_scale,
            "nets": len(self._nets),
        }
        arrays: Arrays = {"reward.weights": self.weights, "reward.trust": self.kind_rationality}
        if self.normalisation is not None:
            arrays["reward.obs_mean"] = self.normalisation.mean
            arrays["reward.obs_deviation"] = self.normalisation.deviation
        arrays["reward.random"] = self.generator.get_state().numpy()
        for member, net in enumerate(self._nets):
            arrays |= layer_arrays(f"reward.net.{member}", net)
        return StateDict(facts, arrays)

    def load_state_dict(self, state: StateDict) -> None:
        facts, arrays = state.facts, state.arrays
        self.shift, self.scale, self._proxy_return_scale = facts["shift"], facts["scale"], facts["unit"]
        self.weights, self.kind_rationality = arrays["reward.weights"], arrays["reward.trust"]
        if "reward.obs_mean" in arrays:
            self.normalisation = ObsNormalisation(arrays["reward.obs_mean"], arrays["reward.obs_deviation"])
        self.generator.set_state(torch.from_numpy(arrays["reward.random"].copy()))
        self._nets = tuple(read_layers(f"reward.net.{e}", arrays) for e in range(facts["nets"]))


def packed_actions(packed: PackedChoices, one_hot: int) -> NDArray[Any]:
    """The actions of all steps: int64 [L] of a Discrete space, float32 [L, C] of a Box."""
    return packed.actions[:, 0].astype(np.int64) if one_hot else packed.actions
