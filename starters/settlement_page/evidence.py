"""The evidence behind each proof: one section each, with the anchor the proof points to."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from canonical.settlement.proof_models import CategoryFigure, Section, Sheet
from starters.settlement_page.markup import (
    MARKS,
    Column,
    Html,
    beneath,
    esc,
    facts,
    joined,
    mark,
    money,
    para,
    table,
    tag,
)
from starters.settlement_page.orders import orders
from starters.settlement_page.vouchers import vouchers

_REASONS: Final = {"DD7": "seven days from delivery", "B2B": "invoiced order"}


def sections(sheet: Sheet) -> Iterator[Html]:
    """All sections that have something to say."""
    if sheet.unknown:
        yield _section(sheet, Section.UNKNOWN, "Unknown amounts", _unknown(sheet))
    yield _section(sheet, Section.CATEGORIES, "Categories", _categories(sheet))
    yield _section(sheet, Section.VOUCHERS, "Vouchers", vouchers(sheet))
    yield _section(sheet, Section.CLEARING, "Clearing account", _clearing(sheet))
    yield _section(sheet, Section.ORDERS, "Orders", orders(sheet))
    yield _section(sheet, Section.WITHHELD, "Tax withheld by Amazon", _withheld(sheet))
    yield _section(sheet, Section.RESERVE, "Reserve", _reserve(sheet))
    yield _section(sheet, Section.WAITING, "Not paid out yet", _waiting(sheet))
    yield _section(sheet, Section.SOURCE, "Where it comes from", _source(sheet))


def _section(sheet: Sheet, anchor: Section, title: str, content: Html) -> Html:
    """A section, marked with the worst of the proofs that point to it."""
    found = [proof.status for proof in sheet.proofs if proof.evidence is anchor]
    shown = mark(max(found, key=list(MARKS).index)) if found else Html("")
    back = '<a class="back" href="#checks">checks</a>'
    return Html(
        f'<section id="{anchor.value}"><div class="head"><h2>{esc(title)}</h2>{shown}{back}</div>{content}</section>'
    )


def _unknown(sheet: Sheet) -> Html:
    rows = [
        (
            beneath(
                esc(one), f"lacks its {one.missing.value}{f', {one.marketplace}' * bool(one.marketplace)}"
            ),
            esc(one.row),
            esc(one.count),
            money(one.amount, sheet.currency),
        )
        for one in sheet.unknown
    ]
    said = para(
        "Nothing is posted until each of these has its category and account: [settlement] map and accounts."
    )
    more = para(f"{sheet.unknown_more} more rows of other combinations.") if sheet.unknown_more else Html("")
    columns = (
        Column("type / amount type / description"),
        Column("first row", "number"),
        Column("rows", "number"),
        Column("amount", "amount"),
    )
    return joined((said, table(columns, rows), more))


def _categories(sheet: Sheet) -> Html:
    columns = (
        Column("category"),
        Column("account", "code wide"),
        Column("rows", "number"),
        Column("amount", "amount"),
    )
    parts: list[Html] = []
    for customer, title in ((True, "Paid to the orders' invoices"), (False, "To the ledger")):
        figures = [one for one in sheet.categories if one.customer is customer]
        if not figures:
            continue
        total = sum((one.amount for one in figures), Decimal(0))
        parts.append(tag("h3", esc(title)))
        parts.append(
            table(
                columns,
                [_category(one, sheet.currency) for one in figures],
                (
                    esc("Sum"),
                    Html(""),
                    esc(sum(one.count for one in figures)),
                    money(total, sheet.currency),
                ),
            )
        )
    both = sum((one.amount for one in sheet.categories), Decimal(0))
    if both != sheet.sum_of_rows:
        parts.append(
            para(
                f"{sheet.sum_of_rows - both} {sheet.currency} of the rows are unknown and in no sum.", "soft"
            )
        )
    return joined(parts) if parts else para("The file has no amounts.")


def _category(one: CategoryFigure, currency: str) -> tuple[Html, ...]:
    accounts = "receivable" if one.customer else ", ".join(one.accounts)
    name = beneath(
        beneath(esc(one.text), one.category, "wide"), f"{one.category}, {accounts}".rstrip(", "), "narrow"
    )
    return name, esc(accounts), esc(one.count), money(one.amount, currency)


def _clearing(sheet: Sheet) -> Html:
    clearing, currency = sheet.clearing, sheet.currency
    if not clearing.entries:
        return para("There are no vouchers, so nothing comes to the clearing account.")
    columns = (Column("entry"), Column("voucher", "code"), Column("amount", "amount"))
    posted = any(entry.vono for entry in clearing.entries)
    rows = [
        (
            esc(entry.text),
            tag("span", esc(entry.vono or "not posted"), class_="n"),
            money(entry.amount, currency),
        )
        for entry in clearing.entries
        if entry.vono or not posted
    ]
    day = f", {sheet.deposit_date:%Y-%m-%d}" if sheet.deposit_date else ""
    rows.append((tag("strong", esc("Left by the vouchers")), Html(""), money(clearing.left, currency)))
    rows.append((esc(f"Deposit at the bank{day}"), Html(""), money(-clearing.deposit, currency)))
    foot = (esc("After the bank"), Html(""), money(clearing.after, currency))
    parts = [
        para(f"Account {', '.join(clearing.accounts)}."),
        table(columns, rows, foot),
    ]
    if clearing.unposted:
        parts.append(para(f"{clearing.unposted} {currency} belong here and are not posted yet."))
    return joined(parts)


def _withheld(sheet: Sheet) -> Html:
    tax = sheet.withheld
    if not tax.orders:
        return para("Amazon collects and keeps no tax in this settlement.")
    columns = (Column(""), Column("amount", "amount"))
    rows = [
        (esc("Tax collected from buyers"), money(tax.collected, sheet.currency)),
        (esc("Withheld by Amazon"), money(tax.withheld, sheet.currency)),
    ]
    parts = [
        table(columns, rows, (esc(f"Net of {tax.orders} orders"), money(sheet.withheld_net, sheet.currency)))
    ]
    if tax.odd:
        rows_ = ", ".join(str(row) for row in tax.odd_rows)
        parts.append(para(f"In {tax.odd} orders it does not net to zero; their first rows: {rows_}."))
    return joined(parts)


def _reserve(sheet: Sheet) -> Html:
    reserve, currency = sheet.reserve, sheet.currency
    columns = (Column(""), Column("amount", "amount"))
    before = f"Kept back by settlement {reserve.previous_id}"
    rows = []
    if reserve.kept_before is not None:
        rows.append((esc(before), money(reserve.kept_before, currency)))
    rows += [
        (esc("Brought in by this one"), money(reserve.brought_in, currency)),
        (esc("Kept back by this one"), money(reserve.kept_now, currency)),
    ]
    said = Html("") if reserve.previous_id else para("The settlement before is not known here.", "soft")
    return joined((table(columns, rows), said))


def _waiting(sheet: Sheet) -> Html:
    return joined((_held_back(sheet), _coming(sheet)))


def _coming(sheet: Sheet) -> Html:
    """What a later settlement may be held for."""
    if not sheet.coming:
        return Html("")
    columns = (Column("in Finances"), Column("count", "number"), Column("amount", "amount"))
    rows = [
        (
            beneath(
                esc(one),
                f"{one.category} has no account" if one.category else "no category is known",
            ),
            esc(one.count),
            money(one.amount, sheet.currency),
        )
        for one in sheet.coming
    ]
    return joined((tag("h3", esc("Booked by Amazon, and not known how to book")), table(columns, rows)))


def _held_back(sheet: Sheet) -> Html:
    waiting = sheet.waiting
    if waiting is None:
        return para("Not asked. 'o2c settlement deferred' asks Amazon what it holds back.", "soft")
    said = para(
        f"What Amazon holds back of {', '.join(sheet.marketplaces) or 'all marketplaces'} in {sheet.currency}, as of "
        f"{waiting.as_of:%Y-%m-%d %H:%M} UTC. It is in no settlement before it is released.",
        "soft",
    )
    if not waiting.shares:
        return joined((said, para("Nothing.")))
    columns = (
        Column("reason"),
        Column("release", "code"),
        Column("count", "number"),
        Column("amount", "amount"),
    )
    day = waiting.as_of.date()
    rows = [
        (
            beneath(
                esc(one.reason or "not told"), f"{_REASONS.get(one.reason, '')} {one.marketplace}".strip()
            ),
            beneath(
                tag("span", esc(one.matures or "not told"), class_="n"),
                "overdue" if one.matures and one.matures < day else "",
            ),
            esc(one.count),
            money(one.amount, sheet.currency),
        )
        for one in waiting.shares
    ]
    total = sum((one.amount for one in waiting.shares), Decimal(0))
    foot = (
        esc("Sum"),
        Html(""),
        esc(sum(one.count for one in waiting.shares)),
        money(total, sheet.currency),
    )
    return joined((said, table(columns, rows, foot)))


def _source(sheet: Sheet) -> Html:
    parts = [
        facts(
            (
                ("Period", esc(f"{sheet.start:%Y-%m-%d %H:%M:%S} to {sheet.end:%Y-%m-%d %H:%M:%S} UTC")),
                ("Layout", esc(f"flat file {sheet.layout.value.upper()}, {sheet.rows} rows")),
            )
        )
    ]
    for number, report in enumerate(sheet.reports):
        parts.append(tag("h3", esc("Report" if not number else "Report that came later, not booked")))
        parts.append(
            facts(
                (
                    ("Amazon's id", esc(report.report_id)),
                    ("Type", esc(report.report_type)),
                    ("Archived", esc(f"{report.archived:%Y-%m-%d %H:%M} UTC, {report.size} bytes")),
                    ("Kept as", tag("code", esc(report.key))),
                    ("SHA-256", tag("code", esc(report.sha256))),
                )
            )
        )
    if sheet.repairs:
        parts.append(tag("h3", esc("Repairs")))
        parts.append(
            facts(
                (
                    f"{one.at:%Y-%m-%d %H:%M} UTC",
                    esc(f"{one.fix} {one.what} of {one.reason} by {one.by or 'nobody named'}. {one.why}".strip()),
                )
                for one in sheet.repairs
            )
        )  # fmt: skip
    if sheet.remarks:
        parts += [tag("h3", esc("Remarks")), *(para(each) for each in sheet.remarks)]
    return joined(parts)
