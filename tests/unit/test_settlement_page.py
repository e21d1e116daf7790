"""The page of a settlement: every link has its anchor, every text is escaped, every amount its currency's decimals."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from canonical.settlement.proof import sheet_of_booking
from starters.cli import app
from starters.settlement_page.markup import digits, money
from starters.settlement_page.page import page
from starters.settlement_text import say_head, say_sheet
from tests.support.settlements import Line, Made, booked, other, sale

NOW = datetime(2026, 8, 3, 9, 0, tzinfo=UTC)
MADE = Made((sale("Principal", "100.00"), sale("Commission", "-15.00", kind="ItemFees")))
_EMPTY = {"meta", "br", "img", "link", "input", "hr"}


class _Read(HTMLParser):
    """A page's tags, whether they close as they open, and its links."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.hrefs: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.add(tag)
        self.attributes |= set(given)
        self.ids += [given["id"]] if "id" in given else []
        self.hrefs += [given["href"]] if "href" in given else []
        if tag not in _EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else."


def read(made: Made) -> tuple[str, _Read]:
    text = page(sheet_of_booking(booked(made)), NOW)
    return text, _Read(text)


@pytest.mark.parametrize(
    "made",
    [
        MADE,
        Made(),
        replace(MADE, total=Decimal("1.00")),
        replace(MADE, lines=(*MADE.lines, other("Moon Fee", "-1.00"))),
        replace(MADE, lines=(*MADE.lines, other("Subscription Fee", "-390.00"))),
    ],
)
def test_every_link_has_its_anchor_and_nothing_is_loaded(made: Made) -> None:
    text, found = read(made)
    assert found.open == []
    assert len(found.ids) == len(set(found.ids))
    assert {href.removeprefix("#") for href in found.hrefs} <= set(found.ids)
    assert not found.tags & {"script", "link", "img", "iframe", "form"}
    assert not found.attributes & {"src", "onclick", "onload", "style"}
    assert not re.search(r"url\(|@import|https?:", text)


def test_words_of_the_file_stay_words() -> None:
    evil = '"><script>alert(1)</script>&'
    strange = Line("other-transaction", "other-transaction", evil, Decimal("-1.50"))
    named = replace(sale("Principal", "5.00"), marketplace="<b>Amazon.de</b>")
    text, found = read(Made((strange, named)))
    assert "script" not in found.tags
    assert "b" not in found.tags
    assert "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;" in text


def test_no_order_of_a_buyer_is_on_the_page_of_a_preview() -> None:
    assert "028-1234567" not in read(MADE)[0]


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("0", "EUR", "0.00"),
        ("1234567.5", "EUR", "1234567.50"),
        ("-0.10", "EUR", "-0.10"),
        ("1234", "JPY", "1234"),
        ("0.125", "EUR", "0.125"),
        ("1E+3", "EUR", "1000.00"),
    ],
)
def test_amounts_have_the_decimals_of_their_currency_and_never_lose_one(
    amount: str, currency: str, shown: str
) -> None:
    assert digits(Decimal(amount), currency) == shown
    assert re.sub(r"<[^>]+>", "", money(Decimal(amount), currency)) == shown


def test_the_sheet_as_text_says_the_same_figures(capsys: pytest.CaptureFixture[str]) -> None:
    sheet = sheet_of_booking(booked(replace(MADE, lines=(*MADE.lines, other("Moon Fee", "-1.00")))))
    say_head(sheet)
    say_sheet(sheet)
    said = capsys.readouterr().out
    for words in (
        "Settlement 25719799032: preview",
        r"declared by Amazon +84\.00",
        r"Every amount is known +DIFFERS +Row 5: other-transaction / other-transaction / Moon Fee lacks its category",
        r"Moon Fee +category +5 +1 +-1\.00",
        r"fee_commission +1 +-15\.00",
    ):
        assert re.search(words, said), words


def test_the_preview_writes_the_page_beside_its_answer(tmp_path: Path) -> None:
    file, out = tmp_path / "settlement.txt", tmp_path / "sheet.html"
    file.write_text(MADE.text(), encoding="utf-8")
    shown = CliRunner().invoke(app, ["settlement", "preview", str(file), "--html", str(out)])
    assert (shown.exit_code, "is written" in shown.stderr) == (0, True)
    assert "<title>Settlement 25719799032</title>" in out.read_text(encoding="utf-8")
    refused = CliRunner().invoke(
        app, ["settlement", "preview", str(file), "--html", str(tmp_path / "no" / "where.html")]
    )
    assert refused.exit_code == 2
    assert "cannot be written" in refused.stderr
