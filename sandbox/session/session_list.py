"""The sessions that the menu lists and opens. The database is imported only when a session is opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.session.folder import SessionInfo
    from sandbox.session.session import Session
    from sandbox.session.session_options import SessionOptions


def same_folder(one: object, other: Path | None) -> bool:
    """Whether both name one folder, by whatever path; what is no path names none."""
    return one == other or (isinstance(one, Path) and other is not None and one.resolve() == other.resolve())


SessionOpener = Callable[["Path | None", "SessionOptions"], "Session"]
"""open(folder, options): the open session."""


class SessionList:
    """Sessions under one folder (default: where new ones are made), opened by `opener` or as usual."""

    def __init__(self, root: Path | None = None, opener: SessionOpener | None = None) -> None:
        self.root, self._opener = root, opener

    def list(self) -> list[SessionInfo]:
        """The last used first. One that can't be read is listed with its error."""
        from sandbox.session.folder import default_root, list_sessions

        return list_sessions(self.root or default_root())

    def open(self, folder: Path | None, options: SessionOptions) -> Session:
        """Open the session in `folder`, or a new one (None). Raises SessionError with a sentence."""
        if self._opener is not None:
            return self._opener(folder, options)
        from sandbox.session.folder import new_folder
        from sandbox.session.session import Session

        if folder is None and self.root is not None and options.world is not None:
            folder = new_folder(self.root, options.world)
        return Session.open_with(folder, options)
