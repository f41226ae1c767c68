"""A display to measure on: the one that is there, or an Xvfb of its own; and real keys on it.

Keys go through the X server (XTest), as a keyboard's do: nothing is posted from inside the program.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class NoDisplayHere(RuntimeError):
    """There is no display and none can be made; the text is a sentence."""


@contextmanager
def display(size: tuple[int, int] = (1280, 720)) -> Iterator[str]:
    """The name of an X display for the time being."""
    found = os.environ.get("DISPLAY")
    if found:
        yield found
        return
    if shutil.which("Xvfb") is None:
        raise NoDisplayHere("there is no display here and no Xvfb to make one: install Xvfb")
    try:
        from pyvirtualdisplay.abstractdisplay import XStartError, XStartTimeoutError
        from pyvirtualdisplay.xvfb import XvfbDisplay
    except ImportError:
        raise NoDisplayHere(
            "there is no display here, and pyvirtualdisplay, which makes one, is not installed: "
            "pip install 'teachbox[bench]'"
        ) from None
    server = XvfbDisplay(size, manage_global_env=False)
    try:
        server.start()
    except (XStartError, XStartTimeoutError) as error:
        raise NoDisplayHere(f"Xvfb opened no display: {error}") from error
    try:
        yield server.new_display_var
    finally:
        server.stop()


def environment(name: str) -> dict[str, str]:
    """The environment for a window on that display."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SDL_", "WAYLAND"))}
    return {**kept, "DISPLAY": name}


class Keyboard:
    """Presses real keys on an X display."""

    def __init__(self, name: str) -> None:
        x11, xtst = (ctypes.util.find_library(library) for library in ("X11", "Xtst"))
        if x11 is None or xtst is None:
            raise NoDisplayHere("real keys need libX11 and libXtst (they come with xdotool): install xdotool")
        self._x11, self._xtst = ctypes.CDLL(x11), ctypes.CDLL(xtst)
        self._x11.XOpenDisplay.restype = ctypes.c_void_p
        self._x11.XStringToKeysym.restype = ctypes.c_ulong
        self._x11.XKeysymToKeycode.argtypes = [ctypes.c_void_p, ctypes.c_ulong]
        self._x11.XFlush.argtypes = self._x11.XCloseDisplay.argtypes = [ctypes.c_void_p]
        self._x11.XSetInputFocus.argtypes = [ctypes.c_void_p, ctypes.c_ulong, ctypes.c_int, ctypes.c_ulong]
        self._xtst.XTestFakeKeyEvent.argtypes = [ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_ulong]
        self._display: Any = self._x11.XOpenDisplay(name.encode())
        if not self._display:
            raise NoDisplayHere(f"the display {name} can't be opened")

    def focus(self, window: int) -> None:
        """Give a window (its X number) the keyboard: under Xvfb no window manager does."""
        self._x11.XSetInputFocus(self._display, window, 1, 0)
        self._x11.XFlush(self._display)

    def press(self, key: str) -> float:
        """Press a key by its X name; the moment it was sent [s, monotonic]. `release` it soon."""
        code = self._x11.XKeysymToKeycode(self._display, self._x11.XStringToKeysym(key.encode()))
        sent = time.monotonic()
        self._xtst.XTestFakeKeyEvent(self._display, code, 1, 0)
        self._x11.XFlush(self._display)
        return sent

    def release(self, key: str) -> None:
        code = self._x11.XKeysymToKeycode(self._display, self._x11.XStringToKeysym(key.encode()))
        self._xtst.XTestFakeKeyEvent(self._display, code, 0, 0)
        self._x11.XFlush(self._display)

    def close(self) -> None:
        self._x11.XCloseDisplay(self._display)
