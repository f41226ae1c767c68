"""NumPy's npz read by hand: bounded before it is unpacked, plain numbers only, nothing unpickled."""

from __future__ import annotations

import io
import math
import warnings
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from agents.io.safe_files import Arrays, UnsafeFile, fresh_file, read_bytes, shorten

MOST_FILE = 2**29
MOST_DATA = 2**30  # of all arrays, unpacked
PACKED = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def write_npz(path: Path, arrays: Arrays) -> None:
    """Write an npz; it appears whole or not at all."""
    with fresh_file(path) as fresh, fresh.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def read_npz(path: Path, needed: Collection[str], optional: Collection[str] = ()) -> Arrays:
    """The named arrays of an npz file. Raises UnsafeFile: others in it, objects, sizes that don't fit."""
    content = read_bytes(path, MOST_FILE)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = _members(archive, path, needed, optional)
            return {name: _array(archive, info, f"{path} ({name})") for name, info in members.items()}
    except UnsafeFile:
        raise
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError, EOFError) as error:
        raise UnsafeFile(f"{path} can't be read as npz ({' '.join(str(error).split())[:200]}).") from error
    except Exception as error:  # zlib.error, struct.error and what else a damaged archive raises
        raise UnsafeFile(f"{path} is damaged ({type(error).__name__}).") from error


def _members(
    archive: zipfile.ZipFile, path: Path, needed: Collection[str], optional: Collection[str]
) -> dict[str, zipfile.ZipInfo]:
    """The archive's entries by array, none of them unknown, twice there or too large together."""
    found: dict[str, zipfile.ZipInfo] = {}
    total = 0
    for info in archive.infolist():
        name = info.filename.removesuffix(".npy")
        if info.filename == name or (name not in needed and name not in optional):
            raise UnsafeFile(f"{path} holds {shorten(info.filename)}, which does not belong there.")
        if name in found or info.compress_type not in PACKED or info.flag_bits & 0x1:
            raise UnsafeFile(
                f"{path} holds {shorten(info.filename)} twice, or packed in a way that is not read."
            )
        total += info.file_size
        found[name] = info
    if total > MOST_DATA:
        raise UnsafeFile(f"{path} declares {total} bytes of data, and at most {MOST_DATA} are read.")
    missing = sorted(set(needed) - set(found))
    if missing:
        raise UnsafeFile(f"{path} has no array {missing[0]!r}: it needs {', '.join(sorted(needed))}.")
    return found


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> Any:
    with archive.open(info) as file:
        version = npy.read_magic(file)
        if version not in HEADERS:
            raise UnsafeFile(f"{name} is of npy version {version}, which is not read.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy wonders at headers as Python 2 wrote them; they are read
            shape, fortran, dtype = HEADERS[version](file, max_header_size=2000)
        if dtype.kind not in "biuf" or dtype.hasobject or dtype.itemsize > 8:
            raise UnsafeFile(f"{name} holds {dtype}, and plain numbers are read.")
        count = math.prod(shape)
        if len(shape) > 6 or count < 0 or count * dtype.itemsize > info.file_size:
            raise UnsafeFile(f"{name} declares the shape {shorten(shape)}, more than is there.")
        content = file.read(count * dtype.itemsize + 1)
    if len(content) != count * dtype.itemsize:
        raise UnsafeFile(f"{name} of shape {shorten(shape)} has {len(content)} bytes.")
    flat = np.frombuffer(content, dtype)
    made = flat.reshape(shape[::-1]).T if fortran else flat.reshape(shape)
    return np.ascontiguousarray(made.astype(dtype.newbyteorder("="), copy=True)).reshape(shape)
