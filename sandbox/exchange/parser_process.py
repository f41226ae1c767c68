"""The process that reads formats whose files can surprise their own parsers: HDF5, Arrow, Parquet.

For each request it forks. The fork has a bound on memory, time and what it may write, and can open no
file once the parser begins. Whatever happens to it, an answer comes back. Run by `isolated_parser.py`.

A request is a line of JSON, {"kind", "path"}. An answer is 8 bytes of length, then "k" with facts and
arrays, or "r" with a sentence.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from safetensors.numpy import save

from agents.io.safe_files import Arrays, UnsafeFile, read_bytes, shorten

MEMORY = 2**30  # over what the fork has already [bytes]
SECONDS = 30.0
MOST_FILE = 2**29

Parsed = tuple[dict[str, Any], Arrays]
Parser = Callable[[bytes, str], Parsed]
"""(content, name of the file) -> facts as JSON, and arrays."""


def parsers(kinds: list[str]) -> dict[str, Parser]:
    """The parsers for these kinds of file; their libraries are imported here and not later."""
    found: dict[str, Parser] = {}
    if "hdf5" in kinds:
        from sandbox.exchange import parse_hdf5

        found["hdf5"] = parse_hdf5.parse
    if {"imitation", "minari-arrow", "parquet"} & set(kinds):
        sys.modules["pandas"] = None  # type: ignore[assignment]  # pyarrow asks for it at odd types, late
        from sandbox.exchange import parse_arrow

        found |= parse_arrow.PARSERS
    return found


def bound_memory_and_time() -> None:
    """From here on: little memory, little time, nothing written, and no file opened (an import is one)."""
    pages = (
        int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 2**19
    )
    space = pages * resource.getpagesize() + MEMORY
    for what, most in (
        (resource.RLIMIT_AS, space),
        (resource.RLIMIT_CPU, int(SECONDS)),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 0),
    ):
        resource.setrlimit(what, (most, most))


def parse(parser: Parser, path: Path) -> bytes:
    """The answer for one file; never raises."""
    try:
        content = read_bytes(path, MOST_FILE)
        bound_memory_and_time()
        facts, arrays = parser(content, str(path))
        told = json.dumps(facts, allow_nan=False).encode()
        return b"k" + len(told).to_bytes(8, "little") + told + save(arrays)
    except UnsafeFile as error:
        return b"r" + str(error).encode()
    except BaseException as error:
        reason = " ".join(str(error).split())[:200]
        return b"r" + f"{path} can't be read ({type(error).__name__}: {reason}).".encode()


def answer(parser: Parser, path: Path) -> bytes:
    """Parse in a fork, and say so if that dies or takes too long."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        told = parse(parser, path)
        with os.fdopen(writing, "wb", closefd=False) as file:
            file.write(told)
        os._exit(0)
    os.close(writing)
    whole, deadline = b"", time.monotonic() + SECONDS
    parts = []
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([reading], [], [], left)[0]:
            os.kill(child, signal.SIGKILL)
            parts = [f"r{path} took longer than {SECONDS:g} s to read: it is damaged or made to.".encode()]
            break
        part = os.read(reading, 2**20)
        if not part:
            break
        parts.append(part)
    os.close(reading)
    _, status = os.waitpid(child, 0)
    whole = b"".join(parts)
    if whole:
        return whole
    code = os.waitstatus_to_exitcode(status)
    return f"r{path} ended its parser ({code}): it is damaged or made to.".encode()


def main() -> None:
    """Answer requests until there are no more."""
    known = parsers(sys.argv[1:])
    for line in sys.stdin.buffer:
        request = json.loads(line)
        kind = request["kind"]
        told = (
            answer(known[kind], Path(request["path"]))
            if kind in known
            else f"r{shorten(kind)} is unknown.".encode()
        )
        sys.stdout.buffer.write(len(told).to_bytes(8, "little") + told)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
