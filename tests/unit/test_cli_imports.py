"""Files of orders at the command line: what is taken, what is refused, and why."""

import csv
import json
from pathlib import Path

import pytest

from canonical.order import Order
from canonical.order_reports import RefusedRow
from starters.console import Refused
from starters.imports import SHOWN, Imported, read_only, writing
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
    assert (done.counts.orders, done.counts.duplicates, done.counts.refused) == (3, 1, 2)
    assert [(line.lines, line.outcome) for line in done.refusals] == [
        ((2,), "refused"),
        ((3,), "duplicate"),
        ((4,), "refused"),
    ]
    sentence = done.refusals[2].sentence
    for words in ("Amazon.com", "may be another seller's", str(other["orderId"])):
        assert words in sentence


def test_no_refusal_repeats_personal_data(tmp_path: Path) -> None:
    spoilt = {**order(channel="MERCHANT"), "createdTime": "Erika Beispiel"}
    done = read_only(file_of(tmp_path / "o.jsonl", spoilt, "Erika Beispiel, Lindenstraße 12").read())
    assert len(done.refusals) == 2
    assert "Erika" not in "".join(line.sentence for line in done.refusals)


def test_a_byte_order_mark_is_no_trouble(tmp_path: Path) -> None:
    found = list(file_of(tmp_path / "o.jsonl", order(), start="\ufeff").read())
    assert [type(one.found) for one in found] == [Order]


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
        assert all(isinstance(one.found, Order | RefusedRow) for one in found)


def test_the_marketplace_is_the_only_one_or_the_one_named() -> None:
    assert check_marketplace(None, "S", GERMANY) == "A1PA6795UKMFR9"
    assert check_marketplace(None, "S", EUROPE) == ""
    assert check_marketplace("A1F83G8C2ARO7P", "S", EUROPE) == "A1F83G8C2ARO7P"
    with pytest.raises(Refused, match=r"Amazon\.de"):
        check_marketplace("ATVPDKIKX0DER", "S", GERMANY)


def test_of_very_many_refusals_the_first_are_told_and_all_are_written(tmp_path: Path) -> None:
    file = file_of(tmp_path / "o.jsonl", *["{"] * 150, order())
    with writing(tmp_path / "r.csv") as write:
        assert write is not None
        done = read_only(file.read(), write)
    assert (done.counts.refused, len(done.refusals)) == (150, SHOWN)
    rows = list(csv.DictReader((tmp_path / "r.csv").open(encoding="utf-8")))
    assert [row["outcome"] for row in rows] == ["refused"] * 150 + ["readable"]
    assert (rows[0]["lines"], rows[0]["sentence"]) == ("1", "The line is no JSON at character 2.")


def test_results_are_json_lines_by_any_other_name(tmp_path: Path) -> None:
    with writing(tmp_path / "r.txt") as write:
        assert write is not None
        read_only(file_of(tmp_path / "o.jsonl", order()).read(), write)
    (line,) = (tmp_path / "r.txt").read_text().splitlines()
    assert json.loads(line)["outcome"] == "readable"


def test_a_result_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be written"), writing(tmp_path / "none" / "r.csv"):
        pass


def test_an_import_is_clean_without_refusals_and_remarks() -> None:
    assert Imported(counts={"duplicates": 1}).clean  # type: ignore[arg-type]
    assert not Imported(counts={"refused": 1}).clean  # type: ignore[arg-type]
    assert not Imported(remarks=("An order cannot be read.",)).clean
    assert Imported(notes=("There is no new data.",)).clean
