"""The settlement desk: closes settlements on their day, or when asked by the control room, and has them reported.

Facts: a settlement is of one marketplace in Europe; it covers two weeks; a negative one is charged to the card, which
the next one tells in two rows that cancel; a reserve held back is told with its return in the next one; nobody can ask
for the report. Inferred: the deposit two days after the end, also for a negative one; the moments and the order of
rows; the size of the reserve; the fees of the account that fall due with it; when the reports appear.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from decimal import Decimal
from random import Random

from pydantic import BaseModel, ConfigDict, Field

from simulators import catalogue
from simulators.amazon.aftersale.amounts import rounded
from simulators.amazon.record import OrderRecord
from simulators.amazon.reports.columns import SETTLEMENT, settlement_v1
from simulators.amazon.reports.desk import ReportDesk
from simulators.amazon.reports.frame import moment
from simulators.amazon.reports.kinds import DAY_MS, SETTLEMENTS, SettlementForm
from simulators.amazon.reports.packing import XML, flat_file
from simulators.amazon.reports.requests import Wanted
from simulators.amazon.settings import Settings
from simulators.amazon.settlements import layout, old_layout
from simulators.amazon.settlements.charges import Charge
from simulators.amazon.settlements.envelope import envelope
from simulators.amazon.settlements.fees import due_with
from simulators.amazon.settlements.layout import Style
from simulators.amazon.settlements.money import Line, Money, charged, money_of
from simulators.amazon.settlements.records import Drawer, Settlement
from simulators.amazon.store import Store

HOUR_MS = 3600 * 1000
DEPOSIT_MS = 2 * DAY_MS
LATER_MS: dict[SettlementForm, int] = {"v2": 0, "v1": 4 * 60_000, "xml": 9 * 60_000}
"""How much later (times `pace`) than the settlement's end its report appears."""
_NOTE = "settlements_due"
_ACCOUNT = "other-transaction"


class Terms(BaseModel):
    """Body of ``POST /_control/settlements``: which to close now, and how.

    seller, marketplace, currency: only these. together: all marketplaces of a currency in one. reserve: what is held
    back; else reserve_share of what would be paid out. fees: the account's own fees fall due with it. card: a negative
    predecessor was charged to the card; otherwise it is carried into this one. empty: also where nothing happened.
    reports: in which forms it is told; else as the run's settings say.
    """

    model_config = ConfigDict(extra="forbid")

    seller: str = ""
    marketplace: str = ""
    currency: str = ""
    together: bool = False
    reserve: Decimal | None = Field(default=None, ge=0)
    reserve_share: Decimal = Field(default=Decimal("0.10"), ge=0, le=1)
    fees: bool = True
    card: bool = True
    empty: bool = False
    style: Style | None = None
    reports: tuple[SettlementForm, ...] | None = None


class SettlementDesk:
    """All settlements of one simulator run."""

    def __init__(self, store: Store, settings: Settings, reports: ReportDesk, now_ms: int) -> None:
        self._store = store
        self._settings = settings
        self._reports = reports
        self._drawer = Drawer(store.db)
        self._charges = list(self._drawer.charges())
        self.settlements: dict[str, Settlement] = {}
        self._settled: dict[tuple[str, str], Settlement] = {}
        self._last: dict[tuple[str, str], Settlement] = {}
        for settlement in sorted(self._drawer.settlements(), key=lambda each: each.number):
            self._take_in(settlement)
        kept = store.recall(_NOTE)
        self._due_ms = int(kept) if kept else now_ms + self._period_ms
        store.remember(_NOTE, str(self._due_ms))

    @property
    def _period_ms(self) -> int:
        return round(self._settings.settlement_days * DAY_MS)

    def settle(self, now_ms: int, records: Iterable[OrderRecord]) -> None:
        """Close what is due by now."""
        while self._period_ms and self._due_ms <= now_ms:
            self.close(Terms(), self._due_ms, records)
            self._due_ms += self._period_ms
            self._store.remember(_NOTE, str(self._due_ms))

    def close(self, terms: Terms, end_ms: int, records: Iterable[OrderRecord]) -> list[Settlement]:
        """Close a settlement for every group in which something happened."""
        found: dict[tuple[str, str], list[Money]] = {}
        for money in self._unsettled(records, end_ms):
            market = catalogue.MARKETPLACE_BY_ID.get(money.marketplace_id)
            if market is not None and market.currency == money.currency:
                group = money.currency if terms.together else money.marketplace_id
                found.setdefault((money.seller_id, group), []).append(money)
        for seller in catalogue.ACCOUNTS:
            for market in seller.sold_in:
                key = (seller.seller_id, market.currency if terms.together else market.marketplace_id)
                if terms.empty or (key in self._last and _carries(self._last[key])):
                    found.setdefault(key, [])
        return [
            self._close(key, money, terms, end_ms)
            for key, money in sorted(found.items())
            if self._meant(key, terms)
        ]

    def group_of(self, seller_id: str, marketplace_id: str, transaction_id: str) -> tuple[str, str]:
        """The financial event group of a transaction, and its settlement's id (empty while there is none)."""
        settlement = self._settled.get((seller_id, transaction_id))
        if settlement is not None:
            return settlement.event_group, settlement.settlement_id
        last = self._last.get((seller_id, marketplace_id))
        return self._event_group((seller_id, marketplace_id), last.number + 1 if last else 0), ""

    def settled(self, seller_id: str, transaction_id: str) -> bool:
        """Whether this money is in a settlement."""
        return (seller_id, transaction_id) in self._settled

    def charges(self, seller_id: str) -> Iterator[Charge]:
        """The seller's charges."""
        return (charge for charge in self._charges if charge.seller == seller_id)

    def charge(self, charge: Charge, now_ms: int) -> Charge:
        """Let a charge happen. ValueError for a marketplace nobody sells in."""
        market = catalogue.MARKETPLACE_BY_ID.get(charge.marketplace)
        if market is None:
            raise ValueError(f"Nobody sells in marketplace {charge.marketplace!r}.")
        charge.seller = charge.seller or catalogue.seller_of(charge.marketplace).seller_id
        charge.amount = rounded(charge.amount, market.currency)
        charge.at_ms = charge.at_ms or now_ms - round(charge.days_ago * DAY_MS)
        charge.number = len(self._charges) + 1
        self._charges.append(charge)
        self._drawer.keep_charge(charge)
        return charge

    def report(
        self, settlement: Settlement, at_ms: int, shuffle: int = 0, form: SettlementForm = "v2"
    ) -> str:
        """Have the settlement reported (again); the report's id. shuffle: another order of the rows."""
        wanted = Wanted(
            report_type=SETTLEMENTS[form],
            marketplaces=settlement.marketplaces,
            start_ms=settlement.start_ms,
            end_ms=settlement.end_ms,
            given=True,
            options=(),
        )
        text = self.text(settlement, shuffle=shuffle, form=form)
        charset = XML if form == "xml" else None
        report = self._reports.publish(settlement.seller_id, wanted, text, at_ms, charset)
        settlement.reports = (*settlement.reports, report.report_id)
        self._drawer.keep(settlement)
        return report.report_id

    def text(self, settlement: Settlement, shuffle: int = 0, form: SettlementForm = "v2") -> str:
        """What the settlement's report says."""
        look, total = settlement.style, settlement.total
        moments = (settlement.start_ms, settlement.end_ms, settlement.deposit_ms)
        name, currency = settlement.settlement_id, settlement.currency
        lines = list(settlement.lines)
        if shuffle:
            Random(shuffle).shuffle(lines)  # noqa: S311 - an order of rows
        if form == "xml":
            return envelope(settlement.seller_id, name, moments, total, currency, lines)
        if form == "v2":
            first = layout.header(name, moments, total, currency, look)
            return flat_file(SETTLEMENT, [first, *layout.rows(name, lines, currency, look)])
        first = layout.header(name, moments, total, currency, look, moment)
        columns = settlement_v1(promotions=any(line.amount_type == "Promotion" for line in lines))
        return flat_file(columns, [first, *old_layout.rows(name, lines, currency, look)])

    def _unsettled(self, records: Iterable[OrderRecord], end_ms: int) -> Iterator[Money]:
        for record in records:
            for money in money_of(record, end_ms):
                if not self.settled(money.seller_id, money.transaction_id):
                    yield money
        for charge in self._charges:
            money = charged(charge)
            if charge.at_ms <= end_ms and not self.settled(money.seller_id, money.transaction_id):
                yield money

    def _meant(self, key: tuple[str, str], terms: Terms) -> bool:
        seller_id, group = key
        market = catalogue.MARKETPLACE_BY_ID.get(group)
        currency = market.currency if market is not None else group
        return (
            terms.seller in ("", seller_id)
            and terms.marketplace in ("", group)
            and terms.currency in ("", currency)
        )

    def _close(self, key: tuple[str, str], found: list[Money], terms: Terms, end_ms: int) -> Settlement:
        seller_id, group = key
        last = self._last.get(key)
        markets = [
            market for market in _sold_in(seller_id) if group in (market.marketplace_id, market.currency)
        ]
        if terms.fees:
            after_ms = last.end_ms if last else 0
            due = list(due_with(seller_id, found, self._subscribed(seller_id), after_ms, end_ms))
            found = found + [charged(self.charge(fee, end_ms)) for fee in due]
        oldest_ms = min((money.at_ms for money in found), default=end_ms)
        number = last.number + 1 if last else 0
        name = self._name(key, number)
        start_ms = last.end_ms if last else min(oldest_ms, end_ms - (self._period_ms or 14 * DAY_MS))
        lines = [*_carried(last, terms), *_mixed(found, name)]
        total = sum((line.amount for line in lines), Decimal(0))
        held = terms.reserve if terms.reserve is not None else max(total, Decimal(0)) * terms.reserve_share
        held = rounded(held, markets[0].currency)
        if held:
            lines.insert(len(lines) // 2, _account("Current Reserve Amount", -held, end_ms))
        settlement = Settlement(
            settlement_id=name,
            event_group=self._event_group(key, number),
            seller_id=seller_id,
            group=group,
            marketplaces=tuple(market.marketplace_id for market in markets),
            currency=markets[0].currency,
            number=number,
            style=terms.style or layout.STYLES.get(markets[0].country, "us"),
            start_ms=start_ms,
            end_ms=end_ms,
            deposit_ms=end_ms + DEPOSIT_MS,
            total=total - held,
            reserve=held,
            lines=tuple(lines),
            transactions=tuple(money.transaction_id for money in found),
        )
        self._take_in(settlement)
        for form in self._settings.settlement_forms if terms.reports is None else terms.reports:
            self.report(settlement, end_ms + round(LATER_MS[form] * self._settings.pace), form=form)
        return settlement

    def _subscribed(self, seller_id: str) -> list[int]:
        return [fee.at_ms for fee in self.charges(seller_id) if fee.description == "Subscription Fee"]

    def _take_in(self, settlement: Settlement) -> None:
        self.settlements[settlement.settlement_id] = settlement
        self._last[settlement.seller_id, settlement.group] = settlement
        for transaction in settlement.transactions:
            self._settled[settlement.seller_id, transaction] = settlement

    def _name(self, key: tuple[str, str], number: int) -> str:
        digest = self._digest(f"settlement {key} {number}")
        return str(11_000_000_000 + digest % 88_000_000_000)

    def _event_group(self, key: tuple[str, str], number: int) -> str:
        return f"{self._digest(f'event group {key} {number}'):016x}"

    def _digest(self, text: str) -> int:
        digest = hashlib.blake2b(f"{self._settings.seed} {text}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big")


def _sold_in(seller_id: str) -> tuple[catalogue.Marketplace, ...]:
    return next(seller.sold_in for seller in catalogue.ACCOUNTS if seller.seller_id == seller_id)


def _carries(last: Settlement) -> bool:
    return last.total < 0 or bool(last.reserve)


def _account(description: str, amount: Decimal, at_ms: int) -> Line:
    return Line(_ACCOUNT, _ACCOUNT, description, amount, at_ms)


def _carried(last: Settlement | None, terms: Terms) -> list[Line]:
    """What the settlement before left over: its reserve, and its debt with the charge that paid it."""
    if last is None:
        return []
    lines = []
    if last.total < 0:
        lines.append(_account("Payable to Amazon", last.total, last.end_ms))
        if terms.card:
            lines.append(_account("Successful charge", -last.total, last.end_ms + HOUR_MS))
    if last.reserve:
        lines.append(_account("Previous Reserve Amount Balance", last.reserve, last.end_ms))
    return lines


def _mixed(found: list[Money], name: str) -> list[Line]:
    """The lines, those of one transaction together, the transactions in no order of time."""
    order = sorted(found, key=lambda money: money.transaction_id)
    Random(name).shuffle(order)  # noqa: S311 - an order of rows
    return [line for money in order for line in money.lines]
