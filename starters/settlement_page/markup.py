"""Pieces of HTML. Every text that comes from outside goes through `esc`; a `Html` has been through it."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from html import escape
from typing import Final, NamedTuple, NewType

from canonical.money import currency_decimals
from canonical.settlement.models import CheckStatus

Html = NewType("Html", str)

MARKS: Final = {
    CheckStatus.OK: ("✓", "holds"),
    CheckStatus.OPEN: ("○", "open"),
    CheckStatus.NOTE: ("!", "look"),
    CheckStatus.DIFFERS: ("✕", "differs"),
}
"""Sign and word of each status, the least worrying first."""


class Column(NamedTuple):
    """A column of a table. kind: text, code, number, amount; also `wide`, left out in a narrow window."""

    heading: str
    kind: str = "text"


def esc(text: object) -> Html:
    """Text as it stands in a page."""
    return Html(escape(str(text), quote=True))


def joined(parts: Iterable[Html]) -> Html:
    return Html("".join(parts))


def tag(name: str, content: Html, **attributes: str) -> Html:
    """An element. `class_` is written `class`."""
    given = "".join(f' {key.rstrip("_")}="{esc(value)}"' for key, value in attributes.items() if value)
    return Html(f"<{name}{given}>{content}</{name}>")


def para(text: str, class_: str = "") -> Html:
    return tag("p", esc(text), class_=class_)


def digits(amount: Decimal, currency: str) -> str:
    """The amount with the currency's decimals, or with its own where it has more of them."""
    decimals = currency_decimals(currency)
    exponent = amount.normalize().as_tuple().exponent
    more = -exponent if isinstance(exponent, int) else decimals
    return f"{amount:.{max(decimals, more)}f}"


def money(amount: Decimal, currency: str) -> Html:
    """The amount, its thousands set apart without a sign between them: what is copied is a plain number."""
    text = digits(amount, currency)
    whole, point, rest = text.lstrip("-").partition(".")
    first = len(whole) % 3 or 3
    groups = [whole[:first], *(whole[place : place + 3] for place in range(first, len(whole), 3))]
    *large, last = groups
    apart = "".join(f'<span class="k">{group}</span>' for group in large)
    sign = "-" if text.startswith("-") else ""
    return Html(f'<span class="n">{sign}{apart}{last}{point}{rest}</span>')


def mark(status: CheckStatus, word: str = "") -> Html:
    sign, usual = MARKS[status]
    word = word or usual
    signed = f'<span aria-hidden="true">{sign}</span> <span class="word">{esc(word)}</span>'
    return Html(f'<span class="mark {status.value}">{signed}</span>')


def table(columns: Sequence[Column], rows: Iterable[Sequence[Html]], foot: Sequence[Html] = ()) -> Html:
    """Rows under headings, numbers to the right. `foot` is the row of sums."""
    heads = joined(
        tag("th", esc(column.heading), class_=column.kind, scope="col")
        if column.heading
        else Html("<td></td>")
        for column in columns
    )
    body = joined(_row(columns, row) for row in rows)
    sums = tag("tfoot", _row(columns, foot)) if foot else Html("")
    return Html(f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody>{sums}</table>")


def _row(columns: Sequence[Column], cells: Sequence[Html]) -> Html:
    made = (tag("td", cell, class_=column.kind) for column, cell in zip(columns, cells, strict=True))
    return tag("tr", joined(made))


def beneath(text: Html, small: str, class_: str = "") -> Html:
    """A text with a smaller one below it."""
    return Html(f'{text}<small class="{esc(class_)}">{esc(small)}</small>') if small else text


def facts(pairs: Iterable[tuple[str, Html]]) -> Html:
    """Names and what they are, two columns."""
    rows = (Html(f"<div><dt>{esc(name)}</dt><dd>{value}</dd></div>") for name, value in pairs if value)
    return tag("dl", joined(rows), class_="facts")
