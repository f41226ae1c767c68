"""Where networks are trained: on the processor, or on a GPU through CUDA."""

from __future__ import annotations

import torch


def chosen(device: str, policy: str = "MlpPolicy") -> torch.device:
    """The device called "auto", "cpu", "cuda" or "cuda:N". "auto": CUDA for a "CnnPolicy" where there is one,
    else the processor, on which a small MLP is trained faster. ValueError, a sentence, for what is not here.
    """
    if device == "auto":
        device = "cuda" if policy == "CnnPolicy" and torch.cuda.is_available() else "cpu"
    kind, _, index = device.partition(":")
    if kind not in ("cpu", "cuda") or (index and not index.isdecimal()):
        raise ValueError(f"device {device!r} is not trained on: use 'auto', 'cpu', 'cuda' or 'cuda:0'")
    if kind == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device {device!r} is not here (PyTorch finds no CUDA): use 'auto' or 'cpu'")
    if kind == "cuda" and int(index or 0) >= torch.cuda.device_count():
        raise ValueError(
            f"device {device!r} is not here: there are {torch.cuda.device_count()} from 'cuda:0' on"
        )
    return torch.device(device)
