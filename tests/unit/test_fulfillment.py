"""What a fulfilment order (MCF) is, its ids, its notices, and what of it is configured."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from activities.amazon.fulfillment_activities import without_personal_data
from canonical.fulfillment import (
    FulfillmentShipment,
    FulfillmentSnapshot,
    FulfillmentStatus,
    ShipmentStatus,
)
from canonical.fulfillment_notices import read_fulfillment_notice
from canonical.ids import (
    fulfillment_order_id,
    mcf_message_number,
    mcf_of_workflow,
    mcf_package_number,
    mcf_subject,
    mcf_workflow_id,
    mcf_workflow_of,
)
from canonical.mcf_contracts import FulfillmentChanged, McfOrderInput
from canonical.order import Address
from worker.mcf_settings import McfSettings
from workflows.mcf_state import McfState

ORNO = st.from_regex(r"[A-Z0-9]{1,10}", fullmatch=True)
DLIX = st.integers(1, 99_999_999_999).map(str)


@given(ORNO, DLIX, st.integers(1, 99))
def test_an_id_is_what_amazon_finds_again_and_leads_back_to_its_workflow(
    orno: str, dlix: str, attempt: int
) -> None:
    made = fulfillment_order_id(orno, dlix, attempt)
    assert re.fullmatch(r"[A-Za-z0-9-]{1,40}", made)
    assert mcf_workflow_of(made) == mcf_workflow_id(orno, dlix)
    assert mcf_of_workflow(mcf_workflow_id(orno, dlix)) == (orno, dlix) == mcf_subject(f"{orno}-{dlix}")


@pytest.mark.parametrize("orno", ["00+1", "00 1", "ÄB1", "", "12345678901"])
def test_other_characters_make_no_id(orno: str) -> None:
    with pytest.raises(ValueError, match="makes no fulfilment order id"):
        fulfillment_order_id(orno, "30000001")


@pytest.mark.parametrize(
    "foreign", ["CONSUMER-2026-09-20-0001", "TKS+1", "28-1", "", "028-1234567-8901234-x"]
)
def test_fulfilment_orders_made_elsewhere_are_nobodys_here(foreign: str) -> None:
    found = mcf_workflow_of(foreign)
    assert found is None or foreign == "28-1"


@given(DLIX, st.integers(1, 999), st.text(min_size=1, max_size=60))
def test_numbers_for_m3_fit_their_fields(dlix: str, position: int, parcel: str) -> None:
    assert len(mcf_message_number(dlix, position)) <= 17
    assert len(mcf_package_number(parcel)) <= 20


def snapshot(
    *shipped: dict[str, int], status: FulfillmentStatus = FulfillmentStatus.PROCESSING
) -> FulfillmentSnapshot:
    shipments = tuple(
        FulfillmentShipment(shipment_id=f"D{place}", status=ShipmentStatus.SHIPPED, items=items)
        for place, items in enumerate(shipped)
    )
    pending = FulfillmentShipment(shipment_id="P", status=ShipmentStatus.PENDING, items={"1-0": 9})
    return FulfillmentSnapshot(
        order_id="1-2", status=status, quantities={"1-0": 3, "2-0": 1}, shipments=(*shipments, pending)
    )


def test_only_what_has_left_counts_and_an_order_is_settled_when_all_of_it_has() -> None:
    part = snapshot({"1-0": 1}, {"1-0": 2})
    assert part.shipped == {"1-0": 3}
    assert not part.settled
    assert snapshot({"1-0": 1}, {"1-0": 2, "2-0": 1}).settled
    assert snapshot(status=FulfillmentStatus.UNFULFILLABLE).settled
    assert not FulfillmentSnapshot(order_id="1-2", status=FulfillmentStatus.NEW).settled
    assert snapshot({"1-0": 4}).beyond({"1-0": 3}) == {"1-0": 1}


def news(status: str = "", shipment: str = "", shipment_status: str = "") -> FulfillmentChanged:
    return FulfillmentChanged(
        fulfillment_order_id="1-2", status=status, shipment_id=shipment, shipment_status=shipment_status
    )


@pytest.mark.parametrize(
    ("told", "worth_a_look"),
    [
        (news("PROCESSING", "D0", "SHIPPED"), False),
        (news("Processing", "D0", "shipped"), False),
        (news("PROCESSING", "P", "SHIPPED"), True),
        (news("PROCESSING", "D7", "PENDING"), True),
        (news("COMPLETE"), True),
        (news("COMPLETE_PARTIALLED"), True),
        (news("COMPLETE").model_copy(update={"fulfillment_order_id": "1-3"}), False),
    ],
)
def test_a_notice_is_worth_a_look_where_it_tells_what_the_last_one_did_not_show(
    told: FulfillmentChanged, worth_a_look: bool
) -> None:
    state = McfState.from_input(McfOrderInput(orno="1", dlix="2", seller_id="S", whlo="AFE"))
    state.snapshot = snapshot({"1-0": 1})
    state.take_news(told)
    assert state.news is worth_a_look


def test_amazons_own_example_of_a_notice_is_read(shared: Path) -> None:
    schema = json.loads(
        (shared / "spapi" / "notifications" / "FulfillmentOrderStatusNotification.json").read_text()
    )
    read = read_fulfillment_notice(schema["examples"][0]["Payload"], "d0e9e693")
    assert read is not None
    seller, told = read
    assert seller == "A3TH9S8BH6GOGM"
    assert (told.fulfillment_order_id, told.status) == ("SFOID2345", "PROCESSED")
    assert (told.shipment_id, told.shipment_status) == ("ASID49535", "PROCESSED")
    lower = {"fulfillmentorderstatusnotification": {"sellerfulfillmentorderid": "1-2", "sellerid": "S"}}
    assert read_fulfillment_notice(lower) == ("S", news())
    assert read_fulfillment_notice({"OrderChangeNotification": {}}) is None


def test_nothing_of_an_address_stays_in_amazons_words() -> None:
    address = Address(name="Käthe Schröder", lines=("Am Kirchplatz 1",), city="Köln", postal_code="50667")
    said = "Address Käthe Schröder, Am Kirchplatz 1, 50667 Köln cannot be served (item 1-0)."
    assert without_personal_data(said, address) == "Address …, …, … … cannot be served (item 1-0)."


def test_a_warehouse_of_nobody_is_refused() -> None:
    one = {"seller": "S1", "marketplace": "M1"}
    settings = McfSettings.model_validate({"warehouses": {"AFE": one}})
    settings.refuse_strangers({"S1": ("M1",)})
    for sold_in, words in (({}, "is not configured"), ({"S1": ("M2",)}, "does not sell in")):
        with pytest.raises(ValueError, match=words):
            settings.refuse_strangers(sold_in)  # type: ignore[arg-type]
    with pytest.raises(ValidationError):
        McfSettings.model_validate({"warehouses": {"AFEX": one}})
