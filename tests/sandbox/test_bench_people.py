"""Answers of people: files, the world's rules, exact plans, and the bench on a made-up board."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from agents.teachers.clip_judgement import CROWD, ClipJudge
from agents.teachers.value_functions import TableValue
from envs.simulation import Simulation
from sandbox.bench.people import people_bench
from sandbox.bench.people.learned_reward import learn_reward
from sandbox.bench.people.people_answers import (
    FIRST,
    SAME,
    SECOND,
    Answers,
    PeopleData,
    UnreadableAnswers,
    comparisons,
    measured,
    read,
    stats_of,
    wrong_stats,
)
from sandbox.bench.people.people_bench import Line, agreement_of, agreements, answered_by, measure, true_gaps
from sandbox.bench.people.people_grid import (
    COLUMN,
    MOVES,
    ROW,
    TERMS,
    TRUE_WEIGHTS,
    PeopleGrid,
    people_task,
)
from sandbox.bench.people.people_plan import PlanScore, best_policy, successor_features, true_values
from sandbox.bench.people.regret_model import learn_regret
from sandbox.cli import cli

BOARD = np.array(
    [
        [0, 0, 2, 0, 1],
        [0, 4, 0, 5, 6],
        [6, 3, 0, 0, 0],
        [0, 0, 0, 2, 0],
    ]
)
"""Made up: a goal in the corner, a sheep, a coin, a block, two houses, some mud (6 and more)."""
UP, DOWN, LEFT, RIGHT = range(4)


def grid() -> PeopleGrid:
    return PeopleGrid(BOARD)


def made_up(count: int = 120, seed: int = 0) -> Answers:
    """Random drives on the board, answered by the crowd."""
    random, board = np.random.default_rng(seed), grid()
    cells = random.choice(board.starts, (count, 2))
    pairs = np.zeros((count, 2, 4, 2), np.int64)
    pairs[:, :, 0, 0], pairs[:, :, 0, 1] = cells // board.width, cells % board.width
    pairs[:, :, 1:] = np.array(MOVES)[random.integers(0, 4, (count, 2, 3))]
    blank = Answers("Made-Up", pairs, np.zeros(count, np.int64))
    return answered_by("crowd", board, blank, seed)


def archive(path: Path, some: Answers) -> Path:
    stats = stats_of(grid(), some.pairs).astype(np.int16)
    facts = {"Made-Up.pairs": some.pairs, "Made-Up.answers": some.answers, "Made-Up.stats": stats}
    np.savez(path / "answers.npz", board=BOARD, **facts)
    return path


def repository(path: Path, some: Answers) -> Path:
    folder = path / "data" / "human_data"
    folder.mkdir(parents=True)
    np.save(folder / "Made-Up_full_filtered_Y.npy", some.answers / 2.0)
    np.save(folder / "Made-Up_full_filtered_segment_pairs.npy", some.pairs)
    np.save(folder / "Made-Up_full_filtered_X.npy", stats_of(grid(), some.pairs))
    (path / "another_board.json").write_text(json.dumps(BOARD[:, ::-1].tolist()))
    (path / "small_board.json").write_text(json.dumps(BOARD.tolist()))
    return path


def counted(cell: tuple[int, int], *moves: int) -> dict[str, float]:
    """What these moves count, by name."""
    drive = grid().drive(cell[0] * 5 + cell[1], np.array(moves))
    return {name: n for name, n in zip(TERMS, drive.terms.sum(0).tolist(), strict=True) if n}


def test_the_rules_of_the_world() -> None:
    assert counted((1, 0), RIGHT) == {"gas": 1, "coin": 1}
    assert counted((1, 2), RIGHT) == {"gas": 1, "block": 1}
    assert counted((0, 1), RIGHT) == {"gas": 1}  # a house: it stays, and pays the ground
    assert counted((1, 1), UP, DOWN, DOWN) == {"gas": 2, "coin": 1, "sheep": 1}
    assert counted((2, 0), LEFT) == {"mud": 1}  # the edge, on mud
    assert counted((1, 1), DOWN, UP, LEFT) == {"sheep": 1}  # the episode ends at the sheep
    assert counted((1, 4), UP, LEFT) == {"goal": 1}
    stays = grid().drive(1 * 5 + 3, np.array([UP, UP]))  # from the block up, then against the edge
    assert stays.terms.sum(0).tolist() == [2, 0, 0, 0, 0, 0]
    assert len(grid().starts) == 20 - 2 - 2


def test_values_by_hand() -> None:
    value = true_values(grid()).reshape(4, 5)
    assert value[0, 4] == value[2, 1] == 0.0  # over
    assert (value[0, 3], value[1, 4], value[2, 4]) == (50.0, 50.0, 48.0)  # over mud: -2
    assert value[1, 2] == 47.0  # the block -1 -1, then gas -1, then the goal


def test_the_task_does_what_the_tables_say() -> None:
    board = grid()
    sim = Simulation(people_task(board), 64, seed=3, auto_reset=False)
    random = np.random.default_rng(0)
    after, terms = board.tables
    for _ in range(20):
        cells = sim.states[:, ROW].astype(int) * 5 + sim.states[:, COLUMN]
        actions = random.integers(0, 4, 64)
        step = sim.step(actions)
        assert (sim.states[:, ROW] * 5 + sim.states[:, COLUMN] == after[cells, actions]).all()
        assert (step.terms == terms[cells, actions]).all()


def test_scores_from_random_to_best() -> None:
    score = PlanScore(grid())
    assert score.of_weights(TRUE_WEIGHTS) == pytest.approx(1.0)
    assert score.of_weights(np.zeros(6)) == pytest.approx(0.0)
    assert score.of_weights(-TRUE_WEIGHTS) < 0.0
    assert score.of_samples(TRUE_WEIGHTS, np.stack([TRUE_WEIGHTS, TRUE_WEIGHTS])) == pytest.approx(1.0)
    met = successor_features(grid(), best_policy(grid(), TRUE_WEIGHTS), 1.0)
    assert met @ TRUE_WEIGHTS == pytest.approx(true_values(grid()), abs=1e-3)


@pytest.mark.parametrize("make", [archive, repository])
def test_both_layouts_are_read(make: object, tmp_path: Path) -> None:
    some = made_up()
    data = read(make(tmp_path, some))  # type: ignore[operator]
    (found,) = data.conditions
    assert (found.pairs == some.pairs).all()
    assert (found.answers == some.answers).all()
    assert (data.grid.board == BOARD).all()
    assert wrong_stats(data) == 0


def test_stats_that_do_not_fit_are_counted(tmp_path: Path) -> None:
    some = made_up(10)
    wrong = stats_of(grid(), some.pairs).astype(np.int64)
    wrong[3, 1] += 1
    assert wrong_stats(PeopleData(grid(), (replace(some, stats=wrong),))) == 1


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    folder = repository(tmp_path, made_up(10)) / "data" / "human_data"
    np.save(folder / "Made-Up_full_filtered_Y.npy", np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(UnreadableAnswers, match="allow_pickle"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        (lambda s: replace(s, answers=s.answers + 3), "other than first"),
        (lambda s: replace(s, pairs=s.pairs + 40), "off the board"),
        (lambda s: replace(s, pairs=s.pairs[:, :1]), "shape"),
        (lambda s: replace(s, pairs=_resting(s.pairs)), "not over"),
    ],
)
def test_what_is_no_answer_is_said(what: object, sentence: str, tmp_path: Path) -> None:
    some = what(made_up(10))  # type: ignore[operator]
    facts = {"Made-Up.pairs": some.pairs, "Made-Up.answers": some.answers}
    np.savez(tmp_path / "answers.npz", board=BOARD, **facts)
    with pytest.raises(UnreadableAnswers, match=sentence):
        read(tmp_path)


def _resting(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    found = pairs.copy()
    found[0, 0, 0], found[0, 0, 1:] = (3, 0), 0
    return found


def test_an_empty_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnreadableAnswers, match="neither"):
        read(tmp_path)


def test_the_crowd_of_the_bench_is_the_teacher() -> None:
    board, some = grid(), made_up(20)
    value = TableValue(people_task(board), true_values(board), board.width, ROW, COLUMN)
    judge = ClipJudge(people_task(board), replace(CROWD, unit=1.0), np.random.default_rng(0), value)
    gaps = true_gaps(board, some.pairs, CROWD.alpha)
    for one, gap in zip(comparisons(board, some, np.arange(20)), gaps, strict=True):
        assert judge.worth(one.clips[0]) - judge.worth(one.clips[1]) == pytest.approx(gap, abs=1e-4)


def test_agreement_by_hand() -> None:
    gaps, answers = np.array([2.0, -1.0, 3.0, 0.0, 5.0]), np.array([FIRST, SECOND, SECOND, FIRST, SAME])
    assert agreement_of(gaps, answers) == pytest.approx((1 + 1 + 0 + 0.5) / 4)
    crowd, rational = agreements(PeopleData(grid(), (made_up(),)))
    assert crowd.agreement > rational.agreement
    assert crowd.ties == pytest.approx(crowd.ties_expected, abs=0.1)
    assert rational.log_score is None


def test_rewards_are_learned_from_records() -> None:
    some, task = made_up(120), people_task(grid())
    which = np.arange(100)
    nothing = learn_reward([], task, "none", 0)
    assert (nothing.weights == 0.0).all()
    written = learn_reward([], task, "written", 0)
    assert written.weights.tolist() == [-1.0, 50.0, 0.0, 0.0, 0.0, 0.0]
    learned = learn_reward(comparisons(grid(), some, which), task, "none", 0)
    again = learn_reward(comparisons(grid(), some, which), task, "none", 0)
    assert (learned.weights == again.weights).all()
    assert learned.weights[TERMS.index("goal")] > 0.0 > learned.weights[TERMS.index("sheep")]
    assert learned.samples.shape[1] == 6


def test_the_regret_model_finds_the_way() -> None:
    some = made_up(120)
    weights = learn_regret(grid(), measured(grid(), some.pairs), some.answers, 0)
    assert PlanScore(grid()).of_weights(weights) > 0.9
    assert (learn_regret(grid(), measured(grid(), some.pairs[:0]), some.answers[:0], 0) == 0.0).all()


def test_the_bench_on_the_made_up_board(tmp_path: Path) -> None:
    data = PeopleData(grid(), (made_up(60),))
    lines = list(measure(data, draws=2, numbers=(0, 20, 500), folder=tmp_path, tell=lambda share, text: None))
    kinds = {(line.answered_by, line.learner, line.prior, line.answers) for line in lines}
    assert ("people", "regret model", "none", 20) in kinds
    assert ("crowd", "teachbox", "written", 20) in kinds
    assert not any(number > 60 for *_, number in kinds)
    nobody = [line for line in lines if line.answers == 0 and line.prior == "none"]
    assert {round(line.median, 6) for line in nobody} == {0.0}
    again = list(measure(data, draws=2, numbers=(0, 20), folder=tmp_path, tell=lambda share, text: None))
    assert again == lines
    assert all(isinstance(line, Line) and 0.0 <= line.held_out <= 1.0 for line in lines)


def test_the_command(tmp_path: Path) -> None:
    folder = archive(tmp_path, made_up(30))
    done = CliRunner().invoke(cli, ["bench", "people", "--data", str(folder), "--quick", "--json"])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["wrong_stats"] == 0
    assert {line["condition"] for line in report["lines"]} == {"Made-Up"}
    assert {line["teacher"] for line in report["agreement"]} == {"crowd", "rational"}
    assert people_bench.NUMBERS == (0, 50, 200)
