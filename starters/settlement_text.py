"""The proof sheet of a settlement as text."""

from decimal import Decimal
from typing import Final

from canonical.settlement.models import CheckStatus
from canonical.settlement.proof_models import Sheet, SheetHead, SheetState
from starters.console import say, table
from starters.settlement_page.markup import digits
from starters.times import shown

_MARKS: Final = {
    CheckStatus.OK: "ok",
    CheckStatus.DIFFERS: "DIFFERS",
    CheckStatus.NOTE: "note",
    CheckStatus.OPEN: "open",
}


def say_head(sheet: SheetHead) -> None:
    """Which settlement it is and how it stands."""
    held = sheet.state is SheetState.HELD
    state = f"held for {sheet.held_reason}" if held else sheet.state.value.replace("_", " ")
    of = f" of seller {sheet.seller_id}" if sheet.seller_id else ""
    say(f"Settlement {sheet.settlement_id}{of}: {state}", "bold")
    if sheet.sentence:
        say(sheet.sentence)
    for one in sheet.repairs:
        say(
            f"  {shown(one.at)} {one.fix} {one.what} by {one.by or 'nobody named'}. {one.why}".rstrip(), "dim"
        )
    for remark in sheet.remarks:
        say(f"  {remark}", "dim")


def say_sheet(sheet: Sheet) -> None:
    """Figures, checks, and the evidence behind them."""
    day = f", deposit {sheet.deposit_date:%Y-%m-%d}" if sheet.deposit_date else ""
    say(
        f"{sheet.start:%Y-%m-%d} to {sheet.end:%Y-%m-%d}{day}; {', '.join(sheet.marketplaces)} in {sheet.currency}."
    )
    say("")
    booked = sheet.sum_of_vouchers
    table(
        ("", "amount"),
        (
            ("declared by Amazon", _amount(sheet, sheet.declared_total)),
            (f"sum of {sheet.rows} rows", _amount(sheet, sheet.sum_of_rows)),
            ("booked by the vouchers", "none".rjust(15) if booked is None else _amount(sheet, booked)),
            ("clearing after the bank", _amount(sheet, sheet.clearing.after)),
        ),
    )
    say("")
    table(("check", "", ""), ((each.title, _MARKS[each.status], each.sentence) for each in sheet.proofs))
    _say_unknown(sheet)
    _say_coming(sheet)
    _say_categories(sheet)
    _say_vouchers(sheet)
    _say_orders(sheet)


def _amount(sheet: Sheet, amount: Decimal) -> str:
    return f"{digits(amount, sheet.currency):>15}"


def _say_unknown(sheet: Sheet) -> None:
    if not sheet.unknown:
        return
    say("")
    table(
        ("unknown", "lacks its", "first row", "rows", "amount"),
        (
            (str(one), one.missing.value, f"{one.row:>9}", f"{one.count:>7}", _amount(sheet, one.amount))
            for one in sheet.unknown
        ),
    )
    if sheet.unknown_more:
        say(f"{sheet.unknown_more} more rows of other combinations.")


def _say_coming(sheet: Sheet) -> None:
    """What is in no settlement yet and may hold a later one."""
    if not sheet.coming:
        return
    say("")
    table(
        ("coming, in Finances", "lacks its", "count", "amount"),
        (
            (str(one), one.missing.value, f"{one.count:>7}", _amount(sheet, one.amount))
            for one in sheet.coming
        ),
    )


def _say_categories(sheet: Sheet) -> None:
    say("")
    table(
        ("category", "account", "rows", "amount"),
        (
            (
                one.category,
                "receivable" if one.customer else ", ".join(one.accounts),
                f"{one.count:>7}",
                _amount(sheet, one.amount),
            )
            for one in sheet.categories
        ),
    )


def _say_vouchers(sheet: Sheet) -> None:
    if not sheet.vouchers:
        return
    rows: list[tuple[str, ...]] = []
    for voucher in sheet.vouchers:
        about = voucher.kind.value, voucher.month
        if not voucher.in_m3:
            rows.append(
                (*about, "not in M3", "", _amount(sheet, voucher.debit), _amount(sheet, voucher.clearing))
            )
        for one in voucher.in_m3:
            number = f"{one.vono} of {one.year}"
            key = "by hand" if one.by_hand else one.key
            rows.append((*about, number, key, _amount(sheet, one.debit), _amount(sheet, one.clearing)))
    for one in sheet.on_account:
        number = f"{one.vono} of {one.year}"
        rows.append(
            ("on account", "", number, one.key, _amount(sheet, one.debit), _amount(sheet, one.clearing))
        )
    say("")
    table(("voucher", "month", "number", "batch", "debit", "clearing"), rows)


def _say_orders(sheet: Sheet) -> None:
    orders = sheet.orders
    if orders.listed:
        say("")
        table(
            ("order", "", "amazon", "pays nothing", "open in M3", ""),
            (
                (
                    one.order_id,
                    one.status.value,
                    _amount(sheet, one.amount),
                    _amount(sheet, one.rest),
                    _amount(sheet, one.left),
                    one.sentence,
                )
                for one in orders.listed
            ),
        )
    if orders.more:
        command = f"o2c settlement show {sheet.settlement_id} --orders FILE.csv"
        say(f"{orders.more} more orders differ; '{command}' writes all of them.")
