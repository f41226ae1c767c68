"""What a person does with keys and mouse, as plain data: presses, releases, pointer moves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Press:
    """A key went down. `key` is a name of this file; `text` is what it would type.

    catch_up_seconds: how much time the scene has still to go on until the moment of the press [s].
    """

    key: str
    shift: bool = False
    text: str = ""
    repeat: bool = False
    ctrl: bool = False
    catch_up_seconds: float = field(default=0.0, compare=False)


@dataclass(frozen=True)
class Release:
    key: str


@dataclass(frozen=True)
class Pointer:
    """The mouse, in pixels of the window; wheel > 0 is away from the person."""

    kind: Literal["down", "up", "move", "wheel"]
    pos: tuple[int, int]
    wheel: int = 0


Intent = Press | Release | Pointer
