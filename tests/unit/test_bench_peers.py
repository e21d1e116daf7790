"""How the comparison with other importers judges what they stored, and from where they are installed."""

import re
from pathlib import Path

import pytest

from tests.bench import peers
from tests.bench.peers import _floor, _judged

PLANTED = {"1": ["a", "b"], "2": ["c", "d"]}


@pytest.mark.parametrize(
    ("store", "judged"),
    [
        ({"1": [["a", "b"]], "2": [["c", "d"]]}, (2, 0, 0)),
        ({"1": [["a", "b"]]}, (1, 1, 0)),
        ({"1": [["a", "b"]], "2": [["c"]]}, (1, 1, 0)),
        ({"1": [["a", "b"], ["a", "b"]], "2": [["c", "d"]]}, (2, 0, 1)),
        ({"1": [["a", "b", "b"]], "2": [["c", "d"]]}, (2, 0, 1)),
    ],
)
def test_an_order_counts_with_all_its_items_and_once(
    store: dict[str, list[list[str]]], judged: tuple[int, int, int]
) -> None:
    assert _judged(PLANTED, store) == judged


def test_the_floor_is_what_the_bucket_lets_through() -> None:
    assert _floor(1000, "getOrderItems", 1) == 1940.0
    assert _floor(1000, "searchOrders", 100) == 0.0
    assert _floor(10_000, "searchOrders", 100) == round(80 / 0.0056, 1)


async def test_without_the_peers_the_result_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(folder: Path, count: int) -> list[peers.Row]:
        return []

    monkeypatch.setattr(peers, "PEERS", tmp_path / "absent")
    monkeypatch.setattr(peers, "_ours", nothing)
    result = await peers.run(tmp_path, 10)
    assert "make peers" in str(result["peers"])
    assert result["importers"] == []


def test_the_peers_are_pinned_by_hash_and_name_no_index() -> None:
    text = Path("requirements-peers.txt").read_text()
    assert "://" not in text
    for block in re.split(r"\n(?=[a-z])", text):
        assert re.match(r"[A-Za-z0-9._-]+==\S+ \\\n    --hash=sha256:", block), block[:80]
