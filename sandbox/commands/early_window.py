"""The window on the slow disk of the durability trial, for `window_kills`: argument `early` or `honest`."""

from __future__ import annotations

import sys

import typer

from sandbox.bench.durability.early_control import acknowledge_early, slow_disk
from sandbox.commands.window import window

if __name__ == "__main__":
    slow_disk()
    if sys.argv[1] == "early":
        acknowledge_early()
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.callback(invoke_without_command=True)(window)
    app(sys.argv[2:])
