"""How fast PPO learns in steps per CPU-second, everything included: ours, SB3's, on our worlds and peers.

Our worlds run 256 rows at our settings; the peers run eight in SB3's DummyVecEnv, the way its users
do, at SB3's own batch and epochs (64, 10) and at (512, 4). "nothing" is a world of the same shapes in
which nothing happens: as fast as that PPO can be. In each round everything of a kind of world takes turns,
one rollout with its update each, tenths of a second, until all have had their time; and a ratio is the
median of the rounds' own ratios: a busy machine slows both sides alike.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv

from agents.rl.ppo import IncrementalPPO, PPOConfig
from agents.rl.vec_env import SimulationVecEnv
from envs import task_catalog
from envs.simulation import Simulation, Step
from envs.world import Array, Task
from sandbox.bench.cache import cached_part
from sandbox.bench.speed.sb3_baseline import NoOpSimulation, NoOpVecEnv, sb3_ppo
from sandbox.bench.speed.world_speed import installed
from sandbox.progress import ProgressCallback

OURS = PPOConfig()
SETTINGS = {
    "SB3's (64, 10)": replace(OURS, batch_size=64, n_epochs=10),
    "(512, 4)": replace(OURS, batch_size=512, n_epochs=4),
    "ours": OURS,
}
PEER_ROWS = 8
AGAINST = {
    "rooms": (("MiniGrid-FourRooms-v0", "SB3's (64, 10)", 25.0), ("MiniGrid-FourRooms-v0", "(512, 4)", 12.0)),
    "lanes": (("highway-fast-v0", "SB3's (64, 10)", 700.0), ("highway-fast-v0", "(512, 4)", 700.0)),
}
"""By kind of world: (peer, its setting, how many times as fast ours is to be)."""
SHARE = {"rooms": 0.1, "lanes": 0.2, "rover": 0.2}
"""The most that a world's own steps may take of the CPU time."""
STOCK, BURST = "SB3 PPO", "IncrementalPPO"


@dataclass(frozen=True)
class Speed:
    """One learner on one world in one round. world_share: of the CPU time, in the world's own steps."""

    world: str
    learner: str
    rows: int
    setting: str
    batch: int
    epochs: int
    steps: int
    steps_per_cpu_second: float
    world_share: float | None
    round: int = 0

    @property
    def cell(self) -> tuple[str, str, str]:
        return self.world, self.learner, self.setting


@dataclass(frozen=True)
class Ratio:
    """How two speeds compare: the median over rounds, and the least and most. wanted None: no target."""

    figure: str
    times: float | None
    low: float | None
    high: float | None
    wanted: float | None
    within_target: bool | None


def measure(
    world: str | None,
    *,
    rounds: int,
    seconds: float,
    folder: Path | None,
    short: bool,
    tell: ProgressCallback,
) -> list[Speed]:
    """Every task of ours (or one) and the peers of its kind, `rounds` times. One torch thread."""
    torch.set_num_threads(1)
    ids = task_catalog.task_ids() if world is None else (world,)
    kinds: dict[str, list[str]] = {}
    for id in ids:
        kinds.setdefault(task_catalog.task(id).world.name, []).append(id)
    found: list[Speed] = []
    for index, (kind, mine) in enumerate(kinds.items()):
        turns = [_Turn(*cell, short) for cell in _cells(kind, mine)]
        for round in range(rounds):
            tell((index + round / rounds) / len(kinds), f"{kind}, round {round + 1} of {rounds}")
            what = {"bench": "ppo", "cells": [turn.cell for turn in turns], "round": round}
            what |= {"seconds": seconds, "short": short}
            told = cached_part(folder, what, lambda ts=turns, r=round: _in_turns(ts, seconds, r))  # type: ignore[misc]
            found += [Speed(**one) for one in told]
    return found


def _in_turns(turns: Sequence[_Turn], seconds: float, round: int) -> list[dict[str, Any]]:
    """Each learner's rollouts, one by one in turn, until all have had `seconds` of CPU time."""
    for turn in turns:
        turn.begin()
    while True:
        due = [turn for turn in turns if turn.steps == 0 or turn.spent < seconds]
        if not due:
            return [asdict(turn.speed(round)) for turn in turns]
        for turn in due:
            turn.go()


def _cells(kind: str, ids: list[str]) -> list[tuple[str, str, str]]:
    """(world, learner, setting) of all that a kind of world is measured by."""
    names = [name for id in ids for name in (id, f"nothing, as {id}")]
    ours = [(name, learner, "ours") for name in names for learner in (STOCK, BURST)]
    peers = AGAINST.get(kind, ())
    return ours + [(peer, STOCK, setting) for peer, setting, _ in peers if installed(peer)]


class _Turn:
    """A learner that takes its turns; made when the first of them is due."""

    def __init__(self, world: str, learner: str, setting: str, short: bool) -> None:
        self.cell = world, learner, setting
        self.peer = world in gymnasium.registry and world not in task_catalog.task_ids()
        rows = PEER_ROWS if self.peer else OURS.n_envs
        self.config = replace(SETTINGS[setting], n_envs=rows)
        if self.peer:
            self.config = replace(self.config, n_steps=max(self.config.batch_size // rows, 64))
        if short:
            self.config = replace(self.config, n_steps=self.config.n_steps // 8)
        self.ppo: PPO | None = None
        self.simulation: TimedSimulation | None = None
        self.steps, self.spent = 0, 0.0

    def begin(self) -> None:
        """Nothing counted yet."""
        if self.ppo is None:
            self.ppo = self._make()
        self.steps, self.spent = 0, 0.0
        if self.simulation is not None:
            self.simulation.spent = 0.0

    def _make(self) -> PPO:
        name, learner, _ = self.cell
        task = None if self.peer else task_catalog.task(name.removeprefix("nothing, as "))
        if task is None:
            env = of_peer(name)
        else:
            env = proxy_simulation(task, OURS.n_envs) if task.id == name else no_op_simulation(task)
        simulation = env.simulation if isinstance(env, SimulationVecEnv) else None
        self.simulation = simulation if isinstance(simulation, TimedSimulation) else None
        ppo = IncrementalPPO.for_env(env, self.config) if learner == BURST else sb3_ppo(env, self.config)
        if not self.peer:
            _learn(ppo)  # compiles
        return ppo

    def go(self) -> None:
        """One rollout with its update."""
        assert self.ppo is not None
        began = time.process_time()
        self.steps += _learn(self.ppo)
        self.spent += time.process_time() - began

    def speed(self, round: int) -> Speed:
        world, learner, setting = self.cell
        return Speed(
            world=world,
            learner=learner,
            rows=self.config.n_envs,
            setting=setting,
            batch=self.config.batch_size,
            epochs=self.config.n_epochs,
            steps=self.steps,
            steps_per_cpu_second=self.steps / self.spent,
            world_share=self.simulation.spent / self.spent if self.simulation else None,
            round=round,
        )


def _learn(ppo: PPO) -> int:
    """One rollout and its update; its steps."""
    rollout = ppo.n_steps * ppo.n_envs
    if isinstance(ppo, IncrementalPPO):
        ppo.train_iteration()
    else:
        ppo.learn(rollout, reset_num_timesteps=False)
    return rollout


def proxy_simulation(task: Task, rows: int) -> SimulationVecEnv:
    """Our world with its written reward."""
    weights = task.proxy_weights
    stagger = np.random.default_rng(0)
    sim = TimedSimulation(task, rows)
    return SimulationVecEnv(sim, lambda obs, actions, after, terms: terms @ weights, stagger=stagger)


def no_op_simulation(task: Task) -> NoOpVecEnv:
    """A world of the same shapes that costs nothing."""
    return NoOpVecEnv(NoOpSimulation(task, OURS.n_envs))


def of_peer(id: str) -> VecEnv:
    """Eight of somebody else's; pictures and dictionaries are laid flat as SB3's MLP needs them."""

    def make() -> gymnasium.Env[Any, Any]:
        env: gymnasium.Env[Any, Any] = gymnasium.make(id)
        if id.startswith("MiniGrid"):
            from minigrid.wrappers import ImgObsWrapper

            picture = ImgObsWrapper(env)
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


def pooled(speeds: Sequence[Speed]) -> list[Speed]:
    """The rounds of each learner on each world as one line: medians, and all steps together."""
    lines = []
    for mine in _by_cell(speeds).values():
        shares = [one.world_share for one in mine if one.world_share is not None]
        lines.append(
            replace(
                mine[0],
                steps=sum(one.steps for one in mine),
                steps_per_cpu_second=float(np.median([one.steps_per_cpu_second for one in mine])),
                world_share=float(np.median(shares)) if shares else None,
                round=len(mine),
            )
        )
    return lines


def _by_cell(speeds: Sequence[Speed]) -> dict[tuple[str, str, str], list[Speed]]:
    found: dict[tuple[str, str, str], list[Speed]] = {}
    for one in speeds:
        found.setdefault(one.cell, []).append(one)
    return found


def ratios(speeds: Sequence[Speed]) -> list[Ratio]:
    """What the speeds are held to, and what IncrementalPPO adds to it."""
    cells = _by_cell(speeds)

    def times(of: tuple[str, str, str], than: tuple[str, str, str]) -> list[float]:
        if of not in cells or than not in cells:
            return []
        base = {one.round: one.steps_per_cpu_second for one in cells[than]}
        return [one.steps_per_cpu_second / base[one.round] for one in cells[of] if one.round in base]

    lines = []
    for id in dict.fromkeys(one.world for one in speeds if one.world in task_catalog.task_ids()):
        name, kind = id.removeprefix("teachbox/"), task_catalog.task(id).world.name
        stock, burst = (id, STOCK, "ours"), (id, BURST, "ours")
        for peer, setting, wanted in AGAINST.get(kind, ()):
            for mine, least in ((stock, wanted), (burst, None)):
                found = times(mine, (peer, STOCK, setting))
                lines.append(_ratio(f"{name}, {mine[1]} / {STOCK} on {peer} x8, {setting}", found, least))
        lines.append(
            _ratio(
                f"{name}, {STOCK} / the same on nothing", times(stock, (f"nothing, as {id}", *stock[1:])), 0.8
            )
        )
        found = times(burst, (f"nothing, as {id}", *burst[1:]))
        lines.append(_ratio(f"{name}, {BURST} / the same on nothing", found, None))
        lines.append(_ratio(f"{name}, {BURST} / {STOCK}", times(burst, stock), 2.0))
        for cell, most in ((stock, SHARE.get(kind)), (burst, None)):
            shares = [one.world_share for one in cells.get(cell, []) if one.world_share is not None]
            lines.append(
                _ratio(f"{name}, the world's share of {cell[1]} (at most)", shares, most, at_most=True)
            )
    return lines


def _ratio(figure: str, found: list[float], wanted: float | None, *, at_most: bool = False) -> Ratio:
    if not found:
        return Ratio(figure, None, None, None, wanted, None)
    middle = float(np.median(found))
    within = None if wanted is None else (middle <= wanted if at_most else middle >= wanted)
    return Ratio(figure, middle, min(found), max(found), wanted, within)
