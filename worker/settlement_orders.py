"""A settlement's customer payments, order by order, as the archive keeps them."""

from collections.abc import Iterator

from activities.archive import Archive, NotArchived
from activities.m3.steps.match_settlement import matches_in
from canonical.settlement.matching import OrderMatch
from canonical.settlement.order_rows import OrderRow, order_rows
from canonical.settlement_contracts import Matched, SettlementView


def archived_orders(
    archive: Archive, view: SettlementView, *, everything: bool = False
) -> Iterator[OrderRow]:
    """The rows that differ from M3, or all of them, read a part at a time. Raises ArchiveError."""

    def read(look: Matched) -> Iterator[OrderMatch]:
        found = 0
        for one in matches_in(archive, look.folder):
            yield one
            found += 1
        if found != sum(look.orders.values()):
            raise NotArchived(
                f"The archive {archive.where} has {found} of {sum(look.orders.values())} matches in {look.folder}; "
                "workers and commands need the same archive."
            )

    return order_rows(view.matches, read, everything=everything)
