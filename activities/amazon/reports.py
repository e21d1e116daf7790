"""What this service says to Amazon about reports (Reports 2021-06-30). Every method raises `AmazonError`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from activities.amazon.failures import AmazonError, Failure
from activities.amazon.operations import (
    CREATE_REPORT,
    CREATE_RESTRICTED_DATA_TOKEN,
    GET_REPORT,
    GET_REPORT_DOCUMENT,
    GET_REPORTS,
    Operation,
)
from activities.amazon.transport import Transport
from canonical.import_contracts import ReportWanted

DONE: Final = "DONE"
CANCELLED: Final = "CANCELLED"
FATAL: Final = "FATAL"
"""Processing statuses after which nothing changes any more (Report.processingStatus)."""
ENDED: Final = frozenset({DONE, CANCELLED, FATAL})

_RESTRICTED_ENDINGS: Final = ("_SHIPPING", "_INVOICING", "_TAX")
_RESTRICTED: Final = frozenset({"GET_VAT_TRANSACTION_DATA", "SC_VAT_TAX_REPORT", "GET_EASYSHIP_DOCUMENTS"})


@dataclass(frozen=True)
class Report:
    """A report as Amazon has it (model `Report`)."""

    report_id: str
    report_type: str
    status: str
    document_id: str = ""
    marketplace_ids: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    created: datetime | None = None

    def answers(self, wanted: ReportWanted) -> bool:
        """Whether it is what was asked for, as far as Amazon tells: it lists no options of a report."""
        return (
            self.report_type == wanted.report_type
            and set(self.marketplace_ids) == set(wanted.marketplace_ids)
            and (wanted.since is None or _same_second(self.since, wanted.since))
            and (wanted.until is None or _same_second(self.until, wanted.until))
        )


@dataclass(frozen=True)
class Document:
    """Where a report's document is, for five minutes (model `ReportDocument`)."""

    document_id: str
    url: str
    """Presigned: whoever has it can read the document. Never in a log or an error text."""
    compressed: bool
    """What Amazon says; the content is looked at all the same."""


class Reports:
    """Reports of one selling partner."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def create(self, wanted: ReportWanted) -> str:
        """Ask for a report (0.0167 calls/s, burst 15); its id."""
        body: dict[str, object] = {
            "reportType": wanted.report_type,
            "marketplaceIds": list(wanted.marketplace_ids),
        }
        if wanted.since is not None:
            body["dataStartTime"] = timestamp(wanted.since)
        if wanted.until is not None:
            body["dataEndTime"] = timestamp(wanted.until)
        if wanted.options:
            body["reportOptions"] = wanted.options
        answer = await self._transport.call(CREATE_REPORT, body=body)
        return _text(answer, "reportId", CREATE_REPORT)

    async def get(self, report_id: str) -> Report:
        """How a report is doing (2 calls/s, burst 15)."""
        answer = await self._transport.call(GET_REPORT, names={"reportId": report_id})
        return _report(answer, GET_REPORT)

    async def recent(
        self, wanted: ReportWanted, since: datetime, statuses: Sequence[str] = ()
    ) -> tuple[Report, ...]:
        """Reports of the wanted kind and period created since, the newest first (0.0222 calls/s, burst 10). One
        page of a hundred: there are never that many of one kind."""
        query = {
            "reportTypes": wanted.report_type,
            "createdSince": timestamp(since),
            "pageSize": "100",
            **({"processingStatuses": ",".join(statuses)} if statuses else {}),
        }
        answer = await self._transport.call(GET_REPORTS, query=query)
        listed = answer.get("reports")
        if not isinstance(listed, list):
            raise _misread(GET_REPORTS, "reports")
        reports = (_report(entry, GET_REPORTS) for entry in listed if isinstance(entry, dict))
        fitting = [report for report in reports if report.answers(wanted)]
        return tuple(sorted(fitting, key=lambda report: report.created or since, reverse=True))

    async def page(
        self, types: Sequence[str], since: datetime, token: str = ""
    ) -> tuple[tuple[Report, ...], str]:
        """One page of finished reports created since, as Amazon orders them, and the token of the next page
        (0.0222 calls/s, burst 10). Amazon lists no report that is older than 90 days."""
        query = {
            "reportTypes": ",".join(types),
            "processingStatuses": DONE,
            "createdSince": timestamp(since),
            "pageSize": "100",
        }
        # A token stands for the whole question and is refused beside any other part of it.
        answer = await self._transport.call(GET_REPORTS, query={"nextToken": token} if token else query)
        listed = answer.get("reports")
        if not isinstance(listed, list):
            raise _misread(GET_REPORTS, "reports")
        reports = tuple(_report(entry, GET_REPORTS) for entry in listed if isinstance(entry, dict))
        return reports, str(answer.get("nextToken") or "")

    async def document(self, document_id: str, report_type: str) -> Document:
        """Where the document is (0.0167 calls/s, burst 15). A report with buyers' data takes a restricted data
        token first (1 call/s, burst 10)."""
        answer = await self._transport.call(
            GET_REPORT_DOCUMENT,
            names={"reportDocumentId": document_id},
            restricted_token=await self._restricted(document_id) if is_restricted(report_type) else "",
        )
        url = _text(answer, "url", GET_REPORT_DOCUMENT)
        return Document(document_id, url, compressed=answer.get("compressionAlgorithm") == "GZIP")

    async def _restricted(self, document_id: str) -> str:
        path = GET_REPORT_DOCUMENT.path.format(reportDocumentId=document_id)
        answer = await self._transport.call(
            CREATE_RESTRICTED_DATA_TOKEN,
            body={"restrictedResources": [{"method": "GET", "path": path}]},
        )
        return _text(answer, "restrictedDataToken", CREATE_RESTRICTED_DATA_TOKEN)


def is_restricted(report_type: str) -> bool:
    """Whether Amazon gives the document for a restricted data token only (Tokens API use case guide)."""
    return report_type in _RESTRICTED or report_type.endswith(_RESTRICTED_ENDINGS)


def timestamp(moment: datetime) -> str:
    """ISO 8601 in UTC with Z, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _report(entry: Mapping[str, object], operation: Operation) -> Report:
    marketplaces = entry.get("marketplaceIds")
    return Report(
        report_id=_text(entry, "reportId", operation),
        report_type=str(entry.get("reportType") or ""),
        status=_text(entry, "processingStatus", operation),
        document_id=str(entry.get("reportDocumentId") or ""),
        marketplace_ids=tuple(str(one) for one in marketplaces) if isinstance(marketplaces, list) else (),
        since=_moment(entry.get("dataStartTime")),
        until=_moment(entry.get("dataEndTime")),
        created=_moment(entry.get("createdTime")),
    )


def _text(answer: Mapping[str, object], key: str, operation: Operation) -> str:
    value = answer.get(key)
    if not isinstance(value, str) or not value:
        raise _misread(operation, key)
    return value


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)) if text else None
    except ValueError:
        return None


def _same_second(one: datetime | None, other: datetime) -> bool:
    return one is not None and one.replace(microsecond=0) == other.replace(microsecond=0)


def _misread(operation: Operation, key: str) -> AmazonError:
    return AmazonError(
        Failure.UNAVAILABLE, operation.name, status=200, message=f"the answer has no usable '{key}'"
    )
