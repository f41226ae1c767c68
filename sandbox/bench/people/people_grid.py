"""The world in which the people answered: a car in a grid of cells, as tables and as a small task.

A move into a house or over the edge stays, and counts the ground there again; goal and sheep end the episode.
Counted on entering a cell: the ground (gas on a plain cell, mud on mud; none at goal and sheep), and what
lies there. Rules and weights after Hatgis-Kessell et al. 2025 (arXiv 2501.06416).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from envs.trajectory import Trajectory
from envs.world import Array, Kernel, Task, Term, World

Float = NDArray[np.float64]

BLANK, GOAL, HOUSE, SHEEP, COIN, BLOCK = range(6)
"""Codes of what lies in a cell; MUD more where the ground is mud."""
MUD = 6
TERMS = ("gas", "goal", "sheep", "coin", "block", "mud")
TRUE_WEIGHTS = np.array([-1.0, 50.0, -50.0, 1.0, -1.0, -2.0])
"""What the people were told counts [reward], by TERMS."""
WRITTEN = {"gas": -1.0, "goal": 50.0}
MOVES = ((-1, 0), (1, 0), (0, -1), (0, 1))
CLOCK, ROW, COLUMN, OVER = range(4)
"""The state, int16 [4]: steps so far, the cell, and 1 once the episode has ended."""
HORIZON = 200


@dataclass(frozen=True, eq=False)
class PeopleGrid:
    """A board [H, W] of codes and what follows from it; S = H * W cells by rows, A = 4 moves, M = 6 terms."""

    board: NDArray[np.int64]

    @property
    def width(self) -> int:
        return self.board.shape[1]

    @cached_property
    def ends(self) -> NDArray[np.bool_]:
        """[S] where the episode is over."""
        return np.isin(self.board.ravel() % MUD, (GOAL, SHEEP))

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """The cells where an episode may begin: no house, and not over."""
        return np.flatnonzero(~self.ends & (self.board.ravel() % MUD != HOUSE))

    @cached_property
    def tables(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """(after [S, A], terms [S, A, M]): where each move leads and what it counts; nothing once over."""
        height, width = self.board.shape
        after = np.zeros((height * width, len(MOVES)), np.int64)
        terms = np.zeros((*after.shape, len(TERMS)), np.float32)
        for cell in range(height * width):
            for action, (down, right) in enumerate(MOVES):
                row, column = cell // width + down, cell % width + right
                inside = 0 <= row < height and 0 <= column < width
                stays = not inside or self.board[row, column] % MUD == HOUSE
                after[cell, action] = cell if stays or self.ends[cell] else row * width + column
                if not self.ends[cell]:
                    terms[cell, action] = self._counted(after[cell, action], bool(stays))
        return after, terms

    def _counted(self, cell: int, stays: bool) -> NDArray[np.float32]:
        """The terms [M] of coming to a cell, or of staying there."""
        code, found = int(self.board.flat[cell]), np.zeros(len(TERMS), np.float32)
        if not self.ends[cell]:
            found[TERMS.index("mud" if code >= MUD else "gas")] = 1.0
        if not stays:
            what = {GOAL: "goal", SHEEP: "sheep", COIN: "coin", BLOCK: "block"}.get(code % MUD)
            if what is not None:
                found[TERMS.index(what)] = 1.0
        return found

    def drive(self, cell: int, actions: Array) -> Trajectory:
        """The recording of these moves [T] from a cell; nothing is counted once it is over."""
        after, terms = self.tables
        cells = [cell]
        for action in actions:
            cells.append(int(after[cells[-1], action]))
        states = self.states(np.array(cells))
        states[:, CLOCK] = np.arange(len(cells))
        counted = np.stack([terms[c, a] for c, a in zip(cells[:-1], actions, strict=True)])
        return Trajectory(
            task=TASK_ID,
            states=states,
            rng=np.zeros(len(cells), np.uint64),
            observations=self.observations(states),
            actions=np.asarray(actions, np.int64),
            terms=counted,
            driver="person",
        )

    def states(self, cells: NDArray[np.int64]) -> Array:
        """States [N, 4] at clock 0 in these cells."""
        found = np.zeros((len(cells), 4), np.int16)
        found[:, ROW], found[:, COLUMN] = cells // self.width, cells % self.width
        found[:, OVER] = self.ends[cells]
        return found

    def observations(self, states: Array) -> NDArray[np.float32]:
        """Where it is, as shares of the board, and whether it is over [N, 3]."""
        size = np.maximum(np.array([*self.board.shape, 2]) - 1, 1)
        return np.asarray(states[:, [ROW, COLUMN, OVER]] / size, np.float32)


TASK_ID = "people/Grid-v0"


def people_task(grid: PeopleGrid, weights: Float = TRUE_WEIGHTS) -> Task:
    """The grid as a task whose true reward has these weights [M] of TERMS."""

    def true_reward(before: Array, terms: Array, after: Array) -> NDArray[np.float32]:
        return np.asarray(terms @ weights, np.float32)

    def done(states: Array) -> NDArray[np.bool_]:
        cells = states[:, ROW].astype(np.int64) * grid.width + states[:, COLUMN]
        return np.asarray(grid.board.ravel()[cells] % MUD == GOAL)

    return Task(
        id=TASK_ID,
        title="Drive through the town",
        about="Get to the goal; gas, mud and road blocks cost, coins pay, sheep are to be spared.",
        world=_world(grid),
        horizon=HORIZON,
        proxy_reward=WRITTEN,
        true_reward=true_reward,
        done=done,
        keys={"": 0, "up": 0, "down": 1, "left": 2, "right": 3},
    )


def _world(grid: PeopleGrid) -> World:
    def placements(state: Array) -> tuple[Array, Array]:
        cells = grid.starts
        return grid.states(cells), np.stack([cells % grid.width, cells // grid.width], axis=1)

    return World(
        name="people_grid",
        params=grid.board.astype(np.float64).ravel(),
        kernel=_kernel(grid),
        state_size=4,
        state_dtype=np.int16,
        aux_size=1,
        aux_dtype=np.int16,
        obs_names=("row", "column", "over"),
        terms=tuple(Term(name, "times", f"{name} on entering a cell") for name in TERMS),
        action_space=spaces.Discrete(len(MOVES)),
        action_names=("up", "down", "left", "right"),
        idle_action=0,
        clock=CLOCK,
        steps_per_second=2,
        placements=placements,
        agent_position=lambda states: np.asarray(states[:, [COLUMN, ROW]]),
    )


def _kernel(grid: PeopleGrid) -> Kernel:
    """Plain array code over all rows at once: the world is small."""
    after, counted = grid.tables

    def reset(params: Array, which: Array, rng: Array, states: Array, aux: Array) -> None:
        rng[which] = rng[which] * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
        cells = grid.starts[((rng[which] >> np.uint64(33)) % np.uint64(len(grid.starts))).astype(np.int64)]
        states[which] = grid.states(cells)

    def step(params: Array, actions: Array, rng: Array, states: Array, aux: Array, terms: Array) -> None:
        cells = states[:, ROW].astype(np.int64) * grid.width + states[:, COLUMN]
        terms[:] = counted[cells, actions]
        clock = states[:, CLOCK] + 1
        states[:] = grid.states(after[cells, actions])
        states[:, CLOCK] = clock

    def observe(params: Array, states: Array, aux: Array, obs: Array) -> None:
        obs[:] = grid.observations(states)

    def refresh(*_: Any) -> None:
        """Nothing is derived from the state."""

    parts: tuple[Callable[..., None], ...] = (reset, step, observe, refresh)
    return Kernel(*parts)
