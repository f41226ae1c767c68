"""Lidar and pictures of the road, by hand-worked numbers."""

from __future__ import annotations

import numpy as np
import pytest

from envs.lanes.ego_car import KEEP
from envs.lanes.lanes_state_layout import HEADING, SITE, WALK, Y, cars_of, extras_of
from envs.lanes.lanes_tasks import lanes_ambulance, lanes_crossing, lanes_cruise
from envs.lanes.lidar import ANGLES, FAST, RANGE, ray_box
from envs.lanes.pixel_obs import BEHIND, PIXELS
from envs.simulation import Simulation
from envs.world import Array
from tests.envs.roads import placed, see


class TestLidar:
    def test_a_ray_meets_a_box_by_hand(self) -> None:
        # 30 m ahead, half 2.5 m long and 1 m wide: its back is 27.5 m away; at 45 degrees it is missed.
        assert ray_box(1.0, 0.0, 30.0, 0.0, 2.5, 1.0) == pytest.approx(27.5)
        assert ray_box(1.0, 0.0, 30.0, 0.9, 2.5, 1.0) == pytest.approx(27.5)
        assert ray_box(1.0, 0.0, 30.0, 1.1, 2.5, 1.0) == RANGE
        assert ray_box(-1.0, 0.0, 30.0, 0.0, 2.5, 1.0) == RANGE
        slant = float(np.sqrt(0.5))
        assert ray_box(slant, slant, 30.0, 0.0, 2.5, 1.0) == RANGE
        assert ray_box(slant, slant, 3.5, 3.5, 1.0, 1.0) == pytest.approx(2.5 / slant)
        assert ray_box(0.0, 1.0, 0.0, 3.5, 2.5, 1.0) == pytest.approx(2.5)

    def test_who_is_ahead_and_beside(self) -> None:
        sim = placed((0.0, 1, 20.0), (30.0, 1, 12.0), (0.0, 0, 20.0), task=lanes_cruise(observation="lidar"))
        assert see(sim, "near_0") == pytest.approx(1 - 27.5 / RANGE)
        assert see(sim, "closing_0") == pytest.approx(8.0 / FAST)
        # Beside: 3.5 m to its middle, 2.5 m to its flank; it neither comes nor goes.
        assert see(sim, "near_-90") == pytest.approx(1 - 2.5 / RANGE)
        assert see(sim, "closing_-90") == pytest.approx(0.0, abs=1e-6)
        assert see(sim, "near_90") == 0

    def test_the_nearer_hides_the_farther(self) -> None:
        one = placed((0.0, 1, 20.0), (30.0, 1, 12.0), task=lanes_cruise(observation="lidar"))
        two = placed((0.0, 1, 20.0), (60.0, 1, 5.0), (30.0, 1, 12.0), task=lanes_cruise(observation="lidar"))
        assert see(one, "near_0") == see(two, "near_0")
        assert see(one, "closing_0") == see(two, "closing_0")

    def test_left_and_right_are_mirrored(self) -> None:
        left = placed((0.0, 1, 20.0), (20.0, 0, 12.0), task=lanes_cruise(observation="lidar"))
        right = placed((0.0, 1, 20.0), (20.0, 2, 12.0), task=lanes_cruise(observation="lidar"))
        near = [angle for angle in ANGLES if 0 < angle < 90]
        assert any(see(right, f"near_{angle}") for angle in near)
        for angle in near:
            assert see(left, f"near_-{angle}") == pytest.approx(see(right, f"near_{angle}"))

    def test_people_are_met(self) -> None:
        sim = placed((0.0, 1, 10.0), task=lanes_crossing(observation="lidar"))
        cars_of(sim.states)[0, 1:, Y] = 0
        extras_of(sim.states)[0, [SITE, WALK, HEADING]] = 30.0, 1.0, 1.0
        sim.set_states(np.ones(1, np.bool_), sim.states.copy(), sim.rng.copy())
        assert 0.55 < see(sim, "near_0") < 1 - 28.0 / RANGE
        assert see(sim, "closing_0") == pytest.approx(0.5)


def picture(sim: Simulation) -> Array:
    """[H, W, 3] in 0..255."""
    return np.rint(sim.obs[0].reshape(PIXELS) * 255).astype(np.int64)


class TestPixels:
    def test_every_number_is_a_whole_share_of_255(self) -> None:
        sim = Simulation(lanes_crossing(observation="pixels"), 4)
        for _ in range(20):
            obs = sim.step(np.full(4, KEEP)).obs
            assert np.allclose(obs * 255, np.rint(obs * 255), atol=1e-3)

    def test_cars_are_where_they_are_and_tell_whether_they_come_nearer(self) -> None:
        sim = placed((0.0, 1, 15.0), (30.0, 1, 7.0), (30.0, 0, 23.0), task=lanes_cruise(observation="pixels"))
        seen = picture(sim)
        rows = [5 + 11 * lane + 5 for lane in range(3)]
        assert seen[rows[1], BEHIND].tolist() == [255, 192, 40]
        assert seen[rows[1], BEHIND + 30].tolist() == [235, 60, 40], "as fast nearer as is told"
        assert seen[rows[0], BEHIND + 30].tolist() == [50, 110, 240], "as fast away"
        assert seen[rows[2], BEHIND + 30].tolist() == [84, 80, 86], "an empty road"

    def test_what_changes_is_seen(self) -> None:
        still = placed((0.0, 1, 15.0), task=lanes_cruise(observation="pixels"))
        before = picture(still)
        fast = placed((0.0, 1, 25.0), task=lanes_cruise(observation="pixels"))
        assert (picture(fast)[-2] != before[-2]).any(), "the speed is shown"
        siren = placed((0.0, 1, 15.0), (-20.0, 1, 15.0), task=lanes_ambulance(observation="pixels"))
        plain = placed((0.0, 1, 15.0), (-20.0, 1, 15.0), task=lanes_cruise(observation="pixels"))
        assert (picture(siren)[:, BEHIND - 20] == [236, 232, 220]).all(axis=1).sum() > (
            picture(plain)[:, BEHIND - 20] == [236, 232, 220]
        ).all(axis=1).sum()
