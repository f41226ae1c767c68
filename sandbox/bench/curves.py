"""Does our PPO learn as much from a step as SB3's? Learning curves on the wish, over seeds.

What BurstPPO does differently: a NumPy rollout that leaves early ends out, advantages made alike over
the whole rollout instead of each batch, a fused Adam, gradients of policy and value clipped apart, and
fewer epochs of larger batches. Scores are of sampled actions on unseen layouts.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from stable_baselines3 import PPO

from agents import scores
from agents.networks import policy_arrays
from agents.oracle import on_judge
from agents.ppo import PPOConfig
from envs import catalog
from envs.world import Task
from sandbox.bench.progress import Tell, within
from sandbox.bench.stock import stock_ppo
from sandbox.studies.statistics import interval

DEFAULTS = PPOConfig()
WAYS: dict[str, tuple[str, PPOConfig]] = {
    "ours, 4 epochs (default)": ("ours", DEFAULTS),
    "ours, 2 epochs": ("ours", replace(DEFAULTS, epochs=2)),
    "ours, 1 epoch": ("ours", replace(DEFAULTS, epochs=1)),
    "ours, 10 epochs": ("ours", replace(DEFAULTS, epochs=10)),
    "SB3, our settings": ("SB3", DEFAULTS),
    "SB3, 10 epochs of batches of 64, rate 3e-4": ("SB3", replace(DEFAULTS, batch=64, epochs=10, rate=3e-4)),
}


@dataclass(frozen=True)
class Point:
    """One moment of one way: the score over seeds, and what it had cost a seed (mean)."""

    way: str
    env_steps: int
    seeds: int
    iqm: float
    low: float
    high: float
    cpu_seconds: float


def measure(world: str, seeds: int, steps: int, points: int, layouts: int, tell: Tell) -> Iterator[Point]:
    """Every way's curve, one process, one torch thread."""
    torch.set_num_threads(1)
    task = catalog.task(world)
    refs = scores.references(task, layouts)
    on_judge(task, scores.judge(task)).burst()  # compiles; not counted
    at = [round(steps * (i + 1) / points) for i in range(points)]
    for index, (way, (who, config)) in enumerate(WAYS.items()):
        found, cpu = np.zeros((points, seeds)), np.zeros((points, seeds))
        for seed in range(seeds):
            done = (index + seed / seeds) / len(WAYS)
            here = within(tell, done, done + 1 / seeds / len(WAYS), f"{way}, seed {seed}")
            for i, (mean, spent) in enumerate(_curve(task, who, config, seed, at, layouts)):
                here((i + 1) / points, f"score {refs.score(mean):.2f}")
                found[i, seed], cpu[i, seed] = refs.score(mean), spent
        for i, steps_done in enumerate(at):
            over = interval(found[i][:, None])
            yield Point(way, steps_done, seeds, over.iqm, over.low, over.high, float(cpu[i].mean()))


def _curve(
    task: Task, who: str, config: PPOConfig, seed: int, at: list[int], layouts: int
) -> Iterator[tuple[float, float]]:
    """(mean return of the wish, CPU-seconds so far) at each number of steps."""
    ours = on_judge(task, scores.judge(task), seed, config)
    assert ours.env is not None
    ppo: PPO = ours if who == "ours" else stock_ppo(ours.env, config, seed)
    burst: Any = ours.burst if who == "ours" else _stock_burst(ppo)
    spent = 0.0
    for until in at:
        began = time.process_time()
        while ppo.num_timesteps < until:
            burst()
        spent += time.process_time() - began
        yield scores.evaluate(task, policy_arrays(ppo.policy), layouts, seed=until).mean, spent


def _stock_burst(ppo: PPO) -> Any:
    return lambda: ppo.learn(ppo.n_steps * ppo.n_envs, reset_num_timesteps=False)
