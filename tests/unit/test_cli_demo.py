"""The demonstration: its configuration fits the simulators, and its verdict tells right from wrong."""

import asyncio
import json
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from simulators import catalogue
from starters.demo.configuration import SECRETS, Addresses, write_configuration
from starters.demo.verdict import judge
from starters.held_orders import HeldOrder
from starters.links import HELD_ORDERS, list_link, workflow_link
from starters.processes import Children, free_port
from starters.simulation import AmazonOrder
from tests.support import configuration
from worker.connection import connect
from worker.settings import Settings, load_settings


@pytest.fixture
def demo(tmp_path: Path) -> Settings:
    addresses = Addresses(
        "127.0.0.1:7233", "http://127.0.0.1:8233", "http://127.0.0.1:1", "", tmp_path / "x.ionapi"
    )
    return load_settings(write_configuration(tmp_path, addresses))


def test_the_configuration_is_of_the_simulators_world(demo: Settings) -> None:
    sellers = {seller.seller_id: seller for seller in catalogue.SELLERS}
    assert set(demo.sellers) == set(sellers)
    for seller_id, seller in demo.sellers.items():
        known = sellers[seller_id]
        assert seller.region == known.region
        assert seller.marketplaces == tuple(one.marketplace_id for one in known.marketplaces)
    assert (demo.m3.company, demo.m3.division) == (catalogue.CONO, catalogue.DIVI)
    assert (demo.m3.partner, demo.m3.message_type) == (catalogue.PARTNER, catalogue.MESSAGE_TYPE)


def test_every_marketplace_is_booked_as_the_simulator_is_set_up(demo: Settings) -> None:
    order_types = {one.ortp: one for one in catalogue.ORDER_TYPES}
    warehouses = {one.whlo: one for one in catalogue.WAREHOUSES}
    customers = {one.cuno for one in catalogue.CUSTOMERS if one.status == "20"}
    for profile in demo.marketplaces.values():
        assert profile.facility == catalogue.FACI
        gross = profile.price_basis == "gross"
        assert order_types[profile.order_type_fba].vat_included is gross
        assert order_types[profile.order_type_mfn].vat_included is gross
        assert order_types[profile.order_type_replacement or ""].free_allowed
        assert warehouses[profile.warehouse_fba].automatic
        assert not warehouses[profile.warehouse_mfn].automatic
        assert set(profile.customer.numbers) <= customers
        if gross:
            assert not order_types[profile.order_type_tax_by_amazon or ""].vat_included
        assert warehouses[profile.warehouse_shipped or ""].automatic
        assert set(profile.charges.model_dump().values()) <= set(catalogue.CHARGES)
        assert set(profile.carriers) == set(catalogue.CARRIERS) - {catalogue.UNKNOWN_CARRIER}


def test_the_secrets_are_the_simulators(demo: Settings) -> None:
    assert SECRETS.items() <= configuration.SECRETS.items()
    assert {seller.secrets for seller in demo.sellers.values()} == {one.name for one in catalogue.SELLERS}


def test_the_environment_can_be_sourced(demo: Settings, tmp_path: Path) -> None:
    lines = (tmp_path / "env").read_text().splitlines()
    assert f"export O2C_CONFIG='{tmp_path / 'o2c.toml'}'" in lines
    assert "export TEMPORAL_ADDRESS='127.0.0.1:7233'" in lines
    asked = 'source "$0" && echo "$AMAZON" && command -v python3'
    shell = ["bash", "-c", asked, str(tmp_path / "env")]
    said = subprocess.run(shell, capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"})
    amazon, python = said.stdout.splitlines()
    assert amazon == "http://127.0.0.1:1"
    assert Path(python).parent == Path(sys.executable).parent, "the environment's own commands come first"


def placed(number: int, planted: str | None = None, status: str = "SHIPPED") -> AmazonOrder:
    return AmazonOrder(
        orderId=f"028-0000000-{number:07d}",
        sellerId="S",
        channelName="AMAZON",
        status=status,
        lastUpdatedTime=datetime(2026, 11, 23, tzinfo=UTC),
        planted=planted,
        eventsToCome=0,
    )


def held(number: int, reason: str) -> HeldOrder:
    return HeldOrder(
        order_id=f"028-0000000-{number:07d}",
        workflow_id="",
        reason=reason,
        title="",
        step="",
        since=None,
        m3_order="",
        skus=[],
        command="",
        link="",
    )


def test_what_was_planted_is_held_or_cancelled_or_came_too_late() -> None:
    orders = [
        placed(1),
        placed(2, "credit_stop"),
        placed(3, "item_blocked", "CANCELLED"),
        placed(4, "order_changed"),
    ]
    orders.append(placed(5, "address_refused"))
    verdict = judge(orders, [held(2, "credit_stop"), held(5, "address_does_not_fit")])
    assert verdict.as_planned
    assert verdict.expected == 2
    assert verdict.cancelled == ("028-0000000-0000003",)
    assert verdict.in_time == ("028-0000000-0000004",)


@pytest.mark.parametrize(
    ("orders", "holds"),
    [
        ([placed(1)], [held(1, "m3_unavailable")]),
        ([placed(1, "credit_stop")], [held(1, "m3_unavailable")]),
        ([placed(1, "credit_stop")], []),
    ],
    ids=["held without cause", "held for another reason", "not held"],
)
def test_what_was_not_planted_so_fails(orders: list[AmazonOrder], holds: list[HeldOrder]) -> None:
    assert not judge(orders, holds).as_planned


def test_links_lead_to_the_web_ui() -> None:
    assert workflow_link("http://h:1", "default", "order-S-1", "r") == (
        "http://h:1/namespaces/default/workflows/order-S-1/r"
    )
    link = list_link("http://h:1", "default", HELD_ORDERS, "Held orders")
    assert link.startswith(
        "http://h:1/namespaces/default/workflows?query=WorkflowType%3D%22OrderToCash%22%20AND"
    )
    assert link.endswith("&savedQuery=Held%20orders")


async def test_children_end_with_the_command_and_their_failure_is_told(tmp_path: Path) -> None:
    async with Children(tmp_path) as children:
        stays = await children.start("stays", ["sleep", "600"])
        fails = await children.start("fails", ["sh", "-c", "echo bad luck >&2; exit 3"])
        await fails.process.wait()
        with pytest.raises(Exception, match=r"fails ended with status 3.*bad luck"):
            children.check()
    assert stays.process.returncode is not None


def test_a_free_port_is_the_preferred_one_unless_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) != port
    assert free_port(port) == port


async def test_simulators_with_a_server_and_a_configuration_are_ready_to_be_used(tmp_path: Path) -> None:
    written = tmp_path / "written"
    words = ["simulators", "--json", "--temporal", "--pace", "0", "--data", str(tmp_path / "data")]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "starters", *words, "--write-config", str(written),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        async with asyncio.timeout(90):
            text = ""
            while not text.endswith("\n}\n"):
                text += (await process.stdout.readline()).decode()
        told = json.loads(text)
        settings = load_settings(written / "o2c.toml")
        assert str(settings.temporal.web_ui).rstrip("/") == told["temporal"]["web_ui"]
        assert {str(seller.endpoint).rstrip("/") for seller in settings.sellers.values()} == {
            told["amazon"]["url"]
        }
        assert {seller.quota_factor for seller in settings.sellers.values()} == {1.0}
        assert (await connect(settings)).namespace == "default"
    finally:
        process.terminate()
        await process.wait()
