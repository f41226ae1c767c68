"""What goes wrong with a store, as one sentence that names the path and the mend."""

from __future__ import annotations

from pathlib import Path


class StoreError(RuntimeError):
    """A store can't be opened, read or written; the text is a sentence for the person."""


class StoreUnreachable(StoreError):
    """A store can't be reached now, and may be later: trying again is worth while."""


def not_a_store_error(path: Path) -> StoreError:
    return StoreError(
        f"{path} was not written by teachbox: choose another folder, and leave this file alone."
    )


def damaged(path: Path | str, detail: str) -> StoreError:
    return StoreError(
        f"{path} is damaged ({detail}): try `teachbox store repair` on it, or put back a backup."
    )


def older(name: str, version: int) -> StoreError:
    return StoreError(
        f"{name} was written by an older teachbox (store version {version}): open its session once, "
        "which brings it up to date."
    )


def unreachable(path: Path, detail: str) -> StoreError:
    return StoreError(
        f"{path} can't be opened for writing ({detail}): allow writing there, or choose another folder."
    )


def explain(error: Exception, path: Path) -> StoreError:
    """The sentence for what SQLite, or the system, said about `path`."""
    cause = getattr(error, "orig", None) or error  # SQLAlchemy wraps what the driver raised
    name = str(getattr(cause, "sqlite_errorname", ""))
    detail = str(cause).strip().rstrip(".") or type(cause).__name__
    if isinstance(cause, StoreError):
        return cause
    if name == "SQLITE_FULL" or "No space left" in detail:
        return StoreError(f"The disk that holds {path} is full: free some space there.")
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")):
        return unreachable(path, detail)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StoreError(f"{path} is locked by another program: close that program.")
    if name.startswith("SQLITE_NOTADB"):
        return not_a_store_error(path)
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_IOERR_SHORT_READ")):
        return damaged(path, detail)
    return StoreError(
        f"{path} can't be read or written ({detail}): check the disk and free some space on it."
    )
