"""The figures about learning, references and their page: that they are made of what was seen."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from agents.evaluation import oracle, scores, source_digest
from agents.evaluation import reference_returns as kept
from agents.policies.policy_arrays import PolicyArrays
from agents.rl.ppo import PPOConfig
from envs import task_catalog
from envs.world import Task
from sandbox.bench.learning.learnability import LearnabilityRun, summarise
from sandbox.bench.learning.reward_gap import CLONED
from sandbox.bench.learning.reward_gap import measure as measure_gap
from sandbox.bench.report import overview
from sandbox.bench.report.measured_page import text_of
from sandbox.bench.speed.ppo_speed import Speed, no_op_simulation, pooled, proxy_simulation, ratios
from sandbox.bench.speed.sb3_baseline import sb3_ppo
from sandbox.cli import cli
from sandbox.commands.bench import app
from sandbox.studies.statistics import interval, iqm

REACH = "teachbox/RoomsReach-v0"


def report(*arguments: str) -> dict[str, Any]:
    done = CliRunner().invoke(app, [*arguments, "--quick", "--json"], catch_exceptions=False)
    assert done.exit_code == 0
    facts: dict[str, Any] = json.loads(done.output.splitlines()[-1])
    return facts


def reach(**options: Any) -> Task:
    return scores.test_task(task_catalog.task(REACH, **options))


# References.


def test_references_come_back_as_they_were_kept(tmp_path: Path) -> None:
    layers = ((np.ones((3, 2), np.float32), np.zeros(2, np.float32)),)
    policy = PolicyArrays(layers, "gaussian", np.zeros(2, np.float32), -np.ones(2, np.float32))
    three = (np.array([-1.0, 0.5]), np.zeros(2), np.array([1.25, 2.0]))
    path = kept.save(reach(), kept.ReferenceReturns(*three, "policy", policy, True, 9), tmp_path)
    assert path.stat().st_size < 4096
    found = kept.load_shipped(reach(), 2, (tmp_path,))
    assert found is not None
    assert found.policy is not None
    assert (found.by, found.deterministic, found.steps) == ("policy", True, 9)
    assert np.array_equal(found.oracle, [1.25, 2.0])
    obs = np.ones((1, 3), np.float32)
    assert np.array_equal(found.policy.act(obs), policy.act(obs))
    assert kept.load_shipped(reach(), 3, (tmp_path,)) is None  # more layouts than were measured


def test_references_of_another_world_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(kept, "SHIPPED", tmp_path / "shipped")
    monkeypatch.setattr(kept, "user_cache_path", lambda name: tmp_path / "cache")
    stale = kept.ReferenceReturns(*(np.full(2, v) for v in (0.0, 0.0, 99.0)), "plan")
    with monkeypatch.context() as older:
        older.setattr(kept, "world_source_digest", lambda id: "another")
        kept.save(reach(), stale, kept.SHIPPED)
    assert kept.load_shipped(reach(), 2, (kept.SHIPPED,)) is None
    found = scores.reference_means(task_catalog.task(REACH), 2)
    assert found.oracle < 3
    assert "made for another state of its world" in caplog.text
    caplog.clear()
    assert scores.reference_means(task_catalog.task(REACH), 2) == found  # from the cache, without a word
    assert not caplog.text


def test_the_key_follows_what_a_task_is_made_of() -> None:
    assert kept.reference_key(reach()) == kept.reference_key(reach())
    assert (
        len(
            {
                kept.reference_key(reach()),
                kept.reference_key(reach(size=11)),
                kept.reference_key(reach(difficulty="easy")),
            }
        )
        == 3
    )
    assert kept.file_name(reach()) == kept.file_name(task_catalog.task(REACH))


def test_comments_do_not_make_references_stale() -> None:
    plain = 'x = "#1"\n\ndef f():\n    return x\n'
    told = '"""What."""\nx = "#1"  # why\n\n\ndef f():\n    """How."""\n    return x\n'
    assert source_digest._strip_comments(plain) == source_digest._strip_comments(told)
    assert source_digest._strip_comments(plain) != source_digest._strip_comments(plain.replace("#1", "#2"))


def test_a_score_over_the_oracle_fails() -> None:
    refs = scores.ReferenceMeans(random=0.0, still=-1.0, oracle=2.0)
    assert refs.checked_score(2.02) == pytest.approx(1.01)
    with pytest.raises(scores.OracleTooWeak, match="teachbox references"):
        refs.checked_score(2.1)


def test_the_command_writes_references(tmp_path: Path) -> None:
    arguments = ["references", "--world", REACH, "--quick", "--json", "--out", str(tmp_path)]
    done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    line = json.loads(done.output.splitlines()[-1])["references"][0]
    assert (line["task"], line["layouts"], line["by"]) == ("RoomsReach-v0", 2, "exact plan")
    assert max(line["random"], line["still"]) < line["oracle"]
    assert (tmp_path / line["file"]).exists()


def test_shipped_references_are_of_the_worlds_as_they_are() -> None:
    for path in kept.SHIPPED.glob("*.json"):
        facts = json.loads(path.read_text("utf-8"))
        task = scores.test_task(task_catalog.task(facts["task"], **facts["options"]))
        assert facts["key"] == kept.reference_key(task), f"{path.name} is stale: run `teachbox references`"
        assert kept.load_shipped(task, scores.N_TEST_LAYOUTS) is not None


# Speed and learning.


def test_ppo_is_measured_by_whole_rollouts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bench = import_module("sandbox.bench.speed.ppo_speed")
    monkeypatch.setattr(bench, "AGAINST", {"rooms": (("CartPole-v1", "(512, 4)", 1.0),)})
    facts = report("ppo", "--world", REACH)
    assert {one["world"] for one in facts["speeds"]} == {REACH, f"nothing, as {REACH}", "CartPole-v1"}
    for one in facts["speeds"]:
        assert one["steps"] % (one["rows"] * 2) == 0
        assert one["steps_per_cpu_second"] > 0
        assert (one["world_share"] is not None) == (one["world"] == REACH)
        assert one["world_share"] is None or 0 < one["world_share"] < 1
    told: list[str] = []
    size: dict[str, Any] = {"rounds": 2, "seconds": 0.0, "folder": tmp_path, "short": True}
    first = bench.measure(REACH, **size, tell=lambda share, text: told.append(text))
    monkeypatch.setattr(bench._Turn, "go", lambda *arguments: pytest.fail("it was measured already"))
    assert bench.measure(REACH, **size, tell=lambda share, text: None) == first
    assert (len(first), len(told)) == (10, 2)


def test_ratios_are_of_the_speeds_they_name_round_by_round() -> None:
    def speed(world: str, learner: str, setting: str, paces: list[float], share: float | None) -> list[Speed]:
        return [Speed(world, learner, 1, setting, 1, 1, 1, pace, share, i) for i, pace in enumerate(paces)]

    speeds = [
        *speed(REACH, "SB3 PPO", "ours", [90.0, 9.0, 180.0], 0.05),
        *speed(REACH, "IncrementalPPO", "ours", [150.0, 15.0, 300.0], 0.1),
        *speed(f"nothing, as {REACH}", "SB3 PPO", "ours", [100.0, 10.0, 180.0], None),
        *speed("MiniGrid-FourRooms-v0", "SB3 PPO", "SB3's (64, 10)", [3.0, 0.3, 30.0], None),
    ]
    found = {one.figure: (one.times, one.within_target) for one in ratios(speeds)}
    peer = "SB3 PPO on MiniGrid-FourRooms-v0 x8"
    assert found[f"RoomsReach-v0, SB3 PPO / {peer}, SB3's (64, 10)"] == (pytest.approx(30.0), True)
    assert found[f"RoomsReach-v0, IncrementalPPO / {peer}, SB3's (64, 10)"] == (pytest.approx(50.0), None)
    assert found[f"RoomsReach-v0, SB3 PPO / {peer}, (512, 4)"] == (None, None)
    assert found["RoomsReach-v0, SB3 PPO / the same on nothing"] == (pytest.approx(0.9), True)
    assert found["RoomsReach-v0, IncrementalPPO / SB3 PPO"] == (pytest.approx(5 / 3), False)
    assert found["RoomsReach-v0, the world's share of SB3 PPO (at most)"] == (0.05, True)
    line = pooled(speeds)[0]
    assert (line.steps, line.steps_per_cpu_second, line.round) == (3, 90.0, 3)


def test_a_still_world_never_moves_and_ends_as_often_as_the_real_one() -> None:
    task = task_catalog.task(REACH)
    env = no_op_simulation(task)
    first, ends = env.reset(), np.zeros(env.num_envs, int)
    for _ in range(task.horizon):
        obs, rewards, dones, infos = env.step(np.zeros(env.num_envs, np.int64))
        assert np.array_equal(obs, first)
        assert not rewards.any()
        assert ["terminal_observation" in info for info in infos] == list(dones)
        ends += dones
    assert (ends == 1).all()


def test_sb3s_own_ppo_is_paid_by_the_judge() -> None:
    task = task_catalog.task(REACH)
    env = proxy_simulation(task, 4)
    env.reward_override = lambda before, terms, after: (
        after[:, task.world.clock] - before[:, task.world.clock] + 6.0
    )
    ppo = sb3_ppo(env, PPOConfig(n_envs=4, n_steps=task.horizon + 2, batch_size=64, n_epochs=1))
    ppo.learn(1)
    paid = ppo.rollout_buffer.rewards - 7.0  # beyond the judge's, the bootstrap at the horizon alone
    assert (np.abs(paid) > 0).sum() <= 2 * env.num_envs


def test_the_oracle_is_paid_in_units_of_its_deviation() -> None:
    task = task_catalog.task(REACH)

    def pay(before: Any, terms: Any, after: Any) -> Any:
        return np.asarray(1000.0 * terms[:, task.world.term_names.index("bump")], np.float32)

    ppo = oracle.ppo_on_reward(task, pay)
    assert ppo.num_timesteps == 0
    ppo.train_iteration()
    assert 0 < np.abs(ppo.rollout_buffer.rewards).max() < 100


def test_learnable_tells_every_seed_and_the_slowest() -> None:
    runs = [LearnabilityRun("RoomsReach-v0", i, s, 10, 0.9, None) for i, s in enumerate((1.0, 6.0, 2.0))]
    line = summarise(runs)[0]
    assert (line.reached, line.median_cpu_seconds, line.slowest_cpu_seconds) == (3, 2.0, 6.0)
    assert line.within_bar is False  # 5 CPU-seconds
    line = summarise([LearnabilityRun("X", 0, None, None, 0.1, 9.0)])[0]
    assert (line.reached, line.median_cpu_seconds, line.bar, line.within_bar) == (0, None, None, None)
    facts = report("learnable", "--world", REACH)
    assert facts["runs"][0]["task"] == "RoomsReach-v0"


def test_the_gap_is_scored_by_both_rewards() -> None:
    lines = {one.policy: one for one in measure_gap(REACH, quick=True, tell=lambda share, text: None)}
    assert lines["best as meant"].score == pytest.approx(1.0)
    assert lines["best as written"].proxy_score == pytest.approx(1.0)
    assert lines["best as written"].proxy >= lines["best as meant"].proxy - 1e-6
    assert lines["best as meant"].wish >= lines["best as written"].wish
    assert lines["best as meant"].done == 1.0
    assert lines["random"].wish < lines[CLONED].wish <= lines["best as meant"].wish + 1e-6


def test_curves_of_each_way(monkeypatch: pytest.MonkeyPatch) -> None:
    ways = {"a": ("ours", PPOConfig()), "b": ("SB3", PPOConfig())}
    monkeypatch.setattr(import_module("sandbox.bench.learning.ppo_curves"), "WAYS", ways)
    points = report("curves", "--world", REACH)["points"]
    assert [(one["way"], one["env_steps"]) for one in points] == [
        ("a", 4096), ("a", 8192), ("b", 4096), ("b", 8192)
    ]  # fmt: skip
    assert all(one["low"] <= one["iqm"] <= one["high"] for one in points)


# Statistics and the page.


def test_iqm_by_hand() -> None:
    assert iqm(np.arange(8.0)[:, None]) == pytest.approx((2 + 3 + 4 + 5) / 4)
    assert iqm(np.array([[0.0], [1.0], [2.0], [3.0], [100.0]])) == pytest.approx((0.75 + 2 + 3 * 0.75) / 2.5)
    over = interval(np.random.default_rng(1).normal(0.5, 0.1, (50, 2)))
    assert over.low < over.iqm < over.high
    assert over.high - over.low < 0.1
    same = interval(np.array([[1.0, 3.0]] * 4))  # strata: tasks are never mixed up
    assert same.low == same.high == same.iqm == 2.0


def test_the_page_is_made_from_the_files(tmp_path: Path) -> None:
    figures = tmp_path / "docs" / "figures"
    done = CliRunner().invoke(
        app, ["gap", "--world", REACH, "--quick", "--out", str(figures / "gap.json")], catch_exceptions=False
    )
    assert done.exit_code == 0
    kept_file = json.loads((figures / "gap.json").read_text())
    assert kept_file["bench"] == "gap"
    assert kept_file["machine"]["torch"]
    one = {"way": "w", "env_steps": 1, "seeds": 2, "iqm": 0.1, "low": 0.0, "high": 1.0, "cpu_seconds": 1.0}
    points = [one, {**one, "env_steps": 9, "iqm": 1.0}]
    curves = {"bench": "curves", "title": "score", "date": "-", "machine": {}, "points": points}
    (figures / "curves.json").write_text(json.dumps(curves))
    page = tmp_path / "docs" / "measured.md"
    done = CliRunner().invoke(app, ["page", "--folder", str(figures), "--out", str(page)])
    assert done.exit_code == 0, done.output
    text = page.read_text()
    assert "| RoomsReach-v0 | best as meant | exact plan |" in text
    assert "](figures/curves.svg)" in text
    assert "line2d_" in (figures / "curves.svg").read_text()
    with pytest.raises(ValueError, match="--out FILE"):
        text_of(tmp_path / "nothing", tmp_path)


def test_the_page_in_docs_is_made_from_its_files() -> None:
    docs = Path(__file__).parents[2] / "docs"
    plots = {path: path.read_text() for path in (docs / "figures").glob("*.svg")}
    assert text_of(docs / "figures", docs) == (docs / "measured.md").read_text(), "run `teachbox bench page`"
    assert all(path.read_text() == text for path, text in plots.items())


def test_the_overview_shows_what_the_most_telling_came_to() -> None:
    one = {
        "world": "A",
        "learner": "bc",
        "teaching": "demonstration=1",
        "iqm": 0.5,
        "low": 0.25,
        "high": 0.75,
    }
    lines = [
        one,
        {**one, "teaching": "demonstration=2,evaluation=1", "iqm": 0.75},
        {**one, "world": "B", "teaching": "comparison=3", "iqm": 1.0},
        {**one, "world": "B", "learner": "it", "teaching": "nothing"},
    ]
    random = [{"world": "B", "random_score": -0.5}]
    assert overview.overview(lines, random).splitlines() == [
        "| learner | told | A | B |",
        "| --- | --- | ---: | ---: |",
        "| bc | 2 demonstrations, 1 evaluation | 0.75 [0.25, 0.75] | 1.00 [0.25, 0.75] (3 comparisons) |",
        "| it | nothing |  | 0.50 [0.25, 0.75] |",
        "| control: acting at random |  |  | -0.50 |",
    ]
