"""What the frame around a scene (bars, news, state file) asks of the window beside what scenes ask."""

from __future__ import annotations

from typing import Protocol

from sandbox.scenes.host import Host
from sandbox.scenes.scene import Scene


class FrameHost(Host, Protocol):
    """The window as its own bars see it."""

    help_open: bool

    @property
    def scene(self) -> Scene:
        """The scene on screen."""

    def clear_error(self) -> None:
        """Take down what went wrong."""

    def curve(self) -> list[float]:
        """The newest points of the learner's first curve."""
