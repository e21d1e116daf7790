"""Files of orders at the command line: what is taken, what is refused, and why."""

import json
from pathlib import Path

import pytest

from canonical.order import Order
from canonical.order_reports import RefusalKind, RefusedRow
from starters.bulk import read_only
from starters.console import Refused
from starters.order_files import OrderFile, check_marketplace
from tests.support.orders import order
from worker.settings import SellerSettings

EUROPE = SellerSettings(region="eu", marketplaces=("A1PA6795UKMFR9", "A1F83G8C2ARO7P"), secrets="EU")
GERMANY = SellerSettings(region="eu", marketplaces=("A1PA6795UKMFR9",), secrets="EU")


def file_of(path: Path, *lines: object, start: str = "") -> OrderFile:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text(start + "\n".join(texts) + "\n", encoding="utf-8")
    return OrderFile(path, "A2EUSELLER0001", EUROPE)


def test_lines_are_taken_refused_or_found_again(tmp_path: Path) -> None:
    good, other = order(), order(marketplace="US")
    file = file_of(
        tmp_path / "o.jsonl", good, '{"orderId": ', good, other, "", {"orders": [order(), order()]}
    )
    done = read_only(file.read())
    assert done.orders == 3
    assert [(row.line_number, row.kind) for row in done.duplicates] == [(3, RefusalKind.DUPLICATE)]
    assert [row.line_number for row in done.refused] == [2, 4]
    assert "Amazon.com" in done.refused[1].sentence
    assert "may be another seller's" in done.refused[1].sentence
    assert str(other["orderId"]) in done.refused[1].sentence


def test_no_refusal_repeats_personal_data(tmp_path: Path) -> None:
    spoilt = {**order(channel="MERCHANT"), "createdTime": "Erika Beispiel"}
    done = read_only(file_of(tmp_path / "o.jsonl", spoilt, "Erika Beispiel, Lindenstraße 12").read())
    assert len(done.refused) == 2
    assert "Erika" not in "".join(row.sentence for row in done.refused)


def test_a_byte_order_mark_is_no_trouble(tmp_path: Path) -> None:
    found = list(file_of(tmp_path / "o.jsonl", order(), start="\ufeff").read())
    assert [type(one) for one in found] == [Order]


@pytest.mark.parametrize("content", ["", "\n \n", "\ufeff"])
def test_an_empty_file_is_said(tmp_path: Path, content: str) -> None:
    (tmp_path / "o.jsonl").write_text(content, encoding="utf-8")
    file = OrderFile(tmp_path / "o.jsonl", "A2EUSELLER0001", EUROPE)
    for act in (file.check, lambda: list(file.read())):
        with pytest.raises(Refused, match="is empty"):
            act()


def test_what_is_neither_kind_of_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be imported"):
        list(file_of(tmp_path / "o.txt", "name\tprice", "tea\t3").read())


def test_a_report_is_told_from_json_by_its_content(tmp_path: Path, shared: Path) -> None:
    samples = sorted((shared / "spapi" / "samples" / "order-reports").rglob("*.t*"))
    assert samples
    for sample in samples:
        found = list(OrderFile(sample, "A2EUSELLER0001", EUROPE, "A1PA6795UKMFR9").read())
        assert found, sample
        assert all(isinstance(one, Order | RefusedRow) for one in found)


def test_the_marketplace_is_the_only_one_or_the_one_named() -> None:
    assert check_marketplace(None, "S", GERMANY) == "A1PA6795UKMFR9"
    assert check_marketplace(None, "S", EUROPE) == ""
    assert check_marketplace("A1F83G8C2ARO7P", "S", EUROPE) == "A1F83G8C2ARO7P"
    with pytest.raises(Refused, match=r"Amazon\.de"):
        check_marketplace("ATVPDKIKX0DER", "S", GERMANY)
