"""Large trajectories as files beside the store, named by the SHA-256 of their content.

A file is whole and on the disk before the record that needs it is committed: a kill or a power cut
leaves at most a file that no record needs.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from agents.io.atomic_files import sync_folder, write_whole
from sandbox.store.codec import CodecError

LARGE = 2**20
"""From this many bytes on a trajectory is a file of its own."""


def file_of(folder: Path, digest: str) -> Path:
    """Where the trajectory with this digest is, or would be."""
    return folder / f"{digest}.safetensors"


def put(folder: Path, digest: str, content: bytes) -> None:
    """Write the file unless it is there and whole. OSError when the disk is full or not writable."""
    path = file_of(folder, digest)
    if path.exists() and sha256(path.read_bytes()).hexdigest() == digest:
        return
    if not folder.is_dir():
        folder.mkdir()
        sync_folder(folder.parent)
    write_whole(path, content)


def get(folder: Path | None, digest: str) -> bytes:
    """The file's bytes; CodecError if it is missing."""
    if folder is None:
        raise CodecError(f"trajectory {digest} is said to be in a file, and a server has none")
    try:
        return file_of(folder, digest).read_bytes()
    except FileNotFoundError:
        raise CodecError(f"trajectory {digest} is missing in {folder}") from None
