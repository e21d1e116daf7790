"""The proofs of a settlement in the order an accountant looks at them: the checks of its figures, and what M3 and
Amazon have of it."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from canonical.settlement.models import Check, CheckName, CheckStatus, VoucherKind
from canonical.settlement.proof_models import Proof, Section, Sheet, SheetState, VoucherInM3


class _Title(NamedTuple):
    title: str
    evidence: Section


_TITLES: Final = {
    CheckName.TOTAL: _Title("Rows are the declared total", Section.CATEGORIES),
    CheckName.KNOWN: _Title("Every amount is known", Section.UNKNOWN),
    CheckName.BALANCED: _Title("Vouchers balance", Section.VOUCHERS),
    CheckName.CLEARING: _Title("Vouchers are the deposit", Section.CLEARING),
    CheckName.CARRIED_FORWARD: _Title("Months carry nothing away", Section.VOUCHERS),
    CheckName.WITHHELD: _Title("Withheld tax nets to zero", Section.WITHHELD),
    CheckName.RESERVE: _Title("Reserve goes on", Section.RESERVE),
    CheckName.PERIOD: _Title("Period joins the one before", Section.SOURCE),
}


def proofs_of(sheet: Sheet, checks: Sequence[Check], troubles: Sequence[str]) -> Iterator[Proof]:
    """The proofs of a sheet whose figures are there. `troubles` is what M3 has otherwise than it was posted."""
    later = [CheckName.CARRIED_FORWARD, CheckName.WITHHELD, CheckName.RESERVE, CheckName.PERIOD]
    for check in checks:
        if check.name not in later:
            yield _of_check(check)
    if sheet.state is not SheetState.PREVIEW:
        yield _posted(sheet, troubles)
        if sheet.clearing.entries:
            yield _bank(sheet)
    if sheet.orders.total:
        yield _orders(sheet)
    for check in checks:
        if check.name in later:
            yield _of_check(check)
    yield _waiting(sheet)


def _of_check(check: Check) -> Proof:
    title, evidence = _TITLES[check.name]
    if check.name is CheckName.KNOWN and check.status is CheckStatus.OK:
        evidence = Section.CATEGORIES
    return Proof(
        name=check.name.value,
        title=title,
        status=check.status,
        sentence=check.sentence,
        expected=check.expected,
        found=check.found,
        evidence=evidence,
    )


def _posted(sheet: Sheet, troubles: Sequence[str]) -> Proof:
    """Whether M3 has every voucher as it was made."""
    there = [each for voucher in sheet.vouchers for each in voucher.in_m3] + list(sheet.on_account)
    missing = any(not each.in_m3 for each in sheet.vouchers if each.kind is VoucherKind.LEDGER)
    unposted = sheet.clearing.unposted
    if troubles:
        status, said = CheckStatus.DIFFERS, " ".join(troubles)
    elif not sheet.vouchers:
        status, said = CheckStatus.OPEN, "Nothing can be posted yet."
    elif not there:
        status, said = CheckStatus.OPEN, "Nothing is posted yet."
    elif missing or unposted:
        what = f"{unposted} {sheet.currency} are not posted yet" if unposted else "Not all are posted yet"
        status, said = CheckStatus.OPEN, f"{what}; in M3: {_numbers(there)}."
    else:
        status, said = CheckStatus.OK, f"M3 has {_numbers(there)}."
    return Proof(
        name="posted", title="M3 has the vouchers", status=status, sentence=said, evidence=Section.VOUCHERS
    )


def _numbers(there: Sequence[VoucherInM3]) -> str:
    known = [each.vono for each in there]
    shown = ", ".join(known[:8])
    more = f" and {len(known) - 8} more" if len(known) > 8 else ""
    return f"voucher{'s' if len(known) > 1 else ''} {shown}{more}"


def _bank(sheet: Sheet) -> Proof:
    """What is left on clearing once the bank's entry is matched."""
    clearing, currency = sheet.clearing, sheet.currency
    posted = any(entry.vono for entry in clearing.entries)
    if clearing.after == 0 and posted:
        status, said = CheckStatus.OK, f"The bank's {clearing.deposit} {currency} bring it to zero."
        if not clearing.deposit:
            said = "It is at zero; the bank has nothing of this settlement."
    elif not posted:
        status, said = CheckStatus.OPEN, "Nothing is posted to it yet."
    elif clearing.after == -clearing.unposted:
        status = CheckStatus.OPEN
        said = f"{clearing.after} {currency} would be left: {clearing.unposted} {currency} are not posted."
    else:
        status = CheckStatus.DIFFERS
        said = f"{clearing.after} {currency} would be left after the bank's {clearing.deposit} {currency}."
    return Proof(
        name="bank",
        title="Clearing is at zero after the bank",
        status=status,
        sentence=said,
        expected=clearing.deposit,
        found=clearing.left,
        evidence=Section.CLEARING,
    )


def _orders(sheet: Sheet) -> Proof:
    orders, currency = sheet.orders, sheet.currency
    said = f"{orders.matched} of {orders.total} payments match M3 to the cent"
    if not orders.looked:
        status, said = CheckStatus.OPEN, f"{orders.total} payments and refunds; M3 was not asked."
    elif orders.no_invoice and orders.unposted:
        status = CheckStatus.DIFFERS
        said += (
            f"; {orders.no_invoice} have no open invoice, {orders.unposted} {currency} are posted nowhere."
        )
    elif orders.variance or orders.no_invoice:
        status = CheckStatus.NOTE
        said += f"; {orders.variance} differ, {orders.no_invoice} have no open invoice."
        if orders.on_account:
            said += f" {orders.on_account} {currency} are on account."
    else:
        status, said = CheckStatus.OK, f"{said}."
    return Proof(
        name="orders", title="Orders match M3", status=status, sentence=said, evidence=Section.ORDERS
    )


def _waiting(sheet: Sheet) -> Proof:
    """What is not in any settlement yet."""
    waiting = sheet.waiting
    title = "Not paid out yet"
    if waiting is None:
        said = "Nobody has asked Amazon what it holds back: o2c settlement deferred."
        if sheet.state is SheetState.PREVIEW:
            said = "A file does not tell what Amazon holds back."
        return Proof(
            name="waiting", title=title, status=CheckStatus.OPEN, sentence=said, evidence=Section.WAITING
        )
    amount = sum((each.amount for each in waiting.shares), sheet.clearing.deposit - sheet.clearing.deposit)
    count = sum(each.count for each in waiting.shares)
    late = [each for each in waiting.shares if each.matures and each.matures < waiting.as_of.date()]
    said = f"Amazon holds back {amount} {sheet.currency} of {count} transactions ({waiting.as_of:%Y-%m-%d})."
    if not count:
        said = f"Amazon holds nothing back ({waiting.as_of:%Y-%m-%d})."
    if late:
        said += f" {sum(each.count for each in late)} of them were to be released by then."
    if waiting.unread:
        said += f" {waiting.unread} could not be read and are in no sum."
    status = CheckStatus.NOTE if late or waiting.unread else CheckStatus.OK
    return Proof(
        name="waiting", title=title, status=status, sentence=said, found=amount, evidence=Section.WAITING
    )
