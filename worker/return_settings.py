"""The configuration of return cases."""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from activities.m3.options import ReturnOptions
from canonical.return_models import CaseRules

_Report = Literal[
    "GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA",
    "GET_FBA_REIMBURSEMENTS_DATA",
    "GET_FLAT_FILE_RETURNS_DATA_BY_RETURN_DATE",
]


class ReturnSettings(BaseModel):
    """Refunds, returns, replacements and reimbursements: when a case is flagged, and how M3 is told. Without this
    section no cases are followed, and the refund of a closed order is held for a person."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    flag_after_days: Annotated[int, Field(ge=1, le=540)] = 45
    """How long goods, a refund or a reimbursement may be missing before the case is held as overdue."""
    tolerance: Annotated[Decimal, Field(ge=0)] = Decimal("0.00")
    """Largest difference between refund and M3's credit that is not held, in the order's currency."""
    look_back_days: Annotated[int, Field(ge=2, le=179)] = 7
    """How far back a look for refunds and returns reads behind the last one; Amazon tells them up to 48 hours late,
    and facts count once."""
    reports: tuple[_Report, ...] = (
        "GET_FBA_FULFILLMENT_CUSTOMER_RETURNS_DATA",
        "GET_FBA_REIMBURSEMENTS_DATA",
        "GET_FLAT_FILE_RETURNS_DATA_BY_RETURN_DATE",
    )
    """Reports Amazon is asked for by the daily look: FBA returns, reimbursements, returns to the merchant."""
    gather_minutes: Annotated[float, Field(ge=3, le=1440)] = 5.0
    """How long refunds that Amazon notifies are gathered before they are read, all at once. Amazon does not tell
    transactions of the last two minutes."""
    responsible: Annotated[str, StringConstraints(min_length=1, max_length=10)] = "AMAZON"
    """RESP and RERE of customer returns in M3."""
    reason: Annotated[str, StringConstraints(max_length=3)] = ""
    """RSCD: transaction reason of customer returns."""
    locations: dict[str, Annotated[str, StringConstraints(max_length=10)]] = {}
    """WHSL by Amazon's disposition, such as ``CUSTOMER_DAMAGED``; others go where M3 puts them."""

    @property
    def rules(self) -> CaseRules:
        return CaseRules(flag_after=timedelta(days=self.flag_after_days), tolerance=self.tolerance)

    @property
    def options(self) -> ReturnOptions:
        return ReturnOptions(responsible=self.responsible, reason=self.reason, locations=self.locations)
