"""What a net on raw observations can learn before any answer: which of a world's named events a step was.

An auxiliary task (Jaderberg et al. 2017, "Reinforcement learning with unsupervised auxiliary tasks"): from
what practice sees, a layer of units learns to tell the world's terms from observations and actions. Then an
answer need not say what an event looks like, only what it is worth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from agents.checkpoint import StateDict
from agents.renamed_settings import renamed_settings

Float = NDArray[np.float32]
MIN_TERM_STD = 1e-3
"""A term whose deviation over steps is less is told in its own unit."""


@renamed_settings(
    units="hidden_units",
    steps="n_initial_updates",
    again="n_refit_updates",
    batch="batch_size",
    rate="learning_rate",
    beside="n_online_updates",
    slow="online_learning_rate",
    of_each="steps_per_rollout",
    rollouts="max_rollouts",
    draws="max_clip_sets",
)
@dataclass(frozen=True)
class TermPredictorConfig:
    """How long and from how much it is learned."""

    hidden_units: int = 64
    n_initial_updates: int = 2_000  # minibatches at first
    n_refit_updates: int = 500  # and whenever there is new feedback
    batch_size: int = 512
    learning_rate: float = 3e-3
    n_online_updates: int = 10  # minibatches beside each rollout of practice, once anything is known
    online_learning_rate: float = 5e-4  # rate of those
    steps_per_rollout: int = 512  # steps that are kept of a rollout
    max_rollouts: int = 64  # of all that ever were, drawn evenly, of which steps are kept
    max_clip_sets: int = 6  # the same of the clips among which questions are chosen, with all their steps


class _ReservoirSample:
    """Some of all pieces that ever came, each as likely as any other (Vitter 1985, algorithm R)."""

    def __init__(self, max_pieces: int) -> None:
        self.max_pieces, self.pieces, self._n_seen = max_pieces, list[tuple[Float, Float]](), 0

    def add(self, piece: tuple[Float, Float], random: np.random.Generator) -> None:
        self._n_seen += 1
        at = int(random.integers(self._n_seen))
        if len(self.pieces) < self.max_pieces:
            self.pieces.append(piece)
        elif at < self.max_pieces:
            self.pieces[at] = piece


class TermPredictor:
    """Units that tell terms [M] of inputs [I] (see `snapshot.reward_inputs`), learned from practice."""

    def __init__(self, n_terms: int, seed: int, config: TermPredictorConfig | None = None) -> None:
        self.config, self.n_terms = config or TermPredictorConfig(), n_terms
        self._random = np.random.default_rng([seed, 12])
        # practice alone would forget what it was like to know nothing
        self._rollouts, self._clips = (
            _ReservoirSample(self.config.max_rollouts),
            _ReservoirSample(self.config.max_clip_sets),
        )
        self._newest: tuple[Float, Float] | None = None
        self._params: list[Tensor] = []
        """[I, H], [H], [H, M], [M], from standardised inputs to terms in their deviations."""
        self._scales: list[Float] = []
        """Of inputs the mean and the deviation, of terms the deviation."""

    def add_rollout(self, inputs: Float, terms: Float) -> None:
        """A rollout's steps [N, I], [N, M]."""
        some = self._random.permutation(len(inputs))[: self.config.steps_per_rollout]
        self._newest = inputs[some], terms[some]
        self._rollouts.add(self._newest, self._random)

    def add_clips(self, inputs: Float, terms: Float) -> None:
        """All steps of clips among which questions are chosen [N, I], [N, M]."""
        self._newest = inputs, terms
        self._clips.add(self._newest, self._random)

    @property
    def _pieces(self) -> list[tuple[Float, Float]]:
        return [*self._rollouts.pieces, *self._clips.pieces]

    def train(self) -> bool:
        """From all that is kept; whether anything is known."""
        if kept := self._pieces:
            inputs, terms = (np.concatenate(part) for part in zip(*kept, strict=True))
            known = bool(self._params)
            self._set_scales(inputs, terms)
            self._minimise(
                inputs,
                terms,
                self.config.n_refit_updates if known else self.config.n_initial_updates,
                self.config.learning_rate,
            )
        return bool(self._params)

    def train_some(self) -> None:
        """Learn on beside practice: from the newest steps too, as practice leads where little is known."""
        if self._newest is None:
            return
        kept = self._pieces
        some = [kept[at] for at in self._random.integers(len(kept), size=3)]
        inputs, terms = (np.concatenate(part) for part in zip(self._newest, *some, strict=True))
        self._minimise(inputs, terms, self.config.n_online_updates, self.config.online_learning_rate)

    def _set_scales(self, inputs: Float, terms: Float) -> None:
        """Find the units; those of terms follow what has become known of them."""
        unit = terms.std(0)
        unit[unit < MIN_TERM_STD] = 1.0
        if not self._params:
            self._scales = [inputs.mean(0), np.maximum(inputs.std(0), 0.02), unit]
            self._params = self._init_params(inputs.shape[1])
            return
        ratio = torch.from_numpy(self._scales[2] / unit)
        first, bias, last, rest = self._params
        self._params, self._scales[2] = [first, bias, last * ratio, rest * ratio], unit

    def _init_params(self, n_inputs: int) -> list[Tensor]:
        units = self.config.hidden_units
        make = torch.Generator().manual_seed(int(self._random.integers(2**31)))
        first = torch.randn((n_inputs, units), generator=make) / n_inputs**0.5
        last = torch.randn((units, self.n_terms), generator=make) * 0.1 / units**0.5
        return [first, torch.zeros(units), last, torch.zeros(self.n_terms)]

    def _minimise(self, inputs: Float, terms: Float, n_updates: int, learning_rate: float) -> None:
        mean, wide, unit = self._scales
        xs, ys = torch.from_numpy((inputs - mean) / wide), torch.from_numpy(terms / unit)
        params = [p.clone().requires_grad_() for p in self._params]
        first, bias, last, rest = params
        adam = torch.optim.Adam(params, lr=learning_rate, fused=True)
        for step in range(n_updates):
            adam.param_groups[0]["lr"] = learning_rate * (1.0 - step / n_updates)
            some = torch.from_numpy(self._random.integers(len(xs), size=self.config.batch_size))
            told = torch.tanh(xs[some] @ first + bias) @ last + rest
            adam.zero_grad(set_to_none=True)
            nn.functional.mse_loss(told, ys[some]).backward()  # type: ignore[no-untyped-call]
            adam.step()
        self._params = [p.detach() for p in params]

    @property
    def layers(self) -> tuple[Float, Float, Float, Float]:
        """tanh(x @ [I, H] + [H]) @ [H, M] + [M] are the terms of plain inputs x, in their deviations."""
        first, bias, last, rest = (p.numpy() for p in self._params)
        mean, wide, _ = self._scales
        into = np.asarray(first / wide[:, None], np.float32)
        return into, np.asarray(bias - mean @ into, np.float32), last, rest

    @property
    def term_std(self) -> Float:
        """Of each term [M], in which it is told."""
        return self._scales[2]

    def predict(self, inputs: Float) -> Float:
        """Terms of steps [N, M], in their deviations."""
        into, bias, last, rest = self.layers
        return np.asarray(np.tanh(inputs @ into + bias) @ last + rest, np.float32)

    def state_dict(self) -> StateDict:
        parts = [p.numpy() for p in self._params] + self._scales
        return StateDict(arrays={f"reward.told.{i}": part for i, part in enumerate(parts)})

    def load_state_dict(self, state: StateDict) -> None:
        arrays = state.arrays
        parts = [arrays[f"reward.told.{i}"].copy() for i in range(7) if f"reward.told.{i}" in arrays]
        self._params, self._scales = [torch.from_numpy(part) for part in parts[:4]], parts[4:]
