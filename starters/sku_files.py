"""Listings, items and their pairs from CSV files, as `o2c sku evaluate` takes them."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from starters.console import Refused, counted, hint

UNREADABLE: Final = 2
_CHARSETS: Final = ("utf-8-sig", "cp1252", "latin-1")
_SEPARATORS: Final = ",;\t"
_NAMED: Final = ("id", "name")
_PAIR: Final = ("query_id", "item_id")


def read_named(file: Path) -> dict[str, str]:
    """Names by id, from the columns `id` and `name`; others are left alone. Raises Refused with the row."""
    names: dict[str, str] = {}
    rows = _rows(file, _NAMED)
    heading = next(rows)[1]
    wanted = _columns(heading, _NAMED)
    if wanted is None:
        raise Refused(
            f"{file} has no columns id and name in its first row; it has {_listed(heading)}.", UNREADABLE
        )
    for number, cells in rows:
        key, name = _cells(file, number, cells, wanted)
        if key in names:
            raise Refused(f"{file}, row {number}: the id {key} has been there before.", UNREADABLE)
        names[key] = name
    if not names:
        raise Refused(f"{file} has a first row and no other.", UNREADABLE)
    return names


def read_pairs(file: Path, queries: dict[str, str], items: dict[str, str]) -> dict[str, set[str]]:
    """The items of each query, from the columns `query_id` and `item_id`, or from the only two there are.

    Pairs whose query or item is in neither file are told and left out, so that a part of a catalogue can be
    measured. Raises Refused with the row, and where no pair is left.
    """
    rows = _rows(file, _PAIR)
    _, heading = first = next(rows)
    wanted = _columns(heading, _PAIR)
    if wanted is None and len(heading) != 2:
        raise Refused(
            f"{file} has no columns query_id and item_id in its first row; it has {_listed(heading)}.",
            UNREADABLE,
        )
    pairs: defaultdict[str, set[str]] = defaultdict(set)
    strangers: list[int] = []
    with_heading = wanted is not None or not (heading[0].strip() in queries and heading[1].strip() in items)
    for number, cells in rows if with_heading else _again(first, rows):
        query, item = _cells(file, number, cells, wanted or (0, 1))
        if query in queries and item in items:
            pairs[query].add(item)
        else:
            strangers.append(number)
    if not pairs:
        raise Refused(
            f"{file}: not one of its pairs has its query and its item in the other files.", UNREADABLE
        )
    if strangers:
        hint(
            f"{counted(len(strangers), 'pair')} of {file} left out: query or item is not in its file "
            f"(first in row {strangers[0]})."
        )
    return dict(pairs)


def _again(
    first: tuple[int, list[str]], rest: Iterator[tuple[int, list[str]]]
) -> Iterator[tuple[int, list[str]]]:
    yield first
    yield from rest


def _rows(file: Path, wanted: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not empty with their line in the file; the first one is there."""
    text = _text(file)
    first_line = text.partition("\n")[0]
    separator = next(
        (one for one in _SEPARATORS if _columns(next(csv.reader([first_line], delimiter=one), []), wanted)),
        max(_SEPARATORS, key=first_line.count),
    )
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    empty = True
    number = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                empty = False
                yield number, cells
            number = reader.line_num + 1
    except csv.Error as error:
        raise Refused(f"{file}, row {number}: it is no CSV: {error}.", UNREADABLE) from None
    if empty:
        raise Refused(f"{file} is empty.", UNREADABLE)


def _text(file: Path) -> str:
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        raise Refused(f"There is no file {file}.", UNREADABLE) from None
    for charset in _CHARSETS:
        try:
            return data.decode(charset)
        except UnicodeDecodeError:
            continue
    raise AssertionError("latin-1 has every byte")


def _columns(heading: Sequence[str], wanted: Sequence[str]) -> tuple[int, int] | None:
    names = [cell.strip().lower() for cell in heading]
    first, second = wanted
    return (names.index(first), names.index(second)) if first in names and second in names else None


def _cells(file: Path, number: int, cells: Sequence[str], wanted: tuple[int, int]) -> tuple[str, str]:
    """The two cells; the first has to say something."""
    if max(wanted) >= len(cells):
        raise Refused(
            f"{file}, row {number}: it has {counted(len(cells), 'cell')}, and {max(wanted) + 1} are needed.",
            UNREADABLE,
        )
    first, second = (cells[place].strip() for place in wanted)
    if not first:
        raise Refused(f"{file}, row {number}: the id is empty.", UNREADABLE)
    return first, second


def _listed(heading: Sequence[str]) -> str:
    return ", ".join(cell.strip() or "an empty one" for cell in heading[:8])
