"""The customer payments of a settlement against M3's invoices, as the proof sheet has them."""

from decimal import Decimal

from canonical.settlement.matching import MatchStatus
from canonical.settlement.models import Settlement
from canonical.settlement.order_rows import standing
from canonical.settlement.proof_models import OrderLook, OrdersProof
from canonical.settlement_contracts import Matched, SettlementView


def orders_of(settlement: Settlement, view: SettlementView | None, zero: Decimal) -> OrdersProof:
    """What became of the payments; `zero` has the currency's decimals. Without a view M3 was not asked."""
    matches = standing(view.matches) if view else ()
    total = sum(each.count for each in settlement.payments)
    odd = _odd(matches)
    listed = matches[-1].listed if matches else ()
    return OrdersProof(
        payments=settlement.payments,
        total=total,
        looked=bool(matches),
        matched=total - sum(odd) if matches else 0,
        variance=odd[0],
        no_invoice=odd[1],
        looks=tuple(_look(each) for each in matches),
        listed=listed,
        more=max(sum(odd) - len(listed), 0),
        open_in_m3=sum((each.left for each in matches), zero),
        on_account=(view.on_account if view else zero) + zero,
        unposted=(view.unposted if view else zero) + zero,
    )


def _odd(matches: tuple[Matched, ...]) -> tuple[int, int]:
    """Payments that differ from M3, and that M3 has nothing open for. A later look is about what the one before
    left over: there these are no longer odd, but as the later one finds them."""
    variance = 0
    for each in matches[:-1]:
        if each.lines:
            left_over = each.rest_orders - each.orders.get(MatchStatus.NO_INVOICE, 0)
            variance += each.orders.get(MatchStatus.VARIANCE, 0) - left_over
    if not matches:
        return 0, 0
    last = matches[-1].orders
    return variance + last.get(MatchStatus.VARIANCE, 0), last.get(MatchStatus.NO_INVOICE, 0)


def _look(matched: Matched) -> OrderLook:
    return OrderLook(
        number=matched.number,
        orders=matched.orders,
        amounts=matched.amounts,
        rest=matched.rest,
        rest_orders=matched.rest_orders,
    )
