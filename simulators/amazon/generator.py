"""Orders as buyers place them, invented by seed: the same seed and number always make the same order.

The shares below are chosen for a lively world, not measured; each is named so that a test can rely on it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from simulators import assortment, catalogue
from simulators.amazon import people
from simulators.amazon.clock import iso
from simulators.amazon.prices import LinePrice, add_up, cents, money, proceeds
from simulators.amazon.record import Event, OrderRecord
from simulators.amazon.stories import Story, story_of
from simulators.amazon.wire import JsonObject

BUSINESS_SHARE = 0.08
GIFT_SHARE = 0.08
SHIPPING_SHARE = 0.35
DISCOUNT_SHARE = 0.12
UNEVEN_SHARE = 0.2
"""Of the lines with several units: those whose amount cannot be divided by the quantity."""
VAT_SHOWN_SHARE = 0.8
"""Of the orders in VAT countries: those in which Amazon tells the tax inside the prices."""
SALES_TAX = {
    "US": (Decimal(0), Decimal("6.5"), Decimal("8.875"), Decimal("10.1")),
    "CA": (Decimal(5), Decimal(13), Decimal("14.975")),
}
ID_PREFIXES = {
    "eu": ("302", "303", "304", "305", "028", "202", "204", "402"),
    "na": ("111", "112", "113", "701"),
}
DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True)
class Circumstances:
    """What an order needs to know of the world it is placed in."""

    now_ms: int
    pace: float = 1.0
    trouble_share: float = 0.0
    earlier_order_id: str | None = None
    """An order of the same seller that a replacement can refer to."""


def seller_for(seed: int, number: int) -> catalogue.Seller:
    """Whose order this one will be."""
    return Random(f"{seed}/{number}/seller").choices(catalogue.SELLERS, weights=(3, 2))[0]  # noqa: S311


def make_order(seed: int, number: int, world: Circumstances) -> OrderRecord:
    """The order with this number in the world of this seed."""
    seller = seller_for(seed, number)
    random = Random(f"{seed}/{number}")  # noqa: S311 - invented orders, no secrets
    market = random.choice(seller.marketplaces)
    story = story_of(random, seller.region, world.trouble_share)
    order_id = _order_id(seed, number, random.choice(ID_PREFIXES[seller.region]))
    business = random.random() < BUSINESS_SHARE
    items = [
        _line(
            random, story, market, item, business=business, line_id=f"{int(order_id[-7:]):07d}{position:07d}"
        )
        for position, item in enumerate(_goods(random, story), start=1)
    ]
    address = _address(random, story, market.country)
    body: JsonObject = {
        "orderId": order_id,
        "createdTime": iso(world.now_ms),
        "lastUpdatedTime": iso(world.now_ms),
        "salesChannel": {
            "channelName": "AMAZON",
            "marketplaceId": market.marketplace_id,
            "marketplaceName": market.sales_channel,
        },
        "buyer": _buyer(random, market, address, business=business),
        "recipient": {"deliveryAddress": address},
        "fulfillment": _fulfillment(random, story, world.now_ms),
        "orderItems": items,
    }
    programs = _programs(random, story, business=business)
    if programs:
        body["programs"] = programs
    add_up(body)
    _pay(random, body, business=business)
    if story.kind == "multi_channel":
        _make_multi_channel(random, body, order_id)
    if story.kind == "replacement":
        original = world.earlier_order_id or _order_id(seed, -number - 1, order_id[:3])
        body["associatedOrders"] = [{"orderId": original, "associationType": "REPLACEMENT_ORIGINAL_ID"}]
    if story.planted == "order_incomplete":
        del body["recipient"]
    record = OrderRecord(seller.seller_id, body, world.now_ms, world.now_ms, planted=story.planted)
    units = {item["orderItemId"]: int(item["quantityOrdered"]) for item in items}
    record.events = _events(story, units, world)
    return record


def _order_id(seed: int, number: int, prefix: str) -> str:
    digest = hashlib.blake2b(f"{seed}/{number}".encode(), digest_size=8).digest()
    digits = f"{int.from_bytes(digest, 'big') % 10**14:014d}"
    return f"{prefix}-{digits[:7]}-{digits[7:]}"


def _goods(random: Random, story: Story) -> list[assortment.Item]:
    count = random.choices((1, 2, 3, 4), weights=(60, 24, 11, 5))[0]
    goods = random.sample(assortment.ORDINARY_ITEMS, count)
    if story.sku is not None:
        goods[random.randrange(count)] = assortment.ITEM_BY_SKU[story.sku]
    return goods


def _line(
    random: Random,
    story: Story,
    market: catalogue.Marketplace,
    item: assortment.Item,
    *,
    business: bool,
    line_id: str,
) -> JsonObject:
    quantity = random.choices((1, 2, 3, 4, 5), weights=(68, 16, 8, 4, 4))[0]
    if story.kind in ("partial", "quantity_changed"):
        quantity = max(2, quantity)
    price = _price(random, story, item, quantity)
    included = market.vat_percent > 0
    percent = market.vat_percent if included else random.choice(SALES_TAX[market.country])
    if included and random.random() >= VAT_SHOWN_SHARE:
        percent = Decimal(0)
    if story.kind == "replacement":
        percent = Decimal(0)
    line: JsonObject = {
        "orderItemId": line_id,
        "quantityOrdered": quantity,
        "product": {
            "asin": item.asin,
            "title": item.title,
            "sellerSku": item.sku,
            "condition": {"conditionType": "NEW", "conditionSubtype": "NEW"},
            "price": {"unitPrice": money(price.item / quantity, market.currency)},
        },
        "proceeds": proceeds(price, market.currency, percent, included=included),
        "fulfillment": {"quantityFulfilled": 0, "quantityUnfulfilled": quantity},
    }
    if business:
        line["product"]["price"]["priceDesignation"] = "BUSINESS_PRICE"
    if price.discount:
        line["promotion"] = {"breakdowns": [{"promotionId": f"Offer {random.randint(10**6, 10**7)}"}]}
    if price.gift_wrap:
        line["fulfillment"]["packing"] = {
            "giftOption": {"giftMessage": "Enjoy!", "giftWrapLevel": "STANDARD"}
        }
    if percent and not included:
        collector = "Amazon Services, Inc." if market.country == "US" else "Amazon.com.ca ULC"
        line["tax"] = {
            "taxCollections": [{"model": "MARKETPLACE_FACILITATOR", "responsibleParty": collector}]
        }
    return line


def _price(random: Random, story: Story, item: assortment.Item, quantity: int) -> LinePrice:
    if story.kind == "replacement":
        return LinePrice(Decimal(0))
    total = item.price * quantity
    if quantity > 1 and random.random() < UNEVEN_SHARE:
        while total * 100 % quantity == 0:
            total -= Decimal("0.01") * random.randint(1, 3)
    shipping = Decimal(random.choice(("2.99", "3.95", "4.49", "5.90")))
    gift_wrap = Decimal(random.choice(("2.50", "3.99")))
    discount = Decimal(0)
    if random.random() < DISCOUNT_SHARE:
        discount = -cents(total * random.choice((5, 10, 15)) / 100)
    return LinePrice(
        item=total,
        shipping=shipping if random.random() < SHIPPING_SHARE else Decimal(0),
        gift_wrap=gift_wrap if random.random() < GIFT_SHARE else Decimal(0),
        discount=discount,
    )


def _programs(random: Random, story: Story, *, business: bool) -> list[str]:
    programs = ["AMAZON_BUSINESS"] if business else []
    if story.by_amazon and random.random() < 0.6:
        programs.append("PRIME")
    return programs


def _buyer(
    random: Random, market: catalogue.Marketplace, address: JsonObject, *, business: bool
) -> JsonObject:
    domain = market.sales_channel.lower().removeprefix("amazon.")
    buyer: JsonObject = {
        "buyerName": people.name(random, market.country) if random.random() < GIFT_SHARE else address["name"],
        "buyerEmail": f"{random.randbytes(7).hex()}@marketplace.amazon.{domain}",
    }
    if business:
        buyer["buyerCompanyName"] = random.choice(people.COMPANIES[market.country])
        buyer["buyerPurchaseOrderNumber"] = f"PO-{random.randint(1000, 99999)}"
    return buyer


def _address(random: Random, story: Story, country: str) -> JsonObject:
    if story.planted == "address_does_not_fit":
        return people.unfit_address(random, country)
    if story.planted == "address_refused":
        return people.refused_address(random, country)
    return people.address(random, country)


def _fulfillment(random: Random, story: Story, now_ms: int) -> JsonObject:
    levels = (
        ("STANDARD", "EXPEDITED", "SECOND_DAY", "NEXT_DAY") if story.by_amazon else ("STANDARD", "EXPEDITED")
    )
    today = now_ms - now_ms % DAY_MS
    return {
        "fulfillmentStatus": "PENDING" if story.pending else "UNSHIPPED",
        "fulfilledBy": "AMAZON" if story.by_amazon else "MERCHANT",
        "fulfillmentServiceLevel": random.choice(levels),
        "shipByWindow": {
            "earliestDateTime": iso(today),
            "latestDateTime": iso(today + 3 * DAY_MS - 1000),
        },
        "deliverByWindow": {
            "earliestDateTime": iso(today + 2 * DAY_MS),
            "latestDateTime": iso(today + 6 * DAY_MS - 1000),
        },
    }


def _pay(random: Random, body: JsonObject, *, business: bool) -> None:
    method = "Invoice" if business and random.random() < 0.5 else "CreditCard"
    total = body["proceeds"]["grandTotal"]
    body["payment"] = {"paymentExecutions": [{"paymentMethod": method, "paymentAmount": dict(total)}]}


def _make_multi_channel(random: Random, body: JsonObject, order_id: str) -> None:
    """The seller's own shop sold it, Amazon only ships it: no buyer, no money, the shop's number as alias."""
    body["salesChannel"] = {
        **body["salesChannel"],
        "channelName": "NON_AMAZON",
        "marketplaceName": "Non-Amazon",
    }
    body["orderAliases"] = [
        {"aliasId": f"SHOP-{random.randint(10**5, 10**6)}-{order_id[-3:]}", "aliasType": "SELLER_ORDER_ID"}
    ]
    for key in ("buyer", "proceeds", "payment"):
        body.pop(key, None)
    for item in body["orderItems"]:
        for key in ("proceeds", "promotion", "tax"):
            item.pop(key, None)
        item["product"].pop("price", None)


def _events(story: Story, units: dict[str, int], world: Circumstances) -> list[Event]:
    events = []
    for step in story.steps:
        items: dict[str, int] = {}
        if step.type == "ship" and step.first_part:
            items = _first_part(units)
        if step.type == "change_quantity":
            items = {name: count + 1 for name, count in units.items() if count > 1}
        due_ms = world.now_ms + round(step.after_s * world.pace * 1000)
        events.append(Event(due_ms, step.type, items, step.actor))
    return events


def _first_part(units: dict[str, int]) -> dict[str, int]:
    """Roughly half the units, at least one and never all."""
    part = {name: count // 2 for name, count in units.items() if count // 2}
    return part or dict(list(units.items())[:1])
