"""The formats by name, and which of them a path seems to be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from agents.safe_files import short
from sandbox.exchange.ledger import Tell, read_session

Write = Callable[[Path, Path, Tell], str]
"""(session, out, tell) -> what was written, as a sentence."""
Read = Callable[[Path, Path, str, Tell], str]
"""(path, session, rater, tell) -> what was read, as a sentence."""


class UnknownFormat(ValueError):
    """No format of that name; the text is a sentence."""


class Format(NamedTuple):
    """A way to write, to read, or both; `looks` tells whether a path seems to be of it."""

    write: Write | None
    read: Read | None
    looks: Callable[[Path], bool]


def writer(name: str) -> Write:
    """How to write that format; UnknownFormat if it can't be."""
    known = {key: one.write for key, one in FORMATS.items() if one.write is not None}
    if name not in known:
        raise UnknownFormat(f"--format {short(name)} can't be written: choose one of {', '.join(known)}.")
    return known[name]


def reader(name: str | None, path: Path) -> Read:
    """How to read that format, or (None) the one that `path` seems to be."""
    known = {key: one for key, one in FORMATS.items() if one.read is not None}
    if name is None:
        if not path.exists():
            raise UnknownFormat(f"there is no file or folder {path}.")
        name = next((key for key, one in known.items() if one.looks(path)), None)
        if name is None:
            raise UnknownFormat(f"{path} is of no known format: say --format, one of {', '.join(known)}.")
    if name not in known:
        raise UnknownFormat(f"--format {short(name)} can't be read: choose one of {', '.join(known)}.")
    read = known[name].read
    assert read is not None
    return read


def _write_bundle(session: Path, out: Path, tell: Tell) -> str:
    from sandbox.exchange import preference_bundle

    ledger = read_session(session, lambda share, text: tell(share / 2, text))
    count = preference_bundle.write(out, ledger, lambda share, text: tell(0.5 + share / 2, text))
    return f"{count} records of {session} are in {out}."


def _read_bundle(path: Path, session: Path, rater: str, tell: Tell) -> str:
    from sandbox.exchange import preference_bundle
    from sandbox.exchange.saving import save_records

    ledger = preference_bundle.read(path, lambda share, text: tell(share / 3, text))
    done = save_records(ledger, session, rater, lambda share, text: tell((1 + 2 * share) / 3, text))
    return told(done.saved, done.known, session)


def told(saved: int, known: int, session: Path) -> str:
    """What an import came to."""
    twice = f"; {known} were there already" if known else ""
    return f"{saved} records saved in {session}{twice}."


FORMATS: dict[str, Format] = {
    "bundle": Format(_write_bundle, _read_bundle, lambda path: (path / "bundle.json").is_file()),
}
