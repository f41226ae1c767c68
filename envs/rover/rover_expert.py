"""A careful driver by rule, who sees only the features: for demonstrations and as a yardstick."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from envs.rover.dynamics import DRAG, GRAVITY, POWER, ROLL, WATER_DRAG
from envs.rover.rover_feature_obs import FAR, FAST, RISE_FAR, RISES, ROCK_RAYS, SIGHT, WATER_RAYS
from envs.rover.rover_state_layout import BEACON_REACH, GENTLE, ROUGH
from envs.world import Array, World

CRUISE = 1.9  # [m/s]
CREEP = 0.35  # [m/s]
BRAKE = 0.6  # slowing down that it counts on before beacon and rocks [m/s^2]
FELT = 1.5  # what the cargo may feel ahead [m/s^2]


class CarefulDriver:
    """Turns towards the beacon, or the free direction nearest to it, and slows for all that shakes."""

    def __init__(self, world: World) -> None:
        self._index = {name: i for i, name in enumerate(world.obs_names)}

    def act(self, obs: Array) -> NDArray[np.float32]:
        """Actions [N, 2] for features [N, D]."""

        def see(name: str) -> Array:
            return obs[:, self._index[name]]

        speed = see("speed") * FAST
        far = see("beacon_far") * FAR
        bearing = np.arctan2(see("beacon_right"), see("beacon_ahead"))
        aim, room = self._way(obs, bearing, far)
        turn = np.clip(1.2 * aim, -0.7, 0.7) * np.clip(1.6 - 0.3 * np.abs(speed), 0.5, 1.0)
        bend = np.abs(see("bend_ahead")) / 2.0
        crest = np.sqrt(1.2 / np.maximum(bend, 0.1))
        stop = np.sqrt(2.0 * BRAKE * np.maximum(far - 0.5 * BEACON_REACH, 0.0))
        rock = np.sqrt(2.0 * BRAKE * np.maximum(room - 0.4, 0.0))
        goal = np.minimum.reduce([np.full(len(obs), CRUISE), crest, stop, np.maximum(rock, CREEP)])
        goal = goal * np.clip(1.0 - 0.75 * np.abs(aim), 0.15, 1.0)
        goal = np.where(see("load") * ROUGH > 0.85 * GENTLE, 0.8 * np.minimum(goal, speed), goal)
        climb = GRAVITY * see("slope_ahead") / 2.0
        drag = DRAG + WATER_DRAG * see("in_water")
        felt = np.clip(1.5 * (goal - speed) + climb, -FELT, FELT)
        thrust = (felt + drag * speed + ROLL * np.sign(goal)) / POWER
        moved = np.stack([thrust, turn], axis=1)
        return np.asarray(np.where(see("parked")[:, None] > 0, 0.0, moved), np.float32)

    def _way(self, obs: Array, bearing: Array, far: Array) -> tuple[Array, Array]:
        """(direction to drive in [rad], how far ahead is free [m])."""
        angles = np.radians(np.linspace(-120, 120, 49))
        blocked = self._along(obs, "rock", ROCK_RAYS, angles)
        water = self._along(obs, "water", WATER_RAYS, angles)
        hill = self._along(obs, f"rise_{{}}_{RISE_FAR[0]:g}m", RISES, angles)
        free = SIGHT * (1.0 - blocked)
        need = np.minimum(far, 2.5)[:, None]
        away = np.abs((angles[None] - bearing[:, None] + np.pi) % (2 * np.pi) - np.pi)
        cost = away + 4.0 * np.clip(1.0 - (free - 0.3) / need, 0.0, 1.0) + 0.4 * water + 0.6 * np.abs(hill)
        best = cost.argmin(axis=1)
        behind = np.abs(bearing) > 2.2
        aim = np.where(behind, np.sign(bearing) * 1.5, angles[best])
        ahead = obs[:, self._index["rock_0"]]
        sides = np.maximum(obs[:, self._index["rock_-20"]], obs[:, self._index["rock_20"]])
        return aim, SIGHT * (1.0 - np.maximum(ahead, 0.7 * sides))

    def _along(self, obs: Array, name: str, rays: tuple[int, ...], angles: Array) -> Array:
        """What rays of that name see, between them as well: [N, angles]."""
        name = name if "{}" in name else name + "_{}"
        order = sorted(ray for ray in rays if abs(ray) <= 120)
        seen = np.stack([obs[:, self._index[name.format(ray)]] for ray in order], axis=1)
        at = np.interp(angles, np.radians(order), np.arange(len(order)))
        low = np.floor(at).astype(np.int64)
        high = np.minimum(low + 1, len(order) - 1)
        return seen[:, low] * (1 - (at - low)) + seen[:, high] * (at - low)
