"""The section `[fba_stock]`: warehouses by area, limits, times; and what of it becomes schedules."""

from datetime import date, time
from pathlib import Path

import pytest

from canonical.stock.corrections import AdjustmentKind
from canonical.stock.fba_contracts import FbaAdjustmentsInput, FbaStockInput
from starters.lookup import check_subject
from tests.support.configuration import write_configuration
from worker.fba_stock import fba_stock_options
from worker.fba_stock_settings import FbaStockSettings
from worker.settings import ConfigurationError, Settings, load_settings
from worker.stock_schedules import stock_schedules

EU, NA = "A2EUSELLER0001", "A2NASELLER0001"


def settings(folder: Path, section: str) -> Settings:
    file = write_configuration(
        folder / "o2c.toml",
        temporal="127.0.0.1:7233",
        amazon="http://127.0.0.1:1",
        ionapi=folder / "x.ionapi",
    )
    text = file.read_text().replace("\n[returns]\n", f"\n[returns]\n{section}\n")
    file.write_text(text)
    return load_settings(file)


def test_each_seller_has_the_warehouses_of_its_own_marketplaces(tmp_path: Path) -> None:
    told = fba_stock_options(settings(tmp_path, "[fba_stock]"))
    assert told.rules[EU].warehouse("EU") == told.rules[EU].warehouse("GB") == "AFE"
    assert told.rules[NA].warehouse("US") == "AFN"
    assert told.rules[EU].warehouse("XX") == "AFE", "all marketplaces of this seller have one warehouse"
    assert (told.message_type, told.flag) == ("WMS", "*EXE")


def test_a_named_warehouse_goes_before_the_marketplaces(tmp_path: Path) -> None:
    section = '[fba_stock]\nwarehouses = { GB = "AFG" }\nprocess = "*AUT"\nmessage_type = "ADJ"'
    told = fba_stock_options(settings(tmp_path, section))
    assert [told.rules[EU].warehouse(area) for area in ("EU", "GB", "XX")] == ["AFE", "AFG", ""]
    assert (told.message_type, told.flag) == ("ADJ", "*AUT")


def test_marketplaces_of_one_area_with_different_warehouses_are_refused(tmp_path: Path) -> None:
    text = settings(tmp_path, "[fba_stock]")
    profile = text.marketplaces["A13V1IB3VIYZZH"].model_copy(update={"warehouse_fba": "AFR"})
    with pytest.raises(ValueError, match="area EU have the warehouses AFE, AFR"):
        FbaStockSettings().options(
            {EU: text.sellers[EU].marketplaces}, {**text.marketplaces, "A13V1IB3VIYZZH": profile}, "WMS"
        )


@pytest.mark.parametrize(
    "section",
    [
        "[fba_stock]\nmost_pieces = -1",
        '[fba_stock]\nreasons = { G = "given" }',
        '[fba_stock]\ntransaction_reasons = { lost = "LOST" }',
        '[fba_stock]\nprocess = "*NOW"',
        '[fba_stock]\nat = "05:00:00+01:00"',
        "[fba_stock]\nlimit = 3",
    ],
)
def test_what_is_wrong_is_refused(tmp_path: Path, section: str) -> None:
    with pytest.raises(ConfigurationError, match="fba_stock"):
        settings(tmp_path, section)


def test_reasons_and_limits_reach_the_rules(tmp_path: Path) -> None:
    section = (
        '[fba_stock]\nmost_pieces = 5\nreasons = { G = "disposed" }\ntransaction_reasons = { lost = "LOS" }'
    )
    rules = fba_stock_options(settings(tmp_path, section)).rules[EU]
    assert (rules.most_pieces, rules.reasons) == (5, {"G": AdjustmentKind.DISPOSED})
    assert rules.transaction_reasons == {AdjustmentKind.LOST: "LOS"}


def test_the_section_makes_the_schedules_and_without_it_there_are_none(tmp_path: Path) -> None:
    assert [one for one in stock_schedules(settings(tmp_path, "")) if "fba" in one.id] == []
    configured = settings(tmp_path, "[fba_stock]\nlook_back_days = 12\nalert_pieces = 4\nbegin = 2026-11-02")
    made = {one.id: one for one in stock_schedules(configured)}
    look = made[f"o2c-fba-adjustments-{EU}"].argument
    assert isinstance(look, FbaAdjustmentsInput)
    assert (look.look_back.days, look.marketplace_ids) == (12, configured.sellers[EU].marketplaces)
    assert look.begin == date(2026, 11, 2)
    beside = made["o2c-fba-stock"].argument
    assert isinstance(beside, FbaStockInput)
    assert (beside.tells, beside.alert_pieces, set(beside.sellers)) == (True, 4, set(configured.sellers))
    never = settings(tmp_path, '[fba_stock]\nat = "never"\ncompare_at = "never"')
    assert [one for one in stock_schedules(never) if "fba" in one.id] == []
    assert configured.fba_stock is not None
    assert configured.fba_stock.at == time(5)


def test_corrections_are_typed_as_they_are_shown() -> None:
    assert check_subject(" stock-0123456789ab ") == "stock-0123456789ab"
