"""What the ledgers of M3 remember: vouchers, interface batches, customer payments. Debit positive, credit negative."""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, Field


class VoucherLine(BaseModel):
    """FGLEDG: one accounting row. Debit positive, credit negative; `local` in the division's currency."""

    ait: list[str]
    amount: Decimal
    local: Decimal
    cucd: str
    text: str
    acdt: str


class Voucher(BaseModel):
    """All rows of one voucher. feid: the FAM entry it came in by (OI20 invoice, GL10 interface)."""

    yea4: int
    vono: int
    vser: str
    jrno: int
    feid: str
    lines: list[VoucherLine]
    entered: float
    ivno: int = 0
    key1: str = ""


class GlBatch(BaseModel):
    """FGLINH/FGLINL: an interface batch of GLS840.

    stat: 10 entered, 20 checked, 80 update under way, 85 update stopped by an error, 90 updated (inferred values).
    error: what people read in GLS840; no transaction tells it. vouchers: what was posted.
    """

    key1: str
    intn: str
    desc: str
    divi: str
    stat: str = "10"
    lines: dict[str, dict[str, str]] = Field(default_factory=dict)
    error: str = ""
    vouchers: list[int] = Field(default_factory=list)


class PaymentLine(BaseModel):
    """A line of a batch payment: `pyam` in `cucd` for one invoice or credit (negative). ait: the account of the money
    if the caller names one."""

    trno: int
    cuno: str
    pyno: str
    cino: str
    inyr: int
    pyam: Decimal
    cucd: str
    ait: list[str]


class PaymentCharge(BaseModel):
    """A charge taken off the money of a batch payment."""

    chri: str
    amount: Decimal
    cucd: str


class PaymentBatch(BaseModel):
    """A batch of customer payments as ARS040 shows it.

    stat: 10 entered, 15 control found an error, 20 controlled, 85 update stopped by an error, 90 updated (inferred
    values). error: what people read there; no transaction tells it after the control.
    """

    pbid: int
    bope: str
    baan: str
    acdt: str
    stat: str = "10"
    lines: dict[str, PaymentLine] = Field(default_factory=dict)
    charges: list[PaymentCharge] = Field(default_factory=list)
    error: str = ""
    vono: int = 0
    yea4: int = 0


class Payment(BaseModel):
    """FSLEDG: one payment of one invoice (`invoice`: year and number). `amount` in the invoice's currency."""

    invoice: str
    amount: Decimal
    local: Decimal
    acdt: str
    yea4: int
    jrno: int
    jsno: int
    vser: str
    vono: int
    pbid: int
