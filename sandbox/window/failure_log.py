"""The log of what went wrong in the window."""

from __future__ import annotations

import tempfile
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

LOG = "window.log"
MOST_BYTES = 1_000_000


def log_failure(error: Exception, folder: Path | None) -> Path | None:
    """Add `error` with its traceback to window.log in `folder` (None: where temporary files go).

    Returns the log's path, None where it can't be written.
    """
    path = (folder or Path(tempfile.gettempdir()) / "teachbox") / LOG
    with suppress(OSError):  # a full disk must not end the window
        path.parent.mkdir(parents=True, exist_ok=True)
        full = path.exists() and path.stat().st_size > MOST_BYTES
        with path.open("w" if full else "a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n")
            file.write("".join(traceback.format_exception(error)) + "\n")
        return path
    return None
