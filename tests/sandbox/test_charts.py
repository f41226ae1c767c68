"""Charts: what is drawn is where the numbers say, and it is drawn once per new data."""

from __future__ import annotations

import os

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

import numpy as np
import pygame
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.screen.charts import Bar, BarChart, LineChart, Series
from sandbox.screen.plot_lines import nice_ticks, short, spread, thinned
from sandbox.screen.theme import ACCENT, BAD, GOOD, PANEL, WARN, Theme
from sandbox.screen.timeline import Mark, fraction_at, timeline

RECT = pygame.Rect(10, 20, 400, 200)


@pytest.fixture
def surface() -> pygame.Surface:
    pygame.display.init()
    pygame.font.init()
    surface = pygame.display.set_mode((640, 480))
    surface.fill(PANEL)
    return surface


def near(surface: pygame.Surface, color: tuple[int, int, int], rect: pygame.Rect = RECT) -> np.ndarray:
    """(x, y) of the pixels within `rect` that are about that colour, relative to it."""
    pixels = pygame.surfarray.array3d(surface.subsurface(rect)).astype(int)
    return np.argwhere(np.abs(pixels - np.array(color)).max(axis=2) < 12)


def test_a_line_is_painted_once_until_its_data_is_new(surface: pygame.Surface) -> None:
    chart, theme = LineChart(), Theme()
    series = [Series("score", np.arange(50.0), np.linspace(0, 1, 50))]
    for _ in range(10):
        chart.draw(surface, RECT, theme, series, version=1)
    assert chart.painted == 1
    chart.draw(surface, RECT, theme, series, version=2)
    chart.draw(surface, RECT.inflate(-20, 0), theme, series, version=2)
    chart.draw(surface, RECT.inflate(-20, 0), Theme(1.5), series, version=2)
    assert chart.painted == 4


def test_a_rising_line_rises_and_a_falling_one_falls(surface: pygame.Surface) -> None:
    x = np.arange(100.0)
    lines = [Series("a", x, x / 100, ACCENT), Series("b", x, 1 - x / 100, WARN)]
    LineChart().draw(surface, RECT, Theme(), lines, version=1)
    for color, sign in ((ACCENT, -1), (WARN, 1)):
        pixels = near(surface, color)
        pixels = pixels[(pixels[:, 0] > 60) & (pixels[:, 0] < 250)]  # without the labels at the right
        assert len(pixels) > 100
        assert np.sign(np.corrcoef(pixels[:, 0], pixels[:, 1])[0, 1]) == sign


def test_a_band_lies_around_its_line(surface: pygame.Surface) -> None:
    x = np.arange(20.0)
    flat = np.full(20, 0.5)
    theme = Theme()
    LineChart().draw(surface, RECT, theme, [Series("a", x, flat, ACCENT)], version=1)
    before = pygame.surfarray.array3d(surface.subsurface(RECT)).astype(int)
    LineChart().draw(surface, RECT, theme, [Series("a", x, flat, ACCENT, flat - 0.4, flat + 0.4)], version=1)
    after = pygame.surfarray.array3d(surface.subsurface(RECT)).astype(int)
    column = np.abs(after[120] - before[120]).max(axis=1) > 8
    assert column[60:90].mean() > 0.9
    assert column[110:140].mean() > 0.9


def test_the_axis_has_what_it_must_show(surface: pygame.Surface) -> None:
    series = [Series("share", np.arange(3.0), np.full(3, 0.5))]
    LineChart().draw(surface, RECT, Theme(), series, version=1, shown=(0.0, 1.0))
    line = near(surface, ACCENT)
    line = line[line[:, 0] < 250]
    assert np.ptp(line[:, 1]) < 8
    assert line[:, 1].mean() == pytest.approx(90, abs=12)  # half-way up


@pytest.mark.parametrize("points", [0, 1, 2, 5000])
def test_any_number_of_points_can_be_drawn(surface: pygame.Surface, points: int) -> None:
    series = [Series("a", np.arange(points), np.zeros(points))]
    LineChart().draw(surface, RECT, Theme(), series, version=1, empty="not yet")


def test_bars_go_right_for_good_and_left_for_bad_in_proportion(surface: pygame.Surface) -> None:
    bars = [Bar("up", 1.0), Bar("down", -0.5)]
    BarChart().draw(surface, RECT, Theme(), bars, version=1)
    good, bad = near(surface, GOOD), near(surface, BAD)
    assert good[:, 0].min() >= bad[:, 0].max() - 1
    assert np.ptp(good[:, 0]) == pytest.approx(2 * np.ptp(bad[:, 0]), rel=0.05)
    assert good[:, 1].max() < bad[:, 1].min()


def test_bars_without_data_and_with_one_zero(surface: pygame.Surface) -> None:
    BarChart().draw(surface, RECT, Theme(), [], version=1)
    BarChart().draw(surface, RECT, Theme(), [Bar("zero", 0.0, (0.0, 0.0), 0.0)], version=2)
    BarChart().draw(surface, pygame.Rect(0, 0, 2, 2), Theme(), [Bar("tiny", 1.0)], version=3)


@given(st.floats(0, 1))
def test_a_click_on_the_timeline_finds_the_knob(fraction: float) -> None:
    surface, rect = pygame.Surface((400, 40)), pygame.Rect(20, 5, 300, 24)
    timeline(surface, rect, fraction, marks=[Mark(0.5), Mark(0.7, up=False)], focused=True)
    white = np.argwhere(pygame.surfarray.array3d(surface).min(axis=2) > 200)
    assert fraction_at(rect, white[:, 0].mean()) == pytest.approx(fraction, abs=0.02)


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(1, 9))
def test_ticks_are_round_and_inside(low: float, span: float, most: int) -> None:
    ticks = nice_ticks(low, low + span, most)
    assert len(ticks) <= most + 1
    assert all(low - 1e-6 * span <= t <= low + span + 1e-6 * span for t in ticks)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (0.123, "0.12"),
        (-2.5, "-2.5"),
        (999.9, "1k"),
        (65536, "65.5k"),
        (1.2e6, "1.2M"),
    ],
)
def test_short_numbers(value: float, text: str) -> None:
    assert short(value) == text


def test_thinning_keeps_the_mean() -> None:
    values = np.arange(1000.0)
    assert thinned(values, 100).shape == (100,)
    assert thinned(values, 100).mean() == pytest.approx(values.mean())
    np.testing.assert_array_equal(thinned(values[:5], 100), values[:5])


@given(st.lists(st.floats(0, 200), min_size=1, max_size=6))
def test_labels_do_not_overlap_while_there_is_room(wanted: list[float]) -> None:
    placed = spread(wanted, 20, 0, 200)
    gaps = np.diff(sorted(placed))
    assert (gaps >= 20 - 1e-6).all()
    assert min(placed) >= -1e-6
    assert max(placed) <= 200 + 1e-6
