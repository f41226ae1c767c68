"""`teachbox store repair`: a store of all that is whole; the old one is set aside, and nothing is deleted."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Connection

from agents.io.atomic_files import move_into_place, sync
from sandbox.store.backend import Backend
from sandbox.store.blobs import file_of
from sandbox.store.lock import FolderLock
from sandbox.store.salvage import Salvage, TrajectoryCheck, no_check, salvage_connection
from sandbox.store.sqlite import IO_ERRORS, SQLiteBackend, checkpoint_wal, prepare, writing_engine
from sandbox.store.store_errors import StoreError
from sandbox.store.verify import Finding, verify_store
from sandbox.store.writer import insert_row

ASIDE = "aside"


@dataclass(frozen=True)
class RepairReport:
    """What a repair came to. old_store: where the old store is, None if nothing was wrong."""

    kept: int
    lost: tuple[Finding, ...]
    old_store: Path | None


def repair(place: Backend, look: TrajectoryCheck = no_check) -> RepairReport:
    """Make a damaged store usable again. Each record keeps its number.

    Raises StoreError: on a server, in use, or so damaged that nothing can be read.
    """
    if not isinstance(place, SQLiteBackend):
        raise StoreError(
            f"{place.name} is on a server, where nothing is repaired in place: keep what is whole with "
            "`teachbox store backup`, and give the study a new database."
        )
    assert place.lock is not None
    lock = FolderLock(place.lock)
    try:
        ready = place.path.with_name(f"{place.path.name}.repaired")
        if not ready.exists():
            report = verify_store(place, look)
            if not report.findings:
                return RepairReport(report.records, (), None)
            kept, lost = _rebuild(place, ready, look)
        else:  # a repair was cut off when its work was done
            kept, lost = verify_store(SQLiteBackend(ready)).records, []
        return RepairReport(kept, tuple(lost), _swap_stores(place, ready, lost))
    finally:
        lock.release()


def _rebuild(place: SQLiteBackend, ready: Path, look: TrajectoryCheck) -> tuple[int, list[Finding]]:
    """Write every whole record to `ready`; how many, and what could not be kept."""
    fresh = ready.with_suffix(".repairing")
    _remove(fresh)
    prepare(fresh, create=True)
    new = writing_engine(fresh)
    try:
        with salvage_connection(place.reading()) as source, new.begin() as target:
            kept, lost = _copy(Salvage(source, place.blob_folder, look), target, place.blob_folder)
        checkpoint_wal(fresh)
    except IO_ERRORS as error:
        raise place.explain(error) from error
    finally:
        new.dispose()
    move_into_place(fresh, ready)
    return kept, lost


def _copy(salvage: Salvage, target: Connection, folder: Path) -> tuple[int, list[Finding]]:
    kept, lost = 0, list[Finding]()
    for found in salvage.records():
        if found.problem:
            lost += [Finding(found.name, wrong) for wrong in found.problem]
            continue
        seq = insert_row(target, {"seq": found.seq, **found.values}, found.clips, folder)
        if seq == found.seq:
            kept += 1
        else:
            lost.append(Finding(found.name, "its id is that of another record"))
    return kept, lost


def _swap_stores(place: SQLiteBackend, ready: Path, lost: list[Finding]) -> Path:
    """Put the repaired store in the old one's place, which is kept under `aside`."""
    aside = place.path.parent / ASIDE / f"{datetime.now(UTC):%Y-%m-%d-%H%M%S-%f}"
    aside.mkdir(parents=True)
    names = [place.path.name + suffix for suffix in ("", "-wal", "-shm")]
    for name in names:
        if (old := place.path.with_name(name)).exists():
            shutil.copy2(old, aside / name)
    text = "\n".join(map(str, lost)) or "Nothing was lost: all records were whole."
    (aside / "not-kept.txt").write_text(text + "\n", "utf-8")
    sync(aside)
    for name in names[1:]:  # an old log beside a new store would be played into it
        place.path.with_name(name).unlink(missing_ok=True)
    move_into_place(ready, place.path)
    for digest in _damaged_files(place):
        file_of(place.blob_folder, digest).replace(aside / f"{digest}.safetensors")
    return aside


def _damaged_files(place: SQLiteBackend) -> list[str]:
    """Files whose content is not what their name says, of which the repaired store needs none."""
    if not place.blob_folder.is_dir():
        return []
    found = [path for path in place.blob_folder.iterdir() if path.suffix == ".safetensors"]
    return [path.stem for path in found if sha256(path.read_bytes()).hexdigest() != path.stem]


def _remove(path: Path) -> None:
    """A half-made file of an earlier try."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
