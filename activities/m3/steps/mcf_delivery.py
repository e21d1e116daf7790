"""Reading an M3 delivery that Amazon is to fulfil: what, where to, under which SellerSKUs."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from activities.m3.context import M3Context
from activities.m3.programs.deliveries import co_deliveries
from activities.m3.programs.mcf import (
    M3Address,
    OutboundHead,
    OutboundLine,
    delivery_address,
    order_head,
    outbound_heads,
    outbound_lines,
    seller_skus,
)
from canonical.held import HeldReason, Hold, ItemCandidate, OrderHeld, held
from canonical.ids import mcf_item_id
from canonical.mcf_contracts import McfDelivery, McfDeliveryRequest, McfLine, McfRules
from canonical.order import Address
from canonical.profile import MarketplaceProfile

_NAMED: Final = 5


async def read_mcf_delivery(
    ctx: M3Context, rules: Mapping[str, McfRules], request: McfDeliveryRequest
) -> McfDelivery:
    """The delivery as M3 has it now; `open` is False where nothing of it is left to be fulfilled.

    Raises `OrderHeld`: mcf_sku_unknown, mcf_refused (no address), not_configured.
    """
    rule = rules.get(request.whlo)
    if rule is None:
        raise held(
            HeldReason.NOT_CONFIGURED,
            f"M3 delivery {request.dlix} is of warehouse {request.whlo}, which the configuration does not have "
            "under mcf.warehouses.",
        )
    head = (await outbound_heads(ctx.client, [request.dlix])).get(request.dlix)
    lines = await outbound_lines(ctx.client, request.dlix) if head is not None else ()
    order = await order_head(ctx.client, request.orno)
    if head is None or order is None or not lines or head.plsx == "0" or await _left(ctx, request):
        return _closed(request, rule)
    if head.orno != request.orno or head.whlo != request.whlo:
        raise held(
            HeldReason.MCF_REFUSED,
            f"M3 delivery {request.dlix} is of order {head.orno} from warehouse {head.whlo}, not of order "
            f"{request.orno} from {request.whlo}.",
            system="M3",
        )
    profile = ctx.profile(rule.marketplace_id, f"(M3 order {request.orno})")
    address = await delivery_address(ctx.client, request.dlix)
    if address is None:
        raise held(
            HeldReason.MCF_REFUSED,
            f"M3 delivery {request.dlix} of order {request.orno} has no delivery address.",
            system="M3",
        )
    skus = await _skus(ctx, request, lines, profile)
    return McfDelivery(
        orno=request.orno,
        dlix=request.dlix,
        whlo=request.whlo,
        cuno=order.cuno,
        displayable_id=_displayable(head),
        ordered_at=order.ordered or datetime.now(UTC),
        modl=head.modl,
        address=_in_amazons_words(address, profile),
        lines=tuple(_line(line, skus[line.itno]) for line in lines),
        rules=rule,
    )


async def _left(ctx: M3Context, request: McfDeliveryRequest) -> bool:
    deliveries = (await co_deliveries(ctx.client, [request.orno]))[request.orno]
    return any(each.left for each in deliveries if each.dlix == request.dlix)


def _closed(request: McfDeliveryRequest, rule: McfRules) -> McfDelivery:
    return McfDelivery(
        orno=request.orno,
        dlix=request.dlix,
        whlo=request.whlo,
        cuno="",
        displayable_id=request.orno,
        ordered_at=datetime.now(UTC),
        modl="",
        address=Address(),
        lines=(),
        rules=rule,
        open=False,
    )


def _line(line: OutboundLine, sku: str) -> McfLine:
    return McfLine(
        item_id=mcf_item_id(line.ponr, line.posx),
        ponr=line.ponr,
        posx=line.posx,
        itno=line.itno,
        sku=sku,
        quantity=line.quantity,
    )


def _displayable(head: OutboundHead) -> str:
    """The customer's own order number where he gave one: it is his packing slip."""
    return head.cuor.strip() or head.orno


def _in_amazons_words(address: M3Address, profile: MarketplaceProfile) -> Address:
    countries = {code: iso for iso, code in profile.country_codes.items()}
    return Address(
        name=address.name,
        lines=address.lines,
        city=address.town,
        state=address.area,
        postal_code=address.postcode,
        country=countries.get(address.country, address.country),
    )


async def _skus(
    ctx: M3Context,
    request: McfDeliveryRequest,
    lines: tuple[OutboundLine, ...],
    profile: MarketplaceProfile,
) -> dict[str, str]:
    """The one SellerSKU of each item: a person's word, or its only alias."""
    wanted = list(dict.fromkeys(line.itno for line in lines if line.itno not in request.skus))
    found = await seller_skus(ctx.client, wanted, alwt=profile.alias_type, alwq=profile.alias_qualifier)
    for itno, names in found.items():
        if len(names) != 1:
            raise _undecided(request, itno, names)
    return {**{itno: names[0] for itno, names in found.items()}, **request.skus}


def _undecided(request: McfDeliveryRequest, itno: str, names: tuple[str, ...]) -> OrderHeld:
    known = f"several SellerSKUs ({', '.join(names[:_NAMED])})" if names else "no SellerSKU"
    sentence = (
        f"Item {itno} of M3 delivery {request.dlix}, order {request.orno}, has {known} among its aliases: "
        "Amazon has to be told one."
    )
    candidate = ItemCandidate(itno=itno, name="the item of the delivery", score=100)
    return OrderHeld(
        Hold(
            reason=HeldReason.MCF_SKU_UNKNOWN,
            sentence=sentence,
            system="M3",
            skus=names[:_NAMED] or ("SELLER-SKU",),
            candidates=dict.fromkeys(names[:_NAMED] or ("SELLER-SKU",), (candidate,)),
        )
    )
