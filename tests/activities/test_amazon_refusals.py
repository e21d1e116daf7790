"""Refused shipment confirmations: Amazon's order says what the refusal means, and only then a person is asked."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError

from activities.amazon.client import ShipmentConfirmation
from activities.amazon.failures import AmazonError, Failure
from activities.amazon.refusals import is_passing, refused
from activities.amazon.shipments import is_known
from canonical.held import HeldReason
from canonical.profile import Carrier, MarketplaceProfile
from simulators.amazon.shipments import ALREADY_FULFILLED
from tests.activities.amazon_world import Amazon, amazon, attempt, hold_of, profile
from tests.activities.test_amazon_activities import activities_of, packages, shipment_of

SHIPMENT = ShipmentConfirmation(
    marketplace_id="A1PA6795UKMFR9", reference="101", carrier_code="DHL", carrier_name="", method="",
    tracking_number="JD0001", shipped_at=datetime(2026, 11, 1, tzinfo=UTC), items={"11": 2},
)  # fmt: skip


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Amazon]:
    async with amazon(tmp_path, orders=60) as running:
        yield running


def mapped(carriers: Mapping[str, Carrier]) -> MarketplaceProfile:
    return profile().model_copy(update={"carriers": dict(carriers)})


NOT_FOUND = AmazonError(
    Failure.REFUSED,
    "confirmShipment",
    status=400,
    code="InvalidInput",
    message=ALREADY_FULFILLED,
    request_id="r-1",
)


def at_amazon(left: int, shipped: int, *told: tuple[str, str], status: str = "SHIPPED") -> dict[str, object]:
    return {
        "fulfillment": {"fulfillmentStatus": status},
        "orderItems": [
            {
                "orderItemId": "11",
                "fulfillment": {"quantityUnfulfilled": left, "quantityFulfilled": shipped},
            }
        ],
        "packages": [
            {"packageReferenceId": reference, "trackingNumber": tracking, "carrier": "DHL"}
            for reference, tracking in told
        ],
    }


@pytest.mark.parametrize(
    ("order", "says"),
    [
        (at_amazon(0, 2, ("1", "BYHAND1")), "confirmed to Amazon before, by another hand"),
        (at_amazon(0, 2, ("101", "JD0009")), "a package under this reference, told otherwise"),
        (at_amazon(0, 0, status="CANCELLED"), "Amazon has cancelled the order"),
        (at_amazon(1, 1, status="PARTIALLY_SHIPPED"), "fewer pieces are left to ship"),
    ],
)
def test_the_same_words_of_amazon_mean_what_its_order_says(order: dict[str, object], says: str) -> None:
    assert not is_known(order, SHIPMENT)
    assert not is_passing(order, SHIPMENT, NOT_FOUND)
    hold = refused(order, SHIPMENT, NOT_FOUND, subject="Order X, package 101", carrier="DHL").hold
    assert (hold.reason, hold.request_id) == (HeldReason.SHIPMENT_REFUSED, "r-1")
    assert says in hold.sentence
    assert "JD0" not in hold.sentence.split(". ")[0]
    assert "BYHAND" not in hold.sentence


def test_a_refusal_that_contradicts_the_order_is_tried_again() -> None:
    assert is_passing(at_amazon(2, 0, status="UNSHIPPED"), SHIPMENT, NOT_FOUND)


def test_a_correction_is_known_only_with_its_carrier_under_its_reference() -> None:
    order = at_amazon(0, 2, ("101", "JD0001"))
    assert is_known(order, SHIPMENT, exactly=True)
    assert not is_known(order, replace(SHIPMENT, carrier_code="UPS"), exactly=True)
    assert not is_known(at_amazon(0, 2, ("7", "JD0001")), SHIPMENT, exactly=True)


async def test_a_carrier_code_that_amazon_does_not_know_is_named(world: Amazon) -> None:
    request = await shipment_of(world)
    wrong = activities_of(world, mapped({"DHL": Carrier(code="Pigeon Post")}))
    with pytest.raises(ApplicationError) as raised:
        await attempt(1).run(wrong.confirm_shipment, request)
    hold = hold_of(raised)
    assert hold.reason is HeldReason.CARRIER_UNKNOWN
    assert "'Pigeon Post', to which M3's forwarder DHL is mapped" in hold.sentence
    assert await packages(world, request.ref.order_id) == []


async def test_a_corrected_carrier_is_told_again_after_a_lost_reply(world: Amazon) -> None:
    """The tracking number is there from before: that alone does not show that the correction arrived."""
    request = await shipment_of(world)
    both = activities_of(world, mapped({"DHL": Carrier(code="DHL"), "UPS": Carrier(code="UPS")}))
    await attempt(1).run(both.confirm_shipment, request)
    again = request.model_copy(
        update={"again": True, "package": request.package.model_copy(update={"carrier": "UPS"})}
    )
    await world.fault("drop", "confirmShipment")
    with pytest.raises(ApplicationError):
        await attempt(1).run(both.confirm_shipment, again)
    await attempt(2).run(both.confirm_shipment, again)
    assert carriers(await packages(world, request.ref.order_id)) == ["UPS"]
    known = await attempt(3).run(both.confirm_shipment, again)
    assert known.already_known


def carriers(found: Sequence[dict[str, object]]) -> list[object]:
    return [package["carrier"] for package in found]
