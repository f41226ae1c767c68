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
from envs.external.stepping import reset_env, step_env

COMPARED_STEPS = 15  # steps
MAX_FRAME_HEIGHT = 128  # kept pictures are no higher than this [px]
_Run = list[NDArray[np.float32]]


def is_filmed(task: ExternalTask) -> bool:
    """Whether recordings keep pictures as states, because the world doesn't repeat itself when run again."""
    return task.can_render and not is_deterministic(task)


def is_deterministic(task: ExternalTask) -> bool:
    """Run twice: in an environment that has had another episode before, and in a fresh one.

    A world may still differ later, or seldom: each replay is checked against what was recorded.
    """
    return _is_deterministic(_TaskKey(task))


class _TaskKey:
    """A task told apart by its id, options and entry in the registry."""

    def __init__(self, task: ExternalTask) -> None:
        spec = gymnasium.registry.get(task.env_id.split(":")[-1])
        self.task, self._key = task, (task.env_id, repr(sorted(task.options.items())), repr(spec))

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _TaskKey) and self._key == other._key


@cache
def _is_deterministic(hashed: _TaskKey) -> bool:
    task = hashed.task
    used, fresh = task.make_env(), task.make_env()
    _run(task, used, 1)
    first, second = _run(task, used, 2), _run(task, fresh, 2)
    return len(first) == len(second) and all(
        np.array_equal(one, other) for one, other in zip(first, second, strict=True)
    )


def _run(task: ExternalTask, env: gymnasium.Env[Any, Any], seed: int) -> _Run:
    space = task.world.action_space
    space.seed(seed)
    seen = [reset_env(task, env, seed)]
    for clock in range(1, COMPARED_STEPS + 1):
        step = step_env(task, env, space.sample(), clock)
        seen.append(np.append(step.obs, np.float32(step.reward)))
        if step.terminated or step.truncated:
            break
    return seen


def shrink_frame(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture [H, W, 3] made no higher than HIGHEST, by means over squares of pixels."""
    factor = -(-frame.shape[0] // MAX_FRAME_HEIGHT)
    if factor == 1:
        return frame
    height, width = (size // factor for size in frame.shape[:2])
    squares = frame[: height * factor, : width * factor].reshape(height, factor, width, factor, 3)
    return squares.mean(axis=(1, 3)).astype(np.uint8)
