"""A reward learned in some layouts moves house: a policy trained from nothing in others, by it alone.

The teacher speaks of `train` layouts only. The fresh policy practises in `test` layouts and is scored
on the 200 of them that all scores are taken on, beside the policy that was taught.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from agents import learner_catalog
from agents.evaluation import scores
from agents.policies.policy_arrays import PolicyArrays
from agents.rewards.reward_arrays import RewardArrays
from agents.teachers.synthetic import make_teacher
from agents.training.trainer import PolicyTrainer
from agents.training.trainer_config import TrainerConfig
from envs import task_catalog as worlds
from envs.world import Task
from sandbox.progress import ProgressCallback
from sandbox.studies.simulated_teaching import SimulatedTeaching

EPISODES = 4_000
"""What a fresh policy practises."""
ROUNDS, BETWEEN = 12, 20_000  # of answers, and environment steps after each


@dataclass(frozen=True)
class TransferResult:
    """One seed. Scores on unseen layouts: 0 random or still, 1 the oracle."""

    task: str
    learner: str
    model: str
    comparisons: int
    seed: int
    taught_score: float  # of the policy that was taught, in `train` layouts
    fresh_score: float  # of the policy trained from nothing, in `test` layouts
    fresh_done: float
    fresh_steps: int
    fresh_cpu_seconds: float


def measure(
    world: str, learner: str, model: str, comparisons: int, seeds: int, *, quick: bool, tell: ProgressCallback
) -> Iterator[TransferResult]:
    """Teach, move, train, score, for each seed. `quick` practises for a hundredth of the time."""
    task = worlds.task(world)
    episodes = EPISODES // 100 if quick else EPISODES
    for seed in range(seeds):
        tell(seed / seeds, f"seed {seed}: teaching")
        config: dict[str, Any] = {"proxy_steps": 8_000, "steps_per_fit": 8_000} if quick else {}
        teacher = make_teacher("rational", task, seed)
        made = learner_catalog.make(learner, task, seed=seed, settings={"model": model, **config})
        refs = scores.reference_means(task)
        lesson = SimulatedTeaching(task, made, teacher, refs, ROUNDS, 4_000 if quick else BETWEEN, seed)
        lesson.run([{"comparison": comparisons}], lambda share, text: None)
        taught = made.snapshot()
        assert taught.policy is not None
        assert taught.reward is not None
        tell((seed + 0.7) / seeds, f"seed {seed}: a fresh policy")
        began = time.process_time()
        fresh = trained(scores.test_task(task), taught.reward, episodes, seed)
        spent = time.process_time() - began
        found = scores.evaluate_policy(task, fresh)
        yield TransferResult(
            task=world,
            learner=learner,
            model=model,
            comparisons=lesson.answers,
            seed=seed,
            taught_score=refs.score(scores.evaluate_policy(task, taught.policy).mean),
            fresh_score=refs.score(found.mean),
            fresh_done=float(found.done.mean()),
            fresh_steps=episodes * task.horizon,
            fresh_cpu_seconds=spent,
        )


def trained(task: Task, reward: RewardArrays, episodes: int, seed: int) -> PolicyArrays:
    """A policy that knows nothing at first, after so many episodes of trainer on `reward`."""
    trainer = PolicyTrainer(task, seed, TrainerConfig())
    trainer.set_reward(reward)
    while trainer.env_steps < episodes * task.horizon:
        trainer.train_iteration()
    trainer.restarts.select_best(None)
    return trainer.policy
