"""What becomes of an order that is handed in: by a sweep, an import, a notification or a person."""

from enum import StrEnum
from typing import NamedTuple


class StartKind(StrEnum):
    """What was done with it."""

    STARTED = "started"
    SIGNALLED = "signalled"
    """Its workflow is under way and was told."""
    LATE = "late"
    """Its workflow has ended, and nothing is new."""
    AFTER_CLOSE = "after_close"
    """Its workflow has ended, and what Amazon says now is carried by a workflow of its own."""
    SKIPPED = "skipped"
    """Nothing to do with it, by a rule of the one who hands it in."""


class StartOutcome(NamedTuple):
    """What became of it, and who carries it."""

    kind: StartKind
    workflow_id: str
    remark: str = ""
    """A sentence where a person should know."""
