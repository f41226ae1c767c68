"""A careful driver by rule, who sees only the features: for demonstrations and as a yardstick."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from envs.lanes.ego_car import CUT_FULL, FASTER, KEEP, LEFT, PAR_SPEED, PEDALS, PRESS, PUSH, RIGHT, SLOWER
from envs.lanes.lanes_state_layout import (
    AMBULANCE,
    CLOSING,
    CROSSING,
    KIND,
    LANES,
    LIMIT,
    MERGE,
    SIGHT,
    obs_names,
)
from envs.lanes.merging import ZONE
from envs.world import Array, World

TIME_GAP = 1.45  # [s]
STANDSTILL = 1.0  # [m]
GAP_GAIN, SPEED_GAIN = 0.3, 0.8  # of the distance kept [1/s^2], [1/s]
MOST_FORCED = 1.5  # braking of the car behind that a change may cause [m/s^2]
BETWEEN = 3.0  # time between changes of lane [s]
GAIN = 0.5  # a lane is better if it is this much faster [m/s]
UNDER_WAY = 0.08  # farther off its lane's middle it is on the way into the next [lanes]
SLOW = 5.0  # so slow it stops for people even a little over the line [m/s]
CROSSED = 1.6  # but not so soon after crossing the line: then it is settling [s]


class CarefulDriver:
    """Follows at TIME_GAP, overtakes where the next lane is free and faster, and goes back right.

    Opens a gap or moves over for cars on a ramp, leaves an ambulance's lane, and stops at the zebra.
    """

    def __init__(self, world: World) -> None:
        """ValueError if the world is sensed in another way (lidar, pixels)."""
        needed = obs_names(int(world.params[LANES]), int(world.params[KIND]))
        if world.obs_names[: len(needed)] != needed:
            raise ValueError("the careful driver sees features only: take observation='features'")
        self._steers = world.action_names == PEDALS
        self._kind, self._limit = int(world.params[KIND]), float(world.params[LIMIT])
        self._rightmost = f"lane_{int(world.params[LANES]) - 1}"
        self._index = {name: i for i, name in enumerate(world.obs_names)}

    def act(self, obs: Array) -> Array:
        """Actions [N], or [N, 2] where they are continuous, for features [N, D]."""

        def see(name: str) -> Array:
            return obs[:, self._index[name]]

        wanted, go_left, go_right = self._decide(see)
        if self._steers:
            return self._steered(see, wanted, go_left, go_right)
        now = see("acceleration") * 5.0
        action = np.where(wanted > np.maximum(now, 0.0) + 0.3, FASTER, KEEP)
        near = SIGHT * (1.0 - see("gap_ahead_own")) < STANDSTILL  # no letting go of the brake there
        action = np.where((wanted < np.minimum(now, 0.0) - 0.3) | (near & (wanted < 0.0)), SLOWER, action)
        action = np.where((action != SLOWER) & go_right, RIGHT, action)
        action = np.where((wanted > -2.0) & go_left, LEFT, action)
        return np.where(see("crashed") > 0, KEEP, action).astype(np.int64)

    def _steered(
        self, see: Callable[[str], Array], wanted: Array, go_left: Array, go_right: Array
    ) -> NDArray[np.float32]:
        """Thrust and steer [N, 2]; a change of lane that is under way goes on unless it gets too close."""
        off, crossed = see("drift"), see("since_change") * 6.0 < CROSSED
        for side, go, begun in (("left", go_left, off < -UNDER_WAY), ("right", go_right, off > UNDER_WAY)):
            go |= begun & ~crossed & (see(f"forces_{side}") * CUT_FULL < 2.0 * MOST_FORCED)
            go &= ~crossed
        wheel = np.where(go_left & (wanted > -2.0), -1.0, np.where(go_right, 1.0, 0.0))
        pedals = np.where(wanted > 0.0, wanted / PUSH, -wanted / PRESS)
        moved = np.stack([np.clip(pedals, -1.0, 1.0), wheel], axis=1)
        return np.asarray(np.where(see("crashed")[:, None] > 0, 0.0, moved), np.float32)

    def _decide(self, see: Callable[[str], Array]) -> tuple[Array, Array, Array]:
        """(acceleration wanted [m/s^2], whether to go left, whether to go right), each [N]."""
        speed = see("speed") * PAR_SPEED
        own, left, right = (self._room(see, side, speed) for side in ("own", "left", "right"))
        rested = see("since_change") * 6.0 > BETWEEN
        held_up = own[1] < self._limit - GAIN
        faster_left = left[1] > own[1] + GAIN
        go_left = rested & held_up & faster_left & (left[0] > TIME_GAP) & self._gentle(see, "left")
        go_right = rested & (see("right_free") > 0) & (right[0] > TIME_GAP) & self._gentle(see, "right")
        go_right &= (right[1] > self._limit - GAIN) | (right[0] > 2.5)
        wanted = self._pedals(see, speed)
        if self._kind == MERGE:
            wanted, go_left, go_right = self._let_in(see, speed, wanted, go_left, go_right)
        elif self._kind == AMBULANCE:
            go_left, go_right = self._make_way(see, go_left, go_right)
        elif self._kind == CROSSING:
            wanted = np.minimum(wanted, self._stop(see, speed))
            walking = see("people_walk") > 0  # a change would lead towards them
            go_left, go_right = go_left & ~walking, go_right & ~walking
        return wanted, go_left, go_right

    def _room(self, see: Callable[[str], Array], side: str, speed: Array) -> tuple[Array, Array]:
        """(time headway [s], speed that can be driven [m/s]) in the lane on one side."""
        nearness = see(f"gap_ahead_{side}")
        gap = SIGHT * (1.0 - nearness)
        lead = speed - CLOSING * see(f"closing_ahead_{side}")
        pace = np.where(nearness > 0, np.minimum(lead, self._limit), self._limit)
        return np.where(nearness > 0, gap / np.maximum(speed, 3.0), 9.0), pace

    def _let_in(
        self,
        see: Callable[[str], Array],
        speed: Array,
        wanted: Array,
        go_left: Array,
        go_right: Array,
    ) -> tuple[Array, Array, Array]:
        """Move over for somebody on the ramp where that is free, else fall back behind them."""
        gap = SIGHT * see("ramp_car_ahead")
        here = (see("ramp_car") > 0) & (gap > -8.0) & (gap < 60.0)
        right = see(self._rightmost) > 0
        over = here & right & self._gentle(see, "left") & (see("gap_ahead_left") < 0.8)
        left = np.maximum(see("ramp_car_room") * ZONE, 10.0)
        behind = 0.25 * (gap - 7.0 - 0.9 * speed) - 0.6 * CLOSING * see("ramp_car_closing")
        yields = np.clip(behind, np.where(left < 50.0, -2.5, -1.5), 9.0)
        wanted = np.where(here & right, np.minimum(wanted, yields), wanted)
        return wanted, go_left | over, go_right & ~here

    def _make_way(self, see: Callable[[str], Array], go_left: Array, go_right: Array) -> tuple[Array, Array]:
        """Out of the ambulance's lane, to the right if that can be done, and not into it."""
        near = see("siren_behind") > 0.2
        own = near & (see("siren_own") > 0)
        right = own & self._gentle(see, "right") & (see("gap_ahead_right") < 0.9)
        left = own & ~right & self._gentle(see, "left") & (see("gap_ahead_left") < 0.9)
        stay = near & ~own
        return (go_left & ~near) | left, (go_right & ~(stay & (see("siren_right") > 0))) & ~left | right

    def _stop(self, see: Callable[[str], Array], speed: Array) -> Array:
        """The acceleration that stops before the line while people are on their way [m/s^2]."""
        way = 80.0 * (1.0 - see("line_near"))
        need = -(speed**2) / (2.0 * np.maximum(way - 1.0, 0.3))
        must = (see("people_in_way") > 0) & (see("line_near") > 0) & ((need > -7.0) | (speed < SLOW))
        slow = np.where(need < -1.6, 1.15 * need, 0.0)
        slow = np.where((way < 3.0) & (speed < 1.0), -3.0, slow)
        wary = (see("people_wait") > 0) & (see("line_near") > 0) & (speed > 0.8 * self._limit)
        return np.where(must, slow, np.where(wary, -0.5, 9.0))

    def _gentle(self, see: Callable[[str], Array], side: str) -> Array:
        return (see(f"can_{side}") > 0) & (see(f"forces_{side}") * CUT_FULL < MOST_FORCED)

    def _pedals(self, see: Callable[[str], Array], speed: Array) -> Array:
        """The acceleration wanted [m/s^2]: towards the speed limit, or a steady gap to the car ahead."""
        nearness = see("gap_ahead_own")
        gap = SIGHT * (1.0 - nearness)
        spare = gap - STANDSTILL - TIME_GAP * speed
        follow = GAP_GAIN * spare - SPEED_GAIN * CLOSING * see("closing_ahead_own")
        cruise = self._limit - speed
        return np.where(nearness > 0, np.minimum(follow, cruise), cruise)
