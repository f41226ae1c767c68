"""One way to show any world: live rows and recordings, whether drawn from states or by themselves.

`View` draws what a simulation shows now, `Film` draws a recording at any moment. Our worlds are drawn
from their stored states by their renderers; a world of somebody else's is run again and its own
pictures are scaled into place.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, cast

import numpy as np
import pygame
from numpy.typing import NDArray

from envs.external.external_errors import ExternalWorldError
from envs.simulation import AnySimulation
from envs.trajectory import Trajectory
from envs.world import Array, Renderer, Task

BACKGROUND = (24, 26, 32)
DIMMED = (110, 110, 118)
"""What an episode of somebody else's world looks like after its early end, until the horizon."""
KEPT_HEIGHT = 400
"""Frames of other people's worlds are kept no higher than this [px]."""
PATIENCE = 0.006
"""How long one draw may spend on making frames that are still missing [s]."""


class View:
    """Shows a task of any kind in a rect of a pygame surface."""

    def __init__(self, task: Task, renderer: Renderer | None = None) -> None:
        self.task = task
        self.renderer = renderer
        if renderer is None and not task.draws_itself:
            from envs.task_catalog import renderer as find

            self.renderer = find(task)
        self._aspect = 1.5

    @property
    def aspect(self) -> float:
        """Width over height of the picture that it likes best."""
        return self._aspect if self.renderer is None else self.renderer.aspect

    def film(self, trajectory: Trajectory) -> RecordingView:
        """The recording, ready to be drawn."""
        return RecordingView(self.task, trajectory, self)

    def live(
        self,
        surface: pygame.Surface,
        rect: Any,
        simulation: AnySimulation,
        row: int = 0,
        *,
        before: Array | None = None,
        blend: float = 1.0,
        overlay: tuple[Array, Array] | None = None,
        ghosts: Sequence[Array] = (),
        trail: Sequence[Array] = (),
    ) -> None:
        """Draw a row as it is now; `before` is its state [K] one step earlier, for smooth motion.

        In a world of somebody else's only the newest picture is shown: overlay, ghosts and trail need states.
        """
        if self.task.draws_itself:
            try:
                self.picture(surface, rect, simulation.frame(row), over=bool(simulation.obs[row, -1]))
            except ExternalWorldError as error:
                say(surface, rect, str(error))
            return
        now = simulation.states[row]
        last = now if before is None else before
        self._drawer.draw(surface, rect, last, now, blend, overlay=overlay, ghosts=ghosts, trail=trail)

    @property
    def _drawer(self) -> Renderer:
        if self.renderer is None:
            raise TypeError(f"{self.task.id} can't be drawn from states")
        return self.renderer

    def moment(
        self,
        surface: pygame.Surface,
        rect: Any,
        states: Array,
        t: float,
        overlay: tuple[Array, Array] | None = None,
    ) -> None:
        """Draw moment `t` of stored states [T+1, K]."""
        at = min(int(t), len(states) - 1)
        after = min(at + 1, len(states) - 1)
        self._drawer.draw(surface, rect, states[at], states[after], t - at, overlay=overlay)

    def picture(
        self, surface: pygame.Surface, rect: Any, frame: NDArray[np.uint8], over: bool = False
    ) -> None:
        """Draw a frame [H, W, 3] as large as fits, in the middle of the rect; dimmed once it is over."""
        box = pygame.Rect(rect)
        height, width = frame.shape[:2]
        self._aspect = width / height
        if box.width < 1 or box.height < 1:
            return
        scale = min(box.width / width, box.height / height)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        image = pygame.image.frombuffer(frame.tobytes(), (width, height), "RGB")
        # Tiny pictures stay crisp, larger ones are smoothed.
        scaler = pygame.transform.scale if scale >= 3 else pygame.transform.smoothscale
        surface.fill(BACKGROUND, box)
        scaled = scaler(image, size)
        if over:
            scaled.fill(DIMMED, special_flags=pygame.BLEND_RGB_MULT)
        surface.blit(scaled, centred(box, size))


def centred(box: pygame.Rect, size: tuple[int, int]) -> tuple[int, int]:
    """Where a picture of that size sits in the middle of a box."""
    return box.x + (box.width - size[0]) // 2, box.y + (box.height - size[1]) // 2


class RecordingView:
    """A recording that can be drawn at any moment 0 <= t <= len(film), in steps."""

    def __init__(self, task: Task, trajectory: Trajectory, view: View | None = None) -> None:
        self.task, self.trajectory = task, trajectory
        self.view = view or View(task)
        hook = task.world.hooks.frames
        self._frames = _Frames(hook(task, trajectory)) if hook is not None else None

    def __len__(self) -> int:
        """Steps; there is one moment more."""
        return len(self.trajectory)

    @property
    def aspect(self) -> float:
        return self.view.aspect

    def draw(
        self, surface: pygame.Surface, rect: Any, t: float, overlay: tuple[Array, Array] | None = None
    ) -> None:
        """Draw moment `t` (a fraction is between two moments) into `rect`."""
        t = float(np.clip(t, 0, len(self)))
        if self._frames is None:
            self.view.moment(surface, rect, self.trajectory.states, t, overlay)
        else:
            over = bool(self.trajectory.observations[int(t), -1])
            try:
                self.view.picture(surface, rect, self._frames.at(int(t)), over)
            except ExternalWorldError as error:
                say(surface, rect, str(error))

    def still(self, size: tuple[int, int], t: float) -> pygame.Surface:
        """A picture of moment `t` of its own."""
        surface = pygame.Surface(size)
        surface.fill(BACKGROUND)
        if self._frames is not None:
            with suppress(ExternalWorldError):  # drawn as a sentence below
                self._frames.make(int(t))
        self.draw(surface, surface.get_rect(), t)
        return surface


class _Frames:
    """A recording's frames, made by running it again a little in each draw, kept compressed."""

    def __init__(self, frames: Iterator[NDArray[np.uint8]]) -> None:
        self._source: Iterator[NDArray[np.uint8]] | None = frames
        self._compressed: list[tuple[tuple[int, ...], bytes]] = []
        self._error: ExternalWorldError | None = None

    def make(self, t: int, budget: float = 3600.0) -> None:
        """Make frames up to moment t, or as many as `budget` [s] allows, but at least one."""
        until = time.perf_counter() + budget
        while self._source is not None and len(self._compressed) <= t:
            try:
                frame = next(self._source, None)
            except ExternalWorldError as error:
                self._error, self._source = error, None
                return
            if frame is None:
                self._source = None
                return
            small = _shrunk(frame)
            self._compressed.append((small.shape, zlib.compress(small.tobytes(), 1)))
            if time.perf_counter() > until:
                return

    def at(self, t: int) -> NDArray[np.uint8]:
        """The frame of moment t, or the newest before it while that is still being made."""
        self.make(t, PATIENCE)
        if self._error is not None:
            raise self._error
        shape, data = self._compressed[min(t, len(self._compressed) - 1)]
        return np.frombuffer(zlib.decompress(data), np.uint8).reshape(shape)


def _shrunk(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = frame.shape[:2]
    if height <= KEPT_HEIGHT:
        return frame
    image = pygame.image.frombuffer(frame.tobytes(), (width, height), "RGB")
    size = (round(width * KEPT_HEIGHT / height), KEPT_HEIGHT)
    return pixels(pygame.transform.smoothscale(image, size))


def say(surface: pygame.Surface, rect: Any, text: str) -> None:
    """A sentence in place of a picture that can't be had."""
    box = pygame.Rect(rect)
    surface.fill(BACKGROUND, box)
    pygame.font.init()
    font = pygame.font.Font(None, max(14, min(26, box.width // 20)))
    image = font.render(text, True, (220, 222, 228), None, max(1, box.width - 20))
    surface.blit(image, centred(box, image.get_size()))


def pixels(surface: pygame.Surface) -> NDArray[np.uint8]:
    """A surface as uint8 [H, W, 3]."""
    return cast(
        "NDArray[np.uint8]", np.ascontiguousarray(pygame.surfarray.array3d(surface).transpose(1, 0, 2))
    )


class StateCanvas:
    """Pictures of single states, in memory or in a plain window: what Gymnasium's `render` shows."""

    def __init__(self, task: Task, height: int, *, window: bool = False) -> None:
        self._view = View(task)
        self._rate = task.world.steps_per_second
        size = (max(2, round(height * self._view.aspect)), height)
        self._window = window
        self._clock = pygame.time.Clock()
        if window:
            pygame.display.init()
            pygame.display.set_caption(task.title)
            self._surface = pygame.display.set_mode(size)
        else:
            self._surface = pygame.Surface(size)

    def show(self, state: Array) -> NDArray[np.uint8] | None:
        """Draw a state [K]; the picture, or None when it went to the window, at the world's own pace."""
        self._surface.fill(BACKGROUND)
        self._view.moment(self._surface, self._surface.get_rect(), state[None], 0.0)
        if not self._window:
            return pixels(self._surface)
        pygame.event.pump()
        pygame.display.flip()
        self._clock.tick(self._rate)
        return None

    def close(self) -> None:
        if self._window:
            pygame.display.quit()
