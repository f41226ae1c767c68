"""`teachbox store backup` and `merge`: the same records in another store, each where it comes from."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from agents.io.atomic_files import move_into_place
from sandbox.store.backend import Backend
from sandbox.store.blobs import file_of
from sandbox.store.lock import FolderLock
from sandbox.store.reader import Reader
from sandbox.store.salvage import Salvage, TrajectoryCheck, no_check, salvage_connection
from sandbox.store.sqlite import IO_ERRORS, SQLiteBackend, checkpoint_wal, writing_engine
from sandbox.store.store_errors import StoreError, explain
from sandbox.store.summary import read_only
from sandbox.store.verify import VerificationReport, verify_store
from sandbox.store.writer import insert_row

NAME = "feedback.db"


@dataclass(frozen=True)
class MergeReport:
    """added: records that were new; known: those that were there already."""

    added: int
    known: int


def backup(place: Backend, folder: Path) -> VerificationReport:
    """Copy a store, also one in use, as it is at one moment into a new folder.

    The copy is on the disk before it gets its name, and what a check of it says is returned: a damaged
    store is copied as it is. Raises StoreError; the folder is then not there.
    """
    if folder.exists():
        raise StoreError(f"{folder} is there already: name a new folder for the backup.")
    if not folder.parent.is_dir():
        raise StoreError(f"there is no folder {folder.parent}: make it, or choose another place.")
    place.check_schema()
    fresh = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        fresh.mkdir()
        copy = SQLiteBackend(fresh / NAME)
        if isinstance(place, SQLiteBackend):
            _copy_file(place, copy)
            _copy_session(place.path.parent, fresh)
        else:
            copy.prepare(create=True)
            add(place, copy)
        report = verify_store(copy)
        move_into_place(fresh, folder)
        return report
    except OSError as error:
        raise StoreError(f"{folder} can't be written ({error.strerror}): free some space there.") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def merge(into: Backend, source: Backend, look: TrajectoryCheck = no_check) -> MergeReport:
    """Add the records of `source` that `into` lacks, in their order; all of them or none.

    Raises StoreError: another world, an id used for other content, a damaged record, a store in use.
    """
    source.check_schema()
    lock = FolderLock(into.lock) if into.lock is not None and into.lock.parent.is_dir() else None
    try:
        into.prepare(create=into.lock is None)
        _check_same_world(into, source)
        return add(source, into, look)
    finally:
        if lock is not None:
            lock.release()


def _copy_session(old: Path, new: Path) -> None:
    """What makes a folder with a store a session; its learner learns again from the feedback."""
    if (old / "session.json").exists():
        shutil.copy2(old / "session.json", new)


def _copy_file(place: SQLiteBackend, copy: SQLiteBackend) -> None:
    """SQLite's online backup in one step: the file at one moment, with what its log holds."""
    try:
        with closing(read_only(place.path, 5.0)) as source, closing(sqlite3.connect(copy.path)) as target:
            source.backup(target)
    except sqlite3.Error as error:
        raise explain(error, place.path) from error
    engine = writing_engine(copy.path)
    with engine.connect() as connection:
        large = (
            connection.exec_driver_sql("SELECT digest FROM trajectory WHERE place = 'file'").scalars().all()
        )
    engine.dispose()
    checkpoint_wal(copy.path)
    if large:
        copy.blob_folder.mkdir()
    for digest in large:
        if file_of(place.blob_folder, digest).exists():  # if not, the check will say so
            shutil.copy2(file_of(place.blob_folder, digest), file_of(copy.blob_folder, digest))


def add(source: Backend, into: Backend, look: TrajectoryCheck = no_check) -> MergeReport:
    """Copy the records that `into` lacks in one transaction, each of them verified. Raises StoreError."""
    writing = into.writing()
    added = known = newest = 0
    try:
        with salvage_connection(source.reading()) as old, writing.begin() as new:
            newest = int(new.exec_driver_sql("SELECT coalesce(max(seq), 0) FROM record").scalar_one())
            for found in Salvage(old, source.blob_folder, look).records():
                if found.problem:
                    raise StoreError(
                        f"{source.name} is damaged ({found.name}: {found.problem[0]}): "
                        "see `teachbox store check`, and repair it first."
                    )
                seq = insert_row(new, found.values, found.clips, into.blob_folder)
                if isinstance(seq, StoreError):
                    raise StoreError(f"{source.name} and {into.name} are not of one study: {seq}")
                added, known = (added + 1, known) if seq > newest else (added, known + 1)
    except IO_ERRORS as error:
        raise into.explain(error) from error
    finally:
        writing.dispose()
    return MergeReport(added, known)


def _check_same_world(into: Backend, source: Backend) -> None:
    worlds = []
    for place in (into, source):
        reader = Reader(place)
        worlds.append(reader.world())
        reader.close()
    mine, its = worlds
    if mine is not None and its is not None and mine != its:
        raise StoreError(
            f"{into.name} is a study in {mine[0]} with {mine[1]}, and "
            f"{source.name} in {its[0]} with {its[1]}: only stores of one study can be merged."
        )
