"""Where the columns of a settlement file are: by name, as their number changes with the content.

The flat file V2 has one amount per row; the old one has a column for each kind of amount, which are told here
by the combinations V2 has for them.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from canonical.settlement.default_map import V1_AMOUNT
from canonical.settlement.models import Layout, UnreadableSettlement

_OF_HEADER: Final = (
    "settlement-id", "settlement-start-date", "settlement-end-date", "deposit-date", "total-amount", "currency",
)  # fmt: skip
_OF_ROWS: Final = ("transaction-type", "order-id", "shipment-id", "marketplace-name")
_V2: Final = ("amount-type", "amount-description", "amount")
_V1: Final = (
    "price-type",
    "price-amount",
    "item-related-fee-type",
    "item-related-fee-amount",
    "other-amount",
)
_SERVICE_FEE: Final = "ServiceFee"
_WHOLE_FEE: Final = "TransactionTotalAmount"
_WITHHELD: Final = ("MarketplaceFacilitator", "LowValueGoodsTax")
"""So begin the names of tax that Amazon withholds; the old layout has no column of its own for it."""


class OldAmount(NamedTuple):
    """A pair of columns of the old layout: an amount, and what says which one."""

    column: str
    described_by: str
    amount_type: str


_OLD: Final = (
    OldAmount("price-amount", "price-type", "ItemPrice"),
    OldAmount("item-related-fee-amount", "item-related-fee-type", "ItemFees"),
    OldAmount("shipment-fee-amount", "shipment-fee-type", "ShipmentFees"),
    OldAmount("order-fee-amount", "order-fee-type", "OrderFees"),
    OldAmount("promotion-amount", "promotion-type", "Promotion"),
    OldAmount("direct-payment-amount", "direct-payment-type", "DirectPayment"),
    OldAmount("misc-fee-amount", "", "misc-fee-amount"),
    OldAmount("other-fee-amount", "other-fee-reason-description", "other-fee-amount"),
    OldAmount("other-amount", "", V1_AMOUNT),
)


class Columns:
    """Positions of the columns of one file."""

    def __init__(self, line: str) -> None:
        """Raises UnreadableSettlement where the line is no header of a settlement file."""
        names = [name.strip().lower() for name in line.split("\t")]
        if len(names) < len(_OF_HEADER):
            raise UnreadableSettlement("Row 1 is no header of a settlement report: it has too few tabs.", 1)
        if names[0].startswith('"'):
            raise UnreadableSettlement(
                "Row 1 has quotes: another program has saved the file. Take it as Amazon sent it.", 1
            )
        self.width = len(names)
        self._at = {name: position for position, name in enumerate(names) if name}
        self._refuse_twice(names)
        self.layout = Layout.V1 if "price-amount" in self._at and "amount" not in self._at else Layout.V2
        self._refuse_lacking()
        self.old_amounts = tuple(each for each in _OLD if each.column in self._at)
        self._refuse_unknown_amounts()

    def __getitem__(self, name: str) -> int:
        return self._at[name]

    def find(self, name: str) -> int | None:
        return self._at.get(name)

    @property
    def posted(self) -> int:
        """The column of a row's date."""
        return self._at.get("posted-date-time", self._at.get("posted-date", 0))

    def _refuse_twice(self, names: Sequence[str]) -> None:
        twice = next((name for name in names if name and names.count(name) > 1), None)
        if twice is not None:
            raise UnreadableSettlement(f"Row 1: the column {twice[:40]} is there twice.", 1)

    def _refuse_lacking(self) -> None:
        wanted = (*_OF_HEADER, *_OF_ROWS, *(_V1 if self.layout is Layout.V1 else _V2))
        lacking = [name for name in wanted if name not in self._at]
        if "posted-date" not in self._at and "posted-date-time" not in self._at:
            lacking.append("posted-date-time")
        if lacking:
            raise UnreadableSettlement(f"Row 1 lacks the columns {', '.join(lacking)}.", 1)

    def _refuse_unknown_amounts(self) -> None:
        known = {"total-amount", "amount", *(each.column for each in _OLD)}
        if self.layout is Layout.V2:
            known = {"total-amount", "amount"}
        strange = [name for name in self._at if name.endswith("amount") and name not in known]
        if strange:
            raise UnreadableSettlement(
                f"Row 1: the columns {', '.join(strange)} hold amounts that are not known; nothing is left out.",
                1,
            )

    def old_combination(self, cells: Sequence[str], each: OldAmount) -> tuple[str, str, str]:
        """The combination the new layout has for an amount of the old one."""
        transaction = cells[self._at["transaction-type"]]
        described = cells[self._at[each.described_by]] if each.described_by in self._at else ""
        if transaction == _SERVICE_FEE and each.column == "item-related-fee-amount":
            return transaction, described, _WHOLE_FEE
        if transaction == _SERVICE_FEE and each.column == "other-fee-amount":
            return transaction, cells[self._at["item-related-fee-type"]], described
        if described.startswith(_WITHHELD):
            return transaction, "ItemWithheldTax", described
        return transaction, each.amount_type, described
