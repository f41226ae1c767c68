"""How a person left a session's window, kept in its folder: mode, time spent, clips and speeds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import msgspec

from agents.io.atomic_files import write_whole
from sandbox.session.folder import VIEW


@dataclass(frozen=True)
class SessionView:
    """mode: the mode on screen. teaching_seconds: how long the person has been teaching [s]. scenes: for
    each mode the numbers that its scene keeps (`Scene.choices`)."""

    mode: str = "drive"
    teaching_seconds: float = 0.0
    scenes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> SessionView:
        """What the folder keeps; the defaults where there is nothing that can be read."""
        with suppress(OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return msgspec.json.decode((folder / VIEW).read_bytes(), type=cls)
        return cls()

    def write(self, folder: Path) -> None:
        """By atomic replace; a folder that can't be written keeps what it had."""
        with suppress(OSError):
            write_whole(folder / VIEW, json.dumps(asdict(self)) + "\n", lasting=False)
