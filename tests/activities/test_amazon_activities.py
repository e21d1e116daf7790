"""The Amazon activities against the pretended Amazon: what is done, held and tried again."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError

from activities.amazon.activities import AmazonActivities
from activities.amazon.checks import check_amazon
from activities.amazon.shipments import ship_date
from canonical.activity_contracts import HELD, ConfirmShipmentRequest, FetchOrderRequest, OrderRef
from canonical.audit_contracts import AuditAmazonPageRequest
from canonical.held import HeldReason
from canonical.order import Order, Package
from canonical.profile import MarketplaceProfile
from tests.activities.amazon_world import DE, EU, Amazon, amazon, attempt, hold_of, listed, profile

UNKNOWN = "028-0000000-0000000"
LONG_AGO = datetime.now(UTC) - timedelta(days=3)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Amazon]:
    async with amazon(tmp_path, orders=60) as running:
        yield running


def activities_of(world: Amazon, *profiles: MarketplaceProfile) -> AmazonActivities:
    used = profiles or (profile(),)
    return AmazonActivities({EU.seller_id: world.client()}, {each.marketplace_id: each for each in used})


async def fetch(world: Amazon, order_id: str, number: int = 1) -> Order:
    request = FetchOrderRequest(seller_id=EU.seller_id, order_id=order_id)
    return await attempt(number).run(activities_of(world).fetch_order, request)


async def unshipped(world: Amazon) -> str:
    rows = await listed(
        world,
        sellerId=EU.seller_id,
        marketplaceId=DE.marketplace_id,
        fulfilledBy="MERCHANT",
        status="UNSHIPPED",
    )
    return str(rows[0]["orderId"])


async def shipment_of(
    world: Amazon, *, carrier: str = "DHL", tracking: str = "JD0001"
) -> ConfirmShipmentRequest:
    order = await fetch(world, await unshipped(world))
    return ConfirmShipmentRequest(
        ref=OrderRef(seller_id=order.seller_id, order_id=order.order_id, marketplace_id=order.marketplace_id),
        package=Package(
            reference="101",
            carrier=carrier,
            tracking_number=tracking,
            shipped_at=datetime.now(UTC),
            items={line.order_item_id: line.quantity for line in order.lines},
        ),
        order_created=order.created,
    )


async def packages(world: Amazon, order_id: str) -> list[dict[str, object]]:
    answer = await world.http.get(f"{world.url}/_control/orders/{order_id}")
    found: list[dict[str, object]] = answer.json()["order"].get("packages", [])
    return found


async def test_an_order_is_read_with_its_money_and_address(world: Amazon) -> None:
    order_id = await unshipped(world)
    order = await fetch(world, order_id)
    assert order.order_id == order_id
    assert order.grand_total is not None
    assert isinstance(order.grand_total.amount, Decimal)
    assert order.ship_to is not None
    assert order.ship_to.country


async def test_quota_is_tried_again_when_the_next_call_is_due(world: Amazon) -> None:
    await world.fault("status_429", "getOrder")
    with pytest.raises(ApplicationError) as raised:
        await fetch(world, UNKNOWN)
    error = raised.value
    assert (error.type, error.next_retry_delay) == ("amazon_quota", timedelta(seconds=2))
    assert not error.non_retryable
    assert "request id" in error.message


@pytest.mark.parametrize("action", ["html_503", "empty_200", "drop", "status_500", "status_504"])
@pytest.mark.parametrize("number", [1, 9])
async def test_no_usable_answer_is_always_tried_again(world: Amazon, action: str, number: int) -> None:
    await world.fault(action, "getOrder")
    with pytest.raises(ApplicationError) as raised:
        await fetch(world, UNKNOWN, number)
    assert (raised.value.type, raised.value.non_retryable) == ("amazon_unavailable", False)
    assert UNKNOWN in raised.value.message


async def test_a_refusal_is_believed_at_the_third_attempt(world: Amazon) -> None:
    await world.fault("token_expiry", "getOrder", times=4)
    with pytest.raises(ApplicationError) as early:
        await fetch(world, UNKNOWN, 2)
    assert early.value.type == "amazon_unavailable"
    with pytest.raises(ApplicationError) as raised:
        await fetch(world, UNKNOWN, 3)
    hold = hold_of(raised)
    assert (raised.value.type, raised.value.non_retryable) == (HELD, True)
    assert (hold.reason, hold.system, hold.code) == (
        HeldReason.AMAZON_NOT_AUTHORISED,
        "Amazon",
        "Unauthorized",
    )
    assert hold.request_id in hold.sentence


async def test_a_dead_refresh_token_is_held_at_once(world: Amazon) -> None:
    broken = AmazonActivities({EU.seller_id: world.client(secret="no")}, {})
    with pytest.raises(ApplicationError) as raised:
        await attempt(1).run(broken.fetch_order, FetchOrderRequest(seller_id=EU.seller_id, order_id=UNKNOWN))
    assert hold_of(raised).reason is HeldReason.AMAZON_NOT_AUTHORISED
    assert hold_of(raised).code == "invalid_client"


async def test_an_order_amazon_does_not_know_is_held_after_patience(world: Amazon) -> None:
    with pytest.raises(ApplicationError) as early:
        await fetch(world, UNKNOWN)
    assert early.value.type == "amazon_unavailable"
    with pytest.raises(ApplicationError) as raised:
        await fetch(world, UNKNOWN, 3)
    assert hold_of(raised).reason is HeldReason.ORDER_INCOMPLETE


async def test_an_unknown_seller_is_held(world: Amazon) -> None:
    with pytest.raises(ApplicationError) as raised:
        await attempt(1).run(
            activities_of(world).fetch_order, FetchOrderRequest(seller_id="A1NOBODY", order_id=UNKNOWN)
        )
    assert hold_of(raised).reason is HeldReason.NOT_CONFIGURED


async def test_a_package_is_confirmed_once_and_again_without_harm(world: Amazon) -> None:
    request = await shipment_of(world)
    confirm = activities_of(world).confirm_shipment
    result = await attempt(1).run(confirm, request)
    assert (result.reference, result.already_known) == ("101", False)
    again = await attempt(1).run(confirm, request)
    assert not again.already_known
    (package,) = await packages(world, request.ref.order_id)
    assert (package["packageReferenceId"], package["carrier"], package["trackingNumber"]) == (
        "101",
        "DHL",
        "JD0001",
    )


@pytest.mark.parametrize("action", ["drop", "status_504"])
async def test_a_lost_reply_leaves_one_package(world: Amazon, action: str) -> None:
    request = await shipment_of(world)
    confirm = activities_of(world).confirm_shipment
    await world.fault(action, "confirmShipment", when="after")
    with pytest.raises(ApplicationError) as raised:
        await attempt(1).run(confirm, request)
    assert raised.value.type == "amazon_unavailable"
    result = await attempt(2).run(confirm, request)
    assert result.already_known
    assert len(await packages(world, request.ref.order_id)) == 1
    assert len(await world.calls("confirmShipment")) == 1


async def test_work_not_done_before_a_lost_reply_is_done_at_the_retry(world: Amazon) -> None:
    request = await shipment_of(world)
    confirm = activities_of(world).confirm_shipment
    await world.fault("drop", "confirmShipment")
    with pytest.raises(ApplicationError):
        await attempt(1).run(confirm, request)
    assert not (await attempt(2).run(confirm, request)).already_known
    assert len(await packages(world, request.ref.order_id)) == 1


async def test_a_parcel_a_person_confirmed_is_known(world: Amazon) -> None:
    request = await shipment_of(world)
    confirm = activities_of(world).confirm_shipment
    by_hand = request.model_copy(update={"package": request.package.model_copy(update={"reference": "7"})})
    await attempt(1).run(confirm, by_hand)
    assert (await attempt(1).run(confirm, request)).already_known
    assert [package["packageReferenceId"] for package in await packages(world, request.ref.order_id)] == ["7"]


async def test_another_parcel_of_a_shipped_order_is_refused(world: Amazon) -> None:
    request = await shipment_of(world)
    confirm = activities_of(world).confirm_shipment
    await attempt(1).run(confirm, request)
    other = request.package.model_copy(update={"reference": "201", "tracking_number": "JD0002"})
    with pytest.raises(ApplicationError) as raised:
        await attempt(1).run(confirm, request.model_copy(update={"package": other}))
    hold = hold_of(raised)
    assert (hold.reason, hold.code) == (HeldReason.SHIPMENT_REFUSED, "InvalidInput")
    assert hold.request_id
    assert hold.request_id in hold.sentence
    assert "package 201" in hold.sentence


async def test_an_unknown_forwarder_is_held_without_a_call(world: Amazon) -> None:
    request = await shipment_of(world, carrier="XYZ")
    with pytest.raises(ApplicationError) as raised:
        await attempt(1).run(activities_of(world).confirm_shipment, request)
    assert hold_of(raised).reason is HeldReason.CARRIER_UNKNOWN
    assert "XYZ" in hold_of(raised).sentence
    assert await world.calls("confirmShipment") == []


async def test_a_parcel_without_tracking_number_is_held_or_sent_as_configured(world: Amazon) -> None:
    request = await shipment_of(world, tracking=" ")
    with pytest.raises(ApplicationError) as raised:
        await attempt(1).run(activities_of(world).confirm_shipment, request)
    assert hold_of(raised).field == "trackingNumber"
    configured = activities_of(world, profile(untracked="UNTRACKED"))
    await attempt(1).run(configured.confirm_shipment, request)
    assert (await packages(world, request.ref.order_id))[0]["trackingNumber"] == "UNTRACKED"


async def test_a_date_without_a_time_is_not_before_the_purchase(world: Amazon) -> None:
    request = await shipment_of(world)
    midnight = request.order_created.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    early = request.package.model_copy(update={"shipped_at": midnight})
    await attempt(1).run(activities_of(world).confirm_shipment, request.model_copy(update={"package": early}))
    assert len(await packages(world, request.ref.order_id)) == 1


def test_a_ship_date_lies_between_purchase_and_now() -> None:
    bought = datetime(2026, 11, 1, 12, tzinfo=UTC)
    now = datetime(2026, 11, 3, 12, tzinfo=UTC)
    assert ship_date(datetime(2026, 11, 1, tzinfo=UTC), bought, now) == bought
    assert ship_date(datetime(2026, 11, 2, tzinfo=UTC), bought, now) == datetime(2026, 11, 2, tzinfo=UTC)
    assert ship_date(datetime(2026, 11, 9, tzinfo=UTC), bought, now) == now


async def test_the_audit_page_has_every_order_and_no_address(world: Amazon) -> None:
    result = await attempt(1).run(
        activities_of(world).audit_amazon_page,
        AuditAmazonPageRequest(seller_id=EU.seller_id, created_after=LONG_AGO),
    )
    rows = {str(row["orderId"]): row for row in await listed(world, sellerId=EU.seller_id)}
    sold = {order.order_id: order for order in result.orders if order.sales_channel == "AMAZON"}
    assert sold.keys() <= rows.keys()
    assert len(sold) > 10
    for order_id, order in sold.items():
        items = rows[order_id]["items"]
        assert isinstance(items, list)
        assert order.ordered == sum(item["quantityOrdered"] for item in items)
        assert order.fulfilled == sum(item["quantityFulfilled"] for item in items)
    priced = [order for order in sold.values() if order.expected_total]
    assert priced
    assert all(order.currency for order in priced)


async def test_doctor_finds_a_working_seller(world: Amazon) -> None:
    checks = await check_amazon({EU.seller_id: world.client()})
    assert [check.ok for check in checks] == [True, True, True]


async def test_doctor_says_what_is_wrong(world: Amazon) -> None:
    (token,) = await check_amazon({EU.seller_id: world.client(secret="no")})
    assert not token.ok
    assert "invalid_client" in token.sentence
    checks = await check_amazon({EU.seller_id: world.client(marketplace_ids=["ATVPDKIKX0DER"])})
    wrong = next(check for check in checks if "marketplaces" in check.name)
    assert not wrong.ok
    assert "ATVPDKIKX0DER" in wrong.sentence
    await world.fault("token_expiry", "searchOrders", times=2)
    checks = await check_amazon({EU.seller_id: world.client()})
    assert [check.ok for check in checks] == [True, True, False]
    assert "role" in checks[-1].sentence


async def test_doctor_looks_at_what_stock_takes_where_it_is_pushed(world: Amazon) -> None:
    checks = await check_amazon({EU.seller_id: world.client()}, stock=True)
    assert [check.ok for check in checks] == [True] * 5
    for operation, name in (("getListingsItem", "Amazon listings"), ("getFeeds", "Amazon feeds")):
        await world.fault("forbidden_no_body", operation, times=2)
        checks = await check_amazon({EU.seller_id: world.client()}, stock=True)
        [wrong] = [check for check in checks if not check.ok]
        assert wrong.name == f"{name} {EU.seller_id}"
        assert "the role Product Listing" in wrong.sentence
