"""The report desk: takes orders for reports, makes them in their time, keeps them for 90 days.

Facts: Amazon's model (statuses, what ends a report by itself), its pages on reports (a rationed report asked
for again is cancelled; one without data too), amzn/selling-partner-api-models issue 403. Inferred: that a
second request identical to one still under way is cancelled, and that reports of one type are made one after
the other ("may be waiting for another IN_PROGRESS report").
"""

from __future__ import annotations

import hashlib
import heapq
import json
import uuid
from collections.abc import Callable, Iterable

from simulators import catalogue
from simulators.amazon.record import OrderRecord
from simulators.amazon.reports.frame import Frame, Row
from simulators.amazon.reports.kinds import KINDS, TOO_LONG
from simulators.amazon.reports.packing import UTF8, Charset, charset_of, flat_file, pack
from simulators.amazon.reports.requests import KEPT_MS, Listing, Wanted
from simulators.amazon.reports.rules import Rule, Rules
from simulators.amazon.reports.shelf import Document, Report, Shelf
from simulators.amazon.settings import Settings
from simulators.amazon.store import Store

Heard = Callable[[Report], None]
Source = Callable[[Frame, dict[str, str]], list[Row]]


class ReportDesk:
    """All reports of one simulator run. `settle` before looking at one: it may be finished by now."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.shelf = Shelf(store.db)
        self.rules = Rules()
        self.listeners: list[Heard] = []
        """Told of every report that has ended, as REPORT_PROCESSING_FINISHED would."""
        self.sources: dict[str, Source] = {}
        """What makes the rows of a report type that is made of no orders, from its frame and its options."""
        self._settings = settings
        self._reports = {(report.seller_id, report.report_id): report for report in self.shelf.reports()}
        self._agenda: list[tuple[int, str, str]] = []
        for report in self._reports.values():
            self._await(report)

    def order(self, seller_id: str, wanted: Wanted, now_ms: int) -> Report:
        """Take an order for a report."""
        half_ms = round(self._settings.report_latency * self._settings.pace * 500)
        alike = [r for r in self._reports.values() if _same_line(r, seller_id, wanted.report_type)]
        starts_ms = max([now_ms + half_ms, *(r.ready_ms for r in alike if not r.ended)])
        number = sum(1 for known, _ in self._reports if known == seller_id) + 1
        report = Report(
            seller_id=seller_id,
            report_id=self._number(seller_id, number),
            wanted=wanted,
            created_ms=now_ms,
            starts_ms=starts_ms,
            ready_ms=starts_ms + half_ms,
            rule=self.rules.take(seller_id, wanted.report_type),
            twin=any(r.wanted == wanted and not r.ended for r in alike),
        )
        self._keep(report)
        return report

    def publish(
        self, seller_id: str, wanted: Wanted, text: str, at_ms: int, charset: Charset | None = None
    ) -> Report:
        """A report that Amazon makes by itself: it is done when it appears, and no notification tells of it. Nobody
        sees it before that moment. charset: other than the marketplace's."""
        number = sum(1 for known, _ in self._reports if known == seller_id) + 1
        rule = self.rules.take(seller_id, wanted.report_type)
        report = Report(
            seller_id=seller_id,
            report_id=self._number(seller_id, number),
            wanted=wanted,
            created_ms=at_ms,
            starts_ms=at_ms,
            ready_ms=at_ms,
            rule=rule,
            status=rule.outcome if rule is not None and rule.outcome else "DONE",
        )
        if report.status == "DONE":
            how = rule or Rule()
            honest = charset or charset_of(wanted.marketplaces[0])
            encoded = honest if how.charset is None else how.encoding()
            self._file(report, text if how.text is None else how.text, encoded, how)
        self._keep(report)
        return report

    def settle(self, now_ms: int, records: Iterable[OrderRecord]) -> None:
        """Let every report come as far as it is by now."""
        while self._agenda and self._agenda[0][0] <= now_ms:
            _, seller_id, report_id = heapq.heappop(self._agenda)
            report = self._reports[seller_id, report_id]
            if report.status == "IN_QUEUE":
                report.status = "IN_PROGRESS"
                self._keep(report)
            elif report.status == "IN_PROGRESS":
                self._finish(report, records)
                self._end(report)

    def find(self, seller_id: str, report_id: str, now_ms: int) -> Report | None:
        """A report of this seller, while it is kept."""
        report = self._reports.get((seller_id, report_id))
        if report is None or not now_ms - KEPT_MS < report.created_ms <= now_ms:
            return None
        return report

    def cancel(self, report: Report, now_ms: int) -> bool:
        """Cancel a report not yet begun; False if it has been."""
        if report.status != "IN_QUEUE":
            return False
        report.status, report.ready_ms, report.begun = "CANCELLED", now_ms, False
        self._end(report)
        return True

    def page(self, seller_id: str, listing: Listing, now_ms: int) -> tuple[list[Report], bool]:
        """One page of reports, newest first, and whether there are more."""
        found = sorted(
            (
                report
                for report in self._reports.values()
                if report.seller_id == seller_id
                and report.wanted.report_type in listing.types
                and (not listing.statuses or report.status in listing.statuses)
                and (not listing.marketplaces or listing.marketplaces & set(report.wanted.marketplaces))
                and max(listing.since_ms, now_ms - KEPT_MS) <= report.created_ms
                and report.created_ms <= min(listing.until_ms, now_ms)
                and (listing.after is None or report.place < listing.after)
            ),
            key=lambda report: report.place,
            reverse=True,
        )
        return found[: listing.page_size], len(found) > listing.page_size

    def document(self, seller_id: str, document_id: str, now_ms: int) -> Document | None:
        """A document of this seller, while it is kept."""
        document = self.shelf.document(document_id)
        if document is None or document.seller_id != seller_id:
            return None
        return document if now_ms - KEPT_MS < document.created_ms <= now_ms else None

    def view(self) -> list[dict[str, object]]:
        """Every report as ``GET /_control/reports`` shows it."""
        return [{"sellerId": r.seller_id, **r.model(), "rule": json.loads(r.rule_json)} for r in self._all()]

    def _all(self) -> list[Report]:
        return sorted(self._reports.values(), key=lambda report: report.place)

    def _finish(self, report: Report, records: Iterable[OrderRecord]) -> None:
        """Make the report, at the moment it is due."""
        wanted, kind, rule = report.wanted, KINDS[report.wanted.report_type], report.rule or Rule()
        if rule.outcome == "FATAL" or (
            rule.outcome is None and kind.too_long(wanted.start_ms, wanted.end_ms)
        ):
            report.status = "FATAL"
            reason = TOO_LONG if rule.outcome is None else rule.reason
            if reason:
                self._file(report, reason, UTF8, rule.model_copy(update={"packing": "plain"}))
            return
        if rule.outcome == "CANCELLED" or (rule.outcome is None and (report.twin or self._rationed(report))):
            report.status = "CANCELLED"
            return
        text, charset = self._text(report, records, rule)
        if not text and rule.outcome is None:
            report.status = "CANCELLED"
            return
        report.status = "DONE"
        self._file(report, text, charset, rule)

    def _text(self, report: Report, records: Iterable[OrderRecord], rule: Rule) -> tuple[str, Charset]:
        """The report as text, empty without data, and how it is to be encoded."""
        wanted, kind = report.wanted, KINDS[report.wanted.report_type]
        charset = charset_of(wanted.marketplaces[0]) if rule.charset is None else rule.encoding()
        if rule.text is not None:
            return rule.text, charset
        lag_ms = round(self._settings.shipments_lag * self._settings.pace * 1000)
        frame = Frame(
            seller_id=report.seller_id,
            marketplaces=wanted.marketplaces,
            start_ms=wanted.start_ms,
            end_ms=wanted.end_ms,
            given=wanted.given,
            now_ms=report.ready_ms,
            lag_ms=lag_ms,
        )
        source = self.sources.get(kind.name)
        rows = kind.rows(records, frame) if source is None else source(frame, dict(wanted.options))
        if not rows and rule.outcome is None:
            return "", charset
        return flat_file(kind.columns_of(rows), rows), charset

    def _rationed(self, report: Report) -> bool:
        """Whether a report of this rationed type was made too short a time ago."""
        kind = KINDS[report.wanted.report_type]
        if not kind.rationed:
            return False
        since_ms = report.ready_ms - round(self._settings.report_ration * self._settings.pace * 1000)
        return any(
            earlier.status == "DONE" and since_ms < earlier.ready_ms
            for earlier in self._reports.values()
            if _same_line(earlier, report.seller_id, report.wanted.report_type)
            and (not kind.apart or earlier.wanted.marketplaces == report.wanted.marketplaces)
        )

    def _file(self, report: Report, text: str, charset: Charset, rule: Rule) -> None:
        seller = next(s for s in catalogue.ACCOUNTS if s.seller_id == report.seller_id)
        digest = self._digest(f"document {report.seller_id} {report.report_id}", 16)
        name = uuid.UUID(bytes=digest)
        packed = pack(text, charset, rule.packing, rule.content_type)
        document = Document(
            document_id=f"amzn1.spdoc.1.4.{seller.region}.{name}.T{digest.hex()[:13].upper()}.{report.report_id[-4:]}",
            seller_id=report.seller_id,
            report_type=report.wanted.report_type,
            region=seller.region,
            key=self._digest(f"key {name}", 24).hex(),
            created_ms=report.ready_ms,
            content_type=packed.content_type,
            said_gzip=packed.said_gzip,
            truncated=rule.truncated,
        )
        self.shelf.put(document, packed.body)
        report.document_id = document.document_id

    def _keep(self, report: Report) -> None:
        self._reports[report.seller_id, report.report_id] = report
        self.shelf.keep(report)
        self._await(report)

    def _end(self, report: Report) -> None:
        self._keep(report)
        for listener in self.listeners:
            listener(report)

    def _await(self, report: Report) -> None:
        if not report.ended:
            due_ms = report.starts_ms if report.status == "IN_QUEUE" else report.ready_ms
            heapq.heappush(self._agenda, (due_ms, report.seller_id, report.report_id))

    def _number(self, seller_id: str, number: int) -> str:
        digits = int.from_bytes(self._digest(f"report {seller_id}", 4), "big") % 900 + 100
        return f"{digits}{number:06d}020"

    def _digest(self, text: str, size: int) -> bytes:
        return hashlib.blake2b(f"{self._settings.seed} {text}".encode(), digest_size=size).digest()


def _same_line(report: Report, seller_id: str, report_type: str) -> bool:
    return report.seller_id == seller_id and report.wanted.report_type == report_type
