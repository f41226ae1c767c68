"""What scores of unnamed wishes lie between: random, standing still, and the best of what is known.

The best is an exact plan where states are few; else the best of PPO on the true reward from several seeds
(which sees the memory where a wish has one), of driving by looking ahead, and in flats of a beam search. Kept
in the user's cache like all references that are not shipped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.evaluation import oracle, scores
from agents.evaluation import reference_returns as kept
from agents.evaluation.reference_returns import ReferenceReturns
from agents.evaluation.scores import true_reward_of
from agents.teachers.experts import make_expert
from envs import task_catalog
from envs.simulate import random_actions
from envs.simulation import Simulation
from envs.task_options import with_options
from envs.world import Array, Task
from sandbox.progress import ProgressCallback, sub_progress

Float = NDArray[np.float64]

STEPS = {"full": 4_000_000, "rough": 16_384}
SEEDS = {"full": 2, "rough": 1}
LOOKED_AHEAD = 20
"""Starts on which looking ahead is tried; on all where it does better there."""
BEAM = 400


def ensure(world: str, effort: str, tell: ProgressCallback) -> ReferenceReturns:
    """The references of a wish by its id (`module:name`), measured if they are not kept yet."""
    task = scores.test_task(task_catalog.task(world, oracle=effort))
    found = kept.load_cached(task, scores.N_TEST_LAYOUTS)
    if found is None:
        found = measure(task, effort, tell)
        kept.save(task, found)
    return found


def measure(task: Task, effort: str, tell: ProgressCallback) -> ReferenceReturns:
    """Random, standing still and the best known on the scored layouts."""
    if task.world.hooks.best_returns is not None:
        found = scores.measure_references(task, scores.N_TEST_LAYOUTS, STEPS[effort], tell)
        if found.by == "plan":
            return found
    seeds, random = np.arange(scores.N_TEST_LAYOUTS), np.random.default_rng(0)

    def at_random(obs: NDArray[np.float32]) -> Array:
        return random_actions(task, len(obs), random)

    base = np.mean([scores.run_episodes(task, at_random, seeds).returns for _ in range(3)], axis=0)
    still = scores.run_episodes(task, lambda obs: task.idle_actions(len(obs)), seeds).returns
    best = _trained(task, base, still, effort, sub_progress(tell, 0.0, 0.7, ""))
    if effort == "full":
        if task.world.name == "rooms":
            best = _better(best, beam_returns(task, seeds, sub_progress(tell, 0.7, 1.0, "beam search")))
        else:
            best = _looked_ahead(task, best, sub_progress(tell, 0.7, 1.0, "looking ahead"))
    return best


def _trained(task: Task, base: Float, still: Float, effort: str, tell: ProgressCallback) -> ReferenceReturns:
    """The best of PPO from several seeds; the policy is kept if it needs nothing that learners do not see."""
    remembers = bool(task.world.hooks.renderer is None)
    seen = with_options(task, {**task.options, "shown": True}) if remembers else task
    seeds, count = np.arange(len(base)), SEEDS[effort]
    runs = [
        oracle.train_oracle(
            seen,
            true_reward_of(seen),
            lambda act: scores.run_episodes(seen, act, seeds).mean,
            STEPS[effort],
            sub_progress(tell, seed / count, (seed + 1) / count, f"seed {seed}"),
            seed,
        )
        for seed in range(count)
    ]
    best = max(runs, key=lambda run: run.mean_return)
    returns = scores.run_episodes(seen, oracle.act_function(best.policy, best.deterministic), seeds).returns
    policy = None if remembers else best.policy
    return ReferenceReturns(base, still, returns, "policy", policy, best.deterministic, best.steps)


def _better(best: ReferenceReturns, returns: Float) -> ReferenceReturns:
    """What did better; returns without a policy are known as those of a rule."""
    if returns.mean() <= best.oracle.mean():
        return best
    return replace(best, oracle=returns, by="rule", policy=None)


def _looked_ahead(task: Task, best: ReferenceReturns, tell: ProgressCallback) -> ReferenceReturns:
    few = np.arange(LOOKED_AHEAD)
    found = driven_returns(task, few, tell)
    if found.mean() <= best.oracle[: len(few)].mean():
        return best
    rest = driven_returns(task, np.arange(len(few), len(best.oracle)), tell)
    return _better(best, np.concatenate([found, rest]))


def driven_returns(task: Task, seeds: Array, tell: ProgressCallback) -> Float:
    """Returns [N] of the teachers' expert from each seed's start."""
    reward, found = true_reward_of(task), []
    for number, seed in enumerate(seeds):
        tell(number / len(seeds), f"start {number + 1} of {len(seeds)}")
        act: Callable[[Any], Any] = make_expert(task, np.random.default_rng(int(seed)))
        sim, total = Simulation(task, 1, auto_reset=False), 0.0
        sim.reset(np.array([seed]))
        for _ in range(task.horizon):
            before = sim.states.copy()
            step = sim.step(np.array([act(sim)]))
            total += float(reward(before, step.terms, step.last_states)[0])
        found.append(total)
    return np.array(found)


def beam_returns(task: Task, seeds: Array, tell: ProgressCallback, width: int = BEAM) -> Float:
    """Returns [N] of the best action sequences found by keeping the `width` best states at each step.

    For worlds with few actions and no randomness; a lower bound of what is possible.
    """
    found = []
    for number, seed in enumerate(seeds):
        tell(number / len(seeds), f"start {number + 1} of {len(seeds)}")
        sim = Simulation(task, 1, auto_reset=False)
        sim.reset(np.array([seed]))
        found.append(_beam(task, sim.states.copy(), width))
    return np.array(found)


def _beam(task: Task, states: Array, width: int) -> float:
    reward, actions = true_reward_of(task), len(task.world.action_names)
    sim = Simulation(task, width * actions, auto_reset=False)
    every, total = np.ones(sim.rows, np.bool_), np.zeros(1)
    for _ in range(task.horizon):
        rows = len(states) * actions
        before = np.resize(np.repeat(states, actions, 0), (sim.rows, states.shape[1]))
        sim.set_states(every, before, np.zeros(sim.rows, np.uint64))
        step = sim.step(np.resize(np.tile(np.arange(actions), len(states)), sim.rows))
        pay = reward(before[:rows], step.terms[:rows], step.last_states[:rows])
        worth = np.repeat(total, actions) + pay
        order = np.argsort(-worth, kind="stable")
        _, first = np.unique(step.last_states[order], axis=0, return_index=True)
        chosen = order[np.sort(first)[:width]]
        states, total = step.last_states[chosen].copy(), worth[chosen]
    return float(total.max())
