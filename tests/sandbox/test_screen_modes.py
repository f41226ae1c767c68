"""Drive, Reward, Correct and Menu: what is pressed is what is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pygame
import pytest

from agents.feedback.records import Correction, Demonstration, Evaluation
from envs import task_catalog
from envs.rooms.planner import plan_flat
from envs.rooms.rooms_tasks import rooms_tidy
from envs.simulate import simulate
from envs.world import Task
from sandbox.play import live_row as live
from sandbox.play.intents import Press
from sandbox.scenes.drive import DriveScene
from sandbox.session.folder import SessionInfo
from sandbox.session.session import Session
from sandbox.session.session_list import SessionList
from sandbox.session.session_options import SessionOptions
from sandbox.views import stage
from sandbox.window.app import App
from tests.sandbox.fakes import FakeSession
from tests.sandbox.teaching import KEYS, Teaching, frames, policy, press, undrawn

ROOMS = rooms_tidy()
LANES = task_catalog.task("teachbox/LanesCruise-v0")


def opened(task: Task = ROOMS, mode: str = "drive", seed: int = 3) -> App:
    app = App(Teaching(task), size=(640, 400), fixed_dt=True, seed=seed)  # type: ignore[arg-type]
    app.tick()
    app.show_mode(mode)
    app.tick()
    return app


@pytest.fixture
def app() -> Iterator[App]:
    app = opened()
    yield app
    app.close()


def facts(app: App) -> dict[str, Any]:
    state = app.state()
    return {**state["extra"], "mode": state["mode"], "step": state["step"]}


def said(app: App) -> list[Any]:
    assert isinstance(app.session, FakeSession)
    return list(app.session.records)


def down(app: App, key: str) -> None:
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=KEYS[key], mod=0, unicode=""))


def up(app: App, key: str) -> None:
    pygame.event.post(pygame.event.Event(pygame.KEYUP, key=KEYS[key], mod=0, unicode=""))


def drive(app: App, *keys: str) -> None:
    """One tap after another, each with the time of a step."""
    for key in keys:
        press(app, key)
        frames(app, 7)


# Every key of every list does something that shows.


def to_ready(app: App) -> None:
    pass


def to_driving(app: App) -> None:
    drive(app, "up", "left", "down")


def to_paused(app: App) -> None:
    to_driving(app)
    press(app, "space")


def to_marked(app: App) -> None:
    frames(app, 90)
    press(app, "=")


def to_acting(app: App) -> None:
    frames(app, 150)


def to_stopped(app: App) -> None:
    frames(app, 150)
    press(app, "space")


def to_taken(app: App) -> None:
    to_stopped(app)
    press(app, "t")


def to_correcting(app: App) -> None:
    to_taken(app)
    drive(app, "up", "left")


PLACES: list[tuple[str, Callable[[App], None]]] = [
    ("drive", to_ready),
    ("drive", to_driving),
    ("drive", to_paused),
    ("reward", to_marked),
    ("correct", to_acting),
    ("correct", to_stopped),
    ("correct", to_taken),
    ("correct", to_correcting),
]


@pytest.mark.parametrize(("mode", "place"), PLACES, ids=lambda p: p if isinstance(p, str) else p.__name__)
def test_every_key_in_the_list_shows(mode: str, place: Callable[[App], None]) -> None:
    """Beside a window in which nothing is pressed, the state differs, if only by a word of advice."""
    control = opened(mode=mode)
    with undrawn(control):
        place(control)
    bindings = list(control.scene.bindings())
    keys = [key for binding in bindings for key in binding.keys]
    frames(control, 15)
    still = control.state()
    control.close()
    for key in keys:
        app = opened(mode=mode)
        with undrawn(app):
            place(app)
        app.news.message = ""
        app.press(Press(key, text=key if len(key) == 1 else ""))
        frames(app, 15)
        assert {**app.state(), "learner": 0} != {**still, "message": "", "learner": 0}, f"{key} in {mode}"
        app.close()


# Drive.


def test_driving_is_kept_as_exactly_the_taps(app: App) -> None:
    drive(app, "up", "left", "left", "down")
    press(app, "enter")
    (record,) = said(app)
    assert isinstance(record, Demonstration)
    assert record.trajectory.actions.tolist() == [ROOMS.keys[k] for k in ("up", "left", "left", "down")]
    assert record.trajectory.driver == "person"
    assert facts(app)["mode"] == "ready"
    assert app.state()["counts"]["demonstration"] == 1


def test_taps_within_one_frame_are_all_driven(app: App) -> None:
    for key in ("up", "up", "left", "down", "right"):
        down(app, key)
        up(app, key)
    frames(app, 60)
    press(app, "enter")
    assert said(app)[0].trajectory.actions.tolist() == [1, 1, 4, 3, 2]


def test_a_still_world_waits_for_the_person(app: App) -> None:
    drive(app, "up")
    frames(app, 300)
    assert facts(app)["driven"] == 1


def test_a_moving_world_goes_on_and_a_held_key_stays(app: App) -> None:
    app.close()
    app = opened(LANES)
    frames(app, 60)
    assert facts(app)["driven"] == 0  # until the first key
    down(app, "up")
    frames(app, 60)
    up(app, "up")
    frames(app, 60)
    press(app, "enter")
    actions = said(app)[0].trajectory.actions.tolist()
    rate = LANES.world.steps_per_second
    assert len(actions) == pytest.approx(2 * rate, abs=2)
    assert actions[: rate - 2] == [LANES.keys["up"]] * (rate - 2)
    assert actions[-rate + 3 :] == [LANES.world.idle_action] * (rate - 3)
    app.close()


def test_a_moving_world_stops_when_the_window_loses_the_keyboard() -> None:
    app = opened(LANES)
    press(app, "up")
    frames(app, 20)
    pygame.event.post(pygame.event.Event(pygame.WINDOWFOCUSLOST))
    app.tick()
    step = facts(app)["step"]
    frames(app, 60)
    assert facts(app)["mode"] == "paused"
    assert facts(app)["step"] == step
    app.close()


def test_thrown_away_and_started_over_are_not_kept(app: App) -> None:
    seed = facts(app)["seed"]
    drive(app, "up", "left")
    press(app, "r")
    assert facts(app)["seed"] == seed
    assert facts(app)["driven"] == 0
    drive(app, "up")
    press(app, "backspace")
    assert facts(app)["seed"] != seed
    press(app, "enter")
    assert "Nothing to keep" in app.news.message
    assert said(app) == []


def test_at_the_end_a_replay_runs_until_it_is_kept_or_not(app: App) -> None:
    for k in range(ROOMS.horizon):
        drive(app, "up" if k % 2 else "down")
    assert facts(app)["mode"] == "ended"
    assert facts(app)["replaying"]
    press(app, "enter")
    assert len(said(app)[0].trajectory) == ROOMS.horizon


def test_when_nothing_is_left_to_do_the_drive_is_over_at_once(app: App) -> None:
    scene = app.scene
    assert isinstance(scene, DriveScene)
    best = plan_flat(ROOMS, scene.live.sim.states[0].copy())
    keys = {action: key for key, action in ROOMS.keys.items()}
    while facts(app)["mode"] != "ended":
        assert "Nothing is left" not in scene._phase_card().text
        drive(app, keys[best.action(scene.live.sim.states[0])])
    steps = facts(app)["driven"]
    assert steps < ROOMS.horizon
    assert scene.live.trajectory().terms[-1].any()  # it ends with the step that came home, not one later
    assert "Nothing is left" in scene._phase_card().text
    press(app, "enter")
    assert len(said(app)[0].trajectory) == steps


def test_undo_takes_back_a_drive(app: App) -> None:
    drive(app, "up")
    press(app, "enter", "u")
    assert app.state()["counts"]["demonstration"] == 0
    press(app, "u")
    assert "No kept drive" in app.news.message


def test_the_recording_is_what_happened(app: App) -> None:
    """Stepping the world through the kept actions from the kept start gives the kept states."""
    drive(app, "up", "left", "left", "down", "right", "right")
    press(app, "enter")
    kept = said(app)[0].trajectory
    sim = simulate(ROOMS, 1)
    sim.fork(0, kept, 0)
    for t, action in enumerate(kept.actions):
        out = sim.step(np.array([action]))
        assert np.array_equal(sim.states[0], kept.states[t + 1])
        assert np.array_equal(out.terms[0], kept.terms[t])


# Reward.


def test_a_press_is_about_the_steps_on_screen() -> None:
    app = opened(mode="reward")
    frames(app, 200)
    shown = facts(app)["step"]
    live_row = app.scene.live  # type: ignore[attr-defined]
    since, pace = live_row.steps_since_shown, live_row.step_rate
    press(app, "=")
    (record,) = said(app)
    assert isinstance(record, Evaluation)
    assert record.value == 1.0
    assert record.rate == pace
    assert len(record.segment) == max(6, round(2.0 * pace))
    assert np.array_equal(record.segment.states[-1], live_row.trajectory().states[shown])
    assert record.delay_steps == pytest.approx(since, abs=pace / 30)
    app.close()


@pytest.mark.parametrize(
    ("key", "mod", "value"),
    [
        (pygame.K_EQUALS, 0, 1.0),
        (pygame.K_KP_PLUS, 0, 1.0),
        (pygame.K_MINUS, 0, -1.0),
        (pygame.K_EQUALS, pygame.KMOD_LSHIFT, 1.0),  # how + is typed on an English keyboard
        (pygame.K_MINUS, pygame.KMOD_RSHIFT, -1.0),
        (pygame.K_k, 0, 2.0),
        (pygame.K_j, 0, -2.0),
        (pygame.K_UP, 0, 1.0),
        (pygame.K_DOWN, 0, -1.0),
    ],
)
def test_strength_of_a_press(key: int, mod: int, value: float) -> None:
    app = opened(mode="reward")
    frames(app, 60)
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key, mod=mod, unicode=""))
    app.tick()
    assert [record.value for record in said(app)] == [value]
    app.close()


def test_ten_presses_with_one_undone() -> None:
    app = opened(mode="reward")
    frames(app, 60)
    for k in range(10):
        press(app, "=" if k % 3 else "-")
        frames(app, 12)
    press(app, "u")
    assert facts(app)["standing"] == 9
    assert app.state()["counts"]["evaluation"] == 9
    app.close()


def test_before_anything_was_done_there_is_nothing_to_judge() -> None:
    app = opened(mode="reward")
    press(app, "=")
    assert said(app) == []
    assert "Wait" in app.news.message
    app.close()


def test_a_press_right_after_a_new_start_is_about_the_end_before() -> None:
    app = opened(mode="reward")
    with undrawn(app):
        while facts(app)["mode"] != "ended":
            app.tick()
    seed = facts(app)["seed"]
    last = app.scene.live.trajectory()  # type: ignore[attr-defined]
    while facts(app)["seed"] == seed:
        app.tick()
    press(app, "-")
    (record,) = said(app)
    assert np.array_equal(record.segment.states[-1], last.states[-1])
    assert record.delay_steps / record.rate == pytest.approx(1.2, abs=0.5)
    app.close()


def test_pause_stops_the_agent_but_not_the_judge() -> None:
    app = opened(mode="reward")
    frames(app, 90)
    press(app, "space")
    step = facts(app)["step"]
    frames(app, 60)
    press(app, "=")
    assert facts(app)["step"] == step
    assert len(said(app)) == 1
    app.close()


def test_the_agent_is_the_newest_policy() -> None:
    app = opened(mode="reward")
    session = app.session
    assert isinstance(session, Teaching)
    session.show(7, policy=policy(ROOMS, action=1))
    press(app, "r")
    frames(app, 120)
    press(app, "=")
    (record,) = said(app)
    assert record.segment.driver == "policy:7"
    assert set(record.segment.actions.tolist()) == {1}
    app.close()


# Correct.


def test_a_takeover_keeps_both_ways_from_the_same_moment() -> None:
    app = opened(mode="correct")
    frames(app, 240)
    press(app, "space", ",", ",", ",")
    at = int(facts(app)["position"])
    press(app, "t")
    assert facts(app)["taken_at"] == at
    frames(app, 60)
    assert facts(app)["driven"] == 0  # the world waits
    drive(app, "left", "up", "up", "right")
    press(app, "enter")
    (record,) = said(app)
    assert isinstance(record, Correction)
    assert len(record.agent) == len(record.person) == 4
    assert record.person.actions.tolist() == [4, 1, 1, 2]
    assert record.person.driver == "person"
    assert np.array_equal(record.agent.states[0], record.person.states[0])
    assert record.agent.rng[0] == record.person.rng[0]
    app.close()


def test_at_the_newest_moment_the_agent_acts_on_unseen() -> None:
    app = opened(mode="correct")
    frames(app, 60)
    press(app, "t")
    drive(app, *["left", "right"] * 6)
    press(app, "enter")
    (record,) = said(app)
    assert len(record.agent) == len(record.person) == 12
    app.close()


def test_the_agent_goes_on_from_where_the_person_left_it() -> None:
    app = opened(mode="correct")
    frames(app, 100)
    press(app, "t")
    drive(app, "left", "up")
    step = app.state()["step"]
    press(app, "enter")
    assert facts(app)["mode"] == "running"
    assert app.state()["step"] == step
    kept = said(app)[0].person
    frames(app, 60)
    recording = app.scene.takeover.agent.trajectory()  # type: ignore[attr-defined]
    assert np.array_equal(recording.states[0], kept.states[-1])
    app.close()


def test_a_takeover_can_be_thrown_away_and_undone() -> None:
    app = opened(mode="correct")
    frames(app, 150)
    press(app, "space", ",")
    at = facts(app)["position"]
    press(app, "t")
    drive(app, "up")
    press(app, "backspace")
    assert facts(app)["mode"] == "paused"
    assert facts(app)["position"] == at
    press(app, "t")
    drive(app, "up")
    press(app, "enter", "u")
    assert app.state()["counts"]["correction"] == 0
    app.close()


def test_nobody_can_take_over_after_the_end() -> None:
    app = opened(mode="correct")
    while facts(app)["mode"] != "end":
        app.tick()
    press(app, "t")
    assert "over here" in app.news.message
    press(app, ",", "t")
    assert facts(app)["mode"] == "taken"
    app.close()


def test_a_world_that_does_not_repeat_itself_cannot_be_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(mode="correct")
    frames(app, 60)

    def refuse(self: Any, trajectory: Any, t: int) -> None:
        raise ValueError("Dice-v0 didn't repeat itself, so it can't be taken over")

    monkeypatch.setattr(live.LiveRow, "fork", refuse)
    press(app, "t")
    assert "Dice-v0" in app.state()["extra"]["trouble"]
    assert facts(app)["mode"] != "taken"
    app.close()


# Other people's worlds.


def test_a_foreign_world_can_be_driven_rewarded_and_corrected() -> None:
    task = task_catalog.task("CartPole-v1")
    app = opened(task)
    for _ in range(14):
        press(app, "left", "right")
        frames(app, 4)
    press(app, "enter")
    app.show_mode("reward")
    frames(app, 40)
    press(app, "=")
    app.show_mode("correct")
    frames(app, 30)
    press(app, "space", ",", "t")
    drive(app, "left", "right")
    press(app, "enter")
    drove, marked, corrected = said(app)
    assert drove.trajectory.seed is not None
    assert len(marked.segment) > 0
    assert corrected.agent.seed == corrected.person.seed
    assert np.allclose(corrected.agent.observations[0], corrected.person.observations[0])
    app.close()


def test_an_episode_that_ends_early_is_over() -> None:
    app = opened(task_catalog.task("CartPole-v1"))
    down(app, "left")
    for _ in range(300):
        app.tick()
        if facts(app)["mode"] == "ended":
            break
    assert facts(app)["mode"] == "ended"
    assert facts(app)["driven"] < 60
    app.close()


# Menu.


@pytest.fixture
def menu(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[App, list[Any]]]:
    calls: list[Any] = []

    def open_session(folder: Path | None, options: SessionOptions) -> Any:
        calls.append((folder, options))
        if options.world == LANES.id:
            raise ValueError("that session is open in another window: close it first.")
        return FakeSession(world=str(options.world), learner=str(options.learner), folder=folder)

    old = SessionInfo(
        Path("/sessions/2026-01-02-030405-roomstidy"),
        ROOMS.id,
        "preferences",
        {"comparison": 14, "demonstration": 1},
        datetime.now(UTC),
    )
    bad = SessionInfo(Path("/sessions/broken"), "", "", {}, datetime.now(UTC), "it is damaged.")
    monkeypatch.setattr(SessionList, "list", lambda self: [old, bad])
    app = App(None, fixed_dt=True, seed=1, open_session=open_session)
    frames(app, 2 + len(task_catalog.task_ids()))
    yield app, calls
    app.close()


def fresh(world: str, learner: str, level: str, prior: str = "written") -> SessionOptions:
    return SessionOptions(world, learner, prior=prior, options={"difficulty": level})


def test_the_menu_starts_a_new_session_by_one_key(menu: tuple[App, list[Any]]) -> None:
    app, calls = menu
    assert facts(app)["pictures"] == len(task_catalog.task_ids())
    press(app, "enter")
    frames(app, 5)
    assert calls == [(None, fresh(ROOMS.id, "joint", "normal"))]
    assert app.state()["scene"] == "drive"


def test_world_level_learner_and_session_by_keyboard(menu: tuple[App, list[Any]]) -> None:
    app, calls = menu
    tab = pygame.event.Event(pygame.KEYDOWN, key=pygame.K_TAB, mod=0, unicode="\t")
    for _ in range(2):
        pygame.event.post(tab)
    app.tick()
    assert app.state()["focus"] == "level"
    press(app, "right")
    pygame.event.post(tab)
    app.tick()
    press(app, "down")
    learner = facts(app)["learner"]
    assert learner != "joint"
    press(app, "enter")
    frames(app, 5)
    assert calls == [(None, fresh(ROOMS.id, learner, "hard"))]


def test_an_old_session_goes_on_with_its_own_learner(menu: tuple[App, list[Any]]) -> None:
    app, calls = menu
    press(app, "right", "right")  # to the sessions
    press(app, "down")
    assert facts(app)["learner"] == "preferences"
    press(app, "enter")
    frames(app, 5)
    folder = Path("/sessions/2026-01-02-030405-roomstidy")
    assert calls == [(folder, SessionOptions(ROOMS.id, "preferences"))]


def test_a_refusal_is_a_sentence_and_the_menu_stays(menu: tuple[App, list[Any]]) -> None:
    app, calls = menu
    press(app, *["down"] * task_catalog.task_ids().index(LANES.id), "enter")
    frames(app, 5)
    assert "another window" in app.state()["extra"]["trouble"]
    assert app.state()["scene"] == "menu"


def test_another_gymnasium_world_can_be_typed(menu: tuple[App, list[Any]]) -> None:
    app, calls = menu
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_TAB, mod=0, unicode="\t"))
    app.tick()
    for letter in "CartPole-v9":
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_x, mod=0, unicode=letter))
    app.tick()
    press(app, "enter")
    assert "CartPole-v9" in app.state()["extra"]["trouble"]
    press(app, "backspace")
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_1, mod=0, unicode="1"))
    app.tick()
    press(app, "enter")
    assert facts(app)["world"] == "CartPole-v1"
    press(app, "enter")
    frames(app, 5)
    assert calls == [(None, SessionOptions("CartPole-v1", "joint", prior="written", options={}))]


def test_back_from_the_menu_with_another_learner(menu: tuple[App, list[Any]]) -> None:
    app, calls = menu
    press(app, "enter")
    frames(app, 5)
    press(app, "escape", "right", "down")
    learner = facts(app)["learner"]
    session = app.session
    assert isinstance(session, FakeSession)
    press(app, "enter")
    frames(app, 5)
    assert len(calls) == 1 or calls[-1][1]["learner"] == learner


# The real session.


def test_drive_keep_and_close_leaves_one_demonstration_on_the_disk(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    session = Session.open(folder, world=ROOMS.id, start_learner=False)
    app = App(session, fixed_dt=True, seed=5)
    drive(app, "up", "left", "down")
    press(app, "enter")
    app.close()
    with Session.open(folder, start_learner=False) as again:
        assert again.counts == {"demonstration": 1}
        assert again.last_saved == 1


def test_the_menu_lists_and_opens_real_sessions(tmp_path: Path) -> None:
    Session.open(tmp_path / "one", world=LANES.id, start_learner=False).close()
    sessions = SessionList(tmp_path)
    assert [info.world for info in sessions.list()] == [LANES.id]
    with sessions.open(None, SessionOptions(ROOMS.id)) as session:
        assert session.folder.parent == tmp_path
    assert {info.world for info in sessions.list()} == {ROOMS.id, LANES.id}


def test_worlds_that_stand_still_are_found_out() -> None:
    assert live.waits_for_keys(ROOMS)
    assert not live.waits_for_keys(LANES)
    assert live.waits_for_keys(task_catalog.task("FrozenLake-v1"))
    assert not live.waits_for_keys(task_catalog.task("MountainCar-v0"))


@pytest.mark.parametrize("mode", ["menu", "drive", "rank"])
def test_ctrl_q_closes_the_window_from_everywhere(mode: str) -> None:
    app = opened(mode=mode)
    press(app, "q")
    assert app.running
    held = {"mod": pygame.KMOD_LCTRL, "unicode": "\x11"}
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_q, **held))
    app.tick()
    assert not app.running
    app.close()


def test_the_card_says_what_the_arrows_do_in_each_world() -> None:
    assert stage.driving_hints(ROOMS) == [(("left", "right", "up", "down"), "drive")]
    assert dict(stage.driving_hints(LANES)) == {
        ("up", "down"): "move over",
        ("left",): "slower",
        ("right",): "faster",
    }
