"""A real window worked by real keys: Xvfb, the app as its own process, xdotool, and the state file.

Nothing is posted from inside. Each test has an X server of its own. What the app did is read from
its state file (and its store, by the test), polled until a deadline; screenshots come straight from
the server's frame buffer.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyvirtualdisplay.xvfb import XvfbDisplay

ROOT = Path(__file__).resolve().parents[2]
ARTIFACTS = ROOT / "artifacts" / "screens"
PATIENCE = 120.0  # how long any one thing may take on a busy machine [s]


def need_tools() -> None:
    """Without Xvfb and xdotool: a failure under CI, elsewhere a skip that says what is missing."""
    missing = [tool for tool in ("Xvfb", "xdotool") if shutil.which(tool) is None]
    if missing:
        told = f"real keys need {' and '.join(missing)}: scripts/need-system installs them on Debian as root"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(told)


class Screen:
    """An X server without a monitor."""

    def __init__(self, folder: Path, size: tuple[int, int] = (1280, 720)) -> None:
        need_tools()
        self._buffer = folder / "framebuffer"
        self._buffer.mkdir(parents=True)
        self._server = XvfbDisplay(size, fbdir=str(self._buffer), manage_global_env=False)
        self._server.start()
        self.name = self._server.new_display_var

    def picture(self) -> np.ndarray:
        """What is on the monitor now, uint8 [height, width, 3] (the server keeps it as an XWD file)."""
        raw = (self._buffer / "Xvfb_screen0").read_bytes()
        header = struct.unpack(">25I", raw[:100])
        start, width, height = header[0] + 12 * header[19], header[4], header[5]
        pixels = np.frombuffer(raw, np.uint8, height * header[12], start).reshape(height, header[12])
        return pixels[:, : width * 4].reshape(height, width, 4)[:, :, 2::-1]

    def close(self) -> None:
        self._server.stop()


class Window:
    """The app in a process of its own, on a Screen."""

    def __init__(self, screen: Screen, folder: Path, *arguments: str, cwd: Path = ROOT) -> None:
        self.screen = screen
        self._home = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.state_file = folder / "state.json"
        self.state_file.unlink(missing_ok=True)
        self._log = folder / "window.log"
        env = {k: v for k, v in os.environ.items() if not k.startswith(("SDL_", "WAYLAND"))}
        env |= {"DISPLAY": screen.name, "XDG_DATA_HOME": str(folder / "data"), "OMP_NUM_THREADS": "1"}
        self._xdo_env = env
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sandbox", *arguments, "--state-file", str(self.state_file)],
                env=env,
                cwd=cwd,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait("a first state", lambda state: True)
        self._focus()

    def _xdo(self, *arguments: str) -> str:
        done = subprocess.run(["xdotool", *arguments], env=self._xdo_env, capture_output=True, text=True)
        return done.stdout

    def _focus(self) -> None:
        """Find the window by the process (never by its name) and give it the keyboard."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = self._xdo("search", "--onlyvisible", "--pid", str(self.process.pid)).split()
            if found:
                self._xdo("windowfocus", "--sync", found[-1])
                if self._xdo("getwindowfocus").strip() == found[-1]:
                    return
            self._alive()
            time.sleep(0.05)
        raise AssertionError(f"no visible window of process {self.process.pid}; it said: {self.said()}")

    def key(self, *names: str) -> None:
        """Press keys one after the other, as X names them (Return, F2, plus, comma, 1, Left, ...).

        Down and up at once, or on a busy machine a tap would be a key held for more than a step.
        """
        for name in names:
            self._xdo("key", "--delay", "0", name)

    def tap_until(self, name: str, what: str, test: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Press one key once and wait for what it should bring about."""
        self.key(name)
        return self.wait(what, test)

    def hold(self, name: str, down: bool) -> None:
        self._xdo("keydown" if down else "keyup", name)

    def state(self) -> dict[str, Any] | None:
        """The newest state that the app told, None before the first."""
        try:
            read: dict[str, Any] = json.loads(self.state_file.read_text())
        except FileNotFoundError:
            return None
        return read

    def wait(
        self, what: str, test: Callable[[dict[str, Any]], bool], seconds: float = PATIENCE
    ) -> dict[str, Any]:
        """The first state seen for which `test` holds; fails after `seconds`, telling the last state."""
        deadline = time.monotonic() + seconds
        state = None
        while time.monotonic() < deadline:
            state = self.state()
            if state is not None and test(state):
                return state
            self._alive()
            time.sleep(0.02)
        raise AssertionError(f"waited {seconds:.0f} s for {what}; the last state was {state}; {self.said()}")

    def _alive(self) -> None:
        if self.process.poll() is not None:
            raise AssertionError(f"the window ended with {self.process.returncode}: {self.said()}")

    def said(self) -> str:
        """What the process printed."""
        return self._log.read_text(errors="replace")[-2000:]

    def screenshot(self, name: str) -> np.ndarray:
        """Keep what is on the monitor under artifacts/screens/NAME.png."""
        import pygame

        picture = self.screen.picture()
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        surface = pygame.surfarray.make_surface(np.ascontiguousarray(picture.swapaxes(0, 1)))
        pygame.image.save(surface, str(ARTIFACTS / f"{name}.png"))
        return picture

    def kill(self) -> None:
        """kill -9 of the window alone, at this moment."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)

    def close(self) -> None:
        """End it as the desktop would; kill it if it does not go."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
