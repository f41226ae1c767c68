"""Answers of real people from files: the public repository's own folder, or one archive of arrays.

Folder: `data/human_data/NAME_full_filtered_Y.npy` (0 the first was liked better, 1 the second, 0.5 the same),
`..._segment_pairs.npy` [N, 2, 4, 2] (a start cell and three moves), and somewhere the board as JSON
(`*board.json`, rows of codes; the one that fits). Archive: `answers.npz` with `board`, `NAME.pairs` and
`NAME.answers` (0, 1 the same, 2 the second). Nothing is ever unpickled.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.feedback.records import Comparison
from sandbox.bench.people.people_grid import MOVES, MUD, TERMS, TRUE_WEIGHTS, PeopleGrid
from sandbox.bench.people.people_plan import true_values

FIRST, SAME, SECOND = range(3)
OVER_MOVE = (0, 0)
"""What stands for the moves left once a drive is over."""
RANKS = ((0, 1), (0, 0), (1, 0))
_SUFFIX = "_full_filtered_"


class UnreadableAnswers(ValueError):
    """The files are not what they should be; the text is a sentence."""


@dataclass(frozen=True, eq=False)
class Answers:
    """One condition: pairs [N, 2, 4, 2] of drives, answers [N] (FIRST, SAME, SECOND), stats [N, 3]."""

    name: str
    pairs: NDArray[np.int64]
    answers: NDArray[np.int64]
    stats: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.answers)


@dataclass(frozen=True, eq=False)
class PeopleData:
    """A board and what was answered about it, by condition."""

    grid: PeopleGrid
    conditions: tuple[Answers, ...]


def read(folder: Path) -> PeopleData:
    """All answers in a folder (or in the archive itself). UnreadableAnswers with a sentence."""
    archive = folder if folder.suffix == ".npz" else folder / "answers.npz"
    try:
        found = _of_archive(archive) if archive.is_file() else _of_repository(folder)
    except (OSError, KeyError, ValueError) as error:
        raise UnreadableAnswers(f"{folder} can't be read as people's answers: {error}") from error
    for one in found.conditions:
        _check(one, found.grid)
    return found


def _of_archive(path: Path) -> PeopleData:
    with np.load(path, allow_pickle=False) as file:
        names = [key.removesuffix(".pairs") for key in file.files if key.endswith(".pairs")]
        conditions = tuple(
            Answers(
                name,
                file[f"{name}.pairs"].astype(np.int64),
                file[f"{name}.answers"].astype(np.int64),
                file[f"{name}.stats"].astype(np.int64) if f"{name}.stats" in file.files else None,
            )
            for name in names
        )
        return PeopleData(PeopleGrid(_board(file["board"].tolist())), conditions)


def _of_repository(folder: Path) -> PeopleData:
    files = sorted((folder / "data" / "human_data").glob(f"*{_SUFFIX}Y.npy"))
    boards = sorted(folder.rglob("*board.json"))
    if not files or not boards:
        missing = "a board as JSON" if files else f"data/human_data/NAME{_SUFFIX}Y.npy"
        raise UnreadableAnswers(f"{folder} has neither answers.npz nor {missing}")
    conditions = []
    for path in files:
        name = path.name.split(_SUFFIX)[0]
        pairs = _array(path, name, "segment_pairs")
        answers = np.round(2.0 * _array(path, name, "Y").astype(np.float64)).astype(np.int64)
        known = path.with_name(f"{name}{_SUFFIX}X.npy").is_file()
        stats = np.round(_array(path, name, "X")).astype(np.int64) if known else None
        conditions.append(Answers(name, pairs.astype(np.int64), answers.reshape(-1), stats))
    return _on_its_board(tuple(conditions), [json.loads(path.read_text("utf-8")) for path in boards])


def _array(path: Path, name: str, what: str) -> NDArray[np.float64]:
    """One of the arrays of a condition, beside `path`."""
    found: NDArray[np.float64] = np.load(path.with_name(f"{name}{_SUFFIX}{what}.npy"), allow_pickle=False)
    return found


def _on_its_board(conditions: tuple[Answers, ...], boards: list[list[list[int]]]) -> PeopleData:
    """On the first board that reproduces the stats; on the first of all where none does."""
    found = [PeopleData(PeopleGrid(_board(rows)), conditions) for rows in boards]
    return next((data for data in found[:-1] if _fits(data)), found[-1] if _fits(found[-1]) else found[0])


def _fits(data: PeopleData) -> bool:
    for one in data.conditions:
        try:
            _check(one, data.grid)
        except UnreadableAnswers:
            return False
    return wrong_stats(data) == 0


def _board(rows: list[list[int]]) -> NDArray[np.int64]:
    board = np.array(rows, np.int64)
    if board.ndim != 2 or board.min() < 0 or board.max() >= 2 * MUD:
        raise UnreadableAnswers("the board is no rectangle of codes from 0 to 11")
    return board


def _check(some: Answers, grid: PeopleGrid) -> None:
    """UnreadableAnswers where shapes, cells, moves or answers are none."""
    count = len(some.answers)
    if some.pairs.ndim != 4 or len(some.pairs) != count or some.pairs.shape[1:] != (2, 4, 2):
        raise UnreadableAnswers(f"{some.name}: pairs of shape {some.pairs.shape} for {count} answers")
    if not np.isin(some.answers, (FIRST, SAME, SECOND)).all():
        raise UnreadableAnswers(f"{some.name}: answers other than first, same, second")
    starts, moves = some.pairs[:, :, 0].reshape(-1, 2), some.pairs[:, :, 1:].reshape(-1, 2)
    known = {*MOVES, OVER_MOVE}
    if (starts < 0).any() or (starts >= grid.board.shape).any() or not set(map(tuple, moves)) <= known:
        raise UnreadableAnswers(f"{some.name}: a start off the board, or a move that is none")
    ended = grid.ends[measured(grid, some.pairs).end]
    if (~ended & (some.pairs[:, :, 1:] == 0).all(-1).any(-1)).any():
        raise UnreadableAnswers(f"{some.name}: a drive that rests though it is not over")


def _actions(moves: NDArray[np.int64]) -> list[int]:
    """Moves [T, 2] as numbers; any number where the drive is over."""
    steps = [(int(down), int(right)) for down, right in moves]
    return [0 if step == OVER_MOVE else MOVES.index(step) for step in steps]


@dataclass(frozen=True, eq=False)
class Measured:
    """Of each pair [N, 2]: the drives' term sums [N, 2, M], and the cells where they start and end."""

    terms: NDArray[np.float64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]


def measured(grid: PeopleGrid, pairs: NDArray[np.int64]) -> Measured:
    """What follows from pairs [N, 2, 4, 2] by the world's rules."""
    after, counted = grid.tables
    flat = pairs.reshape(-1, 4, 2)
    start = flat[:, 0, 0] * grid.width + flat[:, 0, 1]
    actions = np.array([_actions(moves) for moves in flat[:, 1:]], np.int64).reshape(len(flat), 3)
    cell, total = start.copy(), np.zeros((len(flat), len(TERMS)))
    for action in actions.T:
        total += counted[cell, action]
        cell = after[cell, action]
    count = len(pairs)
    return Measured(total.reshape(count, 2, len(TERMS)), start.reshape(count, 2), cell.reshape(count, 2))


def stats_of(grid: PeopleGrid, pairs: NDArray[np.int64]) -> NDArray[np.float64]:
    """[N, 3]: second less first of the sum of rewards, of the value of the start, of the value of the end."""
    found, value = measured(grid, pairs), true_values(grid)
    each = (found.terms @ TRUE_WEIGHTS, value[found.start], value[found.end])
    return np.stack([part[:, 1] - part[:, 0] for part in each], 1)


def wrong_stats(data: PeopleData) -> int:
    """How many of the stats that came with the answers the rules here do not reproduce exactly."""
    return sum(
        int((np.abs(stats_of(data.grid, one.pairs) - one.stats) > 1e-6).any(1).sum())
        for one in data.conditions
        if one.stats is not None
    )


def comparisons(grid: PeopleGrid, some: Answers, which: NDArray[np.int64]) -> list[Comparison]:
    """These answers as records over recorded drives."""
    found = []
    for index in which:
        clips = []
        for drive in some.pairs[index]:
            cell = int(drive[0, 0]) * grid.width + int(drive[0, 1])
            clips.append(grid.drive(cell, np.array(_actions(drive[1:]))))
        ranks = RANKS[int(some.answers[index])]
        found.append(Comparison(tuple(clips), ranks, id=f"{some.name}-{index}"))
    return found
