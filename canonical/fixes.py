"""The repairs: one pydantic argument each, the same for the update, its signal twin and `o2c fix`."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from canonical.order import Address
from canonical.steps import Step

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class _Fix(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    by: str = ""
    """Who repairs; shown on the order."""
    why: str = ""
    reason: str = ""
    """The held reason it is meant for: an order that is by then held for another, or no longer, refuses it.
    Empty for any."""


class Retry(_Fix):
    """Try the step again, with what was repaired outside."""


class MapSku(_Fix):
    """`sku` is M3's item `itno`: written to M3 as alias (MMS025MI.AddAlias)."""

    sku: _Text
    itno: Annotated[_Text, StringConstraints(max_length=15)]
    alone: bool = False
    """For this order alone: else all others that are held for the SKU are released with it."""


class CorrectAddress(_Fix):
    """Deliver to this address instead."""

    address: Address


class SetCustomer(_Fix):
    """Book the order on this M3 customer."""

    cuno: Annotated[_Text, StringConstraints(max_length=10)]


class AcceptDifference(_Fix):
    """Go on although the figures differ; the difference is recorded on the order."""


class MarkStepDone(_Fix):
    """The step was done by hand in M3 under `number`; checked against M3 before it is believed.

    sales_order: ORNO; shipment: DLIX; invoice: IVNO; ledger: VONO; cancelling: the ORNO deleted or returned.
    """

    step: Step
    number: _Text
    year: str = Field(default="", pattern=r"^(\d{4})?$")
    """YEA4 for invoice and voucher numbers; empty takes the current year's."""


class Cancel(_Fix):
    """Give the order up: M3's order is taken back as far as its state allows."""


class AcceptCancellation(_Fix):
    """The buyer may cancel: M3's order, or the lines asked for, are taken back."""


class RefuseCancellation(_Fix):
    """The buyer may not cancel: the order is shipped as it is."""


type_of_fix: dict[str, type[_Fix]] = {
    "retry": Retry,
    "map_sku": MapSku,
    "correct_address": CorrectAddress,
    "set_customer": SetCustomer,
    "accept_difference": AcceptDifference,
    "mark_step_done": MarkStepDone,
    "cancel": Cancel,
    "accept_cancellation": AcceptCancellation,
    "refuse_cancellation": RefuseCancellation,
}

Fix = (
    Retry
    | MapSku
    | CorrectAddress
    | SetCustomer
    | AcceptDifference
    | MarkStepDone
    | Cancel
    | AcceptCancellation
    | RefuseCancellation
)
