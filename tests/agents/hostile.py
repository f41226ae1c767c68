"""Files that would run code, for tests of what reads them."""

from __future__ import annotations

import base64
import io
import json
import os
import pickle  # noqa: TID251  # to make hostile files with
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from agents.io.manifest import MANIFEST, write_folder


class Canary:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.path}",)


def resealed(folder: Path, **changed: bytes) -> None:
    """Some files changed, with a manifest that fits: whoever makes a folder can do that."""
    files = {p.name: p.read_bytes() for p in folder.iterdir() if p.name != MANIFEST}
    files |= {name.replace("__", "."): content for name, content in changed.items()}
    other = folder.with_name("other")
    write_folder(other, files)
    for path in folder.iterdir():
        path.unlink()
    for path in other.iterdir():
        path.rename(folder / path.name)


def rezipped(path: Path, packed: int = zipfile.ZIP_STORED, **changed: bytes) -> None:
    """A zip with some members changed."""
    with zipfile.ZipFile(path) as archive:
        files = {info.filename: archive.read(info) for info in archive.infolist()}
    files |= {name.replace("__", "."): content for name, content in changed.items()}
    with zipfile.ZipFile(path, "w", packed) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def saved(value: Any) -> bytes:
    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


def program(content: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """A file of torch with its pickle changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            kept = old.read(info)
            new.writestr(info.filename, change(kept) if info.filename.endswith("data.pkl") else kept)
    return out.getvalue()


def data_of(path: Path, canary: Path) -> bytes:
    """`data` whose serialised entries run code when followed, as PPO.load does."""
    with zipfile.ZipFile(path) as archive:
        facts = json.loads(archive.read("data"))
    evil = base64.b64encode(pickle.dumps(Canary(canary))).decode()
    for value in facts.values():
        if isinstance(value, dict) and ":serialized:" in value:
            value[":serialized:"] = evil
    return json.dumps(facts).encode()
