"""A session's folder: what lies where, and the small file that says whose it is.

session.json    program, world, learner, prior, raters' random ids, when it was made
feedback.db     the store; feedback.db-wal and -shm belong to it (none when the store is on a server)
trajectories/   what of the store is too large for its rows
outbox/         what a server has not got yet, in a store like the above
aside/          what a repair has set aside
checkpoint/     what the learners know
learner.log     what the learner process printed
window.log      what went wrong in the window, if anything did
exports/        written out from the menu; imports/ is what the menu reads in
agents/         agents of others that were imported
lock            held by the window that has the session open
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from msgspec import ValidationError, convert
from platformdirs import user_data_path

from agents.io.atomic_files import is_unfinished, write_whole
from agents.io.checked_json import misfit
from agents.io.safe_files import shorten
from envs.recorded_options import recorded_options, recorded_prior
from sandbox.store import StoreError, count_standing

if TYPE_CHECKING:
    from sandbox.store.backend import Backend

FORMAT = 5  # from 4 on the options name the observation, from 5 on the prior counts in every world
FILE, STORE, OUTBOX = "session.json", "feedback.db", "outbox"
VIEW = "view.json"  # how the person left the window
OURS = frozenset(
    {
        FILE,
        STORE,
        VIEW,
        "lock",
        "learner.log",
        "window.log",
        "checkpoint",
        "session.json.new",
        "trajectories",
        OUTBOX,
        f"{OUTBOX}.sent",
        "aside",
        "exports",
        "imports",
        "agents",
    }
)


@cache
def program_version() -> str:
    """The version of teachbox that runs, as kept with each record."""
    try:
        return version("teachbox")
    except PackageNotFoundError:
        return "unknown"


class SessionError(ValueError):
    """A session can't be opened or made. The text is a sentence that names the value and what to do."""


class SessionInfo(NamedTuple):
    """A line of the menu. last_used: UTC. error: why it can't be opened, '' if it can."""

    folder: Path
    world: str
    learner: str
    counts: dict[str, int]
    last_used: datetime
    error: str = ""


@dataclass(frozen=True)
class SessionFile:
    """What session.json holds.

    raters: a random id for each name, so that no name is in the store. follow: the id of the rater whose
    reward is learned where they part; '' for those whose answers tell most. store: the URL of a
    store on a server, without a password; '' for the file in the session's own folder. counts: of a
    store on a server, the standing records by kind when the session was last closed, for lists that
    can't wait.
    """

    world: str
    learner: str
    prior: str = "written"
    options: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    raters: Mapping[str, str] = field(default_factory=dict)
    follow: str = ""
    store: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    version: str = field(default_factory=program_version)
    program: str = "teachbox"
    format: int = FORMAT

    def with_rater(self, name: str) -> SessionFile:
        """The same file with this rater added."""
        if name in self.raters:
            return self
        return replace(self, raters={**self.raters, name: uuid4().hex[:12]})

    def remember(self, folder: Path, counts: Mapping[str, int]) -> None:
        """Keep the counts of a store on a server, if the folder can be written."""
        if self.store and counts != self.counts:
            with suppress(SessionError):
                replace(self, counts=dict(counts)).write(folder)

    def write(self, folder: Path) -> None:
        """By atomic replace. SessionError if the folder can't be written."""
        try:
            write_whole(folder / FILE, json.dumps(asdict(self), indent=2) + "\n")
        except OSError as error:
            raise SessionError(
                f"{folder / FILE} can't be written ({error.strerror}): free some space, or choose another."
            ) from error

    @classmethod
    def read(cls, folder: Path) -> SessionFile | None:
        """What `folder` says of itself; None if it is empty or missing, so that it can become a session.

        Raises SessionError for a folder of another program, of a newer teachbox, or a damaged file.
        """
        path = folder / FILE
        try:
            if folder.exists() and not folder.is_dir():
                raise SessionError(f"{folder} is a file and no session: choose a folder.")
            if not path.exists():
                _check_no_other_files(folder)
                return None
            facts = json.loads(path.read_text("utf-8"))
        except SessionError:
            raise
        except OSError as error:
            raise SessionError(f"{path} can't be read ({error.strerror}): allow reading it.") from error
        except ValueError as error:
            raise SessionError(f"{path} is damaged ({error}): put back a backup of it.") from error
        if not isinstance(facts, dict) or facts.get("program") != "teachbox":
            raise SessionError(f"{folder} belongs to another program: choose another folder for the session.")
        if not isinstance(facts.get("format"), int) or facts["format"] > FORMAT:
            raise SessionError(
                f"{folder} was made by a newer teachbox ({facts.get('version', '?')}): update teachbox, "
                "or choose another session."
            )
        unknown = sorted(set(facts) - {item.name for item in fields(cls)})
        reason = f"has an unknown {shorten(unknown[0])}" if unknown else ""
        try:
            found = convert(facts, cls)
        except ValidationError as error:
            reason = misfit(error, facts)
        if reason:
            raise SessionError(f"{path} is damaged (it {reason}): put back a backup of it.")
        if found.format < FORMAT:
            options = recorded_options(found.world, found.options) if found.format < 4 else found.options
            prior = recorded_prior(found.world, found.prior)
            return replace(found, options=options, prior=prior, format=FORMAT)
        return found


def default_root() -> Path:
    """Where sessions live when no folder is given."""
    return user_data_path("teachbox", appauthor=False) / "sessions"


def new_folder(root: Path, world: str) -> Path:
    """A folder name that is free: the time and the world's short name."""
    short = world.rpartition("/")[2].rpartition(":")[2].partition("-v")[0].lower()
    name = f"{datetime.now():%Y-%m-%d-%H%M%S}-{short}"
    folder, count = root / name, 1
    while folder.exists():
        count += 1
        folder = root / f"{name}-{count}"
    return folder


def list_sessions(root: Path) -> list[SessionInfo]:
    """The sessions under `root`, the last used first. One that can't be read is listed with its error."""
    found = []
    for path in root.glob(f"*/{FILE}"):
        folder = path.parent
        used = datetime.fromtimestamp(_last_change(folder), UTC)
        try:
            facts = SessionFile.read(folder)
            assert facts is not None
            counts = dict(facts.counts) if facts.store else count_standing(folder / STORE)
            info = SessionInfo(folder, facts.world, facts.learner, counts, used)
        except (SessionError, StoreError) as error:
            info = SessionInfo(folder, "", "", {}, used, str(error))
        found.append(info)
    return sorted(found, key=lambda info: info.last_used, reverse=True)


def _last_change(folder: Path) -> float:
    paths = (folder / FILE, folder / STORE, folder / f"{STORE}-wal")
    return max(path.stat().st_mtime for path in paths if path.exists())


def _check_no_other_files(folder: Path) -> None:
    if not folder.exists():
        return
    for path in folder.iterdir():
        if path.name not in OURS and not path.name.startswith(STORE) and not is_unfinished(path):
            raise SessionError(
                f"{folder} holds other files ({path.name}) and no session: choose an empty or a new folder."
            )


def locate(where: str) -> Backend:
    """The store of a session's folder (which may be on a server), of a file, or of a URL."""
    from sandbox.store.backend import backend_of

    path = Path(where)
    if "://" in where or not path.is_dir():
        return backend_of(where)
    facts = SessionFile.read(path) if (path / "session.json").exists() else None
    return backend_of(facts.store if facts is not None and facts.store else path / STORE)
