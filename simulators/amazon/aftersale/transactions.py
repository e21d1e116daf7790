"""listTransactions (Finances 2024-06-19): shipments and refunds as transactions.

Facts: Amazon's model, and a published transaction of a Swedish shipment: an item's breakdowns are trees whose nodes
repeat the sums of their children, and the transaction repeats its items' sums once more under Sales and Expenses;
amounts are JSON numbers. Its names are not the settlement's (other transactions that sellers published). A deferred
transaction stays, as DEFERRED_RELEASED, when a second one releases it; pages may be empty; a window of more than 180
days is empty; one financial event group is one settlement. Inferred: the names of the groups TaxWithheld and Other, of
the tax on a discount, that a refund has the shipment's names with the sign turned, that quantityShipped says the
refunded units, how often pages are empty (after every full one), that what will be settled next is in a group already.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from starlette.requests import Request

from simulators import catalogue
from simulators.amazon.aftersale.amounts import FEES, WITHHELD, total
from simulators.amazon.aftersale.events import events_of, number_of
from simulators.amazon.aftersale.paging import position, token
from simulators.amazon.aftersale.postings import Part, Posting, postings_of
from simulators.amazon.auth import Caller
from simulators.amazon.clock import iso
from simulators.amazon.query import moment
from simulators.amazon.settlements.money import Money, charged, reimbursement, withheld
from simulators.amazon.wire import JsonObject, invalid
from simulators.amazon.world import World

PAGE = 20
LONGEST_MS = 180 * 24 * 3600 * 1000
DEFERRED_DAYS = 7


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
        for posting in postings_of(record):
            if posting.told_ms <= latest_ms:
                yield from _told(world, posting, latest_ms)
        for event in events_of(record, "reimburse"):
            money = reimbursement(record, event)
            if event.told_ms <= latest_ms and record.by_amazon and money.currency:
                yield event.at_ms, _plain(world, money)
    for charge in world.settlements.charges(seller_id):
        if charge.at_ms <= latest_ms:
            yield charge.at_ms, _plain(world, charged(charge))


def _told(world: World, posting: Posting, latest_ms: int) -> Iterator[tuple[int, JsonObject]]:
    first = _transaction(world, posting, posting.transaction_id, posting.at_ms)
    if not posting.deferral:
        yield posting.at_ms, first
        return
    maturity = iso(posting.at_ms + DEFERRED_DAYS * 24 * 3600 * 1000)
    first["contexts"] = [
        {"contextType": "DeferredContext", "deferralReason": posting.deferral, "maturityDate": maturity}
    ]
    released_ms = posting.counts_ms(latest_ms)
    if released_ms is None:
        yield posting.at_ms, first | {"transactionStatus": "DEFERRED"}
        return
    second = _transaction(world, posting, posting.counting_id, released_ms)
    second["relatedIdentifiers"].append(_related("DEFERRED_TRANSACTION_ID", posting.transaction_id))
    first["relatedIdentifiers"].append(_related("RELEASE_TRANSACTION_ID", posting.counting_id))
    yield posting.at_ms, first | {"transactionStatus": "DEFERRED_RELEASED"}
    yield released_ms, second


def _related(name: str, value: str) -> JsonObject:
    return {"relatedIdentifierName": name, "relatedIdentifierValue": value}


def _transaction(world: World, posting: Posting, transaction_id: str, at_ms: int) -> JsonObject:
    record, currency = posting.record, posting.currency
    items = [_item(posting, part, currency) for part in posting.parts]
    parts = [node for item in items for node in item["breakdowns"]]
    fees = [node for node in parts if node["breakdownType"] == FEES]
    sales = [node for node in parts if node["breakdownType"] != FEES]
    related = [_related("ORDER_ID", record.order_id)]
    if posting.kind == "Refund":
        related.append(_related("REFUND_ID", str(number_of(record.order_id, *posting.about, "id"))))
    else:
        related.append(_related("SHIPMENT_ID", posting.shipment_id))
    channel = record.body["salesChannel"]
    return {
        **_frame(world, record.seller_id, channel, posting.counting_id, related),
        "transactionType": posting.kind,
        "transactionId": transaction_id,
        "description": {"Refund": "Refund Order"}.get(posting.kind, "Order Payment"),
        "postedDate": iso(at_ms),
        "totalAmount": _currency(posting.total, currency),
        "items": items,
        "breakdowns": [_flat("Sales", sales, currency), _flat("Expenses", fees, currency)],
    }


def _plain(world: World, money: Money) -> JsonObject:
    """A transaction that is about no item: a fee of the account, a reimbursement."""
    line = money.lines[0]
    market = catalogue.MARKETPLACE_BY_ID.get(money.marketplace_id)
    name = market.sales_channel if market is not None else ""
    channel = {"marketplaceId": money.marketplace_id, "marketplaceName": name}
    related = [_related("ORDER_ID", line.order_id)] if line.order_id else []
    wrapper, other = ("Sales", "Expenses") if line.amount > 0 else ("Expenses", "Sales")
    leaf = _node(money.broken_down, {"Base": line.amount, "Tax": Decimal(0)}, money.currency)
    inner = [_over(FEES, [leaf], money.currency)] if money.told_as == "ServiceFee" else [leaf]
    return {
        **_frame(world, money.seller_id, channel, money.transaction_id, related),
        "transactionType": money.told_as,
        "transactionId": money.transaction_id,
        "description": money.described,
        "postedDate": iso(money.at_ms),
        "totalAmount": _currency(line.amount, money.currency),
        "items": [],
        "breakdowns": [_over(wrapper, inner, money.currency), _over(other, [], money.currency)],
    }


def _frame(
    world: World, seller_id: str, channel: JsonObject, counting_id: str, related: list[JsonObject]
) -> JsonObject:
    """What every transaction has; the group of its settlement, and the settlement once there is one."""
    marketplace_id = channel.get("marketplaceId", "")
    group, settlement_id = world.settlements.group_of(seller_id, marketplace_id, counting_id)
    related.append(_related("FINANCIAL_EVENT_GROUP_ID", group))
    if settlement_id:
        related.append(_related("SETTLEMENT_ID", settlement_id))
    return {
        "sellingPartnerMetadata": {
            "sellingPartnerId": seller_id,
            "accountType": "Standard Orders",
            "marketplaceId": marketplace_id,
        },
        "transactionStatus": "RELEASED",
        "marketplaceDetails": {
            "marketplaceId": marketplace_id,
            "marketplaceName": channel.get("marketplaceName", ""),
        },
        "relatedIdentifiers": related,
        "contexts": [],
    }


def _item(posting: Posting, part: Part, currency: str) -> JsonObject:
    sign = -1 if posting.kind == "Refund" else 1
    product = part.item["product"]
    groups = part.groups
    if WITHHELD in groups:
        groups = groups | {WITHHELD: withheld(posting.record, part, refund=sign < 0)}
    return {
        "description": product.get("title", ""),
        "totalAmount": _currency(total(part.groups), currency),
        "relatedIdentifiers": [
            {
                "itemRelatedIdentifierName": "ORDER_ADJUSTMENT_ITEM_ID",
                "itemRelatedIdentifierValue": str(number_of(part.item["orderItemId"], sign)),
            }
        ],
        "breakdowns": [_group(kind, leaves, currency) for kind, leaves in groups.items()],
        "contexts": [
            {
                "contextType": "ProductContext",
                "asin": product.get("asin", ""),
                "sku": product.get("sellerSku", ""),
                "quantityShipped": part.units,
            }
        ],
    }


def _group(kind: str, leaves: dict[str, Decimal], currency: str) -> JsonObject:
    """A kind of amount; each fee has its base and its tax below it."""
    if kind != FEES:
        return _node(kind, leaves, currency)
    fees = [_node(name, {"Base": amount, "Tax": Decimal(0)}, currency) for name, amount in leaves.items()]
    return _over(kind, fees, currency)


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
