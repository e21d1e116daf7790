"""Splitting files into chunks: always the same, in order, with the lines of each order."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from activities.archive import Archive
from activities.import_chunks import (
    chunks_of,
    entry_of_payload,
    read_chunk,
    read_results,
    split_file,
    write_results,
)
from canonical.all_orders_report import COLUMNS
from canonical.import_contracts import ImportCounts, ImportLine
from canonical.order import Order
from canonical.order_files import Owner, known_charset, read_orders
from canonical.order_reports import UnreadableReport
from tests.support.orders import order

OWNER = Owner("A2EUSELLER0001", ("A1PA6795UKMFR9",), "A1PA6795UKMFR9")


def going_on() -> None:
    """Nobody stops the work."""


def content(archive: Archive) -> dict[str, bytes]:
    return {key: archive.read(key) for key in archive.keys(chunks_of("imports/a"))}


def test_the_same_file_gives_the_same_chunks_also_after_a_crash(tmp_path: Path) -> None:
    file = tmp_path / "o.jsonl"
    orders = [order() for _ in range(230)]
    file.write_text("\n".join([*(json.dumps(each) for each in orders), "{", json.dumps(orders[0])]))
    archive = Archive(str(tmp_path / "archive"))
    number, counts = split_file(file, archive, "imports/a", OWNER, "", going_on)
    assert (number, counts) == (3, ImportCounts(orders=230))
    first = content(archive)

    def killed() -> None:
        raise KeyboardInterrupt

    archive.remove(chunks_of("imports/a"))
    with pytest.raises(KeyboardInterrupt):
        split_file(file, archive, "imports/a", OWNER, "", killed)
    assert split_file(file, archive, "imports/a", OWNER, "", going_on) == (number, counts)
    assert content(archive) == first
    entries = [entry for chunk in (1, 2, 3) for entry in read_chunk(archive, "imports/a", chunk)]
    assert [entry.lines for entry in entries] == [(line,) for line in range(1, 233)]
    assert [entry.outcome for entry in entries[228:]] == ["", "", "refused", "duplicate"]
    assert [entry.order_id for entry in entries[:230]] == [each["orderId"] for each in orders]


def test_an_order_of_several_rows_knows_all_its_lines(tmp_path: Path) -> None:
    rows = [("028-0000001-0000001", "A"), ("028-0000002-0000002", "B"), ("028-0000001-0000001", "C")]
    file = tmp_path / "report.txt"
    lines = ["\t".join(COLUMNS)]
    for order_id, sku in rows:
        moment = "2026-11-20T00:00:00+00:00"
        lines.append(
            "\t".join((order_id, moment, moment, "Shipped", "Amazon", "Amazon.de", sku, "1", "EUR", "9.99"))
        )
    file.write_text("\n".join([*lines, "028-0000003-0000003\tcut off"]))
    with file.open("rb") as stream:
        found = {one.found.order_id: one for one in read_orders(stream, OWNER)}
    assert found["028-0000001-0000001"].lines == (2, 4)
    assert found["028-0000002-0000002"].lines == (3,)
    assert found["028-0000003-0000003"].lines == (5,)
    assert not isinstance(found["028-0000003-0000003"].found, Order)


@pytest.mark.parametrize(
    ("payload", "outcome", "order_id"),
    [
        ({**order(order_id="028-0000001-0000001"), "createdTime": "no time"}, "", "028-0000001-0000001"),
        ({"orderId": "no order id"}, "refused", ""),
        ({}, "refused", ""),
    ],
)
def test_what_cannot_be_read_on_a_page_is_started_by_its_id_or_said(
    payload: Mapping[str, object], outcome: str, order_id: str
) -> None:
    entry = entry_of_payload(payload, "A2EUSELLER0001")
    assert (entry.outcome, entry.order_id, entry.order) == (outcome, order_id, None)
    assert entry.sentence


def test_results_are_counted_and_read_in_order(tmp_path: Path) -> None:
    archive = Archive(str(tmp_path))
    outcomes = ["started", "under_way", "closed", "skipped", "duplicate", "refused", "started"]
    for number in (2, 1):
        lines = [ImportLine(lines=(number,), outcome=outcome, sentence="ä") for outcome in outcomes]
        counts = write_results(archive, "imports/a/results/run", number, lines)
    assert counts == ImportCounts(started=2, signalled=1, late=1, skipped=1, duplicates=1, refused=1)
    assert counts.done == 5
    assert [line.lines[0] for line in read_results(archive, "imports/a/results/run")] == [1] * 7 + [2] * 7


@pytest.mark.parametrize(
    ("told", "known"),
    [
        ("Cp1252", "cp1252"),
        ("Shift_JIS", "cp932"),
        ("Windows-31J", "cp932"),
        ("UTF-8", "utf-8-sig"),
        ("us-ascii", "utf-8-sig"),
        ("ISO-8859-1", "iso8859-1"),
        ("x-unheard-of", ""),
        ("", ""),
    ],
)
def test_charsets_as_amazon_names_them(told: str, known: str) -> None:
    assert known_charset(told) == known


def test_an_empty_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "o").write_bytes(b"\xef\xbb\xbf\n \n")
    with (tmp_path / "o").open("rb") as stream, pytest.raises(UnreadableReport, match="The file is empty"):
        list(read_orders(stream, OWNER))
