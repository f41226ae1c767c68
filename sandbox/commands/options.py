"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

WORLD = "teachbox/RoomsTidy-v0"
WorldOption = Annotated[
    str | None, typer.Option("--world", metavar="ID", help="A world of ours, or any Gymnasium id.")
]
LayoutOption = Annotated[
    Path | None, typer.Option("--layout", metavar="FILE", help="A flat or a road of your own, drawn as text.")
]

RewardModel = Literal["terms", "net"]
"""What a learned reward is made of: the world's terms, or what is seen and done."""


class CommandError(Exception):
    """What went wrong, as one sentence for the person in front."""
