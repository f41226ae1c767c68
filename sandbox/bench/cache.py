"""Parts of a measurement, kept as files of their own, so that a stopped one goes on where it was.

A part is known by what was measured and by the sources of the worlds and the agents: it is measured
again once those have changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from agents.io.atomic_files import write_whole


def cached_part(folder: Path | None, key: dict[str, Any], make: Callable[[], Any]) -> Any:
    """What `make` gave for `key` (JSON values), from `folder` when it is there. None keeps nothing."""
    if folder is None:
        return make()
    text = json.dumps({**key, "sources": source_digest()}, sort_keys=True)
    path = folder / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
    if path.exists():
        return json.loads(path.read_text("utf-8"))["found"]
    found = make()
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps({"what": key, "found": found}))
    return found


@cache
def source_digest() -> str:
    """A word for the sources of `envs` and `agents` as they are on the disk."""
    digest = hashlib.sha256()
    for folder in ("envs", "agents"):
        for path in sorted((Path(__file__).parents[2] / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
