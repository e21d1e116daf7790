"""What the commands say: results on standard output, refusals as one sentence on standard error."""

import json
import sys
from collections.abc import Iterable

from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

_WIDE = 200
"""Columns when nobody watches: a table in a file or a pipe is not folded."""


class Refused(Exception):  # noqa: N818 - said as a sentence to a person
    """The command cannot do what it was asked; the text says why and what to do."""

    def __init__(self, sentence: str, status: int = 1) -> None:
        super().__init__(sentence)
        self.status = status


def out() -> Console:
    """Standard output as it is now; plain without a terminal, without colour under NO_COLOR."""
    return Console(highlight=False, markup=False, emoji=False, width=_width(sys.stdout.isatty()))


def err() -> Console:
    """Standard error, for refusals and for progress that is no result."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False, width=_width(sys.stderr.isatty()))


def _width(terminal: bool) -> int | None:
    return None if terminal else _WIDE


def say(sentence: str, style: str = "") -> None:
    """One sentence of the result, never folded, so that commands in it can be copied."""
    out().print(sentence, style=style or None, soft_wrap=True)


def complain(sentence: str) -> None:
    """One sentence on standard error."""
    err().print(sentence, style="red", soft_wrap=True)


def hint(sentence: str) -> None:
    """Progress or advice on standard error, so that standard output stays the result."""
    err().print(sentence, style="dim", soft_wrap=True)


def say_json(value: object) -> None:
    """A result for programs: one JSON document."""
    sys.stdout.write(json.dumps(value, default=_plain, indent=2, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return str(value)


def table(
    headings: Iterable[str], rows: Iterable[Iterable[str]], *, title: str = "", to: Console | None = None
) -> None:
    """Rows under headings, on standard output or on the console that is named."""
    shown = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        shown.add_column(heading, overflow="fold")
    for row in rows:
        shown.add_row(*row)
    (to or out()).print(shown)


def counted(number: int, one: str, many: str = "") -> str:
    """``1 order``, ``2 orders``."""
    return f"{number} {one if number == 1 else many or one + 's'}"
