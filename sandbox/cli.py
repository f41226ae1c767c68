"""The command line. Heavy imports live inside the commands, so that `--help` answers at once.

What a person can get wrong is told in one sentence on stderr with exit status 2; a traceback is a
mistake of ours (TEACHBOX_TRACEBACK=1 shows it for the former too).
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sandbox.commands import abroad as abroad_bench
from sandbox.commands import durability as trust
from sandbox.commands import exchange
from sandbox.commands import people as answers_of_people
from sandbox.commands import unnamed as unnamed_wishes
from sandbox.commands.bench import app as bench
from sandbox.commands.import_log import import_log
from sandbox.commands.info import info, warm
from sandbox.commands.options import CommandError
from sandbox.commands.references import references
from sandbox.commands.replay import command as replay
from sandbox.commands.store import app as store
from sandbox.commands.tour import tour
from sandbox.commands.train import train
from sandbox.commands.window import window

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
answers_of_people.register()
unnamed_wishes.register()
abroad_bench.register()
cli.callback(invoke_without_command=True)(window)
for _command in (tour, references, warm, info):
    cli.command()(_command)


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


def sentence(error: Exception) -> str | None:
    """An error as the sentence that the person reads; None if it is no mistake of theirs.

    ValueErrors and RuntimeErrors are sentences where this program raised them; NumPy's are bugs.
    """
    if isinstance(error, OSError) and error.strerror:
        where = f" {error.filename!r}" if error.filename else ""
        return f"The system refused{where}: {error.strerror}."
    if isinstance(error, typer.TyperException):
        return error.format_message().replace(": Value error, ", ": ")
    if isinstance(error, OSError | CommandError):
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
