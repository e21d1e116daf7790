"""One look at a seller's transactions for kinds of amounts that nobody has said how to book, before a settlement
brings them.

Transactions are read from a while behind the last complete look, of every marketplace, to the last page. People are
told once of each new kind. Nothing is held by it, and a look that fails costs nothing but another one.
"""

from typing import Final

from temporalio import workflow

from canonical import finance_contracts as act
from canonical.settlement.finance_reading import FinancePage, Sighting, joined
from workflows.alarms import tell_people
from workflows.calls import Calls
from workflows.policies import AMAZON_LIST_TRANSACTIONS, READING

_BEHIND: Final = 4


class FinanceCalls(Calls):
    """Activities of one look, named by `canonical.finance_contracts`."""

    async def begin(self, request: act.BeginFinanceRequest) -> act.FinancePageRequest:
        name, result = act.BEGIN_FINANCE_LOOK, act.FinancePageRequest
        return await self._call(name, request, result, READING, "Where to begin")

    async def page(self, request: act.FinancePageRequest, behind: int) -> FinancePage:
        name, summary = act.READ_FINANCE_PAGE, f"Page after {behind} transactions"
        return await self._call(name, request, FinancePage, AMAZON_LIST_TRANSACTIONS, summary)

    async def end(self, request: act.EndFinanceRequest) -> act.FinanceKinds:
        name, summary = act.END_FINANCE_LOOK, "Remember what was found"
        return await self._call(name, request, act.FinanceKinds, READING, summary)

    async def told(self, request: act.FinanceToldRequest) -> act.FinanceKinds:
        name, summary = act.NOTE_FINANCE_TOLD, "Remember that people know"
        return await self._call(name, request, act.FinanceKinds, READING, summary)


@workflow.defn(name=act.FINANCE_LOOK)
class FinanceLook:
    """See the module."""

    @workflow.run
    async def run(self, start: act.FinanceInput) -> act.FinanceLooked:
        seller_id, as_of = start.seller_id, start.as_of or workflow.now()
        calls = FinanceCalls(seller_id, _BEHIND)
        page = start.page or await calls.begin(act.BeginFinanceRequest(seller_id=seller_id, as_of=as_of))
        sightings, transactions, unread = start.sightings, start.transactions, start.unread
        while True:
            workflow.set_current_details(
                f"Reading transactions of seller {seller_id} since {page.since:%Y-%m-%d}: {transactions} so far."
            )
            got = await calls.page(page, transactions)
            sightings = joined((*sightings, *got.sightings))
            transactions, unread = transactions + got.transactions, unread + got.unread
            if not got.next_token:
                break
            page = page.model_copy(update={"token": got.next_token})
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(
                    act.FinanceInput(
                        seller_id=seller_id,
                        as_of=as_of,
                        page=page,
                        sightings=sightings,
                        transactions=transactions,
                        unread=unread,
                    )
                )
        found = await calls.end(
            act.EndFinanceRequest(seller_id=seller_id, since=page.since, until=as_of, sightings=sightings)
        )
        told = await _told(calls, seller_id, found.untold)
        workflow.set_current_details(_said(seller_id, transactions, unread, found))
        return act.FinanceLooked(
            seller_id=seller_id,
            since=page.since,
            until=as_of,
            transactions=transactions,
            unread=unread,
            kinds=found.kinds,
            told=told,
        )


async def _told(calls: FinanceCalls, seller_id: str, untold: tuple[Sighting, ...]) -> int:
    """Tell people of what is new, how many kinds; what could not be told is told by the next look."""
    if not untold:
        return 0
    if not await tell_people(act.unknown_kinds(seller_id, untold), "Tell people of new kinds of amounts"):
        return 0
    keys = tuple(dict.fromkeys(one.key for one in untold))
    await calls.told(act.FinanceToldRequest(seller_id=seller_id, keys=keys, now=workflow.now()))
    return len(keys)


def _said(seller_id: str, transactions: int, unread: int, found: act.FinanceKinds) -> str:
    lines = [
        f"Seller **{seller_id}**: {transactions} transactions read, {unread} not understood; "
        f"{len({one.key for one in found.kinds})} kinds of amounts lack something to be booked.",
        *(f"- {act.described(one)}" for one in found.kinds),
    ]
    return "\n\n".join(lines)
