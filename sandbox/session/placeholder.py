"""Stands for a session in the window's first frame, while the real one is being opened."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from envs.world import Task
from sandbox.session.opening import preview
from sandbox.session.session_options import SessionOptions

if TYPE_CHECKING:
    from sandbox.session.session import Session


@dataclass(frozen=True)
class StartingStatus:
    """The status of a learner that is not running yet."""

    state: str = "starting"
    text: str = "The session is being opened"


@dataclass(frozen=True)
class SessionPlaceholder:
    """The part of a session that the first frame shows."""

    task: Task
    learner: str
    folder: None = None
    status: StartingStatus = StartingStatus()
    counts: dict[str, int] = field(default_factory=dict)
    curve: tuple[Any, ...] = ()
    latest_snapshot: None = None
    last_saved: int = 0
    unsaved: int = 0
    unsaved_warning: None = None

    def poll(self) -> tuple[Any, ...]:
        return ()

    def close(self) -> None:
        pass


def session_placeholder(folder: Path | None, options: SessionOptions) -> Session | None:
    """A session that knows its task and nothing else; None if only a simulation can draw it.

    The database and the learner's process take longer to come than the first picture of the world.
    Raises SessionError as opening the session would.
    """
    task, learner = preview(folder, options)
    if task.draws_itself:
        return None
    return cast("Session", SessionPlaceholder(task, learner))
