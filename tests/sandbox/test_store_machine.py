"""The store against a model of it, a plain list: whatever is said, retried, undone, closed or cut off."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from agents.feedback.records import Record, Undo, active_records
from sandbox.store import Provenance, Reader, Store, blobs, standing_summaries
from sandbox.store.backup import backup, merge
from sandbox.store.verify import Finding, VerificationReport, verify_store
from tests.sandbox.records import records, same

ORIGIN = Provenance("rater-1", "0.1")


def wrong(report: VerificationReport) -> list[Finding]:
    """But for records made up here that take back what nobody said."""
    return [finding for finding in report.findings if "not said before" not in finding.problem]


class StoreMachine(RuleBasedStateMachine):
    """`said` is what the store must hold, in this order."""

    known = Bundle("known")

    @initialize()
    def begin(self) -> None:
        self.place = TemporaryDirectory()
        self.large, blobs.LARGE = blobs.LARGE, 600  # some trajectories are files, some are not
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
        assert [future.result(60) for future in futures] == list(range(first, first + len(fresh)))
        return fresh[0] if fresh else self.said[0]

    @rule(record=known)
    def retry(self, record: Record) -> None:
        seq = self.store.append(record, ORIGIN).result(60)
        assert self.said[seq - 1].id == record.id

    @rule(record=consumes(known))
    def undo(self, record: Record) -> None:
        undo = Undo(record.id)
        self.said.append(undo)
        assert self.store.append(undo, ORIGIN).result(60) == len(self.said)

    @rule()
    def close_and_open(self) -> None:
        assert self.store.close() == 0
        self.store = Store.open(self.path, create=False)

    @rule()
    def back_up_and_go_on_with_the_copy(self) -> None:
        """Taken while the store is open; then what was lost with the old folder is nothing."""
        self.number += 1
        report = backup(self.store.backend, self.path.parent)
        assert (report.records, wrong(report)) == (len(self.said), [])
        assert self.store.close() == 0
        self.store = Store.open(self.path, create=False)

    @rule()
    def merge_with_itself(self) -> None:
        place = self.store.backend
        assert self.store.close() == 0
        assert merge(place, place).added == 0
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
        if (old.parent / "trajectories").exists():
            shutil.copytree(old.parent / "trajectories", self.path.parent / "trajectories")
        self.store.close()
        self.store = Store.open(self.path, create=False)

    @invariant()
    def holds_what_was_said(self) -> None:
        found = self.store.records()
        assert [seq for seq, _ in found] == list(range(1, len(self.said) + 1))
        assert all(same(a, b) for a, (_, b) in zip(self.said, found, strict=True))
        reader = Reader(self.path)
        assert reader.latest_seq() == len(self.said)
        reader.close()
        kept = [record.id for record in active_records(self.said)]
        assert [line.id for line in standing_summaries(self.store.record_summaries())] == kept

    def teardown(self) -> None:
        assert wrong(verify_store(self.store.backend)) == []
        self.store.close()
        self.place.cleanup()
        blobs.LARGE = self.large


StoreMachine.TestCase.settings = settings(max_examples=15, stateful_step_count=12, deadline=None)
TestStoreMachine = StoreMachine.TestCase
