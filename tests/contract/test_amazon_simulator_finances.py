"""The simulator's transactions in the Finances API: names that are known, and one that nobody knows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from canonical.settlement.finance_reading import read_page
from simulators.amazon.record import fulfilled
from simulators.amazon.settlements.charges import KINDS
from tests.contract.amazon_simulator_client import Caller, simulator
from tests.contract.report_client import DE
from tests.contract.test_return_simulators import happens, listed
from tests.support.orders import order
from worker.settlement_settings import SettlementSettings

NAMES = SettlementSettings().finance_names


@pytest.fixture
async def caller(tmp_path: Path) -> AsyncIterator[Caller]:
    async with simulator(tmp_path, quota_factor=1e6, visibility_delay=0) as caller:
        yield caller


async def test_everything_that_happens_by_itself_has_a_known_name(caller: Caller) -> None:
    await caller.place(150)
    await caller.advance(600)
    reasons = ("NO_LONGER_NEEDED", "CHARGEBACK", "A_TO_Z")
    for place, record in enumerate(list(caller.world.index.by_id.values())[::3]):
        if record.body.get("proceeds") and any(fulfilled(item) for item in record.items):
            await happens(caller, record.order_id, type="refund", reason=reasons[place % 3])
    for kind in KINDS:
        charge = {"marketplace": DE, "kind": kind, "amount": "1.00" if "ware" in kind else "-1.00"}
        answer = await caller.http.post("/_control/settlements/charges", json=charge)
        assert answer.status_code == 201, answer.text
    found = await listed(caller)
    assert {"Shipment", "Refund", "ServiceFee", "ProductAdsPayment"} <= {
        each["transactionType"] for each in found
    }
    page = read_page(found, NAMES)
    assert (page.sightings, page.unread, page.transactions) == ((), 0, len(found))


async def test_a_fee_nobody_knows_has_its_own_words_in_either_place(caller: Caller) -> None:
    await caller.plant(order("TEA-GREEN-250", status="SHIPPED"))
    strange = {
        "marketplace": DE, "amount": "-4.00", "transaction_type": "other-transaction",
        "amount_type": "other-transaction", "description": "Moon Fee", "told_as": "ServiceFee",
        "described": "FBAMoonBilling", "broken_down": "FBAMoonFee",
    }  # fmt: skip
    answer = await caller.http.post("/_control/settlements/charges", json=strange)
    assert answer.status_code == 201, answer.text
    [fee] = [each for each in await listed(caller) if each["transactionType"] == "ServiceFee"]
    assert (fee["description"], fee["totalAmount"]["currencyAmount"]) == ("FBAMoonBilling", -4.0)
    page = read_page(await listed(caller), NAMES)
    assert [str(one) for one in page.sightings] == ["ServiceFee / FBAMoonFee"]
    answer = await caller.http.post("/_control/settlements", json={"fees": False})
    [settlement] = answer.json()
    rows = (await caller.control(f"settlements/{settlement['settlementId']}"))["lines"]
    assert "Moon Fee" in {row["description"] for row in rows}
