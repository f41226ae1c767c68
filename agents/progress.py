"""A progress bar for whoever runs a learner in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(shown: bool, total: int) -> Iterator[Callable[[int], None]]:
    """A function that is told how much of `total` is done; `shown`: it draws a bar."""
    if not shown:
        yield lambda done: None
        return
    from rich.progress import Progress

    with Progress(transient=True) as bar:
        task = bar.add_task("learning", total=total)
        yield lambda done: bar.update(task, completed=done)
