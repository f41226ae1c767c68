"""The feedback of a session: records on their way to the store, saved, or taken back."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import Future
from typing import NamedTuple

from agents.feedback.records import Record, Undo, kind_of
from sandbox.session.events import ErrorMessage, Event, Saved, StoreTrouble, saved_text, unsaved_text
from sandbox.store import Provenance, Store, standing_summaries


class _Pending(NamedTuple):
    record: Record
    future: Future[int]


class FeedbackLog:
    """The records of a store, as the window of one rater sees them. Never waits.

    Raises StoreError when it is made, if the store can't be read.
    """

    def __init__(self, store: Store, rater: str) -> None:
        """rater: the random id of the rater who gives feedback here."""
        self._store, self._rater = store, rater
        lines = store.record_summaries()
        self._standing = {line.id: line.kind for line in standing_summaries(lines)}
        self._own = {line.id for line in lines if line.rater == rater}
        self.raters = frozenset(line.rater for line in lines)
        """Raters who had given feedback before it was opened."""
        self.last_saved = lines[-1].seq if lines else 0
        self._pending: deque[_Pending] = deque()
        self._last_error: tuple[str | None, int] = None, 0
        """The store's error when it was last asked, and how many records were in the outbox then."""
        self._told = ""  # what was last said of records that are not saved

    @property
    def counts(self) -> dict[str, int]:
        """Standing records by kind, with those that are still being saved."""
        return dict(Counter(self._standing.values()))

    @property
    def unsaved(self) -> int:
        """How many records are not on the disk yet."""
        return len(self._pending)

    @property
    def unsaved_warning(self) -> str | None:
        """What closing now would lose, as a sentence; None while all is saved or about to be."""
        trouble = self._store.error  # the writer's thread may clear it at any moment
        if not trouble or self._store.outbox_count == self.unsaved:
            return None
        return f"{unsaved_text(self.unsaved, 0)} {trouble}"

    def append(self, record: Record, provenance: Provenance) -> str:
        """Hand a record to the store. Returns the record's id."""
        self._pending.append(_Pending(record, self._store.append(record, provenance)))
        if isinstance(record, Undo):
            self._standing.pop(record.target, None)
        else:
            self._standing[record.id] = kind_of(record)
            self._own.add(record.id)
        return record.id

    def last_record(self, kind: str | None) -> str | None:
        """The id of this rater's last record (of that kind) that was not taken back."""
        own = (id for id, k in reversed(self._standing.items()) if kind in (None, k) and id in self._own)
        return next(own, None)

    def poll(self) -> Sequence[Event]:
        """What has happened to the records since the last call."""
        events: list[Event] = []
        while self._pending and self._pending[0].future.done():
            events.append(self._settle(self._pending.popleft()))
        events.extend(self._new_trouble())
        return events

    def _new_trouble(self) -> Sequence[Event]:
        """What is wrong with the store, if that has changed since the last call."""
        trouble, unsaved, kept = self._store.error, self._store.unsaved, self._store.outbox_count
        safe = kept if 0 < kept == unsaved else 0
        told, self._last_error = self._last_error, (trouble, safe)
        is_new = trouble is not None and (trouble != told[0] or safe not in (0, told[1]))
        now = f"{unsaved_text(unsaved, kept)} {trouble} It is tried again by itself." if trouble else ""
        if now == self._told and not is_new:
            return ()
        self._told = now
        return [StoreTrouble(now, is_new)]

    def _settle(self, pending: _Pending) -> Event:
        record, kind = pending.record, kind_of(pending.record)
        error = pending.future.exception()
        if error is not None:
            self._standing.pop(record.id, None)
            return ErrorMessage(f"Not saved: {error}")
        seq = pending.future.result()
        self.last_saved = max(self.last_saved, seq)
        target = record.target if isinstance(record, Undo) else None
        return Saved(seq, record.id, saved_text(record), kind, target)
