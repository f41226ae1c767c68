"""Exports a session and imports files from the menu, in a process beside the window.

A bundle is written into the session's `exports` folder. Files are read from its `imports` folder.
"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
EXPORTS, IMPORTS = "exports", "imports"


class Outcome(NamedTuple):
    """Whether an export or import succeeded, as a sentence."""

    succeeded: bool
    text: str


class FileExchange:
    """At most one such process. It is polled once a frame and never waits. It finishes its work if the window
    is closed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._pending_commands: list[list[str]] = []

    @property
    def is_busy(self) -> bool:
        return self._process is not None

    def start_export(self, session: Path) -> Path:
        """Begin to export all that the session holds. Returns the folder that is written."""
        out = session / EXPORTS / f"{datetime.now():%Y-%m-%d-%H%M%S}"
        out.parent.mkdir(exist_ok=True)
        self._start_next([["export", str(session), "--out", str(out)]])
        return out

    def start_import(self, session: Path) -> int:
        """Begin to import what lies in the session's `imports` folder. Returns how many files and folders
        that is."""
        folder = session / IMPORTS
        folder.mkdir(exist_ok=True)
        found = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        self._start_next([["import", str(path), "--session", str(session)] for path in found])
        return len(found)

    def _start_next(self, commands: list[list[str]]) -> None:
        self._pending_commands = commands
        if not commands:
            return
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", *self._pending_commands.pop(0)],
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def poll(self) -> Outcome | None:
        """The outcome of the export or import that has just ended, else None. Begins the next one."""
        if self._process is None or self._process.poll() is None:
            return None
        out, err = self._process.communicate()
        well = self._process.returncode == 0
        lines = [line for line in (out if well else err).splitlines() if line.strip()]
        self._process = None
        self._start_next(self._pending_commands)
        return Outcome(well, lines[-1].strip() if lines else "It ended without a message.")
