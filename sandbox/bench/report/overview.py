"""The README's table of learners and worlds, made from the figures of `--set table`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sandbox.bench.report.tables import markdown
from sandbox.studies.feedback_mix import mix_in_words


def overview(lines: Sequence[dict[str, Any]], references: Sequence[dict[str, Any]]) -> str:
    """A row for each learner, a column for each world: what the most that it was told came to.

    The interquartile mean with its interval; acting at random in the last row. Where a world was taught
    otherwise than the first, that is said there.
    """
    worlds = list(dict.fromkeys(line["world"] for line in lines))
    last: dict[tuple[str, str], dict[str, Any]] = {(line["learner"], line["world"]): line for line in lines}
    rows = [["learner", "told", *worlds]]
    for name in dict.fromkeys(line["learner"] for line in lines):
        mine = {world: last[name, world] for world in worlds if (name, world) in last}
        told = next(iter(mine.values()))["teaching"]
        cells = [_cell(mine.get(world), told) for world in worlds]
        rows.append([name, mix_in_words(told), *cells])
    random = {one["world"]: f"{one['random_score']:z.2f}" for one in references}
    rows.append(["control: acting at random", "", *(random.get(world, "") for world in worlds)])
    return markdown(rows, 2)


def _cell(line: dict[str, Any] | None, told: str) -> str:
    if line is None:
        return ""
    found = f"{line['iqm']:z.2f} [{line['low']:z.2f}, {line['high']:z.2f}]"
    return found if line["teaching"] == told else f"{found} ({mix_in_words(line['teaching'])})"
