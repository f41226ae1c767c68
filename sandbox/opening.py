"""How a session is opened or made: every way in which that can't be done is a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from agents.catalog import UnknownLearner, entry
from envs.catalog import UnknownWorld
from envs.catalog import task as make_task
from envs.world import Task
from sandbox.session_file import STORE, SessionError, SessionFile, default_root, new_folder
from sandbox.store import StoreError

if TYPE_CHECKING:
    from sandbox.store import Store

DEFAULT_WORLD = "teachbox/RoomsTidy-v0"
DEFAULT_LEARNER = "joint"
MAKE = "agents.catalog:make"


class Parts(NamedTuple):
    """What a session is made of."""

    folder: Path
    facts: SessionFile
    task: Task
    store: Store


def open_parts(
    folder: Path | None,
    *,
    world: str | None,
    learner: str | None,
    rater: str,
    prior: str | None,
    options: Mapping[str, Any] | None,
    make: str,
) -> Parts:
    """Read or make the session's file, its task and its store; None is the session's own, or the default.

    Raises SessionError. Nothing is written before all that can be refused has been looked at.
    """
    facts = SessionFile.read(folder) if folder is not None else None
    fresh = facts is None
    if facts is None:
        facts = SessionFile(
            world=world or DEFAULT_WORLD, learner=learner or DEFAULT_LEARNER, options=dict(options or {})
        )
        folder = folder or new_folder(default_root(), facts.world)
    assert folder is not None
    if world is not None and world != facts.world:
        raise SessionError(
            f"{folder} is a session in {facts.world}, not {world}: choose that world or another folder."
        )
    facts = replace(facts, learner=learner or facts.learner, prior=prior or facts.prior).with_rater(rater)
    check_learner(facts.learner, make)
    task = _task(facts)
    store = _store(folder, fresh)
    try:
        facts.write(folder)
    except BaseException:
        store.close()
        raise
    return Parts(folder, facts, task, store)


def check_learner(name: str, make: str) -> None:
    """SessionError unless there is a learner of that name (a factory of your own knows its names itself)."""
    if make != MAKE:
        return
    try:
        entry(name)
    except UnknownLearner as error:
        raise SessionError(str(error)) from error


def _task(facts: SessionFile) -> Task:
    try:
        task = make_task(facts.world, **facts.options)
    except UnknownWorld as error:
        raise SessionError(str(error)) from error
    except (TypeError, ValueError) as error:
        raise SessionError(f"{facts.world} can't be made with {dict(facts.options)}: {error}") from error
    if not getattr(task, "has_frames", True):
        raise SessionError(
            f"{facts.world} has no render mode 'rgb_array', so it can't be shown: choose a world that can "
            "draw itself, or learn from it with `teachbox train`."
        )
    return task


def _store(folder: Path, fresh: bool) -> Store:
    from sandbox.store import Store  # SQLAlchemy, which the menu can do without

    try:
        folder.mkdir(parents=True, exist_ok=True)
        return Store.open(folder / STORE, create=fresh)
    except OSError as error:
        raise SessionError(
            f"{folder} can't be made ({error.strerror}): choose another folder for the session."
        ) from error
    except StoreError as error:
        raise SessionError(str(error)) from error
