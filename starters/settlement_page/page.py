"""The page as a whole: head, first figures, proofs with their anchors, then the evidence."""

from datetime import UTC, datetime
from typing import Final

from canonical.settlement.models import CheckStatus
from canonical.settlement.proof_models import Proof, Sheet, SheetState
from starters.settlement_page.evidence import sections
from starters.settlement_page.markup import Html, beneath, esc, joined, mark, money, para, tag
from starters.settlement_page.style import STYLE

STATES: Final = {
    SheetState.PREVIEW: "Preview, nothing posted",
    SheetState.UNDER_WAY: "Under way",
    SheetState.HELD: "Held",
    SheetState.BOOKED: "Booked",
    SheetState.CANCELLED: "Given up",
    SheetState.HANDED_OVER: "Handed over",
}
_COUNTED: Final = {
    CheckStatus.OK: "hold",
    CheckStatus.OPEN: "open",
    CheckStatus.NOTE: "to look at",
    CheckStatus.DIFFERS: "differ",
}
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def page(sheet: Sheet, made: datetime) -> str:
    """The sheet as an HTML document. `made` is told in its last line."""
    body = joined(
        (
            _head(sheet),
            _figures(sheet),
            _sums(sheet),
            _proofs(sheet),
            joined(sections(sheet)),
            _foot(sheet, made),
        )
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Settlement {esc(sheet.settlement_id)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _head(sheet: Sheet) -> Html:
    places = ", ".join(sheet.marketplaces) or "no marketplace named"
    about = [places, f"{sheet.start:%Y-%m-%d} to {sheet.end:%Y-%m-%d}", sheet.currency]
    if sheet.seller_id:
        about.insert(0, f"Seller {sheet.seller_id}")
    parts = [
        Html(
            '<header><div><p class="kind">Amazon settlement</p>'
            f'<h1>{esc(sheet.settlement_id)}</h1></div><span class="state {sheet.state.value}">'
            f"{STATES[sheet.state]}</span></header>"
        ),
        para(" · ".join(about), "about"),
    ]
    if sheet.sentence:
        parts.append(para(sheet.sentence, f"said {sheet.state.value}"))
    return joined(parts)


def _figures(sheet: Sheet) -> Html:
    """What is looked at before anything else."""
    orders, clearing = sheet.orders, sheet.clearing
    paid = "Deposit" if sheet.declared_total >= 0 else "Owed to Amazon"
    day = f"{sheet.deposit_date:%Y-%m-%d}" if sheet.deposit_date else "no day told"
    matched = f"{orders.matched} of {orders.total}" if orders.looked else str(orders.total)
    figures = (
        (paid, Html(f"{money(sheet.declared_total, sheet.currency)} {esc(sheet.currency)}"), day),
        (
            "Clearing after the bank" if clearing.entries else "Clearing",
            money(clearing.after, sheet.currency) if clearing.entries else esc("none"),
            _posted(sheet),
        ),
        (
            "Orders matched" if orders.looked else "Customer payments",
            tag("span", esc(matched), class_="n"),
            f"{orders.variance} differ, {orders.no_invoice} without invoice"
            if orders.looked
            else "not compared",
        ),
    )
    cells = (
        Html(f"<div><dt>{esc(name)}</dt><dd>{beneath(value, small)}</dd></div>")
        for name, value, small in figures
    )
    return tag("dl", joined(cells), class_="figures")


def _posted(sheet: Sheet) -> str:
    there = sum(len(voucher.in_m3) for voucher in sheet.vouchers) + len(sheet.on_account)
    if there:
        return f"{there} voucher{'s' * (there > 1)} in M3"
    return f"{len(sheet.vouchers)} vouchers, none posted" if sheet.vouchers else "no vouchers"


def _sums(sheet: Sheet) -> Html:
    """Declared = rows = vouchers."""
    rows: list[Html] = []
    declared = sheet.declared_total
    for name, amount in (
        ("Declared by Amazon", declared),
        (f"Sum of {sheet.rows} rows", sheet.sum_of_rows),
        ("Booked by the vouchers", sheet.sum_of_vouchers),
    ):
        sign = Html("")
        if rows and amount is not None:
            same = amount == declared
            sign = Html(f'<span class="eq{"" if same else " differs"}">{"=" if same else "≠"}</span>')
        shown = esc("none") if amount is None else money(amount, sheet.currency)
        rows.append(Html(f"<dt>{esc(name)}</dt>{sign}<dd>{shown}</dd>"))
    return tag("dl", joined(rows), class_="sum")


def _proofs(sheet: Sheet) -> Html:
    rows = joined(_proof(each) for each in sheet.proofs)
    statuses = [each.status for each in sheet.proofs]
    marks = [
        mark(each, f"{statuses.count(each)} {word}") for each, word in _COUNTED.items() if each in statuses
    ]
    return Html(
        f'<section id="checks"><div class="head"><h2>Checks</h2>{joined(marks)}</div>'
        f'<table class="proofs"><tbody>{rows}</tbody></table></section>'
    )


def _proof(proof: Proof) -> Html:
    link = Html(f'<a href="#{proof.evidence.value}">{esc(proof.title)}</a>')
    return Html(
        f'<tr data-check="{esc(proof.name)}" data-status="{proof.status.value}"><td>{mark(proof.status)}</td>'
        f'<td class="text">{link}<small>{esc(proof.sentence)}</small></td></tr>'
    )


def _foot(sheet: Sheet, made: datetime) -> Html:
    return Html(
        f"<footer>Settlement {esc(sheet.settlement_id)}. Amounts in {esc(sheet.currency)}; positive where Amazon owes "
        f"the seller. Made {made.astimezone(UTC):%Y-%m-%d %H:%M} UTC.</footer>"
    )
