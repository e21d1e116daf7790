"""The schedules that a configuration wants, and configurations that cannot be meant."""

from datetime import time, timedelta
from pathlib import Path

import pytest

from canonical.return_contracts import ReturnsFeedInput
from canonical.schedule_contracts import AmazonSweepInput, ReconciliationInput
from canonical.settlement_reports import FeedInput
from canonical.stock.listing_contracts import ListingsLookInput
from canonical.stock.open_orders import OpenOrdersInput
from canonical.sweep_contracts import SweepInput
from tests.support.configuration import settings_for, write_configuration
from worker.mcf_settings import McfSettings
from worker.schedule_plan import planned
from worker.settings import ConfigurationError, Settings, load_settings
from worker.settlement_settings import SettlementSettings
from worker.sku_settings import SkuSettings
from worker.stock_settings import StockSettings

PLACES = {"temporal": "127.0.0.1:1", "amazon": "http://127.0.0.1:1", "ionapi": Path("none.ionapi")}


def settings(folder: Path, text: str) -> Settings:
    return settings_for(folder, **PLACES, extra_marketplace=f"[schedules]\n{text}\n")  # type: ignore[arg-type]


def test_every_seller_has_a_sweep_with_the_configured_overlap(tmp_path: Path) -> None:
    found = {one.id: one for one in planned(settings(tmp_path, "amazon_minutes = 15\noverlap_minutes = 20"))}
    assert list(found) == [
        "o2c-sweep-A2EUSELLER0001", "o2c-sweep-A2NASELLER0001", "o2c-deliveries", "o2c-corrections",
        "o2c-shipments-A2EUSELLER0001", "o2c-shipments-A2NASELLER0001", "o2c-deadlines", "o2c-mcf",
        "o2c-reconciliation",
        "o2c-returns-A2EUSELLER0001", "o2c-returns-A2NASELLER0001",
        "o2c-settlements-A2EUSELLER0001", "o2c-deferred-A2EUSELLER0001", "o2c-finances-A2EUSELLER0001",
        "o2c-settlements-A2NASELLER0001", "o2c-deferred-A2NASELLER0001", "o2c-finances-A2NASELLER0001",
    ]  # fmt: skip
    eu, na = found["o2c-sweep-A2EUSELLER0001"], found["o2c-sweep-A2NASELLER0001"]
    assert eu.spec.intervals[0].every == timedelta(minutes=15)
    assert eu.spec.intervals[0].offset != na.spec.intervals[0].offset
    assert isinstance(eu.argument, AmazonSweepInput)
    assert eu.argument.overlap == timedelta(minutes=20)


def test_the_reconciliation_runs_in_its_time_zone_or_never(tmp_path: Path) -> None:
    text = 'reconciliation_at = "04:30"\ntime_zone = "Europe/Berlin"\nreconciliation_days = 2'
    [daily] = [one for one in planned(settings(tmp_path, text)) if one.id == "o2c-reconciliation"]
    assert daily.spec.time_zone_name == "Europe/Berlin"
    assert (daily.spec.calendars[0].hour[0].start, daily.spec.calendars[0].minute[0].start) == (4, 30)
    assert isinstance(daily.argument, ReconciliationInput)
    assert (daily.argument.days, daily.argument.time_zone) == (2, "Europe/Berlin")
    assert set(daily.argument.tolerances) == set(settings(tmp_path, text).marketplaces)
    never = planned(settings(tmp_path, 'reconciliation_at = "never"'))
    assert "o2c-reconciliation" not in {one.id for one in never}


def test_returns_are_looked_for_daily_where_there_are_cases_and_mcf_where_a_warehouse_is_amazons(
    tmp_path: Path,
) -> None:
    wanted = settings(tmp_path, 'returns_at = "04:15"\nmcf_minutes = 2\ntime_zone = "Europe/Berlin"')
    found = {one.id: one for one in planned(wanted)}
    daily = found["o2c-returns-A2EUSELLER0001"]
    assert daily.spec.time_zone_name == "Europe/Berlin"
    assert (daily.spec.calendars[0].hour[0].start, daily.spec.calendars[0].minute[0].start) == (4, 15)
    assert isinstance(daily.argument, ReturnsFeedInput)
    assert daily.argument.marketplace_ids == wanted.sellers["A2EUSELLER0001"].marketplaces
    assert (len(daily.argument.ask), daily.argument.look_back) == (3, timedelta(days=7))
    assert found["o2c-mcf"].spec.intervals[0].every == timedelta(minutes=2)
    assert found["o2c-mcf"].argument == SweepInput(seller_ids=(), amazon=False, m3=False, mcf=True)
    without = planned(wanted.model_copy(update={"returns": None, "mcf": McfSettings()}))
    assert not {one.id for one in without} & {"o2c-mcf", "o2c-returns-A2EUSELLER0001"}
    never = planned(settings(tmp_path, 'returns_at = "never"'))
    assert "o2c-returns-A2EUSELLER0001" not in {one.id for one in never}


def test_settlement_reports_are_looked_for_daily_where_accounts_are_configured(tmp_path: Path) -> None:
    wanted = settings(tmp_path, 'settlements_at = "06:30"')
    found = {one.id: one for one in planned(wanted)}
    daily = found["o2c-settlements-A2NASELLER0001"]
    assert (daily.spec.calendars[0].hour[0].start, daily.spec.calendars[0].minute[0].start) == (6, 30)
    assert daily.argument == FeedInput(seller_id="A2NASELLER0001")
    without = planned(wanted.model_copy(update={"settlement": SettlementSettings()}))
    never = planned(settings(tmp_path, 'settlements_at = "never"'))
    assert not {one.id for one in (*without, *never)} & {
        "o2c-settlements-A2EUSELLER0001",
        "o2c-deferred-A2EUSELLER0001",
        "o2c-finances-A2EUSELLER0001",
    }


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("amazon_minutes = 0", "schedules.amazon_minutes"),
        ("overlap_minutes = 1", "schedules.overlap_minutes"),
        ('time_zone = "Mars/Base"', "no time zone"),
        ('reconciliation_at = "04:00+01:00"', "leave the offset out"),
        ('returns_at = "04:00+01:00"', "returns_at is a time of day"),
        ('settlements_at = "04:00+01:00"', "settlements_at is a time of day"),
        ("often = true", "there is no such key"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_key(tmp_path: Path, text: str, key: str) -> None:
    file = write_configuration(tmp_path / "o2c.toml", **PLACES, extra_marketplace=f"[schedules]\n{text}\n")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=key):
        load_settings(file)


def test_open_orders_are_looked_at_daily_where_stock_is_configured(tmp_path: Path) -> None:
    wanted = settings(tmp_path, 'time_zone = "Europe/Berlin"')
    ids = {"o2c-open-orders-A2EUSELLER0001", "o2c-open-orders-A2NASELLER0001"}
    assert not ids & {one.id for one in planned(wanted)}
    stock = StockSettings(open_orders_at=time(2, 15), open_orders_days=30)
    found = {one.id: one for one in planned(wanted.model_copy(update={"stock": stock}))}
    daily = found["o2c-open-orders-A2NASELLER0001"]
    (calendar,) = daily.spec.calendars
    assert (calendar.hour[0].start, calendar.minute[0].start) == (2, 15)
    assert daily.argument == OpenOrdersInput(seller_id="A2NASELLER0001", days=30)
    never = wanted.model_copy(update={"stock": StockSettings(open_orders_at="never")})
    assert not ids & {one.id for one in planned(never)}


def test_listings_are_read_daily_for_stock_and_for_skus_alone(tmp_path: Path) -> None:
    wanted = settings(tmp_path, 'time_zone = "Europe/Berlin"')
    name = "o2c-listings-A2EUSELLER0001"
    stock = StockSettings(listings_at=time(3, 15))
    both = {one.id: one for one in planned(wanted.model_copy(update={"stock": stock}))}
    assert both[name].spec.calendars[0].minute[0].start == 15
    assert both[name].argument == ListingsLookInput(
        seller_id="A2EUSELLER0001", marketplace_ids=wanted.sellers["A2EUSELLER0001"].marketplaces
    )
    alone = {one.id: one for one in planned(wanted.model_copy(update={"sku": SkuSettings()}))}
    assert alone[name].spec.calendars[0].hour[0].start == 4
    never = wanted.model_copy(update={"stock": StockSettings(listings_at="never"), "sku": SkuSettings()})
    assert name not in {one.id for one in (*planned(wanted), *planned(never))}
