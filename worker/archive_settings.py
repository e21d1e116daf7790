"""Where raw files are kept, and at what pace imports go."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

_Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]+$")]
DEFAULT_FOLDER: Final = "archive"


class ArchiveSettings(BaseModel):
    """Where imported files, Amazon's reports, results and unknown notifications are kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str, StringConstraints(min_length=1)] = DEFAULT_FOLDER
    """A folder, or ``s3://bucket/prefix``. Workers and commands must see the same one; a relative folder is
    below the one they are started in. It holds buyers' addresses: let nobody else read it."""
    options: dict[str, str | int | bool] = {}
    """What fsspec's file system takes, such as ``endpoint_url`` of another S3 than Amazon's. No secrets."""
    options_from: _Key | None = None
    """Environment variable with more such options as one JSON object, for secrets (``key``, ``secret``). S3 also
    finds its credentials in AWS's own environment, profiles and roles."""
    keep_days: Annotated[int, Field(ge=1, le=3650)] = 30
    """Imported files and reports older than this are deleted after the next import, for the addresses in them."""


class ImportSettings(BaseModel):
    """At what pace imports go, so that live orders overtake them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    chunks_at_once: Annotated[int, Field(ge=1, le=50)] = 2
    """Chunks of 100 orders that one import starts at the same time."""
    backlog: Annotated[int, Field(ge=1)] = 8
    """An import pauses while more than so many tasks wait for M3 or for a worker, or more than so many orders were
    started and are neither booked nor held nor waiting for Amazon yet."""
