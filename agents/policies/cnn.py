"""Pictures through SB3's own NatureCNN ("CnnPolicy"), as plain arrays to act.

What learners see is one row of numbers, a picture among them. The eyes fold the picture up again, put it
through the convolutions (Mnih et al. 2015) and leave the rest of the numbers as they are. No torch here;
`picture_net` has the same in torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.world import Task

Float = NDArray[np.float32]
MIN_IMAGE_SIZE = 36
"""Edge of a picture below which nothing is left of it after NatureCNN's strides [px]."""


@dataclass(frozen=True)
class ImageSlice:
    """Where a picture stands in a row of numbers: from `at` on, `shape` as the world shows it."""

    at: int
    shape: tuple[int, int, int]

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    @property
    def channels_last(self) -> bool:
        return self.shape[0] not in (1, 3, 4) or min(self.shape[1:]) < MIN_IMAGE_SIZE

    @property
    def channels_first(self) -> tuple[int, int, int]:
        height, width, channels = self.shape
        return (channels, height, width) if self.channels_last else self.shape


@dataclass(frozen=True)
class CnnArrays:
    """Convolutions (weight [out, in, k, k], bias, stride) and a dense layer (weight [in, out], bias)."""

    image_slice: ImageSlice
    convolutions: tuple[tuple[Float, Float, int], ...]
    dense: tuple[Float, Float]

    def __call__(self, obs: Float) -> Float:
        """Features [N, F + rest] of observations [N, D]."""
        fold, n = self.image_slice, len(obs)
        x = obs[:, fold.at : fold.at + fold.size].reshape(n, *fold.shape)
        x = x.transpose(0, 3, 1, 2) if fold.channels_last else x
        for weight, bias, stride in self.convolutions:
            x = _convolve(x, weight, bias, stride)
        weight, bias = self.dense
        seen = np.maximum(x.reshape(n, -1) @ weight + bias, 0.0)
        rest = obs[:, : fold.at], obs[:, fold.at + fold.size :]
        return np.concatenate([seen, *rest], axis=1)


def _convolve(x: Float, weight: Float, bias: Float, stride: int) -> Float:
    """ReLU of a convolution of x [N, C, H, W] without padding."""
    kernel = weight.shape[2]
    windows: Any = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), (2, 3))
    windows = windows[:, :, ::stride, ::stride]  # [N, C, h, w, k, k]
    out = np.tensordot(windows, weight, axes=((1, 4, 5), (1, 2, 3)))  # [N, h, w, out]
    return np.maximum(out + bias, 0.0).transpose(0, 3, 1, 2)


def image_slice(task: Task) -> ImageSlice:
    """The picture that a world shows. ValueError, a sentence, where there is none or several."""
    found = [ImageSlice(at, (shape[0], shape[1], shape[2])) for at, shape in task.obs_images]
    if len(found) != 1:
        raise ValueError(
            f"'CnnPolicy' looks at one picture, and {task.id} shows {len(found) or 'none'}: use 'MlpPolicy'"
        )
    channels, *edges = found[0].channels_first
    if channels not in (1, 3, 4) or min(edges) < MIN_IMAGE_SIZE:
        shape = "x".join(str(n) for n in found[0].shape)
        raise ValueError(
            f"'CnnPolicy' needs pictures of at least {MIN_IMAGE_SIZE}x{MIN_IMAGE_SIZE} pixels in 1, 3 or 4 "
            f"colours, and those of {task.id} are {shape}: use 'MlpPolicy', or wrap it so that it shows "
            "larger ones"
        )
    return found[0]
