"""`bundle`: everything a session holds, lossless, as JSON and safetensors; see docs/exchange.md.

bundle.json          world, options, records in order, and what is said of each clip
clips.safetensors    the clips' arrays, "<clip>.<field>"; equal clips are kept once
manifest.json        size and SHA-256 of both
"""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from msgspec import Meta, Struct
from msgspec.structs import asdict
from safetensors.numpy import save as save_arrays

from agents.io.checked_json import Text, checked
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
Index = Annotated[int, Meta(ge=0)]


class ClipFacts(Struct, frozen=True, forbid_unknown_fields=True):
    """What is said of a clip beside its arrays."""

    task: Text
    driver: Text
    kernel: Text
    options: dict[str, Any]
    seed: int | None
    steps: int


class OriginFacts(Struct, frozen=True, forbid_unknown_fields=True):
    """A record's `Provenance`."""

    rater: Text
    program: Text
    reaction_seconds: float | None
    question: Text | None
    side_order: tuple[int, ...] | None
    policy: Text | None
    said_at: Text


class RecordFacts(Struct, frozen=True, forbid_unknown_fields=True):
    """A record; clips: for each role the numbers of its clips."""

    id: Annotated[str, Meta(pattern=rf"\A{ID.pattern}\Z")]
    kind: str
    body: dict[str, Any]
    clips: dict[str, list[Index]]
    provenance: OriginFacts


class BundleFacts(Struct, frozen=True):
    """What bundle.json holds, beside its format and version."""

    world: str
    options: dict[str, Any]
    clips: list[ClipFacts]
    records: list[RecordFacts]


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
                "provenance": dataclasses.asdict(entry.provenance),
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
    listed = checked(facts, BundleFacts, FACTS)
    arrays: list[Arrays] = [{} for _ in listed.clips]
    for name, value in read_tensors(files[CLIPS], CLIPS).items():
        number, _, part = name.partition(".")
        if not number.isdecimal() or int(number) >= len(arrays) or part not in ARRAYS:
            raise UnsafeFile(f"{CLIPS} holds an unknown tensor {shorten(name)}.")
        arrays[int(number)][part] = value
    clips = [_trajectory(i, said, arrays[i]) for i, said in enumerate(listed.clips)]
    entries = []
    for place, told in enumerate(listed.records):
        entries.append(_entry(place, told, clips))
        tell((place + 1) / len(listed.records), "reading records")
    return Ledger(listed.world, listed.options, entries)


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


def _trajectory(number: int, said: ClipFacts, arrays: Arrays) -> Trajectory:
    """Clip `number` from what is said of it and its arrays; types and lengths are checked, not meanings."""
    name = f"clip {number}"
    missing = [key for key in ARRAYS[:-1] if key not in arrays]
    if missing:
        raise UnsafeFile(f"{name} has no array {missing[0]!r}.")
    steps = len(arrays["actions"]) if arrays["actions"].ndim else -1
    wanted = {"states": 2, "rng": 1, "observations": 2, "terms": 2}
    for key, dimensions in wanted.items():
        rows = steps if key == "terms" else steps + 1
        if arrays[key].ndim != dimensions or len(arrays[key]) != rows:
            raise UnsafeFile(f"{name} of {steps} steps has {key} of shape {list(arrays[key].shape)}.")
    if steps != said.steps or arrays["actions"].ndim > 2:
        raise UnsafeFile(f"{name} has actions of shape {list(arrays['actions'].shape)}.")
    for key, dtype in (("rng", np.uint64), ("observations", np.float32), ("terms", np.float32)):
        if arrays[key].dtype != dtype:
            raise UnsafeFile(f"{name} has {key} of type {arrays[key].dtype}, not {np.dtype(dtype)}.")
    facts: dict[str, Any] = asdict(said) | arrays
    del facts["steps"]
    return Trajectory(**facts)


def _entry(number: int, said: RecordFacts, clips: list[Trajectory]) -> Entry:
    name = f"record {number}"
    chosen: dict[str, list[Trajectory]] = {}
    for role, numbers in said.clips.items():
        if any(i >= len(clips) for i in numbers):
            raise UnsafeFile(f"{name} names clips that the bundle does not have.")
        chosen[role] = [clips[i] for i in numbers]
    try:
        record = decode(said.id, said.kind, json.dumps(said.body), chosen)
    except CodecError as error:
        raise UnsafeFile(f"{name} can't be read: {error}.") from error
    return Entry(record, Provenance(**asdict(said.provenance)))


def parse_provenance(name: str, data: Any) -> Provenance:
    """Where a record comes from, as a file says it; UnsafeFile for values of a wrong kind."""
    return Provenance(**asdict(checked(data, OriginFacts, f"the provenance of {name}")))
