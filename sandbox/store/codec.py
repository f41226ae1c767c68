"""Records to rows and back: scalars as JSON, trajectories as safetensors. Nothing here runs code."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Any, get_type_hints

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from agents.feedback.feedback_kind import RECORD_TYPES
from agents.feedback.records import Record, Undo, kind_of
from envs.trajectory import Trajectory

_ARRAYS = ("states", "rng", "observations", "actions", "terms")
_META = "teachbox"


class CodecError(ValueError):
    """A record or trajectory that can't be written or read; the text says what about it."""


@dataclass(frozen=True)
class EncodedClip:
    """One trajectory of a record: its role there, its place among equals, and its bytes."""

    role: str
    place: int
    task: str
    digest: str
    steps: int
    content: bytes


@dataclass(frozen=True)
class EncodedRecord:
    """A record as it goes into the tables. `digest` covers kind, body and trajectories."""

    id: str
    kind: str
    body: str
    digest: str
    target: str | None
    task: str
    clips: tuple[EncodedClip, ...]


def encode_trajectory(trajectory: Trajectory) -> bytes:
    """safetensors bytes; equal trajectories give equal bytes."""
    arrays = {name: np.ascontiguousarray(getattr(trajectory, name)) for name in _ARRAYS}
    if trajectory.prefix is not None:
        arrays["prefix"] = np.ascontiguousarray(trajectory.prefix)
    facts = {
        "task": trajectory.task,
        "driver": trajectory.driver,
        "kernel": trajectory.kernel,
        "options": dict(trajectory.options),
        "seed": trajectory.seed,
    }
    # One entry only: safetensors keeps no order among several, and equal content must hash alike.
    return save_arrays(arrays, metadata={_META: _json(facts)})


def decode_trajectory(content: bytes) -> Trajectory:
    """The trajectory that `encode_trajectory` wrote; CodecError for any other bytes."""
    try:
        arrays = load_arrays(content)
        (size,) = struct.unpack_from("<Q", content)
        facts = json.loads(json.loads(content[8 : 8 + size])["__metadata__"][_META])
        kept: dict[str, Any] = {name: arrays[name] for name in _ARRAYS}
        return Trajectory(**kept, prefix=arrays.get("prefix"), **facts)
    except (SafetensorError, ValueError, KeyError, TypeError, struct.error) as error:
        raise CodecError(f"a trajectory of {len(content)} bytes can't be read ({error})") from error


def encode(record: Record) -> EncodedRecord:
    """A record as rows; CodecError if it holds what can't be kept (a NaN, an unknown kind)."""
    kind = kind_of(record)
    if RECORD_TYPES.get(kind) is not type(record):
        raise CodecError(f"{type(record).__name__} is no kind of record")
    body: dict[str, Any] = {}
    clips: list[EncodedClip] = []
    for item in fields(record):
        value = getattr(record, item.name)
        if _TRAJECTORIES[kind].get(item.name):
            parts = value if isinstance(value, tuple) else (value,)
            clips += [_clip(item.name, place, part) for place, part in enumerate(parts)]
        elif item.name != "id":
            body[item.name] = value
    text = _json(body)
    digest = digest_of(kind, text, [clip.digest for clip in clips])
    target = record.target if isinstance(record, Undo) else None
    return EncodedRecord(record.id, kind, text, digest, target, clips[0].task if clips else "", tuple(clips))


def digest_of(kind: str, body: str, clips: Sequence[str]) -> str:
    """SHA-256 over a record's kind, body and the digests of its trajectories in the fields' order."""
    return sha256("\n".join([kind, body, *clips]).encode()).hexdigest()


def roles_of(kind: str) -> tuple[str, ...]:
    """The fields of a kind of record that hold trajectories, in order; none for an unknown kind."""
    return tuple(_TRAJECTORIES.get(kind, ()))


def decode(id: str, kind: str, body: str, clips: Mapping[str, Sequence[Trajectory]]) -> Record:
    """The record again. `clips`: the trajectories by role, each in order of place."""
    if kind not in RECORD_TYPES:
        raise CodecError(f"record {id} is of unknown kind {kind!r}")
    try:
        values = {k: tuple(v) if isinstance(v, list) else v for k, v in json.loads(body).items()}
        for role, many in _TRAJECTORIES[kind].items():
            values[role] = tuple(clips[role]) if many is tuple else clips[role][0]
        record: Record = RECORD_TYPES[kind](**values, id=id)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise CodecError(f"{kind} {id} can't be read ({error})") from error
    return record


def _roles(kind: type[Any]) -> dict[str, type[Any]]:
    """The fields of a kind of record that hold a Trajectory, or a tuple of them."""
    hints = get_type_hints(kind)
    many = tuple[Trajectory, ...]
    mine = {name: hint for name, hint in hints.items() if hint in (Trajectory, many)}
    return {name: tuple if hint == many else Trajectory for name, hint in mine.items()}


_TRAJECTORIES = {name: _roles(kind) for name, kind in RECORD_TYPES.items()}


def _clip(role: str, place: int, item: Trajectory) -> EncodedClip:
    content = encode_trajectory(item)
    return EncodedClip(role, place, item.task, sha256(content).hexdigest(), len(item), content)


def _json(value: Any) -> str:
    try:
        return json.dumps(value, sort_keys=True, allow_nan=False, default=_plain, separators=(",", ":"))
    except ValueError as error:
        raise CodecError(f"{value!r} is not finite") from error


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise CodecError(f"{value!r} of type {type(value).__name__} can't be kept as JSON")
