"""The small file that says what is on screen, for those who drive the window from outside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents.io.atomic_files import write_whole
from sandbox.window.frame_host import FrameHost

if TYPE_CHECKING:
    from agents.snapshot import Snapshot
    from sandbox.session.session import Session


def window_state(host: FrameHost) -> dict[str, Any]:
    """What the state file says, but for the frame's number."""
    facts = dict(host.scene.state_entries())
    shown = {"mode": str(facts.pop("mode", "")), "step": int(facts.pop("step", 0))}
    return {
        "scene": host.scene.mode,
        **shown,
        "focus": host.scene.focus.name,
        **session_facts(host.session),
        "message": host.news.message,
        "extra": {**facts, "help": host.help_open, "trouble": host.news.error},
    }


def session_facts(session: Session | None) -> dict[str, Any]:
    """The state file's part about the session and its learner."""
    snapshot = session.latest_snapshot if session else None
    return {
        "open": session is not None and session.folder is not None,
        "counts": dict(session.counts) if session else {},
        "saved": session.last_saved if session else 0,
        "learner": {
            "name": session.learner if session else "",
            "state": session.status.state if session else "",
            "step": snapshot.step if snapshot else 0,
            "feedback_seq": snapshot.feedback_seq if snapshot else 0,
            "env_steps": snapshot.env_steps if snapshot else 0,
            "suggests": _suggested(snapshot),
        },
    }


def _suggested(snapshot: Snapshot | None) -> str:
    """Which kind of feedback the learner would like most: "comparison 2", "demonstration", ..."""
    wanted = snapshot.suggestion if snapshot else None
    return "" if wanted is None else f"{wanted.kind} {wanted.clips or ''}".strip()


class StateFile:
    """JSON at a path, replaced whole at each change; None: nowhere."""

    def __init__(self, path: Path | None) -> None:
        self._path, self._written = path, ""

    def write(self, state: dict[str, Any], frame: int) -> None:
        """Write `state`, with the frame's number, if anything but that has changed."""
        if self._path is None:
            return
        text = json.dumps(state)
        if text == self._written:
            return
        self._written = text
        write_whole(self._path, json.dumps({**state, "frame": frame}), lasting=False)
