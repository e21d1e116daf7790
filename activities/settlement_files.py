"""Settlement reports in the archive: kept as they came, with hash and origin, before anything reads them.

    settlements/<seller>/reports/<report id>            the bytes as Amazon's store sent them
    settlements/<seller>/reports/<report id>.json       hash, size, origin (`ArchivedReport`)
    settlements/<seller>/taken/<report id>.json         which settlement took the report in (`TakenIn`)
    settlements/<seller>/sums/<end>-<settlement id>.json its sums (`canonical.settlement.models.Settlement`)
    settlements/<seller>/<settlement id>/                what its orders pay in M3, in parts
    settlements/ids/<settlement id>/<seller>.json       whose settlement it is (`Claim`)

Nothing here is ever deleted by this service.
"""

import hashlib
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from activities.archive import BLOCK, Archive, NotArchived
from canonical.marketplaces import MARKETPLACES
from canonical.settlement.accounts import AccountPlan
from canonical.settlement.categories import CategoryMap
from canonical.settlement.models import Header, Settlement, UnreadableSettlement
from canonical.settlement.reading import Expected, SettlementFile
from canonical.settlement.summing import Summed, read_settlement
from canonical.settlement.text import Source
from canonical.settlement_contracts import SettlementRef
from canonical.settlement_reports import ArchivedReport, Claim, ReportOrigin, TakenIn

_PREVIOUS: Final = 400
"""Settlements of a seller that are looked through for the one before, the latest."""


@dataclass(frozen=True)
class SettlementRules:
    """How settlements are read and booked."""

    book: CategoryMap
    plan: AccountPlan
    zone: ZoneInfo


class SettlementFiles:
    """The archived reports of every configured seller. Methods block: they belong into a thread.

    marketplaces: ids by seller id; a report that names others is another seller's.
    """

    def __init__(
        self, archive: Archive, rules: SettlementRules, marketplaces: Mapping[str, tuple[str, ...]]
    ) -> None:
        self.archive = archive
        self.rules = rules
        self._marketplaces = marketplaces

    # --- keeping --------------------------------------------------------------------------------

    def keep(self, origin: ReportOrigin, file: Path, charset: str, now: datetime) -> ArchivedReport:
        """Put a report into the archive, once: what is there already stays as it is. Raises ArchiveError."""
        known = self.kept(origin.seller_id, origin.report_id)
        if known is not None:
            return known
        key = f"{_reports(origin.seller_id)}/{_plain(origin.report_id)}"
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        self.archive.upload(file, key)
        report = ArchivedReport(
            key=key,
            sha256=digest,
            size=file.stat().st_size,
            charset=charset,
            archived=now,
            origin=origin,
        )
        self.archive.write(f"{key}.json", report.model_dump_json(indent=1).encode())
        return report

    def kept(self, seller_id: str, report_id: str) -> ArchivedReport | None:
        """The report as it is in the archive; None where it is not there, or not wholly."""
        try:
            text = self.archive.read(f"{_reports(seller_id)}/{_plain(report_id)}.json")
        except NotArchived:
            return None
        return ArchivedReport.model_validate_json(text)

    def taken(self, seller_id: str) -> frozenset[str]:
        """Reports whose settlements were started, as `taken_name` names them."""
        keys = self.archive.keys(f"settlements/{seller_id}/taken")
        return frozenset(Path(key).stem for key in keys)

    @staticmethod
    def taken_name(report_id: str) -> str:
        return _plain(report_id)

    def note_taken(self, seller_id: str, taken: TakenIn) -> None:
        """The report has its settlement: the next look leaves it out."""
        key = f"settlements/{seller_id}/taken/{_plain(taken.report_id)}.json"
        self.archive.write(key, taken.model_dump_json(indent=1).encode())

    # --- whose it is ----------------------------------------------------------------------------

    def claim(self, settlement_id: str, wanted: Claim) -> Claim | None:
        """Take a settlement for a seller; None where it is his, else the claim of the other seller who has it.

        Each seller writes before he looks, so that of two who come at the same moment at most one is granted it; the
        other comes again.
        """
        folder, key = f"settlements/ids/{settlement_id}", _claim(settlement_id, wanted.seller_id)
        own = self._claimed(key)
        if own is not None and own.granted:
            return None
        self.archive.write(key, wanted.model_dump_json().encode())
        others = [self._claimed(each) for each in self.archive.keys(folder) if each != key]
        for other in others:
            if other is not None:
                self.archive.remove(key)
                return other
        self.archive.write(key, wanted.model_copy(update={"granted": True}).model_dump_json().encode())
        return None

    def release(self, settlement_id: str, claim: Claim) -> None:
        """A claim that came to nothing."""
        self.archive.remove(_claim(settlement_id, claim.seller_id))

    def _claimed(self, key: str) -> Claim | None:
        try:
            return Claim.model_validate_json(self.archive.read(key))
        except NotArchived:
            return None

    # --- reading --------------------------------------------------------------------------------

    def header(self, report: ArchivedReport) -> Header:
        """The settlement's header. Raises UnreadableSettlement, ArchiveError."""
        with self._file(report) as file:
            return SettlementFile(_source(file), self.rules.zone, report.charset or None).header

    @contextmanager
    def opened(self, ref: SettlementRef, report: ArchivedReport) -> Iterator[Summed]:
        """The settlement read to its end, as long as the block lasts. Raises UnreadableSettlement, ArchiveError."""
        expected = Expected(
            settlement_id=ref.subject if ref.subject.isdecimal() else "",
            marketplaces=frozenset(
                MARKETPLACES[each].name for each in self._of_region(report.origin.seller_id)
            ),
            home=_home(report.origin),
            seller_id=report.origin.seller_id,
        )
        rules = self.rules
        with self._file(report) as file:
            yield read_settlement(
                _source(file),
                rules.book,
                rules.plan,
                rules.zone,
                charset=report.charset or None,
                expected=expected,
                spool=tempfile.TemporaryFile,
            )

    def note_sums(self, ref: SettlementRef, settlement: Settlement) -> None:
        """What the next settlement is compared with."""
        end = f"{settlement.header.end.astimezone(UTC):%Y%m%dT%H%M%S}"
        key = f"settlements/{ref.seller_id}/sums/{end}-{ref.subject}.json"
        self.archive.write(key, settlement.model_dump_json().encode())

    def previous(self, ref: SettlementRef, settlement: Settlement) -> Settlement | None:
        """The settlement before, of the same marketplaces and currency, as far as it was read here."""
        start = f"{settlement.header.start.astimezone(UTC):%Y%m%dT%H%M%S}"
        keys = [
            key
            for key in self.archive.keys(f"settlements/{ref.seller_id}/sums")
            if Path(key).name.partition("-")[0] <= start and not key.endswith(f"-{ref.subject}.json")
        ]
        for key in reversed(keys[-_PREVIOUS:]):
            one = Settlement.model_validate_json(self.archive.read(key))
            if one.header.currency == settlement.header.currency and one.home == settlement.home:
                return one
        return None

    def _of_region(self, seller_id: str) -> tuple[str, ...]:
        """The marketplaces of the seller's region: a settlement may name one whose orders nobody carries in."""
        regions = {MARKETPLACES[each].region for each in self._marketplaces.get(seller_id, ())}
        return tuple(each.id for each in MARKETPLACES.values() if each.region in regions)

    @contextmanager
    def _file(self, report: ArchivedReport) -> Iterator[Path]:
        """The report as a local file. Raises UnreadableSettlement where it is no longer what was archived."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "report"
            self.archive.download(report.key, file)
            with file.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            if digest != report.sha256:
                raise UnreadableSettlement(
                    f"The archived file {report.key} is no longer what was archived (SHA-256 {digest[:16]}..., it was "
                    f"{report.sha256[:16]}...)."
                )
            yield file


def _source(file: Path) -> Source:
    def read() -> Iterator[bytes]:
        with file.open("rb") as stream:
            while block := stream.read(BLOCK):
                yield block

    return read


def _home(origin: ReportOrigin) -> str:
    """The marketplace the report is of; empty where Amazon tells none, or several."""
    known = [MARKETPLACES[each].name for each in origin.marketplace_ids if each in MARKETPLACES]
    return known[0] if len(known) == 1 and len(origin.marketplace_ids) == 1 else ""


def _claim(settlement_id: str, seller_id: str) -> str:
    return f"settlements/ids/{settlement_id}/{seller_id}.json"


def _reports(seller_id: str) -> str:
    return f"settlements/{seller_id}/reports"


def _plain(report_id: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", report_id)
