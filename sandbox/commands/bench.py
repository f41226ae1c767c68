"""Figures about speed and learning: `teachbox bench NAME`. Each says what it ran on.

Heavy imports live inside the commands.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sandbox.bench.measured_names import LearnerSet
from sandbox.bench.report.show import show
from sandbox.commands.options import RewardModel

if TYPE_CHECKING:
    from collections.abc import Sequence

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Measure how fast worlds and learners are, how learnable tasks are, and the window.",
)
Json = Annotated[bool, typer.Option("--json", help="As one line of JSON.")]
World = Annotated[str | None, typer.Option("--world", metavar="ID", help="This world alone.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Keep the figures there, as JSON.")]
Rounds = Annotated[int, typer.Option(min=1, help="How often everything takes its turn.")]
Work = Annotated[Path, typer.Option(metavar="DIR", help="Where finished parts are kept, to go on from.")]
Quick = Annotated[bool, typer.Option("--quick", help="A short run that only tries the machinery.")]


@app.command()
def worlds(
    as_json: Json = False,
    quick: Quick = False,
    rounds: Rounds = 5,
    work: Work = Path("runs/worlds"),
    out: Out = None,
) -> None:
    """Steps per CPU-second on one core: our worlds by number of rows, and other people's."""
    from sandbox.bench.machine import machine
    from sandbox.bench.speed.world_speed import measure, pooled, ratios
    from sandbox.progress import progress_bar

    rows = (1, 8) if quick else (1, 8, 64, 256, 1024, 4096)
    size: dict[str, Any] = {"rounds": 1, "seconds": 0.05} if quick else {"rounds": rounds, "seconds": 0.3}
    with progress_bar() as tell:
        speeds = measure(rows, **size, folder=None if quick else work, tell=tell)
    report = {"machine": machine(), "ratios": _told(ratios(speeds)), "speeds": _told(pooled(speeds))}
    show(as_json, "steps per CPU-second", report, out, "worlds")


@app.command()
def start(as_json: Json = False, quick: Quick = False, out: Out = None) -> None:
    """From the start of the process to the first frame, with and without compiled worlds in the cache."""
    from sandbox.bench.machine import machine
    from sandbox.bench.speed.startup import measure

    starts = measure(repeats=1 if quick else 5)
    report = {"machine": machine(), "starts": _told(starts)}
    show(as_json, "seconds to the first frame", report, out, "start")


@app.command()
def screen(as_json: Json = False, quick: Quick = False, out: Out = None) -> None:
    """Frames and keys with the learner off and on, and learning with the window on and off."""
    from sandbox.bench.machine import machine
    from sandbox.bench.speed.frame_rate import measure

    slots = measure(seconds=2.0 if quick else 12.0, rounds=1 if quick else 3)
    report = {"machine": machine(), "slots": _told(slots)}
    show(as_json, "the window beside its learner", report, out, "screen")


@app.command()
def ppo(
    as_json: Json = False,
    quick: Quick = False,
    world: World = None,
    rounds: Rounds = 5,
    work: Work = Path("runs/ppo"),
    out: Out = None,
) -> None:
    """PPO's steps per CPU-second, learning included: SB3's and ours, on our worlds, peers and nothing."""
    from sandbox.bench.machine import machine
    from sandbox.bench.speed.ppo_speed import measure, pooled, ratios
    from sandbox.progress import progress_bar

    size: dict[str, Any] = {"rounds": 1, "seconds": 0.0} if quick else {"rounds": rounds, "seconds": 3.0}
    with progress_bar() as tell:
        speeds = measure(world, **size, folder=None if quick else work, short=quick, tell=tell)
    report = {"machine": machine(), "ratios": _told(ratios(speeds)), "speeds": _told(pooled(speeds))}
    show(as_json, "PPO, learning included", report, out, "ppo")


@app.command()
def learnable(
    as_json: Json = False,
    quick: Quick = False,
    world: World = None,
    seeds: Annotated[int, typer.Option(min=1, help="How often each task is learned.")] = 3,
    work: Work = Path("runs/learnable"),
    out: Out = None,
) -> None:
    """CPU-seconds until PPO with the wish as its reward comes to 0.9 of the oracle, beside the bars."""
    from sandbox.bench.learning.learnability import measure, summarise
    from sandbox.bench.machine import machine
    from sandbox.progress import progress_bar

    with progress_bar() as tell:
        folder = None if quick else work
        runs = list(measure(world, 1 if quick else seeds, quick=quick, folder=folder, tell=tell))
    report = {"machine": machine(), "summary": _told(summarise(runs)), "runs": _told(runs)}
    show(as_json, "CPU-seconds to 0.9 of the oracle", report, out, "learnable")


@app.command()
def gap(as_json: Json = False, quick: Quick = False, world: World = None, out: Out = None) -> None:
    """What is best as written and what is best as meant, each scored by both."""
    from sandbox.bench.learning.reward_gap import measure
    from sandbox.bench.machine import machine
    from sandbox.progress import progress_bar

    with progress_bar() as tell:
        lines = list(measure(world, quick=quick, tell=tell))
    report = {"machine": machine(), "policies": _told(lines)}
    show(as_json, "as written and as meant", report, out, "gap")


@app.command()
def transfer(
    as_json: Json = False,
    quick: Quick = False,
    world: Annotated[str, typer.Option("--world", metavar="ID")] = "teachbox/RoomsTidy-v0",
    learner: Annotated[str, typer.Option(metavar="NAME", help="Who learns the reward.")] = "preferences",
    model: Annotated[RewardModel, typer.Option(help="What the reward is made of.")] = "net",
    comparisons: Annotated[int, typer.Option(min=1, help="How many answers it is learned from.")] = 60,
    seeds: Annotated[int, typer.Option(min=1, help="How often.")] = 5,
    out: Out = None,
) -> None:
    """A reward learned in `train` layouts, and what a policy trained from nothing by it does in others."""
    from sandbox.bench.learning.transfer import measure
    from sandbox.bench.machine import machine
    from sandbox.progress import progress_bar

    with progress_bar() as tell:
        size = 1 if quick else seeds
        lines = list(measure(world, learner, model, comparisons, size, quick=quick, tell=tell))
    report = {"machine": machine(), "moved": _told(lines)}
    show(as_json, "a learned reward in unseen layouts", report, out, "transfer")


@app.command()
def curves(
    as_json: Json = False,
    quick: Quick = False,
    world: World = None,
    seeds: Annotated[int, typer.Option(min=1, help="How often each way learns.")] = 5,
    work: Work = Path("runs/curves"),
    out: Out = None,
) -> None:
    """Learning curves by environment steps of our PPO and SB3's, the wish as reward, over seeds."""
    from sandbox.bench.learning.ppo_curves import measure
    from sandbox.bench.machine import machine
    from sandbox.progress import progress_bar

    size = (2, 8_192, 2, 20) if quick else (seeds, 245_760, 15, 200)
    with progress_bar() as tell:
        folder = None if quick else work
        points = list(measure(world or "teachbox/RoomsTidy-v0", *size, folder, tell))
    report = {"machine": machine(), "world": world or "teachbox/RoomsTidy-v0", "points": _told(points)}
    show(as_json, "score by environment steps", report, out, "curves")


@app.command()
def learners(
    as_json: Json = False,
    quick: Quick = False,
    chosen: Annotated[
        LearnerSet, typer.Option("--set", help="What is asked; docs/learners.md tells of the sets.")
    ] = "table",
    world: World = None,
    learner: Annotated[str | None, typer.Option(metavar="NAME", help="This learner alone.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How often each way of teaching is tried.")] = 5,
    size: Annotated[int | None, typer.Option(help="Edge length of the flats.")] = None,
    processes: Annotated[int, typer.Option(min=1, help="Runs at once, each on one core.")] = 2,
    older: Annotated[bool, typer.Option("--older", help="Take finished runs of older sources too.")] = False,
    work: Work = Path("runs/learners"),
    out: Out = None,
) -> None:
    """Scores of taught learners by budget, over seeds, beside controls; goes on where it was stopped."""
    from sandbox.bench.learning.experiment_sets import conditions, quickly
    from sandbox.bench.learning.learner_scores import measure, references
    from sandbox.bench.machine import machine
    from sandbox.progress import progress_bar

    found = conditions(chosen, world, learner, {} if size is None else {"size": size})
    if quick:
        found = [quickly(found[0])]
    with progress_bar() as tell:
        lines, faults = measure(found, 1 if quick else seeds, work, tell, processes, older)
    about = {"set": chosen, "world": world, "size": size, "learner": learner}
    report = {
        "machine": machine(),
        **about,
        "references": _told(list(references(found))),
        "lines": _told(lines),
        "faults": _told(faults),
    }
    show(as_json, "taught learners on unseen starts", report, out, "learners")


@app.command()
def live(
    as_json: Json = False,
    quick: Quick = False,
    world: World = None,
    seeds: Annotated[int, typer.Option(min=1, help="How often each way of teaching is tried.")] = 5,
    out: Out = None,
) -> None:
    """How soon after a few demonstrations or answers the agent does the whole task, in a live session."""
    from sandbox.bench.learning.experiment_sets import TIDY
    from sandbox.bench.learning.live_session import measure
    from sandbox.bench.machine import machine
    from sandbox.progress import progress_bar

    size = (1, 3.0, 1, 2) if quick else (seeds, 30.0, 2, 20)
    with progress_bar() as tell:
        sessions = list(measure(world or TIDY, *size, tell))
    report = {"machine": machine(), "world": world or TIDY, "sessions": _told(sessions)}
    show(as_json, "from a few words to the whole task", report, out, "live")


@app.command()
def store(as_json: Json = False, quick: Quick = False, out: Out = None) -> None:
    """What the window waits for while the disk is slow."""
    from sandbox.bench.durability.slow_disk import stalls
    from sandbox.bench.machine import machine
    from sandbox.progress import progress_bar

    with progress_bar() as tell:
        found = list(stalls(20 if quick else 600, tell))
    report = {"machine": machine(), "stalls": _told(found)}
    show(as_json, "the window beside a slow disk", report, out, "store")


@app.command()
def page(
    folder: Annotated[Path, typer.Option(metavar="DIR", help="Where the figures are.")] = Path(
        "docs/figures"
    ),
    out: Annotated[Path, typer.Option(metavar="FILE", help="The page.")] = Path("docs/measured.md"),
) -> None:
    """Make the page of measured figures, tables and plots from the files that --out has kept."""
    from sandbox.bench.report.measured_page import write
    from sandbox.bench.report.readme_tables import refresh

    write(folder, out)
    for page in (out.parent.parent / "README.md", out.with_name("results.md")):
        refresh(page, folder)
    typer.echo(f"{out} is made from {folder}.")


def _told(lines: Sequence[Any]) -> list[dict[str, Any]]:
    return [asdict(one) for one in lines]
