"""Drivers: following and lane changes with hand-worked numbers."""

import numpy as np
import pytest

from envs.lanes.lanes_state_layout import (
    FREE,
    LENGTH,
    Y,
)
from envs.lanes.traffic import (
    change_gain,
    choose_lane,
    gap_to,
    idm,
    mobil,
    neighbours,
    pull,
    sideways,
)
from tests.envs.roads import RING_LENGTH, traffic


class TestFollowing:
    def test_idm_by_hand(self) -> None:
        # temper 0.5: T = 1.25, a = 1.6, b = 2. s* = 2 + 20*1.25 + 20*5 / (2 sqrt 3.2) = 54.951.
        # 1.6 * (1 - 0.8^4 - (54.951/40)^2) = 1.6 * (1 - 0.4096 - 1.88724) = -2.0749.
        assert idm(20.0, 15.0, 40.0, 25.0, 0.5) == pytest.approx(-2.0749, abs=1e-3)

    def test_free_road(self) -> None:
        assert idm(0.0, 0.0, FREE, 25.0, 0.0) == pytest.approx(1.1)
        assert idm(25.0, 25.0, FREE, 25.0, 0.0) == pytest.approx(0.0, abs=1e-6)
        # 1.1 * (1 - (12.5/25)^4) = 1.1 * 15/16.
        assert idm(12.5, 12.5, FREE, 25.0, 0.0) == pytest.approx(1.03125)

    def test_equilibrium(self) -> None:
        # No pull where the gap is (s0 + vT) / sqrt(1 - (v/v0)^4); v = 15, v0 = 20, T = 1.25.
        gap = (2 + 15 * 1.25) / np.sqrt(1 - 0.75**4)
        assert idm(15.0, 15.0, gap, 20.0, 0.5) == pytest.approx(0.0, abs=1e-9)

    def test_brakes_no_harder_than_tyres(self) -> None:
        assert idm(25.0, 0.0, 1.0, 25.0, 0.5) == -9.0

    def test_hasty_drivers_follow_closer(self) -> None:
        assert idm(15.0, 15.0, 25.0, 20.0, 1.0) > idm(15.0, 15.0, 25.0, 20.0, 0.0)

    def test_neighbours_go_round_the_ring(self) -> None:
        cars = traffic((10.0, 1, 0.0), (290.0, 1, 0.0), (40.0, 1, 0.0), (20.0, 0, 0.0))
        assert neighbours(cars, RING_LENGTH, 0, 1) == (2, 25.0, 1, 15.0)
        lead, gap, follow, room = neighbours(cars, RING_LENGTH, 1, 1)
        assert (lead, gap, follow, room) == (0, 15.0, 2, 245.0)
        assert neighbours(cars, RING_LENGTH, 0, 2) == (-1, FREE, -1, FREE)
        assert gap_to(cars, RING_LENGTH, 1, 0) == 15.0

    def test_a_car_between_lanes_is_in_both(self) -> None:
        cars = traffic((0.0, 0, 0.0), (30.0, 1, 0.0))
        cars[1, Y] = 0.5
        assert neighbours(cars, RING_LENGTH, 0, 0)[0] == 1
        assert neighbours(cars, RING_LENGTH, 0, 1)[0] == 1
        cars[1, Y] = 0.7
        assert neighbours(cars, RING_LENGTH, 0, 0)[0] == -1


class TestChangingLanes:
    def test_mobil_by_hand(self) -> None:
        # Calm, p = 0.5: 0.6 + 0.5 * (-0.4 + 0.2) - (0.1 + 0.3) to the left, - (0.1 - 0.3) to the right.
        assert mobil(0.6, -0.4, 0.2, 0.0, False) == pytest.approx(0.1)
        assert mobil(0.6, -0.4, 0.2, 0.0, True) == pytest.approx(0.7)
        # Hasty, p = 0: the others don't count.
        assert mobil(0.6, -9.0, 0.2, 1.0, False) == pytest.approx(0.2)

    def test_overtakes_a_slow_car(self) -> None:
        cars = traffic((0.0, 1, 20.0), (30.0, 1, 12.0), temper=1.0)
        gain = change_gain(cars, RING_LENGTH, 0, 0)
        # Alone on the left: what is gained is the whole hindrance, less threshold and bias.
        free, held = pull(cars, 0, -1, FREE), pull(cars, 0, 1, 25.0)
        assert gain == pytest.approx(free - held - 0.4)
        assert choose_lane(cars, RING_LENGTH, 2, 0) == 0

    def test_not_in_front_of_a_fast_car(self) -> None:
        cars = traffic((0.0, 1, 15.0), (30.0, 1, 12.0), (-20.0, 0, 25.0))
        assert change_gain(cars, RING_LENGTH, 0, 0) == -FREE
        assert choose_lane(cars, RING_LENGTH, 2, 0) == 1

    def test_not_beside_a_car(self) -> None:
        cars = traffic((0.0, 1, 15.0), (30.0, 1, 12.0), (3.0, 0, 15.0))
        assert change_gain(cars, RING_LENGTH, 0, 0) == -FREE

    def test_goes_back_right_on_an_empty_road(self) -> None:
        cars = traffic((0.0, 0, 20.0), (150.0, 0, 20.0))
        assert choose_lane(cars, RING_LENGTH, 2, 0) == 1

    def test_trucks_keep_out_of_the_leftmost_lane(self) -> None:
        cars = traffic((0.0, 1, 20.0), (30.0, 1, 12.0))
        cars[0, LENGTH] = 11.0
        assert choose_lane(cars, RING_LENGTH, 2, 0) == 1

    def test_moves_over_smoothly(self) -> None:
        y = [1.0]
        while y[-1] != 0.0:
            y.append(sideways(y[-1], 0.0, 0.05))
        moves = -np.diff(y)
        assert 2.0 < 0.05 * len(moves) < 2.6
        assert (moves > 0).all()
        assert 2 * len(moves) // 5 < moves.argmax() < 3 * len(moves) // 5
