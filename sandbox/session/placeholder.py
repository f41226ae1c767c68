"""What stands for a session in the window's first frame, while the real one is being opened."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from envs.external.external_task import ForeignTask
from sandbox.session.opening import first_sight

if TYPE_CHECKING:
    from sandbox.session.session import Session


def arriving(
    folder: Path | None, world: str | None, learner: str | None, options: Mapping[str, Any] | None
) -> Session | None:
    """A session that knows its task and nothing else; None for a foreign world, whose making is dear.

    The database and the learner's process take longer to come than the first picture of the world.
    Raises SessionError as opening the session would.
    """
    task, learner = first_sight(folder, world, learner, options)
    if isinstance(task, ForeignTask):
        return None
    nothing = SimpleNamespace(
        folder=None,
        task=task,
        learner=learner,
        status=SimpleNamespace(state="starting", text="The session is being opened"),
        counts={},
        curve=[],
        latest=None,
        last_saved=0,
        unsaved=0,
        at_risk=None,
        poll=tuple,
        close=lambda: None,
    )
    return cast("Session", nothing)
