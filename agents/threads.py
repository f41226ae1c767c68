"""One thread for small matrices: shared among several, PPO's update was seen to take ten times as long."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController


@cache
def _pools() -> Any:
    return ThreadpoolController()


def one_thread() -> AbstractContextManager[Any]:
    """Within it, NumPy's linear algebra runs on the calling thread alone."""
    found: AbstractContextManager[Any] = _pools().limit(limits=1, user_api="blas")
    return found
