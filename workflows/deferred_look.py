"""One look at what Amazon holds back of a seller's money: every deferred transaction, summed by reason and day."""

from datetime import timedelta
from typing import Final

from temporalio import workflow

from canonical.deferred_contracts import (
    DEFERRED_LOOK,
    READ_DEFERRED_PAGE,
    DeferredInput,
    DeferredPageRequest,
)
from canonical.settlement.deferred import Deferred, DeferredPage, DeferredShare, joined
from workflows.policies import AMAZON_LIST_TRANSACTIONS, HEARTBEAT, seller_priority

_WINDOW: Final = timedelta(days=179)
"""Amazon leaves a window of more than 180 days empty."""
_BEHIND: Final = 4


@workflow.defn(name=DEFERRED_LOOK)
class DeferredLook:
    """See the module."""

    @workflow.run
    async def run(self, start: DeferredInput) -> Deferred:
        as_of = start.as_of or workflow.now()
        page = start.page or DeferredPageRequest(seller_id=start.seller_id, since=as_of - _WINDOW)
        shares, unread = start.shares, start.unread
        while True:
            workflow.set_current_details(
                f"Reading deferred transactions of seller {start.seller_id}: {_counted(shares)} so far."
            )
            got: DeferredPage = await workflow.execute_activity(
                READ_DEFERRED_PAGE,
                page,
                result_type=DeferredPage,
                task_queue=AMAZON_LIST_TRANSACTIONS.queue,
                start_to_close_timeout=AMAZON_LIST_TRANSACTIONS.timeout,
                heartbeat_timeout=HEARTBEAT,
                retry_policy=AMAZON_LIST_TRANSACTIONS.retry,
                priority=seller_priority(start.seller_id, _BEHIND),
                summary=f"Page after {_counted(shares)} transactions",
            )
            shares, unread = joined((*shares, *got.shares)), unread + got.unread
            if not got.next_token:
                break
            page = page.model_copy(update={"token": got.next_token})
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(
                    start.model_copy(
                        update={"page": page, "as_of": as_of, "shares": shares, "unread": unread}
                    )
                )
        workflow.set_current_details(f"{_counted(shares)} deferred transactions of seller {start.seller_id}.")
        return Deferred(
            seller_id=start.seller_id, as_of=as_of, since=page.since, shares=shares, unread=unread
        )


def _counted(shares: tuple[DeferredShare, ...]) -> int:
    return sum(each.count for each in shares)
