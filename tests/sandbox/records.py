"""Random records of every kind, and whether two are the same to the last bit."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from agents.feedback.records import Comparison, Correction, Demonstration, Evaluation, Record, Undo
from envs.trajectory import Trajectory

STATE_TYPES = (np.int8, np.uint8, np.int16, np.int32, np.int64, np.float32, np.float64, np.bool_)
ids = st.uuids().map(lambda uuid: uuid.hex)
numbers = st.floats(allow_nan=False, allow_infinity=False)
options = st.dictionaries(
    st.text(max_size=8), st.one_of(st.integers(), numbers, st.text(max_size=8)), max_size=3
)


@st.composite
def trajectories(draw: st.DrawFn) -> Trajectory:
    """Any shape and content, NaN and infinity in arrays among them."""
    steps, k, d, m = (draw(st.integers(0, 4)) for _ in range(4))
    array = hnp.arrays
    foreign = draw(st.booleans())
    shape: tuple[int, ...] = (steps,) if draw(st.booleans()) else (steps, 2)
    action_type = np.int64 if len(shape) == 1 else np.float32
    return Trajectory(
        task=draw(st.text(max_size=12)),
        states=draw(array(draw(st.sampled_from(STATE_TYPES)), (steps + 1, k))),
        rng=draw(array(np.uint64, steps + 1)),
        observations=draw(array(np.float32, (steps + 1, d))),
        actions=draw(array(action_type, shape)),
        terms=draw(array(np.float32, (steps, m))),
        driver=draw(st.text(max_size=8)),
        kernel=draw(st.sampled_from(["compiled", "plain"])),
        options=draw(options),
        seed=draw(st.integers(0, 2**70)) if foreign else None,
        prefix=draw(array(action_type, (3, *shape[1:]))) if foreign else None,
    )


@st.composite
def comparisons(draw: st.DrawFn) -> Comparison:
    clips = tuple(draw(st.lists(trajectories(), min_size=2, max_size=4)))
    verdict = draw(st.sampled_from(["ranked", "cant_tell", "skipped"]))
    count = len(clips) if verdict == "ranked" else 0
    ranks = tuple(draw(st.lists(st.integers(0, 3), min_size=count, max_size=count)))
    return Comparison(clips, ranks, verdict, draw(st.text(max_size=8)), draw(numbers), draw(ids))


records: st.SearchStrategy[Record] = st.one_of(
    st.builds(Demonstration, trajectories(), id=ids),
    st.builds(Evaluation, trajectories(), numbers, numbers, numbers, id=ids),
    comparisons(),
    st.builds(Correction, trajectories(), trajectories(), id=ids),
    st.builds(Undo, ids, id=ids),
)


def same(a: Any, b: Any) -> bool:
    """Equal in type, shape, dtype and bits."""
    if isinstance(a, np.ndarray):
        return (
            isinstance(b, np.ndarray)
            and (a.dtype, a.shape) == (b.dtype, b.shape)
            and a.tobytes() == b.tobytes()
        )
    if isinstance(a, tuple):
        return isinstance(b, tuple) and len(a) == len(b) and all(map(same, a, b))
    if is_dataclass(a):
        return type(a) is type(b) and all(same(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    return bool(a == b)
