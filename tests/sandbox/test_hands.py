"""Hands that obey: one press is one step, keys on screen come up again, a broken scene begins anew."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pygame
import pytest

from envs import task_catalog
from envs.rooms.rooms_tasks import rooms_tidy
from envs.world import Task
from sandbox.play.intents import Pointer, Press
from sandbox.screen.settings import SettingsFile
from sandbox.window.app import App
from tests.sandbox.teaching import KEYS, Teaching, frames, press

LANES = task_catalog.task("teachbox/LanesCruise-v0")
FRAME = 1000 / 60  # [ms]


def opened(task: Task, mode: str, folder: Path) -> App:
    app = App(
        Teaching(task),  # type: ignore[arg-type]
        size=(900, 560),
        fixed_dt=True,
        seed=3,
        settings_file=folder / "window.json",
    )
    app.show_mode(mode)
    app.tick()
    return app


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    app = opened(rooms_tidy(), "drive", tmp_path)
    yield app
    app.close()


def key(app: App, name: str, down: bool) -> None:
    kind = pygame.KEYDOWN if down else pygame.KEYUP
    pygame.event.post(pygame.event.Event(kind, key=KEYS[name], mod=0, unicode=""))


def mouse(app: App, kind: int, pos: tuple[int, int]) -> None:
    event = {"pos": pos, "button": 1} if kind != pygame.MOUSEMOTION else {"pos": pos}
    pygame.event.post(pygame.event.Event(kind, event))
    app.tick()


def hold(app: App, name: str, milliseconds: float) -> None:
    key(app, name, True)
    frames(app, max(1, round(milliseconds / FRAME)))
    key(app, name, False)
    app.tick()


def driven(app: App) -> int:
    return int(app.scene.state_entries()["driven"])


def cap_of(app: App, name: str) -> tuple[int, int]:
    """Where the key of that name stands in the footer."""
    told: list[Press] = []
    real = app.press_on_screen
    app.press_on_screen = lambda press, spot: told.append(press)  # type: ignore[method-assign]
    width, height = app.surface.get_size()
    try:
        for y in range(height - 110, height, 6):
            for x in range(0, width, 5):
                app.chrome.click(Pointer("move", (x, y)))
                told.clear()
                app.chrome.click(Pointer("down", (x, y)))
                if told and told[0].key == name:
                    return x, y
    finally:
        app.press_on_screen = real  # type: ignore[method-assign]
    raise AssertionError(f"no key {name} in the footer")


@pytest.mark.parametrize("mode", ["drive", "correct"])
@pytest.mark.parametrize("milliseconds", [12, 30, 60, 90, 120, 150, 200, 240])
def test_a_press_is_one_step_whatever_its_length(mode: str, milliseconds: float, tmp_path: Path) -> None:
    app = opened(rooms_tidy(), mode, tmp_path)
    if mode == "correct":
        press(app, "t")
    for count in range(1, 7):
        hold(app, ("left", "up", "right", "down")[count % 4], milliseconds)
        frames(app, 3)
        assert driven(app) == count
    app.close()


def test_taps_faster_than_the_worlds_pace_all_count_and_soon(app: App) -> None:
    for name in ("left", "up", "right", "down") * 5:
        press(app, name)
    frames(app, 4)
    assert driven(app) == 20  # in 24 frames; the world's own pace is 10 steps a second


def test_a_held_key_repeats_at_the_worlds_pace(app: App) -> None:
    key(app, "up", True)
    frames(app, 15)
    assert driven(app) == 1
    frames(app, 60)
    assert driven(app) in (10, 11, 12)
    key(app, "up", False)
    app.tick()
    now = driven(app)
    frames(app, 60)
    assert driven(app) == now


def test_in_a_world_that_runs_a_press_acts_as_long_as_it_is_held(tmp_path: Path) -> None:
    app = opened(LANES, "drive", tmp_path)
    key(app, "right", True)
    frames(app, 12)  # 0.2 s at 15 steps a second
    key(app, "right", False)
    frames(app, 20)
    actions = list(app.scene.live.trajectory().actions)  # type: ignore[attr-defined]
    faster = LANES.keys["right"]
    assert actions[:3] == [faster] * 3
    assert faster not in actions[4:]
    assert len(actions) > 6
    app.close()


def test_a_clicked_arrow_comes_up_with_the_mouse_and_when_it_leaves(app: App) -> None:
    spot = cap_of(app, "up")
    mouse(app, pygame.MOUSEBUTTONDOWN, spot)
    frames(app, 3)
    mouse(app, pygame.MOUSEBUTTONUP, spot)
    frames(app, 60)
    assert driven(app) == 1
    mouse(app, pygame.MOUSEBUTTONDOWN, spot)
    frames(app, 40)
    held = driven(app)
    assert held > 3
    mouse(app, pygame.MOUSEMOTION, (5, 300))
    left = driven(app)
    frames(app, 60)
    assert driven(app) == left
    mouse(app, pygame.MOUSEBUTTONDOWN, cap_of(app, "left"))
    pygame.event.post(pygame.event.Event(pygame.WINDOWFOCUSLOST))
    frames(app, 2)
    lost = driven(app)
    frames(app, 60)
    assert driven(app) == lost


def test_a_key_on_screen_that_is_held_repeats_as_its_key_does(tmp_path: Path) -> None:
    app = opened(rooms_tidy(), "correct", tmp_path)
    frames(app, 240)
    press(app, "space")
    before = app.scene.state_entries()["position"]
    mouse(app, pygame.MOUSEBUTTONDOWN, cap_of(app, ","))
    frames(app, 40)
    assert app.scene.state_entries()["position"] < before - 3
    app.close()


def test_time_waits_by_choice_which_is_kept_for_the_world(app: App, tmp_path: Path) -> None:
    assert app.scene.state_entries()["waits"]
    press(app, "left")
    frames(app, 60)
    assert driven(app) == 1
    press(app, "w")
    frames(app, 60)
    assert driven(app) > 8  # it goes on by itself
    again = opened(rooms_tidy(), "drive", tmp_path)
    assert not again.scene.state_entries()["waits"]
    press(again, "w")
    assert again.scene.state_entries()["waits"]
    again.close()
    lanes = opened(LANES, "drive", tmp_path)
    assert not lanes.scene.state_entries()["waits"]
    press(lanes, "w", "right")
    frames(lanes, 60)
    assert 1 <= driven(lanes) <= 2  # a tap is a step, and then time stands
    lanes.close()


@pytest.mark.parametrize("text", ["{", "[1]", '{"time_waits": {"a": 3}}', '{"time_waits": 7}', "[" * 99999])
def test_settings_that_cant_be_read_are_told_and_left_alone(text: str, tmp_path: Path) -> None:
    path = tmp_path / "window.json"
    path.write_text(text)
    found = SettingsFile(path)
    assert str(path) in found.error
    assert found.time_waits("any", True)
    assert path.read_text() == text


@pytest.mark.parametrize("name", [",", "."])
def test_stepping_right_after_a_new_start(name: str, tmp_path: Path) -> None:
    app = opened(rooms_tidy(), "correct", tmp_path)
    frames(app, 30)
    app.scene.handle(Press("r"))
    app.scene.handle(Press(name))
    app.tick()
    assert not app.news.error
    assert app.scene.state_entries()["mode"] == "paused"
    app.close()


def test_a_scene_that_breaks_down_begins_anew_and_the_window_stays(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = app.scene
    monkeypatch.setattr(broken, "update", lambda dt: [][1])
    assert app.tick()
    assert app.scene is not broken
    assert app.scene.mode == "drive"
    assert "IndexError" in app.news.error
    path = Path(app.news.error.rpartition("Details are in ")[2].rstrip("."))
    assert "list index out of range" in path.read_text()
    press(app, "escape", "left")
    frames(app, 10)
    assert driven(app) == 1


def test_a_scene_that_breaks_down_at_once_again_is_left_for_the_menu(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(app.scene), "draw", lambda *_: 1 / 0)
    frames(app, 3)
    assert app.scene.mode == "menu"
    assert "the menu is shown instead" in app.news.error


def test_a_scene_that_cant_even_be_made_again_is_left_for_the_menu(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.session.unsaved = 2  # type: ignore[union-attr, misc]
    monkeypatch.setattr(type(app.scene), "__init__", lambda *_: 1 / 0)
    monkeypatch.setattr(app.scene, "update", lambda dt: [][1])
    assert app.tick()
    assert app.scene.mode == "menu"
    assert "2 kept records are still being saved" in app.news.error


def test_settings_are_a_small_file_a_person_can_read(tmp_path: Path) -> None:
    SettingsFile(tmp_path / "deep" / "window.json").set_time_waits("world", False)
    assert json.loads((tmp_path / "deep" / "window.json").read_text()) == {"time_waits": {"world": False}}
