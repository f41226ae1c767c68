"""The command line. Heavy imports live inside the commands, so that `--help` answers at once.

What a person can get wrong is told in one sentence on stderr with exit status 2; a traceback is a
mistake of ours (TEACHBOX_TRACEBACK=1 shows it for the former too).
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sandbox.bench import app as bench
from sandbox.exchange import commands as exchange
from sandbox.import_log import import_log
from sandbox.options import WORLD, LayoutOption, WorldOption
from sandbox.replay import command as replay
from sandbox.store.commands import app as store
from sandbox.studies.command import train
from sandbox.trust import commands as trust

if TYPE_CHECKING:
    from collections.abc import Sequence

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

cli = typer.Typer(
    name="teachbox",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Teach agents on screen: drive, reward, rank, correct, and watch them learn.",
)

cli.add_typer(bench, name="bench")
cli.add_typer(store, name="store")
cli.command("import-log")(import_log)
cli.command("replay")(replay)
cli.command("train")(train)
exchange.register(cli)
trust.register()


class Plain(Exception):
    """What went wrong, as one sentence for the person in front."""


def shadowed() -> str | None:
    """A sentence when another installed package hides one of ours, else None."""
    here = Path(__file__).resolve().parents[1]
    for name in ("envs", "agents"):
        spec = find_spec(name)
        found = Path(spec.origin).resolve().parent if spec and spec.origin else None
        if found != here / name:
            where = found or "nowhere"
            return (
                f"The package '{name}' that Python finds is {where}, not teachbox's own in {here / name}: "
                f"another distribution uses the same name, so install teachbox in an environment of its own."
            )
    return None


def no_display() -> str | None:
    """A sentence when there is surely no screen to open a window on, else None."""
    if sys.platform != "linux" or os.environ.get("SDL_VIDEODRIVER"):
        return None
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return None
    return "There is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set)"


@cli.callback(invoke_without_command=True)
def window(
    context: typer.Context,
    world: WorldOption = None,
    session: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The session's folder: made if new, carried on if not.")
    ] = None,
    learner: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Who learns: the session's, or joint; see `teachbox info`."),
    ] = None,
    rater: Annotated[str, typer.Option(metavar="NAME", help="Your name, kept with what you say.")] = "me",
    follow: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Whose reward is learned where raters part; '' for the most."),
    ] = None,
    store_url: Annotated[
        str | None,
        typer.Option("--store", metavar="URL", help="A study's PostgreSQL database, for several people."),
    ] = None,
    state_file: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Write the window's state there as JSON."),
    ] = None,
    layout: LayoutOption = None,
    or_tour: Annotated[Path | None, typer.Option(metavar="DIR", hidden=True)] = None,
    quick: Annotated[bool, typer.Option("--quick", hidden=True)] = False,
) -> None:
    """Open the window (the menu, or with --world or --session that world at once)."""
    if context.invoked_subcommand is not None:
        return
    reason = no_display()
    if reason and or_tour:
        typer.echo(f"{reason}: the guided tour is made in {or_tour} instead of opening the window.", err=True)
        tour(out=or_tour)
        return
    if reason:
        raise Plain(f"{reason}: start it on a desktop, or make the film with `teachbox tour --out DIR`.")
    frames = 30 if quick else None
    open_window(world, session, learner, rater, state_file, layout, frames, store_url, follow)


def open_window(
    world: str | None,
    folder: Path | None,
    learner: str | None,
    rater: str,
    state_file: Path | None,
    layout: Path | None = None,
    frames: int | None = None,
    store_url: str | None = None,
    follow: str | None = None,
) -> None:
    """Run the app until its window is closed, or for some frames."""
    from envs import kernels

    kernels.use_plain()  # the first picture comes sooner so; the compiled ones are fetched behind it

    from sandbox.app import App
    from sandbox.layouts import layout_options

    app = session = None
    try:
        if world or folder or learner or layout or store_url or follow:
            from sandbox.arriving import arriving

            options = layout_options(layout, world, folder)
            first = arriving(folder, world, learner, options)
            if first is not None:
                app = App(first, state_file=state_file)
                app.show()
            from sandbox.session import Session

            session = Session.open(
                folder, world=world, learner=learner, rater=rater, options=options, store=store_url
            )
        if app is None:
            app = App(session, state_file=state_file)
        app.session = session
        if follow is not None and session is not None:
            session.follow(follow)
        while app.tick() and (frames is None or app.frame < frames):
            pass
    finally:
        if app is not None:
            app.close()
        elif session is not None:
            session.close()


@cli.command()
def tour(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the film and the pictures go.")] = Path(
        "artifacts/tour"
    ),
    world: Annotated[
        str, typer.Option("--world", metavar="ID", help="A world of ours, which the teacher can drive.")
    ] = WORLD,
    seed: Annotated[int, typer.Option(help="Which flats, and which teacher's choices.")] = 0,
    quick: Annotated[bool, typer.Option("--quick", help="A short one, to try the machinery.")] = False,
) -> None:
    """Play the guided tour with a synthetic teacher; write a film and a page of pictures."""
    from sandbox.tour.make import make_tour

    page = make_tour(out, world=world, seed=seed, quick=quick, say=typer.echo)
    typer.echo(f"The tour is in {page}.")


@cli.command()
def references(
    world: Annotated[str | None, typer.Option("--world", metavar="ID", help="This world alone.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where they go, if not among the assets.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Also those that are up to date.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As one line of JSON.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="A short run that only tries the machinery; never the assets.")
    ] = False,
) -> None:
    """Measure what scores are measured by: random, standing still and the best known, for each task."""
    from dataclasses import asdict

    from agents.references import SHIPPED
    from sandbox.bench import show
    from sandbox.bench.machine import machine
    from sandbox.bench.progress import telling
    from sandbox.bench.references import measure

    folder = out or (Path("runs/references") if quick else SHIPPED)
    with telling() as tell:
        lines = [asdict(one) for one in measure(world, folder, quick=quick, again=again, tell=tell)]
    show(as_json, f"references in {folder}", {"machine": machine(), "references": lines})


@cli.command()
def warm() -> None:
    """Compile the worlds once, so that the window opens at once."""
    from sandbox.house import compile_kernels

    compile_kernels()


@cli.command()
def info(as_json: Annotated[bool, typer.Option("--json", help="As one line of JSON.")] = False) -> None:
    """Versions, worlds, learners, teachers, devices and where sessions are kept."""
    from sandbox.house import collect, show

    if as_json:
        import json

        typer.echo(json.dumps(collect()))
    else:
        show(collect())


def sentence(error: Exception) -> str | None:
    """An error as the sentence that the person reads; None if it is no mistake of theirs.

    ValueErrors and RuntimeErrors are sentences where this program raised them; NumPy's are bugs.
    """
    if isinstance(error, OSError) and error.strerror:
        where = f" {error.filename!r}" if error.filename else ""
        return f"The system refused{where}: {error.strerror}."
    if isinstance(error, typer.TyperException):
        return error.format_message()
    if isinstance(error, OSError | Plain):
        return str(error)
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    raised_in = trace.tb_frame.f_globals.get("__name__", "") if trace else ""
    ours = raised_in.split(".")[0] in ("envs", "agents", "sandbox")
    return str(error) if ours and isinstance(error, ValueError | RuntimeError) else None


def main(arguments: Sequence[str] | None = None) -> None:
    """The `teachbox` command."""
    hidden = shadowed()
    if hidden:
        typer.echo(hidden, err=True)
        raise SystemExit(2)
    try:
        code = cli(arguments, prog_name="teachbox", standalone_mode=False)
    except typer.Abort:
        raise SystemExit(130) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except Exception as error:
        told = sentence(error)
        if told is None or os.environ.get("TEACHBOX_TRACEBACK"):
            raise
        typer.echo(told, err=True)
        raise SystemExit(2) from None
    raise SystemExit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
