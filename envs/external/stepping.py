"""Other people's code at arm's length: what it raises, or gives that can't be used, becomes a sentence."""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium
import numpy as np
from numpy.typing import NDArray

from envs.external.external_errors import ExternalWorldError, guarded
from envs.external.external_task import ExternalTask


class Stepped(NamedTuple):
    """What one step gave; obs is flat, float32 [D - 1]."""

    obs: NDArray[np.float32]
    reward: float
    terminated: bool
    truncated: bool


def started(task: ExternalTask, env: gymnasium.Env[Any, Any], seed: int) -> NDArray[np.float32]:
    """The flat observation after a reset with `seed`."""
    when = f"when it was reset with seed {seed}"

    def call() -> Any:
        obs, _ = env.reset(seed=seed)
        return obs

    return _flat(task, guarded(task.id, when, call), when)


def stepped(task: ExternalTask, env: gymnasium.Env[Any, Any], action: Any, clock: int) -> Stepped:
    """One step with an action of ours; `clock` counts it for the sentence."""
    when = f"in step {clock}"

    def call() -> Any:
        obs, reward, terminated, truncated, _ = env.step(task.its_action(action))
        return obs, reward, bool(terminated), bool(truncated)

    obs, reward, terminated, truncated = guarded(task.id, when, call)
    return Stepped(_flat(task, obs, when), _number(task.id, reward, when), terminated, truncated)


def _flat(task: ExternalTask, obs: Any, when: str) -> NDArray[np.float32]:
    flat = guarded(task.id, f"when what it showed {when} was laid flat", lambda: task.flat_obs(obs))
    names = task.world.obs_names
    if len(flat) != len(names) - 1:
        raise ExternalWorldError(
            f"{task.id} showed {len(flat)} numbers {when}, not the {len(names) - 1} of its observation space"
        )
    fine = np.isfinite(flat)
    if not fine.all():
        at = int(fine.argmin())
        raise ExternalWorldError(
            f"{task.id} showed {flat[at]} as {names[at]!r} {when}, from which nothing can be learned: "
            "wrap it so that all it shows is finite"
        )
    return flat


def _number(id: str, reward: Any, when: str) -> float:
    """The reward, if it is a finite number."""
    try:
        number = float(reward)
    except (TypeError, ValueError):
        number = np.nan
    if not np.isfinite(number):
        raise ExternalWorldError(f"{id} paid {reward!r} {when}: a reward must be a finite number")
    return number
