"""The store against a model of it, a plain list: whatever is said, retried, undone, closed or cut off."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from agents.feedback import Record, Undo, standing
from sandbox.store import Provenance, Reader, Store, standing_lines
from tests.sandbox.records import records, same

ORIGIN = Provenance("rater-1", "0.1")


class StoreMachine(RuleBasedStateMachine):
    """`said` is what the store must hold, in this order."""

    known = Bundle("known")

    @initialize()
    def begin(self) -> None:
        self.place = TemporaryDirectory()
        self.number = 0
        self.said: list[Record] = []
        self.path.parent.mkdir()
        self.store = Store.open(self.path)

    @property
    def path(self) -> Path:
        return Path(self.place.name) / str(self.number) / "feedback.db"

    @rule(target=known, items=st.lists(records, min_size=1, max_size=4, unique_by=lambda record: record.id))
    def say(self, items: list[Record]) -> Record:
        """Several at once, all awaited."""
        before = {record.id for record in self.said}
        fresh = [item for item in items if item.id not in before]
        futures = [self.store.append(item, ORIGIN) for item in fresh]
        self.said += fresh
        first = len(self.said) - len(fresh) + 1
        assert [future.result(10) for future in futures] == list(range(first, first + len(fresh)))
        return fresh[0] if fresh else self.said[0]

    @rule(record=known)
    def retry(self, record: Record) -> None:
        seq = self.store.append(record, ORIGIN).result(10)
        assert self.said[seq - 1].id == record.id

    @rule(record=consumes(known))
    def undo(self, record: Record) -> None:
        undo = Undo(record.id)
        self.said.append(undo)
        assert self.store.append(undo, ORIGIN).result(10) == len(self.said)

    @rule()
    def close_and_open(self) -> None:
        assert self.store.close() == 0
        self.store = Store.open(self.path, create=False)

    @rule()
    def cut_off(self) -> None:
        """What a killed process leaves behind: the file and its log, without a goodbye."""
        old = self.path
        self.number += 1
        self.path.parent.mkdir()
        for file in (old, old.with_name("feedback.db-wal")):
            if file.exists():
                shutil.copy(file, self.path.parent)
        self.store.close()
        self.store = Store.open(self.path, create=False)

    @invariant()
    def holds_what_was_said(self) -> None:
        found = self.store.records()
        assert [seq for seq, _ in found] == list(range(1, len(self.said) + 1))
        assert all(same(a, b) for a, (_, b) in zip(self.said, found, strict=True))
        reader = Reader(self.path)
        assert reader.newest() == len(self.said)
        reader.close()
        kept = [record.id for record in standing(self.said)]
        assert [line.id for line in standing_lines(self.store.outline())] == kept

    def teardown(self) -> None:
        self.store.close()
        self.place.cleanup()


StoreMachine.TestCase.settings = settings(max_examples=15, stateful_step_count=12, deadline=None)
TestStoreMachine = StoreMachine.TestCase
