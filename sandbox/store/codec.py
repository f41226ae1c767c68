"""Records to rows and back: scalars as JSON, trajectories as safetensors. Nothing here runs code."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from agents.feedback import Comparison, Correction, Demonstration, Evaluation, Record, Undo, kind_of
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
    digest: str
    steps: int
    content: bytes


@dataclass(frozen=True)
class Encoded:
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


def encode(record: Record) -> Encoded:
    """A record as rows; CodecError if it holds what can't be kept (a NaN, an unknown kind)."""
    body, trajectories = _parts(record)
    clips = []
    for role, place, item in trajectories:
        content = encode_trajectory(item)
        clips.append(EncodedClip(role, place, sha256(content).hexdigest(), len(item), content))
    kind, text = kind_of(record), _json(body)
    digest = sha256("\n".join([kind, text, *(c.digest for c in clips)]).encode()).hexdigest()
    target = record.target if isinstance(record, Undo) else None
    task = trajectories[0][2].task if trajectories else ""
    return Encoded(record.id, kind, text, digest, target, task, tuple(clips))


def decode(id: str, kind: str, body: str, clips: Mapping[str, Sequence[Trajectory]]) -> Record:
    """The record again. `clips`: the trajectories by role, each in order of place."""
    try:
        fields = json.loads(body)
        if kind == "demonstration":
            return Demonstration(clips["trajectory"][0], id=id)
        if kind == "evaluation":
            return Evaluation(clips["segment"][0], **fields, id=id)
        if kind == "comparison":
            fields["ranks"] = tuple(fields["ranks"])
            return Comparison(tuple(clips["clip"]), **fields, id=id)
        if kind == "correction":
            return Correction(clips["agent"][0], clips["person"][0], id=id)
        if kind == "undo":
            return Undo(**fields, id=id)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise CodecError(f"{kind} {id} can't be read ({error})") from error
    raise CodecError(f"record {id} is of unknown kind {kind!r}")


def _parts(record: Record) -> tuple[dict[str, Any], list[tuple[str, int, Trajectory]]]:
    fields: dict[str, Any]
    if isinstance(record, Demonstration):
        return {}, [("trajectory", 0, record.trajectory)]
    if isinstance(record, Evaluation):
        fields = {"value": record.value, "delay_steps": record.delay_steps, "rate": record.rate}
        return fields, [("segment", 0, record.segment)]
    if isinstance(record, Comparison):
        fields = {
            "ranks": list(record.ranks),
            "verdict": record.verdict,
            "question": record.question,
            "seconds": record.seconds,
        }
        return fields, [("clip", place, item) for place, item in enumerate(record.clips)]
    if isinstance(record, Correction):
        return {}, [("agent", 0, record.agent), ("person", 0, record.person)]
    if isinstance(record, Undo):
        return {"target": record.target}, []
    raise CodecError(f"{type(record).__name__} is no kind of record")


def _json(value: Any) -> str:
    try:
        return json.dumps(value, sort_keys=True, allow_nan=False, default=_plain, separators=(",", ":"))
    except ValueError as error:
        raise CodecError(f"{value!r} is not finite") from error


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise CodecError(f"{value!r} of type {type(value).__name__} can't be kept as JSON")
