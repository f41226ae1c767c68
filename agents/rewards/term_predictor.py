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

from agents.checkpoint import Arrays

Float = NDArray[np.float32]
SELDOM = 1e-3
"""A term whose deviation over steps is less is told in its own unit."""


@dataclass(frozen=True)
class TermPredictorConfig:
    """How long and from how much it is learned."""

    units: int = 64
    steps: int = 2_000  # minibatches at first
    again: int = 500  # and whenever there is new feedback
    batch: int = 512
    rate: float = 3e-3
    beside: int = 10  # minibatches beside each rollout of practice, once anything is known
    slow: float = 5e-4  # rate of those
    of_each: int = 512  # steps that are kept of a rollout
    rollouts: int = 64  # of all that ever were, drawn evenly, of which steps are kept
    draws: int = 6  # the same of the clips among which questions are chosen, with all their steps


class _ReservoirSample:
    """Some of all pieces that ever came, each as likely as any other (Vitter 1985, algorithm R)."""

    def __init__(self, most: int) -> None:
        self.most, self.pieces, self._came = most, list[tuple[Float, Float]](), 0

    def add(self, piece: tuple[Float, Float], random: np.random.Generator) -> None:
        self._came += 1
        at = int(random.integers(self._came))
        if len(self.pieces) < self.most:
            self.pieces.append(piece)
        elif at < self.most:
            self.pieces[at] = piece


class TermPredictor:
    """Units that tell terms [M] of inputs [I] (see `snapshot.reward_inputs`), learned from practice."""

    def __init__(self, terms: int, seed: int, config: TermPredictorConfig | None = None) -> None:
        self.config, self.terms = config or TermPredictorConfig(), terms
        self._random = np.random.default_rng([seed, 12])
        # practice alone would forget what it was like to know nothing
        self._rollouts, self._clips = (
            _ReservoirSample(self.config.rollouts),
            _ReservoirSample(self.config.draws),
        )
        self._newest: tuple[Float, Float] | None = None
        self._params: list[Tensor] = []
        """[I, H], [H], [H, M], [M], from standardised inputs to terms in their deviations."""
        self._scales: list[Float] = []
        """Of inputs the mean and the deviation, of terms the deviation."""

    def add_rollout(self, inputs: Float, terms: Float) -> None:
        """A rollout's steps [N, I], [N, M]."""
        some = self._random.permutation(len(inputs))[: self.config.of_each]
        self._newest = inputs[some], terms[some]
        self._rollouts.add(self._newest, self._random)

    def add_clips(self, inputs: Float, terms: Float) -> None:
        """All steps of clips among which questions are chosen [N, I], [N, M]."""
        self._newest = inputs, terms
        self._clips.add(self._newest, self._random)

    @property
    def _kept(self) -> list[tuple[Float, Float]]:
        return [*self._rollouts.pieces, *self._clips.pieces]

    def train(self) -> bool:
        """From all that is kept; whether anything is known."""
        if kept := self._kept:
            inputs, terms = (np.concatenate(part) for part in zip(*kept, strict=True))
            known = bool(self._params)
            self._measure(inputs, terms)
            self._train(inputs, terms, self.config.again if known else self.config.steps, self.config.rate)
        return bool(self._params)

    def train_some(self) -> None:
        """Learn on beside practice: from the newest steps too, as practice leads where little is known."""
        if self._newest is None:
            return
        kept = self._kept
        some = [kept[at] for at in self._random.integers(len(kept), size=3)]
        inputs, terms = (np.concatenate(part) for part in zip(self._newest, *some, strict=True))
        self._train(inputs, terms, self.config.beside, self.config.slow)

    def _measure(self, inputs: Float, terms: Float) -> None:
        """Find the units; those of terms follow what has become known of them."""
        unit = terms.std(0)
        unit[unit < SELDOM] = 1.0
        if not self._params:
            self._scales = [inputs.mean(0), np.maximum(inputs.std(0), 0.02), unit]
            self._params = self._fresh(inputs.shape[1])
            return
        ratio = torch.from_numpy(self._scales[2] / unit)
        first, bias, last, rest = self._params
        self._params, self._scales[2] = [first, bias, last * ratio, rest * ratio], unit

    def _fresh(self, wide: int) -> list[Tensor]:
        units = self.config.units
        make = torch.Generator().manual_seed(int(self._random.integers(2**31)))
        first = torch.randn((wide, units), generator=make) / wide**0.5
        last = torch.randn((units, self.terms), generator=make) * 0.1 / units**0.5
        return [first, torch.zeros(units), last, torch.zeros(self.terms)]

    def _train(self, inputs: Float, terms: Float, steps: int, rate: float) -> None:
        mean, wide, unit = self._scales
        xs, ys = torch.from_numpy((inputs - mean) / wide), torch.from_numpy(terms / unit)
        params = [p.clone().requires_grad_() for p in self._params]
        first, bias, last, rest = params
        adam = torch.optim.Adam(params, lr=rate, fused=True)
        for step in range(steps):
            adam.param_groups[0]["lr"] = rate * (1.0 - step / steps)
            some = torch.from_numpy(self._random.integers(len(xs), size=self.config.batch))
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
    def unit(self) -> Float:
        """Of each term [M], in which it is told."""
        return self._scales[2]

    def predict(self, inputs: Float) -> Float:
        """Terms of steps [N, M], in their deviations."""
        into, bias, last, rest = self.layers
        return np.asarray(np.tanh(inputs @ into + bias) @ last + rest, np.float32)

    def state(self) -> Arrays:
        parts = [p.numpy() for p in self._params] + self._scales
        return {f"reward.told.{i}": part for i, part in enumerate(parts)}

    def restore(self, arrays: Arrays) -> None:
        parts = [arrays[f"reward.told.{i}"].copy() for i in range(7) if f"reward.told.{i}" in arrays]
        self._params, self._scales = [torch.from_numpy(part) for part in parts[:4]], parts[4:]
