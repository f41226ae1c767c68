"""How fast a task is learned when the wish itself is the reward: CPU-seconds to 0.9 of the oracle.

PPO with our defaults on the features, one torch thread, scored on unseen layouts by sampled actions.
Scoring is not counted. If a task misses its bar, the task is wrong before the learner is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from agents.evaluation import scores
from agents.evaluation.oracle import ppo_on_reward
from agents.policies.from_torch import policy_arrays
from envs.world import Task
from sandbox.bench.cache import cached_part
from sandbox.bench.learning.task_variants import title, variants
from sandbox.progress import ProgressCallback, sub_progress

ENOUGH = 0.9
BARS = {
    "RoomsReach-v0": 5.0,
    "RoomsTidy-v0": 15.0,
    "RoomsKeys-v0": 120.0,
    "LanesCruise-v0": 30.0,
    "LanesMerge-v0": 60.0,
    "RoverDeliver-v0": 60.0,
}
"""What each task is held to [CPU-seconds]; other tasks have no bar."""
USUAL = 60.0  # where there is no bar, this stands in for it when giving up [CPU-seconds]
PATIENCE = 2.0  # times the bar before it is given up
BETWEEN = 1 / 60  # of the bar between two scores


@dataclass(frozen=True)
class LearnabilityRun:
    """One seed. cpu_seconds and env_steps: until `ENOUGH` was reached, None if it was given up."""

    task: str
    seed: int
    cpu_seconds: float | None
    env_steps: int | None
    best_score: float
    given_up_after: float | None


@dataclass(frozen=True)
class Summary:
    """All seeds of a task. Medians and the slowest are None if that seed never reached it."""

    task: str
    seeds: int
    reached: int
    median_cpu_seconds: float | None
    slowest_cpu_seconds: float | None
    median_env_steps: float | None
    bar: float | None
    within_bar: bool | None


def measure(
    world: str | None, seeds: int, *, quick: bool, folder: Path | None, tell: ProgressCallback
) -> Iterator[LearnabilityRun]:
    """Every task (or one) with every seed. `quick` gives up after a second of learning."""
    torch.set_num_threads(1)
    tasks = variants(world)
    for index, task in enumerate(tasks):
        here = sub_progress(tell, index / len(tasks), (index + 1) / len(tasks), title(task))
        patience = 0.3 if quick else PATIENCE * (BARS.get(title(task)) or USUAL)
        for seed in range(seeds):
            what = {"bench": "learnable", "task": title(task), "seed": seed, "patience": patience}

            def make(
                task: Task = task, seed: int = seed, patience: float = patience, here: ProgressCallback = here
            ) -> Any:
                ppo_on_reward(task, scores.true_reward_of(task)).train_iteration()  # compiles; not counted
                return asdict(learn(task, seed, patience, 20 if quick else scores.N_TEST_LAYOUTS, here))

            yield LearnabilityRun(**cached_part(folder, what, make))


def learn(task: Task, seed: int, patience: float, layouts: int, tell: ProgressCallback) -> LearnabilityRun:
    """PPO on the wish until it scores ENOUGH, or for `patience` CPU-seconds."""
    refs = scores.reference_means(task, layouts)
    began = time.process_time()
    ppo = ppo_on_reward(task, scores.true_reward_of(task), seed)
    spent, scored, best = time.process_time() - began, -np.inf, -np.inf
    while True:
        began = time.process_time()
        ppo.train_iteration()
        spent += time.process_time() - began
        if spent - scored < BETWEEN * patience / PATIENCE and spent < patience:
            continue
        scored = spent
        found = scores.evaluate_policy(task, policy_arrays(ppo.policy), layouts, seed=ppo.num_timesteps)
        best = max(best, refs.checked_score(found.mean))
        tell(min(1.0, spent / patience), f"seed {seed}, {spent:.1f} CPU-s, score {best:.2f}")
        if best >= ENOUGH:
            return LearnabilityRun(title(task), seed, spent, ppo.num_timesteps, best, None)
        if spent >= patience:
            return LearnabilityRun(title(task), seed, None, None, best, spent)


def summarise(runs: list[LearnabilityRun]) -> list[Summary]:
    """A line for each task, with its bar; the slowest seed is what is held against it."""
    lines = []
    for name in dict.fromkeys(run.task for run in runs):
        mine = [run for run in runs if run.task == name]
        cpu = sorted(np.inf if run.cpu_seconds is None else run.cpu_seconds for run in mine)
        steps = sorted(np.inf if run.env_steps is None else run.env_steps for run in mine)
        bar = BARS.get(name)
        lines.append(
            Summary(
                name,
                len(mine),
                sum(run.cpu_seconds is not None for run in mine),
                _finite(float(np.median(cpu))),
                _finite(cpu[-1]),
                _finite(float(np.median(steps))),
                bar,
                None if bar is None else bool(cpu[-1] <= bar),
            )
        )
    return lines


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
