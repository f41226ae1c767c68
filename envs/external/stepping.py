"""Other people's code at arm's length: what it raises, or gives that can't be used, becomes a sentence."""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium
import numpy as np
from numpy.typing import NDArray

from envs.external.external_errors import ExternalWorldError, call_external
from envs.external.external_task import ExternalTask


class ExternalStep(NamedTuple):
    """What one step gave; obs is flat, float32 [D - 1]."""

    obs: NDArray[np.float32]
    reward: float
    terminated: bool
    truncated: bool
    info: dict[str, Any]
    raw_obs: Any


def reset_env(task: ExternalTask, env: gymnasium.Env[Any, Any], seed: int) -> NDArray[np.float32]:
    """The flat observation after a reset with `seed`."""
    return reset_env_raw(task, env, seed)[0]


def reset_env_raw(
    task: ExternalTask, env: gymnasium.Env[Any, Any], seed: int
) -> tuple[NDArray[np.float32], Any]:
    """The same, and what the world itself showed."""
    when = f"when it was reset with seed {seed}"

    def call() -> Any:
        obs, _ = env.reset(seed=seed)
        return obs

    raw = call_external(task.id, when, call)
    return _flat(task, raw, when), raw


def step_env(task: ExternalTask, env: gymnasium.Env[Any, Any], action: Any, clock: int) -> ExternalStep:
    """One step with an action of ours; `clock` counts it for the sentence."""
    when = f"in step {clock}"

    def call() -> Any:
        obs, reward, terminated, truncated, info = env.step(task.env_action(action))
        return obs, reward, bool(terminated), bool(truncated), info

    obs, reward, terminated, truncated, info = call_external(task.id, when, call)
    paid = _finite_reward(task.id, reward, when)
    return ExternalStep(_flat(task, obs, when), paid, terminated, truncated, info, obs)


def _flat(task: ExternalTask, obs: Any, doing: str) -> NDArray[np.float32]:
    flat = call_external(task.id, f"when what it showed {doing} was laid flat", lambda: task.flat_obs(obs))
    names = task.world.obs_names
    if len(flat) != len(names) - 1:
        raise ExternalWorldError(
            f"{task.id} showed {len(flat)} numbers {doing}, not the {len(names) - 1} of its observation space"
        )
    fine = np.isfinite(flat)
    if not fine.all():
        at = int(fine.argmin())
        raise ExternalWorldError(
            f"{task.id} showed {flat[at]} as {names[at]!r} {doing}, from which nothing can be learned: "
            "wrap it so that all it shows is finite"
        )
    return flat


def _finite_reward(id: str, reward: Any, doing: str) -> float:
    """The reward, if it is a finite number."""
    try:
        number = float(reward)
    except (TypeError, ValueError):
        number = np.nan
    if not np.isfinite(number):
        raise ExternalWorldError(f"{id} paid {reward!r} {doing}: a reward must be a finite number")
    return number
