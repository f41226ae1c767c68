"""A driver log: a CSV file of where each car was at each time, read with care.

Columns, in any order: t [s], id, x [m along the road, growing as cars drive on], speed [m/s], and either
lane (a whole number, counted from the left) or y [m to the right of the leftmost lane's middle].
Optional: length [m], and ego (1 or true in the rows of whoever drives). Others are ignored.
"""

from __future__ import annotations

import csv
import difflib
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from envs.lanes.lanes_state_layout import LANE_WIDTH

MOST_BYTES, MOST_ROWS, MOST_COLUMNS = 32 * 2**20, 300_000, 64
NEEDED, OPTIONAL = ("t", "id", "x", "speed"), ("lane", "y", "length", "ego")
USUAL_LENGTH = 4.5  # of a car whose length is not told [m]
_LIMITS = {"t": 1e9, "x": 1e7, "speed": 100.0, "lane": 20.0, "y": 100.0}  # size of what is believed
_YES, _NO = ("1", "1.0", "true", "yes"), ("", "0", "0.0", "false", "no")

Numbers = NDArray[np.float64]


class LogError(ValueError):
    """A log that can't be read; the text is a sentence that names line and value."""


@dataclass(frozen=True)
class Track:
    """One car's rows, in order of time. y [lanes] as in the world; stepped: it came as whole lanes."""

    id: str
    t: Numbers
    x: Numbers
    y: Numbers
    speed: Numbers
    line: NDArray[np.int64]
    length: float
    drives: bool
    stepped: bool


def read_log(path: Path, first_lane: int = 0) -> tuple[Track, ...]:
    """The cars of a log, in order of first appearance. first_lane: what the file calls the leftmost lane."""
    rows: dict[str, list[tuple[float, float, float, float, int, float]]] = {}
    drivers: set[str] = set()
    stepped = False
    for line, row in _rows(_text(path), path.name):
        stepped = "lane" in row
        t, x, speed = (_number(row[name], name, line) for name in ("t", "x", "speed"))
        if stepped:
            lane = _number(row["lane"], "lane", line)
            if lane != round(lane):
                raise LogError(f"line {line}: lane {row['lane']!r} is no whole number (metres go into 'y')")
            y = lane - first_lane
        else:
            y = _number(row["y"], "y", line) / LANE_WIDTH
        length = _number(row["length"], "length", line) if row.get("length") else USUAL_LENGTH
        if not 1.0 <= length <= 30.0:
            raise LogError(f"line {line}: a length of {length:g} m is no car's: give 1 to 30 m")
        if _flag(row.get("ego", ""), line):
            drivers.add(row["id"])
        rows.setdefault(row["id"], []).append((t, x, y, speed, line, length))
    if not rows:
        raise LogError(f"{path.name} has no rows under its header")
    return tuple(_track(id, kept, id in drivers, stepped) for id, kept in rows.items())


def _track(id: str, rows: Sequence[tuple[float, ...]], drives: bool, stepped: bool) -> Track:
    table = np.array(sorted(rows))
    again = np.flatnonzero(np.diff(table[:, 0]) <= 0)
    if len(again):
        t, line = table[again[0] + 1, [0, 4]]
        raise LogError(f"line {int(line)}: car {id!r} is told twice at t {t:g}")
    t, x, y, speed, line, length = table.T
    return Track(id, t, x, y, speed, line.astype(np.int64), float(np.median(length)), drives, stepped)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise LogError(f"the log {str(path)!r} can't be read: {error.strerror}") from error
    if len(content) > MOST_BYTES:
        raise LogError(f"{path.name} is over {MOST_BYTES // 2**20} MiB: cut it into shorter ones")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise LogError(f"line {line} of {path.name} is no text in UTF-8: save it as CSV") from error


def _rows(text: str, name: str) -> Iterator[tuple[int, dict[str, str]]]:
    """(line number, value by column) of each row."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = _header([cell.strip() for cell in next(reader, [])], name)
        for count, cells in enumerate(reader):
            if not any(cell.strip() for cell in cells):
                continue
            if count >= MOST_ROWS:
                raise LogError(
                    f"line {reader.line_num}: over {MOST_ROWS} rows: cut the log into shorter ones"
                )
            if len(cells) != len(header):
                raise LogError(
                    f"line {reader.line_num}: {len(cells)} values, but the header has {len(header)} columns"
                )
            known = (*NEEDED, *OPTIONAL)
            yield (
                reader.line_num,
                {c: cell.strip() for c, cell in zip(header, cells, strict=True) if c in known},
            )
    except csv.Error as error:
        raise LogError(f"line {reader.line_num} of {name} is no CSV: {error}") from error


def _header(names: Sequence[str], file: str) -> list[str]:
    if len(names) > MOST_COLUMNS:
        raise LogError(f"line 1: {len(names)} columns, {MOST_COLUMNS} at most: keep those that are needed")
    columns = [name.lower() for name in names]
    for name in columns:
        if columns.count(name) > 1 and name in (*NEEDED, *OPTIONAL):
            raise LogError(f"line 1: the column {name!r} is there twice: keep one")
    for name in NEEDED:
        if name not in columns:
            alike = [column for column in columns if column.startswith(name)]
            alike += difflib.get_close_matches(name, columns, n=1, cutoff=0.5)
            hint = f" (is it {alike[0]!r}?)" if alike else ""
            raise LogError(
                f"line 1: {file} has no column {name!r}{hint}: it needs {', '.join(NEEDED)}, and lane or y"
            )
    if ("lane" in columns) == ("y" in columns):
        both = "both columns 'lane' and 'y'" if "y" in columns else "neither a column 'lane' nor 'y'"
        raise LogError(f"line 1: {file} has {both}: keep one of them")
    return columns


def _number(text: str, name: str, line: int) -> float:
    try:
        value = float(text)
    except ValueError:
        raise LogError(f"line {line}: {name} {text!r} is no number") from None
    if not math.isfinite(value) or abs(value) > _LIMITS.get(name, math.inf):
        raise LogError(f"line {line}: {name} {text} can't be: at most {_LIMITS.get(name, math.inf):g}")
    return value


def _flag(text: str, line: int) -> bool:
    if text.lower() not in _YES + _NO:
        raise LogError(f"line {line}: ego {text!r} is neither 1 nor 0")
    return text.lower() in _YES
