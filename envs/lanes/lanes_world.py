"""Lanes: a motorway driven from left to right, with traffic. The state's layout is in
lanes_state_layout.py."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from gymnasium import spaces

from envs.kernels import kernel
from envs.lanes import lanes_wide_obs
from envs.lanes.ego_car import ACTIONS, KEEP, PAR_SPEED, PEDALS
from envs.lanes.lanes_feature_obs import observe_rows
from envs.lanes.lanes_hooks import HOOKS
from envs.lanes.lanes_state_layout import (
    ASTRIDE,
    CLOCK,
    CRASHED,
    CRUISE_KIND,
    EXTRAS,
    FIELDS,
    HEADER,
    LANE,
    MORE_TERMS,
    TERMS,
    X,
    Y,
    agent_position,
    cars_of,
    obs_names,
)
from envs.lanes.lidar import lidar_names, observe_lidar
from envs.lanes.pixel_obs import PIXELS, observe_pixels, pixel_names
from envs.lanes.reset import reset_rows
from envs.lanes.step import steer_rows, step_rows
from envs.world import Array, Kernel, World


@kernel
def refresh_rows(params: np.ndarray, which: np.ndarray, states: np.ndarray, aux: np.ndarray) -> None:
    """Nothing is derived: a state says it all."""


_OFFSETS = np.arange(-50.0, 50.5, 5.0)


def _placements(lanes: int) -> Callable[[Array], tuple[Array, Array]]:
    def placements(state: Array) -> tuple[Array, Array]:
        """Car 0 settled in each lane at each offset; `where` is (X [m], Y [lanes])."""
        lane, offset = (grid.ravel() for grid in np.meshgrid(np.arange(lanes), _OFFSETS, indexing="ij"))
        states = np.repeat(state[None], len(lane), axis=0)
        states[:, CRASHED] = 0
        me = cars_of(states)[:, 0]
        me[:, X] += offset
        me[:, Y] = me[:, LANE] = lane
        return states, np.stack([me[:, X], lane], axis=1)

    return placements


OBSERVATIONS = ("wide", "features", "lidar", "pixels")
_Sensed = tuple[Callable[..., None], tuple[str, ...], tuple[int, ...], type]


def _sensed(observation: str, lanes: int, kind: int) -> _Sensed:
    if observation == "pixels":
        return observe_pixels, pixel_names(), PIXELS, np.uint8
    if observation == "lidar":
        return observe_lidar, lidar_names(lanes, kind), (), np.float32
    if observation == "wide":
        return lanes_wide_obs.observe_rows, lanes_wide_obs.wide_names(lanes, kind), (), np.float32
    return observe_rows, obs_names(lanes, kind), (), np.float32


def lanes_world(
    lanes: int,
    cars: int,
    ring: float,
    test: bool,
    kind: int = CRUISE_KIND,
    limit: float = PAR_SPEED,
    *,
    continuous: bool = False,
    observation: str = OBSERVATIONS[0],
    parsed_layout: tuple[float, ...] = (),
) -> World:
    """A ring road of `ring` metres with `cars` cars, the driven one among them; `limit` in m/s.

    continuous: actions are pedals and steering (PEDALS) in place of ACTIONS; observation: what it is
    sensed by, one of OBSERVATIONS; parsed_layout: numbers of a drawn road.
    """
    observe, names, shape, dtype = _sensed(observation, lanes, kind)
    steered = spaces.Box(-1.0, 1.0, (len(PEDALS),), np.float32)
    return World(
        name="lanes",
        params=np.array([lanes, cars, ring, test, kind, limit, *parsed_layout], np.float64),
        kernel=Kernel(reset_rows, steer_rows if continuous else step_rows, observe, refresh_rows),
        state_size=HEADER + FIELDS * cars + (0 if kind == CRUISE_KIND else EXTRAS),
        state_dtype=np.float32,
        aux_size=0,
        aux_dtype=np.float32,
        obs_names=names,
        obs_shape=shape,
        obs_dtype=dtype,
        terms=TERMS + MORE_TERMS[kind] + ((ASTRIDE,) if continuous else ()),
        action_space=steered if continuous else spaces.Discrete(len(ACTIONS)),
        action_names=PEDALS if continuous else ACTIONS,
        idle_action=KEEP,
        clock=CLOCK,
        steps_per_second=15,
        placements=_placements(lanes),
        agent_position=agent_position,
        hooks=HOOKS,
    )
