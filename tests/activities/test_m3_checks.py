"""`o2c doctor` on M3: silent when all is well, and naming what to repair when not."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from activities.checks import Check
from activities.m3.auth import BasicAccess
from activities.m3.checks import check_m3
from activities.m3.client import M3Client
from activities.m3.options import CuorLists
from canonical.profile import CustomerPolicy, MarketplaceProfile
from tests.activities.m3_bench import DE, Bench, bench, profile


async def examined(m3: Bench, *profiles: MarketplaceProfile) -> dict[str, Check]:
    context = m3.m3.context
    known = {each.marketplace_id: each for each in profiles} or context.profiles
    return {check.name: check for check in await check_m3(context.client, context.options, known)}


@pytest.mark.parametrize("installation", ["cloud", "onprem"])
@pytest.mark.parametrize("trigger", [True, False])
async def test_a_sound_installation_passes(tmp_path: Path, installation: str, trigger: bool) -> None:
    async with bench(tmp_path, profile=installation, options={"trigger_invoice": trigger}) as m3:
        checks = await examined(m3)
    assert [check.sentence for check in checks.values() if not check.ok] == []
    assert len(checks) == 6


@pytest.mark.parametrize("lookup", ["export", "by_customer"])
async def test_each_way_of_looking_up_is_tried(tmp_path: Path, lookup: str) -> None:
    async with bench(tmp_path, options={"cuor_lookup": lookup}) as m3:
        checks = await examined(m3)
    assert checks[f"look-up by CUOR ({lookup})"].ok


async def test_missing_lists_are_told_with_the_way_out(tmp_path: Path) -> None:
    async with bench(tmp_path, cuor_list=False) as m3:
        check = (await examined(m3))["look-up by CUOR (lists)"]
    assert not check.ok
    assert "Lst_OXHEAD_CUOR" in check.sentence
    assert "CMS010" in check.sentence


async def test_lists_under_other_names_are_looked_for_there(tmp_path: Path) -> None:
    lists = CuorLists(batch_orders="LstElsewhere")
    async with bench(tmp_path, options={"cuor_lists": lists}) as m3:
        check = (await examined(m3))["look-up by CUOR (lists)"]
    assert "LstElsewhere" in check.sentence


async def test_a_forbidden_exportmi_is_told(tmp_path: Path) -> None:
    async with bench(tmp_path, exportmi=False, options={"cuor_lookup": "export"}) as m3:
        checks = await examined(m3)
    assert not checks["look-up by CUOR (export)"].ok


async def test_a_configuration_that_m3_does_not_know(tmp_path: Path) -> None:
    wrong = profile(
        order_type_fba="ZZZ",
        warehouse_fba="XXX",
        customer=CustomerPolicy(numbers=("AMZOLD", "NOBODY")),
    )
    async with bench(tmp_path) as m3:
        checks = await examined(m3, wrong)
    assert "ZZZ" in checks["order types"].sentence
    assert "XXX does not exist" in checks["warehouses"].sentence
    assert "AMZOLD has status 90" in checks["customers"].sentence
    assert "NOBODY does not exist" in checks["customers"].sentence
    assert [name for name, check in checks.items() if not check.ok] == [
        "order types",
        "customers",
        "warehouses",
    ]
    assert wrong.marketplace_id == DE


async def test_a_warehouse_of_another_facility(tmp_path: Path) -> None:
    async with bench(tmp_path) as m3:
        checks = await examined(m3, profile(facility="B02"))
    assert "not B02" in checks["warehouses"].sentence


async def test_without_access_nothing_else_is_asked(tmp_path: Path) -> None:
    async with bench(tmp_path, profile="onprem") as m3:
        access = BasicAccess("M3API", SecretStr("wrong"))
        client = M3Client(str(m3.control.base_url), access, company=100)
        checks = await check_m3(client, m3.m3.context.options, m3.m3.context.profiles)
        await client.aclose()
    assert [(check.name, check.ok) for check in checks] == [("M3 access", False)]
    assert "MNS150" in checks[0].sentence


async def test_an_m3_that_is_down(tmp_path: Path) -> None:
    async with bench(tmp_path) as m3:
        client = M3Client("http://127.0.0.1:9", BasicAccess("u", SecretStr("p")), company=100, sleep=_blink)
        [check] = await check_m3(client, m3.m3.context.options, m3.m3.context.profiles)
        await client.aclose()
    assert not check.ok
    assert "ConnectError" in check.sentence


async def _blink(_: float) -> None:
    """No wait between repeated reads."""
