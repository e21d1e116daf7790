"""What a long command shows while it works: a bar on a terminal's standard error, nothing anywhere else."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from starters.console import err

_WORDS: Final = "{task.description}"


@contextmanager
def bar(what: str, total: int | None = None) -> Iterator[Callable[[], None]]:
    """A bar of `total` things, or a count where nobody knows how many; the yielded function says one is done."""
    columns = (
        SpinnerColumn(),
        TextColumn(_WORDS, markup=False),
        *((BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()) if total is not None else (_COUNT,)),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err(), transient=True, disable=not watched()) as progress:
        task = progress.add_task(what, total=total)
        yield lambda: progress.advance(task)


@contextmanager
def counting(what: str) -> Iterator[Callable[[str, int, int], None]]:
    """A bar whose end becomes known on the way; the yielded function takes words, how many are done, and of how
    many (0 while nobody knows)."""
    columns = (
        SpinnerColumn(),
        TextColumn(_WORDS, markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err(), transient=True, disable=not watched()) as progress:
        task = progress.add_task(what, total=None)

        def show(text: str, done: int, total: int) -> None:
            progress.update(task, description=text, completed=done, total=total or None)

        yield show


@contextmanager
def words(what: str) -> Iterator[Callable[[str], None]]:
    """A line that says what goes on; the yielded function changes it."""
    columns = (SpinnerColumn(), TextColumn(_WORDS, markup=False), TimeElapsedColumn())
    with Progress(*columns, console=err(), transient=True, disable=not watched()) as progress:
        task = progress.add_task(what, total=None)
        yield lambda text: progress.update(task, description=text)


def watched() -> bool:
    """Whether a person sees standard error as it is written."""
    return sys.stderr.isatty()


_COUNT: Final = TextColumn("{task.completed:.0f}", markup=False)
