"""A picture of each task at three sizes, for the documentation: `python -m sandbox.tour.docs_pictures DIR`.

Somebody careful drives (an exact plan in flats, the driver by rule elsewhere) up to a moment that shows
what the task is about.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pygame

from agents.evaluation import oracle
from envs import task_catalog
from envs.rooms.planner import can_plan, plan_flat
from envs.simulation import Simulation
from envs.world import Array, Task
from sandbox.screen import theme as look

HEIGHTS = (300, 150, 72)  # [px]
GAP = 18  # [px]
MOMENTS: dict[str, tuple[int, int]] = {
    "teachbox/RoomsTidy-v0": (7, 9),
    "teachbox/RoomsReach-v0": (7, 4),
    "teachbox/RoomsLoophole-v0": (7, 6),
    "teachbox/RoomsKeys-v0": (7, 2),
    "teachbox/LanesCruise-v0": (7, 40),
    "teachbox/LanesMerge-v0": (3, 50),
    "teachbox/LanesAmbulance-v0": (11, 80),
    "teachbox/LanesCrossing-v0": (7, 80),
    "teachbox/RoverDeliver-v0": (7, 60),
}
"""By task: the seed of the layout, and after how many steps the picture is taken."""


def driven(task: Task, seed: int, steps: int) -> Array:
    """The states [T+1, K] of a careful drive."""
    sim = Simulation(task, 1, auto_reset=False)
    sim.reset(np.array([seed]))
    best = plan_flat(task, sim.states[0]) if can_plan(task) else None
    rule = oracle.rule_based_act(task) or (lambda obs: task.idle_actions(1))
    states = [sim.states[0].copy()]
    for _ in range(steps):
        sim.step(rule(sim.obs) if best is None else np.array([best.action(sim.states[0])]))
        states.append(sim.states[0].copy())
    return np.stack(states)


def sizes(task: Task, states: Array) -> pygame.Surface:
    """The last of the states at each height, side by side."""
    renderer = task_catalog.renderer(task)
    rects, left = [], GAP
    for height in HEIGHTS:
        rects.append(pygame.Rect(left, GAP, round(height * renderer.aspect), height))
        left = rects[-1].right + GAP
    surface = pygame.Surface((left, HEIGHTS[0] + 2 * GAP))
    surface.fill(look.GROUND)
    for rect in rects:
        renderer.draw(surface, rect, states[-2], states[-1], 1.0)
    return surface


def overview(drives: dict[str, Array], width: int = 1280) -> pygame.Surface:
    """All tasks on one picture: square worlds in a row, roads in rows of two."""
    square = [id for id in drives if task_catalog.renderer(task_catalog.task(id)).aspect < 1.5]
    wide = [id for id in drives if id not in square]
    rows = [square, *(wide[k : k + 2] for k in range(0, len(wide), 2))]
    surface, top = pygame.Surface((width, width)), GAP
    surface.fill(look.GROUND)
    for row in rows:
        cell = (width - GAP * (len(row) + 1)) // len(row)
        height = 0
        for k, id in enumerate(row):
            renderer = task_catalog.renderer(task_catalog.task(id))
            height = round(cell / renderer.aspect)
            rect = pygame.Rect(GAP + k * (cell + GAP), top, cell, height)
            renderer.draw(surface, rect, drives[id][-2], drives[id][-1], 1.0)
        top += height + GAP
    return surface.subsurface((0, 0, width, top))


def make_pictures(folder: Path) -> list[Path]:
    """Draw every task into `folder`, which is made, and all of them into all.png there; the files."""
    folder.mkdir(parents=True, exist_ok=True)
    drives = {id: driven(task_catalog.task(id), seed, steps) for id, (seed, steps) in MOMENTS.items()}
    pictures = {
        id.split("/")[1].removesuffix("-v0"): sizes(task_catalog.task(id), drives[id]) for id in drives
    }
    pictures["all"] = overview(drives)
    for name, picture in pictures.items():
        pygame.image.save(picture, folder / f"{name}.png")
    return [folder / f"{name}.png" for name in pictures]


if __name__ == "__main__":
    os.environ["SDL_VIDEODRIVER"] = "dummy"
    make_pictures(Path(sys.argv[1]))
