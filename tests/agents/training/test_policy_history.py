"""Which earlier policies are kept."""

from __future__ import annotations

from itertools import pairwise

from agents.training.policy_history import index_to_evict


def test_the_older_they_are_the_wider_they_stand_apart() -> None:
    kept: list[int] = []
    for at in range(1, 65):
        kept.append(at)
        if len(kept) > 5:
            del kept[index_to_evict(kept)]
    gaps = [after - before for before, after in pairwise(kept)]
    assert kept[0] == 1
    assert kept[-1] == 64
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[0] >= 16


def test_of_three_the_one_between_goes() -> None:
    assert index_to_evict([1, 2, 9]) == 1
