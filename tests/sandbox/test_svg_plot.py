"""Plots of the measured page: names and numbers as text, the same text each time."""

import sys

import pytest

from sandbox.bench.report.svg_plot import BESIDE, Line, NoPlotsHere, plot


def lines(count: int) -> list[Line]:
    x, y, low, high = [10, 60, 600], [0.1, 0.5, 0.9], [0.0, 0.4, 0.8], [0.2, 0.6, 1.0]
    found = [Line(f"way <{number}>", x, y, low, high) for number in range(count)]
    return [*found, Line("alone", [60], [-0.5], [-1.0], [0.0])]


@pytest.mark.parametrize("count", [1, BESIDE + 10])
@pytest.mark.parametrize("log", [False, True])
def test_a_plot_names_its_curves_and_is_the_same_each_time(count: int, log: bool) -> None:
    text = plot(lines(count), "human seconds", "score", log)
    assert text == plot(lines(count), "human seconds", "score", log)
    for word in ("human seconds", "score", "alone", *(f"way &lt;{n}&gt;" for n in range(count))):
        assert f">{word}</text>" in text


def test_without_matplotlib_it_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(NoPlotsHere, match=r"\[bench\]"):
        plot(lines(1), "x", "y")
