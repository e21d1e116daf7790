"""An import as the command line sees it: handed in, followed, and told line by line."""

import asyncio
import csv
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from pydantic import BaseModel
from temporalio.client import Client, WorkflowQueryFailedError, WorkflowQueryRejectedError
from temporalio.service import RPCError

from canonical.import_contracts import (
    BULK_IMPORT,
    PROGRESS,
    ImportCounts,
    ImportInput,
    ImportLine,
    ImportProgress,
    ImportResult,
)
from canonical.order import Order
from canonical.order_reports import Numbered
from starters.console import Refused
from starters.passes import Pass, begin, finish
from starters.progress import counting
from worker.archiving import Archive, ArchiveError, entry_of, read_results

SHOWN: Final = 100
"""Refused lines told one by one; a file that is wrong throughout needs no more."""
READABLE: Final = "readable"
_LOOK_AGAIN_SECONDS: Final = 1.0
_TOLD: Final = frozenset({"refused", "duplicate"})


class Imported(BaseModel):
    """What became of an import."""

    workflow_id: str = ""
    counts: ImportCounts = ImportCounts()
    results: str = ""
    """Where the result of every line is in the archive."""
    remarks: tuple[str, ...] = ()
    """About orders that somebody should look at."""
    notes: tuple[str, ...] = ()
    refusals: list[ImportLine] = []
    """The first refused lines and duplicates."""

    @property
    def clean(self) -> bool:
        return not self.counts.refused and not self.remarks


def read_only(found: Iterable[Numbered], write: Callable[[ImportLine], None] = lambda _: None) -> Imported:
    """Read a whole file and start nothing."""
    orders, duplicates, refused = 0, 0, 0
    done = Imported()
    for one in found:
        entry = entry_of(one)
        line = ImportLine(
            lines=entry.lines,
            order_id=entry.order_id,
            outcome=entry.outcome or READABLE,
            sentence=entry.sentence,
        )
        orders += isinstance(one.found, Order)
        duplicates += line.outcome == "duplicate"
        refused += line.outcome == "refused"
        _tell(line, done, write)
    done.counts = ImportCounts(orders=orders, duplicates=duplicates, refused=refused)
    return done


async def start_import(client: Client, workflow_id: str, asking: ImportInput, summary: str) -> Pass:
    """Start the import, or join the one of the same input that is under way."""
    return await begin(client, BULK_IMPORT, asking, workflow_id, summary)


async def follow_import(
    client: Client, begun: Pass, archive: Archive, write: Callable[[ImportLine], None] | None = None
) -> Imported:
    """Wait for the import with a bar; then its lines, each handed to `write`. Raises Refused."""
    result = await finish(client, begun, ImportResult, _watch)
    done = Imported(
        workflow_id=begun.workflow_id,
        counts=result.counts,
        results=result.results,
        remarks=result.remarks,
        notes=result.notes,
    )
    if write is not None or result.counts.refused or result.counts.duplicates:
        try:
            for line in read_results(archive, result.results):
                _tell(line, done, write or (lambda _: None))
        except ArchiveError as error:
            raise Refused(
                f"{begun.workflow_id} is done, but what became of its lines cannot be read: {error} "
                "Set archive.url to the archive of the workers."
            ) from None
    return done


@contextmanager
def writing(file: Path | None) -> Iterator[Callable[[ImportLine], None] | None]:
    """Write lines to a file, as CSV where its name ends so, else as JSON lines. Raises Refused."""
    if file is None:
        yield None
        return
    try:
        with file.open("w", encoding="utf-8", newline="") as stream:
            if file.suffix.lower() != ".csv":
                yield lambda line: _write_json(stream.write, line)
                return
            sheet = csv.writer(stream)
            sheet.writerow(["lines", "order_id", "outcome", "sentence"])
            yield lambda line: sheet.writerow(
                [" ".join(map(str, line.lines)), line.order_id, line.outcome, line.sentence]
            )
    except OSError as error:
        raise Refused(f"{file} cannot be written: {error.strerror}.") from None


def _write_json(write: Callable[[str], object], line: ImportLine) -> None:
    write(json.dumps(line.model_dump(mode="json"), ensure_ascii=False) + "\n")


def _tell(line: ImportLine, done: Imported, write: Callable[[ImportLine], None]) -> None:
    write(line)
    if line.outcome in _TOLD and len(done.refusals) < SHOWN:
        done.refusals.append(line)


async def _watch(client: Client, begun: Pass) -> None:
    """Show how far the import is, in whatever run it is."""
    handle = client.get_workflow_handle(begun.workflow_id)
    with counting(begun.workflow_id) as show:
        while True:
            with suppress(TimeoutError, RPCError, WorkflowQueryFailedError, WorkflowQueryRejectedError):
                async with asyncio.timeout(_LOOK_AGAIN_SECONDS * 10):
                    far = await handle.query(PROGRESS, result_type=ImportProgress)
                show(f"{begun.workflow_id}: {far.phase}", far.counts.done, far.total)
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
