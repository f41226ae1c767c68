"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

WORLD = "teachbox/RoomsTidy-v0"
WorldOption = Annotated[
    str | None, typer.Option("--world", metavar="ID", help="A world of ours, or any Gymnasium id.")
]
LayoutOption = Annotated[
    Path | None, typer.Option("--layout", metavar="FILE", help="A flat or a road of your own, drawn as text.")
]

TermsOption = Annotated[
    str,
    typer.Option(
        metavar="auto|NAME,...", help="Numbers of info that are named terms, in a world of somebody else's."
    ),
]
TrueRewardOption = Annotated[
    str,
    typer.Option(metavar="MODULE:FUNCTION|KEY", help="What is truly wanted there, if not its own reward."),
]


def external_options(world: str, terms: str, true_reward: str) -> dict[str, Any]:
    """The options of a task of somebody else's world. ValueError, a sentence, for a world of ours."""
    found = {"info_terms": terms, "true_reward": true_reward}
    given = {name: value for name, value in found.items() if value}
    if given and world.startswith("teachbox/"):
        flag = "--terms" if terms else "--true-reward"
        raise ValueError(f"{flag} is for worlds of somebody else's: {world} names its own terms and reward")
    return given


RewardModel = Literal["terms", "net"]
"""What a learned reward is made of: the world's terms, or what is seen and done."""


class CommandError(Exception):
    """What went wrong, as one sentence for the person in front."""
