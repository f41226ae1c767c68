"""`teachbox replay`: a session's feedback once more, without a window; the same learner comes of it.

Each record is heard when the learner has made as many steps as the one had that the person saw (a
record's `policy` is "learner:step"), so that the replay keeps the session's pace without its clock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from agents.feedback.records import Record
    from agents.learners.protocol import Learner
    from agents.policies.policy_arrays import PolicyArrays
    from agents.rewards.reward_arrays import RewardArrays

ProgressCallback = Callable[[float, str], None]
QUICK_STEPS = 3


@dataclass(frozen=True)
class ReplayResult:
    """What came of it. digest: SHA-256 over the parameters of policy and reward, to the last bit."""

    learner: str
    records: int
    steps: int
    env_steps: int
    uses: dict[str, int]
    digest: str


def replay(
    folder: Path,
    *,
    learner: str | None = None,
    reverse: Sequence[int] = (),
    most_steps: int | None = None,
    tell: ProgressCallback = lambda share, text: None,
) -> ReplayResult:
    """Learn again from the feedback of the session in `folder`, which may be open in a window.

    learner: another one than the session's. reverse: numbers of comparisons to be taken the other way
    round. most_steps: of the learner, at most, between two records and after the last. Raises
    SessionError or StoreError with a sentence.
    """
    import torch

    from agents.learner_catalog import make
    from envs.task_catalog import task
    from sandbox.session.folder import SessionError, SessionFile, locate
    from sandbox.store import Reader

    facts = SessionFile.read(folder)
    if facts is None:
        raise SessionError(f"there is no session in {folder}: give the folder of one.")
    reader = Reader(locate(str(folder)))
    try:
        records, origins = reader.records(), reader.provenance_by_id()
    finally:
        reader.close()
    records = [(seq, _reversed(seq, one) if seq in reverse else one) for seq, one in records]
    if unknown := set(reverse) - {seq for seq, _ in records}:
        raise SessionError(f"there is no record {min(unknown)} in {folder}: it holds {len(records)}.")
    torch.set_num_threads(1)  # with more, sums come in another order
    name = learner or facts.learner
    student = make(name, task(facts.world, **facts.options), seed=facts.seed, prior=facts.prior)
    student.raters.update((id, origin.rater) for id, origin in origins.items())
    for number, (seq, record) in enumerate(records):
        tell(number / (len(records) + 1), f"record {number + 1} of {len(records)}")
        _step_to(student, _step_of(origins[record.id].policy, facts.learner), most_steps)
        student.observe(seq, [record])
    tell(len(records) / (len(records) + 1), "learning from all of it")
    _step_to(student, None, most_steps)
    seen = student.snapshot()
    digest = digest_of(seen.policy, seen.reward)
    return ReplayResult(name, len(records), seen.step, seen.env_steps, dict(seen.feedback_counts), digest)


def digest_of(*parts: PolicyArrays | RewardArrays | None) -> str:
    """SHA-256 over every array and number of a policy and a reward."""
    found = sha256()
    for piece in _bytes_of(parts):
        found.update(piece)
    return found.hexdigest()


def _bytes_of(value: Any) -> list[bytes]:
    if is_dataclass(value):
        told = {f.name: getattr(value, f.name) for f in fields(value)}
        if told.get("normalisation", 0) is None:  # digests of policies without one stay what they were
            del told["normalisation"]
        return [p for name, part in told.items() for p in (name.encode(), *_bytes_of(part))]
    if isinstance(value, tuple):
        return [f"({len(value)}".encode(), *(p for part in value for p in _bytes_of(part))]
    if isinstance(value, np.ndarray | np.generic):
        return [f"{value.dtype}{value.shape}".encode(), value.tobytes()]
    return [repr(value).encode()]


def _step_of(policy: str | None, learner: str) -> int:
    """The step of the session's learner that acted ("policy:step") or asked; 0 where that is not told."""
    name, _, step = (policy or "").rpartition(":")
    return int(step) if name in (learner, "policy") and step.isdigit() else 0


def _step_to(student: Learner, until: int | None, most: int | None) -> None:
    """Let it learn until it has made so many steps (None: until there is nothing left to do)."""
    made = 0
    while (most is None or made < most) and (until is None or student.snapshot().step < until):
        if not student.step():
            return
        made += 1


def _reversed(seq: int, record: Record) -> Record:
    from agents.feedback.records import Comparison

    if not isinstance(record, Comparison) or record.verdict != "ranked" or len(set(record.ranks)) < 2:
        raise ValueError(
            f"record {seq} is no comparison with a better and a worse clip: reverse another one."
        )
    return replace(record, ranks=tuple(max(record.ranks) - rank for rank in record.ranks))
