"""Figures as Markdown tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sandbox.bench.report.show import HEADINGS, TEXT


def table(lines: Sequence[dict[str, Any]]) -> str:
    """Lines of equal keys as a Markdown table."""
    columns = list(lines[0])
    head = "| " + " | ".join(HEADINGS.get(c, c.replace("_", " ")) for c in columns) + " |"
    rule = "| " + " | ".join("---" if c in TEXT else "---:" for c in columns) + " |"
    body = ["| " + " | ".join(cell(line[c]) for c in columns) + " |" for line in lines]
    return "\n".join([head, rule, *body, ""])


def cell(value: Any) -> str:
    """A value as a person reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return "" if value is None else str(value)


def markdown(rows: Sequence[Sequence[str]], words: int) -> str:
    """Rows, the first of them the heads, as a Markdown table; the first `words` columns are text."""
    rule = ["---"] * words + ["---:"] * (len(rows[0]) - words)
    return "".join(f"| {' | '.join(row)} |\n" for row in (rows[0], rule, *rows[1:]))
