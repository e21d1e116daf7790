"""The configuration of how settlements are posted in M3."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from activities.m3.options import InterfaceOptions, SettlementOptions
from canonical.settlement_reports import SETTLEMENT_V1, SETTLEMENT_V2

_Place = Annotated[int, Field(ge=1, le=900)]
_MARKED = ("INRI", "AIT1", "CUAM", "ACDT", "VTXT")
_KNOWN = frozenset({*_MARKED, "GRNR", "CUCD", *(f"AIT{number}" for number in range(2, 8))})


class PostingSettings(BaseModel):
    """How settlements are posted in M3: payment batches in ARS040, ledger vouchers in GLS840."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    interface: Annotated[str, StringConstraints(min_length=1, max_length=15)] = "AMAZON"
    """INTN: the general ledger interface, as it is entered in GLS850."""
    information_type: Annotated[str, StringConstraints(min_length=1, max_length=2)] = "I1"
    """INRI of an accounting row."""
    positions: dict[str, tuple[_Place, _Place]] = {}
    """For an interface of usage type 1: first position and length of each field in the line (PARM), such as
    ``AIT1 = [21, 10]``. Without any the interface is of usage type 2, with fields by name (cloud only)."""
    decimal_mark: Literal[".", ","] = "."
    """Of amounts, where the interface has positions."""
    constants: dict[str, str] = {}
    """Further fields with positions that have the same content in every line."""
    payment_type: Annotated[str, StringConstraints(min_length=1, max_length=3)] = "AMZ"
    """BOPE: payment type of customer payments, as it is entered in ARS075."""
    bank_account: Annotated[str, StringConstraints(max_length=15)] = ""
    """BAAN: bank account identity of payment batches; empty where the payment type suffices."""
    batch_lines: Annotated[int, Field(ge=1, le=99_999)] = 5000
    """Invoices that are paid in one payment batch; a settlement has at most 99 batches."""
    on_account: bool = False
    """Whether customer payments for which M3 has nothing open are posted to the account `on_account` by themselves.
    Otherwise the settlement is held for them when everything else is posted."""
    reports: tuple[
        Annotated[str, StringConstraints(pattern=rf"^({SETTLEMENT_V2}|{SETTLEMENT_V1})$")], ...
    ] = (SETTLEMENT_V2,)
    """Report types that are looked for. The same settlement in both types is booked once."""

    @model_validator(mode="after")
    def _positions_are_complete(self) -> "PostingSettings":
        if not self.positions:
            return self
        missing = [name for name in _MARKED if name not in self.positions]
        if missing:
            raise ValueError(f"positions lack {', '.join(missing)}")
        strange = sorted(set(self.positions) - _KNOWN - set(self.constants))
        if strange:
            raise ValueError(
                f"positions name {', '.join(strange)}, for which there is neither a value nor a constant"
            )
        taken: dict[int, str] = {}
        for name, (first, length) in self.positions.items():
            for place in range(first, first + length):
                if place in taken:
                    raise ValueError(f"positions of {taken[place]} and {name} overlap at {place}")
                taken[place] = name
        if max(taken) > 900:
            raise ValueError("positions reach beyond 900, the length of PARM")
        return self

    @property
    def options(self) -> SettlementOptions:
        return SettlementOptions(
            interface=InterfaceOptions(
                name=self.interface,
                information_type=self.information_type,
                positions=dict(self.positions),
                decimal_mark=self.decimal_mark,
                constants=self.constants,
            ),
            payment_type=self.payment_type,
            bank_account=self.bank_account,
            batch_lines=self.batch_lines,
            on_account=self.on_account,
        )
