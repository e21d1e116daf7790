"""SellerSKUs into M3 items: aliases in bulk, a person's mappings written to M3, candidates for the rest."""

import asyncio
import re
from typing import Final

from activities.m3.context import M3Context
from activities.m3.errors import MIError
from activities.m3.programs import items as program
from activities.m3.reasons import hold_for
from activities.m3.steps.sku_alias import keep_alias
from canonical.activity_contracts import ResolveItemsRequest, ResolveItemsResult
from canonical.fixes import MapSku
from canonical.held import HeldReason, Hold, ItemCandidate, OrderHeld, held
from canonical.items import itno_of, rank_candidates
from canonical.profile import MarketplaceProfile
from canonical.sku.models import Item, Listing

_ORDERABLE: Final = "20"
_QUERIES: Final = 6
_WORD: Final = re.compile(r"[0-9A-Za-z]{3,}")


async def resolve_items(ctx: M3Context, request: ResolveItemsRequest) -> ResolveItemsResult:
    """ITNO of every SKU; mappings in `chosen` become aliases first, so that they serve every later order.

    Raises `OrderHeld`: unmapped_sku with likely items, item_blocked, not_configured.
    """
    return await _Resolving(ctx, request).run()


class _Resolving:
    def __init__(self, ctx: M3Context, request: ResolveItemsRequest) -> None:
        self._client = ctx.client
        self._request = request
        self._order_id = request.ref.order_id
        self._profile: MarketplaceProfile = ctx.profile(request.ref.marketplace_id, self._order_id)

    async def run(self) -> ResolveItemsResult:
        skus = list(dict.fromkeys(self._request.skus))
        chosen = {fix.sku: fix.itno for fix in self._request.chosen}
        for fix in self._request.chosen:
            await self._keep(fix)
        known = await self._aliases([sku for sku in skus if sku not in chosen])
        rules = self._profile.item_rules
        mapped = {sku: chosen.get(sku) or itno_of(sku, known.get(sku), rules) for sku in skus}
        found = {sku: itno for sku, itno in mapped.items() if itno}
        there = await program.items(self._client, sorted(set(found.values())))
        self._refuse_blocked(found, there)
        unmapped = tuple(sku for sku in skus if mapped[sku] not in there)
        if unmapped:
            raise await self._unmapped(unmapped)
        return ResolveItemsResult(items=found)

    async def _aliases(self, skus: list[str]) -> dict[str, str]:
        profile = self._profile
        return await program.aliases(
            self._client, skus, alwt=profile.alias_type, alwq=profile.alias_qualifier
        )

    async def _keep(self, fix: MapSku) -> None:
        """Write a person's mapping to M3 as alias; another item's alias gives way, since a person said so.

        A SKU longer than an alias (POPN 30) is mapped for this order only.
        """
        if len(fix.sku) > program.ALIAS_LENGTH:
            return
        if not await program.items(self._client, [fix.itno]):
            raise OrderHeld(
                Hold(
                    reason=HeldReason.UNMAPPED_SKU,
                    sentence=f"M3 has no item {fix.itno}, which was chosen for SKU {fix.sku} of Amazon order "
                    f"{self._order_id}.",
                    system="M3",
                    skus=(fix.sku,),
                    candidates={fix.sku: await self._candidates(fix.sku)},
                )
            )
        profile = self._profile
        alwt, alwq = profile.alias_type, profile.alias_qualifier
        try:
            await keep_alias(self._client, fix.sku, fix.itno, alwt=alwt, alwq=alwq)
        except MIError as error:
            raise hold_for(error, self._order_id, about=f"alias of SKU {fix.sku}") from error

    def _refuse_blocked(self, found: dict[str, str], there: dict[str, program.Item]) -> None:
        blocked = {
            sku: there[itno]
            for sku, itno in found.items()
            if itno in there and there[itno].status != _ORDERABLE
        }
        if not blocked:
            return
        named = "; ".join(
            f"item {item.itno} (SKU {sku}) has status {item.status}" for sku, item in blocked.items()
        )
        raise OrderHeld(
            Hold(
                reason=HeldReason.ITEM_BLOCKED,
                sentence=f"Amazon order {self._order_id} needs M3 items that cannot be ordered: {named}; only "
                "status 20 can.",
                system="M3",
                skus=tuple(blocked),
            )
        )

    async def _unmapped(self, skus: tuple[str, ...]) -> OrderHeld:
        candidates = {sku: await self._candidates(sku) for sku in skus}
        names = ", ".join(skus)
        hold = held(
            HeldReason.UNMAPPED_SKU,
            f"M3 knows no item for SKU {names} of Amazon order {self._order_id} (alias category "
            f"{self._profile.alias_type} {self._profile.alias_qualifier}).",
            system="M3",
            code="WPO0403",
        ).hold
        return OrderHeld(hold.model_copy(update={"skus": skus, "candidates": candidates}))

    async def _candidates(self, sku: str) -> tuple[ItemCandidate, ...]:
        """Likely items: found by the words of title and SKU, and those whose number follows the SKU's
        parts."""
        title = self._request.titles.get(sku, "")
        words = list(dict.fromkeys(_WORD.findall(title)[:_QUERIES] + _WORD.findall(sku)))[: 2 * _QUERIES]
        starts = list(dict.fromkeys(part[:15].upper() for part in (sku, *_WORD.findall(sku))))[:3]
        found = await program.search(self._client, [f"{word}*" for word in words], starts)
        listing = Listing(sku=sku, asin=self._request.asins.get(sku, ""), title=title)
        items = [Item(itno=item.itno, name=item.name) for item in found]
        return await asyncio.to_thread(rank_candidates, listing, items)
