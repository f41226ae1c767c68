"""Quiet cues. Without a sound device everything is silent, and says so once."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pygame

import assets


@contextmanager
def _hushed() -> Iterator[None]:
    """Sound libraries complain on the process's own stderr, below Python's; one sentence is enough."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


class Sounds:
    """Plays the wave files of assets/sounds; `why_silent` says why nothing is heard."""

    def __init__(self, volume: float = 0.35) -> None:
        self.volume, self.why_silent = volume, ""
        self._cues: dict[str, pygame.mixer.Sound | None] = {}
        self._open = False

    def open(self) -> None:
        """Find a sound device, which takes a tenth of a second. Until then all is silent."""
        try:
            with _hushed():
                pygame.mixer.init(buffer=512)
        except pygame.error as error:
            self.why_silent = f"There is no sound: {error}."
        self._open = not self.why_silent

    def play(self, name: str) -> None:
        """Play `name` (plus, minus, saved, undo, tap, crash) if there is a device and such a cue."""
        if not self._open:
            return
        if name not in self._cues:
            try:
                cue = pygame.mixer.Sound(str(assets.path(f"sounds/{name}.wav")))
                cue.set_volume(self.volume)
            except (FileNotFoundError, pygame.error):
                cue = None
            self._cues[name] = cue
        cue = self._cues[name]
        if cue is not None:
            cue.play()
