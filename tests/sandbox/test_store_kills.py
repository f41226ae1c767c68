"""kill -9 while labelling: what was told as saved is there, nothing is there by halves, the store opens."""

from __future__ import annotations

import pytest

from sandbox.bench.durability.store_kills import kills, label_without_commit


def test_twenty_kills_lose_nothing_that_was_told_as_saved(tmp_path):
    count = kills(tmp_path, 20, seed=1)
    assert count.told >= 20
    assert (count.times, count.lost, count.wrong) == (20, 0, 0)


@pytest.mark.slow
def test_a_thousand_kills_lose_nothing_that_was_told_as_saved(tmp_path):
    count = kills(tmp_path, 1000, seed=2)
    assert count.told >= 1000
    assert (count.times, count.lost, count.wrong) == (1000, 0, 0)


def test_the_control_that_says_saved_before_the_commit_loses(tmp_path):
    # On a busy machine the store can catch up while nobody reads what is told.
    assert any(kills(tmp_path, 1, seed, label_without_commit).lost > 0 for seed in range(1, 6))
