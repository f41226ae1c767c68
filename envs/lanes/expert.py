"""A careful driver by rule, who sees only the features: for demonstrations and as a yardstick."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from envs.lanes.driving import CUT_FULL, FASTER, KEEP, LEFT, PAR_SPEED, RIGHT, SLOWER
from envs.lanes.layout import CLOSING, SIGHT
from envs.world import Array, World

TIME_GAP = 1.45  # [s]
STANDSTILL = 1.0  # [m]
GAP_GAIN, SPEED_GAIN = 0.3, 0.8  # of the distance kept [1/s^2], [1/s]
MOST_FORCED = 1.5  # braking of the car behind that a change may cause [m/s^2]
BETWEEN = 3.0  # time between changes of lane [s]
GAIN = 0.5  # a lane is better if it is this much faster [m/s]


class CarefulDriver:
    """Follows at TIME_GAP, overtakes where the next lane is free and faster, and goes back right."""

    def __init__(self, world: World) -> None:
        self._index = {name: i for i, name in enumerate(world.obs_names)}

    def act(self, obs: Array) -> NDArray[np.int64]:
        """Actions [N] for features [N, D]."""

        def see(name: str) -> Array:
            return obs[:, self._index[name]]

        speed = see("speed") * PAR_SPEED
        own, left, right = (self._room(see, side, speed) for side in ("own", "left", "right"))
        rested = see("since_change") * 6.0 > BETWEEN
        held_up = own[1] < PAR_SPEED - GAIN
        faster_left = left[1] > own[1] + GAIN
        go_left = rested & held_up & faster_left & (left[0] > TIME_GAP) & self._gentle(see, "left")
        go_right = rested & (see("right_free") > 0) & (right[0] > TIME_GAP) & self._gentle(see, "right")
        go_right &= (right[1] > PAR_SPEED - GAIN) | (right[0] > 2.5)
        wanted = self._pedals(see, speed)
        now = see("acceleration") * 5.0
        action = np.where(wanted > np.maximum(now, 0.0) + 0.3, FASTER, KEEP)
        action = np.where(wanted < np.minimum(now, 0.0) - 0.3, SLOWER, action)
        action = np.where((action != SLOWER) & go_right, RIGHT, action)
        action = np.where((wanted > -2.0) & go_left, LEFT, action)
        return np.where(see("crashed") > 0, KEEP, action).astype(np.int64)

    def _room(self, see: Callable[[str], Array], side: str, speed: Array) -> tuple[Array, Array]:
        """(time headway [s], speed that can be driven [m/s]) in the lane on one side."""
        nearness = see(f"gap_ahead_{side}")
        gap = SIGHT * (1.0 - nearness)
        lead = speed - CLOSING * see(f"closing_ahead_{side}")
        pace = np.where(nearness > 0, np.minimum(lead, PAR_SPEED), PAR_SPEED)
        return np.where(nearness > 0, gap / np.maximum(speed, 3.0), 9.0), pace

    def _gentle(self, see: Callable[[str], Array], side: str) -> Array:
        return (see(f"can_{side}") > 0) & (see(f"forces_{side}") * CUT_FULL < MOST_FORCED)

    def _pedals(self, see: Callable[[str], Array], speed: Array) -> Array:
        """The acceleration wanted [m/s^2]: towards the speed limit, or a steady gap to the car ahead."""
        nearness = see("gap_ahead_own")
        gap = SIGHT * (1.0 - nearness)
        spare = gap - STANDSTILL - TIME_GAP * speed
        follow = GAP_GAIN * spare - SPEED_GAIN * CLOSING * see("closing_ahead_own")
        cruise = PAR_SPEED - speed
        return np.where(nearness > 0, np.minimum(follow, cruise), cruise)
