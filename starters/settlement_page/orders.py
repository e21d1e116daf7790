"""The orders on the page: their payments against what M3 has open."""

from decimal import Decimal
from typing import Final

from canonical.settlement.matching import MatchStatus
from canonical.settlement.proof_models import Sheet
from starters.settlement_page.markup import (
    Column,
    Html,
    beneath,
    esc,
    facts,
    joined,
    money,
    para,
    table,
    tag,
)

_STATUSES: Final = {
    MatchStatus.MATCHED: "matched",
    MatchStatus.VARIANCE: "variance",
    MatchStatus.NO_INVOICE: "no invoice",
}


def orders(sheet: Sheet) -> Html:
    """The payments, how they match, and those that differ."""
    found, currency = sheet.orders, sheet.currency
    if not found.total:
        return para("No order is paid in this settlement.")
    columns = (
        Column(""),
        Column("marketplace", "text wide"),
        Column("count", "number"),
        Column("amount", "amount"),
    )
    rows = [
        (
            beneath(esc("Refunds" if one.kind == "refund" else "Payments"), one.marketplace, "narrow"),
            esc(one.marketplace),
            esc(one.count),
            money(one.amount, currency),
        )
        for one in found.payments
    ]
    total = sum((one.amount for one in found.payments), Decimal(0))
    parts = [table(columns, rows, (esc("Sum"), Html(""), esc(found.total), money(total, currency)))]
    if not found.looked:
        return joined((*parts, para("They were not compared with M3's invoices.", "soft")))
    parts += [_look(sheet, number) for number in range(len(found.looks))]
    parts.append(
        facts(
            (
                (
                    "Open in M3",
                    _amount(found.open_in_m3, sheet, "of invoices and credit notes paid in part"),
                ),
                ("On account", _amount(found.on_account, sheet, "posted without an invoice")),
                ("Posted nowhere", _amount(found.unposted, sheet, "held for a person")),
            )
        )
    )
    if found.listed:
        parts += [tag("h3", esc("Orders that differ")), _listed(sheet)]
    if found.more:
        command = f"o2c settlement show {sheet.settlement_id} --orders FILE.csv"
        parts.append(para(f"{found.more} more differ; '{command}' writes all of them.", "soft"))
    return joined(parts)


def _look(sheet: Sheet, number: int) -> Html:
    look = sheet.orders.looks[number]
    title = "Compared with M3's open invoices" if not number else f"Look {number + 1}, at what was left over"
    columns = (Column("result"), Column("count", "number"), Column("amount", "amount"))
    rows = [
        (esc(_STATUSES[status]), esc(look.orders[status]), money(look.amounts[status], sheet.currency))
        for status in MatchStatus
        if status in look.orders
    ]
    return joined((tag("h3", esc(title)), table(columns, rows)))


def _listed(sheet: Sheet) -> Html:
    columns = (
        Column("order"),
        Column("open in M3", "amount wide"),
        Column("pays nothing", "amount wide"),
        Column("amazon", "amount"),
    )
    rows = [
        (
            beneath(
                tag("span", esc(one.order_id), class_="n"),
                f"{_STATUSES[one.status]}, row {one.row}. {one.sentence}",
            ),
            money(one.left, sheet.currency),
            money(one.rest, sheet.currency),
            money(one.amount, sheet.currency),
        )
        for one in sheet.orders.listed
    ]
    return table(columns, rows)


def _amount(amount: Decimal, sheet: Sheet, what: str) -> Html:
    return beneath(money(amount, sheet.currency), what) if amount else Html("")
