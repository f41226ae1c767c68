"""`bundle`: everything a session holds, lossless, as JSON and safetensors; see docs/exchange.md.

bundle.json          world, options, records in order, and what is said of each clip
clips.safetensors    the clips' arrays, "<clip>.<field>"; equal clips are kept once
manifest.json        size and SHA-256 of both
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save as save_arrays

from agents.io.manifest import read_folder, write_folder
from agents.io.safe_files import Arrays, UnsafeFile, parse_json, read_tensors, shorten
from envs.trajectory import Trajectory
from sandbox.exchange.ledger import Entry, Ledger, ProgressCallback, no_progress
from sandbox.session.folder import program_version
from sandbox.store.codec import CodecError, decode, encode
from sandbox.store.provenance import Provenance

FORMAT, VERSION = "teachbox-preferences", 1
FACTS, CLIPS = "bundle.json", "clips.safetensors"
ARRAYS = ("states", "rng", "observations", "actions", "terms", "prefix")
TEXTS = ("task", "driver", "kernel")
ID = re.compile(r"[0-9a-f]{32}")
MOST_TEXT = 400


def write(path: Path, ledger: Ledger, tell: ProgressCallback = no_progress) -> int:
    """Write a bundle folder; how many records are in it. Raises UnsafeFile if `path` exists."""
    clips: list[dict[str, Any]] = []
    arrays: Arrays = {}
    index: dict[str, int] = {}
    records = []
    for number, entry in enumerate(ledger.entries):
        encoded = encode(entry.record)
        roles: dict[str, list[int]] = {}
        for part, trajectory in zip(encoded.clips, trajectories_of(entry.record), strict=True):
            if part.digest not in index:
                index[part.digest] = len(clips)
                arrays |= _arrays(len(clips), trajectory)
                clips.append(_clip_fields(trajectory))
            roles.setdefault(part.role, []).append(index[part.digest])
        records.append(
            {
                "id": encoded.id,
                "kind": encoded.kind,
                "body": json.loads(encoded.body),
                "clips": roles,
                "provenance": asdict(entry.provenance),
            }
        )
        tell((number + 1) / len(ledger.entries), "writing records")
    facts = {
        "format": FORMAT,
        "version": VERSION,
        "program": program_version(),
        "world": ledger.world,
        "options": dict(ledger.options),
        "clips": clips,
        "records": records,
    }
    text = json.dumps(facts, indent=1, allow_nan=False) + "\n"
    write_folder(path, {FACTS: text.encode(), CLIPS: save_arrays(arrays)})
    return len(records)


def read(path: Path, tell: ProgressCallback = no_progress) -> Ledger:
    """The ledger that `write` wrote. Raises UnsafeFile with a sentence for anything else."""
    files = read_folder(path, {FACTS, CLIPS})
    facts = parse_json(files[FACTS], FACTS)
    if facts.get("format") != FORMAT or facts.get("version") != VERSION:
        raise UnsafeFile(
            f"{path} is of format {shorten(facts.get('format'))}, version {shorten(facts.get('version'))}; "
            f"this program reads {FORMAT!r}, version {VERSION}."
        )
    listed = _list(facts, "clips")
    arrays: list[Arrays] = [{} for _ in listed]
    for name, value in read_tensors(files[CLIPS], CLIPS).items():
        number, _, part = name.partition(".")
        if not number.isdecimal() or int(number) >= len(listed) or part not in ARRAYS:
            raise UnsafeFile(f"{CLIPS} holds an unknown tensor {shorten(name)}.")
        arrays[int(number)][part] = value
    clips = [_trajectory(i, said, arrays[i]) for i, said in enumerate(listed)]
    entries = []
    records = _list(facts, "records")
    for place, told in enumerate(records):
        entries.append(_entry(place, told, clips))
        tell((place + 1) / len(records), "reading records")
    if not isinstance(facts.get("world"), str) or not isinstance(facts.get("options"), dict):
        raise UnsafeFile(f"{path / FACTS} does not say its world and options.")
    return Ledger(facts["world"], facts["options"], entries)


def trajectories_of(record: Any) -> list[Trajectory]:
    """A record's clips in the order in which `encode` gives them."""
    found: list[Trajectory] = []
    for item in fields(record):
        value = getattr(record, item.name)
        many = value if isinstance(value, tuple) else (value,)
        found += [one for one in many if isinstance(one, Trajectory)]
    return found


def _arrays(number: int, clip: Trajectory) -> Arrays:
    return {
        f"{number}.{name}": np.ascontiguousarray(getattr(clip, name))
        for name in ARRAYS
        if getattr(clip, name) is not None
    }


def _clip_fields(clip: Trajectory) -> dict[str, Any]:
    said = {name: getattr(clip, name) for name in TEXTS}
    return {**said, "options": dict(clip.options), "seed": clip.seed, "steps": len(clip)}


def _list(facts: Mapping[str, Any], name: str) -> list[Any]:
    if not isinstance(facts.get(name), list):
        raise UnsafeFile(f"{FACTS} has no list of {name}.")
    return list(facts[name])


def _trajectory(number: int, data: Any, arrays: Arrays) -> Trajectory:
    """Clip `number` from what is said of it and its arrays; types and lengths are checked, not meanings."""
    name = f"clip {number}"
    if not isinstance(data, dict) or set(data) != {*TEXTS, "options", "seed", "steps"}:
        raise UnsafeFile(f"{name} is not described as a clip is.")
    if not all(isinstance(data[key], str) and len(data[key]) <= MOST_TEXT for key in TEXTS):
        raise UnsafeFile(f"{name} has a task, driver or kernel that is no short text.")
    if not isinstance(data["options"], dict) or not isinstance(data["seed"], int | None):
        raise UnsafeFile(f"{name} has options or a seed of a wrong kind.")
    missing = [key for key in ARRAYS[:-1] if key not in arrays]
    if missing:
        raise UnsafeFile(f"{name} has no array {missing[0]!r}.")
    steps = len(arrays["actions"]) if arrays["actions"].ndim else -1
    wanted = {"states": 2, "rng": 1, "observations": 2, "terms": 2}
    for key, dimensions in wanted.items():
        rows = steps if key == "terms" else steps + 1
        if arrays[key].ndim != dimensions or len(arrays[key]) != rows:
            raise UnsafeFile(f"{name} of {steps} steps has {key} of shape {list(arrays[key].shape)}.")
    if steps != data["steps"] or arrays["actions"].ndim > 2:
        raise UnsafeFile(f"{name} has actions of shape {list(arrays['actions'].shape)}.")
    for key, dtype in (("rng", np.uint64), ("observations", np.float32), ("terms", np.float32)):
        if arrays[key].dtype != dtype:
            raise UnsafeFile(f"{name} has {key} of type {arrays[key].dtype}, not {np.dtype(dtype)}.")
    facts: dict[str, Any] = {key: data[key] for key in (*TEXTS, "options", "seed")}
    parts: dict[str, Any] = {**facts, **arrays}
    return Trajectory(**parts)


def _entry(number: int, data: Any, clips: list[Trajectory]) -> Entry:
    name = f"record {number}"
    if not isinstance(data, dict) or set(data) != {"id", "kind", "body", "clips", "provenance"}:
        raise UnsafeFile(f"{name} is not described as a record is.")
    id, kind, body, roles = data["id"], data["kind"], data["body"], data["clips"]
    if not isinstance(id, str) or not ID.fullmatch(id) or not isinstance(kind, str):
        raise UnsafeFile(f"{name} has the id {shorten(id)} and the kind {shorten(kind)}.")
    if not isinstance(body, dict) or not isinstance(roles, dict):
        raise UnsafeFile(f"{name} has a body or clips of a wrong kind.")
    chosen: dict[str, list[Trajectory]] = {}
    for role, numbers in roles.items():
        if not isinstance(numbers, list) or not all(type(i) is int and 0 <= i < len(clips) for i in numbers):
            raise UnsafeFile(f"{name} names clips that the bundle does not have.")
        chosen[role] = [clips[i] for i in numbers]
    try:
        record = decode(id, kind, json.dumps(body), chosen)
    except CodecError as error:
        raise UnsafeFile(f"{name} can't be read: {error}.") from error
    return Entry(record, parse_provenance(name, data["provenance"]))


def parse_provenance(name: str, data: Any) -> Provenance:
    """Where a record comes from, as a file says it; UnsafeFile for values of a wrong kind."""
    known = {item.name for item in fields(Provenance)}
    if not isinstance(data, dict) or set(data) != known:
        raise UnsafeFile(f"{name} does not say where it comes from.")
    order = data["side_order"]
    texts = [data[key] for key in ("rater", "program", "said_at")]
    maybe = [data[key] for key in ("question", "policy")]
    fits = (
        all(isinstance(text, str) and len(text) <= MOST_TEXT for text in texts)
        and all(text is None or (isinstance(text, str) and len(text) <= MOST_TEXT) for text in maybe)
        and (order is None or (isinstance(order, list) and all(type(i) is int for i in order)))
        and type(data["reaction_seconds"]) in (int, float, type(None))
    )
    if not fits:
        raise UnsafeFile(f"{name} says where it comes from in values of a wrong kind.")
    return Provenance(**{**data, "side_order": None if order is None else tuple(order)})
