"""How torch and NumPy run: the device that nets are trained on, threads, and torch without its compiler.

`skip_compiler`: no learner uses torch's compiler, which takes 2 to 3 s of CPU to import. torch's
optimisers import it at their first use, only to tell it to leave them alone (a function that was told so
carries the mark `__dynamo_disable`). The mark set beforehand, that import never happens.

`one_thread`: shared among several threads, PPO's update on small matrices was seen to take ten times as long.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any

import torch
from threadpoolctl import ThreadpoolController


def resolve_device(device: str, policy: str = "MlpPolicy") -> torch.device:
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


def skip_compiler() -> None:
    """Before the first optimiser is made. Without effect on a torch that does it in another way."""
    from torch.optim import Optimizer

    for method in vars(Optimizer).values():
        plain = getattr(method, "__wrapped__", None)
        if plain is not None and not hasattr(plain, "__dynamo_disable"):
            setattr(plain, "__dynamo_disable", plain)


@cache
def _thread_controller() -> Any:
    return ThreadpoolController()


def single_thread() -> AbstractContextManager[Any]:
    """Within it, NumPy's linear algebra runs on the calling thread alone."""
    found: AbstractContextManager[Any] = _thread_controller().limit(limits=1, user_api="blas")
    return found
