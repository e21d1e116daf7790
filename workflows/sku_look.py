"""The looks at M3's items and at a seller's SKUs without item.

A look ranks M3's items for every such SKU and keeps the result in the archive. Where it may, it maps what is certain,
and people are told of it once.
"""

from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    ChildWorkflowError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)

from canonical.alert_contracts import AlertMessage, Severity
from canonical.alert_texts import LONGEST_BODY
from canonical.sku import contracts
from canonical.sku import look_contracts as act
from canonical.sku.catalog import MOST_ASINS, READ_CATALOG, CatalogItem, CatalogRequest, CatalogResult
from workflows.alarms import tell_people
from workflows.calls import Calls
from workflows.policies import (
    AMAZON_SEARCH_CATALOG,
    BULK_PRIORITY,
    M3_CALL,
    READING,
    TELLING,
)

_AGAIN: Final = timedelta(minutes=1)
_LOOKS: Final = 120
"""Until then another look that reads the items is waited for, ever less often, at last once a minute."""


class LookCalls(Calls):
    """Activities of the looks, named by `canonical.sku.look_contracts`; they stand behind orders."""

    def __init__(self, seller_id: str) -> None:
        super().__init__(seller_id, BULK_PRIORITY)

    async def read_items(self, request: act.ReadItemsRequest, items: int) -> act.ItemsRead:
        name, summary = act.READ_ITEMS, f"Items of M3 after {items}"
        return await self._call(name, request, act.ItemsRead, M3_CALL, summary)

    async def end_items(self, request: act.EndItemsRequest) -> act.ItemsTaken:
        return await self._call(
            act.END_ITEMS, request, act.ItemsTaken, READING, "Put M3's items into the archive"
        )

    async def latest_items(self) -> act.ItemsTaken:
        request, result = act.LatestItemsRequest(), act.ItemsTaken
        return await self._call(act.LATEST_ITEMS, request, result, READING, "When were M3's items read?")

    async def held(self) -> act.OpenSkus:
        request = act.OpenSkusRequest(seller_id=self._seller_id)
        return await self._call(
            act.FIND_OPEN_SKUS, request, act.OpenSkus, TELLING, "SKUs that orders are held for"
        )

    async def gather(self, request: act.GatherRequest) -> act.Gathered:
        return await self._call(
            act.GATHER_SKUS, request, act.Gathered, READING, "Held orders and listings together"
        )

    async def catalogue(self, request: CatalogRequest) -> CatalogResult:
        summary = f"{len(request.asins)} products in Amazon's catalogue"
        return await self._call(READ_CATALOG, request, CatalogResult, AMAZON_SEARCH_CATALOG, summary)

    async def suggest(self, request: act.SuggestRequest) -> act.Suggested:
        return await self._call(act.SUGGEST_ITEMS, request, act.Suggested, READING, "Rank M3's items")


@workflow.defn(name=act.ITEMS_LOOK)
class ItemsLook:
    """All items of M3 into the archive, part by part."""

    @workflow.run
    async def run(self, start: act.ItemsInput) -> act.ItemsTaken:
        calls = LookCalls("")
        taken = start.taken or workflow.now()
        parts, items, after = list(start.parts), start.items, start.after
        while True:
            workflow.set_current_details(f"{items} items of M3 read so far.")
            key = f"items/{taken:%Y%m%dT%H%M%SZ}/{len(parts) + 1:05d}.jsonl.gz"
            read = await calls.read_items(act.ReadItemsRequest(after=after, key=key), items)
            if not read.items:
                break
            parts.append(key)
            items, after = items + read.items, read.last
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(
                    act.ItemsInput(taken=taken, after=after, parts=tuple(parts), items=items)
                )
        found = await calls.end_items(act.EndItemsRequest(taken=taken, parts=tuple(parts), items=items))
        workflow.set_current_details(f"{items} items of M3 are in the archive: `{found.key}`.")
        return found


@workflow.defn(name=act.SKU_LOOK)
class SkuLook:
    """One look at a seller's SKUs without item."""

    @workflow.run
    async def run(self, start: act.SkuLookInput) -> act.SkuLooked:
        calls = LookCalls(start.seller_id)
        items = await self._items(calls)
        workflow.set_current_details("Gathering SKUs without item.")
        held = await calls.held()
        gathered = await calls.gather(
            act.GatherRequest(
                seller_id=start.seller_id,
                taken=workflow.now(),
                items_key=items.key,
                held=held.skus,
                complete=held.complete,
            )
        )
        catalogue, notes = await self._catalogue(calls, start.seller_id, gathered)
        workflow.set_current_details(f"Ranking M3's items for {gathered.skus} SKUs.")
        found = await calls.suggest(
            act.SuggestRequest(
                seller_id=start.seller_id,
                key=gathered.key,
                catalogue=catalogue,
                notes=notes,
                threshold=start.threshold,
                most_certain=start.most_automatic if start.automatic else 0,
            )
        )
        mapped = [await self._map(start, one) for one in found.first]
        if mapped:
            await tell_people(_message(start, mapped), "Tell people of SKUs that were mapped")
        workflow.set_current_details(_said(start, found, mapped))
        return act.SkuLooked(seller_id=start.seller_id, found=found, items=items, mapped=tuple(mapped))

    async def _items(self, calls: LookCalls) -> act.ItemsTaken:
        """M3's items, read anew where the last reading is a day old. Another look that reads them is waited for."""
        for number in range(_LOOKS):
            latest = await calls.latest_items()
            if latest.taken is not None and workflow.now() - latest.taken < act.FRESH:
                return latest
            workflow.set_current_details("Reading M3's items.")
            try:
                read: act.ItemsTaken = await workflow.execute_child_workflow(
                    act.ITEMS_LOOK,
                    act.ItemsInput(),
                    id=act.items_look_id(),
                    result_type=act.ItemsTaken,
                    id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                    static_summary="All items of M3",
                )
            except WorkflowAlreadyStartedError:
                await workflow.sleep(min(timedelta(seconds=2 ** min(number, 10)), _AGAIN))
            else:
                return read
        raise ApplicationError("M3's items were not read within two hours.", type="items_not_read")

    async def _catalogue(
        self, calls: LookCalls, seller_id: str, gathered: act.Gathered
    ) -> tuple[tuple[CatalogItem, ...], tuple[str, ...]]:
        """What Amazon's catalogue says of them; without it suggestions are less sure, and that is all."""
        items: list[CatalogItem] = []
        for wanted in gathered.wanted:
            for start in range(0, len(wanted.asins), MOST_ASINS):
                request = CatalogRequest(
                    seller_id=seller_id,
                    marketplace_id=wanted.marketplace_id,
                    asins=wanted.asins[start : start + MOST_ASINS],
                )
                try:
                    answer = await calls.catalogue(request)
                except ActivityError as error:
                    if is_cancelled_exception(error):
                        raise
                    return tuple(items), ("Amazon's catalogue did not answer: titles and EANs may lack.",)
                if answer.refusal:
                    return tuple(items), (answer.refusal,)
                items += answer.items
        return tuple(items), ()

    async def _map(self, start: act.SkuLookInput, one: act.Certain) -> act.Mapped:
        wanted = contracts.MapSkuInput(
            seller_id=start.seller_id,
            sku=one.sku,
            itno=one.itno,
            by="o2c",
            why=f"by itself, confidence {one.confidence:.3f}: {'; '.join(one.reasons)}"[:300],
            automatic=True,
        )
        workflow.set_current_details(f"Mapping SKU `{one.sku}`.")
        try:
            done: contracts.MapSkuResult = await workflow.execute_child_workflow(
                contracts.MAP_SKU,
                wanted,
                id=contracts.sku_workflow_id(start.seller_id, one.sku),
                result_type=contracts.MapSkuResult,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                static_summary=f"SKU {one.sku[:100]} is item {one.itno}",
            )
        except WorkflowAlreadyStartedError:
            return act.Mapped(certain=one, refused="Somebody is mapping it.")
        except ChildWorkflowError as error:
            if is_cancelled_exception(error):
                raise
            return act.Mapped(certain=one, refused=f"Its mapping ended: {error.cause}.")
        refused = done.sentence if done.outcome == "refused" else ""
        return act.Mapped(certain=one, released=done.released, refused=refused)


def _line(one: act.Mapped) -> str:
    certain = one.certain
    if one.refused:
        return f"SKU {certain.sku} was not mapped to {certain.itno}: {one.refused}"
    return (
        f"SKU {certain.sku} is item {certain.itno} ({certain.confidence:.1%} sure: {'; '.join(certain.reasons)}); "
        f"{one.released} held orders released."
    )


def _message(start: act.SkuLookInput, mapped: list[act.Mapped]) -> AlertMessage:
    done = sum(not one.refused for one in mapped)
    body = "\n".join(map(_line, mapped))
    end = "\nIf one is wrong: o2c sku map SKU ITNO maps it again; orders that are booked by then stay as they are."
    return AlertMessage(
        title=f"{done} SKUs were mapped by themselves (seller {start.seller_id})",
        body=body[: LONGEST_BODY - len(end)] + end,
        severity=Severity.INFO if done == len(mapped) else Severity.WARNING,
    )


def _said(start: act.SkuLookInput, found: act.Suggested, mapped: list[act.Mapped]) -> str:
    lines = [
        f"Seller **{start.seller_id}**: {found.skus} SKUs have no item, {found.held_orders} orders are held for them. "
        f"An item is suggested for {found.with_suggestion}; {found.certain} of them are certain.",
        f"`o2c sku suggest --seller {start.seller_id}` shows them.",
        *(f"- {_line(one)}" for one in mapped),
        *(f"- {note}" for note in found.notes),
    ]
    return "\n\n".join(lines)
