"""What M3 holds for a list of Amazon orders: read for the audit, in bulk, changing nothing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from activities.m3.context import M3Context
from activities.m3.lookup import Found
from activities.m3.programs.deliveries import CODelivery, co_deliveries
from activities.m3.programs.invoices import InvoiceHead, VoucherSums, invoice_heads, voucher_sums
from activities.m3.programs.orders import OrderLine, lines_of, sales_orders
from canonical.audit_contracts import M3Facts
from canonical.case_audit import CreditsOfOrder
from canonical.ids import customer_order_number

_Key = tuple[str, str]


@dataclass(frozen=True)
class _Books:
    lines: dict[str, tuple[OrderLine, ...]]
    deliveries: dict[str, tuple[CODelivery, ...]]
    invoices: dict[_Key, InvoiceHead]
    vouchers: dict[_Key, VoucherSums]
    """By (VONO, YEA4)."""


async def m3_facts(ctx: M3Context, order_ids: Sequence[str]) -> tuple[M3Facts, ...]:
    """Orders, quantities, deliveries, invoices and vouchers of each Amazon order, in the order asked."""
    cuors = {order_id: customer_order_number(order_id) for order_id in order_ids}
    found = await ctx.lookup().find_many(list(dict.fromkeys(cuors.values())))
    books = await _read(ctx, found)
    return tuple(_facts(order_id, found[cuor], books) for order_id, cuor in cuors.items())


async def missing_credits(ctx: M3Context, orders: Sequence[CreditsOfOrder]) -> tuple[_Key, ...]:
    """Credit invoices (IVNO, YEA4) that M3 does not have, or has over another amount."""
    heads = {head.orno: head for head in await sales_orders(ctx.client, [each.orno for each in orders])}
    wanted: dict[str, dict[_Key, Decimal]] = {}
    for each in orders:
        head = heads.get(each.orno)
        division = (head.division if head is not None else "") or ctx.options.division
        wanted.setdefault(division, {}).update(
            {(credit.ivno, credit.year): credit.amount for credit in each.credits}
        )
    missing: list[_Key] = []
    for division, asked in wanted.items():
        found = await invoice_heads(ctx.client, asked, division)
        missing += [
            key for key, amount in asked.items() if key not in found or found[key].amount.amount != -amount
        ]
    return tuple(missing)


async def _read(ctx: M3Context, found: dict[str, Found]) -> _Books:
    orders = {order.orno: order for each in found.values() for order in each.orders}
    lines = await lines_of(ctx.client, list(orders))
    deliveries = await co_deliveries(ctx.client, list(orders))
    by_division: dict[str, list[_Key]] = {}
    for orno, each in deliveries.items():
        division = orders[orno].division or ctx.options.division
        by_division.setdefault(division, []).extend((d.ivno, d.year) for d in each if d.ivno)
    invoices: dict[_Key, InvoiceHead] = {}
    vouchers: dict[_Key, VoucherSums] = {}
    for division, keys in by_division.items():
        heads = await invoice_heads(ctx.client, keys, division)
        invoices.update(heads)
        wanted = list(dict.fromkeys((h.vono, h.year, division) for h in heads.values() if h.vono))
        sums = await voucher_sums(ctx.client, wanted) if division else {}
        vouchers.update({(vono, year): each for (vono, year, _), each in sums.items()})
    return _Books(lines, deliveries, invoices, vouchers)


def _facts(order_id: str, found: Found, books: _Books) -> M3Facts:
    orders = found.orders
    lines = [line for order in orders for line in books.lines[order.orno]]
    deliveries = [each for order in orders for each in books.deliveries[order.orno]]
    keys = dict.fromkeys((each.ivno, each.year) for each in deliveries if each.ivno)
    invoices = [books.invoices[key] for key in keys if key in books.invoices]
    vouchers = [(invoice.vono, invoice.year) for invoice in invoices if invoice.vono]
    per_delivery = Counter(dlix for dlix, _, _ in {(d.dlix, d.ivno, d.year) for d in deliveries if d.ivno})
    return M3Facts(
        order_id=order_id,
        orders=tuple(order.orno for order in orders),
        temporary=tuple(batch.orno for batch in found.batches),
        total=sum((order.total for order in orders), Decimal(0)) if orders else None,
        currency=orders[0].currency if orders else "",
        ordered=sum(line.quantity for line in lines),
        delivered=sum(line.delivered for line in lines),
        deliveries=tuple(dict.fromkeys(each.dlix for each in deliveries if each.left)),
        invoices=tuple(invoice.ivno for invoice in invoices),
        invoiced=sum((invoice.amount.amount for invoice in invoices), Decimal(0)),
        vouchers=tuple(vono for vono, _ in vouchers),
        unbalanced_vouchers=tuple(
            vono
            for vono, year in vouchers
            if (vono, year) not in books.vouchers or not books.vouchers[vono, year].balanced
        ),
        duplicate_invoices=tuple(dlix for dlix, count in per_delivery.items() if count > 1),
    )
