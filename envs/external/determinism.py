"""Whether a world of somebody else's repeats itself: the same seed and actions lead to the same place.

What repeats itself is replayed by running it again. Of what does not, recordings keep the pictures.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from envs.external.external_task import ExternalTask
from envs.external.stepping import started, stepped

TRIED = 15  # steps
HIGHEST = 128  # kept pictures are no higher than this [px]
_Run = list[NDArray[np.float32]]


def is_filmed(task: ExternalTask) -> bool:
    """Whether recordings keep pictures as states, because the world doesn't repeat itself when run again."""
    return task.has_frames and not repeats(task)


def repeats(task: ExternalTask) -> bool:
    """Run twice: in an environment that has had another episode before, and in a fresh one.

    A world may still differ later, or seldom: each replay is checked against what was recorded.
    """
    return _tried(_Hashed(task))


class _Hashed:
    """A task told apart by its id, options and entry in the registry."""

    def __init__(self, task: ExternalTask) -> None:
        spec = gymnasium.registry.get(task.env_id.split(":")[-1])
        self.task, self._key = task, (task.env_id, repr(sorted(task.options.items())), repr(spec))

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Hashed) and self._key == other._key


@cache
def _tried(hashed: _Hashed) -> bool:
    task = hashed.task
    used, fresh = task.make(), task.make()
    _run(task, used, 1)
    first, second = _run(task, used, 2), _run(task, fresh, 2)
    return len(first) == len(second) and all(
        np.array_equal(one, other) for one, other in zip(first, second, strict=True)
    )


def _run(task: ExternalTask, env: gymnasium.Env[Any, Any], seed: int) -> _Run:
    space = task.world.action_space
    space.seed(seed)
    seen = [started(task, env, seed)]
    for clock in range(1, TRIED + 1):
        step = stepped(task, env, space.sample(), clock)
        seen.append(np.append(step.obs, np.float32(step.reward)))
        if step.terminated or step.truncated:
            break
    return seen


def small(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture [H, W, 3] made no higher than HIGHEST, by means over squares of pixels."""
    factor = -(-frame.shape[0] // HIGHEST)
    if factor == 1:
        return frame
    height, width = (size // factor for size in frame.shape[:2])
    squares = frame[: height * factor, : width * factor].reshape(height, factor, width, factor, 3)
    return squares.mean(axis=(1, 3)).astype(np.uint8)
