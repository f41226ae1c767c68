"""A bar on stderr while a figure is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

ProgressCallback = Callable[[float, str], None]
"""tell(share done in 0..1, what is going on)"""


@contextmanager
def progress_bar() -> Iterator[ProgressCallback]:
    """Show a bar for as long as the block lasts."""
    columns = (SpinnerColumn(), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("starting", total=1.0)
        yield lambda share, text: progress.update(bar, completed=share, description=text)


def sub_progress(tell: ProgressCallback, start: float, end: float, title: str) -> ProgressCallback:
    """A part of a longer work: its 0..1 is start..end of the whole."""
    return lambda share, text: tell(start + (end - start) * share, f"{title}: {text}" if text else title)
