"""A SKU that becomes an item's, for all orders: the item is looked at, the alias is written, once for each category."""

from collections.abc import Callable, Mapping

from temporalio import activity

from activities.errors import bounded, failures_as_temporal_knows_them, heartbeating
from activities.m3.context import M3Context
from activities.m3.errors import MIError
from activities.m3.programs import items as program
from activities.m3.steps.sku_alias import keep_alias
from canonical.sku import contracts as act

_RELEASED = "20"


class M3SkuActivities:
    """sellers: the marketplaces of each seller."""

    def __init__(self, context: M3Context, sellers: Mapping[str, tuple[str, ...]]) -> None:
        self._context = context
        self._sellers = sellers

    @property
    def all(self) -> list[Callable[..., object]]:
        return [self.keep_sku_alias]

    @activity.defn(name=act.KEEP_SKU_ALIAS)
    async def keep_sku_alias(self, request: act.KeepAliasRequest) -> act.KeepAliasResult:
        """Write the alias where M3 lacks it; again it writes nothing."""
        with failures_as_temporal_knows_them():
            async with heartbeating():
                try:
                    return await self._kept(request)
                except MIError as error:
                    return _refused(bounded(f"SKU {request.sku} was not mapped: {error.sentence}."))

    async def _kept(self, request: act.KeepAliasRequest) -> act.KeepAliasResult:
        refusal = self._stranger(request) or await self._unfit(request.itno)
        if refusal:
            return _refused(f"SKU {request.sku} was not mapped: {refusal}")
        if len(request.sku) > program.ALIAS_LENGTH:
            return act.KeepAliasResult(
                notes=(
                    f"SKU {request.sku} is longer than an alias of M3 ({program.ALIAS_LENGTH} characters): it is "
                    "mapped for the orders held now, and for each later one anew.",
                )
            )
        categories = self._categories(request)
        before = {each: await self._behind(request.sku, each) for each in categories}
        others = sorted({itno for items in before.values() for itno in items if itno != request.itno})
        if request.automatic and others:
            return _refused(
                f"SKU {request.sku} was not mapped: it is an alias of {', '.join(others)} by now."
            )
        written, known, notes = list[str](), list[str](), list[str]()
        for alwt, alwq in categories:
            name = f"{alwt} {alwq}".strip()
            gave_way = await keep_alias(self._context.client, request.sku, request.itno, alwt=alwt, alwq=alwq)
            (known if gave_way is None else written).append(name)
            after = set(await self._behind(request.sku, (alwt, alwq))) - {request.itno}
            if gave_way and gave_way not in after:
                notes.append(
                    f"SKU {request.sku} was an alias ({name}) of item {gave_way} and is none any more."
                )
            if after:
                notes.append(
                    f"SKU {request.sku} is an alias ({name}) of {', '.join(sorted(after))} too, for another partner: "
                    "take that away in MMS025, else later orders may get either."
                )
        return act.KeepAliasResult(written=tuple(written), known=tuple(known), notes=tuple(notes))

    def _stranger(self, request: act.KeepAliasRequest) -> str:
        """Why seller or marketplaces cannot be meant; empty where they can."""
        mine = self._sellers.get(request.seller_id)
        if mine is None:
            return f"seller {request.seller_id} is not in the configuration."
        strange = sorted(set(request.marketplace_ids) - set(mine))
        return f"seller {request.seller_id} has no marketplace {', '.join(strange)}." if strange else ""

    async def _unfit(self, itno: str) -> str:
        """Why nothing can be sold as this item; empty where it can."""
        item = (await program.items(self._context.client, [itno])).get(itno)
        if item is None:
            return f"M3 has no item {itno}."
        if item.status != _RELEASED:
            return f"item {itno} has status {item.status} and cannot be ordered; only status {_RELEASED} can."
        return ""

    def _categories(self, request: act.KeepAliasRequest) -> list[tuple[str, str]]:
        """Alias categories of the marketplaces concerned; several marketplaces may share one."""
        wanted = request.marketplace_ids or self._sellers[request.seller_id]
        profiles = (self._context.profiles[marketplace] for marketplace in wanted)
        return list(dict.fromkeys((each.alias_type, each.alias_qualifier) for each in profiles))

    async def _behind(self, sku: str, category: tuple[str, str]) -> tuple[str, ...]:
        alwt, alwq = category
        return await program.items_behind(self._context.client, sku, alwt=alwt, alwq=alwq)


def _refused(sentence: str) -> act.KeepAliasResult:
    return act.KeepAliasResult(refused=sentence)
