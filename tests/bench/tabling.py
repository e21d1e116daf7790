"""A benchmark's result as tables: its figures, and one table for each list of rows in it."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

_WIDTH = 150
"""Where the output is no terminal: runs side by side need room."""


def show(name: str, result: Mapping[str, object]) -> None:
    """Print it."""
    console = Console()
    console.width = max(console.width, _WIDTH)
    figures = Table("measure", "value", title=f"benchmark {name}")
    for measure, value in result.items():
        if isinstance(value, Mapping) and not _is_counts(value):
            show(f"{name}: {measure}", value)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            console.print(_rows(f"{name}: {measure}", value))
        else:
            figures.add_row(measure, _text(value))
    if figures.row_count:
        console.print(figures)


def _rows(title: str, rows: Sequence[Mapping[str, object]]) -> Table:
    """The runs side by side: one column each, one row per measure."""
    table = Table("measure", *(f"run {number}" for number in range(1, len(rows) + 1)), title=title)
    for measure in rows[0]:
        table.add_row(measure, *(_text(row[measure]) for row in rows))
    return table


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return "\n".join(f"{name}: {count}" for name, count in value.items())
    return str(value)


def _is_counts(value: Mapping[str, object]) -> bool:
    return all(isinstance(count, int) for count in value.values())
