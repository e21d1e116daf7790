"""The vouchers on the page: each with its lines, and with the number M3 gave it."""

from collections.abc import Sequence

from canonical.settlement.accounts import RECEIVABLE, placeholder
from canonical.settlement.models import VoucherKind, VoucherLine
from canonical.settlement.proof_models import Sheet, SheetVoucher, VoucherInM3
from starters.settlement_page.markup import Column, Html, beneath, esc, facts, joined, money, para, table, tag

_LINES = (
    Column("account", "code"),
    Column("text", "text wide"),
    Column("debit", "amount"),
    Column("credit", "amount"),
)


def vouchers(sheet: Sheet) -> Html:
    """All vouchers; why there are none."""
    if not sheet.vouchers:
        return para("None are made as long as an amount is unknown or the rows are not the declared total.")
    parts = [_voucher(sheet, one) for one in sheet.vouchers]
    if sheet.on_account:
        parts.append(
            joined((tag("h3", esc("Payments without invoice, on account")), _in_m3(sheet.on_account)))
        )
    if any(
        line.account.startswith("<") for each in sheet.vouchers for line in each.lines if not _is_m3s(line)
    ):
        parts.append(para("Names in <> are no accounts: they lack their configuration.", "soft"))
    if any(_is_m3s(line) for each in sheet.vouchers for line in each.lines):
        parts.append(para("Receivables have the account M3 gives the customers.", "soft"))
    if any(each.in_m3 for each in sheet.vouchers) or sheet.on_account:
        parts.append(para("Beside a voucher's number stand M3's debits, in the division's currency.", "soft"))
    return joined(parts)


def _is_m3s(line: VoucherLine) -> bool:
    """Whether M3 chooses the account."""
    return line.account == placeholder(RECEIVABLE).account


def _voucher(sheet: Sheet, voucher: SheetVoucher) -> Html:
    kind = "Customer payments" if voucher.kind is VoucherKind.PAYMENTS else f"Ledger, {voucher.month}"
    program = "ARS040" if voucher.kind is VoucherKind.PAYMENTS else "GLS840"
    said = f"{program}, accounting date {voucher.accounting_date}, {sheet.currency}"
    foot = (
        esc("Sum"),
        Html(""),
        money(voucher.debit, sheet.currency),
        money(voucher.credit, sheet.currency),
    )
    return joined(
        (
            tag("h3", esc(kind)),
            para(said if voucher.in_m3 else f"{said}. Not in M3.", "soft"),
            _in_m3(voucher.in_m3) if voucher.in_m3 else Html(""),
            _elsewhere(sheet, voucher),
            table(_LINES, [_line(line, sheet.currency) for line in voucher.lines], foot),
        )
    )


def _elsewhere(sheet: Sheet, voucher: SheetVoucher) -> Html:
    """What of the lines below is not in the vouchers M3 has of them."""
    missing = voucher.clearing - sum((one.clearing for one in voucher.in_m3), voucher.clearing * 0)
    if not voucher.in_m3 or not missing:
        return Html("")
    where = "on account, below" if sheet.on_account else "not posted"
    return para(f"{missing} {sheet.currency} of these lines are {where}.", "soft")


def _line(line: VoucherLine, currency: str) -> tuple[Html, ...]:
    account = "receivable" if _is_m3s(line) else line.account
    dimensions = ", ".join(f"{name} {value}" for name, value in line.dimensions.items())
    said = line.text.partition(" ")[2] or line.text
    return (
        beneath(beneath(esc(account), dimensions), f"{said} {line.marketplace}".strip(), "narrow"),
        beneath(esc(said), line.marketplace),
        money(line.debit, currency) if line.debit else Html(""),
        money(line.credit, currency) if line.credit else Html(""),
    )


def _in_m3(found: Sequence[VoucherInM3]) -> Html:
    return facts((f"Voucher {one.vono} of {one.year}", _told(one)) for one in found)


def _told(one: VoucherInM3) -> Html:
    by = "named by a person" if one.by_hand else f"key {one.key}"
    where = f"division {one.division}, " if one.division else ""
    said = f"{where}{one.accounting_date}, {by}"
    same = one.debit == one.credit
    figures = f"{one.debit}" if same else f"{one.debit} ≠ {one.credit}"
    return beneath(tag("span", esc(figures), class_="n"), said)
