"""One look at what Amazon lists for a seller: each marketplace's report asked for, its SKUs looked up in M3, the whole
kept in the archive, and the stock keeper told.

The marketplaces wait for Amazon side by side, and one that fails does not hold up the others. In M3 they go one after
the other, since most SKUs are the same in all of them and are then looked up once.
"""

import asyncio
from datetime import datetime
from typing import Final, TypeVar

from pydantic import BaseModel
from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from canonical.ids import stock_workflow_id
from canonical.import_contracts import FileWanted, ReportWanted
from canonical.listings_report import LISTINGS_REPORT
from canonical.marketplaces import MARKETPLACES
from canonical.report_alerts import LISTINGS_LOOK as ABOUT
from canonical.report_alerts import not_told
from canonical.stock.listing_contracts import (
    KEEP_LISTINGS,
    LISTINGS_LOOK,
    MAP_LISTINGS,
    MAPPED_ANEW,
    MOST_REMARKS,
    PARTS,
    SPLIT_LISTINGS,
    KeepListingsRequest,
    KeepListingsResult,
    ListingsLookInput,
    ListingsLookResult,
    MapListingsRequest,
    MapListingsResult,
    MarketplaceListings,
    SplitListingsRequest,
    SplitListingsResult,
)
from canonical.stock.news import LISTED, ListingsRead
from workflows.alarms import tell_people
from workflows.policies import BULK_PRIORITY, HEARTBEAT, M3_ALIASES, READING, seller_priority
from workflows.reports import ask_and_wait, why

R = TypeVar("R", bound=BaseModel)
_NEVER_READ: Final = "Nothing was read of this marketplace yet."


@workflow.defn(name=LISTINGS_LOOK)
class ListingsLook:
    """See the module."""

    def __init__(self) -> None:
        self._in_m3 = asyncio.Lock()
        self._answers: list[str] = []
        self._mapped_anew: set[str] = set()

    @workflow.signal(name=MAPPED_ANEW, description="Sent by the service: SKUs were mapped in M3.")
    def mapped_anew(self, skus: tuple[str, ...] = ()) -> None:
        """What was looked up before does not know of it."""
        self._mapped_anew.update(skus)

    @workflow.run
    async def run(self, start: ListingsLookInput) -> ListingsLookResult:
        self._mapped_anew -= set(start.skus)  # told with the start
        workflow.set_current_details("Waiting for Amazon's reports of listings.")
        last: ListingsLookResult | None = workflow.get_last_completion_result(ListingsLookResult)
        looks = await asyncio.gather(*(self._look(start, each) for each in start.marketplace_ids))
        result = ListingsLookResult(seller_id=start.seller_id, marketplaces=tuple(looks))
        workflow.set_current_details(_said(result))
        await _tell_failed(result, last)
        if self._mapped_anew:
            skus = tuple(sorted(self._mapped_anew))
            workflow.continue_as_new(start.model_copy(update={"ask": False, "skus": skus}))
        return result

    async def _look(self, start: ListingsLookInput, marketplace_id: str) -> MarketplaceListings:
        nothing = MarketplaceListings(marketplace_id=marketplace_id)
        try:
            if not start.ask:
                return await self._taken(start, marketplace_id, None, "", workflow.now())
            asked_at = workflow.now()
            wanted = ReportWanted(report_type=LISTINGS_REPORT, marketplace_ids=(marketplace_id,))
            ended = await ask_and_wait(start.seller_id, wanted)
            if ended.file is None:
                empty = ended.status == "CANCELLED"  # Amazon's word for a report without data
                return nothing.model_copy(update={"sentence": ended.sentence, "failed": not empty})
            # Amazon may have given the report it made earlier: its quantities are then as old as that.
            taken_at = min(asked_at, ended.created_at or asked_at)
            taken = await self._taken(start, marketplace_id, ended.file, ended.report_id, taken_at)
            return taken.model_copy(update={"sentence": taken.sentence or ended.sentence})
        except FailureError as error:
            if is_cancelled_exception(error):
                raise
            return nothing.model_copy(update={"sentence": why(error), "failed": True})

    async def _taken(
        self,
        start: ListingsLookInput,
        marketplace_id: str,
        file: FileWanted | None,
        report_id: str,
        taken_at: datetime,
    ) -> MarketplaceListings:
        folder = f"{PARTS}/{start.seller_id}/{workflow.info().run_id}/{marketplace_id}"
        request = SplitListingsRequest(
            seller_id=start.seller_id, marketplace_id=marketplace_id, folder=folder, file=file
        )
        split = await _reading(
            SPLIT_LISTINGS, request, SplitListingsResult, start.seller_id, f"Read {marketplace_id}"
        )
        if file is None:
            if split.taken_at is None:
                return MarketplaceListings(marketplace_id=marketplace_id, sentence=_NEVER_READ)
            report_id, taken_at = split.report_id, split.taken_at
        async with self._in_m3:
            parts = [await self._mapped(start, marketplace_id, part) for part in split.parts]
        keeping = KeepListingsRequest(
            seller_id=start.seller_id,
            marketplace_id=marketplace_id,
            folder=folder,
            report_id=report_id,
            taken_at=taken_at,
            parts=tuple(parts),
        )
        kept = await _reading(
            KEEP_LISTINGS, keeping, KeepListingsResult, start.seller_id, f"Keep {marketplace_id}"
        )
        news = ListingsRead(
            seller_id=start.seller_id, marketplace_id=marketplace_id, key=kept.key, taken_at=taken_at
        )
        return MarketplaceListings(
            marketplace_id=marketplace_id,
            key=kept.key,
            taken_at=taken_at,
            counts=kept.counts,
            told=await _told(news),
            remarks=(*split.remarks, *kept.remarks)[:MOST_REMARKS],
        )

    async def _mapped(self, start: ListingsLookInput, marketplace_id: str, part: str) -> str:
        mapped: MapListingsResult = await workflow.execute_activity(
            MAP_LISTINGS,
            MapListingsRequest(
                marketplace_id=marketplace_id, part=part, known=tuple(self._answers), skus=start.skus
            ),
            result_type=MapListingsResult,
            task_queue=M3_ALIASES.queue,
            start_to_close_timeout=M3_ALIASES.timeout,
            heartbeat_timeout=HEARTBEAT,
            retry_policy=M3_ALIASES.retry,
            priority=seller_priority(start.seller_id, BULK_PRIORITY),
            summary=f"Items of {marketplace_id}",
        )
        self._answers.append(mapped.answers)
        return mapped.part


async def _reading(
    activity: str, request: BaseModel, result_type: type[R], seller_id: str, summary: str
) -> R:
    """Work on the archive alone."""
    result: R = await workflow.execute_activity(
        activity,
        request,
        result_type=result_type,
        task_queue=READING.queue,
        start_to_close_timeout=READING.timeout,
        heartbeat_timeout=HEARTBEAT,
        retry_policy=READING.retry,
        priority=seller_priority(seller_id, BULK_PRIORITY),
        summary=summary,
    )
    return result


async def _told(news: ListingsRead) -> bool:
    """Tell the stock keeper; False where none runs: one that starts has the listings read again."""
    keeper = workflow.get_external_workflow_handle(stock_workflow_id())
    try:
        await keeper.signal(LISTED, news)
    except FailureError as error:
        if is_cancelled_exception(error):
            raise
        return False
    return True


async def _tell_failed(result: ListingsLookResult, last: ListingsLookResult | None) -> None:
    """People are told of marketplaces whose listings are not known as they are now."""
    failed = {_name(one.marketplace_id): one.sentence for one in result.marketplaces if one.failed}
    if not failed:
        return
    known = {one.marketplace_id: one.taken_at for one in last.marketplaces} if last is not None else {}
    since = [known.get(one.marketplace_id) for one in result.marketplaces if one.failed]
    begin = min((moment for moment in since if moment is not None), default=workflow.now())
    await tell_people(
        not_told(ABOUT, result.seller_id, failed, begin), "Tell people which listings are missing"
    )


def _name(marketplace_id: str) -> str:
    known = MARKETPLACES.get(marketplace_id)
    return f"{LISTINGS_REPORT} of {known.name if known is not None else marketplace_id}"


def _said(result: ListingsLookResult) -> str:
    return "\n\n".join(_line(one) for one in result.marketplaces)


def _line(one: MarketplaceListings) -> str:
    counts = one.counts
    remarks = "".join(f"\n- {remark}" for remark in one.remarks)
    if not one.key:
        return f"**{one.marketplace_id}**: {one.sentence}{remarks}"
    keeper = "" if one.told else " No stock keeper runs."
    return (
        f"**{one.marketplace_id}**: {counts.listings} SKUs, {counts.mfn} MFN and {counts.fba} FBA; item by alias "
        f"{counts.by_alias}, by rule {counts.by_rule}, unknown {counts.without_item}; {counts.problems} with a "
        f"problem. {one.sentence}{keeper}{remarks}"
    )
