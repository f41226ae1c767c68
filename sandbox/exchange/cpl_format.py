"""`cpl`: comparisons as arrays of pairs, as contrastive preference learning reads them (Hejna et al. 2023).

obs_1, obs_2 [N, T, D] and action_1, action_2 [N, T] or [N, T, C]: two clips of T steps each. label [N]:
1 where the second is better, 0 where the first is, 0.5 for a tie. Rankings of more clips become all
their pairs. Beside them, for who wants them: length_1, length_2 [N], the steps before the zeros that
fill up shorter clips; last_obs_1, last_obs_2 [N, D], what was seen after the last step; terms_1,
terms_2 [N, T, M], the named terms of reward at each step.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces

from agents.feedback.records import Comparison, Record, active_records
from agents.io.safe_files import Arrays, UnsafeFile
from envs.recorded_options import USUAL_OBSERVATION, recorded_options
from envs.task_options import with_options
from envs.trajectory import Trajectory
from envs.world import Task
from sandbox.exchange.ledger import Entry, ProgressCallback, no_progress
from sandbox.exchange.npz import read_npz, write_npz
from sandbox.exchange.state_validation import InvalidRecord
from sandbox.session.folder import program_version
from sandbox.store.provenance import Provenance

NEEDED = ("obs_1", "action_1", "obs_2", "action_2", "label")
BESIDE = ("length", "last_obs", "terms")
OPTIONAL = tuple(f"{name}_{side}" for name in BESIDE for side in (1, 2))
MOST_PAIRS = 1_000_000


class Pair(NamedTuple):
    """Two clips; label 0 for the first being better, 1 for the second, 0.5 for a tie."""

    first: Trajectory
    second: Trajectory
    label: float


def pairs_of(records: Sequence[Record]) -> list[Pair]:
    """All pairs in the standing comparisons that put clips in order."""
    found = []
    for record in active_records(records):
        if not isinstance(record, Comparison) or record.verdict != "ranked":
            continue
        for i, k in combinations(range(len(record.clips)), 2):
            better = record.ranks[i] - record.ranks[k]  # negative: the first
            found.append(
                Pair(record.clips[i], record.clips[k], 0.5 + 0.5 * (better > 0) - 0.5 * (better < 0))
            )
    return found


def arrays_of(pairs: Sequence[Pair]) -> Arrays:
    """The arrays of a file, see above."""
    clips = [clip for pair in pairs for clip in (pair.first, pair.second)]
    if not clips:
        raise UnsafeFile("there are no answered comparisons to write: rank some clips first.")
    steps = max(len(clip) for clip in clips)
    found: Arrays = {"label": np.array([pair.label for pair in pairs], np.float32)}
    for side, part in ((1, [pair.first for pair in pairs]), (2, [pair.second for pair in pairs])):
        found[f"obs_{side}"] = _filled([clip.observations[:-1] for clip in part], steps)
        found[f"action_{side}"] = _filled([clip.actions for clip in part], steps)
        found[f"terms_{side}"] = _filled([clip.terms for clip in part], steps)
        found[f"last_obs_{side}"] = np.stack([clip.observations[-1] for clip in part])
        found[f"length_{side}"] = np.array([len(clip) for clip in part], np.int32)
    return found


def _filled(parts: Sequence[Any], steps: int) -> Any:
    whole = np.zeros((len(parts), steps, *parts[0].shape[1:]), parts[0].dtype)
    for row, part in enumerate(parts):
        whole[row, : len(part)] = part
    return whole


def write(path: Path, records: Sequence[Record], tell: ProgressCallback = no_progress) -> int:
    """Write the standing comparisons; how many pairs there are."""
    pairs = pairs_of(records)
    arrays = arrays_of(pairs)
    tell(0.7, "packing")
    write_npz(path, arrays)
    return len(pairs)


def read(path: Path) -> Arrays:
    """The arrays of a file, checked among each other. Raises UnsafeFile."""
    arrays = read_npz(path, NEEDED, OPTIONAL)
    label = arrays["label"]
    pairs = label.size
    if label.shape not in ((pairs,), (pairs, 1)) or pairs > MOST_PAIRS:
        raise UnsafeFile(f"{path} has labels of shape {list(label.shape)}: one for each pair is expected.")
    arrays["label"] = label = label.reshape(-1).astype(np.float32)
    if not np.isin(label, (0.0, 0.5, 1.0)).all():
        raise UnsafeFile(f"{path} has a label that is neither 0, 0.5 nor 1.")
    obs = arrays["obs_1"]
    if obs.ndim != 3 or obs.shape != arrays["obs_2"].shape or len(obs) != pairs:
        raise UnsafeFile(
            f"{path} has obs_1 of shape {list(obs.shape)} for {pairs} pairs: [N, T, D] is expected."
        )
    rows = {"action": obs.shape[:2], "terms": obs.shape[:2], "length": (pairs,), "last_obs": (pairs,)}
    for name, wanted in rows.items():
        for side in (1, 2):
            array = arrays.get(f"{name}_{side}")
            if array is not None and array.shape[: len(wanted)] != wanted:
                raise UnsafeFile(f"{path} has {name}_{side} of shape {list(array.shape)} for {pairs} pairs.")
    if arrays["action_1"].shape != arrays["action_2"].shape:
        raise UnsafeFile(f"{path} has actions of two shapes.")
    for side in (1, 2):
        length = arrays.get(f"length_{side}")
        if length is None:
            arrays[f"length_{side}"] = np.full(pairs, obs.shape[1], np.int32)
        elif length.ndim != 1 or length.dtype.kind not in "iu" or not _within(length, 1, obs.shape[1]):
            raise UnsafeFile(f"{path} has a length_{side} outside 1 to {obs.shape[1]}.")
    return arrays


def _within(array: Any, low: int, high: int) -> bool:
    return bool(((array >= low) & (array <= high)).all())


def entries(arrays: Arrays, world: Task, source: str) -> list[Entry]:
    """Comparisons in `world`, one for each pair; the same file gives the same ids each time.

    Their clips have no states: they are learned from, and can't be shown. Raises InvalidRecord without terms
    in a world whose reward is learned from its terms.
    """
    if world.names_terms and not all(f"terms_{side}" in arrays for side in (1, 2)):
        raise InvalidRecord(
            f"the file has no terms_1 and terms_2, from which the reward of {world.id} is learned: "
            "import the pairs into a world of somebody else's, or export them with teachbox."
        )
    found = []
    for row, label in enumerate(arrays["label"]):
        clips = tuple(_clip(arrays, row, side, world, source) for side in (1, 2))
        ranks = {0.0: (0, 1), 0.5: (0, 0), 1.0: (1, 0)}[float(label)]
        content = b"".join(part.tobytes() for clip in clips for part in (clip.observations, clip.actions))
        digest = hashlib.sha256(f"{row} {label}".encode() + content).hexdigest()
        record = Comparison(clips, ranks, id=digest[:32])
        found.append(Entry(record, Provenance(source, program_version())))
    return found


def _older_width(world: Task) -> int:
    """How many of the numbers that it shows files of version 0.1.0 have, the first ones; the rest is 0."""
    was = recorded_options(world.id, {k: v for k, v in world.options.items() if k != "observation"})
    usual = world.options.get("observation") == USUAL_OBSERVATION
    return len((with_options(world, was) if usual else world).world.obs_names)


def _clip(arrays: Arrays, row: int, side: int, world: Task, source: str) -> Trajectory:
    steps, wide = int(arrays[f"length_{side}"][row]), len(world.world.obs_names)
    seen = arrays[f"obs_{side}"][row, :steps].astype(np.float32)
    last = arrays.get(f"last_obs_{side}")
    after = seen[-1:] if last is None else last[row : row + 1].astype(np.float32)
    obs = np.concatenate([seen, after.reshape(1, -1)]) if after.size == seen.shape[1] else seen
    if world.ends_early and obs.shape[1] == wide - 1:
        obs = np.concatenate([obs, np.zeros((len(obs), 1), np.float32)], 1)  # never `ended`
    if obs.shape[1] < wide and obs.shape[1] == _older_width(world):
        obs = np.concatenate([obs, np.zeros((len(obs), wide - obs.shape[1]), np.float32)], 1)
    terms = arrays.get(f"terms_{side}")
    told = np.zeros((steps, len(world.world.terms))) if terms is None else terms[row, :steps]
    discrete = isinstance(world.world.action_space, spaces.Discrete)
    actions = arrays[f"action_{side}"][row, :steps].astype(np.int64 if discrete else np.float32)
    return Trajectory(
        task=world.id,
        states=np.zeros((steps + 1, 0), np.float32),
        rng=np.zeros(steps + 1, np.uint64),
        observations=obs,
        actions=actions,
        terms=np.asarray(told, np.float32),
        driver=f"file:{source}"[:100],
        kernel="foreign",
        options=dict(world.options),
    )
