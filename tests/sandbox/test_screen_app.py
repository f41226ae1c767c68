"""The window around the scenes: modes, help, state file, saved marks, trouble, focus, no display."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pygame
import pytest

from envs.rooms.rooms_tasks import rooms_tidy
from sandbox.screen.keys import BINDINGS, EVERYWHERE
from sandbox.session.events import ErrorMessage, LearnerRestarted, Saved
from sandbox.session.placeholder import session_placeholder
from sandbox.session.session_options import SessionOptions
from sandbox.window.app import App
from tests.sandbox.teaching import Teaching, frames, press, texts, undrawn

TASK = rooms_tidy()


@pytest.fixture
def session() -> Teaching:
    return Teaching(TASK)


@pytest.fixture
def app(session: Teaching, tmp_path: Path) -> Iterator[App]:
    app = App(session, fixed_dt=True, seed=3, state_file=tmp_path / "state.json")  # type: ignore[arg-type]
    app.tick()
    yield app
    app.close()


def test_a_key_pressed_before_the_session_is_open_waits_for_it(tmp_path: Path) -> None:
    standing_in = session_placeholder(tmp_path, SessionOptions(world=TASK.id))
    assert standing_in is not None
    app = App(standing_in, fixed_dt=True, seed=3)
    try:
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_F4, mod=0, unicode=""))
        app.show()
        assert app.scene.mode == "drive"
        app.session = Teaching(TASK)  # type: ignore[assignment]
        app.tick()
        assert app.scene.mode == "rank"
    finally:
        app.close()


def spot(app: App, text: str) -> tuple[int, int]:
    """Where a text stands."""
    app.theme.trace = []
    app.draw()
    at = next(rect for found, rect in app.theme.trace if found == text)
    app.theme.trace = None
    return at.center


def click(app: App, at: tuple[int, int]) -> None:
    pygame.event.post(pygame.event.Event(pygame.MOUSEMOTION, pos=at, rel=(0, 0), buttons=(0, 0, 0)))
    pygame.event.post(pygame.event.Event(pygame.MOUSEBUTTONDOWN, pos=at, button=1))
    pygame.event.post(pygame.event.Event(pygame.MOUSEBUTTONUP, pos=at, button=1))
    app.tick()


def test_function_keys_switch_modes_and_escape_leads_to_the_menu_and_back(app: App) -> None:
    for key, mode in (("f3", "reward"), ("f5", "correct"), ("f2", "drive")):
        press(app, key)
        assert app.state()["scene"] == mode
    press(app, "escape")
    assert app.state()["scene"] == "menu"
    press(app, "escape")
    assert app.state()["scene"] == "drive"
    assert app.running


def test_modes_can_be_clicked(app: App) -> None:
    click(app, spot(app, "Reward"))
    assert app.state()["scene"] == "reward"


def test_a_click_on_a_key_cap_is_that_key(app: App) -> None:
    click(app, spot(app, "start over"))
    assert app.news.message == "Again from the same start."


@pytest.mark.parametrize("mode", ["drive", "reward", "correct", "menu"])
def test_help_lists_every_key_of_the_scene(app: App, mode: str) -> None:
    app.show_mode(mode)
    press(app, "f1")
    assert app.state()["extra"]["help"]
    shown = " ".join(texts(app))
    for binding in [*app.scene.bindings()]:
        assert binding.about[:30] in shown
    step = app.state()["step"]
    frames(app, 30)
    assert app.state()["step"] == step  # it waits
    press(app, "escape")
    assert not app.help_open
    assert app.state()["scene"] == mode


def test_the_footer_shows_the_keys_all_the_time(app: App) -> None:
    shown = texts(app)
    for binding in (*app.scene.bindings(), *EVERYWHERE):
        assert not binding.footer or binding.what in shown
    assert BINDINGS["drive"]


def test_state_file_is_whole_json_and_changes_with_the_screen(app: App, tmp_path: Path) -> None:
    path = tmp_path / "state.json"

    def read() -> dict[str, Any]:
        return dict(json.loads(path.read_text()))

    assert set(read()) == {
        *("scene", "mode", "step", "frame", "focus", "open"),
        *("counts", "saved", "message", "learner", "extra"),
    }
    before = path.stat().st_ino
    frames(app, 5)
    assert path.stat().st_ino == before  # nothing changed, nothing written
    press(app, "f3")
    assert read()["scene"] == "reward"
    assert path.stat().st_ino != before
    assert [p.name for p in tmp_path.iterdir()] == ["state.json"]


def test_saved_is_said_only_after_the_session_said_it(app: App, session: Teaching) -> None:
    session.unsaved = 1
    assert "saving ..." in texts(app)
    session.unsaved, session.last_saved = 0, 1
    session.events.append(Saved(1, "a", "Demonstration of 12 steps saved", "demonstration"))
    assert "Demonstration of 12 steps saved" not in texts(app)
    app.tick()
    assert "Demonstration of 12 steps saved" in texts(app)
    assert app.state()["message"] == "Demonstration of 12 steps saved"
    with undrawn(app):
        frames(app, 250)
    assert "saved" in texts(app)


def test_trouble_stays_until_it_is_closed(app: App, session: Teaching) -> None:
    session.events.append(ErrorMessage("The disk is full: free some space. It is tried again by itself."))
    app.tick()
    with undrawn(app):
        frames(app, 300)
    assert any("disk is full" in text for text in texts(app))
    press(app, "escape")
    assert app.state()["extra"]["trouble"] == ""
    assert app.state()["scene"] == "drive"


def test_a_restarted_learner_is_told_in_passing(app: App, session: Teaching) -> None:
    session.events.append(LearnerRestarted("it was killed"))
    app.tick()
    assert any("started again" in toast.text for toast in app.news.toasts)
    assert app.state()["extra"]["trouble"] == ""  # a banner would make the world be painted anew
    with undrawn(app):
        frames(app, 600)
    assert not any("started again" in toast.text for toast in app.news.toasts)


def test_trouble_is_closed_with_the_mouse(app: App, session: Teaching) -> None:
    session.events.append(ErrorMessage("The disk is full: free some space. It is tried again by itself."))
    app.tick()
    click(app, spot(app, "Esc closes"))
    assert app.state()["extra"]["trouble"] == ""


def test_focus_loss_forgets_held_keys(app: App) -> None:
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_RIGHT, mod=0, unicode=""))
    app.tick()
    assert app.state()["extra"]["held"] == ["right"]
    pygame.event.post(pygame.event.Event(pygame.WINDOWFOCUSLOST))
    app.tick()
    assert app.state()["extra"]["held"] == []
    driven = app.state()["extra"]["driven"]
    frames(app, 60)
    assert app.state()["extra"]["driven"] <= driven + 1


def test_text_size_follows_the_window_and_the_person(app: App) -> None:
    small = app.theme.scale
    for _ in range(2):
        pygame.event.post(
            pygame.event.Event(pygame.KEYDOWN, key=pygame.K_EQUALS, mod=pygame.KMOD_LCTRL, unicode="")
        )
    app.tick()
    assert app.theme.scale > small
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_0, mod=pygame.KMOD_LCTRL, unicode=""))
    app.tick()
    assert app.theme.scale == small
    app.surface = pygame.display.set_mode((1920, 1080), pygame.RESIZABLE)
    pygame.event.post(pygame.event.Event(pygame.VIDEORESIZE, size=(1920, 1080), w=1920, h=1080))
    app.tick()
    assert app.theme.scale == pytest.approx(1.5)


def test_full_screen_and_back(app: App) -> None:
    size = app.surface.get_size()
    press(app, "f11")
    assert app.surface.get_size() == pygame.display.get_desktop_sizes()[0]
    press(app, "f11")
    assert app.surface.get_size() == size
    assert app.surface is pygame.display.get_surface()


def test_a_held_key_repeats_where_that_helps(app: App) -> None:
    press(app, "f5")
    frames(app, 150)
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_COMMA, mod=0, unicode=","))
    frames(app, 50)
    assert app.state()["extra"]["position"] < app.state()["extra"]["recorded"] - 4


def test_closing_the_window_ends_the_loop(app: App, session: Teaching) -> None:
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    assert not app.tick()


def test_without_a_session_only_the_menu_is_open() -> None:
    app = App(None, fixed_dt=True)
    app.tick()
    press(app, "f3")
    assert app.state()["scene"] == "menu"
    assert "Choose a world" in app.news.message
    press(app, "escape")
    assert app.running
    press(app, "escape")
    assert not app.running
    app.close()


@pytest.mark.parametrize(
    ("driver", "said"), [("x11", "could not be opened"), ("nonsense", "could not be opened")]
)
def test_no_display_is_a_sentence(driver: str, said: str) -> None:
    code = (
        "from sandbox.window.app import App; from sandbox.window.display import NoDisplay\n"
        "try:\n    App(None)\nexcept NoDisplay as error:\n    print(error); raise SystemExit(2)"
    )
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**environment, "SDL_VIDEODRIVER": driver},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 2, done.stderr
    assert said in done.stdout
    assert "teachbox tour" in done.stdout


def test_no_sound_device_is_silent_and_says_so(monkeypatch: pytest.MonkeyPatch, session: Teaching) -> None:
    pygame.mixer.quit()
    monkeypatch.setenv("SDL_AUDIODRIVER", "nonsense")
    app = App(session, fixed_dt=True)  # type: ignore[arg-type]
    app.sounds.play("plus")
    assert app.sounds.why_silent.startswith("There is no sound")
    press(app, "f1")
    assert any(text.startswith("There is no sound") for text in texts(app))
    app.close()


def test_the_window_imports_no_torch() -> None:
    code = (
        "import sys, sandbox.window.app, sandbox.session.session\n"
        "from sandbox.scenes import correct, drive, menu, rank, reward, watch\n"
        "raise SystemExit('torch' in sys.modules or 'stable_baselines3' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=300).returncode == 0


def test_closing_the_window_asks_once_more_while_something_can_not_be_saved(app, session):
    session.unsaved_warning = (
        "Not saved yet: 2 records. The disk that holds /home is full: free some space there."
    )
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    assert app.tick()
    assert "2 records" in app.news.error
    assert "once more" in app.news.error
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    assert not app.tick()
