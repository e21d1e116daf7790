"""One look at Amazon's own stock: every marketplace read, one after the other, and put beside M3's balances.

It is only told; nothing is corrected from a difference.
"""

from datetime import datetime, timedelta
from typing import Final

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from canonical.stock import fba_contracts as act
from canonical.stock.fba_alerts import described, not_compared, stock_differs
from canonical.stock.fba_ids import look_folder
from workflows import policies
from workflows.alarms import tell_people
from workflows.calls import Calls
from workflows.reports import why

_BEHIND: Final = 4
_SHOWN: Final = 20
_A_DAY: Final = timedelta(hours=20)
"""Looks of two days are a little less than a day apart now and then."""


class FbaStockCalls(Calls):
    """Activities of one look, named by `canonical.stock.fba_contracts`."""

    async def read(self, seller_id: str, marketplace_id: str, folder: str) -> act.StockRead:
        request = act.ReadStockRequest(seller_id=seller_id, marketplace_id=marketplace_id, folder=folder)
        summary, policy = f"Stock shown in {marketplace_id}", policies.AMAZON_GET_INVENTORY
        return await self._call(act.READ_FBA_STOCK, request, act.StockRead, policy, summary)

    async def compare(self, folder: str, keys: tuple[str, ...]) -> act.FbaStockCompared:
        request = act.CompareStockRequest(folder=folder, keys=keys)
        name, result, policy = act.COMPARE_FBA_STOCK, act.FbaStockCompared, policies.M3_READ_STOCK
        return await self._call(name, request, result, policy, "Put it beside M3's balances")


@workflow.defn(name=act.FBA_STOCK_LOOK)
class FbaStockLook:
    """See the module."""

    @workflow.run
    async def run(self, start: act.FbaStockInput) -> act.FbaStockCompared:
        try:
            compared = await self._compared(start)
        except FailureError as error:
            if start.tells and not is_cancelled_exception(error):
                message = not_compared(why(error))
                await tell_people(message, "Tell people that Amazon's stock was not compared")
            raise
        if start.tells:
            compared = compared.model_copy(update={"told_at": await _told(compared, start.alert_pieces)})
        return compared

    async def _compared(self, start: act.FbaStockInput) -> act.FbaStockCompared:
        folder = look_folder(workflow.info().run_id)
        keys: list[str] = []
        remarks: list[str] = []
        # One at a time: the calls of one activity use up the seller's rate.
        for seller_id, marketplaces in start.sellers.items():
            calls = FbaStockCalls(seller_id, _BEHIND)
            for marketplace_id in marketplaces:
                workflow.set_current_details(f"Reading what {marketplace_id} shows of seller {seller_id}.")
                read = await calls.read(seller_id, marketplace_id, folder)
                keys.append(read.key)
                remarks += read.remarks
        compared = await FbaStockCalls("", _BEHIND).compare(folder, tuple(keys))
        workflow.set_current_details(_said(compared, remarks))
        return compared


async def _told(compared: act.FbaStockCompared, alert_pieces: int) -> datetime | None:
    """When people were told last: once a day as long as it lasts, however often the schedule is triggered."""
    last: act.FbaStockCompared | None = workflow.get_last_completion_result(act.FbaStockCompared)
    told_at = last.told_at if last is not None else None
    message = stock_differs(compared, alert_pieces)
    if message is None or (told_at is not None and workflow.now() - told_at < _A_DAY):
        return told_at
    told = await tell_people(message, "Tell people that Amazon's stock differs from M3's")
    return workflow.now() if told else told_at


def _said(compared: act.FbaStockCompared, remarks: list[str]) -> str:
    lines = [
        f"{compared.skus} SKUs, {compared.items} items of M3: {compared.equal} equal, {compared.explained} explained "
        f"by what is on its way, **{compared.differing}** not; {compared.unmapped_count} SKUs have no item.",
        *(f"- {described(row)}" for row in compared.rows[:_SHOWN]),
        *(f"- {remark}" for remark in remarks[:_SHOWN]),
    ]
    return "\n\n".join(lines)
