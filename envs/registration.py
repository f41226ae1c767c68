"""Our tasks' names in Gymnasium's registry. Nothing is imported until one of them is made."""

from __future__ import annotations

import gymnasium
from gymnasium.envs.registration import ENV_ID_RE

from envs.extensions import TASKS, installed

IDS = (
    "teachbox/RoomsTidy-v0",
    "teachbox/RoomsReach-v0",
    "teachbox/RoomsLoophole-v0",
    "teachbox/RoomsKeys-v0",
    "teachbox/LanesCruise-v0",
    "teachbox/LanesMerge-v0",
    "teachbox/LanesAmbulance-v0",
    "teachbox/LanesCrossing-v0",
    "teachbox/RoverDeliver-v0",
)
"""The catalogue's names, written out so that registering imports no world (a test compares them)."""


def register_all() -> None:
    """Register every task, ours and other packages'; keywords of `gymnasium.make` (size, difficulty,
    split) go to the task. A name that Gymnasium can't take is left out."""
    for id in (*IDS, *installed(TASKS)):
        if id not in gymnasium.registry and ENV_ID_RE.fullmatch(id):
            gymnasium.register(
                id,
                entry_point="envs.gym_env:TaskEnv",
                vector_entry_point="envs.gym_env:TaskVectorEnv",
                kwargs={"task": id},
            )
