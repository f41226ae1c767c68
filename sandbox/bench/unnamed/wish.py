"""What a wish without a name is: a task of ours whose true reward is nothing that its terms count."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from envs.remembering_world import Memory, remembering
from envs.world import Array, Task, TrueReward, WorldHooks

Kind = Literal["place", "distance", "pace", "order", "history"]
Effort = Literal["full", "rough"]


@dataclass(frozen=True)
class Wish:
    """Makes the task of a wish; called by the catalogue as `module:name`.

    base: makes the task in whose world it is wished. reward(task) -> the true reward, which may read the
    memory at the end of the states. planned: whether states are few enough for exact plans.
    """

    name: str
    kind: Kind
    about: str
    base: Callable[..., Task]
    reward: Callable[[Task], TrueReward]
    memory: Callable[[Task], Memory] | None = None
    planned: bool = False

    def __call__(self, split: str = "train", oracle: Effort = "full", shown: bool = False) -> Task:
        """oracle: how hard the best known is looked for, "rough" to try the machinery. shown: whether the
        memory is observed."""
        task = self.base(split=split)
        reward, world = self.reward(task), task.world
        if self.memory is not None:
            world = remembering(world, self.memory(task), shown=shown)
        if self.planned:
            from sandbox.bench.unnamed.state_planner import best_returns, planning_expert

            planner = replace(world.hooks, best_returns=best_returns, planning_expert=planning_expert)
            world = replace(world, hooks=planner)
        elif self.memory is None:
            world = replace(world, hooks=_without_drivers(world.hooks))
        options: Mapping[str, Any] = {"split": split, "oracle": oracle, "shown": shown}
        return replace(
            task,
            title=self.name,
            about=self.about,
            world=world,
            true_reward=reward,
            done=never_done,
            options=options,
            factory=self,
        )


def _without_drivers(hooks: WorldHooks) -> WorldHooks:
    """Without who drives by the wish that the world came with."""
    return replace(hooks, best_returns=None, planning_expert=None, rule_driver=None)


def never_done(states: Array) -> NDArray[np.bool_]:
    """These wishes are kept to or not, and never over."""
    return np.zeros(len(states), np.bool_)


def is_near(value: Array, target: float, width: float) -> NDArray[np.float32]:
    """1 at the target, falling evenly to 0 at `width` from it; any shape."""
    return np.asarray(np.maximum(0.0, 1.0 - np.abs(value - target) / width), np.float32)
