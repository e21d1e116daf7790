"""One SKU of a seller becomes an item's: M3 gets the alias, and every order that is held for the SKU goes on.

It is started by `o2c sku map`, by hand in the Web UI, by an order that a person repaired with `map_sku`, and by the
daily look where that may map by itself. Whatever is asked while it runs is done after. It never crosses sellers: the
same SKU may be another item at another seller.
"""

from datetime import timedelta
from typing import Final

from pydantic import ValidationError
from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from canonical.sku import contracts as act
from canonical.stock.listing_contracts import LOOK_AFTER_MAPPING, LookAsked, MappedSkus
from workflows.calls import Calls
from workflows.policies import M3_CALL, TELLING

_PAUSES: Final = tuple(timedelta(seconds=seconds) for seconds in (2, 3, 5, 10, 20))
"""Between the looks: an order that read its items before the alias was written is held a moment after, and Temporal
lists what is held a second late."""
_BAD: Final = (
    'MapSku takes one JSON object such as {"seller_id": "A2EUSELLER0001", "sku": "BLUE-MUG-2", '
    '"itno": "10023"}'
)


class MappingCalls(Calls):
    """Activities of one mapping, named by `canonical.sku.contracts`."""

    async def keep(self, wanted: act.MapSkuInput) -> act.KeepAliasResult:
        request = act.KeepAliasRequest(**wanted.model_dump(exclude={"by", "why"}))
        name, result = act.KEEP_SKU_ALIAS, act.KeepAliasResult
        return await self._call(name, request, result, M3_CALL, f"Make it an alias of {wanted.itno} in M3")

    async def look_at_listings(self, wanted: act.MapSkuInput) -> LookAsked:
        request = MappedSkus(seller_id=wanted.seller_id, skus=(wanted.sku,))
        return await self._call(
            LOOK_AFTER_MAPPING, request, LookAsked, TELLING, "Have its listings looked up again"
        )

    async def find(self, wanted: act.MapSkuInput) -> act.FindHeldResult:
        request = act.FindHeldRequest(
            seller_id=wanted.seller_id, sku=wanted.sku, marketplace_ids=wanted.marketplace_ids
        )
        name, result = act.FIND_HELD_FOR_SKU, act.FindHeldResult
        return await self._call(name, request, result, TELLING, "Find orders held for it")

    async def release(self, request: act.ReleaseRequest) -> act.ReleaseResult:
        name, result = act.RELEASE_HELD_FOR_SKU, act.ReleaseResult
        word = "Look at" if request.look_only else "Release"
        return await self._call(name, request, result, TELLING, f"{word} {len(request.orders)} orders")


@workflow.defn(name=act.MAP_SKU)
class SkuMapping:
    """See the module."""

    @workflow.init
    def __init__(self, start: object = None) -> None:
        self._bad = ""
        self._asked: act.MapSkuInput | None = None
        self._begun = False
        try:
            self._asked = act.MapSkuInput.model_validate(start)
        except ValidationError as error:
            wrong = "; ".join(
                f"{'.'.join(map(str, one['loc'])) or 'argument'}: {one['msg']}"
                for one in error.errors(include_input=False, include_url=False, include_context=False)[:5]
            )
            self._bad = f"{_BAD}; this cannot be read ({wrong})."

    @workflow.signal(name=act.MAPPING_ASKED, description="Sent by the service: the mapping is wanted again.")
    def mapping_asked(self, *arguments: object) -> None:
        try:
            wanted = act.MapSkuInput.model_validate(arguments[0] if arguments else None)
        except ValidationError:
            return
        if self._begun or wanted.itno != (self._asked.itno if self._asked else ""):
            self._asked = wanted

    @workflow.run
    async def run(self, start: object = None) -> act.MapSkuResult:
        """Map, release, and say how it ended; what was asked meanwhile is done then."""
        if self._bad:
            raise ApplicationError(self._bad, type="bad_argument", non_retryable=True)
        while True:
            wanted, self._asked, self._begun = self._asked, None, True
            if wanted is None:
                raise RuntimeError("a mapping began without being asked for")
            mapping = _Mapping(wanted)
            result = await mapping.carry_out()
            workflow.set_current_details(said(result))
            if self._asked is None:
                return result


class _Mapping:
    """One mapping, from the alias to the last order."""

    def __init__(self, wanted: act.MapSkuInput) -> None:
        self._wanted = wanted
        self._calls = MappingCalls(wanted.seller_id)
        self._released: dict[str, act.HeldForSku] = {}
        self._left: dict[str, act.NotReleased] = {}
        self._gone: set[str] = set()
        self._kept = act.KeepAliasResult()

    async def carry_out(self) -> act.MapSkuResult:
        wanted = self._wanted
        workflow.set_current_details(f"SKU `{wanted.sku}` becomes an alias of item `{wanted.itno}` in M3.")
        try:
            self._kept = await self._calls.keep(wanted)
            if self._kept.refused:
                return self._result(self._kept.refused)
            await self._calls.look_at_listings(wanted)
            await self._release()
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            cause = error.cause
            said_so = cause.message if isinstance(cause, ApplicationError) else str(cause)
            done = f" {len(self._released)} orders were released before." if self._released else ""
            return self._result(
                f"SKU {wanted.sku} could not be mapped to the end: {said_so}{done} Start it again; what is done is "
                "not done twice."
            )
        return self._result("")

    async def _release(self) -> None:
        """Look until nobody is held for it who has not answered; twice at least."""
        look = 0
        while True:
            found = await self._calls.find(self._wanted)
            new = [one for one in found.held if self._is_new(one)]
            if new:
                await self._ask(new)
            elif look and not any(one.workflow_id in self._released for one in found.held):
                return
            if look >= len(_PAUSES):
                await self._settle([one for one in found.held if one.workflow_id in self._released])
                return
            if found.complete or not new:
                await workflow.sleep(_PAUSES[look])
                look += 1

    def _is_new(self, one: act.HeldForSku) -> bool:
        if one.workflow_id in self._released or one.workflow_id in self._gone:
            return False
        left = self._left.get(one.workflow_id)
        return left is None or left.kind == "no_answer"

    async def _ask(self, orders: list[act.HeldForSku]) -> None:
        for start in range(0, len(orders), act.BATCH):
            batch = orders[start : start + act.BATCH]
            self._show(len(orders) - start)
            answers = await self._calls.release(self._request(batch))
            left = {one.workflow_id: one for one in answers.left}
            for one in batch:
                answer = left.get(one.workflow_id)
                self._left.pop(one.workflow_id, None)
                if answer is None:
                    self._released[one.workflow_id] = one
                elif answer.kind == "gone":
                    self._gone.add(one.workflow_id)
                else:
                    self._left[one.workflow_id] = answer

    async def _settle(self, orders: list[act.HeldForSku]) -> None:
        """Those that took the repair and are shown as held for the SKU all the same."""
        for start in range(0, len(orders), act.BATCH):
            request = self._request(orders[start : start + act.BATCH]).model_copy(update={"look_only": True})
            for one in (await self._calls.release(request)).left:
                if one.kind == "held":
                    self._released.pop(one.workflow_id, None)
                    self._left[one.workflow_id] = one

    def _request(self, orders: list[act.HeldForSku]) -> act.ReleaseRequest:
        wanted = self._wanted
        return act.ReleaseRequest(
            seller_id=wanted.seller_id,
            sku=wanted.sku,
            itno=wanted.itno,
            by=wanted.by,
            why=wanted.why,
            asked_as=f"map-{workflow.uuid4()}",
            orders=tuple(orders),
        )

    def _show(self, to_go: int) -> None:
        workflow.set_current_details(
            f"SKU `{self._wanted.sku}` is item `{self._wanted.itno}`. {len(self._released)} held orders released, "
            f"{to_go} to go."
        )

    def _result(self, refused: str) -> act.MapSkuResult:
        wanted, kept = self._wanted, self._kept
        waiting = [one.order_id for one in self._released.values() if one.others]
        left = tuple(self._left.values())
        return act.MapSkuResult(
            seller_id=wanted.seller_id,
            sku=wanted.sku,
            itno=wanted.itno,
            outcome="refused" if refused else "mapped",
            sentence=refused or _sentence(wanted, len(self._released), len(left)),
            written=kept.written,
            known=kept.known,
            released=len(self._released),
            waiting=tuple(waiting[: act.NAMED]),
            waiting_count=len(waiting),
            left=left[: act.NAMED],
            left_count=len(left),
            notes=kept.notes,
        )


def _sentence(wanted: act.MapSkuInput, released: int, left: int) -> str:
    orders = {0: "No order was held for it", 1: "1 held order was released"}.get(
        released, f"{released} held orders were released"
    )
    stay = f", {left} not" if left else ""
    return f"SKU {wanted.sku} of seller {wanted.seller_id} is item {wanted.itno}. {orders}{stay}."


def said(result: act.MapSkuResult) -> str:
    """The result as the Web UI shows it."""
    lines = [result.sentence]
    if result.written:
        lines.append(f"Alias written in M3 (MMS025): {', '.join(result.written)}.")
    if result.known:
        lines.append(f"Alias known in M3: {', '.join(result.known)}.")
    lines += result.notes
    if result.waiting_count:
        lines.append(
            f"{result.waiting_count} of them wait for other SKUs still: {', '.join(result.waiting[:10])}."
        )
    lines += [f"- {one.sentence}" for one in result.left]
    if result.left_count > len(result.left):
        lines.append(f"- and {result.left_count - len(result.left)} more.")
    return "\n\n".join(line.replace("*", r"\*").replace("<", r"\<") for line in lines)
