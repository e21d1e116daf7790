"""Reading what an operator sends: one argument, checked against the order, answered in a sentence."""

import json
from collections.abc import Collection
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError

from canonical.fixes import CorrectAddress, Fix, MapSku, MarkStepDone, type_of_fix
from canonical.held import FixName, Hold
from canonical.held_reasons import HELD_REASONS
from canonical.steps import MARKABLE_STEPS, Step

N = TypeVar("N", bound=BaseModel)

EXAMPLES: dict[FixName, dict[str, object]] = {
    FixName.RETRY: {},
    FixName.MAP_SKU: {"sku": "SELLER-SKU", "itno": "M3-ITEM"},
    FixName.CORRECT_ADDRESS: {
        "address": {
            "name": "Name",
            "lines": ["Street 1"],
            "city": "Town",
            "postal_code": "12345",
            "country": "DE",
        }
    },
    FixName.SET_CUSTOMER: {"cuno": "M3-CUSTOMER"},
    FixName.ACCEPT_DIFFERENCE: {},
    FixName.MARK_STEP_DONE: {"step": "sales_order", "number": "M3-NUMBER"},
    FixName.CANCEL: {},
    FixName.ACCEPT_CANCELLATION: {},
    FixName.REFUSE_CANCELLATION: {},
}

DESCRIPTIONS: Final[dict[FixName, str]] = {
    FixName.RETRY: "Try the held step again. Input: none.",
    FixName.MAP_SKU: 'Tell M3\'s item for a SKU. Input: {"sku": "...", "itno": "..."}',
    FixName.CORRECT_ADDRESS: (
        'Deliver elsewhere. Input: {"address": {"name": "...", "lines": ["..."], "city": "...", '
        '"postal_code": "...", "country": "DE"}}'
    ),
    FixName.SET_CUSTOMER: 'Book on another M3 customer. Input: {"cuno": "..."}',
    FixName.ACCEPT_DIFFERENCE: "Go on although the figures differ. Input: none.",
    FixName.MARK_STEP_DONE: 'The held step was done by hand. Input: {"step": "invoice", "number": "..."}',
    FixName.CANCEL: "Give the order up; M3's order is taken back. Input: none.",
    FixName.ACCEPT_CANCELLATION: "The buyer may cancel; what was asked for is taken back in M3. Input: none.",
    FixName.REFUSE_CANCELLATION: "The buyer may not cancel; the order is shipped. Input: none.",
}
"""What the Web UI shows of a repair where one is chosen."""

_NAMED = 40
"""Characters of a field name that are repeated to whoever sent it."""


class BadRepair(ValueError):  # noqa: N818 - read as what it is by whoever sent it
    """What was sent is no repair of this order; the text says why and what would be."""


def read_fix(name: FixName, arguments: tuple[object, ...]) -> Fix:
    """The repair that `arguments` describe; raises BadRepair with a sentence."""
    example = f"`{json.dumps(EXAMPLES[name])}`"
    if len(arguments) > 1:
        raise BadRepair(f"{name} takes one argument, such as {example}; {len(arguments)} were sent.")
    given = arguments[0] if arguments else {}
    if given is None:
        given = {}
    if not isinstance(given, dict):
        raise BadRepair(f"{name} takes a JSON object such as {example}, not a {type(given).__name__}.")
    try:
        fix = type_of_fix[name].model_validate(given)
    except ValidationError as error:
        wrong = _what_is_wrong(error)
        raise BadRepair(f"{name} could not be read ({wrong}). Send something like {example}.") from None
    return fix  # type: ignore[return-value]


def read_news(kind: type[N], arguments: tuple[object, ...]) -> N:
    """The one argument of a machine's signal; raises BadRepair with a sentence."""
    if len(arguments) != 1:
        raise BadRepair(f"it takes one argument, {len(arguments)} were sent.")
    try:
        return kind.model_validate(arguments[0])
    except ValidationError as error:
        raise BadRepair(f"it could not be read ({_what_is_wrong(error)}).") from None


def _what_is_wrong(error: ValidationError) -> str:
    """The first few fields that cannot be read and why, never what was in them: it may be a buyer's."""
    return "; ".join(
        f"{'.'.join(str(part)[:_NAMED] for part in problem['loc']) or 'argument'}: {problem['msg']}"
        for problem in error.errors(include_input=False, include_url=False, include_context=False)[:5]
    )


def values_of(fix: Fix) -> str:
    """The repair's own values as they are typed at the command line; an address is nobody else's to read."""
    if isinstance(fix, CorrectAddress):
        return ""
    given = fix.model_dump(mode="json", exclude={"by", "why", "reason", "alone"}, exclude_defaults=True)
    return " ".join(f"{key}={value}" for key, value in given.items())


def check_fix(
    fix: Fix,
    name: FixName,
    *,
    order_id: str,
    hold: Hold | None,
    step: Step,
    skus: Collection[str] | None = None,
    noun: str = "order",
    takes: Collection[FixName] = tuple(FixName),
) -> None:
    """Whether the repair fits the order as it stands; raises BadRepair with a sentence.

    skus: what it sells, where a repair for another SKU is none. takes: the repairs it knows at all.
    """
    what = f"{noun} {order_id}"
    if hold is None:
        waits = step in (Step.AWAITING_RELEASE, Step.AWAITING_SHIPMENT)
        if name is FixName.CANCEL and waits and not fix.reason:
            return
        raise BadRepair(
            f"{what[:1].upper()}{what[1:]} is not held (step {step}); there is nothing to repair."
        )
    if fix.reason and fix.reason != hold.reason:
        raise BadRepair(
            f"{what[:1].upper()}{what[1:]} is now held for {hold.reason}; the {name} was meant for {fix.reason}."
        )
    allowed = [fits for fits in HELD_REASONS[hold.reason].fixes if fits in takes]
    if name not in allowed:
        raise BadRepair(f"{name} does not repair {hold.reason} of {what}; what does: {', '.join(allowed)}.")
    if isinstance(fix, MapSku) and skus is not None and fix.sku not in skus:
        raise BadRepair(f"{what[:1].upper()}{what[1:]} has no SKU {fix.sku}; its SKUs: {', '.join(skus)}.")
    if isinstance(fix, MarkStepDone) and (fix.step != step or fix.step not in MARKABLE_STEPS):
        raise BadRepair(
            f"{what[:1].upper()}{what[1:]} is held at step {step}, so step {fix.step} cannot be marked done."
            if step in MARKABLE_STEPS
            else f"Step {step} of {what} cannot be marked done by hand."
        )
