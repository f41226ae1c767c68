"""One meaning for a key everywhere, and nothing lost without a question or an undo."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pygame
import pytest

from envs.rooms.rooms_tasks import rooms_tidy
from sandbox.play.intents import Pointer
from sandbox.scenes.watch import MORE_KEYS, WHOSE_KEY
from sandbox.screen.keys import BINDINGS, EVERYWHERE
from sandbox.screen.lists import List, ListItem
from sandbox.screen.theme import Theme
from sandbox.session.session_options import SessionOptions
from sandbox.window.app import App
from tests.sandbox.fakes import FakeSession
from tests.sandbox.teaching import Teaching, frames, press

ROOMS = rooms_tidy()
SAME = (  # actions that are one thing to the person, under the name of what each mode does
    {"restart"},
    {"keep", "confirm", "start"},
    {"discard"},
    {"drive", "choose", "column", "prefer", "good", "bad"},
    {"next_field", "focus_next"},
)


def opened(mode: str, session: Teaching | None = None) -> App:
    app = App(session or Teaching(ROOMS), size=(900, 560), fixed_dt=True, seed=3)  # type: ignore[arg-type]
    app.show_mode(mode)
    app.tick()
    return app


def facts(app: App) -> dict[str, object]:
    return dict(app.state()["extra"])


def test_a_key_means_one_thing_in_every_mode() -> None:
    meanings: defaultdict[str, set[str]] = defaultdict(set)
    for mode, bindings in BINDINGS.items():
        more = (*MORE_KEYS, WHOSE_KEY) if mode == "watch" else ()
        for binding in (*bindings, *more, *EVERYWHERE):
            if binding.action not in ("zoom", "close"):  # with Ctrl
                for key in binding.keys:
                    meanings[key].add(binding.action)
    torn = {
        key: actions
        for key, actions in meanings.items()
        if len(actions) > 1 and not any(actions <= same for same in SAME)
    }
    assert not torn


@pytest.mark.parametrize("mode", ["reward", "rank", "correct", "watch"])
def test_brackets_are_speed_and_say_nothing_else(mode: str) -> None:
    app = opened(mode)
    frames(app, 60)
    assert all(b.action == "speed" for b in BINDINGS[mode] if "[" in b.keys or "]" in b.keys)
    before = facts(app).get("speed")
    press(app, "[")
    assert not app.session.records  # type: ignore[union-attr]
    assert before is None or facts(app)["speed"] != before
    app.close()


def test_the_learner_forgets_only_when_asked_twice() -> None:
    session = Teaching(ROOMS)
    app = opened("watch", session)
    press(app, "r")
    press(app, "f")
    assert "restart" not in session.calls
    assert "Forget" in app.state()["message"]
    frames(app, 300)
    press(app, "f")
    assert "restart" not in session.calls, "the question is over by then"
    press(app, "f")
    assert session.calls == ["restart"]
    app.close()


@pytest.mark.parametrize("key", ["backspace", "r"])
def test_a_dropped_drive_comes_back(key: str) -> None:
    app = opened("drive")
    for name in ("right", "down", "left"):
        press(app, name)
        frames(app, 8)
    whole = app.scene.live.trajectory()  # type: ignore[attr-defined]
    press(app, key)
    assert facts(app)["driven"] == 0
    press(app, "u")
    assert facts(app)["driven"] == 3
    press(app, "up")
    frames(app, 8)
    press(app, "enter")
    assert (app.session.records[0].trajectory.actions[:3] == whole.actions).all()  # type: ignore[union-attr]
    press(app, "backspace", "u")  # nothing was driven: this takes back the drive that was kept
    assert app.state()["counts"].get("demonstration", 0) == 0
    app.close()


def test_a_dropped_takeover_comes_back_until_the_agent_begins_elsewhere() -> None:
    app = opened("correct")
    frames(app, 120)
    press(app, "t", "left", "up")
    frames(app, 20)
    driven, at = facts(app)["driven"], facts(app)["taken_at"]
    assert driven
    press(app, "backspace")
    frames(app, 10)
    press(app, "u")
    assert (facts(app)["driven"], facts(app)["taken_at"], app.state()["mode"]) == (driven, at, "halted")
    press(app, "backspace", "r", "u")
    assert facts(app)["driven"] == 0
    app.close()


def test_the_wheel_scrolls_and_never_chooses() -> None:
    told: list[object] = []
    rows = List("rows", [ListItem(k, f"row {k}") for k in range(30)], told.append)
    surface, theme = pygame.Surface((300, 200)), Theme(1.0)
    area = pygame.Rect(0, 0, 300, 200)
    rows.draw(surface, theme, area)
    for turn in (-1, -1, -40, 3):
        rows.pointer(Pointer("move", (50, 50)))
        rows.pointer(Pointer("wheel", (50, 50), turn))
        rows.draw(surface, theme, area)
    assert not told
    assert rows.index == 0
    assert rows.top > 10
    rows.choose(1)
    rows.draw(surface, theme, area)
    assert rows.top <= 1
    rows.pointer(Pointer("wheel", (50, 50), 99))
    rows.draw(surface, theme, area)
    assert rows.top == 0


def test_left_in_the_first_column_stays_and_right_in_the_last() -> None:
    app = App(None, fixed_dt=True, seed=1, size=(900, 560))
    frames(app, 2)
    press(app, "left")
    assert app.state()["focus"] == "worlds"
    press(app, "right", "right", "right")
    assert app.state()["focus"] == "sessions"
    app.close()


def test_looking_at_the_menu_leaves_the_learner_as_it_is(tmp_path: Path) -> None:
    def open_session(folder: Path | None, options: SessionOptions) -> FakeSession:
        return FakeSession(world=str(options.world), learner="bc", folder=tmp_path)

    app = App(None, fixed_dt=True, seed=1, open_session=open_session, sessions_root=tmp_path)  # type: ignore[arg-type]
    frames(app, 2)
    press(app, "enter")
    frames(app, 5)
    press(app, "escape", "left", "enter")
    frames(app, 5)
    assert app.state()["scene"] == "drive"
    assert app.session is not None
    assert app.session.learner == "bc"
    app.close()


def test_the_page_of_keys_lists_every_key() -> None:
    page = (Path(__file__).parents[2] / "docs" / "keys.md").read_text("utf-8")
    for binding in (*EVERYWHERE, *(b for bs in BINDINGS.values() for b in bs), *MORE_KEYS, WHOSE_KEY):
        caps = " ".join(f"<kbd>{c.capitalize() if len(c) > 1 else c}</kbd>" for c in binding.caps)
        assert f"| {caps} | {binding.about} |" in page, binding.what
