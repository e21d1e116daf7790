"""What M3 is told about one order: the fields of the batch order calls, each within its length."""

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from canonical.address import M3Address
from canonical.money import Money


def _text(length: int) -> StringConstraints:
    return StringConstraints(max_length=length)


class _Planned(BaseModel):
    model_config = ConfigDict(frozen=True)


class PlannedHead(_Planned):
    """OIS100MI.AddBatchHead."""

    cuno: Annotated[str, StringConstraints(min_length=1, max_length=10)]
    ortp: Annotated[str, _text(3)]
    faci: Annotated[str, _text(3)]
    whlo: Annotated[str, _text(3)]
    cuor: Annotated[str, _text(20)]
    """Amazon's order id: the key by which M3 is searched before every write."""
    cucd: Annotated[str, _text(3)]
    ordt: Annotated[str, _text(8)]
    """Purchase date, YYYYMMDD in UTC."""
    rldt: Annotated[str, _text(8)] = ""
    """MFN: latest ship date, YYYYMMDD in UTC."""
    yref: Annotated[str, _text(30)] = ""
    """Order id whose goods a replacement replaces."""
    oref: Annotated[str, _text(30)] = ""
    """Where the order comes from, such as "Amazon.de FBA"."""

    def fields(self) -> dict[str, str]:
        """MI fields that have a value."""
        return {name.upper(): value for name, value in self.model_dump().items() if value}


class PlannedLine(_Planned):
    """OIS100MI.AddBatchLine."""

    order_item_id: str
    cupo: Annotated[str, _text(7)]
    """Position within the Amazon order, from "1": finds a line again after a lost reply."""
    itno: Annotated[str, StringConstraints(min_length=1, max_length=15)]
    quantity: int
    sapr: Annotated[str, _text(18)]
    """Price per piece; times quantity, rounded to the currency, it is exactly Amazon's amount."""
    whlo: Annotated[str, _text(3)]
    exhe: Annotated[str, _text(36)] = ""
    """External order number: Amazon's order item id, where it fits."""
    amount: Decimal
    """What M3 must make of the line."""

    def fields(self) -> dict[str, str]:
        """MI fields; ORNO is the caller's."""
        fields = {
            "ITNO": self.itno,
            "ORQT": str(self.quantity),
            "SAPR": self.sapr,
            "CUPO": self.cupo,
            "WHLO": self.whlo,
            "EXHE": self.exhe,
        }
        return {name: value for name, value in fields.items() if value}


class PlannedCharge(_Planned):
    """OIS100MI.AddBatchHeadChg."""

    crid: Annotated[str, _text(6)]
    amount: Decimal
    """Negative for promotions."""
    text: Annotated[str, _text(30)]

    def fields(self) -> dict[str, str]:
        """MI fields; ORNO is the caller's."""
        return {"CRID": self.crid, "CRAM": f"{self.amount:f}", "CRD0": self.text}


class SalesOrderPlan(_Planned):
    """Everything M3 is to be told about one order."""

    head: PlannedHead
    address: M3Address | None
    """None for FBA orders whose address Amazon does not tell."""
    lines: tuple[PlannedLine, ...]
    charges: tuple[PlannedCharge, ...]
    expected_total: Money
