"""Power cuts at any moment: what was told as saved is there, for that is what synchronous=FULL is for."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from sandbox.store import Provenance, Store, StoreError
from tests.sandbox.labeller import nth
from tests.sandbox.power import Disk

ORIGIN = Provenance("rater-1", "0.1")


def lived(folder: Path, monkeypatch: pytest.MonkeyPatch, synchronous: str, records: int, seed: int) -> Disk:
    """The life of a store on a disk that keeps a diary: made, labelled into, closed and opened again."""
    disk, dice = Disk(), random.Random(seed)
    with monkeypatch.context() as patch:
        patch.setattr("sandbox.store.sqlite.sqlite3", disk.modules(synchronous))
        store = Store.open(folder / "feedback.db")
        said, target = 0, ""
        while said < records:
            batch = [nth(said + i, target) for i in range(dice.randint(1, 4))]
            futures = [store.append(record, ORIGIN) for record in batch]
            for record, future in zip(batch, futures, strict=True):
                future.result(60)
                disk.told(record.id)
            said, target = said + len(batch), batch[-1].id
            if dice.random() < 0.05:
                store.close()
                store = Store.open(folder / "feedback.db", create=False)
        store.close()
    return disk


def lost(disk: Disk, cuts: int, seed: int) -> int:
    """Cut the power at random moments; how often a record that was told as saved is not there."""
    dice, losses = random.Random(seed), 0
    for _ in range(cuts):
        with TemporaryDirectory() as name:
            folder = Path(name)
            told = disk.cut(dice.randint(0, len(disk.events)), dice, folder)
            losses += not told <= found(folder / "feedback.db", create=not told)
    return losses


def found(path: Path, create: bool) -> set[str]:
    """The ids of all records, each of which can be read; none if the store is not there any more."""
    try:
        store = Store.open(path, create=create)
    except StoreError:
        if create:
            raise
        return set()
    records = store.records()
    store.close()
    with sqlite3.connect(path) as other:
        assert other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert other.execute("PRAGMA foreign_key_check").fetchall() == []
    other.close()
    assert [seq for seq, _ in records] == list(range(1, len(records) + 1))
    return {record.id for _, record in records}


def test_thirty_power_cuts_lose_nothing_that_was_told_as_saved(tmp_path, monkeypatch):
    disk = lived(tmp_path, monkeypatch, "FULL", records=60, seed=1)
    assert lost(disk, cuts=30, seed=1) == 0


def test_a_cut_while_the_store_is_made_leaves_what_can_be_opened(tmp_path, monkeypatch):
    disk = lived(tmp_path, monkeypatch, "FULL", records=1, seed=1)
    made = next(i for i, event in enumerate(disk.events) if event.kind == "told")
    dice = random.Random(2)
    for moment in (*range(16), *range(16, made, 8)):
        with TemporaryDirectory() as name:
            assert disk.cut(moment, dice, Path(name)) == set()
            found(Path(name) / "feedback.db", create=True)


def test_the_control_with_fewer_syncs_loses(tmp_path, monkeypatch):
    disk = lived(tmp_path, monkeypatch, "NORMAL", records=60, seed=1)
    assert lost(disk, cuts=10, seed=1) > 0


@pytest.mark.slow
def test_a_thousand_power_cuts_and_as_many_in_the_control(tmp_path, monkeypatch):
    losses = {"FULL": 0, "NORMAL": 0}
    for synchronous in losses:
        for life in range(10):
            folder = tmp_path / f"{synchronous}{life}"
            folder.mkdir()
            disk = lived(folder, monkeypatch, synchronous, records=200, seed=life)
            losses[synchronous] += lost(disk, cuts=100, seed=life)
    print(losses)
    assert losses["FULL"] == 0
    assert losses["NORMAL"] > 0
