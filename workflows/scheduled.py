"""What runs by the clock: the sweeps.

The mark of a seller's sweep is the result of the last one that completed, which Temporal's schedule hands to the
next. A sweep that fails, is stopped or never ends hands on nothing, so the next one begins where the last complete
one ended.
"""

from datetime import datetime

from temporalio import workflow

from canonical.schedule_contracts import (
    AMAZON_SWEEP,
    DELIVERY_SWEEP,
    AmazonSweepInput,
    AmazonSweepResult,
    DeliverySweepInput,
    SweepProgress,
)
from canonical.sweep_contracts import SweepAmazonPageRequest, SweepAmazonPageResult, SweepM3Result
from workflows.sweep import added, read_page, tell_of_deliveries


@workflow.defn(name=AMAZON_SWEEP)
class AmazonSweep:
    """One seller's orders that changed since the mark, started or told page by page."""

    @workflow.run
    async def run(self, start: AmazonSweepInput) -> AmazonSweepResult:
        """Read every page; only then the mark moves, to the `lastUpdatedBefore` that Amazon applied."""
        mark = self._mark(start)
        begun = start.progress or SweepProgress(
            since=mark - start.overlap, token="", read=SweepAmazonPageResult()
        )
        read, token = begun.read, begun.token
        while True:
            page = await read_page(
                SweepAmazonPageRequest(seller_id=start.seller_id, updated_after=begun.since, token=token),
                read,
            )
            read, token = added(read, page), page.next_token
            if not token:
                break
            if workflow.info().is_continue_as_new_suggested():
                progress = SweepProgress(since=begun.since, token=token, read=read)
                workflow.continue_as_new(start.model_copy(update={"since": mark, "progress": progress}))
        # An empty period ends where it began, before the mark; a mark never goes back.
        moved = max(mark, read.horizon) if read.horizon is not None else mark
        workflow.set_current_details(_said(start.seller_id, begun.since, moved, read))
        return AmazonSweepResult(seller_id=start.seller_id, since=begun.since, mark=moved, read=read)

    @staticmethod
    def _mark(start: AmazonSweepInput) -> datetime:
        if start.progress is not None and start.since is not None:
            return start.since  # the sweep of which this run is a part has decided
        last: AmazonSweepResult | None = workflow.get_last_completion_result(AmazonSweepResult)
        if last is not None:
            return last.mark
        return start.since or workflow.now() - start.first_look


@workflow.defn(name=DELIVERY_SWEEP)
class DeliverySweep:
    """Tells orders that await shipment which goods have left M3's warehouse."""

    @workflow.run
    async def run(self, start: DeliverySweepInput) -> SweepM3Result:
        """One look."""
        return await tell_of_deliveries(start.limit)


def _said(seller_id: str, since: datetime, mark: datetime, read: SweepAmazonPageResult) -> str:
    lines = [
        f"Seller **{seller_id}**: every change at Amazon from {since:%Y-%m-%d %H:%M:%S} to {mark:%Y-%m-%d %H:%M:%S} "
        "UTC has reached its order.",
        f"{read.orders} orders read: {read.started} started, {read.signalled} told, {read.late} closed already, "
        f"{read.after_close} with news after they were closed, {read.skipped} without news.",
        *(f"- {remark}" for remark in read.remarks),
    ]
    return "\n\n".join(lines)
