"""Taking an existing M3 order as the order of an Amazon order: read, recognise the lines, compare the
total."""

from activities.m3.client import M3Client
from activities.m3.errors import NotYet
from activities.m3.programs.orders import OrderLine, SalesOrder, order_with_lines
from activities.m3.steps.order_lines import match_lines, wanted_lines
from canonical.activity_contracts import SalesOrderResult
from canonical.held import HeldReason, held
from canonical.money import Money
from canonical.order import Order
from canonical.profile import MarketplaceProfile


async def adopt(
    client: M3Client,
    orno: str,
    order: Order,
    items: dict[str, str],
    *,
    profile: MarketplaceProfile,
    expected: Money,
    accept_difference: bool,
) -> SalesOrderResult:
    """Customer order `orno` as the result of booking `order`.

    Raises `OrderHeld` (total_differs) where lines or total are not Amazon's and nobody accepted that: the
    order exists and stays. Raises `NotYet` where M3 does not show the order yet.
    """
    head, lines = await order_with_lines(client, orno)
    if head is None:
        raise NotYet(
            f"M3 has created order {orno} for Amazon order {order.order_id} but does not show it yet."
        )
    matching = match_lines(wanted_lines(order, items), lines)
    if not accept_difference:
        if matching.differences:
            raise held(
                HeldReason.TOTAL_DIFFERS,
                f"M3 order {orno} for Amazon order {order.order_id} has other lines than Amazon's: "
                f"{'; '.join(matching.differences)}.",
                system="M3",
            )
        compare_total(head, lines, order, expected, profile)
    return SalesOrderResult(
        orno=orno,
        cuno=head.cuno,
        lines=tuple(matching.lines),
        total=Money(amount=head.total, currency=head.currency),
        expected=expected,
    )


def compare_total(
    head: SalesOrder,
    lines: tuple[OrderLine, ...],
    order: Order,
    expected: Money,
    profile: MarketplaceProfile,
) -> None:
    """Raises `OrderHeld` (total_differs) where M3's total is not the expected one, within the tolerance."""
    difference = head.total - expected.amount
    if head.currency == expected.currency and abs(difference) <= profile.tolerance:
        return
    told = f"{head.total} {head.currency}"
    gap = f", {difference:+} {expected.currency}" if head.currency == expected.currency else ""
    raise held(
        HeldReason.TOTAL_DIFFERS,
        f"M3 order {head.orno} ({len(lines)} lines) totals {told}, Amazon order {order.order_id} says "
        f"{expected}{gap}. The M3 order exists and stays.",
        system="M3",
    )
