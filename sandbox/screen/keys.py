"""All keys in one place: their names, and what they do in each mode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pygame

from sandbox.play.intents import Intent, Pointer, Press, Release


@dataclass(frozen=True)
class Binding:
    """One thing that keys do in a mode: the scene does what its `actions` have under that name.

    keys: names that trigger it. caps: what is printed on the key caps. what: two or three words.
    about: the sentence of the help page. footer: whether it stands in the footer all the time.
    """

    keys: tuple[str, ...]
    caps: tuple[str, ...]
    what: str
    action: str
    about: str = ""
    footer: bool = True
    shift: bool | None = None
    """True: only with Shift; False: only without; None: either."""

    def matches(self, press: Press) -> bool:
        return press.key in self.keys and (self.shift is None or self.shift == press.shift)


def _bind(
    keys: str,
    what: str,
    action: str,
    about: str = "",
    *,
    caps: str = "",
    footer: bool = True,
    shift: bool | None = None,
) -> Binding:
    names = tuple(keys.split())
    shown = tuple(caps.split()) if caps else tuple(cap(name) for name in names)
    return Binding(names, shown, what, action, about, footer, shift)


_CAPS = {
    "enter": "Enter",
    "escape": "Esc",
    "backspace": "Backspace",
    "space": "Space",
    "plus": "+",
    "minus": "-",
    "tab": "Tab",
}


def cap(name: str) -> str:
    """What is printed on the key of that name (arrows are drawn from their names)."""
    if name in ("up", "down", "left", "right"):
        return name
    return _CAPS.get(name, name.upper() if len(name) == 1 or name.startswith("f") else name)


ARROWS = ("left", "right", "up", "down")
MODES: tuple[tuple[str, str, str], ...] = (
    ("f2", "drive", "Drive"),
    ("f3", "reward", "Reward"),
    ("f4", "rank", "Rank"),
    ("f5", "correct", "Correct"),
    ("f6", "watch", "Watch"),
)

EVERYWHERE: tuple[Binding, ...] = (
    _bind("f1", "help", "help", "Show or hide this page."),
    *(_bind(key, name, f"mode_{mode}", f"Go to {name}.", footer=False) for key, mode, name in MODES),
    _bind("escape", "back", "back", "Go back; from a mode, to the menu."),
    _bind("tab", "next field", "focus_next", "Move to the next control (Shift-Tab: back).", footer=False),
    _bind(
        "plus minus",
        "text size",
        "zoom",
        "Text larger or smaller.",
        caps="Ctrl + -",
        footer=False,
    ),
    _bind("f11", "full screen", "fullscreen", "Full screen on or off.", footer=False),
    _bind(
        "q", "close", "close", "Close the window. All that was kept is saved.", caps="Ctrl Q", footer=False
    ),
)

_UNDO = _bind("u", "undo", "undo", "Take back the last one. It stays in the record, marked as taken back.")

BINDINGS: dict[str, tuple[Binding, ...]] = {
    "menu": (
        _bind("up down", "choose", "choose", "Move in the list."),
        _bind("left right", "column", "column", "Move between the columns.", footer=True),
        _bind("enter", "start", "start", "Open the session."),
        _bind(
            "tab",
            "next field",
            "next_field",
            "To the next list or field: level, another world (Shift-Tab: back).",
        ),
        _bind(
            "o", "write out", "write_out", "Write the chosen session into its `exports` folder.", footer=False
        ),
        _bind(
            "i",
            "read in",
            "read_in",
            "Read what lies in the chosen session's `imports` folder.",
            footer=False,
        ),
    ),
    "drive": (
        _bind("left right up down", "drive", "drive", "Control the world. Short taps count too."),
        _bind("enter", "keep", "keep", "Keep what you drove: the agent will learn from it."),
        _bind("backspace", "throw away", "discard", "Throw it away and take a new start; U brings it back."),
        _bind("r", "start over", "restart", "Again from the same start; U brings back what you drove."),
        _bind("space", "pause", "pause", "Pause, or go on."),
        _bind(
            "w", "time waits", "time_waits", "Whether the world waits for your keys, or goes on by itself."
        ),
        _UNDO,
    ),
    "reward": (
        _bind("plus up", "good", "good", "Good: reward what the agent just did.", caps="+"),
        _bind("minus down", "bad", "bad", "Bad: punish what the agent just did.", caps="-"),
        _bind("k", "very good", "very_good", "Twice as strong as +."),
        _bind("j", "very bad", "very_bad", "Twice as strong as -."),
        _UNDO,
        _bind("space", "pause", "pause", "Pause, or go on."),
        _bind("[ ]", "speed", "speed", "Let the agent act slower or faster."),
        _bind("r", "new start", "restart", "Let the agent begin somewhere else.", footer=False),
    ),
    "rank": (
        _bind("1 2 3 4", "order, best first", "order", "Press the clips' numbers, the best first."),
        _bind("left right", "this one is better", "prefer", "With two clips: the left or the right one."),
        _bind("e", "tie", "tie", "The next one is as good as the one before."),
        _bind("a", "all tie", "all_tie", "All of them are equally good."),
        _bind("c", "can't tell", "cant_tell", "You can't tell. Kept as such; nothing is learned from it."),
        _bind("s", "skip", "skip", "Skip it: another question, please."),
        _bind("enter", "confirm", "confirm", "Save this order."),
        _UNDO,
        _bind("space", "play", "pause", "Play and pause.", footer=False),
        _bind(", .", "scrub", "scrub", "A little back or forward.", footer=False),
        _bind("[ ]", "speed", "speed", "Slower or faster.", footer=False),
        _bind("n", "clips", "clips", "How many clips at once: 2, 3 or 4.", footer=False),
    ),
    "correct": (
        _bind("space", "pause", "pause", "Pause, or go on."),
        _bind(", .", "step back, on", "scrub", "One step back or forward; hold to keep going."),
        _bind("t", "take the controls", "take", "From the moment on screen you drive."),
        _bind("left right up down", "drive", "drive", "Control the world, once you have taken over."),
        _bind("enter", "keep", "keep", "Keep: your way is better than the agent's from that moment."),
        _bind("backspace", "throw away", "discard", "Drop it and go back to the agent."),
        _bind("[ ]", "speed", "speed", "Let the agent act slower or faster."),
        _bind("r", "new start", "restart", "Let the agent begin somewhere else."),
        _UNDO,
    ),
    "watch": (
        _bind("space", "pause learner", "pause", "Pause the learner, or let it go on."),
        _bind("[ ]", "speed", "speed", "Slower or faster on screen."),
        _bind("x", "reward x-ray", "xray", "Paint on the world what the learner believes is good."),
        _bind("g", "swarm", "swarm", "Many agents of the newest policy at once."),
        _bind("l", "other learner", "learner", "Another learner on the same feedback."),
        _bind(
            "f",
            "forget",
            "afresh",
            "The learner forgets, and learns again from the same feedback (asks first).",
        ),
        _UNDO,
    ),
}

_SPECIAL = {
    pygame.K_RETURN: "enter",
    pygame.K_KP_ENTER: "enter",
    pygame.K_ESCAPE: "escape",
    pygame.K_BACKSPACE: "backspace",
    pygame.K_DELETE: "backspace",
    pygame.K_SPACE: "space",
    pygame.K_TAB: "tab",
    pygame.K_LEFT: "left",
    pygame.K_RIGHT: "right",
    pygame.K_UP: "up",
    pygame.K_DOWN: "down",
    pygame.K_HOME: "home",
    pygame.K_END: "end",
    pygame.K_PAGEUP: "page up",
    pygame.K_PAGEDOWN: "page down",
    pygame.K_LSHIFT: "shift",
    pygame.K_RSHIFT: "shift",
    **{getattr(pygame, f"K_F{n}"): f"f{n}" for n in range(1, 13)},
}
# By what the key types, where that says it, so that other keyboard layouts work too (on a French
# keyboard the row of digits types & é " ' without Shift).
_TYPED = {
    "+": "plus",
    "=": "plus",
    "-": "minus",
    "_": "minus",
    "{": "[",
    "}": "]",
    "<": ",",
    ">": ".",
    "[": "[",
    "]": "]",
    ",": ",",
    ".": ".",
    "&": "1",
    "é": "2",
    '"': "3",
    "'": "4",
}
_TYPED_BY_CODE = {
    pygame.K_LEFTBRACKET: "[",
    pygame.K_RIGHTBRACKET: "]",
    **{getattr(pygame, f"K_{n}"): str(n) for n in range(10)},
    **{getattr(pygame, f"K_KP{n}"): str(n) for n in range(10)},
}


def _text_of(event: Any) -> str:
    """What a pygame KEYDOWN types; a KEYUP says nothing of it."""
    return str(event.dict.get("unicode") or "")


def key_name(event: Any) -> str:
    """This file's name of the key in a pygame KEYDOWN or KEYUP event."""
    if event.key in _SPECIAL:
        return _SPECIAL[event.key]
    typed = _text_of(event).lower()
    if typed in _TYPED:
        return _TYPED[typed]
    if event.key in _TYPED_BY_CODE:
        return _TYPED_BY_CODE[event.key]
    name = (
        typed if len(typed) == 1 and typed.isprintable() else pygame.key.name(event.key).strip("[]").lower()
    )
    return _TYPED.get(name, name)


def intent(event: Any) -> Intent | None:
    """What a pygame event means here, or None."""
    if event.type == pygame.KEYDOWN:
        mod = event.dict.get("mod", 0)
        shift, ctrl = bool(mod & pygame.KMOD_SHIFT), bool(mod & (pygame.KMOD_CTRL | pygame.KMOD_META))
        return Press(key_name(event), shift, _text_of(event), ctrl=ctrl)
    if event.type == pygame.KEYUP:
        return Release(key_name(event))
    if event.type == pygame.WINDOWLEAVE:
        return Pointer("move", (-1, -1))
    if event.type == pygame.MOUSEMOTION:
        return Pointer("move", event.pos)
    if event.type in (pygame.MOUSEBUTTONDOWN, pygame.MOUSEBUTTONUP) and event.button == 1:
        return Pointer("down" if event.type == pygame.MOUSEBUTTONDOWN else "up", event.pos)
    if event.type == pygame.MOUSEWHEEL:
        return Pointer("wheel", pygame.mouse.get_pos(), event.y)
    return None
