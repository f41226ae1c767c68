"""Reading a file apart: in a process whose memory, time and files are bounded; see parser_process.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

from agents.io.safe_files import Arrays, UnsafeFile, parse_json, read_tensors

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = {"hdf5": "h5py", "minari-arrow": "pyarrow", "imitation": "pyarrow", "parquet": "pyarrow"}
MOST_ANSWER = 2**31


class MissingLibrary(RuntimeError):
    """A format needs a package that is not installed; the text is a sentence."""


def require_libraries(*kinds: str) -> None:
    """Raise MissingLibrary unless what these kinds of file need is installed."""
    for kind in kinds:
        if find_spec(LIBRARIES[kind]) is None:
            raise MissingLibrary(
                f"this format needs {LIBRARIES[kind]}, which is not installed: "
                "`pip install -c constraints.txt -e '.[exchange]'`."
            )


@contextmanager
def parser_or_new(given: IsolatedParser | None, kind: str) -> Iterator[IsolatedParser]:
    """The process given, or one of its own for the block."""
    if given is not None:
        yield given
        return
    with IsolatedParser(kind) as made:
        yield made


class IsolatedParser:
    """A process that reads files of some kinds; one at a time."""

    def __init__(self, *kinds: str) -> None:
        require_libraries(*kinds)
        env = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "HDF5_PLUGIN_PATH": "::",
            "HDF5_USE_FILE_LOCKING": "FALSE",
        }
        env |= {"OMP_NUM_THREADS": "1", "ARROW_IO_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.exchange.parser_process", *kinds],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=env,
        )

    def __enter__(self) -> IsolatedParser:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def read(self, kind: str, path: Path) -> tuple[dict[str, Any], Arrays]:
        """(facts, arrays) of a file. Raises UnsafeFile with the reason."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        asked = json.dumps({"kind": kind, "path": str(path.absolute())}).encode() + b"\n"
        try:
            process.stdin.write(asked)
            process.stdin.flush()
            size = int.from_bytes(process.stdout.read(8), "little")
        except BrokenPipeError:
            size = 0
        if not 0 < size <= MOST_ANSWER:
            self.close()
            raise UnsafeFile(f"{path} could not be read: what reads such files ended.")
        told = process.stdout.read(size)
        if told[:1] != b"k":
            raise UnsafeFile(told[1:].decode("utf-8", "replace"))
        end = 9 + int.from_bytes(told[1:9], "little")
        return parse_json(told[9:end], str(path)), read_tensors(told[end:], str(path))

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
