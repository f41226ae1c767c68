"""What is said while a store's server is away: kept on this machine's disk until the server has it.

It is a store itself, in a folder beside the session, so that `teachbox store check`, `repair` and
`merge` know it. Records have their ids before they are sent: one that is sent twice is there once.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from agents.io.atomic_files import sync_folder
from sandbox.store.backend import Backend
from sandbox.store.backup import NAME, add
from sandbox.store.codec import EncodedRecord
from sandbox.store.provenance import Provenance
from sandbox.store.sqlite import SQLiteBackend
from sandbox.store.writer import insert


class Outbox:
    """The records of one session that its server does not have yet. All methods wait for the disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._backend = SQLiteBackend(folder / NAME)

    def add(self, items: Iterable[tuple[EncodedRecord, Provenance]]) -> None:
        """All of them are on the disk when it returns. Raises StoreError, OSError or SQLAlchemy's errors."""
        if not self.folder.is_dir():
            self.folder.mkdir()
            sync_folder(self.folder.parent)
        self._backend.prepare(create=True)
        engine = self._backend.writing()
        try:
            with engine.begin() as connection:
                for item, origin in items:
                    insert(connection, item, origin, self._backend.blob_folder)
        finally:
            engine.dispose()
        sync_folder(self.folder)

    def send(self, backend: Backend) -> None:
        """Bring what an earlier window has left here to its store, in one transaction. Raises StoreError."""
        if self._backend.path.exists():
            add(self._backend, backend)
        self.clear()

    def clear(self) -> None:
        """The server has all of it."""
        if self.folder.is_dir():
            sent = self.folder.with_name(f"{self.folder.name}.sent")
            shutil.rmtree(sent, ignore_errors=True)
            self.folder.replace(sent)  # whole or gone, never half of it
            shutil.rmtree(sent, ignore_errors=True)
