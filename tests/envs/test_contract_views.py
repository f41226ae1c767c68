"""The contract of test_contract.py, held by Rooms as planes, as pictures and as drawn by somebody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs import task_catalog
from envs.rooms.planner import plan_flat
from envs.rooms.rooms_state_layout import PARKED
from envs.simulation import Simulation
from envs.world import Task
from tests.envs import test_contract as contract
from tests.envs.test_contract import (  # noqa: F401  (collected here, with the fixture of this file)
    test_a_fork_goes_on_bit_identically,
    test_a_saved_state_goes_on_bit_identically,
    test_horizon_and_auto_reset,
    test_places_and_placements,
    test_rows_seeded_one_by_one_or_as_a_run_are_the_same,
    test_shapes_types_and_bounds,
    test_single_and_batched_are_bit_identical,
    test_wish_and_done_have_one_number_a_step,
    test_without_auto_reset_rows_stay_at_their_end,
    test_words_and_spaces,
)

FLAT = (
    ("." * 21 + "\n") * 12 + "..l..V..m..%.D" + "." * 7 + "\n" + ("." * 21 + "\n") * 7
)  # no robot: any start
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "grid": ("teachbox/RoomsTidy-v0", {"observation": "grid"}),
    "grid-whole": ("teachbox/RoomsLoophole-v0", {"observation": "grid", "view": 0}),
    "grid-drawn": ("teachbox/RoomsTidy-v0", {"observation": "grid", "layout": FLAT}),
    "pixels": ("teachbox/RoomsReach-v0", {"observation": "pixels"}),
}


@pytest.fixture(params=KINDS, scope="module")
def task(request: pytest.FixtureRequest) -> Task:
    id, options = KINDS[request.param]
    return task_catalog.task(id, **options)


def test_absorbing_states_pay_nothing_and_are_told(task: Task) -> None:
    """A plan brings the robot home; from then on nothing changes, and some number says so."""
    sim = Simulation(task, 1, auto_reset=False)
    best, seen, parked = plan_flat(task, sim.states[0]), [], []
    for _ in range(task.horizon):
        before = sim.states[0, PARKED]
        step = sim.step(np.array([best.action(sim.states[0])]))
        seen.append(step.obs[0].copy())
        parked.append(sim.states[0, PARKED] == 1)
        if before:
            assert not step.terms.any()
            assert np.array_equal(seen[-1], seen[-2])
    data, home = np.stack(seen), np.array(parked)
    assert home.any()
    assert not home.all()
    assert (data[home].min(axis=0) > data[~home].max(axis=0)).any()


@pytest.mark.parametrize("kind", ["grid", "pixels"])
@pytest.mark.parametrize("mode", ["compiled", "plain"])
def test_another_process_gives_the_same(
    kind: str, mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plain too: all is whole numbers but the levels, which are shares of small ones."""
    id, options = KINDS[kind]
    chosen = task_catalog.task(id, **options)
    source = contract.OTHER_PROCESS.replace(
        "test_contract import KINDS,", "test_contract_views import KINDS\n"
    )
    source = source.replace("KINDS\n actions_for", "KINDS\nfrom tests.envs.test_contract import actions_for")
    monkeypatch.setattr(contract, "OTHER_PROCESS", source)
    here = contract.run(Simulation(chosen, 4, seed=21), contract.actions_for(chosen, 35, 4))
    contract.same(here, contract.elsewhere(kind, 35, tmp_path / "run.npz", mode))
