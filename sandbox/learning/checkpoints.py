"""Checkpoints that are whole or not there: a new folder each time, then one small file renamed.

checkpoint/<learner>/current        the name of the newest whole folder
checkpoint/<learner>/<number>/      what Learner.save wrote, and curve.json
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from agents.io.atomic_files import sync, write_whole
from agents.snapshot import CurvePoint


class Checkpoints:
    """The checkpoints of one learner of one session."""

    def __init__(self, session: Path, learner: str) -> None:
        self.folder = session / "checkpoint" / learner

    def current(self) -> Path | None:
        """The newest whole checkpoint, if there is one."""
        try:
            folder = self.folder / (self.folder / "current").read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            return None
        return folder if folder.parent == self.folder and folder.is_dir() else None

    def write(self, save: Callable[[Path], None], curve: list[CurvePoint]) -> Path:
        """Let `save` fill a new folder and make it the current one; then drop the older ones.

        Raises OSError when the disk is full or the folder can't be written; the old one then stands.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        numbers = [int(path.name) for path in self.folder.iterdir() if path.name.isdigit()]
        fresh = self.folder / f"{max(numbers, default=0) + 1:08d}"
        fresh.mkdir()
        try:
            save(fresh)
            points = [asdict(point) for point in curve]
            (fresh / "curve.json").write_text(json.dumps(points), "utf-8")
            sync(fresh)
            write_whole(self.folder / "current", fresh.name)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
        for path in self.folder.iterdir():
            if path.is_dir() and path != fresh:
                shutil.rmtree(path, ignore_errors=True)
        return fresh

    def curve(self) -> list[CurvePoint]:
        """The curves as the current checkpoint knows them; empty if there are none."""
        folder = self.current()
        if folder is None:
            return []
        try:
            points = json.loads((folder / "curve.json").read_text("utf-8"))
            return [CurvePoint(**point) for point in points]
        except (OSError, ValueError, TypeError):
            return []

    def clear(self) -> None:
        """Forget all checkpoints of this learner."""
        (self.folder / "current").unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)
