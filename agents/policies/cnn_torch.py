"""SB3's NatureCNN on the picture in a row of numbers, as the features of an SB3 policy."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor, NatureCNN

from agents.policies.cnn import CnnArrays, ImageSlice


class ImageExtractor(BaseFeaturesExtractor):
    """What NatureCNN makes of the picture, beside the rest of the numbers."""

    def __init__(self, space: spaces.Box, image: ImageSlice, features: int = 128) -> None:
        super().__init__(space, features + space.shape[0] - image.size)
        self.image_slice = image
        picture = spaces.Box(0.0, 1.0, image.channels_first, np.float32)
        self.nature = NatureCNN(picture, features, normalized_image=True)

    def forward(self, obs: torch.Tensor) -> torch.Tensor:
        image = self.image_slice
        x = obs[:, image.at : image.at + image.size].reshape(-1, *image.shape)
        seen = self.nature(x.permute(0, 3, 1, 2) if image.channels_last else x)
        return torch.cat([seen, obs[:, : image.at], obs[:, image.at + image.size :]], 1)

    def to_arrays(self) -> CnnArrays:
        """The same as plain arrays."""

        def plain(tensor: Any) -> Any:
            return tensor.detach().cpu().numpy().copy()

        convolutions = tuple(
            (plain(layer.weight), plain(layer.bias), int(layer.stride[0]))
            for layer in self.nature.cnn
            if isinstance(layer, torch.nn.Conv2d)
        )
        dense: Any = self.nature.linear[0]
        return CnnArrays(self.image_slice, convolutions, (plain(dense.weight).T.copy(), plain(dense.bias)))
