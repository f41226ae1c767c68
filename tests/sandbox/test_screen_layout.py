"""Layout: at several sizes everything is inside the window and its panel, and no text lies on another."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pygame
import pytest

from agents.feedback.records import Question
from envs import task_catalog
from envs.rooms.rooms_tasks import rooms_tidy
from envs.world import Task
from sandbox.screen import theme as look
from sandbox.screen.badges import key_cap
from sandbox.screen.keys import BINDINGS
from sandbox.screen.news import Toast
from sandbox.screen.theme import Theme, rounded
from sandbox.window import notices
from sandbox.window.app import App
from tests.sandbox.teaching import Teaching, frames, press, question, undrawn

SIZES = [(640, 480), (1000, 640), (1280, 720), (1920, 1080), (2560, 1080), (900, 900)]
TINY = [(320, 200), (480, 900), (1, 1)]
ROOMS = rooms_tidy()
LANES = task_catalog.task("teachbox/LanesCruise-v0")


def drive(app: App) -> None:
    press(app, "up", "left", "down")
    frames(app, 30)


def drive_paused(app: App) -> None:
    drive(app)
    press(app, "space")


def reward(app: App) -> None:
    app.show_mode("reward")
    frames(app, 100)
    press(app, "=", "-")


def correct(app: App) -> None:
    app.show_mode("correct")
    frames(app, 100)
    press(app, "space", ",")


def correct_taken(app: App) -> None:
    correct(app)
    press(app, "t", "left")
    frames(app, 10)


def menu(app: App) -> None:
    app.show_mode("menu")
    frames(app, 8)


def trouble(app: App) -> None:
    app.show_error(
        "The disk is full, so nothing can be saved: free some space. It is tried again by itself. " * 2
    )


def helped(app: App) -> None:
    app.show_mode("correct")
    press(app, "f1")


def rank(app: App) -> None:
    app.show_mode("rank")
    frames(app, 2)
    press(app, "1")


def rank_four(app: App) -> None:
    app.show_mode("rank")
    press(app, "n", "n", "2", "e", "1")


PLACES: list[Callable[[App], None]] = [
    *(drive, drive_paused, reward, correct, correct_taken, menu, trouble, helped, rank, rank_four)
]


def asking(task: Task) -> Teaching:
    made: dict[int, Question] = {}
    return Teaching(task, lambda clips: made.setdefault(clips, question(task, clips)))


def traced(app: App) -> tuple[list[tuple[str, pygame.Rect]], list[pygame.Rect]]:
    app.theme.trace, app.theme.panels = [], []
    app.draw()
    found, panels = list(app.theme.trace), list(app.theme.panels)
    app.theme.trace = None
    return found, panels


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize("task", [ROOMS, LANES], ids=["rooms", "lanes"])
def test_nothing_is_cut_or_overlaps(size: tuple[int, int], task: Task) -> None:
    for place in PLACES:
        session = asking(task)
        session.status.text = "Learning from 2 drives and 14 rankings, 1.2 million steps practised so far."
        app = App(session, size=size, fixed_dt=True, seed=4)  # type: ignore[arg-type]
        frames(app, 2)
        with undrawn(app):
            place(app)
        frames(app, 2)
        found, panels = traced(app)
        assert len(found) > 10
        window = pygame.Rect((0, 0), size)
        where = f"{place.__name__} at {size}"
        for text, rect in found:
            assert window.contains(rect), f"{text!r} leaves the window: {where}"
            for panel in panels:
                # Fonts have room above and below their letters: a few pixels may touch.
                letters = rect.inflate(0, -rect.height // 3)
                if panel.collidepoint(letters.center):
                    assert panel.contains(letters), f"{text!r} leaves its panel: {where}"
        for (one, a), (other, b) in itertools.combinations(found, 2):
            low, high = a.inflate(0, -a.height // 3), b.inflate(0, -b.height // 3)
            assert not low.colliderect(high), f"{one!r} lies on {other!r}: {where}"
        app.close()


@pytest.mark.parametrize("place", PLACES, ids=lambda p: p.__name__)
def test_at_the_usual_size_nothing_is_shortened(place: Callable[[App], None]) -> None:
    app = App(asking(ROOMS), fixed_dt=True, seed=4)  # type: ignore[arg-type]
    frames(app, 2)
    place(app)
    meant = {"saving ...", "Another Gymnasium world: CartPole-v1 ..."}
    assert [text for text, _ in traced(app)[0] if text.endswith("...") and text not in meant] == []
    app.close()


@pytest.mark.parametrize("size", TINY, ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize("place", PLACES, ids=lambda p: p.__name__)
def test_a_very_small_window_still_draws(size: tuple[int, int], place: Callable[[App], None]) -> None:
    app = App(asking(ROOMS), size=size, fixed_dt=True, seed=4)  # type: ignore[arg-type]
    frames(app, 2)
    place(app)
    app.tick()
    app.close()


def test_resizing_while_it_runs() -> None:
    app = App(asking(ROOMS), fixed_dt=True, seed=4)  # type: ignore[arg-type]
    for size in (*SIZES, *TINY, (1280, 720)):
        app.surface = pygame.display.set_mode(size, pygame.RESIZABLE)
        pygame.event.post(pygame.event.Event(pygame.VIDEORESIZE, size=size, w=size[0], h=size[1]))
        press(app, "up")
        frames(app, 3)
        assert app.surface.get_size() == size
    app.close()


def luminance(color: look.Color) -> float:
    def part(value: int) -> float:
        share = value / 255
        return float(share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4)

    r, g, b = (part(value) for value in color)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@pytest.mark.parametrize("name", ["TEXT", "SOFT", "MUTED", "ACCENT", "GOOD", "BAD", "WARN", "PINK"])
@pytest.mark.parametrize("ground", ["GROUND", "BAR", "PANEL", "RAISED"])
def test_text_can_be_read(name: str, ground: str) -> None:
    """WCAG 2.1 AA: a contrast of at least 4.5."""
    a, b = luminance(getattr(look, name)), luminance(getattr(look, ground))
    assert (max(a, b) + 0.05) / (min(a, b) + 0.05) >= 4.5


def test_fonts_are_the_ones_in_assets() -> None:
    pygame.font.init()
    theme = Theme(1.0)
    assert theme.font().name == "Inter"
    assert theme.font(mono=True).name.startswith("JetBrains Mono")


def test_without_fonts_it_is_still_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise FileNotFoundError(name)

    monkeypatch.setattr("assets.path", missing)
    pygame.font.init()
    assert Theme(1.0).render("hello").get_width() > 10


def test_a_round_corner_stays_inside_its_rectangle() -> None:
    for width, height, radius in ((60, 6, 3), (40, 20, 10), (300, 200, 12), (5, 5, 9), (2, 40, 4)):
        surface = pygame.Surface((width + 20, height + 20))
        rounded(surface, pygame.Rect(10, 10, width, height), (255, 255, 255), radius)
        box = pygame.mask.from_threshold(surface, (255, 255, 255), (80, 80, 80)).get_bounding_rects()
        assert [tuple(b) for b in box] == [(10, 10, width, height)]


def test_every_cap_can_be_drawn() -> None:
    pygame.display.set_mode((400, 100))
    surface, theme = pygame.Surface((400, 100)), Theme(1.0)
    for bindings in BINDINGS.values():
        for binding in bindings:
            for name in binding.caps:
                assert key_cap(surface, theme, name, (10, 50)) > 20


def test_long_news_is_told_in_lines_not_cut() -> None:
    app = App(asking(ROOMS), size=(500, 400), fixed_dt=True)  # type: ignore[arg-type]
    theme, surface = app.theme, app.surface
    text = "The learner was started again, nothing is lost: its process can't be started (reset by peer)."
    told: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        draw = theme.render
        patch.setattr(
            theme, "render", lambda line, *how, **more: told.append(line) or draw(line, *how, **more)
        )
        notices.toasts(surface, theme, surface.get_rect(), [Toast(text, "info", 9.0)], 0.0)
    assert " ".join(told) == text
    assert 1 < len(told) <= 3
    app.close()
