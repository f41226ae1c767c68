"""Keys: every listed key is answered by its scene, names hold on other layouts, no tap is lost."""

from __future__ import annotations

import os
from dataclasses import replace

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

import pygame
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envs.rooms.rooms_tasks import rooms_tidy
from sandbox.play.intents import Pointer, Press, Release
from sandbox.play.latch import Latch, driving_keys
from sandbox.screen.held_keys import Repeater
from sandbox.screen.keys import ARROWS, BINDINGS, EVERYWHERE, cap, intent
from sandbox.window.app import App
from sandbox.window.scene_stack import SCENES
from tests.sandbox.teaching import Teaching

GRID = {"": 0, "up": 1, "right": 2, "down": 3, "left": 4}
BOTH = {**GRID, "up+left": 5}


@pytest.mark.parametrize("mode", sorted(BINDINGS))
def test_every_listed_key_has_its_method(mode: str) -> None:
    app = App(Teaching(rooms_tidy()), size=(640, 400), fixed_dt=True, seed=1)  # type: ignore[arg-type]
    actions = SCENES[mode](app).actions()
    app.close()
    missing = [b.action for b in BINDINGS[mode] if b.action not in actions]
    assert not missing


@pytest.mark.parametrize("mode", sorted(BINDINGS))
def test_no_key_means_two_things_in_one_mode(mode: str) -> None:
    seen: set[tuple[str, bool]] = set()
    for binding in (*BINDINGS[mode], *(b for b in EVERYWHERE if b.action not in ("focus_next", "zoom"))):
        for key in binding.keys:
            for shift in (False, True) if binding.shift is None else (binding.shift,):
                assert (key, shift) not in seen, f"{key} in {mode}"
                seen.add((key, shift))


@pytest.mark.parametrize("binding", [b for bs in BINDINGS.values() for b in bs], ids=lambda b: b.action)
def test_every_binding_says_what_it_does(binding) -> None:  # type: ignore[no-untyped-def]
    assert binding.what
    assert binding.about.endswith(".")
    assert binding.caps


@pytest.mark.parametrize(
    ("code", "typed", "name"),
    [
        (pygame.K_EQUALS, "=", "plus"),
        (pygame.K_EQUALS, "+", "plus"),
        (pygame.K_PLUS, "+", "plus"),
        (pygame.K_KP_PLUS, "+", "plus"),
        (pygame.K_MINUS, "_", "minus"),
        (pygame.K_KP_MINUS, "-", "minus"),
        (pygame.K_SLASH, "-", "minus"),  # a German keyboard
        (pygame.K_LEFTBRACKET, "[", "["),
        (pygame.K_LEFTBRACKET, "{", "["),
        (pygame.K_RIGHTBRACKET, "", "]"),
        (pygame.K_8, "[", "["),  # AltGr 8
        (pygame.K_1, "1", "1"),
        (pygame.K_KP_3, "3", "3"),
        (pygame.K_u, "U", "u"),
        (pygame.K_u, "", "u"),
        (pygame.K_COMMA, ",", ","),
        (pygame.K_PERIOD, ">", "."),
        (pygame.K_RETURN, "\r", "enter"),
        (pygame.K_KP_ENTER, "\r", "enter"),
        (pygame.K_F5, "", "f5"),
        (pygame.K_LEFT, "", "left"),
    ],
)
def test_names_of_keys(code: int, typed: str, name: str) -> None:
    event = pygame.event.Event(pygame.KEYDOWN, key=code, unicode=typed, mod=0)
    assert intent(event) == Press(name, text=typed)


def test_modifiers_and_mouse() -> None:
    held = pygame.KMOD_LSHIFT | pygame.KMOD_RCTRL
    press = intent(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_a, mod=held, unicode="A"))
    assert press == Press("a", shift=True, text="A", ctrl=True)
    down = pygame.event.Event(pygame.MOUSEBUTTONDOWN, pos=(3, 4), button=1)
    assert intent(down) == Pointer("down", (3, 4))
    assert intent(pygame.event.Event(pygame.MOUSEBUTTONDOWN, pos=(3, 4), button=3)) is None


def tap(latch: Latch, key: str) -> None:
    latch.feed(Press(key))
    latch.feed(Release(key))


def test_a_tap_waits_for_the_next_step() -> None:
    latch = Latch(driving_keys(GRID), stepwise=False)
    tap(latch, "left")
    assert latch.has_action
    assert latch.held == ()
    assert latch.next_action(GRID) == "left"
    assert not latch.has_action
    assert latch.next_action(GRID) == ""


def test_a_held_key_goes_on_and_the_newer_one_wins() -> None:
    latch = Latch(driving_keys(GRID), stepwise=False)
    latch.feed(Press("up"))
    assert [latch.next_action(GRID) for _ in range(3)] == ["up"] * 3
    latch.feed(Press("left"))
    assert [latch.next_action(GRID) for _ in range(2)] == ["left"] * 2
    latch.feed(Release("left"))
    assert latch.next_action(GRID) == "up"


def test_two_keys_at_once_where_the_world_knows_that() -> None:
    latch = Latch(driving_keys(BOTH), stepwise=False)
    latch.feed(Press("up"))
    latch.next_action(BOTH)
    tap(latch, "left")
    assert latch.next_action(BOTH) == "up+left"
    assert latch.next_action(BOTH) == "up"


def test_focus_loss_forgets_and_repeats_are_no_taps() -> None:
    latch = Latch(driving_keys(GRID), stepwise=False)
    latch.feed(Press("up"))
    tap(latch, "left")
    latch.clear()
    assert not latch.has_action
    latch.feed(Press("up", repeat=True))
    assert not latch.has_action
    assert not latch.feed(Press("x"))


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ARROWS), st.integers(0, 3)), max_size=24))
def test_taps_between_steps_all_arrive_in_order(taps: list[tuple[str, int]]) -> None:
    """However many steps pass between taps, each tap becomes exactly one step."""
    latch = Latch(driving_keys(GRID), stepwise=False)
    done = []
    for key, steps in taps:
        tap(latch, key)
        done += [latch.next_action(GRID) for _ in range(steps)]
    done += [latch.next_action(GRID) for _ in range(len(taps) + 1)]
    assert [key for key in done if key] == [key for key, _ in taps]


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(ARROWS), st.floats(0.0, 0.25), st.floats(0.0, 0.5)), max_size=12),
    st.floats(0.004, 0.12),
    st.floats(0.03, 0.2),
)
def test_stepwise_a_press_of_up_to_a_quarter_of_a_second_is_one_step(
    presses: list[tuple[str, float, float]], frame: float, pace: float
) -> None:
    """Whatever the lengths, the pauses between presses, the frames and the world's pace."""
    latch = Latch(driving_keys(GRID), stepwise=True)
    events: list[tuple[float, Press | Release]] = []
    at = 0.0
    for key, length, pause in presses:
        events += [(at, Press(key)), (at + length, Release(key))]
        at += length + pause
    done, now, due = [], 0.0, 0.0
    while events or latch.has_action:
        now += frame  # what happened within the frame is read at its end, and then time goes on by the frame
        while events and events[0][0] <= now:
            event = events.pop(0)[1]
            latch.feed(replace(event, catch_up_seconds=frame) if isinstance(event, Press) else event)
        latch.advance(frame)
        due += frame
        if due >= pace and latch.has_action:
            done.append(latch.next_action(GRID))
            due = 0.0
    assert done == [key for key, _, _ in presses]


def test_stepwise_a_held_key_repeats_after_a_moment_and_an_older_one_rests() -> None:
    latch = Latch(driving_keys(GRID), stepwise=True)
    latch.feed(Press("up"))
    assert latch.next_action(GRID) == "up"
    assert not latch.has_action
    latch.advance(Latch.HOLD)
    assert [latch.next_action(GRID) for _ in range(3)] == ["up"] * 3
    latch.feed(Press("left"))
    assert latch.next_action(GRID) == "left"
    assert not latch.has_action  # neither repeats: `left` is new, and `up` is older
    latch.feed(Release("left"))
    assert latch.next_action(GRID) == "up"


def test_caps_name_keys() -> None:
    assert cap("enter") == "Enter"
    assert cap("t") == "T"
    assert cap("f2") == "F2"
    assert cap("left") == "left"  # drawn as an arrow


def test_a_held_key_is_pressed_again_until_it_comes_up() -> None:
    repeater = Repeater()
    repeater.feed(Press("down"), 0.0)
    assert repeater.due(0.3) is None
    assert repeater.due(0.41) == Press("down", repeat=True)
    assert repeater.due(0.42) is None
    assert repeater.due(0.47) is not None
    repeater.feed(Release("down"), 0.5)
    assert repeater.due(9.0) is None
    repeater.feed(Press("enter"), 9.0)
    assert repeater.due(10.0) is None
