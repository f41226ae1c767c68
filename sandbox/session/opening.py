"""Opens or makes a session. Everything that can go wrong with that is told in a sentence."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from agents.learner_catalog import UnknownLearner, find_entry
from envs.recorded_options import named_in_full
from envs.task_catalog import UnknownTask
from envs.task_catalog import task as make_task
from envs.world import Task
from sandbox.learning.spec import LearnerFactory
from sandbox.session.folder import OUTBOX, STORE, SessionError, SessionFile, default_root, new_folder
from sandbox.session.session_options import SessionOptions
from sandbox.store import StoreError

if TYPE_CHECKING:
    from sandbox.store import Store

DEFAULT_WORLD = "teachbox/RoomsTidy-v0"
DEFAULT_LEARNER = "joint"


class SessionParts(NamedTuple):
    """What a session is made of."""

    folder: Path
    session_file: SessionFile
    task: Task
    store: Store


def open_parts(folder: Path | None, options: SessionOptions) -> SessionParts:
    """Read or make the session's file, its task and its store.

    Raises SessionError. Nothing is written before all that can be refused has been looked at.
    """
    facts, fresh = _load_session_file(folder, options)
    folder = folder or new_folder(default_root(), facts.world)
    facts = replace(facts, prior=options.prior or facts.prior).with_rater(options.rater)
    check_learner(facts.learner, options.make)
    task = _task(facts)
    if fresh and options.prior is None:
        facts = replace(facts, prior=task.default_prior)
    if fresh and "observation" in task.options:
        seen = {"observation": task.options["observation"]}
        facts = replace(facts, options={**facts.options, **seen})
    where, facts = _where(folder, facts, fresh, options.store)
    new = not folder.exists()
    try:
        opened = _store(folder, where, fresh)
        try:
            if where is not None:
                _same_world(opened, facts.world, task)
            facts.write(folder)
        except BaseException:
            opened.close()
            raise
    except SessionError:
        if new:
            _remove_partial_session(folder)
        raise
    return SessionParts(folder, facts, task, opened)


def _remove_partial_session(folder: Path) -> None:
    """Remove what was written for a session that was refused; a folder with other files in it stays."""
    with suppress(OSError):
        (folder / "lock").unlink(missing_ok=True)
        folder.rmdir()


def preview(folder: Path | None, options: SessionOptions) -> tuple[Task, str]:
    """The task and the learner of a session before it is opened, for the window's first frame.

    Raises SessionError.
    """
    facts, _ = _load_session_file(folder, options)
    check_learner(facts.learner, options.make)
    return _task(facts), facts.learner


def _load_session_file(folder: Path | None, options: SessionOptions) -> tuple[SessionFile, bool]:
    """The session file of the folder and False, or one for a new session and True."""
    facts = SessionFile.read(folder) if folder is not None else None
    if facts is None:
        fresh = SessionFile(
            options.world or DEFAULT_WORLD,
            options.learner or DEFAULT_LEARNER,
            options=dict(options.options or {}),
        )
        return fresh, True
    world = options.world
    if world is not None and world != facts.world:
        raise SessionError(
            f"{folder} is a session in {facts.world}, not {world}: choose that world or another folder."
        )
    return replace(facts, learner=options.learner or facts.learner), False


def check_learner(name: str, make: LearnerFactory | None) -> None:
    """SessionError unless there is a learner of that name (a factory of your own knows its names itself)."""
    if make is not None:
        return
    try:
        find_entry(name)
    except UnknownLearner as error:
        raise SessionError(str(error)) from error


def _task(facts: SessionFile) -> Task:
    try:
        task = make_task(facts.world, **facts.options)
    except UnknownTask as error:
        raise SessionError(str(error)) from error
    except (TypeError, ValueError) as error:
        raise SessionError(f"{facts.world} can't be made with {dict(facts.options)}: {error}") from error
    if not task.can_be_shown:
        raise SessionError(
            f"{facts.world} has no render mode 'rgb_array', so it can't be shown: choose a world that can "
            "draw itself, or learn from it with `teachbox train`."
        )
    return task


def _where(
    folder: Path, facts: SessionFile, fresh: bool, wanted: str | None
) -> tuple[str | None, SessionFile]:
    """The URL of a store on a server (None: the session's own file), and the facts that name it."""
    if wanted is None:
        return facts.store or None, facts
    from sandbox.store.backend import backend_of

    try:
        place = backend_of(wanted)
    except StoreError as error:
        raise SessionError(str(error)) from error
    if place.lock is not None:
        raise SessionError(f"--store {wanted} is a file, and a session keeps its own: leave it out.")
    named = re.sub(r":\*\*\*@", "@", place.name)
    if not fresh and facts.store != named:
        raise SessionError(
            f"{folder} keeps its store in {facts.store or folder / STORE}, not in {named}: "
            "leave --store out, or choose another folder."
        )
    return place.address, replace(facts, store=named)


def _same_world(store: Store, world: str, task: Task) -> None:
    """SessionError unless the study on the server is in this session's world."""
    try:
        found = store.world()
    except StoreError as error:
        raise SessionError(str(error)) from error
    options = json.loads(json.dumps(dict(task.options), default=str))
    if found is not None and (
        found[0] != world or any(options.get(k, v) != v for k, v in named_in_full(*found).items())
    ):
        raise SessionError(
            f"{store.backend.name} is a study in {found[0]} with {found[1]}, and this session is in {world} "
            f"with {options}: open it in that world, or give the study another database."
        )


def _store(folder: Path, url: str | None, fresh: bool) -> Store:
    from sandbox.store import Store  # SQLAlchemy, which the menu can do without

    try:
        folder.mkdir(parents=True, exist_ok=True)
        return Store.open(url or folder / STORE, create=fresh, lock=folder / "lock", outbox=folder / OUTBOX)
    except OSError as error:
        raise SessionError(
            f"{folder} can't be made ({error.strerror}): choose another folder for the session."
        ) from error
    except StoreError as error:
        raise SessionError(str(error)) from error
