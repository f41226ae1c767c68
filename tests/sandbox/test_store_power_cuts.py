"""Power cuts at any moment: what was told as saved is there, for that is what synchronous=FULL is for."""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from sandbox.bench.durability.count import Count
from sandbox.bench.durability.power_cuts import cut, record_store_life, surviving_records


def test_thirty_power_cuts_lose_nothing_that_was_told_as_saved(tmp_path):
    count = cut(record_store_life(tmp_path, "FULL", records=60, seed=1), 30, seed=1)
    assert (count.times, count.lost, count.wrong) == (30, 0, 0)
    assert count.told > 0


def test_a_cut_while_the_store_is_made_leaves_what_can_be_opened(tmp_path):
    disk = record_store_life(tmp_path, "FULL", records=1, seed=1)
    made = next(i for i, event in enumerate(disk.events) if event.kind == "told")
    dice = random.Random(2)
    for moment in (*range(16), *range(16, made, 8)):
        with TemporaryDirectory() as name:
            assert disk.cut(moment, dice, Path(name)) == set()
            assert surviving_records(Path(name) / "feedback.db", create=True)[1]


def test_the_control_with_fewer_syncs_loses(tmp_path):
    assert cut(record_store_life(tmp_path, "NORMAL", records=60, seed=1), 10, seed=1).lost > 0


@pytest.mark.slow
def test_a_thousand_power_cuts_and_as_many_in_the_control(tmp_path):
    counts = {"FULL": Count(), "NORMAL": Count()}
    for synchronous in counts:
        for life in range(10):
            folder = tmp_path / f"{synchronous}{life}"
            folder.mkdir()
            counts[synchronous] += cut(
                record_store_life(folder, synchronous, records=200, seed=life), 100, seed=life
            )
    print(counts)
    assert (counts["FULL"].lost, counts["FULL"].wrong) == (0, 0)
    assert counts["NORMAL"].lost > 0
