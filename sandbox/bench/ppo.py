"""How fast PPO learns in steps per CPU-second, everything included: ours, SB3's, on our worlds and peers.

Three settings of batch and epochs: SB3's own (64, 10), (512, 4), and ours. Our worlds run 256 rows; the
peers run eight in SB3's DummyVecEnv, the way its users do. "nothing" is a world of the same shapes in
which nothing happens: as fast as that PPO can be.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import gymnasium
import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv

from agents.ppo import BurstPPO, PPOConfig
from agents.vec_env import SimulationVecEnv
from envs import catalog
from envs.simulation import Simulation, Step
from envs.world import Array, Task
from sandbox.bench.progress import Tell
from sandbox.bench.stock import StillSimulation, StillVecEnv, stock_ppo
from sandbox.bench.worlds import PEERS, installed

OURS = PPOConfig()
SETTINGS = {
    "SB3's (64, 10)": replace(OURS, batch=64, epochs=10),
    "(512, 4)": replace(OURS, batch=512, epochs=4),
    "ours": OURS,
}
PEER_ROWS = 8


@dataclass(frozen=True)
class Speed:
    """One learner on one world. world_share: of the CPU time, spent in the world's own steps."""

    world: str
    learner: str
    rows: int
    setting: str
    batch: int
    epochs: int
    steps: int
    steps_per_cpu_second: float
    world_share: float | None


@dataclass(frozen=True)
class Ratio:
    """How two speeds compare, and what is wanted of it. times: None if one was not measured."""

    figure: str
    times: float | None
    wanted: float | None
    holds: bool | None


def measure(world: str | None, *, quick: bool, tell: Tell) -> list[Speed]:
    """Every task of ours (or one) and the peers, at every setting. One process, one torch thread."""
    torch.set_num_threads(1)
    jobs = list(_jobs(world))
    found = []
    for index, (name, rows, setting, learner, make) in enumerate(jobs):
        tell(index / len(jobs), f"{name}, {learner}, {setting}")
        config = replace(SETTINGS[setting], rows=rows)
        if rows == PEER_ROWS:
            config = replace(config, steps=max(config.batch // rows, 64))
        if quick:
            config = replace(config, steps=config.steps // 8)
        seconds = 0.0 if quick else 5.0
        found.append(_speed(name, learner, setting, config, make(), seconds))
    return found


Job = tuple[str, int, str, str, Callable[[], VecEnv]]


def _jobs(world: str | None) -> Iterator[Job]:
    for id in catalog.task_ids() if world is None else (world,):
        task = catalog.task(id)
        for setting in SETTINGS:
            for learner in ("SB3 PPO", "BurstPPO"):
                yield id, OURS.rows, setting, learner, lambda task=task: written(task, OURS.rows)  # type: ignore[misc]
                yield f"nothing, as {id}", OURS.rows, setting, learner, lambda task=task: nothing(task)  # type: ignore[misc]
    for peer in PEERS:
        if installed(peer):
            for setting in SETTINGS:
                yield peer, PEER_ROWS, setting, "SB3 PPO", lambda peer=peer: of_peer(peer)  # type: ignore[misc]


def written(task: Task, rows: int) -> SimulationVecEnv:
    """Our world with its written reward."""
    weights = task.written_weights
    stagger = np.random.default_rng(0)
    sim = TimedSimulation(task, rows)
    return SimulationVecEnv(sim, lambda obs, actions, after, terms: terms @ weights, stagger=stagger)


def nothing(task: Task) -> StillVecEnv:
    """A world of the same shapes that costs nothing."""
    return StillVecEnv(StillSimulation(task, OURS.rows))


def of_peer(id: str) -> VecEnv:
    """Eight of somebody else's; pictures and dictionaries are laid flat as SB3's MLP needs them."""

    def make() -> gymnasium.Env[Any, Any]:
        env: gymnasium.Env[Any, Any] = gymnasium.make(id)
        if id.startswith("MiniGrid"):
            picture = import_module("minigrid.wrappers").ImgObsWrapper(env)
            env = gymnasium.wrappers.FlattenObservation(picture)
        return env

    return DummyVecEnv([make] * PEER_ROWS)


class TimedSimulation(Simulation):
    """A simulation that counts the CPU time of its own steps."""

    spent = 0.0

    def step(self, actions: Array) -> Step:
        began = time.process_time()
        step = super().step(actions)
        self.spent += time.process_time() - began
        return step


def _speed(name: str, learner: str, setting: str, config: PPOConfig, env: VecEnv, seconds: float) -> Speed:
    """Whole rollouts with their updates for at least `seconds` of CPU time, after a first one."""
    burst = BurstPPO.on(env, config) if learner == "BurstPPO" else stock_ppo(env, config)
    rollout = config.steps * env.num_envs
    _learn(burst, rollout)
    world = getattr(env, "simulation", None)
    timed = world if isinstance(world, TimedSimulation) else None
    if timed is not None:
        timed.spent = 0.0
    steps, began = 0, time.process_time()
    while True:
        _learn(burst, rollout)
        steps += rollout
        spent = time.process_time() - began
        if spent >= seconds:
            break
    env.close()
    share = None if timed is None else timed.spent / spent
    return Speed(
        name, learner, env.num_envs, setting, config.batch, config.epochs, steps, steps / spent, share
    )


def _learn(ppo: PPO, rollout: int) -> None:
    if isinstance(ppo, BurstPPO):
        ppo.burst()
    else:
        ppo.learn(rollout, reset_num_timesteps=False)


def ratios(speeds: list[Speed]) -> list[Ratio]:
    """What the speeds are held to."""
    by = {(one.world, one.learner, one.setting): one for one in speeds}

    def times(of: tuple[str, str, str], than: tuple[str, str, str]) -> float | None:
        return (
            by[of].steps_per_cpu_second / by[than].steps_per_cpu_second if {of, than} <= by.keys() else None
        )

    lines = []
    for id in dict.fromkeys(one.world for one in speeds if one.world in catalog.task_ids()):
        name, kind = id.removeprefix("teachbox/"), catalog.task(id).world.name
        ours = (id, "SB3 PPO", "ours")
        for peer, setting, wanted in _AGAINST.get(kind, ()):
            lines.append(
                _ratio(
                    f"{name}, ours / {peer} x8, {setting}", times(ours, (peer, "SB3 PPO", setting)), wanted
                )
            )
        for learner in ("SB3 PPO", "BurstPPO"):
            found = times((id, learner, "ours"), (f"nothing, as {id}", learner, "ours"))
            lines.append(_ratio(f"{name}, {learner} / the same on nothing", found, 0.8))
        lines.append(_ratio(f"{name}, BurstPPO / SB3 PPO", times((id, "BurstPPO", "ours"), ours), 2.0))
        share = by[ours].world_share if ours in by else None
        most = 0.1 if kind == "rooms" else 0.2
        holds = None if share is None else share <= most
        lines.append(Ratio(f"{name}, the world's share of SB3 PPO (at most)", share, most, holds))
    return lines


_AGAINST = {
    "rooms": (("MiniGrid-FourRooms-v0", "SB3's (64, 10)", 25.0), ("MiniGrid-FourRooms-v0", "(512, 4)", 12.0)),
    "lanes": (("highway-fast-v0", "SB3's (64, 10)", 700.0), ("highway-fast-v0", "(512, 4)", 700.0)),
}
"""(peer, its setting, how many times as fast ours is to be)."""


def _ratio(figure: str, times: float | None, wanted: float) -> Ratio:
    return Ratio(figure, times, wanted, None if times is None else times >= wanted)
