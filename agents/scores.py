"""How good a policy is, measured by the wish on layouts that it never saw. For scoring alone.

Score 0 is the better of the random policy and standing still, 1 the oracle. Policies act by
sampling at temperature 1, as they do on screen (argmax differs by up to 0.2 and can loop).
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

from agents.rollouts import Act, idle_actions, is_foreign, random_actions, simulate
from agents.snapshot import PolicyArrays
from envs import catalog
from envs.world import Array, Task

LAYOUTS = 200
"""How many unseen layouts a score averages over (seeds 0..199 of split "test")."""


def unseen(task: Task) -> Task:
    """The same task on layouts kept for scoring."""
    if task.id not in catalog.task_ids():
        return task
    return catalog.task(task.id, **{**task.options, "split": "test"})


@dataclass(frozen=True)
class References:
    """Mean wish returns over the scored layouts."""

    random: float
    still: float
    oracle: float

    def score(self, mean_return: float) -> float:
        """0 at the better of random and still, 1 at the oracle."""
        zero = max(self.random, self.still)
        return (mean_return - zero) / max(self.oracle - zero, 1e-9)


def acting(policy: PolicyArrays, seed: int = 0) -> Act:
    """The policy as it acts on screen: sampled at temperature 1."""
    random = np.random.default_rng(seed)
    return lambda obs: policy.act(obs, random)


@dataclass(frozen=True)
class Episodes:
    """Whole episodes of N rows: wish (or any reward) summed, terms summed, task done."""

    returns: NDArray[np.float64]  # [N]
    terms: NDArray[np.float64]  # [N, M]
    done: NDArray[np.bool_]  # [N]

    @property
    def mean(self) -> float:
        return float(self.returns.mean())


def episodes(task: Task, act: Act, seeds: Array) -> Episodes:
    """One whole episode from each seed's start."""
    sim = simulate(task, len(seeds), auto_reset=False)
    sim.reset(np.asarray(seeds))
    returns = np.zeros(len(seeds))
    terms = np.zeros((len(seeds), len(task.world.terms)))
    for _ in range(task.horizon):
        before = sim.states.copy()
        step = sim.step(act(sim.obs))
        returns += task.wish(before, step.terms, step.last_states)
        terms += step.terms
    return Episodes(returns, terms, task.done(sim.states))


def evaluate(task: Task, policy: PolicyArrays, layouts: int = LAYOUTS, seed: int = 0) -> Episodes:
    """One sampled episode on each of `layouts` unseen layouts."""
    return episodes(unseen(task), acting(policy, seed), np.arange(layouts))


def curve_values(unseen: Episodes) -> dict[str, float]:
    """The series of the curves that only watch: no learner trains on them."""
    return {"done on unseen layouts": float(unseen.done.mean()), "wish (for watching only)": unseen.mean}


def references(task: Task, layouts: int = LAYOUTS) -> References:
    """The three references for a task, kept on disk after the first time (seconds to a minute)."""
    task = unseen(task)
    key = json.dumps([task.id, dict(task.options), layouts, _sources(task)], sort_keys=True, default=str)
    name = hashlib.sha256(key.encode()).hexdigest()[:24]
    path = Path(user_cache_path("teachbox")) / "references" / f"{name}.json"
    if path.exists():
        return References(**json.loads(path.read_text()))
    found = _measure(task, np.arange(layouts))
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(found)))
    fresh.replace(path)
    return found


def _sources(task: Task) -> str:
    """A digest of the files that make the world (not those that draw it)."""
    module = sys.modules[task.wish.__module__]
    digest = hashlib.sha256()
    for path in sorted(Path(str(module.__file__)).parent.glob("*.py")):
        text = path.read_bytes()
        if b"pygame" not in text:
            digest.update(text)
    return digest.hexdigest()


def _measure(task: Task, seeds: Array) -> References:
    random = np.random.default_rng(0)
    at_random = [episodes(task, lambda obs: random_actions(task, len(obs), random), seeds) for _ in range(3)]
    return References(
        random=float(np.mean([some.mean for some in at_random])),
        still=episodes(task, lambda obs: idle_actions(task, len(obs)), seeds).mean,
        oracle=_oracle(task, seeds),
    )


def _oracle(task: Task, seeds: Array) -> float:
    """The best mean return known: an exact plan in flats, else PPO on the wish at a long budget."""
    if task.world.name == "rooms":
        from envs.rooms.oracle import best_returns

        return float(best_returns(task, seeds).mean())
    from agents.oracle import trained_return

    return trained_return(task, seeds, is_foreign(task), task.wish)
