"""Which open invoices and credit notes of M3 a settlement's customer payments pay; read only.

Hundreds of orders go in few calls. What is found is kept in the archive a part at a time, so that a crash costs one
part, and what was found first is what is posted.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Final

from activities.archive import Archive, NotArchived
from activities.m3.context import M3Context
from activities.m3.lookup import Found
from activities.m3.programs.payments import InvoiceKey, invoices_of_orders, open_items
from canonical.ids import customer_order_number, is_amazon_order_id
from canonical.settlement.matching import MatchStatus, OpenItem, OrderMatch, Paid, match, remaining
from canonical.settlement.models import ZERO, CustomerPayment
from canonical.settlement_contracts import Matched, MatchRequest

_IN_PART: Final = 500
"""Customer payments in a part of the archive, and more where an order has several."""
_LISTED: Final = 100


async def match_settlement(
    ctx: M3Context, archive: Archive, request: MatchRequest, payments: Iterable[CustomerPayment]
) -> Matched:
    """What the payments pay. Called again it goes on behind the last part, or answers what it found."""
    known = await asyncio.to_thread(_known, archive, request.folder)
    if known is not None:
        return known
    done = len(await asyncio.to_thread(archive.keys, f"{request.folder}/parts"))
    parts = _parts(payments)
    number = 0
    while True:
        part = await asyncio.to_thread(next, parts, None)
        if part is None:
            break
        number += 1
        if number > done:
            found = await _matched(ctx, request, part)
            text = "".join(f"{one.model_dump_json(exclude_defaults=True)}\n" for one in found)
            await archive.keep(_part(request.folder, number), text.encode())
    told = await asyncio.to_thread(_told, archive, request)
    if ctx.options.settlements is not None:
        options = ctx.options.settlements
        told = told.model_copy(update={"batch_lines": options.batch_lines, "on_account": options.on_account})
    await archive.keep(f"{request.folder}/matched.json", told.model_dump_json().encode())
    return told


def matches_in(archive: Archive, folder: str) -> Iterator[OrderMatch]:
    """The matches that are in the archive, in their order."""
    for key in archive.keys(f"{folder}/parts"):
        for line in archive.read(key).splitlines():
            yield OrderMatch.model_validate_json(line)


def lines_in(archive: Archive, folder: str) -> Iterator[tuple[OrderMatch, Paid]]:
    """The lines of payment batches that the matches make."""
    for one in matches_in(archive, folder):
        for paid in one.paid:
            yield one, paid


def left_over(archive: Archive, folder: str, posted: int | None = None) -> Iterator[CustomerPayment]:
    """What pays nothing in M3, as payments of their own; with what the lines behind the first `posted` were to pay."""
    lines = 0
    for one in matches_in(archive, folder):
        rest = one.rest
        for paid in one.paid:
            lines += 1
            if posted is not None and lines > posted:
                rest += paid.amount
        if rest:
            yield CustomerPayment(
                order_id=one.order_id,
                kind=one.kind,
                marketplace=one.marketplace,
                amount=rest,
                parts={},
                shipments={},
                row=one.row,
            )


def _part(folder: str, number: int) -> str:
    return f"{folder}/parts/{number:05d}.jsonl"


def _known(archive: Archive, folder: str) -> Matched | None:
    try:
        return Matched.model_validate_json(archive.read(f"{folder}/matched.json"))
    except NotArchived:
        return None


def _parts(payments: Iterable[CustomerPayment]) -> Iterator[list[CustomerPayment]]:
    part: list[CustomerPayment] = []
    for _, group in groupby(payments, key=lambda each: each.order_id):
        part += group
        if len(part) >= _IN_PART:
            yield part
            part = []
    if part:
        yield part


async def _matched(
    ctx: M3Context, request: MatchRequest, payments: Sequence[CustomerPayment]
) -> list[OrderMatch]:
    ids = list(dict.fromkeys(each.order_id for each in payments if is_amazon_order_id(each.order_id)))
    items, unknown = await _items(ctx, request, ids)
    found = []
    for payment in payments:
        mine = items.get(payment.order_id, [])
        why = unknown.get(payment.order_id, f"{payment.order_id} is no Amazon order of M3's.")
        one = match(payment, mine, request.currency, why)
        items[payment.order_id] = remaining(mine, one)
        found.append(one)
    return found


async def _items(
    ctx: M3Context, request: MatchRequest, order_ids: Sequence[str]
) -> tuple[dict[str, list[OpenItem]], dict[str, str]]:
    """What is posted of each order, and why of the others nothing is known."""
    if not order_ids:
        return {}, {}
    cuors = {order_id: customer_order_number(order_id) for order_id in order_ids}
    orders = await ctx.lookup(request.marketplace_id).find_many(list(cuors.values()))
    numbers = [order.orno for each in orders.values() for order in each.orders]
    divisions = {order.orno: order.division for each in orders.values() for order in each.orders}
    invoices = await invoices_of_orders(ctx.client, numbers)
    items: dict[str, list[OpenItem]] = {}
    unknown: dict[str, str] = {}
    posted = await _posted(ctx, invoices, divisions)
    for order_id, cuor in cuors.items():
        mine = [item for order in orders[cuor].orders for item in posted.get(order.orno, [])]
        items[order_id] = mine
        if not mine:
            unknown[order_id] = _why(orders[cuor], sum(len(invoices[o.orno]) for o in orders[cuor].orders))
    return items, unknown


async def _posted(
    ctx: M3Context, invoices: dict[str, list[InvoiceKey]], divisions: dict[str, str]
) -> dict[str, list[OpenItem]]:
    by_division: dict[str, list[tuple[str, InvoiceKey]]] = {}
    for orno, keys in invoices.items():
        division = divisions.get(orno) or ctx.options.division
        by_division.setdefault(division, []).extend((orno, key) for key in keys)
    found: dict[str, list[OpenItem]] = {}
    for division, pairs in by_division.items():
        totals = await open_items(ctx.client, [key for _, key in pairs], division)
        for (orno, _), item in zip(pairs, totals, strict=True):
            if item is not None:
                found.setdefault(orno, []).append(item)
    return found


def _why(orders: Found, invoices: int) -> str:
    if not orders.orders:
        return "M3 has only a temporary order of it." if orders.batches else "M3 has no such order."
    numbers = ", ".join(order.orno for order in orders.orders)
    if invoices:
        return f"The invoice of M3 order {numbers} is not posted to receivables yet."
    return f"M3 order {numbers} is not invoiced."


def _told(archive: Archive, request: MatchRequest) -> Matched:
    orders: dict[MatchStatus, int] = {}
    amounts: dict[MatchStatus, Decimal] = {}
    listed: list[OrderMatch] = []
    lines, pays, rest, rest_orders, left = 0, ZERO, ZERO, 0, ZERO
    for one in matches_in(archive, request.folder):
        orders[one.status] = orders.get(one.status, 0) + 1
        amounts[one.status] = amounts.get(one.status, ZERO) + one.amount
        lines += len(one.paid)
        pays += sum((paid.amount for paid in one.paid), ZERO)
        rest += one.rest
        left += one.left
        rest_orders += bool(one.rest)
        if one.status is not MatchStatus.MATCHED and len(listed) < _LISTED:
            listed.append(one)
    return Matched(
        folder=request.folder,
        number=request.number,
        before=request.before,
        before_lines=request.posted if request.before else 0,
        orders=orders,
        amounts=amounts,
        lines=lines,
        pays=pays,
        rest=rest,
        rest_orders=rest_orders,
        left=left,
        listed=tuple(listed),
    )
