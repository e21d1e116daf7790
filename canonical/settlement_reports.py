"""The words of settlement reports between workflows, activities and starters: listed, archived, taken in."""

from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

SETTLEMENT_FEED: Final = "SettlementFeed"
"""Workflow type: one look for a seller's settlement reports."""
AMAZON_GET_REPORTS_QUEUE: Final = "o2c-amazon-getReports"
LIST_SETTLEMENT_REPORTS: Final = "list_settlement_reports"
TAKE_IN_SETTLEMENT: Final = "take_in_settlement"
START_SETTLEMENT: Final = "start_settlement"
SETTLEMENT_V2: Final = "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2"
SETTLEMENT_V1: Final = "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE"
LISTED_FOR_DAYS: Final = 90
"""Amazon lists reports for so long."""


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True)


class ReportOrigin(_Contract):
    """Where an archived report comes from."""

    seller_id: str
    report_id: str
    """Amazon's; for a file that was handed in, ``handed-in-`` and its hash."""
    report_type: str = ""
    document_id: str = ""
    marketplace_ids: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    created: datetime | None = None
    """As Amazon tells them (getReports)."""


class ArchivedReport(_Contract):
    """A report as it came, in the archive."""

    key: str
    sha256: str
    size: int
    charset: str = ""
    """As its Content-Type told."""
    archived: datetime
    origin: ReportOrigin


class ListReportsRequest(_Contract):
    """One page of a seller's settlement reports (getReports)."""

    seller_id: str
    report_types: tuple[str, ...]
    since: datetime
    token: str = ""


class ListedReports(_Contract):
    reports: tuple[ReportOrigin, ...] = ()
    """Those whose settlements were not taken in yet."""
    known: int = 0
    """The others."""
    next_token: str = ""


class TakeInRequest(_Contract):
    """Download a report, archive it, and start its settlement."""

    origin: ReportOrigin


class StartSettlementRequest(_Contract):
    """Start the settlement of a report that is in the archive."""

    report: ArchivedReport


class TakenIn(_Contract):
    """What became of one report."""

    report_id: str
    settlement_id: str = ""
    """Empty where it could not be read."""
    workflow_id: str = ""
    started: bool = False
    """False where the settlement was known: the report came again, or as another type."""
    sentence: str = ""
    refused: bool = False
    """Its settlement was taken in under another seller: nothing is done with it."""


class Claim(_Contract):
    """A settlement belongs to the seller who first had a report of it: Amazon gives its number once."""

    seller_id: str
    report_id: str
    at: datetime
    granted: bool = False
    """False until no other seller was seen to claim it too."""


class FeedInput(_Contract):
    """One look for a seller's settlement reports."""

    seller_id: str
    report_types: tuple[str, ...] = (SETTLEMENT_V2,)
    days: int = LISTED_FOR_DAYS
    """How far back; Amazon lists no more than 90 days."""


class FeedResult(_Contract):
    seller_id: str
    listed: int = 0
    known: int = 0
    """Taken in before."""
    taken: tuple[TakenIn, ...] = ()
    failed: tuple[TakenIn, ...] = ()
    """Could not be fetched, or were refused; the next look tries again."""
    advice: str = ""
    """What to do where Amazon lists settlements, but none of their reports is looked for."""
