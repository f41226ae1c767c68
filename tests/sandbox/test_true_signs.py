"""Signs that stay true: what is not saved, what comes back, why it is over, and nothing over the world."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pygame
import pytest

from envs import task_catalog
from envs.rooms.rooms_tasks import rooms_tidy
from envs.world import Task
from sandbox.play.episode_end import why_over
from sandbox.play.live_row import LiveRow
from sandbox.screen.theme import Theme
from sandbox.session.events import StoreTrouble
from sandbox.session.session import Session
from sandbox.session.session_options import SessionOptions
from sandbox.views.notice_layout import places
from sandbox.window.app import App
from sandbox.window.session_view import SessionView
from tests.sandbox.fakes import FakeSession
from tests.sandbox.teaching import Teaching, frames, press, texts

ROOMS, LANES = rooms_tidy(), task_catalog.task("teachbox/LanesCruise-v0")


def opened(task: Task, mode: str, size: tuple[int, int] = (900, 560), folder: Path | None = None) -> App:
    session = Teaching(task)
    session.folder = folder
    app = App(session, size=size, fixed_dt=True, seed=3)  # type: ignore[arg-type]
    app.show_mode(mode)
    app.tick()
    return app


def test_the_banner_of_unsaved_records_counts_and_leaves_when_they_are_saved() -> None:
    app = opened(ROOMS, "drive")
    session: Any = app.session

    def told(text: str, is_new: bool = False) -> str:
        session.events.append(StoreTrouble(text, is_new))
        app.tick()
        return str(app.news.error)

    assert told("Not saved yet: 1 record.", True) == "Not saved yet: 1 record."
    assert told("Not saved yet: 3 records.") == "Not saved yet: 3 records."
    assert told("") == ""
    told("Not saved yet: 1 record.", True)
    press(app, "escape")
    assert told("Not saved yet: 2 records.") == "", "a closed banner stays closed"
    told("", False)
    app.show_error("Something else.")
    assert told("") == "Something else."
    app.close()


def test_saved_is_said_after_there_was_something_to_save() -> None:
    app = opened(ROOMS, "drive")
    assert "saved" not in texts(app)
    press(app, "right")
    frames(app, 10)
    press(app, "enter")
    frames(app, 300)
    assert "saved" in texts(app)
    app.close()


@pytest.mark.parametrize("way", ["relative", "link"])
def test_the_open_session_stands_once_in_the_list(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mine"
    Session.open(folder, world=ROOMS.id, start_learner=False).close()
    monkeypatch.chdir(tmp_path)
    if way == "link":
        (tmp_path.parent / "way").unlink(missing_ok=True)
        (tmp_path.parent / "way").symlink_to(tmp_path)
    other = Path("mine") if way == "relative" else tmp_path.parent / "way" / "mine"
    session: Any = FakeSession(world=ROOMS.id, folder=other)
    app = App(session, size=(900, 560), fixed_dt=True, sessions_root=tmp_path)
    app.show_mode("menu")
    app.tick()
    assert [item.title for item in app.scene.sessions.list.items] == ["New session", "Open now"]  # type: ignore[attr-defined]
    press(app, "enter")
    assert app.state()["scene"] == "drive"
    app.close()


def test_time_mode_clips_and_speeds_come_back(tmp_path: Path) -> None:
    app = opened(ROOMS, "reward", folder=tmp_path)
    press(app, "]")
    app.show_mode("watch")
    press(app, "]")
    app.show_mode("rank")
    press(app, "n")
    frames(app, 120)
    seconds = app.teaching_seconds
    assert seconds > 1
    app.close()
    again = opened(ROOMS, "drive", folder=tmp_path)
    frames(again, 2)
    assert again.scene.mode == "rank"
    assert again.scene.clips == 3
    assert abs(again.teaching_seconds - seconds) < 0.2
    again.show_mode("reward")
    assert again.scene.choices() == {"speed": 0.7}
    again.show_mode("watch")
    assert again.scene.choices() == {"speed": 2.0}
    again.close()


ODD = '{"mode": "nowhere", "scenes": {"rank": {"clips": 99}}}'


@pytest.mark.parametrize("content", ["{", "[1]", '{"mode": 3}', ODD])
def test_a_view_that_can_not_be_read_changes_nothing(content: str, tmp_path: Path) -> None:
    (tmp_path / "view.json").write_text(content)
    app = opened(ROOMS, "drive", folder=tmp_path)
    frames(app, 2)
    assert app.scene.mode == "drive"
    app.show_mode("rank")
    assert app.scene.clips == 2
    app.close()


def test_the_session_opened_next_has_its_own_view(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        folder.mkdir()
    SessionView("watch", 60.0).write(second)

    def open_session(folder: Path | None, options: SessionOptions) -> Any:
        session = Teaching(ROOMS)
        session.folder = second
        return session

    session: Any = Teaching(ROOMS)
    session.folder = first
    app = App(session, size=(900, 560), fixed_dt=True, open_session=open_session, sessions_root=tmp_path)
    press(app, "right")
    frames(app, 60)
    app.enter_session(second, SessionOptions(ROOMS.id))
    frames(app, 2)
    assert app.scene.mode == "watch"
    assert abs(app.teaching_seconds - 60.0) < 0.2
    assert 0.5 < SessionView.read(first).teaching_seconds < 5
    app.close()


def test_after_a_crash_the_card_says_so() -> None:
    live = LiveRow(LANES, "person")
    names = LANES.world.term_names
    for seed in range(20):
        live.start(seed)
        while not (live.ended or live.is_done_early):
            live.step(LANES.keys["right"])
        crashed = live.events.sums[names.index("crash")] > 0
        assert ("that ended it" in why_over(live)) == crashed
        if crashed:
            return
    raise AssertionError("no crash in twenty drives")


def test_both_time_lines_of_correct_agree() -> None:
    app = opened(ROOMS, "correct", (1280, 720))

    def lines() -> tuple[str, str]:
        shown = texts(app)
        bar = next(text for text in shown if " / " in text)
        step = next(text for text in shown if text.startswith("step ") and " of " in text)
        return bar.replace(" / ", " of "), step.removeprefix("step ")

    for keys in ((), ("space",), (",", ","), (".",), ("t", "left"), ("up",), ("enter",), ("r",)):
        press(app, *keys)
        frames(app, 21)
        assert len(set(lines())) == 1, (keys, lines())
        assert lines()[0].endswith(f" of {ROOMS.horizon}")
    app.close()


def test_both_time_lines_of_correct_end_with_the_episode() -> None:
    app = opened(LANES, "correct")
    over = app.scene.takeover  # type: ignore[attr-defined]
    over._act = lambda obs: LANES.keys["right"]
    for _ in range(200):
        frames(app, 20)
        if over.phase == "end":
            break
    assert len(over.agent) < LANES.horizon, "it crashed"
    shown = texts(app)
    assert f"step {len(over.agent)} of {len(over.agent)}" in shown
    assert f"{len(over.agent)} / {len(over.agent)}" in shown
    app.close()


@pytest.mark.parametrize("size", [(640, 480), (800, 500), (1280, 720), (2560, 1440)])
@pytest.mark.parametrize("aspect", [0.6, 1.0, 1.1, 2.0, 4.0])
def test_nothing_stands_over_the_world(size: tuple[int, int], aspect: float) -> None:
    room, theme = pygame.Rect(10, 60, size[0] * 2 // 3, size[1] - 170), Theme(max(size[1] / 720, 0.85))
    world, chips, toasts = places(room, aspect, theme)
    assert not world.colliderect(chips)
    assert not world.colliderect(toasts)
    assert all(room.contains(area) for area in (world, chips, toasts))
    assert world.width > room.width // 5


@pytest.mark.parametrize("mode", ["drive", "reward", "correct"])
@pytest.mark.parametrize("size", [(640, 480), (800, 500), (1280, 720), (2560, 1440)])
def test_a_toast_leaves_the_world_as_it_is(mode: str, size: tuple[int, int]) -> None:
    app = opened(ROOMS, mode, size)
    if mode != "drive":
        press(app, "space")
    scene: Any = app.scene
    scene.chips.clear()
    app.news.toasts = []
    app.draw()
    seen: list[pygame.Rect] = []
    place = app.toast_area
    before = app.surface.copy()
    app.toast("Thrown away: U brings it back. Here is another start, and yet another one, and a third.")
    app.draw()
    mask = pygame.mask.from_threshold(app.surface, (0, 0, 0), (1, 1, 1, 255), before, 1)
    mask.invert()
    seen = mask.get_bounding_rects()
    assert seen
    assert place is not None
    assert all(place.contains(rect) for rect in seen)
    app.close()


def test_in_a_small_window_a_toast_and_what_happened_do_not_overlap() -> None:
    app = opened(ROOMS, "drive", (640, 480))
    scene: Any = app.scene
    drawn: list[int] = []
    scene.chips.draw = lambda *args: drawn.append(1)
    app.draw()
    assert drawn
    drawn.clear()
    app.toast("Another start.")
    app.draw()
    assert not drawn
    app.close()
