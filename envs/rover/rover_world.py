"""Rover: open ground with hills, rocks and puddles, and a cargo that must not be shaken.

The state's layout is in rover_state_layout.py, the ground in terrain.py, the body's physics in dynamics.py. A
delivery stops everything: from then on only the clock runs, the visible absorbing state.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from gymnasium import spaces

from envs.geometry import clip, turned
from envs.kernels import kernel
from envs.rng import next_word
from envs.rover import rover_feature_obs, rover_wide_obs
from envs.rover.dynamics import STEP, SUBSTEPS, advance, inside
from envs.rover.rover_hooks import HOOKS
from envs.rover.rover_state_layout import (
    BEACON_REACH,
    BEACON_SLOW,
    BEACON_X,
    BEACON_Y,
    BODY,
    CLOCK,
    GENTLE,
    HEADER,
    HEADING,
    HILLS,
    HIT,
    LEVEL,
    LOAD,
    MOTOR,
    PARKED,
    ROCKS,
    ROUGH,
    SHAKEN,
    SIDE,
    SPEED,
    SPLIT,
    STEEP,
    SWAY_AHEAD,
    SWING_RIGHT,
    T_BUMP,
    T_DELIVERED,
    T_EFFORT,
    T_PROGRESS,
    T_SHAKE,
    T_TILT,
    T_WET,
    TERMS,
    YAW,
    X,
    Y,
    agent_position,
    ground_of,
    state_size,
)
from envs.rover.terrain import draw, slope
from envs.world import Array, Kernel, World


@kernel
def to_beacon(state: np.ndarray) -> float:
    """[m]"""
    return math.hypot(state[BEACON_X] - state[X], state[BEACON_Y] - state[Y])


@kernel
def _write_terms(
    state: np.ndarray, before: float, hills: np.ndarray, puddles: np.ndarray, terms: np.ndarray
) -> None:
    """The terms of a step that began `before` metres from the beacon; parks the rover there."""
    far = to_beacon(state)
    climb, lean, _ = slope(hills, state[X], state[Y], 1.0, 0.0)
    terms[T_PROGRESS] = before - far
    terms[T_BUMP] = state[HIT]
    terms[T_SHAKE] = clip((state[LOAD] - GENTLE) / (ROUGH - GENTLE), 0.0, 1.0)
    terms[T_TILT] = clip((math.hypot(climb, lean) - LEVEL) / (STEEP - LEVEL), 0.0, 1.0)
    terms[T_WET] = 1.0 if inside(puddles, state[X], state[Y]) else 0.0
    terms[T_EFFORT] = state[MOTOR] * state[MOTOR]
    state[SHAKEN] += terms[T_SHAKE]
    if far < BEACON_REACH and abs(state[SPEED]) < BEACON_SLOW:
        terms[T_DELIVERED] = 1.0
        state[PARKED] = 1.0
        for k in range(SWAY_AHEAD, SWING_RIGHT + 1):
            state[k] = 0.0
        state[SPEED], state[YAW], state[MOTOR], state[LOAD], state[HIT] = 0.0, 0.0, 0.0, 0.0, 0.0


@kernel
def step_rows(
    params: np.ndarray,
    actions: np.ndarray,
    rng: np.ndarray,
    states: np.ndarray,
    aux: np.ndarray,
    terms: np.ndarray,
) -> None:
    """One step of every row, in place; actions[N, 2] are thrust and turn. Nothing is drawn at random."""
    first = HEADER + 4 * int(params[HILLS])
    second = first + 3 * int(params[ROCKS])
    state = np.empty(states.shape[1])
    for n in range(states.shape[0]):
        row_terms = terms[n]
        for k in range(row_terms.shape[0]):
            row_terms[k] = 0.0
        states[n, CLOCK] += 1
        if states[n, PARKED] > 0.0:
            continue
        for k in range(state.shape[0]):
            state[k] = states[n, k]
        hills, rocks, puddles = state[HEADER:first], state[first:second], state[second:]
        thrust, turn = clip(actions[n, 0], -1.0, 1.0), clip(actions[n, 1], -1.0, 1.0)
        before = to_beacon(state)
        state[LOAD], state[HIT] = 0.0, 0.0
        for _ in range(SUBSTEPS):
            advance(state, hills, rocks, puddles, thrust, turn, STEP / SUBSTEPS)
        state[HEADING] = turned(state[HEADING])
        _write_terms(state, before, hills, puddles, row_terms)
        for k in range(HEADER):
            states[n, k] = state[k]


@kernel
def reset_rows(
    params: np.ndarray, which: np.ndarray, rng: np.ndarray, states: np.ndarray, aux: np.ndarray
) -> None:
    """New ground for each row in `which`; the top bit of its seed word is the split."""
    for n in range(states.shape[0]):
        if not which[n]:
            continue
        word = next_word(rng, n) >> np.uint64(1)
        if params[SPLIT] > 0.0:
            word = word | (np.uint64(1) << np.uint64(63))
        rng[n] = word
        for k in range(HEADER):
            states[n, k] = 0.0
        draw(params, states[n], rng, n)


@kernel
def refresh_rows(params: np.ndarray, which: np.ndarray, states: np.ndarray, aux: np.ndarray) -> None:
    """Nothing is derived: a state says it all."""


_PLACES = np.linspace(1.0, SIDE - 1.0, 15, dtype=np.float32)


def _placements(params: Array) -> Callable[[Array], tuple[Array, Array]]:
    def placements(state: Array) -> tuple[Array, Array]:
        """The rover, as fast and facing as it is, at each place of a grid that no rock takes up."""
        x, y = (grid.ravel() for grid in np.meshgrid(_PLACES, _PLACES))
        for rx, ry, radius in ground_of(state, params).rocks:
            free = np.hypot(x - rx, y - ry) > radius + BODY
            x, y = x[free], y[free]
        states = np.repeat(state[None], len(x), axis=0)
        states[:, X], states[:, Y] = x, y
        states[:, SWAY_AHEAD : SWING_RIGHT + 1] = 0.0
        states[:, [LOAD, HIT, PARKED]] = 0.0
        return states, np.stack([x, y], axis=1)

    return placements


OBSERVATIONS = ("wide", "features")


def rover_world(
    hills: int, rocks: int, puddles: int, test: bool, observation: str = OBSERVATIONS[0]
) -> World:
    """Ground with at most so many hills, rocks and puddles, sensed in one of OBSERVATIONS."""
    told = rover_wide_obs if observation == "wide" else rover_feature_obs
    params = np.array([hills, rocks, puddles, test], np.float64)
    return World(
        name="rover",
        params=params,
        kernel=Kernel(reset_rows, step_rows, told.observe_rows, refresh_rows),
        state_size=state_size(params),
        state_dtype=np.float32,
        aux_size=0,
        aux_dtype=np.float32,
        obs_names=told.OBS_NAMES,
        terms=TERMS,
        action_space=spaces.Box(-1.0, 1.0, (2,), np.float32),
        action_names=("thrust", "turn"),
        idle_action=0,
        clock=CLOCK,
        steps_per_second=round(1.0 / STEP),
        placements=_placements(params),
        agent_position=agent_position,
        hooks=HOOKS,
    )
