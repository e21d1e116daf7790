"""What became of each customer payment of a settlement, row by row, over all looks at M3.

A later look is about what the one before left over, unless nothing had been posted by then: that one looks at all of
them anew. So every amount is in one row: the amounts of all rows are the settlement's customer payments.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from canonical.settlement.matching import MatchStatus, OrderMatch, Paid
from canonical.settlement.models import ZERO
from canonical.settlement_contracts import Matched


class OrderRow(NamedTuple):
    """A customer payment, or what of it was settled by one look."""

    order_id: str
    kind: str
    """`payment` or `refund`."""
    marketplace: str
    status: str
    amount: Decimal
    """As Amazon settles it."""
    pays: Decimal
    """What of it pays invoices or credit notes in M3."""
    pays_nothing: Decimal
    open_in_m3: Decimal
    """What stays open of these invoices."""
    invoices: str
    row: int
    """The first of its rows in the report."""
    look: int
    """Which look at M3 found it so."""
    why: str


def standing(matches: Sequence[Matched]) -> tuple[Matched, ...]:
    """The looks that count: from the last one on that looked at everything."""
    first = max((place for place, each in enumerate(matches) if not each.before), default=0)
    return tuple(matches[first:])


def order_rows(
    matches: Sequence[Matched], read: Callable[[Matched], Iterable[OrderMatch]], *, everything: bool = False
) -> Iterator[OrderRow]:
    """The rows that differ from M3, or all of them. `read` gives a look's matches in their order."""
    looks = standing(matches)
    for look, after in zip(looks, (*looks[1:], None), strict=True):
        lines = 0
        for one in read(look):
            first, lines = lines, lines + len(one.paid)
            if after is None:
                row = _row(one, look, one.paid, one.rest)
            else:
                posted = one.paid[: max(after.before_lines - first, 0)]
                if not posted:
                    continue  # all of it is in the next look
                row = _row(one, look, posted, ZERO)
            if everything or row.status != MatchStatus.MATCHED:
                yield row


def _row(one: OrderMatch, look: Matched, paid: Sequence[Paid], rest: Decimal) -> OrderRow:
    pays = sum((each.amount for each in paid), ZERO)
    left = sum((each.left for each in paid), ZERO)
    status, why = one.status, one.sentence
    if paid and not rest:
        status = MatchStatus.VARIANCE if left else MatchStatus.MATCHED
        why = one.sentence if left else ""
    return OrderRow(
        order_id=one.order_id,
        kind=one.kind,
        marketplace=one.marketplace,
        status=status,
        amount=pays + rest,
        pays=pays,
        pays_nothing=rest,
        open_in_m3=left,
        invoices=" ".join(f"{each.number}/{each.year}" for each in paid),
        row=one.row,
        look=look.number,
        why=why,
    )
