"""`teachbox train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from sandbox.commands.options import (
    WORLD,
    LayoutOption,
    RewardModel,
    TermsOption,
    TrueRewardOption,
    WorldOption,
    external_options,
)


def train(
    world: WorldOption = WORLD,
    learner: Annotated[
        str, typer.Option(metavar="NAME", help="Who learns: see `teachbox info`; or MODULE:NAME.")
    ] = "joint",
    teacher: Annotated[
        str,
        typer.Option(metavar="NAME", help="rational, mistaken[:SHARE], pool:NAME,... and more, see `info`."),
    ] = "rational",
    answers: Annotated[int, typer.Option(metavar="N", min=0, help="How many comparisons are answered.")] = 60,
    mix: Annotated[
        str,
        typer.Option(
            metavar="KIND=N,...",
            help="Feedback: demonstration, comparison, ranking, evaluation, correction; or seconds.",
        ),
    ] = "",
    prior: Annotated[
        Literal["written", "none"] | None,
        typer.Option(help="Start from the written reward, or from nothing (as usual in others' worlds)."),
    ] = None,
    terms: TermsOption = "",
    true_reward: TrueRewardOption = "",
    reward: Annotated[
        RewardModel, typer.Option(help="What the reward is made of: terms, or what is seen.")
    ] = "terms",
    principles: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Written rules that answer beside the teacher.")
    ] = None,
    control: Annotated[
        Literal["constant", "random"] | None,
        typer.Option(help="A reward that learns nothing, to compare with."),
    ] = None,
    follow: Annotated[
        str, typer.Option(metavar="N", help="Whose reward, where the members of a pool part; else most's.")
    ] = "",
    seed: Annotated[int, typer.Option(metavar="S")] = 0,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where result.json goes.")] = Path("runs/train"),
    layout: LayoutOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="End with one line of JSON.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="A short run that only tries the machinery.")
    ] = False,
) -> None:
    """Teach without a window: a synthetic teacher answers, and the agent is scored on unseen starts."""
    from sandbox.commands.layout_option import layout_options
    from sandbox.studies.feedback_mix import parse_mix
    from sandbox.studies.report import run, show, small
    from sandbox.studies.training_study import TrainConfig

    whole = TrainConfig(
        world=world or WORLD,
        learner=learner,
        teacher=teacher,
        answers=answers,
        mix=parse_mix(mix),
        seed=seed,
        prior=prior or "",
        control=control or "",
        principles=None if principles is None else str(principles),
        follow=follow,
        config={"model": reward} if reward != "terms" else {},
        options=layout_options(layout, world or WORLD) | external_options(world or WORLD, terms, true_reward),
    )
    result = run(small(whole) if quick else whole, out)
    if as_json:
        import json

        typer.echo(json.dumps(result.as_json()))
    else:
        show(result)
