"""Painting with signed distances, against hand-worked numbers."""

from __future__ import annotations

import numpy as np
import pytest

from envs.sdf_canvas import Canvas, blurred, hashed, mix


def at(distance: np.ndarray, canvas: Canvas, x: float, y: float) -> float:
    nearest = np.argmin((canvas.x - x) ** 2 + (canvas.y - y) ** 2)
    return float(distance.ravel()[nearest])


@pytest.fixture
def canvas() -> Canvas:
    return Canvas.blank(201, 201, 100.0)  # -1..1 in both directions, 0.01 to a pixel


def test_distances_of_shapes(canvas: Canvas) -> None:
    assert at(canvas.circle(0, 0, 0.5), canvas, 0.8, 0.0) == pytest.approx(0.3, abs=1e-5)
    assert at(canvas.circle(0, 0, 0.5), canvas, 0.0, 0.0) == pytest.approx(-0.5, abs=1e-5)
    assert at(canvas.box(0, 0, 0.3, 0.2), canvas, 0.6, 0.6) == pytest.approx(0.5, abs=1e-5)  # 3-4-5
    assert at(canvas.box(0, 0, 0.3, 0.2), canvas, 0.0, 0.1) == pytest.approx(-0.1, abs=1e-5)
    assert at(canvas.line(-0.5, 0, 0.5, 0, 0.1), canvas, 0.8, 0.4) == pytest.approx(0.4, abs=1e-5)
    triangle = canvas.polygon([(-0.5, -0.5), (0.5, -0.5), (-0.5, 0.5)])
    assert at(triangle, canvas, -0.4, -0.4) == pytest.approx(-0.1, abs=1e-5)
    assert at(triangle, canvas, 0.5, 0.5) == pytest.approx(np.sqrt(0.5), abs=1e-5)


def test_turned_axes(canvas: Canvas) -> None:
    right_to_down = canvas.turned(np.pi / 2, 0.2, 0.1)
    ahead = right_to_down.circle(0.3, 0.0, 0.05)  # 0.3 ahead along x, which now points down
    assert at(ahead, canvas, 0.2, 0.4) == pytest.approx(-0.05, abs=1e-5)


def test_fill_covers_half_of_a_pixel_on_the_edge() -> None:
    canvas = Canvas.blank(3, 1, 1.0)  # pixel centres at -1, 0, 1
    canvas.fill(canvas.x - 0.0, (200, 100, 0))  # everything left of 0
    pixels = canvas.pixels()[0]
    assert pixels[:, 3].tolist() == [255, 128, 0]
    assert pixels[0].tolist() == [200, 100, 0, 255]


def test_paint_lies_over_paint() -> None:
    canvas = Canvas.blank(1, 1, 1.0)
    everywhere = np.full((1, 1), -9.0, np.float32)
    canvas.fill(everywhere, (100, 100, 100))
    canvas.fill(everywhere, (200, 0, 100), 0.25)
    assert canvas.pixels()[0, 0].tolist() == [125, 75, 100, 255]
    canvas.within(-everywhere)
    assert canvas.pixels()[0, 0, 3] == 0


def test_mix_and_blur() -> None:
    assert mix((0, 0, 0), (100, 200, 50), 0.5).tolist() == [50, 100, 25]
    spot = np.zeros((21, 21), np.float32)
    spot[10, 10] = 1.0
    soft = blurred(spot, 2)
    assert soft.sum() == pytest.approx(1.0, abs=1e-4)
    assert soft[10, 10] == soft.max() < 0.1
    assert np.allclose(soft, soft.T, atol=1e-6)


def test_hashed_is_fixed_and_spread() -> None:
    assert hashed(1, 2, 3) == hashed(1, 2, 3) != hashed(3, 2, 1)
    words = [hashed(7, k) for k in range(4096)]
    assert len(set(words)) == 4096
    assert np.bincount([word & 15 for word in words]).std() < 40
