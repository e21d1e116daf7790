"""A settlement has one seller: of two who claim it, one has it, however they come."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from activities.archive import Archive
from activities.settlement_files import SettlementFiles, SettlementRules
from canonical.settlement_reports import Claim
from worker.settlement_settings import SettlementSettings

RULES = SettlementRules(book=SettlementSettings().book, plan=SettlementSettings().plan, zone=ZoneInfo("UTC"))
NUMBER = "25719799032"


class Interrupted(Archive):
    """An archive in which something happens between a seller's claim and his look at the others'."""

    between: Callable[[], object] = staticmethod(lambda: None)

    def keys(self, prefix: str) -> Sequence[str]:
        once, self.between = self.between, lambda: None
        once()
        return super().keys(prefix)


def files(folder: Path, archive: Archive | None = None) -> SettlementFiles:
    return SettlementFiles(archive or Archive(str(folder)), RULES, {})


def claim(seller: str) -> Claim:
    return Claim(seller_id=seller, report_id=f"report of {seller}", at=datetime(2026, 11, 23, tzinfo=UTC))


def test_who_comes_first_has_it_and_the_other_is_told_whose_it_is(tmp_path: Path) -> None:
    here = files(tmp_path)
    assert here.claim(NUMBER, claim("A1")) is None
    other = here.claim(NUMBER, claim("B2"))
    assert other is not None
    assert (other.seller_id, other.report_id, other.granted) == ("A1", "report of A1", True)
    assert here.claim(NUMBER, claim("A1")) is None
    assert here.claim(f"{NUMBER}0", claim("B2")) is None
    here.release(NUMBER, other)
    assert here.claim(NUMBER, claim("B2")) is None
    assert here.claim(NUMBER, claim("A1")) is not None


def test_one_who_comes_in_between_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    archive = Interrupted(str(tmp_path))
    told: list[Claim | None] = []
    archive.between = lambda: told.append(files(tmp_path).claim(NUMBER, claim("B2")))
    assert files(tmp_path, archive).claim(NUMBER, claim("A1")) is None
    assert [one.seller_id for one in told if one] == ["A1"]
    assert len(archive.keys(f"settlements/ids/{NUMBER}")) == 1


def test_who_sees_that_the_other_has_written_too_gives_way(tmp_path: Path) -> None:
    archive = Interrupted(str(tmp_path))
    key = f"settlements/ids/{NUMBER}/B2.json"
    archive.between = lambda: archive.write(key, claim("B2").model_dump_json().encode())
    other = files(tmp_path, archive).claim(NUMBER, claim("A1"))
    assert other is not None
    assert (other.seller_id, other.granted) == ("B2", False)
    assert archive.keys(f"settlements/ids/{NUMBER}") == (key,)
    assert files(tmp_path).claim(NUMBER, claim("B2")) is None


def test_a_claim_of_a_process_that_died_is_no_grant(tmp_path: Path) -> None:
    archive = Archive(str(tmp_path))
    key = f"settlements/ids/{NUMBER}/A1.json"
    archive.write(key, claim("A1").model_dump_json().encode())
    other = files(tmp_path).claim(NUMBER, claim("B2"))
    assert other is not None
    assert (other.seller_id, other.granted) == ("A1", False)
    assert files(tmp_path).claim(NUMBER, claim("A1")) is None
