"""listTransactions (Finances 2024-06-19): shipments and refunds as transactions.

Facts: Amazon's model, and a published transaction of a Swedish shipment: an item's breakdowns are trees whose nodes
repeat the sums of their children, and the transaction repeats its items' sums once more under Sales and Expenses;
amounts are JSON numbers. A deferred transaction stays, as DEFERRED_RELEASED, when a second one releases it; pages
may be empty; a window of more than 180 days is empty. Inferred: the names of a refund's breakdowns (the
shipment's, with the sign turned, and RefundCommission for the fee Amazon keeps), that quantityShipped says the
refunded units, and how often pages are empty (after every full one).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from starlette.requests import Request

from simulators.amazon.aftersale.events import AfterSale, events_of, item_of, number_of
from simulators.amazon.aftersale.paging import position, token
from simulators.amazon.auth import Caller
from simulators.amazon.clock import iso
from simulators.amazon.prices import amount_of, cents
from simulators.amazon.query import moment
from simulators.amazon.record import OrderRecord, fulfilled
from simulators.amazon.wire import JsonObject, invalid
from simulators.amazon.world import World

PAGE = 20
LONGEST_MS = 180 * 24 * 3600 * 1000
DEFERRED_DAYS = 7
_COMMISSION = Decimal("0.15")
_KEPT = Decimal("0.20")
_KINDS = {"ITEM": "ProductCharges", "SHIPPING": "Shipping", "GIFT_WRAP": "GiftWrap", "DISCOUNT": "Promotion"}
_LEAVES = {
    "ITEM": "OurPricePrincipal", "SHIPPING": "ShippingPrincipal", "GIFT_WRAP": "GiftWrapPrincipal",
    "DISCOUNT": "PromotionPrincipal",
}  # fmt: skip
_TAXES = {
    "ITEM": "OurPriceTax",
    "SHIPPING": "ShippingTax",
    "GIFT_WRAP": "GiftWrapTax",
    "DISCOUNT": "PromotionTax",
}


def list_transactions(
    world: World, caller: Caller, request: Request, _: bytes, now_ms: int
) -> tuple[int, JsonObject | None]:
    """One page of transactions, oldest first."""
    params = request.query_params
    order_id = params.get("relatedIdentifierValue", "")
    if params.get("relatedIdentifierName") not in (None, "ORDER_ID", "FINANCIAL_EVENT_GROUP_ID"):
        raise invalid("relatedIdentifierName is not one that can be used for filtering.")
    if "postedAfter" not in params and not order_id:
        raise invalid("postedAfter is required when no related identifier is given.")
    latest = now_ms - world.blind_ms
    after = moment(params, "postedAfter") if "postedAfter" in params else 0
    before = moment(params, "postedBefore") if "postedBefore" in params else latest
    if after > latest or before > latest:
        raise invalid(
            "postedAfter and postedBefore must be more than two minutes before the time of the request."
        )
    if before < after:
        raise invalid("postedBefore must be later than postedAfter.")
    place, pause = position(caller.seller_id, request)
    if pause:
        return 200, {"payload": {"transactions": [], "nextToken": token(caller.seller_id, request, place)}}
    found = (
        [] if before - after > LONGEST_MS and not order_id else list(_all(world, caller.seller_id, latest))
    )
    wanted = [
        (told_ms, entry)
        for told_ms, entry in sorted(found, key=lambda pair: (pair[0], pair[1]["transactionId"]))
        if after <= told_ms < before
        and (told_ms, entry["transactionId"]) > place
        and _meets(entry, params.get("marketplaceId"), order_id)
        and params.get("transactionStatus") in (None, entry["transactionStatus"])
    ]
    page = wanted[:PAGE]
    payload: JsonObject = {"transactions": [entry for _, entry in page]}
    if len(wanted) > PAGE:
        told_ms, last = page[-1]
        place = (told_ms, last["transactionId"])
        payload["nextToken"] = token(caller.seller_id, request, place, pause=True)
    return 200, {"payload": payload}


OPERATIONS = (("/finances/2024-06-19/transactions", "GET", "listTransactions", list_transactions),)


def _meets(entry: JsonObject, marketplace_id: str | None, order_id: str) -> bool:
    orders = [each["relatedIdentifierValue"] for each in entry["relatedIdentifiers"]]
    return (not order_id or order_id in orders) and marketplace_id in (
        None,
        entry["marketplaceDetails"]["marketplaceId"],
    )


def _all(world: World, seller_id: str, latest_ms: int) -> Iterator[tuple[int, JsonObject]]:
    """Posted moment and transaction of everything that is told by now."""
    for record in world.index.by_id.values():
        if record.seller_id != seller_id:
            continue
        if any(_sold(item) for item in record.items):
            yield record.updated_ms, _shipment(record)
        for event in events_of(record, "refund"):
            if event.told_ms <= latest_ms:
                yield from _refunds(record, event, latest_ms)


def _sold(item: JsonObject) -> bool:
    """Whether any of it has been sent, at a price: a line that was cancelled has none, and nothing is paid for."""
    return fulfilled(item) > 0 and bool(item.get("proceeds"))


def _shipment(record: OrderRecord) -> JsonObject:
    items = [
        _item(item, fulfilled(item), 1, Decimal(1), shipping=True) for item in record.items if _sold(item)
    ]
    return _transaction(record, "Shipment", "Order Payment", items, record.updated_ms, ("shipment",))


def refunded(record: OrderRecord, event: AfterSale) -> Decimal:
    """What a refund comes to, fees and all; below zero."""
    _, transaction = next(_refunds(record, event, event.told_ms))
    return amount_of_node(transaction["totalAmount"])


def _refunds(record: OrderRecord, event: AfterSale, latest_ms: int) -> Iterator[tuple[int, JsonObject]]:
    item = item_of(record, event)
    items = [_item(item, event.units, -1, event.share, shipping=event.shipping)]
    about = ("refund", event.number)
    refund = _transaction(record, "Refund", "Refund Order", items, event.at_ms, about)
    refund["relatedIdentifiers"].append(_related("REFUND_ID", str(number_of(record.order_id, *about, "id"))))
    if not event.deferred:
        yield event.at_ms, refund
        return
    maturity = iso(event.at_ms + DEFERRED_DAYS * 24 * 3600 * 1000)
    deferral = {"contextType": "DeferredContext", "deferralReason": "DD7", "maturityDate": maturity}
    refund["contexts"] = [deferral]
    released = [each for each in events_of(record, "release") if each.number == event.number]
    if not released or released[0].told_ms > latest_ms:
        yield event.at_ms, refund | {"transactionStatus": "DEFERRED"}
        return
    second = _transaction(record, "Refund", "Refund Order", items, released[0].at_ms, (*about, "released"))
    second["relatedIdentifiers"].append(_related("DEFERRED_TRANSACTION_ID", refund["transactionId"]))
    refund["relatedIdentifiers"].append(_related("RELEASE_TRANSACTION_ID", second["transactionId"]))
    yield event.at_ms, refund | {"transactionStatus": "DEFERRED_RELEASED"}
    yield released[0].at_ms, second


def _related(name: str, value: str) -> JsonObject:
    return {"relatedIdentifierName": name, "relatedIdentifierValue": value}


def _transaction(
    record: OrderRecord,
    kind: str,
    description: str,
    items: list[JsonObject],
    at_ms: int,
    about: tuple[object, ...],
) -> JsonObject:
    channel = record.body["salesChannel"]
    parts = [node for item in items for node in item["breakdowns"]]
    fees = [node for node in parts if node["breakdownType"] == "AmazonFees"]
    sales = [node for node in parts if node["breakdownType"] != "AmazonFees"]
    total = sum((amount_of_node(item["totalAmount"]) for item in items), Decimal(0))
    currency = items[0]["totalAmount"]["currencyCode"]
    return {
        "sellingPartnerMetadata": {
            "sellingPartnerId": record.seller_id,
            "accountType": "Standard Orders",
            "marketplaceId": channel.get("marketplaceId", ""),
        },
        "transactionType": kind,
        "transactionId": f"{number_of(record.order_id, *about):x}",
        "transactionStatus": "RELEASED",
        "description": description,
        "postedDate": iso(at_ms),
        "totalAmount": _currency(total, currency),
        "marketplaceDetails": {
            "marketplaceId": channel.get("marketplaceId", ""),
            "marketplaceName": channel.get("marketplaceName", ""),
        },
        "relatedIdentifiers": [
            _related("ORDER_ID", record.order_id),
            _related("FINANCIAL_EVENT_GROUP_ID", f"{number_of(record.seller_id, at_ms // 1_209_600_000):x}"),
        ],
        "items": items,
        "breakdowns": [_flat("Sales", sales, currency), _flat("Expenses", fees, currency)],
        "contexts": [],
    }  # fmt: skip


def _item(item: JsonObject, units: int, sign: int, share: Decimal, *, shipping: bool) -> JsonObject:
    """The amounts of so many units of an order line; a refund's are the sale's with the sign turned."""
    proceeds = item["proceeds"]
    currency = proceeds["proceedsTotal"]["currencyCode"]
    ordered = max(int(item["quantityOrdered"]), 1)
    parts, taxes = _parts(proceeds)
    inside = amount_of(proceeds["proceedsTotal"]) == sum(parts.values(), Decimal(0))

    def of(amount: Decimal) -> Decimal:
        return cents(sign * amount * units * share / ordered)

    groups: dict[str, dict[str, Decimal]] = {}
    for name, amount in parts.items():
        if name == "SHIPPING" and not shipping:
            continue
        whole, tax = of(amount), of(taxes.get(name, Decimal(0)))
        groups.setdefault(_KINDS.get(name, "Other"), {})[_LEAVES.get(name, "OtherPrincipal")] = (
            whole - tax if inside else whole
        )
        if tax:
            groups.setdefault("Tax", {})[_TAXES.get(name, "OtherTax")] = tax
    withheld = _facilitated(item)
    if withheld and "Tax" in groups:
        groups["TaxWithheld"] = {
            f"MarketplaceFacilitator{name}": -amount for name, amount in groups["Tax"].items()
        }
    nodes = [_node(kind, leaves, currency) for kind, leaves in groups.items()]
    goods = groups.get("ProductCharges", {}).get("OurPricePrincipal", Decimal(0))
    nodes.append(_fees(goods, sign, currency))
    total = sum((amount_of_node(node["breakdownAmount"]) for node in nodes), Decimal(0))
    product = item["product"]
    return {
        "description": product.get("title", ""),
        "totalAmount": _currency(total, currency),
        "relatedIdentifiers": [
            {
                "itemRelatedIdentifierName": "ORDER_ADJUSTMENT_ITEM_ID",
                "itemRelatedIdentifierValue": str(number_of(item["orderItemId"], sign)),
            }
        ],
        "breakdowns": nodes,
        "contexts": [
            {
                "contextType": "ProductContext",
                "asin": product.get("asin", ""),
                "sku": product.get("sellerSku", ""),
                "quantityShipped": units,
            }
        ],
    }


def _fees(goods: Decimal, sign: int, currency: str) -> JsonObject:
    """The commission, or its return less the part that Amazon keeps."""
    commission = cents(-goods * _COMMISSION)
    leaves = {"Commission": commission}
    if sign < 0:
        leaves["RefundCommission"] = -cents(abs(commission) * _KEPT)
    fees = [_node(name, {"Base": amount, "Tax": Decimal(0)}, currency) for name, amount in leaves.items()]
    return _over("AmazonFees", fees, currency)


def _parts(proceeds: JsonObject) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    parts: dict[str, Decimal] = {}
    taxes: dict[str, Decimal] = {}
    for entry in proceeds.get("breakdowns", []):
        if entry["type"] == "TAX":
            for detail in entry.get("detailedBreakdowns", []):
                taxes[detail["subtype"]] = amount_of(detail["value"])
        else:
            parts[entry["type"]] = amount_of(entry["subtotal"])
    return parts, taxes


def _facilitated(item: JsonObject) -> bool:
    collections = item.get("tax", {}).get("taxCollections", [])
    return any(each.get("model") == "MARKETPLACE_FACILITATOR" for each in collections)


def _node(kind: str, leaves: dict[str, Decimal], currency: str) -> JsonObject:
    nodes = [
        {"breakdownType": name, "breakdownAmount": _currency(amount, currency), "breakdowns": []}
        for name, amount in leaves.items()
    ]
    return _over(kind, nodes, currency)


def _over(kind: str, nodes: list[JsonObject], currency: str) -> JsonObject:
    """A node that repeats the sum of what is below it."""
    total = sum((amount_of_node(node["breakdownAmount"]) for node in nodes), Decimal(0))
    return {"breakdownType": kind, "breakdownAmount": _currency(total, currency), "breakdowns": nodes}


def _flat(kind: str, nodes: list[JsonObject], currency: str) -> JsonObject:
    """The transaction's own summary: the items' sums, without what is below them."""
    return _over(kind, [{**node, "breakdowns": []} for node in nodes], currency)


def _currency(amount: Decimal, currency: str) -> JsonObject:
    return {"currencyAmount": float(amount), "currencyCode": currency}


def amount_of_node(value: JsonObject) -> Decimal:
    """The figure in a Currency of the Finances model."""
    return Decimal(str(value["currencyAmount"]))
