"""Arrow and Parquet files as plain arrays and rows: trajectories, Minari's episodes, tables of labels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute  # pyarrow imports it late, when no file can be opened any more
import pyarrow.parquet as pq

from agents.io.safe_files import Arrays, UnsafeFile, shorten

MOST_ROWS = 1_000_000
MOST_NUMBERS = 2**26
MOST_TEXT = 2**26


def _table(content: bytes, name: str) -> Any:
    """The table in an IPC file or stream, every buffer and offset of it validated."""
    source = pa.BufferReader(content)
    opened = pa.ipc.open_file if content[:6] == b"ARROW1" else pa.ipc.open_stream
    with opened(source) as reader:
        table = reader.read_all()
    table.validate(full=True)
    if table.num_rows > MOST_ROWS or table.num_columns > 64:
        raise UnsafeFile(f"{name} has {table.num_rows} rows and {table.num_columns} columns.")
    if len(set(table.column_names)) != table.num_columns:
        raise UnsafeFile(f"{name} has two columns of one name.")
    return table.combine_chunks()


def numbers(array: Any, name: str) -> np.ndarray[Any, Any]:
    """Lists of lists of equally many numbers as one array."""
    shape: list[int] = [len(array)]
    while (
        pa.types.is_list(array.type)
        or pa.types.is_large_list(array.type)
        or pa.types.is_fixed_size_list(array.type)
    ):
        if array.null_count:
            raise UnsafeFile(f"{name} has holes where numbers are expected.")
        flat = array.flatten()
        width, rest = divmod(len(flat), max(len(array), 1))
        if rest or (not pa.types.is_fixed_size_list(array.type) and len(array) and not _even(array, width)):
            raise UnsafeFile(f"{name} has rows of different lengths.")
        shape.append(width)
        array = flat
        if len(shape) > 6 or math.prod(shape) > MOST_NUMBERS:
            raise UnsafeFile(f"{name} has the shape {shorten(shape)}, which is too large.")
    if array.null_count or not (
        pa.types.is_integer(array.type) or pa.types.is_floating(array.type) or pa.types.is_boolean(array.type)
    ):
        raise UnsafeFile(f"{name} holds {array.type}, and plain numbers are expected.")
    return np.ascontiguousarray(array.to_numpy(zero_copy_only=False)).reshape(shape)


def _even(array: Any, width: int) -> bool:
    return bool((np.diff(array.offsets.to_numpy()) == width).all())


def imitation(content: bytes, name: str) -> tuple[dict[str, Any], Arrays]:
    """Trajectories as `datasets` keeps them: obs, acts, terminal and maybe rews; infos are left alone.

    Arrays are named "<trajectory>.obs"; infos are jsonpickle, which runs code when decoded.
    """
    table = _table(content, name)
    columns = set(table.column_names)
    if not {"obs", "acts", "terminal"} <= columns:
        raise UnsafeFile(f"{name} has the columns {shorten(sorted(columns))}, not those of trajectories.")
    found: Arrays = {}
    for key in ("obs", "acts", "rews", "terminal"):
        if key not in columns:
            continue
        column = table.column(key).combine_chunks()
        for row in range(table.num_rows):
            item = column[row]
            if not item.is_valid:
                raise UnsafeFile(f"{name} has no {key} of trajectory {row}.")
            if key == "terminal":
                found[f"{row}.{key}"] = np.array(bool(item.as_py()))
            else:
                found[f"{row}.{key}"] = numbers(item.values, f"{name} ({key} of trajectory {row})")
    return {"trajectories": table.num_rows, "infos": "infos" in columns}, found


def minari_arrow(content: bytes, name: str) -> tuple[dict[str, Any], Arrays]:
    """One episode of Minari's Arrow format; struct fields are named with a slash."""
    table, found = _table(content, name), Arrays()
    for key in table.column_names:
        column = table.column(key).combine_chunks()
        if pa.types.is_struct(column.type):
            for index, field in enumerate(column.type):
                _put(found, f"{key}/{field.name}", column.field(index), field, name)
        else:
            _put(found, key, column, table.schema.field(key), name)
    return {"rows": table.num_rows}, found


def _put(found: Arrays, path: str, column: Any, field: Any, name: str) -> None:
    if pa.types.is_struct(column.type) or pa.types.is_string(column.type) or pa.types.is_null(column.type):
        return
    array = numbers(column, f"{name} ({shorten(path)})")
    shape = (field.metadata or {}).get(b"shape")
    if shape:
        inner = [int(part) for part in shape.split(b",")]
        if min(inner, default=0) < 0 or math.prod(inner) != math.prod(array.shape[1:]):
            raise UnsafeFile(f"{name} says a wrong shape of {shorten(path)}.")
        array = array.reshape(len(array), *inner)
    found[path] = array


def parquet(content: bytes, name: str) -> tuple[dict[str, Any], Arrays]:
    """{"columns": {name: [values]}} of a table of texts and numbers."""
    file = pq.ParquetFile(pa.BufferReader(content))
    facts = file.metadata
    if facts.num_rows > MOST_ROWS or facts.num_columns > 64:
        raise UnsafeFile(f"{name} has {facts.num_rows} rows and {facts.num_columns} columns.")
    declared = sum(facts.row_group(i).total_byte_size for i in range(facts.num_row_groups))
    if declared > MOST_TEXT:
        raise UnsafeFile(f"{name} declares {declared} bytes, and at most {MOST_TEXT} are read.")
    table = file.read(use_threads=False)
    table.validate(full=True)
    found = {}
    for key in table.column_names:
        kind = table.column(key).type
        plain = (pa.types.is_string, pa.types.is_large_string, pa.types.is_integer, pa.types.is_floating)
        if not any(fits(kind) for fits in plain):
            raise UnsafeFile(f"{name} has the column {shorten(key)} of type {kind}, which is not read.")
        found[key] = table.column(key).to_pylist()
    return {"columns": found}, {}


PARSERS = {"imitation": imitation, "minari-arrow": minari_arrow, "parquet": parquet}
