"""A world of somebody else's package: found, run, drawn, scored, recorded, checked; and told if broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import gymnasium
import numpy as np
import pygame
import pytest

from agents.evaluation import reference_returns, scores
from agents.feedback.records import Demonstration, new_id
from agents.teachers.synthetic import make_teacher
from envs import kernels, task_catalog
from envs.external.external_task import ExternalTask
from envs.simulate import simulate
from envs.state_checks import why_invalid_state
from envs.task_catalog import UnknownTask
from envs.trajectory import Trajectory
from envs.world import Task
from sandbox.exchange.state_validation import InvalidRecord, StateValidator, check_clip, task_of_file
from sandbox.session.session import Session
from tests.outside import unpacked

ROOT = Path(__file__).resolve().parents[1]
WALK = "puddles/Walk-v0"
BACK, STAY, ON, HOP = range(4)


@pytest.fixture(autouse=True)
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The package on sys.path; forgotten afterwards."""
    site = unpacked(tmp_path)
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(site)]))
    monkeypatch.setattr(reference_returns, "user_cache_path", lambda name: tmp_path / "cache")
    yield site
    for name in [name for name in sys.modules if name.split(".")[0] == "puddles"]:
        del sys.modules[name]
    gymnasium.registry.pop(WALK, None)


def driven(task: Task, actions: list[int]) -> Trajectory:
    sim = simulate(task, 1, seed=0)
    sim.set_states(np.ones(1, np.bool_), np.array([[2, 0, 0]], np.int16), sim.rng.copy())
    recorder = sim.recorder(0, "person")
    for action in actions:
        out = sim.step(np.array([action]))
        recorder.add(action, out.terms[0], sim.states[0], int(sim.rng[0]), out.obs[0])
    return recorder.trajectory()


def test_it_is_found_by_its_entry_point_and_by_module_and_name() -> None:
    task = task_catalog.task(WALK)
    assert WALK in task_catalog.installed_task_ids()
    assert (task.id, task.world.term_names) == (WALK, ("at the door", "splash"))
    assert task.can_restore
    assert task.names_terms
    named = task_catalog.task("puddles.walk:walk", horizon=12)
    assert (named.id, named.horizon, named.options) == ("puddles.walk:walk", 12, {"horizon": 12})


def test_gymnasiums_own_module_names_go_on_working(site: Path) -> None:
    (site / "own_ids.py").write_text(
        "import gymnasium\n"
        "gymnasium.register('Own-v0', entry_point='gymnasium.envs.classic_control:CartPoleEnv')\n"
    )
    task = task_catalog.task("own_ids:Own-v0")
    assert isinstance(task, ExternalTask)
    assert task.id == "own_ids:Own-v0"


def test_a_broken_one_is_told_in_a_sentence_and_breaks_no_other() -> None:
    told: list[str] = []
    listed = [task.id for task in task_catalog.listed_tasks(told.append)]
    assert listed == [*task_catalog.task_ids(), WALK]
    assert len(told) == 1
    assert told[0].startswith("'puddles/Broken-v0' of the package teachbox-puddles (puddles.is_not_there:")
    with pytest.raises(UnknownTask, match=r"No module named 'puddles\.is_not_there'"):
        task_catalog.task("puddles/Broken-v0")
    with pytest.raises(UnknownTask, match=r"puddles\.walk:walk can't be made: TypeError"):
        task_catalog.task("puddles.walk:walk", colour="red")
    with pytest.raises(UnknownTask, match=r"not an envs\.world\.Task"):
        task_catalog.task("puddles.walk:placements", state=np.zeros(3))


def test_its_kernels_are_compiled_and_kept_under_their_own_name() -> None:
    task = task_catalog.task(WALK)
    assert kernels.mode_of(task.world.kernel.step) == kernels.mode()
    own = kernels.cache_folder_of(task.world.kernel.step)
    assert own != kernels.cache_folder()
    assert own.parent.name == "puddles"
    assert not kernels.is_warm("puddles", task.world.kernel.step)
    task_catalog.warm_up_task(task)
    assert kernels.is_warm("puddles", task.world.kernel.step)


def test_it_runs_in_gymnasium() -> None:
    from envs.registration import register_all

    register_all()
    env = gymnasium.make(WALK)
    env.reset(seed=0)
    paid = sum(float(env.step(ON)[1]) for _ in range(20))
    assert 20 - 8 + 1 <= paid <= 20 - 6 + 1  # one for each step at the door, which is 6 to 8 away


def test_its_renderer_draws_it() -> None:
    task = task_catalog.task(WALK)
    drawn = task_catalog.renderer(task)
    assert drawn.aspect == 4.0
    surface = pygame.Surface((90, 20))
    state = np.array([2, 0, 0], np.int16)
    drawn.draw(surface, surface.get_rect(), state, state, 0.0)
    assert surface.get_at((25, 10))[:3] == (220, 60, 60)
    assert surface.get_at((45, 10))[:3] == (60, 120, 220)


def test_a_world_without_a_renderer_is_drawn_plainly() -> None:
    from envs.plain_renderer import AGENT, PlainRenderer

    surface = pygame.Surface((200, 100))
    before, after = np.array([0, 0, 0], np.int16), np.array([8, 0, 0], np.int16)
    PlainRenderer(task_catalog.task(WALK)).draw(surface, surface.get_rect(), before, after, 0.5)
    assert surface.get_at((100, 50))[:3] == AGENT


def test_it_is_scored_by_its_own_planner_and_taught_by_its_true_reward() -> None:
    """From cells 0 to 2 the door is 7 to 5 steps away with the hop: 14 to 16 of 20 steps end at the door."""
    task = task_catalog.task(WALK)
    refs = scores.reference_means(task, layouts=6)
    assert 14 <= refs.oracle <= 16
    assert refs.still == 0.0
    best = driven(task, [ON, HOP, *[ON] * 18])  # from cell 2
    assert task.true_reward(best.states[:-1], best.terms, best.states[1:]).sum() == 16.0
    drive = make_teacher("rational", task, 0).demonstrate(1).trajectory
    assert drive.terms[:, 1].sum() == 0  # dry feet
    assert drive.terms[:, 0].sum() > 8
    from puddles.walk import lazy  # type: ignore[import-not-found]

    own = replace(task, true_reward=lazy)
    assert own.world.hooks.best_returns is not None
    assert own.world.hooks.best_returns(own, np.arange(2)) is None
    assert reference_returns.reference_key(own) != reference_returns.reference_key(task)


def test_its_recordings_are_checked() -> None:
    task = task_catalog.task(WALK)
    clip = driven(task, [ON, HOP, ON])
    check_clip("it", clip, task)
    assert clip.states[:, 0].tolist() == [2, 3, 5, 6]
    assert why_invalid_state(task, np.array([[9, 0, 0]])) == "a place outside the corridor"
    bad = replace(clip, states=clip.states + np.array([9, 0, 0], np.int16))
    with pytest.raises(InvalidRecord, match="a place outside the corridor"):
        check_clip("it", bad, task)
    assert StateValidator()(clip) is None
    assert "a place outside the corridor" in str(StateValidator()(bad))
    assert task_of_file(WALK, {"horizon": 20}).id == WALK
    with pytest.raises(InvalidRecord, match="plain numbers or words"):
        task_of_file(WALK, {"horizon": "../secret"})


@pytest.mark.parametrize("world", [WALK, "puddles.walk:walk"])
def test_a_session_keeps_it_and_its_store_is_checked(world: str, tmp_path: Path) -> None:
    folder = tmp_path / "session"
    with Session.open(folder, world=world, start_learner=False) as session:
        session.add_demonstration(driven(session.task, [ON, HOP, ON]))
    assert json.loads((folder / "session.json").read_text())["world"] == world
    with Session.open(folder, start_learner=False) as session:
        assert session.task.title == "Walk to the door"
        assert sum(session.counts.values()) == 1
    run("store", "check", str(folder))
    bundle = tmp_path / "bundle"
    run("export", str(folder), "--out", str(bundle), "--format", "bundle")
    if world == WALK:
        run("import", str(bundle), "--session", str(tmp_path / "other"))
        with Session.open(tmp_path / "other", start_learner=False) as other:
            assert (other.world, sum(other.counts.values())) == (world, 1)


def run(*arguments: str, python: str = sys.executable) -> str:
    done = subprocess.run(
        [python, "-m", "sandbox", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-2000:]
    return done.stdout


def test_teachbox_trains_and_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    said = run("train", "--world", WALK, "--quick", "--json", "--out", str(tmp_path / "out"))
    result = json.loads(said.splitlines()[-1])
    assert result["world"] == WALK
    assert 14 <= result["return_oracle"] <= 16


def test_a_demonstration_is_a_record_like_any_other() -> None:
    task = task_catalog.task(WALK)
    record = Demonstration(driven(task, [ON, HOP]), new_id())
    assert record.trajectory.task == WALK
    assert record.trajectory.kernel == kernels.mode()
