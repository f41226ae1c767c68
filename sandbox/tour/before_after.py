"""What teaching changed: two policies on the same unseen starts, counted and drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pygame
from numpy.typing import NDArray

from agents.policies.policy_arrays import PolicyArrays
from envs import task_catalog
from envs.simulation import Simulation
from envs.world import Array, Task
from sandbox.screen import theme as look
from sandbox.screen.theme import Theme

STARTS = 200


@dataclass(frozen=True)
class StartsEvaluation:
    """A policy on unseen starts: states [T+1, N, K], and which of the N rows did the whole task."""

    states: Array
    done: NDArray[np.bool_]

    @property
    def done_share(self) -> float:
        return float(self.done.mean())


def test_task(task: Task) -> Task:
    """The same task with starts that no learner meets."""
    return task_catalog.task(task.id, **{**task.options, "split": "test"})


def evaluate_starts(
    task: Task, policy: PolicyArrays | None, starts: int = STARTS, seed: int = 0
) -> StartsEvaluation:
    """Act once from each of the first `starts` unseen starts, sampling actions; None acts at random."""
    test = test_task(task)
    random = np.random.default_rng(seed)
    rows = Simulation(test, starts, seed=seed, auto_reset=False)
    moments = [rows.states.copy()]
    space = test.world.action_space
    for _ in range(test.horizon):
        if policy is None:
            actions = np.array([space.sample() for _ in range(starts)])
        else:
            actions = policy.act(rows.obs, random)
        rows.step(actions)
        moments.append(rows.states.copy())
    return StartsEvaluation(np.stack(moments), np.asarray(test.done(moments[-1]), np.bool_))


def picture(
    task: Task, rows: Sequence[tuple[str, StartsEvaluation]], width: int = 1280, shown: int = 4
) -> pygame.Surface:
    """Each exam as a row of the first `shown` starts at their end, with the way taken. Not a selection."""
    theme = Theme(width / 1280)
    renderer = task_catalog.renderer(test_task(task))
    gap, side = theme.px(16), theme.px(212)
    cell = (width - side - gap * (shown + 1)) // shown
    high = round(cell / renderer.aspect)
    row = max(high, theme.px(150))  # room for the words beside wide, low pictures
    surface = pygame.Surface((width, (row + 2 * gap) * len(rows) + gap))
    surface.fill(look.GROUND)
    for index, (title, exam) in enumerate(rows):
        top = gap + index * (row + 2 * gap)
        _draw_caption(surface, theme, pygame.Rect(gap, top, side - gap, row), title, exam)
        for n in range(shown):
            box = pygame.Rect(side + gap + n * (cell + gap), top, cell, high)
            way = list(exam.states[:, n])
            renderer.draw(surface, box, way[-1], way[-1], 1.0, trail=way)
            good = bool(exam.done[n])
            pygame.draw.rect(surface, look.GOOD if good else look.LINE, box, theme.px(3), theme.px(6))
            word = "done" if good else "not done"
            below = (box.centerx, box.bottom + theme.px(3))
            theme.text(surface, word, below, "small", look.GOOD if good else look.MUTED, anchor="midtop")
    return surface


def _draw_caption(
    surface: pygame.Surface, theme: Theme, rect: pygame.Rect, title: str, exam: StartsEvaluation
) -> None:
    theme.text(surface, f"{exam.done_share:.0%}", rect.topleft, "hero", bold=True)
    below = pygame.Rect(rect.left, rect.top + theme.px(48), rect.width, theme.px(70))
    y = theme.paragraph(surface, f"whole task done on {len(exam.done)} unseen starts", below, "body")
    room = pygame.Rect(rect.left, y + theme.px(14), rect.width, rect.bottom - y - theme.px(14))
    theme.paragraph(surface, title, room, "body", look.TEXT, bold=True)
