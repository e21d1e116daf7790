"""Corrections of Amazon's stock in M3: from adjustments to corrections, and each correction booked once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from activities.errors import bounded
from activities.m3.context import M3Context
from activities.m3.errors import NotYet, Pace
from activities.m3.programs import items as item_program
from activities.m3.programs.stock import Corrected, MessageStatus, correct, message_statuses
from canonical.items import itno_of
from canonical.stock.corrections import Correction, CorrectionRules, Corrections, FbaAdjustment, corrections
from canonical.stock.fba_contracts import BookedCorrections, Part, RefusedCorrection

_LONGEST: Final = 300


@dataclass(frozen=True)
class FbaStockOptions:
    """How the stock that Amazon keeps is carried in one M3 company."""

    rules: Mapping[str, CorrectionRules] = field(default_factory=dict)
    """By seller; empty where no stock is corrected."""
    marketplaces: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By seller: in their order SKUs are looked up."""
    message_type: str = ""
    """E065 of corrections."""
    flag: Literal["*EXE", "*AUT"] = "*EXE"
    """PRFL: done and answered at once, or later by M3's own job."""


async def items_of(ctx: M3Context, marketplaces: Iterable[str], skus: Sequence[str]) -> dict[str, str]:
    """ITNO by SKU: M3's alias, else the rules, by the profiles of these marketplaces; what M3 does not have is left
    out."""
    wanted = list(dict.fromkeys(skus))
    profiles = [ctx.profiles[each] for each in marketplaces if each in ctx.profiles]
    found: dict[str, str] = {}
    for alwt, alwq in dict.fromkeys((one.alias_type, one.alias_qualifier) for one in profiles):
        left = [sku for sku in wanted if sku not in found]
        found |= await item_program.aliases(ctx.client, left, alwt=alwt, alwq=alwq)
    for sku in wanted:
        by_rule = (itno_of(sku, found.get(sku), profile.item_rules) for profile in profiles)
        itno = next((one for one in by_rule if one), None)
        if itno:
            found[sku] = itno
    there = await item_program.items(ctx.client, sorted(set(found.values())))
    return {sku: itno for sku, itno in found.items() if itno in there}


async def plan_corrections(
    ctx: M3Context, options: FbaStockOptions, seller_id: str, adjustments: Sequence[FbaAdjustment]
) -> Corrections:
    """What becomes of a look's adjustments. No MI transaction of those in use tells what an item is worth, so that
    pieces alone decide who approves."""
    items = await items_of(ctx, options.marketplaces.get(seller_id, ()), [each.sku for each in adjustments])
    return corrections(adjustments, options.rules[seller_id], items, {})


async def book_corrections(
    ctx: M3Context, options: FbaStockOptions, wanted: Sequence[Correction], part: Part, plan_key: str
) -> BookedCorrections:
    """Book corrections that may go, each once however often it is sent.

    One that M3 knows is looked at: M3 may have refused it later, or not done it yet. Raises NotYet while M3 has some
    of them to do.
    """
    partner = ctx.options.partner
    sent = [each.model_copy(update={"approval": ""}) for each in wanted]
    outcomes = await correct(
        ctx.client, sent, partner=partner, message_type=options.message_type, flag=options.flag
    )
    later = options.flag == "*AUT"
    looked_at = [
        each.correction.number for each in outcomes if each.error is None and (later or each.repeated)
    ]
    statuses = await message_statuses(ctx.client, partner, looked_at) if looked_at else {}
    waiting = sum(status == MessageStatus.WAITING for status in statuses.values())
    if waiting:
        raise NotYet(f"M3 has {waiting} stock corrections of Amazon's to do (MMS850).", pace=Pace.LATER)
    refused = [
        told
        for each in outcomes
        if (told := _refused(each, statuses.get(each.correction.number, ""), part, plan_key)) is not None
    ]
    lost = {one.number for one in refused}
    done = [each for each in outcomes if each.correction.number not in lost]
    return BookedCorrections(
        booked=len(done),
        repeated=sum(each.repeated for each in done),
        pieces=sum(abs(each.correction.quantity) for each in done),
        refused=tuple(refused),
    )


def _refused(outcome: Corrected, status: str, part: Part, plan_key: str) -> RefusedCorrection | None:
    correction, error = outcome.correction, outcome.error
    what = f"{correction.quantity:+d} of item {correction.itno} in warehouse {correction.whlo} ({correction.kind})"
    if error is not None:
        sentence, code = f"{what}: {error.sentence}.", error.code
    elif status == MessageStatus.REFUSED:
        sentence, code = f"{what}: M3 keeps it with errors as message {correction.number} (MMS850).", ""
    else:
        return None
    return RefusedCorrection(
        number=correction.number,
        part=part,
        plan_key=plan_key,
        sentence=bounded(sentence, _LONGEST),
        code=code,
    )
