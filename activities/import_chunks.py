"""Chunks and results of an import as files of the archive: the same input always gives the same chunks."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from activities.archive import Archive
from canonical.amazon_orders import UnreadableOrder, read_order
from canonical.ids import is_amazon_order_id
from canonical.import_contracts import ORDERS_IN_CHUNK, ImportCounts, ImportEntry, ImportLine
from canonical.order import Order
from canonical.order_files import Owner, read_orders
from canonical.order_reports import Numbered, RefusalKind

REFUSED: Final = "refused"
DUPLICATE: Final = "duplicate"
SKIPPED: Final = "skipped"

_COUNTED: Final[Mapping[str, str]] = {
    "started": "started",
    "under_way": "signalled",
    "closed": "late",
    SKIPPED: "skipped",
    DUPLICATE: "duplicates",
    REFUSED: "refused",
}
"""The count of each outcome."""
_NO_SALE: Final = "A multi-channel order: Amazon ships it, but it was not sold there."


def chunk_key(folder: str, number: int) -> str:
    """Where chunk `number` of an import is; the first is 1."""
    return f"{chunks_of(folder)}/{number:06d}.jsonl"


def chunks_of(folder: str) -> str:
    """Below it are the chunks."""
    return f"{folder}/chunks"


def result_key(results: str, number: int) -> str:
    """Where the results of chunk `number` are."""
    return f"{results}/{number:06d}.jsonl"


def split_file(
    file: Path, archive: Archive, folder: str, owner: Owner, charset: str, going_on: Callable[[], None]
) -> tuple[int, ImportCounts]:
    """Split a file into chunks of 100 orders or refused lines: how many chunks, and what was read.

    `going_on` is called with every chunk and stops the work by raising. Raises UnreadableReport, ArchiveError.
    """
    number, orders, chunk = 0, 0, list[ImportEntry]()
    with file.open("rb") as stream:
        for found in read_orders(stream, owner, charset):
            orders += isinstance(found.found, Order)
            chunk.append(entry_of(found))
            if len(chunk) == ORDERS_IN_CHUNK:
                number += 1
                write_chunk(archive, folder, number, chunk)
                chunk = []
                going_on()
    if chunk:
        number += 1
        write_chunk(archive, folder, number, chunk)
    return number, ImportCounts(orders=orders)


def entry_of(one: Numbered) -> ImportEntry:
    """What is to be done with what was found in a file."""
    found = one.found
    if isinstance(found, Order):
        if found.is_multi_channel:
            return ImportEntry(lines=one.lines, order_id=found.order_id, outcome=SKIPPED, sentence=_NO_SALE)
        return ImportEntry(lines=one.lines, order_id=found.order_id, order=found)
    duplicate = found.kind is RefusalKind.DUPLICATE
    return ImportEntry(
        lines=one.lines,
        order_id=found.order_id,
        outcome=DUPLICATE if duplicate else REFUSED,
        sentence=found.sentence,
    )


def entry_of_payload(payload: Mapping[str, object], seller_id: str) -> ImportEntry:
    """What is to be done with an order of Amazon's page. One that cannot be read is started by its id alone: its
    workflow reads it again and is held where a person can see it."""
    try:
        order = read_order(payload, seller_id)
    except UnreadableOrder as error:
        return _by_its_id(payload, str(error))
    except Exception as error:  # an error of our own reader must not take the rest of the page with it
        return _by_its_id(payload, f"An order cannot be read: {type(error).__name__}.")
    return entry_of(Numbered((), order))


def _by_its_id(payload: Mapping[str, object], why: str) -> ImportEntry:
    order_id = payload.get("orderId")
    if isinstance(order_id, str) and is_amazon_order_id(order_id):
        return ImportEntry(order_id=order_id, sentence=why)
    return ImportEntry(outcome=REFUSED, sentence=f"{why} It has no order id and could not be started.")


def write_chunk(archive: Archive, folder: str, number: int, entries: Iterable[ImportEntry]) -> None:
    """Put a chunk into the archive."""
    archive.write(chunk_key(folder, number), _lines(entry.model_dump_json() for entry in entries))


def read_chunk(archive: Archive, folder: str, number: int) -> tuple[ImportEntry, ...]:
    """A chunk as it was written; raises NotArchived."""
    content = archive.read(chunk_key(folder, number))
    return tuple(ImportEntry.model_validate_json(line) for line in content.splitlines())


def write_results(archive: Archive, results: str, number: int, lines: Sequence[ImportLine]) -> ImportCounts:
    """Put what became of a chunk into the archive, and count it."""
    texts = (line.model_dump_json(exclude_defaults=True) for line in lines)
    archive.write(result_key(results, number), _lines(texts))
    counted = Counter(_COUNTED[line.outcome] for line in lines)
    return ImportCounts(**counted)


def read_results(archive: Archive, results: str) -> Iterator[ImportLine]:
    """All results of an import, in the order of its chunks."""
    for key in archive.keys(results):
        for line in archive.read(key).splitlines():
            yield ImportLine.model_validate_json(line)


def _lines(texts: Iterable[str]) -> bytes:
    return "".join(f"{text}\n" for text in texts).encode()
