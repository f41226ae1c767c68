"""Does our PPO learn as much from a step as SB3's? Learning curves on the wish, over seeds.

What IncrementalPPO does differently: a NumPy rollout that leaves early ends out, an update by hand in NumPy,
advantages made alike over the whole rollout instead of each batch, and gradients of policy and value
clipped apart. Scores are of sampled actions on unseen layouts.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from stable_baselines3 import PPO

from agents.evaluation import scores
from agents.evaluation.oracle import ppo_on_reward
from agents.policies.from_torch import policy_arrays
from agents.rl.ppo import PPOConfig
from envs import task_catalog
from envs.world import Task
from sandbox.bench.cache import cached_part
from sandbox.bench.speed.sb3_baseline import sb3_ppo
from sandbox.progress import ProgressCallback, sub_progress
from sandbox.studies.statistics import interval

DEFAULTS = PPOConfig()
WAYS: dict[str, tuple[str, PPOConfig]] = {
    "ours (default)": ("ours", DEFAULTS),
    "ours, 4 epochs of batches of 2,048": ("ours", replace(DEFAULTS, batch_size=2048, n_epochs=4)),
    "ours, 1 epoch of batches of 256": ("ours", replace(DEFAULTS, batch_size=256, n_epochs=1)),
    "SB3, our settings": ("SB3", DEFAULTS),
    "SB3, 10 epochs of batches of 64, rate 3e-4": (
        "SB3",
        replace(DEFAULTS, batch_size=64, n_epochs=10, learning_rate=3e-4),
    ),
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


def measure(
    world: str, seeds: int, steps: int, points: int, layouts: int, folder: Path | None, tell: ProgressCallback
) -> Iterator[Point]:
    """Every way's curve, one process, one torch thread. Curves that `folder` has are not made again."""
    torch.set_num_threads(1)
    task = task_catalog.task(world)
    refs = scores.reference_means(task, layouts)
    ppo_on_reward(task, scores.true_reward_of(task)).train_iteration()  # compiles; not counted
    at = [round(steps * (i + 1) / points) for i in range(points)]
    for index, (way, (who, config)) in enumerate(WAYS.items()):
        curves = []
        for seed in range(seeds):
            done = (index + seed / seeds) / len(WAYS)
            here = sub_progress(tell, done, done + 1 / seeds / len(WAYS), f"{way}, seed {seed}")
            what = {"bench": "curves", "world": world, "at": at, "layouts": layouts, "who": who, "seed": seed}

            def make(
                who: str = who, config: PPOConfig = config, seed: int = seed, here: ProgressCallback = here
            ) -> Any:
                return list(_curve(task, who, config, seed, at, layouts, here))

            curves.append(cached_part(folder, {**what, "config": asdict(config)}, make))
        means, cpu = np.moveaxis(np.array(curves), -1, 0)  # [seeds, points]
        for i, steps_done in enumerate(at):
            over = interval(np.array([[refs.score(mean)] for mean in means[:, i]]))
            yield Point(way, steps_done, seeds, over.iqm, over.low, over.high, float(cpu[:, i].mean()))


def _curve(
    task: Task, who: str, config: PPOConfig, seed: int, at: list[int], layouts: int, tell: ProgressCallback
) -> Iterator[tuple[float, float]]:
    """(mean return of the wish, CPU-seconds so far) at each number of steps."""
    ours = ppo_on_reward(task, scores.true_reward_of(task), seed, config)
    assert ours.env is not None
    ppo: PPO = ours if who == "ours" else sb3_ppo(ours.env, config, seed)
    burst: Any = ours.train_iteration if who == "ours" else _stock_burst(ppo)
    spent = 0.0
    for until in at:
        began = time.process_time()
        while ppo.num_timesteps < until:
            burst()
        spent += time.process_time() - began
        mean = float(scores.evaluate_policy(task, policy_arrays(ppo.policy), layouts, seed=until).mean)
        tell(until / at[-1], f"return {mean:.2f} after {until:,} steps")
        yield mean, spent


def _stock_burst(ppo: PPO) -> Any:
    return lambda: ppo.learn(ppo.n_steps * ppo.n_envs, reset_num_timesteps=False)
