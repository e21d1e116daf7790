"""What people are told of Amazon's own stock: lines of its ledger that cannot be read, items that differ from M3."""

from collections.abc import Sequence
from typing import Final

from canonical.alert_contracts import AlertMessage, Severity
from canonical.alert_texts import LONGEST_BODY
from canonical.stock.fba_contracts import FbaStockCompared
from canonical.stock.fba_drift import FbaDifference

_NAMED: Final = 20


def unread_lines(seller_id: str, remarks: Sequence[str]) -> AlertMessage:
    """Lines of the ledger that tell of no adjustment."""
    lines = "1 line" if len(remarks) == 1 else f"{len(remarks)} lines"
    return AlertMessage(
        title=f"Amazon's inventory ledger has {lines} that cannot be read (seller {seller_id})",
        body=_cut([*remarks, "What they tell of Amazon's stock is not in M3: correct it there by hand."]),
        severity=Severity.WARNING,
    )


def told_of(compared: FbaStockCompared, alert_pieces: int) -> list[FbaDifference]:
    """Items that differ by more pieces than this, beyond what is on its way."""
    return [row for row in compared.rows if abs(row.beyond) > alert_pieces]


def stock_differs(compared: FbaStockCompared, alert_pieces: int) -> AlertMessage | None:
    """What people are told of a comparison; None where nothing is worth it."""
    rows = told_of(compared, alert_pieces)
    if not rows and not compared.unmapped_count:
        return None
    lines = [described(row) for row in rows[:_NAMED]]
    if compared.unmapped_count:
        named = ", ".join(compared.unmapped[:_NAMED])
        lines.append(f"{compared.unmapped_count} SKUs with stock have no item in M3: {named}")
    what = f"{len(rows)} items differ" if len(rows) != 1 else "1 item differs"
    return AlertMessage(
        title=f"Amazon's stock is not what M3 has of it: {what}",
        body=_cut([*lines, "Nothing was changed. All of it: o2c inventory fba"]),
        severity=Severity.WARNING,
    )


def not_compared(sentence: str) -> AlertMessage:
    """What people are told where the look could not be made."""
    return AlertMessage(
        title="Amazon's stock was not put beside M3's",
        body=_cut([sentence, "The next look does it. At once: o2c inventory fba"]),
        severity=Severity.WARNING,
    )


def described(row: FbaDifference) -> str:
    """One item in a sentence."""
    under_way = f", corrections of {row.under_way:+d} under way" if row.under_way else ""
    orders = f", {row.in_orders:f} in orders" if row.in_orders else ""
    why = f" {row.sentence}" if row.sentence else ""
    return (
        f"Item {row.itno} in warehouse {row.whlo}: Amazon has {row.amazon}, M3 has {row.m3:f}{under_way}{orders}."
        f"{why}"
    )


def _cut(lines: Sequence[str]) -> str:
    *body, end = lines
    text = "\n".join(body)
    if len(text) + len(end) + 1 > LONGEST_BODY:
        text = f"{text[: LONGEST_BODY - len(end) - 2]}…"
    return f"{text}\n{end}"
