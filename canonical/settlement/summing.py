"""A settlement's rows summed: by month, marketplace and category, and by order. One pass, nothing kept per row."""

import io
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from canonical.marketplaces import by_sales_channel, is_non_amazon
from canonical.settlement.accounts import CLEARING, AccountPlan
from canonical.settlement.amounts import Amounts
from canonical.settlement.categories import Category, CategoryMap, is_tax, payment_kind
from canonical.settlement.models import (
    CustomerPayment,
    Missing,
    PaymentKind,
    Reserve,
    Settlement,
    Share,
    UnknownCombination,
    UnreadableSettlement,
)
from canonical.settlement.payments import ORDERS_KEPT, ROW_BITS, OrderSums, Part, Spool, packed
from canonical.settlement.reading import Expected, SettlementFile
from canonical.settlement.text import Source

_MOST_COMBINATIONS: Final = 20_000
_LISTED: Final = 500
_Key = tuple[str, str, str, str]


class Summed(NamedTuple):
    """A settlement that has been read."""

    settlement: Settlement
    payments: Callable[[], Iterator[CustomerPayment]]
    """Its customer payments, sorted by order id; one pass at a time, each call begins again."""


class _Tally:
    """Cents, rows, and the first of them."""

    __slots__ = ("count", "minor", "row")

    def __init__(self, row: int) -> None:
        self.minor, self.count, self.row = 0, 0, row

    def add(self, minor: int, row: int) -> None:
        self.minor += minor
        self.count += 1
        self.row = min(self.row, row)

    def join(self, other: "_Tally") -> None:
        self.minor += other.minor
        self.count += other.count
        self.row = min(self.row, other.row)


class _Combination:
    """What is known of a combination in one marketplace, and the sums of its rows."""

    __slots__ = ("category", "key", "kind", "mark", "marketplace", "months", "orderless")

    def __init__(self, key: _Key, category: Category | None, marketplace: str) -> None:
        self.key = key
        self.category = category
        self.marketplace = marketplace
        self.kind: PaymentKind | None = payment_kind(key[0], category) if category else None
        self.mark: str | None = None
        self.months: dict[str, _Tally] = {}
        self.orderless: _Tally | None = None

    def whole(self) -> _Tally:
        tallies = list(self.months.values())
        whole = _Tally(tallies[0].row)
        for tally in tallies:
            whole.join(tally)
        return whole


class _Sums:
    """The sums of one file, while it is read."""

    def __init__(
        self, file: SettlementFile, book: CategoryMap, expected: Expected, orders: OrderSums
    ) -> None:
        self.file = file
        self._book = book
        self.expected = expected
        self.orders = orders
        self.combinations: dict[_Key, _Combination] = {}
        self.total = self.rows = 0

    def read(self) -> None:
        """Read the whole file; raises UnreadableSettlement where a row is at fault."""
        combinations, orders, open_orders = self.combinations, self.orders, self.orders.open
        minor_of, known_amounts = self.file.amounts.minor, self.file.amounts.known
        month_of = self._month
        total = last = rows = 0
        month, month_date = "", None
        for number, key, text, order_id, shipment, date in self.file.entries():
            combination = combinations.get(key) or self._new(key, number)
            minor = known_amounts.get(text)
            if minor is None:
                minor = minor_of(text, number)
            total += minor
            if date != month_date:
                month, month_date = month_of(date, number), date
            tally = combination.months.get(month)
            if tally is None:
                tally = combination.months[month] = _Tally(number)
            tally.minor += minor
            tally.count += 1
            if number != last:
                rows += 1
                last = number
            if combination.mark is None:
                continue
            if not order_id:
                self._without_order(combination, month, minor, number)
                continue
            sums = open_orders.get(order_id) or orders.new(order_id)
            part = combination.mark + shipment
            known = sums.get(part)
            sums[part] = packed(minor, number) if known is None else known + (minor << ROW_BITS)
        self.total, self.rows = total, rows

    def _month(self, date: str, row: int) -> str:
        """The month a row is booked in. A row without date is of the settlement's month, if it has only one."""
        if date and not date.isspace():
            return self.file.moments.month(date, row)
        moments, header = self.file.moments, self.file.header
        first, last = (f"{moments.local(moment):%Y-%m}" for moment in (header.start, header.end))
        if first != last:
            raise UnreadableSettlement(
                f"Row {row} has no date, and the settlement crosses the end of a month.", row
            )
        return first

    def _new(self, key: _Key, row: int) -> _Combination:
        if len(self.combinations) >= _MOST_COMBINATIONS:
            raise UnreadableSettlement(
                f"Row {row}: the file has more than {_MOST_COMBINATIONS} different kinds of amounts; its columns are "
                "not what they are called.",
                row,
            )
        marketplace = _marketplace(key[3])
        allowed = self.expected.marketplaces
        if allowed and marketplace and marketplace not in allowed:
            raise UnreadableSettlement(
                f"Row {row} is of {marketplace[:40]}, which is no marketplace of seller {self.expected.seller_id}: "
                "the settlement is another seller's.",
                row,
            )
        made = _Combination(key, self._book.category(key[:3]), marketplace)
        if made.category is not None and made.kind is not None:
            name = made.category.name
            made.mark = self.orders.mark(Part(made.kind, marketplace, name, is_tax(name, key[2])))
        self.combinations[key] = made
        return made

    @staticmethod
    def _without_order(combination: _Combination, month: str, minor: int, row: int) -> None:
        combination.months[month].minor -= minor
        combination.months[month].count -= 1
        if combination.orderless is None:
            combination.orderless = _Tally(row)
        combination.orderless.add(minor, row)


def read_settlement(
    source: Source,
    book: CategoryMap,
    plan: AccountPlan,
    zone: ZoneInfo,
    *,
    charset: str | None = None,
    expected: Expected | None = None,
    spool: Spool = io.BytesIO,
    orders_kept: int = ORDERS_KEPT,
) -> Summed:
    """Read a settlement file to its end.

    `zone` tells in which month an amount falls; `charset` is what came with the file. `spool` opens the temporary
    files that keep memory flat where the file has more orders than `orders_kept`.

    Raises:
        UnreadableSettlement: the file is damaged, ambiguous, or not what was expected. Unknown combinations and a
            total that differs are no error here: they are told in the settlement.
    """
    wanted = expected or Expected()
    file = SettlementFile(source, zone, charset)
    if wanted.settlement_id and file.header.settlement_id != wanted.settlement_id:
        raise UnreadableSettlement(
            f"Row {file.row}: this is settlement {file.header.settlement_id}, not {wanted.settlement_id}.",
            file.row,
        )
    sums = _Sums(file, book, wanted, OrderSums(spool, orders_kept))
    sums.read()
    return Summed(_told(sums, plan), lambda: sums.orders.payments(file.amounts))


def _told(sums: _Sums, plan: AccountPlan) -> Settlement:
    file, amounts = sums.file, sums.file.amounts
    combinations = list(sums.combinations.values())
    named = {one.marketplace for one in combinations if by_sales_channel(one.marketplace)}
    home = next(iter(named)) if len(named) == 1 else sums.expected.home
    shares = _shares(combinations, amounts)
    unknown = _unknown(combinations, plan, home, file)
    totals, withheld = sums.orders.survey(amounts)
    by_category = {name: [one.amount for one in shares if one.category == name] for name in _RESERVES}
    return Settlement(
        header=file.header,
        sum_of_rows=amounts.major(sums.total),
        rows=sums.rows,
        opens_on=file.moments.local(file.header.start).date(),
        closes_on=file.moments.local(file.header.end).date(),
        home=home,
        shares=shares,
        payments=totals,
        withheld=withheld,
        reserve=Reserve(
            previous=sum(by_category["reserve_released"], start=amounts.major(0)),
            current=sum(by_category["reserve_held"], start=amounts.major(0)),
        ),
        unknown=unknown[:_LISTED],
        unknown_more=sum(one.count for one in unknown[_LISTED:]),
    )


_RESERVES: Final = ("reserve_released", "reserve_held")


def _shares(combinations: list[_Combination], amounts: Amounts) -> tuple[Share, ...]:
    tallies: dict[tuple[str, str, str, bool], _Tally] = {}
    for one in combinations:
        if one.category is None:
            continue
        for month, tally in one.months.items():
            if tally.count:
                key = (month, one.marketplace, one.category.name, one.kind is not None)
                tallies.setdefault(key, _Tally(tally.row)).join(tally)
    return tuple(
        Share(
            month=month, marketplace=place, category=name, customer=customer,
            amount=amounts.major(tally.minor), count=tally.count, row=tally.row,
        )
        for (month, place, name, customer), tally in sorted(tallies.items())
    )  # fmt: skip


def _unknown(
    combinations: list[_Combination], plan: AccountPlan, home: str, file: SettlementFile
) -> tuple[UnknownCombination, ...]:
    found = list(_lacking(combinations, plan, home, file))
    if plan.find(CLEARING, home, file.header.currency) is None:
        found.append(
            UnknownCombination(
                transaction_type="", amount_type="", amount_description="", missing=Missing.CLEARING,
                marketplace=home, row=file.row, count=1, amount=file.header.total,
            )
        )  # fmt: skip
    return tuple(sorted(found, key=lambda one: (one.row, str(one))))


def _lacking(
    combinations: list[_Combination], plan: AccountPlan, home: str, file: SettlementFile
) -> Iterator[UnknownCombination]:
    for one in combinations:
        if one.orderless is not None:
            yield _told_unknown(one, Missing.ORDER, one.orderless, file.amounts)
        if one.category is None:
            yield _told_unknown(one, Missing.CATEGORY, one.whole(), file.amounts)
        elif one.kind is None:
            place = one.marketplace or home
            if plan.find(one.category.name, place, file.header.currency) is None:
                yield _told_unknown(one, Missing.ACCOUNT, one.whole(), file.amounts)


def _told_unknown(one: _Combination, missing: Missing, tally: _Tally, amounts: Amounts) -> UnknownCombination:
    return UnknownCombination(
        transaction_type=one.key[0],
        amount_type=one.key[1],
        amount_description=one.key[2],
        missing=missing,
        category=one.category.name if one.category else "",
        marketplace=one.marketplace,
        row=tally.row,
        count=tally.count,
        amount=amounts.major(tally.minor),
    )


def _marketplace(name: str) -> str:
    """Amazon's name of the marketplace; empty for multi-channel orders ("Non-Amazon CA", "SI CA Prod Marketplace")."""
    plain = name.strip()
    if is_non_amazon(plain) or plain.casefold().endswith(" prod marketplace"):
        return ""
    known = by_sales_channel(plain)
    return known.name if known else plain
