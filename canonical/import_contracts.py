"""The words of bulk imports and of Amazon's reports: names, requests, results. No code of either side.

Orders never travel through a workflow's history: an import's input, its chunks and its results are files in the
archive, and the workflow knows their keys and counts.
"""

from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

from canonical.order import Order

IMPORTS_QUEUE: Final = "o2c-imports"
"""Splitting files and starting chunks; apart from live orders, so that neither waits for the other."""

BULK_IMPORT: Final = "BulkImport"
"""Workflow type: every order of a file, of a period, or of a report is started, once."""
REPORT: Final = "AmazonReport"
"""Workflow type: waits for one report of Amazon's and puts its document into the archive."""

REPORT_FINISHED: Final = "report_finished"
"""Signal of a report's workflow: Amazon's notification REPORT_PROCESSING_FINISHED."""
PROGRESS: Final = "progress"
"""Query of an import."""

SPLIT_IMPORT: Final = "split_import"
READ_IMPORT_PAGE: Final = "read_import_page"
START_CHUNK: Final = "start_chunk"
FINISH_IMPORT: Final = "finish_import"
CREATE_REPORT: Final = "create_report"
AWAIT_REPORT: Final = "await_report"
FETCH_REPORT_DOCUMENT: Final = "fetch_report_document"

IMPORT_REFUSED: Final = "import_refused"
"""ApplicationError type, not retried: the import cannot go on; the text is a sentence for its person."""
PAGE_TOKEN_REFUSED: Final = "page_token_refused"  # noqa: S105 - a name
"""ApplicationError type, not retried: Amazon keeps a page's token for 24 hours; the period is read again."""

ORDERS_IN_CHUNK: Final = 100


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True)


class ImportPeriod(_Contract):
    """Every order created in a period, read in pages of 100."""

    created_after: datetime
    created_before: datetime | None = None


class ReportWanted(_Contract):
    """A report as Amazon is asked for it; the period is left out where the type has none."""

    report_type: str
    marketplace_ids: tuple[str, ...]
    since: datetime | None = None
    until: datetime | None = None
    options: dict[str, str] = {}
    """reportOptions, such as the event type of an inventory ledger."""


class FileWanted(_Contract):
    """A file that is in the archive."""

    key: str
    charset: str = ""
    """As it came with the file; without it the content decides."""


class ImportCounts(_Contract):
    """What became of the orders and lines of an import so far."""

    orders: int = 0
    """Orders read."""
    started: int = 0
    signalled: int = 0
    """Under way already; told what the import says."""
    late: int = 0
    """Closed already."""
    skipped: int = 0
    """No sale: multi-channel orders."""
    duplicates: int = 0
    """There already in the same file."""
    refused: int = 0

    def plus(self, other: "ImportCounts") -> "ImportCounts":
        """The sum, field by field."""
        return ImportCounts(
            **{name: getattr(self, name) + getattr(other, name) for name in ImportCounts.model_fields}
        )

    @property
    def done(self) -> int:
        """Orders of which it is known what became of them."""
        return self.started + self.signalled + self.late + self.skipped


class ImportState(_Contract):
    """How far an import is; carried from run to run."""

    file: FileWanted | None = None
    """The file, once it is there; a report's after its download."""
    chunks: int = 0
    """Chunks that are in the archive, numbered from 1."""
    complete: bool = False
    """Whether these are all."""
    taken: int = 0
    """All chunks up to this one are done."""
    counts: ImportCounts = ImportCounts()
    token: str = ""
    """Where Amazon's pages go on."""
    remarks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    first_run: str = ""
    """Run id of the import's first run; names its results."""


class ImportInput(_Contract):
    """Exactly one of file, period, report says where the orders come from."""

    seller_id: str
    folder: str
    """Of the import in the archive."""
    file: FileWanted | None = None
    period: ImportPeriod | None = None
    report: ReportWanted | None = None
    marketplace_id: str = ""
    """Of rows that name none."""
    chunks_at_once: int = 2
    chunks_in_run: int = 500
    """After so many chunks the import goes on in a new run, so that its history stays short."""
    state: ImportState = ImportState()


class ImportProgress(_Contract):
    """Answer of the query `progress`."""

    phase: str
    """What goes on, in a few words."""
    counts: ImportCounts
    total: int = 0
    """Orders there are; 0 while nobody knows."""


class ImportResult(_Contract):
    """How an import ended."""

    counts: ImportCounts
    results: str
    """Prefix of the result files in the archive, one JSON line per order or refused line."""
    remarks: tuple[str, ...] = ()
    """Sentences about orders that somebody should look at, at most 50."""
    notes: tuple[str, ...] = ()
    """What else there is to know, such as that Amazon had no new data."""


class SplitRequest(_Contract):
    seller_id: str
    folder: str
    file: FileWanted
    marketplace_id: str = ""


class SplitResult(_Contract):
    chunks: int
    counts: ImportCounts


class PageRequest(_Contract):
    """Read one searchOrders page into chunk `number`."""

    seller_id: str
    folder: str
    number: int
    period: ImportPeriod
    token: str = ""


class PageResult(_Contract):
    orders: int
    next_token: str = ""


class ChunkRequest(_Contract):
    seller_id: str
    folder: str
    number: int
    results: str
    """Prefix under which the results go."""
    import_id: str
    """By which an order knows that this import started it."""


class ChunkResult(_Contract):
    counts: ImportCounts
    remarks: tuple[str, ...] = ()


class FinishRequest(_Contract):
    folder: str


class ImportEntry(_Contract):
    """One line of a chunk: an order to start, or what was refused before it could be."""

    lines: tuple[int, ...] = ()
    """Where it stands in the file."""
    order_id: str = ""
    order: Order | None = None
    """None starts the order by its id alone: its workflow reads it from Amazon."""
    outcome: str = ""
    """refused, duplicate or skipped; empty for what is to be started."""
    sentence: str = ""


class ImportLine(_Contract):
    """One line of the results."""

    lines: tuple[int, ...] = ()
    order_id: str = ""
    outcome: str
    """started, under_way, closed, skipped, duplicate or refused."""
    sentence: str = ""


class ReportInput(_Contract):
    """Wait for this report."""

    seller_id: str
    report_id: str
    report_type: str
    wanted: ReportWanted | None = None
    """As it was asked for, to find the earlier one where Amazon makes no second."""


class ReportFinished(_Contract):
    """What Amazon's notification says."""

    report_id: str
    processing_status: str
    report_document_id: str = ""


class CreateReportRequest(_Contract):
    seller_id: str
    wanted: ReportWanted


class CreateReportResult(_Contract):
    report_id: str


class AwaitReportRequest(_Contract):
    seller_id: str
    report_id: str
    wanted: ReportWanted | None = None


class FetchDocumentRequest(_Contract):
    seller_id: str
    report_id: str
    report_type: str
    document_id: str
    reason: bool = False
    """Whether the document is Amazon's reason for a failure."""


class FetchDocumentResult(_Contract):
    file: FileWanted
    excerpt: str = ""
    """How it begins, where it is Amazon's reason and no data."""


class ReportResult(_Contract):
    """How a report ended; `file` is set when there is data."""

    status: str
    """DONE, CANCELLED or FATAL; empty where it has not ended in time."""
    file: FileWanted | None = None
    document_id: str = ""
    sentence: str = ""
    """What there is to know, such as Amazon's reason."""
    report_id: str = ""
    """Of the report that has the data: an earlier one where Amazon made no second."""
    created_at: datetime | None = None
    """When Amazon was asked for it, where Amazon was asked how it ended."""
