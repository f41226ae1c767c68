"""A plot of curves with their intervals as SVG text, by matplotlib; the same text each time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 7.6, 4.0  # inches, of 100 pixels
BESIDE = 6
"""Over so many curves their names stand beside the picture, and their points are marked."""
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Told apart by people who see colours differently (Okabe and Ito)."""
DASHES = ("-", (0, (5, 2)), (0, (1, 1.5)))  # one for each round of the colours
MARKS = ("o", "s", "^")
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "teachbox",
    "font.family": "sans-serif",
    "font.size": 9.5,
    "text.color": "#222222",
    "axes.labelcolor": "#222222",
    "axes.edgecolor": "#888888",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "ytick.left": False,
    "legend.frameon": False,
}


@dataclass(frozen=True)
class Line:
    """One curve: y over x, with its interval."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


class NoPlotsHere(ValueError):
    """matplotlib is not installed; the text is a sentence."""


def plot(lines: Sequence[Line], across: str, up: str, log: bool = False) -> str:
    """The curves in one picture; the vertical axis goes from 0 (or lower) to 1 (or higher).

    log: the horizontal axis in steps of a factor.
    """
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError:
        raise NoPlotsHere(
            "plots need matplotlib: `pip install -c constraints.txt -e '.[bench]'` brings it."
        ) from None

    with rc_context(STYLE):
        figure = Figure((WIDTH, HEIGHT), layout="constrained")
        axes = figure.subplots()
        for index, line in enumerate(lines):
            _draw(axes, index, line, many=len(lines) > BESIDE)
        axes.set_xlabel(across)
        axes.set_ylabel(up)
        _scale(axes, lines, log)
        if len(lines) > BESIDE:
            figure.legend(loc="outside right upper", handlelength=2.6)
        else:
            axes.legend(loc="lower right", handlelength=2.6)
        text = StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


def _draw(axes: Axes, index: int, line: Line, many: bool) -> None:
    colour, turn = COLOURS[index % len(COLOURS)], index // len(COLOURS) % len(DASHES)
    alone = len(line.x) == 1
    if alone:
        axes.vlines(line.x, line.low, line.high, color=colour, alpha=0.4, linewidth=1.8)
    else:
        faint = 0.06 if many else 0.15
        axes.fill_between(line.x, line.low, line.high, color=colour, alpha=faint, linewidth=0)
    mark = MARKS[turn] if many or alone else ""
    axes.plot(
        line.x, line.y, color=colour, linestyle=DASHES[turn], linewidth=1.8, marker=mark, markersize=4.5,
        label=line.name,
    )  # fmt: skip


def _scale(axes: Axes, lines: Sequence[Line], log: bool) -> None:
    from matplotlib.ticker import LogLocator, MultipleLocator, NullLocator

    most, least = max(max(line.x) for line in lines), min(min(line.x) for line in lines)
    bottom = min(0.0, *(min(line.low) for line in lines))
    top = max(1.0, *(max(line.high) for line in lines))
    room = 0.02 * (top - bottom)
    axes.set_ylim(bottom - room * (bottom < 0), top + room)
    axes.yaxis.set_major_locator(MultipleLocator(0.25 if top - bottom < 2 else 0.5))
    if log:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if most < 200 * least else (1.0, 3.0)))
        axes.xaxis.set_minor_locator(NullLocator())
        beside = (most / least) ** 0.02 if most > least else 2.0
        axes.set_xlim(least / beside, most * beside)
    else:
        axes.set_xlim(0.0, most)
    axes.xaxis.set_major_formatter("{x:,.0f}")
