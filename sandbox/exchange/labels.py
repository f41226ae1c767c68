"""`csv` and `parquet`: one row for each record, without the clips themselves.

A clip is named by the SHA-256 of its bytes. So labels can be made elsewhere for clips that a session
has, and come back; a label for clips that it does not have is refused.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from agents.feedback.feedback_kind import RECORD_TYPES
from agents.feedback.records import Record, Undo, new_id
from agents.io.safe_files import UnsafeFile, check_text, fresh_file, read_bytes, shorten
from envs.trajectory import Trajectory
from sandbox.exchange.isolated_parser import IsolatedParser, parser_or_new, require_libraries
from sandbox.exchange.ledger import Entry, Ledger, ProgressCallback, no_progress
from sandbox.exchange.preference_bundle import ID, trajectories_of
from sandbox.store.codec import CodecError, decode, encode
from sandbox.store.provenance import Provenance

COLUMNS = (
    "id", "kind", "task", "rater", "program", "said_at", "reaction_seconds", "asked", "side_order", "policy",
    "target", "verdict", "ranks", "question", "seconds", "value", "delay_steps", "rate", "clips", "steps",
)  # fmt: skip
NUMBERS = ("reaction_seconds", "seconds", "value", "delay_steps", "rate")
BODY = {
    "comparison": ("verdict", "ranks", "question", "seconds"),
    "evaluation": ("value", "delay_steps", "rate"),
    "undo": ("target",),
    "demonstration": (),
    "correction": (),
}
DIGEST = re.compile(r"[0-9a-f]{64}")
MOST_BYTES, MOST_CELL = 2**28, 100_000
Row = dict[str, str | float | None]


def rows_of(ledger: Ledger) -> list[Row]:
    """A row for each record; texts and numbers, None where a column says nothing of it."""
    return [_row(entry) for entry in ledger.entries]


def _row(entry: Entry) -> Row:
    encoded, origin = encode(entry.record), entry.provenance
    body = json.loads(encoded.body)
    row: Row = dict.fromkeys(COLUMNS)
    row |= {"id": encoded.id, "kind": encoded.kind, "task": encoded.task, "rater": origin.rater}
    row |= {"program": origin.program, "said_at": origin.said_at, "policy": origin.policy}
    row |= {"reaction_seconds": _number(origin.reaction_seconds), "asked": origin.question}
    row["side_order"] = None if origin.side_order is None else json.dumps(list(origin.side_order))
    row |= {key: value for key, value in body.items() if key in COLUMNS and key != "ranks"}
    row |= {key: _number(body[key]) for key in NUMBERS if key in body}
    if "ranks" in body:
        row["ranks"] = json.dumps(body["ranks"])
    row["clips"] = json.dumps([clip.digest for clip in encoded.clips])
    row["steps"] = json.dumps([clip.steps for clip in encoded.clips])
    return row


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def write_csv(path: Path, ledger: Ledger, tell: ProgressCallback = no_progress) -> int:
    """Write a CSV file; how many rows it has."""
    rows = rows_of(ledger)
    with fresh_file(path) as fresh, fresh.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(COLUMNS)
        for number, row in enumerate(rows):
            out.writerow([_cell(row[key]) for key in COLUMNS])
            tell((number + 1) / len(rows), "writing rows")
    return len(rows)


def _cell(value: Any) -> str:
    """Numbers so that they come back to the last bit; a text that would be read as empty is quoted JSON."""
    if value is None:
        return ""
    return repr(value) if isinstance(value, float) else json.dumps(value) if _odd(value) else str(value)


def _odd(text: str) -> bool:
    """Texts that a CSV file or a spreadsheet does not give back as they are: empty, quoted, formulas ..."""
    return not text or text[0] in '"=+-@' or any(ord(c) < 32 or 0xD800 <= ord(c) < 0xE000 for c in text)


def _uncell(cell: str, column: str, where: str) -> str | float | None:
    if cell == "":
        return None
    if column in NUMBERS:
        try:
            number = float(cell)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise UnsafeFile(
                f"{where} has {shorten(cell)} in the column {column!r}, and a number is expected."
            )
        return number
    if cell[0] != '"':
        return cell
    try:
        text = json.loads(cell)
    except (ValueError, RecursionError) as error:
        raise UnsafeFile(f"{where} has {shorten(cell)}, which is no quoted text.") from error
    if not isinstance(text, str):
        raise UnsafeFile(f"{where} has {shorten(cell)}, which is no quoted text.")
    check_text(text, where)
    return text


def read_csv(path: Path) -> list[Row]:
    """The rows of a CSV file. Raises UnsafeFile with the line."""
    content = read_bytes(path, MOST_BYTES)
    csv.field_size_limit(MOST_CELL)
    try:
        lines = csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True)
        header = next(lines, [])
        _check_columns(header, path)
        found = []
        for cells in lines:
            where = f"{path}, line {lines.line_num},"
            if len(cells) != len(header):
                raise UnsafeFile(f"{where} has {len(cells)} cells instead of {len(header)}.")
            named = zip(header, cells, strict=True)
            row: Row = dict.fromkeys(COLUMNS)
            found.append(row | {key: _uncell(cell, key, where) for key, cell in named})
        return found
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnsafeFile(f"{path} is no CSV file in UTF-8 ({error}).") from error


def _check_columns(names: Sequence[str], path: Path) -> None:
    odd = [name for name in names if name not in COLUMNS]
    missing = [name for name in ("kind", "clips") if name not in names]
    if odd or missing or len(set(names)) != len(names):
        raise UnsafeFile(
            f"{path} has the columns {shorten(list(names))}: known are {', '.join(COLUMNS)}; "
            "'kind' and 'clips' are needed."
        )


def write_parquet(path: Path, ledger: Ledger, tell: ProgressCallback = no_progress) -> int:
    """Write a Parquet file; how many rows it has."""
    require_libraries("parquet")
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = rows_of(ledger)
    kinds = [pa.field(key, pa.float64() if key in NUMBERS else pa.string()) for key in COLUMNS]
    table = pa.table({key: [row[key] for row in rows] for key in COLUMNS}, schema=pa.schema(kinds))
    tell(0.5, "writing rows")
    with fresh_file(path) as fresh:
        pq.write_table(table, fresh)
    return len(rows)


def read_parquet(path: Path, parser: IsolatedParser | None = None) -> list[Row]:
    """The rows of a Parquet file, read apart. Raises UnsafeFile."""
    with parser_or_new(parser, "parquet") as reader:
        facts, _ = reader.read("parquet", path)
    columns: Mapping[str, list[Any]] = facts["columns"]
    _check_columns(list(columns), path)
    found = []
    for number in range(len(columns["kind"])):
        row: Row = dict.fromkeys(COLUMNS)
        for key, values in columns.items():
            value = values[number]
            wanted = (int, float, type(None)) if key in NUMBERS else (str, type(None))
            if type(value) not in wanted:
                raise UnsafeFile(f"{path}, row {number}, has {shorten(value)} in the column {key!r}.")
            row[key] = float(value) if isinstance(value, int) else value
        found.append(row)
    return found


def clips_by_digest(records: Iterable[Record]) -> dict[str, Trajectory]:
    """Every clip of these records under the name that rows have for it."""
    found: dict[str, Trajectory] = {}
    for record in records:
        for part, clip in zip(encode(record).clips, trajectories_of(record), strict=True):
            found[part.digest] = clip
    return found


def entries(rows: Sequence[Row], clips: Mapping[str, Trajectory], path: Path) -> list[Entry]:
    """The records that rows stand for. Raises UnsafeFile: an unknown clip, a value of a wrong kind."""
    return [_entry(row, clips, f"{path}, record {number + 1},") for number, row in enumerate(rows)]


def _entry(row: Row, clips: Mapping[str, Trajectory], where: str) -> Entry:
    kind, id = row["kind"], row["id"] or new_id()
    if kind not in RECORD_TYPES or not isinstance(id, str) or not ID.fullmatch(id):
        raise UnsafeFile(f"{where} has the kind {shorten(kind)} and the id {shorten(id)}.")
    body: dict[str, Any] = {key: row[key] for key in BODY[str(kind)] if row[key] is not None}
    if "ranks" in body:
        body["ranks"] = _ints(row["ranks"], "ranks", where)
    if kind == "comparison":
        body = {"verdict": "ranked", "ranks": [], "question": "", "seconds": 0.0, **body}
    names = _strings(row["clips"], where)
    unknown = [name for name in names if name not in clips]
    if unknown:
        raise UnsafeFile(
            f"{where} is about the clip {shorten(unknown[0])}, which the session does not have: "
            "import the bundle that holds it first."
        )
    found = [clips[name] for name in names]
    if kind == "correction" and len(found) != 2:
        raise UnsafeFile(f"{where} is a correction of {len(found)} clips instead of two.")
    roles = {
        "comparison": {"clips": found},
        "correction": {"agent": found[:1], "person": found[1:]},
        "evaluation": {"segment": found},
        "demonstration": {"trajectory": found},
    }.get(str(kind), {})
    if kind in ("evaluation", "demonstration", "undo") and len(found) != (kind != "undo"):
        raise UnsafeFile(f"{where} names {len(found)} clips, which is not what {kind} has.")
    try:
        record = decode(id, str(kind), json.dumps(body), roles)
    except CodecError as error:
        raise UnsafeFile(f"{where} can't be read: {error}.") from error
    if isinstance(record, Undo) and not isinstance(record.target, str):
        raise UnsafeFile(f"{where} takes back nothing.")
    return Entry(record, _origin(row, where))


def _origin(row: Row, where: str) -> Provenance:
    order = row["side_order"]
    given: dict[str, Any] = {key: row[key] for key in ("rater", "program") if row[key] is not None}
    if row["said_at"] is not None:
        given["said_at"] = row["said_at"]
    return Provenance(
        **{"rater": "file", "program": "", **given},
        reaction_seconds=row["reaction_seconds"],  # type: ignore[arg-type]
        question=row["asked"],  # type: ignore[arg-type]
        side_order=None if order is None else tuple(_ints(order, "side_order", where)),
        policy=row["policy"],  # type: ignore[arg-type]
    )


def _list(value: Any, column: str, where: str) -> list[Any]:
    try:
        found = json.loads(value) if isinstance(value, str) else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or len(found) > 1000:
        raise UnsafeFile(
            f"{where} has {shorten(value)} in the column {column!r}: a list as in JSON is expected."
        )
    return found


def _ints(value: Any, column: str, where: str) -> list[int]:
    found = _list(value, column, where)
    if not all(type(one) is int for one in found):
        raise UnsafeFile(
            f"{where} has {shorten(value)} in the column {column!r}: whole numbers are expected."
        )
    return found


def _strings(value: Any, where: str) -> list[str]:
    found = [] if value is None else _list(value, "clips", where)
    if not all(isinstance(one, str) and DIGEST.fullmatch(one) for one in found):
        raise UnsafeFile(f"{where} has {shorten(value)} in the column 'clips': names of clips are expected.")
    return found
