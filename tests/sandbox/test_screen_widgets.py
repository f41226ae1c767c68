"""Widgets: each by keyboard and by mouse, and the focus that goes round them."""

from __future__ import annotations

import os

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

from typing import Any

import pygame
import pytest

from sandbox.play.intents import Pointer, Press
from sandbox.scenes.scene import Focus
from sandbox.screen.lists import List, ListItem
from sandbox.screen.theme import Theme
from sandbox.screen.widgets import Button, Slider, Tabs, TextField, Toggle, Widget

AREA = pygame.Rect(20, 20, 300, 200)


@pytest.fixture
def heard() -> list[Any]:
    return []


def shown(widget: Widget, rect: pygame.Rect = AREA) -> None:
    pygame.display.init()
    pygame.font.init()
    pygame.display.set_mode((400, 300))
    widget.draw(pygame.Surface((400, 300)), Theme(1.0), rect)


def click(widget: Widget, at: tuple[int, int]) -> None:
    for kind in ("move", "down", "up"):
        widget.pointer(Pointer(kind, at))  # type: ignore[arg-type]


def type_in(widget: Widget, text: str) -> None:
    for letter in text:
        widget.press(Press(letter, text=letter))


def test_button(heard: list[Any]) -> None:
    button = Button("b", "Go", heard.append)
    shown(button, pygame.Rect(20, 20, 100, 40))
    assert button.press(Press("enter"))
    assert not button.press(Press("space"))
    click(button, (50, 30))
    click(button, (300, 200))
    assert len(heard) == 2


def test_toggle(heard: list[Any]) -> None:
    toggle = Toggle("t", "On", heard.append)
    shown(toggle)
    toggle.press(Press("space"))
    click(toggle, AREA.center)
    assert heard == [True, False]


def test_slider_by_keys_stays_within_its_ends(heard: list[Any]) -> None:
    slider = Slider("s", 0, 20, 5, heard.append, step=2)
    for key in ("right", "right", "left", "end", "right", "home", "page up"):
        assert slider.press(Press(key))
    assert heard == [7, 9, 7, 20, 0, 20]
    assert not slider.press(Press("up"))


def test_slider_is_dragged_by_the_mouse(heard: list[Any]) -> None:
    slider = Slider("s", 0, 10, 0, heard.append)
    shown(slider)
    slider.pointer(Pointer("down", (AREA.left + AREA.width // 2, AREA.centery)))
    slider.pointer(Pointer("move", (AREA.right + 500, 0)))  # outside, still held
    slider.pointer(Pointer("up", (AREA.right + 500, 0)))
    slider.pointer(Pointer("move", (AREA.left, AREA.centery)))
    assert heard == [5, 10]


def test_list_scrolls_to_what_is_chosen(heard: list[Any]) -> None:
    items = [
        ListItem(k, f"Row {k}", "about it", right="now", icon="star", icons=("hand",)) for k in range(30)
    ]
    rows = List("l", items, heard.append)
    shown(rows)
    for key in ("down", "down", "up", "end", "home", "page down"):
        assert rows.press(Press(key))
    assert heard == [1, 2, 1, 29, 0, 5]
    rows.choose(20)
    shown(rows)
    assert rows.top > 10
    rows.pointer(Pointer("wheel", AREA.center, wheel=-1))
    assert rows.chosen is not None
    assert rows.chosen.key == 20
    shown(rows)
    click(rows, (AREA.left + 30, AREA.top + 20))
    assert rows.chosen.key == rows.top


def test_list_of_nothing_is_harmless() -> None:
    rows = List("l", [])
    shown(rows)
    rows.press(Press("down"))
    assert rows.chosen is None


def test_list_shows_pictures_of_any_shape() -> None:
    items = [
        ListItem(k, "World", "x " * 60, picture=pygame.Surface(size))
        for k, size in enumerate(((9, 90), (90, 9)))
    ]
    shown(List("l", items, lines=3, tall=80))


def test_tabs(heard: list[Any]) -> None:
    tabs = Tabs("t", [("a", "First"), ("b", "Second"), ("c", "Third")], heard.append)
    shown(tabs, pygame.Rect(20, 20, 300, 30))
    tabs.press(Press("right"))
    tabs.press(Press("left"))
    tabs.press(Press("left"))
    click(tabs, (40, 30))
    assert heard == ["b", "a", "c", "a"]


def test_text_field(heard: list[Any]) -> None:
    field = TextField("f", "type here", heard.append)
    shown(field)
    type_in(field, "CartPolx")
    field.press(Press("backspace"))
    type_in(field, "e-v1")
    field.focused = True
    shown(field, pygame.Rect(20, 20, 60, 30))  # longer than it is wide: the end is shown
    field.press(Press("enter"))
    assert heard == ["CartPole-v1"]
    assert not field.press(Press("f1"))


def test_focus_goes_round_and_passes_over_what_is_off(heard: list[Any]) -> None:
    a, b, c = (Button(name, name, lambda _: None) for name in "abc")
    b.enabled = False
    focus = Focus([a, b, c])
    assert focus.name == ""
    names = []
    for shift in (False, False, False, True):
        assert focus.handle(Press("tab", shift=shift))
        names.append(focus.name)
    assert names == ["a", "c", "a", "c"]
    c.enabled = False
    assert focus.name == ""


def test_a_click_takes_the_focus() -> None:
    a, b = Button("a", "a", lambda _: None), Button("b", "b", lambda _: None)
    shown(a, pygame.Rect(0, 0, 50, 20))
    shown(b, pygame.Rect(100, 0, 50, 20))
    focus = Focus([a, b])
    assert focus.handle(Pointer("down", (110, 10)))
    assert focus.name == "b"
    assert not focus.handle(Pointer("down", (300, 200)))
