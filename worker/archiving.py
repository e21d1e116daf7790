"""The archive as the configuration names it, and what commands do with it."""

import hashlib
import json
import os
from pathlib import Path
from typing import NamedTuple

from activities.archive import BLOCK, Archive, ArchiveError
from activities.checks import Check
from activities.import_chunks import entry_of, read_results
from canonical.ids import file_import_workflow_id
from canonical.import_contracts import FileWanted
from worker.archive_settings import ArchiveSettings
from worker.settings import ConfigurationError

__all__ = [
    "Archive",
    "ArchiveError",
    "HandedIn",
    "check_archive",
    "entry_of",
    "hand_in",
    "hand_in_report",
    "open_archive",
    "read_results",
]


_PROBE = "doctor/probe"


class HandedIn(NamedTuple):
    """A file that is in the archive, and the one import of it."""

    workflow_id: str
    folder: str
    file: FileWanted


def hand_in(archive: Archive, path: Path, seller_id: str, marketplace_id: str) -> HandedIn:
    """Put a file into the archive under its content's hash, unless it is there. Raises OSError, ArchiveError."""
    with path.open("rb") as stream:
        content = hashlib.sha256()
        size = 0
        while block := stream.read(BLOCK):
            content.update(block)
            size += len(block)
    workflow_id = file_import_workflow_id(seller_id, content.hexdigest(), marketplace_id)
    folder = import_folder(workflow_id)
    key = f"{folder}/input"
    if archive.size(key) != size:
        archive.upload(path, key)
    return HandedIn(workflow_id, folder, FileWanted(key=key))


def hand_in_report(archive: Archive, path: Path, seller_id: str, report_type: str) -> FileWanted:
    """Put a report's file into the archive beside those Amazon made. Raises OSError, ArchiveError."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()[:20]
    key = f"reports/{seller_id}/{report_type}/handed-in-{digest}.txt"
    archive.upload(path, key)
    return FileWanted(key=key)


def import_folder(workflow_id: str) -> str:
    """Where an import has its files."""
    return f"imports/{workflow_id}"


def open_archive(settings: ArchiveSettings) -> Archive:
    """The archive; raises ConfigurationError where its address or options cannot be used."""
    options: dict[str, object] = dict(settings.options)
    if settings.options_from is not None:
        options |= _from_environment(settings.options_from)
    try:
        return Archive(settings.url, options)
    except ArchiveError as error:
        raise ConfigurationError(f"archive.url: {error}") from None


def check_archive(settings: ArchiveSettings) -> Check:
    """Whether a file can be put into the archive, read and deleted again."""
    try:
        archive = open_archive(settings)
        archive.write(_PROBE, b"probe")
        read = archive.read(_PROBE)
        archive.remove(_PROBE)
    except (ArchiveError, ConfigurationError) as error:
        return Check("archive", ok=False, sentence=str(error))
    if read != b"probe":
        sentence = f"What is written to the archive {archive.where} is not what is read from it."
        return Check("archive", ok=False, sentence=sentence)
    return Check("archive", ok=True, sentence=f"Imports and reports are kept in {archive.where}.")


def _from_environment(variable: str) -> dict[str, object]:
    text = os.environ.get(variable, "")
    if not text:
        raise ConfigurationError(
            f"archive.options_from: the environment variable {variable} is needed and not set."
        )
    try:
        options = json.loads(text)
    except ValueError:
        options = None
    if not isinstance(options, dict):
        raise ConfigurationError(
            f"archive.options_from: the environment variable {variable} is no JSON object."
        )
    return options
