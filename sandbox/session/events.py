"""The events of a session, which its window reads each frame, and the sentences about them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agents.feedback.records import Comparison, Correction, Demonstration, Evaluation, Record
from agents.snapshot import Snapshot


@dataclass(frozen=True)
class Saved:
    """A record is on the disk. target: of an undo, the id of the record that was taken back."""

    seq: int
    record_id: str
    text: str
    kind: str
    target: str | None = None


@dataclass(frozen=True)
class NewSnapshot:
    """`session.latest_snapshot` (and perhaps `session.curve`) has changed."""

    snapshot: Snapshot


@dataclass(frozen=True)
class LearnerRestarted:
    """The learner process died or hung, and goes on from its last checkpoint."""

    reason: str


@dataclass(frozen=True)
class ErrorMessage:
    """Something that the person should know. Learning or saving goes on by itself where it can."""

    text: str


@dataclass(frozen=True)
class StoreTrouble(ErrorMessage):
    """What is not saved, as it is now: '' once all is. is_new: the reason differs from the one before."""

    is_new: bool = True


Event = Saved | NewSnapshot | LearnerRestarted | ErrorMessage


def count_text(records: int) -> str:
    return "1 record" if records == 1 else f"{records} records"


def unsaved_text(unsaved: int, in_outbox: int) -> str:
    """How many records are not saved, as a sentence. in_outbox: how many of these are on this disk."""
    if in_outbox and in_outbox == unsaved:
        return f"Not sent yet, but kept on this disk: {count_text(unsaved)}."
    return f"Not saved yet: {count_text(unsaved)}."


def unsaved_on_close_text(lost: int, in_outbox: int, trouble: str | None, outbox: Path) -> str | None:
    """What the person has to know when a session was closed; None if all is saved."""
    if lost:
        return f"{count_text(lost)} could not be saved. {trouble or ''}".strip()
    if in_outbox:
        return f"Not sent yet: {count_text(in_outbox)}, kept in {outbox} until this session is opened again."
    return None


def saved_text(record: Record) -> str:
    """What was saved, for the person."""
    if isinstance(record, Demonstration):
        return f"Demonstration of {len(record.trajectory)} steps saved"
    if isinstance(record, Evaluation):
        return f"{'+' if record.value > 0 else '−'}{abs(record.value):g} saved"
    if isinstance(record, Comparison):
        return {"ranked": "Answer saved", "cant_tell": "“Can't tell” saved", "skipped": "Skip saved"}[
            record.verdict
        ]
    if isinstance(record, Correction):
        return f"Correction of {len(record.person)} steps saved"
    return "Taken back"
