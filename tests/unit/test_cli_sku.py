"""`o2c sku evaluate`: measures suggestions on files of one's own, or says which row is at fault."""

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from starters.cli import app

RUNNER = CliRunner()
QUERIES = "id,name\n1,Sony Turntable PSLX350H\n2,Bose Speaker System AM53BK black\n3,Garden hose 20 m\n"
CATALOGUE = (
    "id,name,price\nA,Sony PS-LX350H Belt-Drive Turntable,99\nB,Bose Acoustimass Speaker AM53,1\nC,Tea,2\n"
)
PAIRS = "query_id,item_id\n1,A\n2,B\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("O2C_CONFIG", raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)


def _evaluate(
    *words: str,
    queries: str | bytes = QUERIES,
    catalogue: str | bytes = CATALOGUE,
    pairs: str | bytes = PAIRS,
) -> Result:
    for name, content in (("queries", queries), ("catalogue", catalogue), ("pairs", pairs)):
        Path(f"{name}.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return RUNNER.invoke(app, ["sku", "evaluate", "queries.csv", "catalogue.csv", "pairs.csv", *words])


def _refused(**files: str | bytes) -> str:
    shown = _evaluate("--json", **files)
    assert (shown.exit_code, shown.stdout) == (2, "")
    return " ".join(shown.stderr.split())


def test_what_json_says() -> None:
    shown = _evaluate("--json", "--threshold", "0.5")
    assert shown.exit_code == 0, shown.stderr
    told = json.loads(shown.stdout)
    assert list(told) == ["recall", "precision_at_threshold", "share_mapped"]
    assert told["recall"] == {"1": 1.0, "3": 1.0, "5": 1.0}
    assert told["precision_at_threshold"] == 1.0
    assert told["share_mapped"] == pytest.approx(2 / 3, abs=1e-4)


def test_nothing_mapped_has_no_precision() -> None:
    told = json.loads(_evaluate("--json", "--threshold", "1").stdout)
    assert (told["precision_at_threshold"], told["share_mapped"]) == (None, 0.0)


def test_what_people_read() -> None:
    shown = _evaluate("--threshold", "0.5").stdout
    assert "3 listings, 2 of them with an item among 3." in shown
    assert "100.0 %: the right item is the first suggestion." in shown
    assert "66.7 %: at confidence 0.5 or more" in shown
    assert "At confidence 1 or more: none." in _evaluate("--threshold", "1").stdout


def test_a_wrong_mapping_counts_against_precision() -> None:
    told = json.loads(_evaluate("--json", "--threshold", "0.5", pairs="query_id,item_id\n1,A\n2,C\n").stdout)
    assert told["recall"]["1"] == 0.5
    assert told["precision_at_threshold"] == 0.5


def test_the_first_suggestion_for_each() -> None:
    assert _evaluate("--details", "details.csv").exit_code == 0
    with Path("details.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["query_id"]: row for row in csv.DictReader(file)}
    assert list(rows) == ["1", "2", "3"]
    assert (rows["1"]["item_id"], rows["1"]["right_at"]) == ("A", "1")
    assert "model number PSLX350H is in both names" in rows["1"]["reasons"]
    assert rows["3"]["right_at"] == ""


@pytest.mark.parametrize(
    ("charset", "name"),
    [("utf-8", "Müller"), ("utf-8-sig", "Müller"), ("cp1252", "Müller €"), ("latin-1", "\x81ü")],
)
def test_charsets(charset: str, name: str) -> None:
    rows = f"id,name\n1,{name} Kettle\n".encode(charset)
    items = f"id,name\nA,{name} Kettle\nB,Tea\n".encode(charset)
    told = json.loads(
        _evaluate("--json", queries=rows, catalogue=items, pairs="query_id,item_id\n1,A\n").stdout
    )
    assert told["recall"]["1"] == 1.0


@pytest.mark.parametrize("pairs", ["idAbt,idBuy\n1,A\n2,B\n", "1,A\n2,B\n", "query_id;item_id\n1;A\n2;B\n"])
def test_pairs_by_their_place_without_heading_and_with_semicolons(pairs: str) -> None:
    told = json.loads(_evaluate("--json", pairs=pairs).stdout)
    assert told["recall"]["1"] == 1.0


def test_pairs_of_other_files_are_left_out_and_told() -> None:
    shown = _evaluate("--json", pairs=PAIRS + "9,A\n1,Z\n")
    assert shown.exit_code == 0
    assert json.loads(shown.stdout)["recall"]["1"] == 1.0
    assert "2 pairs of pairs.csv left out" in shown.stderr
    assert "row 4" in shown.stderr


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("queries", "", "queries.csv is empty."),
        ("queries", "id,name\n", "has a first row and no other."),
        ("queries", "sku,title\n1,Tea\n", "no columns id and name in its first row; it has sku, title."),
        ("queries", "id,name\n1,Tea\n1,Soap\n", "queries.csv, row 3: the id 1 has been there before."),
        ("catalogue", "id,name\nA\n", "catalogue.csv, row 2: it has 1 cell, and 2 are needed."),
        ("catalogue", "id,name\nA,Tea\n,Soap\n", "catalogue.csv, row 3: the id is empty."),
        ("catalogue", 'id,name\nA,"Tea\n', "catalogue.csv, row 2: it is no CSV:"),
        ("pairs", "query_id,item_id\n1\n", "pairs.csv, row 2: it has 1 cell, and 2 are needed."),
        ("pairs", "query_id,item_id\n8,9\n", "not one of its pairs"),
        ("pairs", "query_id,thing,other\n1,A,2\n", "no columns query_id and item_id"),
    ],
)
def test_a_file_that_cannot_be_used(file: str, content: str, said: str) -> None:
    assert said in _refused(**{file: content})


def test_a_row_over_two_lines_keeps_the_count() -> None:
    assert "row 4: the id is empty" in _refused(catalogue='id,name\nA,"Tea\nand more"\n,Soap\n')


def test_a_file_that_is_not_there() -> None:
    shown = RUNNER.invoke(app, ["sku", "evaluate", "none.csv", "none.csv", "none.csv"])
    assert shown.exit_code == 2
    assert "There is no file none.csv." in shown.stderr


def test_real_listings_of_two_shops(shared: Path) -> None:
    """The benchmark's own files, as they are published: names alone."""
    folder = shared / "sku-matching"
    files = [str(folder / name) for name in ("abt.csv", "buy.csv", "abt_buy_perfect_mapping.csv")]
    shown = RUNNER.invoke(app, ["sku", "evaluate", *files, "--json"])
    assert shown.exit_code == 0, shown.stderr
    told = json.loads(shown.stdout)
    assert told["recall"]["1"] >= 0.93
    assert told["recall"]["3"] >= 0.975
    assert told["precision_at_threshold"] >= 0.995
    assert told["share_mapped"] >= 0.2
