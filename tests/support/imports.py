"""Imports as the command line starts them, in the test's own process, and files to import."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from canonical.import_contracts import ImportInput, ImportLine
from starters.imports import Imported, follow_import, start_import
from tests.support.world import World
from worker.archiving import hand_in, open_archive

SELLER = "A2EUSELLER0001"


def lines_file(path: Path, lines: Iterable[Mapping[str, object] | str]) -> Path:
    """JSON lines; a text goes in as it is."""
    with path.open("w", encoding="utf-8") as stream:
        for line in lines:
            stream.write((line if isinstance(line, str) else json.dumps(line)) + "\n")
    return path


def asked_for(world: World, path: Path, **how: int) -> tuple[str, ImportInput]:
    """What `o2c import` asks Temporal for, with the file in the archive."""
    given = hand_in(open_archive(world.settings.archive), path, SELLER, "")
    asking = ImportInput(seller_id=SELLER, folder=given.folder, file=given.file)
    return given.workflow_id, asking.model_copy(update=how)


async def import_file(world: World, path: Path, **how: int) -> tuple[Imported, list[ImportLine]]:
    """What `o2c import FILE` does, and the result of every line."""
    workflow_id, asking = await asyncio.to_thread(asked_for, world, path, **how)
    begun = await start_import(world.client, workflow_id, asking, "a test's import")
    lines: list[ImportLine] = []
    done = await follow_import(world.client, begun, open_archive(world.settings.archive), lines.append)
    return done, lines
