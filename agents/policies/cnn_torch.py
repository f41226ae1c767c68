"""SB3's NatureCNN on the picture in a row of numbers, as the features of an SB3 policy."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor, NatureCNN

from agents.policies.cnn import CnnArrays, ImageSlice


class PictureExtractor(BaseFeaturesExtractor):
    """What NatureCNN makes of the picture, beside the rest of the numbers."""

    def __init__(self, space: spaces.Box, fold: ImageSlice, features: int = 128) -> None:
        super().__init__(space, features + space.shape[0] - fold.size)
        self.fold = fold
        picture = spaces.Box(0.0, 1.0, fold.channels_first, np.float32)
        self.nature = NatureCNN(picture, features, normalized_image=True)

    def forward(self, obs: torch.Tensor) -> torch.Tensor:
        fold = self.fold
        x = obs[:, fold.at : fold.at + fold.size].reshape(-1, *fold.shape)
        seen = self.nature(x.permute(0, 3, 1, 2) if fold.channels_last else x)
        return torch.cat([seen, obs[:, : fold.at], obs[:, fold.at + fold.size :]], 1)

    def eyes(self) -> CnnArrays:
        """The same as plain arrays."""

        def plain(tensor: Any) -> Any:
            return tensor.detach().cpu().numpy().copy()

        convolutions = tuple(
            (plain(layer.weight), plain(layer.bias), int(layer.stride[0]))
            for layer in self.nature.cnn
            if isinstance(layer, torch.nn.Conv2d)
        )
        dense: Any = self.nature.linear[0]
        return CnnArrays(self.fold, convolutions, (plain(dense.weight).T.copy(), plain(dense.bias)))
