"""Files of others, bounded before they are read: sizes, links, headers. Nothing read here runs code.

Every refusal is an `UnsafeFile` with a sentence that names the file and what about it is wrong.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import stat
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from agents.io.atomic_files import whole_file, whole_folder

Arrays = dict[str, NDArray[Any]]

MAX_BYTES = 2**30
"""A single file of data larger than this is refused."""
MAX_JSON_BYTES = 64 * 2**20
MAX_HEADER_BYTES = 96 * 2**20
DTYPES = {
    "BOOL": "?", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4",
    "U64": "<u8", "I64": "<i8", "F16": "<f2", "F32": "<f4", "F64": "<f8",
}  # fmt: skip
"""What safetensors calls the types of numbers that are read here."""


class UnsafeFile(ValueError):
    """A file that is not read; the text is a sentence that names it and the reason."""


def shorten(value: object) -> str:
    """A value of others as a sentence can hold it: quoted, on one line, cut."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:56]} ..."


class TensorFacts(NamedTuple):
    """What a header declares of one array."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


def read_bytes(path: Path, max_bytes: int = MAX_BYTES) -> bytes:
    """The content of a plain file of at most `max_bytes` bytes; links, pipes and devices are refused."""
    flags = os.O_RDONLY
    if sys.platform != "win32":
        flags |= os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        if path.is_symlink():
            raise UnsafeFile(f"{path} is a link: put the file itself there.")
        descriptor = os.open(path, flags)
    except (OSError, ValueError) as error:
        if isinstance(error, UnsafeFile):
            raise
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise UnsafeFile(f"{path} can't be read ({reason}): check its name.") from error
    with os.fdopen(descriptor, "rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode):
            raise UnsafeFile(f"{path} is no plain file: give a file, not a folder, pipe or device.")
        if facts.st_size > max_bytes:
            raise UnsafeFile(f"{path} has {facts.st_size} bytes, and at most {max_bytes} are read.")
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise UnsafeFile(f"{path} grew past {max_bytes} bytes while it was read.")
    return content


def check_folder(folder: Path, needed: Collection[str], optional: Collection[str] = ()) -> None:
    """Refuse a folder that is a link, lacks a needed file, or holds anything else (links among it)."""
    if folder.is_symlink() or not folder.is_dir():
        raise UnsafeFile(f"{folder} is no folder (links are not followed): give the folder itself.")
    found = set()
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name not in needed and entry.name not in optional:
                raise UnsafeFile(f"{folder} holds a file that does not belong there: {shorten(entry.name)}.")
            if entry.is_symlink() or not entry.is_file(follow_symlinks=False):
                raise UnsafeFile(f"{folder / entry.name} is a link or no plain file.")
            found.add(entry.name)
    missing = sorted(set(needed) - found)
    if missing:
        raise UnsafeFile(f"{folder} has no file {missing[0]!r}.")


def parse_json(content: bytes, name: str) -> dict[str, Any]:
    """A JSON object; NaN, infinity, deep nesting and numbers out of range are refused."""

    def no_constant(text: str) -> float:
        raise UnsafeFile(f"{name} holds {text}, which is no number.")

    def finite(text: str) -> float:
        number = float(text)
        if not math.isfinite(number):
            raise UnsafeFile(f"{name} holds {text[:40]}, which is too large.")
        return number

    try:
        found = json.loads(content.decode("utf-8"), parse_constant=no_constant, parse_float=finite)
    except UnsafeFile:
        raise
    except (ValueError, RecursionError) as error:
        raise UnsafeFile(f"{name} is no JSON ({error}).") from error
    if not isinstance(found, dict):
        raise UnsafeFile(f"{name} holds {type(found).__name__} where an object is expected.")
    if b"\\ud" in content.lower():  # JSON can spell half a character, which can't be kept as text
        check_text(json.dumps(found, ensure_ascii=False), name)
    return found


def check_text(text: str, name: str) -> bytes:
    """The text as UTF-8; UnsafeFile if it holds half characters (lone surrogates)."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UnsafeFile(
            f"{name} holds a text that is no Unicode: {shorten(text[error.start - 5 :])}."
        ) from error


def check_digest(content: bytes, digest: Any, name: str) -> None:
    """Refuse content whose SHA-256 is another one than was written down."""
    if hashlib.sha256(content).hexdigest() != digest:
        raise UnsafeFile(f"{name} is not what was saved (its SHA-256 differs): get a fresh copy of it.")


def tensor_header(content: bytes, name: str) -> dict[str, TensorFacts]:
    """What safetensors bytes declare, checked: known types, sizes that add up, no gap, no overlap."""
    if len(content) < 8:
        raise UnsafeFile(f"{name} is cut off: it has {len(content)} bytes.")
    size = int.from_bytes(content[:8], "little")
    if size > min(MAX_HEADER_BYTES, len(content) - 8):
        raise UnsafeFile(f"{name} declares a header of {size} bytes, more than is there or allowed.")
    header = parse_json(content[8 : 8 + size], f"the header of {name}")
    header.pop("__metadata__", None)
    found = {key: _tensor_facts(key, value, name) for key, value in header.items()}
    at = 0
    for key, facts in sorted(found.items(), key=lambda item: (item[1].start, item[1].stop)):
        if facts.start != at:
            raise UnsafeFile(
                f"the tensor {shorten(key)} of {name} begins at byte {facts.start}, not at {at}."
            )
        at = facts.stop
    if at != len(content) - 8 - size:
        raise UnsafeFile(f"{name} declares {at} bytes of data and holds {len(content) - 8 - size}.")
    return found


def _tensor_facts(key: str, value: Any, name: str) -> TensorFacts:
    if not isinstance(value, dict) or set(value) != {"dtype", "shape", "data_offsets"}:
        raise UnsafeFile(f"the tensor {shorten(key)} of {name} is not described as a tensor is.")
    dtype, shape, span = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise UnsafeFile(
            f"the tensor {shorten(key)} of {name} is of type {shorten(dtype)}, which is not read."
        )
    if not all(isinstance(part, list) and all(map(_is_count, part)) for part in (shape, span)):
        raise UnsafeFile(
            f"the tensor {shorten(key)} of {name} has a shape or place that is no list of sizes."
        )
    if len(span) != 2 or len(shape) > 8:
        raise UnsafeFile(f"the tensor {shorten(key)} of {name} has a shape or place of a wrong length.")
    declared = math.prod(shape) * np.dtype(DTYPES[dtype]).itemsize
    if declared != span[1] - span[0]:
        raise UnsafeFile(
            f"the tensor {shorten(key)} of {name} of {declared} bytes has a place of another size."
        )
    return TensorFacts(dtype, tuple(shape), span[0], span[1])


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**48


def read_tensors(content: bytes, name: str) -> Arrays:
    """The arrays in safetensors bytes, each a copy of its own."""
    size = 8 + int.from_bytes(content[:8], "little")
    return {
        key: np.frombuffer(content, DTYPES[one.dtype], math.prod(one.shape), size + one.start)
        .reshape(one.shape)
        .copy()
        for key, one in tensor_header(content, name).items()
    }


def read_expected_tensors(
    content: bytes, expected: Mapping[str, tuple[str, tuple[int, ...]]], name: str
) -> Arrays:
    """The arrays, if they are exactly those expected (safetensors dtype and shape) and all finite."""
    header = tensor_header(content, name)
    if set(header) != set(expected):
        odd = sorted(set(header) ^ set(expected))[0]
        raise UnsafeFile(
            f"{name} {'lacks' if odd in expected else 'holds an unknown'} tensor {shorten(odd)}."
        )
    for key, (dtype, shape) in expected.items():
        if header[key].dtype != dtype:
            raise UnsafeFile(
                f"the tensor {shorten(key)} of {name} is of type {header[key].dtype}, not {dtype}."
            )
        if header[key].shape != shape:
            raise UnsafeFile(
                f"the tensor {shorten(key)} of {name} has shape {list(header[key].shape)}, not {list(shape)}."
            )
    found = read_tensors(content, name)
    for key, value in found.items():
        if not np.isfinite(value).all():
            raise UnsafeFile(f"the tensor {shorten(key)} of {name} holds a NaN or an infinity.")
    return found


@contextmanager
def fresh_folder(path: Path) -> Iterator[Path]:
    """A folder to fill; it appears at `path` when the block ends well, whole or not at all."""
    _check_free(path)
    with whole_folder(path) as fresh:
        yield fresh


@contextmanager
def fresh_file(path: Path) -> Iterator[Path]:
    """A file to write; it appears at `path` when the block ends well, whole or not at all."""
    _check_free(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as fresh:
        yield fresh


def _check_free(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise UnsafeFile(f"{path} exists already: choose another name.")
