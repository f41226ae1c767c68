"""Does what was read belong to this world? Asked of every record before any of them is saved."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, get_args

import numpy as np
from gymnasium import spaces

from agents.feedback.feedback_validation import record_clips
from agents.feedback.records import Comparison, Evaluation, Record, Undo, Verdict, kind_of
from agents.io.safe_files import shorten
from envs.recorded_options import recorded_options
from envs.state_checks import why_invalid_state
from envs.task_catalog import is_installed, task, task_ids
from envs.trajectory import Trajectory
from envs.world import OBS_BOUND, Task
from sandbox.exchange.ledger import Ledger, ProgressCallback, no_progress

KERNELS = ("compiled", "plain", "foreign")
MOST_STEPS = 100_000  # of a recording, with what went before it
MOST_CLIPS = 64  # of a comparison
VALUES = (-2.0, -1.0, 1.0, 2.0)
LARGE = 1e6  # no reward term or observation of somebody else's world is larger


class InvalidRecord(ValueError):
    """A record that does not belong to the session's world; the text is a sentence."""


def task_of_file(world: str, options: Mapping[str, Any]) -> Task:
    """The task that a file names: ours, an installed package's, or a plain Gymnasium id without options.

    A file must not choose which module is imported ("module:Id") or what a world is made with.
    """
    if is_installed(world):
        options = recorded_options(world, options)
        layout = options.get("layout")
        if isinstance(layout, str) and "\n" not in layout:
            raise InvalidRecord(
                f"the file names the layout {shorten(layout)}; only a drawing is taken from a file."
            )
        if world not in task_ids() and not all(_is_plain(value) for value in options.values()):
            raise InvalidRecord(f"the file names options of {world} that are no plain numbers or words.")
        try:
            return task(world, **options)
        except (TypeError, ValueError) as error:
            raise InvalidRecord(f"{world} can't be made as the file says: {error}") from error
    if ":" in world or options or len(world) > 200:
        raise InvalidRecord(
            f"the file is about {shorten(world)}, which is not made on a file's word: make a session in that "
            "world first (`teachbox --world ID --session DIR`), then import into it."
        )
    return task(world)


def _is_plain(value: Any) -> bool:
    """Whether an option names no file and nothing that is imported."""
    word = isinstance(value, str) and len(value) <= 64 and value.replace("_", "").replace("-", "").isalnum()
    return word or value is None or isinstance(value, bool | int | float)


def check_ledger(ledger: Ledger, world: Task, tell: ProgressCallback = no_progress) -> None:
    """Raise InvalidRecord unless every record is one that could have been given in this world."""
    seen: set[str] = set()
    for number, entry in enumerate(ledger.entries):
        record = entry.record
        name = f"{kind_of(record)} {record.id}"
        if record.id in seen:
            raise InvalidRecord(f"{name} occurs twice.")
        seen.add(record.id)
        _check_values(name, record)
        for clip in record_clips(record):
            check_clip(name, clip, world, stateless=isinstance(record, Comparison))
        tell((number + 1) / len(ledger.entries), "checking records")


class StateValidator:
    """What is wrong with a recording, whose states a kernel trusts; Gymnasium's worlds keep none.

    known: the session's own task, which need not come from an installed package.
    """

    def __init__(self, known: Task | None = None) -> None:
        self._tasks = {} if known is None else {_key(known.id, known.options): known}

    def __call__(self, clip: Trajectory) -> str | None:
        key = _key(clip.task, clip.options)
        if key not in self._tasks and not is_installed(clip.task):
            return None
        try:
            if key not in self._tasks:
                self._tasks[key] = task_of_file(clip.task, clip.options)
            check_clip("it", clip, self._tasks[key], stateless=True)
        except InvalidRecord as error:
            return f"does not fit its world: {str(error).rstrip('.')}"
        return None


def _key(id: str, options: Mapping[str, Any]) -> str:
    return f"{id} {sorted(recorded_options(id, options).items())}"


def _check_values(name: str, record: Record) -> None:
    if isinstance(record, Evaluation):
        if record.value not in VALUES or isinstance(record.value, bool):
            raise InvalidRecord(f"{name} has the value {shorten(record.value)}: it is -2, -1, 1 or 2.")
        for key in ("delay_steps", "rate"):
            _check_number(name, key, getattr(record, key))
    elif isinstance(record, Comparison):
        _check_number(name, "seconds", record.seconds)
        if record.verdict not in get_args(Verdict):
            raise InvalidRecord(f"{name} has the verdict {shorten(record.verdict)}.")
        if len(record.clips) > MOST_CLIPS or not isinstance(record.question, str):
            raise InvalidRecord(f"{name} has {len(record.clips)} clips or a question that is no text.")
        if not all(type(rank) is int and 0 <= rank < len(record.clips) for rank in record.ranks):
            raise InvalidRecord(f"{name} has the ranks {shorten(record.ranks)} of {len(record.clips)} clips.")
    elif isinstance(record, Undo) and (not isinstance(record.target, str) or len(record.target) > 64):
        raise InvalidRecord(f"{name} takes back {shorten(record.target)}, which is no id.")


def _check_number(name: str, key: str, value: Any) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not 0 <= value <= LARGE:
        raise InvalidRecord(f"{name} has {key} {shorten(value)}, which is no sensible number.")


def check_clip(name: str, clip: Trajectory, world: Task, stateless: bool = False) -> None:
    """Raise InvalidRecord unless a recording has the shapes, types and ranges of this world's.

    stateless: it may come without states; then it is learned from, and never shown.
    """
    place, space = world.world, world.world.action_space
    if clip.task != world.id:
        raise InvalidRecord(f"{name} was recorded in {shorten(clip.task)}, not in {world.id}.")
    made_with = recorded_options(clip.task, clip.options)
    if made_with != dict(world.options):
        raise InvalidRecord(
            f"{name} was recorded with {shorten(made_with)}, and the session's world has "
            f"{shorten(dict(world.options))}: import it into a session made the same way."
        )
    if clip.kernel not in KERNELS:
        raise InvalidRecord(f"{name} was recorded by the kernel {shorten(clip.kernel)}, which is unknown.")
    prefix = 0 if clip.prefix is None else len(clip.prefix)
    steps = len(clip)
    if steps + prefix > MOST_STEPS:
        raise InvalidRecord(f"{name} has {steps + prefix} steps, and at most {MOST_STEPS} are taken.")
    if clip.seed is not None and not 0 <= clip.seed < 2**63:
        raise InvalidRecord(f"{name} has the seed {shorten(clip.seed)}: it is from 0 to 2^63 - 1.")
    bare = stateless and clip.states.shape == (steps + 1, 0)
    kept = (0, np.float32) if bare else (place.state_size, place.state_dtype)
    shapes = {
        "states": (clip.states, (steps + 1, kept[0]), kept[1]),
        "observations": (clip.observations, (steps + 1, len(place.obs_names)), np.float32),
        "terms": (clip.terms, (steps, len(place.terms)), np.float32),
    }
    for key, (array, shape, dtype) in shapes.items():
        if array.shape != shape or array.dtype != dtype:
            raise InvalidRecord(
                f"{name} has {key} of shape {list(array.shape)} and type {array.dtype}; {world.id} has "
                f"{list(shape)} and {np.dtype(dtype)}: it is from another world or version."
            )
        if not np.isfinite(array).all():
            raise InvalidRecord(f"{name} has a NaN or an infinity in its {key}.")
    wrong = why_invalid_state(world, clip.states) if world.can_restore and not bare else None
    if wrong is not None:
        raise InvalidRecord(f"{name} has a state with {wrong}, which {world.id} never comes to.")
    bound = OBS_BOUND if world.can_restore else LARGE
    if np.abs(clip.observations).max(initial=0.0) > bound or np.abs(clip.terms).max(initial=0.0) > LARGE:
        raise InvalidRecord(f"{name} has observations or terms out of range (over {bound:g} or {LARGE:g}).")
    _check_actions(name, clip.actions, space)
    if clip.prefix is not None:
        _check_actions(name, clip.prefix, space)


def _check_actions(name: str, actions: Any, space: Any) -> None:
    if isinstance(space, spaces.Discrete):
        if actions.ndim != 1 or actions.dtype != np.int64:
            raise InvalidRecord(
                f"{name} has actions of type {actions.dtype} and shape {list(actions.shape)}."
            )
        if len(actions) and not (actions.min() >= 0 and actions.max() < space.n):
            odd = int(actions[(actions < 0) | (actions >= space.n)][0])
            raise InvalidRecord(f"{name} has the action {odd}, and the world has 0 to {int(space.n) - 1}.")
        return
    if actions.shape[1:] != space.shape or actions.dtype != np.float32:
        raise InvalidRecord(f"{name} has actions of type {actions.dtype} and shape {list(actions.shape)}.")
    inside = np.isfinite(actions) & (actions >= space.low - 1e-6) & (actions <= space.high + 1e-6)
    if not inside.all():
        raise InvalidRecord(
            f"{name} has an action {shorten(actions[~inside][0].item())} outside the action space."
        )
