"""What M3 remembers of customer returns (OCHEAD, OCLINE), named by the trade's words."""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, Field

ZERO = Decimal(0)


class ReturnLine(BaseModel):
    """OCLINE. `sapr` None: the price of the order line. Quantities: advised REQ0, returned REQ1, approved REQ3,
    credited REQ7."""

    reli: int
    ponr: int
    itno: str
    advised: Decimal
    sapr: Decimal | None = None
    whsl: str = ""
    rscd: str = ""
    returned: Decimal = ZERO
    approved: Decimal = ZERO
    credited: Decimal = ZERO
    to_credit: list[Decimal] = Field(default_factory=list)
    """Receipts that are approved and not credited yet."""

    @property
    def status(self) -> str:
        """REST. Inferred values: 10 advised, 50 returned in part, 66 returned, 77 credited."""
        if self.credited >= self.advised:
            return "77"
        if self.returned >= self.advised:
            return "66"
        return "50" if self.returned else "10"

    @property
    def credit_status(self) -> str:
        """CRES. Inferred values: 1 nothing credited, 2 in part, 9 all."""
        return "9" if self.credited >= self.advised else "2" if self.credited else "1"


class CustomerReturn(BaseModel):
    """OCHEAD with its lines: what a customer sends back of one order."""

    repn: int
    whlo: str
    cuno: str
    faci: str
    orno: str
    yref: str = ""
    ortp: str = ""
    rscd: str = ""
    rere: str = ""
    cucd: str = ""
    entered: float
    lines: list[ReturnLine] = Field(default_factory=list)
