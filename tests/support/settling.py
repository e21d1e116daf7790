"""Settlements on a pretended M3: orders that are invoiced, a report over them in an archive, the activities on both."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from activities.archive import Archive
from activities.m3.context import M3Context
from activities.m3.options import SettlementOptions
from activities.m3.settlements import M3SettlementActivities
from activities.settlement_files import SettlementFiles, SettlementRules
from canonical.order import Channel, Order
from canonical.settlement.checks import book
from canonical.settlement.models import Booking, Voucher, VoucherKind
from canonical.settlement_contracts import (
    Matched,
    MatchRequest,
    PostOnAccountRequest,
    PostPaymentsRequest,
    PostVoucherRequest,
    SettlementRef,
)
from canonical.settlement_ids import settlement_payment_batch
from canonical.settlement_reports import ArchivedReport, ReportOrigin
from tests.activities.m3_bench import DE, Bench, amazon_order, booking
from tests.support.settlements import Line, Made
from worker.settlement_settings import SettlementSettings

SELLER = "A2EUSELLER0001"
CLEARING = "1815"
ACCOUNTS = {
    "clearing": {"account": CLEARING, "ait2": "DE"},
    "carried_forward": "1817",
    "on_account": "1819",
    "fees": "6510",
    "fba_fees": "6520",
    "advertising": "6540",
    "input_tax": "6595",
    "reserve": "1816",
    "amazon_balance": "1817",
    "other_income": "3910",
    "suspense": "3990",
}
"""As a controller of the pretended company would write them."""


def rules(**more: object) -> SettlementSettings:
    return SettlementSettings.model_validate({"accounts": ACCOUNTS, **more})


def options(**more: object) -> dict[str, object]:
    """M3Options of a company that posts settlements."""
    interface = {"name": "AMZGL2"}
    return {"settlements": SettlementOptions.model_validate({"interface": interface, **more})}


@dataclass
class Settling:
    """One settlement on one M3."""

    stage: Bench
    files: SettlementFiles
    ref: SettlementRef
    report: ArchivedReport
    booking: Booking

    @property
    def m3(self) -> M3SettlementActivities:
        return M3SettlementActivities(_patient(self.stage), self.files)

    @property
    def other(self) -> M3SettlementActivities:
        """The same on a second worker."""
        return M3SettlementActivities(_patient(self.stage.other), self.files)

    @property
    def payments(self) -> Voucher:
        return next(each for each in self.booking.vouchers if each.kind is VoucherKind.PAYMENTS)

    @property
    def ledger(self) -> list[Voucher]:
        return [each for each in self.booking.vouchers if each.kind is VoucherKind.LEDGER]

    def to_match(self, number: int = 1, before: str = "", posted: int = 0) -> MatchRequest:
        return MatchRequest(
            ref=self.ref,
            report=self.report,
            currency=self.booking.settlement.header.currency,
            marketplace_id=DE,
            home="Amazon.de",
            number=number,
            before=before,
            posted=posted,
        )

    def to_pay(self, matched: Matched, number: int = 1) -> PostPaymentsRequest:
        return PostPaymentsRequest(
            ref=self.ref,
            folder=matched.folder,
            pbid=settlement_payment_batch(self.ref.subject, number),
            first=0,
            lines=matched.lines,
            accounting_date=self.payments.accounting_date,
            currency=self.booking.settlement.header.currency,
            marketplace_id=DE,
            home="Amazon.de",
        )

    def to_post(self, voucher: Voucher, *known: str) -> PostVoucherRequest:
        return PostVoucherRequest(ref=self.ref, voucher=voucher, marketplace_id=DE, known=known)

    def to_put_on_account(self, matched: Matched, *known: str) -> PostOnAccountRequest:
        return PostOnAccountRequest(
            ref=self.ref,
            folder=matched.folder,
            number=61,
            accounting_date=self.payments.accounting_date,
            currency=self.booking.settlement.header.currency,
            marketplace_id=DE,
            home="Amazon.de",
            known=known,
        )

    async def ledger_of_m3(self) -> dict[str, object]:
        """What stands in M3's ledgers, as its owner sees it."""
        found: dict[str, object] = (await self.stage.control.get("/_control/ledger")).json()
        return found

    async def balance(self, account: str) -> Decimal:
        """What is left on an account, in all dimensions."""
        rows = (await self.ledger_of_m3())["accounts"]
        assert isinstance(rows, list)
        return sum((Decimal(row["balance"]) for row in rows if row["account"] == account), Decimal(0))

    async def vouchers(self) -> list[dict[str, int]]:
        """M3's vouchers that did not come of invoices."""
        rows = (await self.ledger_of_m3())["vouchers"]
        assert isinstance(rows, list)
        return [row for row in rows if row["feid"] in ("GL10", "AR40")]


def _patient(stage: Bench) -> M3Context:
    """The stage's context, whose pauses between two looks take no time."""
    return replace(stage.m3.context, sleep=_blink)


async def _blink(_: float) -> None:
    return


async def invoiced(stage: Bench, *skus: tuple[str, int]) -> tuple[Order, Decimal]:
    """An order that is shipped and invoiced, and the gross amount of its invoice."""
    order = amazon_order(*skus, channel=Channel.MFN, shipping="0")
    await stage.run(stage.m3.create_sales_order, booking(order))
    await stage.post("ship", cuor=order.order_id)
    await stage.post("advance", seconds=600)
    [invoice] = (await stage.order(order))["invoices"]
    return order, Decimal(str(invoice["gross"]))


def sold(order_id: str, amount: Decimal, shipment: str = "S1") -> Line:
    """The row by which Amazon pays an order."""
    return Line("Order", "ItemPrice", "Principal", amount, order_id, "Amazon.de", shipment)


def fee(order_id: str, amount: str) -> Line:
    return Line("Order", "ItemFees", "Commission", Decimal(amount), order_id, "Amazon.de")


def settling(stage: Bench, folder: Path, made: Made, settings: SettlementSettings | None = None) -> Settling:
    """The report in an archive, read and summed."""
    wanted = settings or rules()
    files = SettlementFiles(
        Archive(str(folder / "archive")),
        SettlementRules(book=wanted.book, plan=wanted.plan, zone=wanted.zone),
        {SELLER: (DE,)},
    )
    file = folder / "report.txt"
    file.write_text(made.text(), encoding="utf-8")
    origin = ReportOrigin(seller_id=SELLER, report_id=f"5{made.settlement_id}")
    report = files.keep(origin, file, "", datetime.now(UTC))
    ref = SettlementRef(seller_id=SELLER, subject=made.settlement_id)
    with files.opened(ref, report) as summed:
        found = book(summed.settlement, wanted.plan)
    assert found.postable, [check.sentence for check in found.checks]
    return Settling(stage, files, ref, report, found)
