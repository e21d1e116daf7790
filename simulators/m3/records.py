"""What M3 remembers: its records, named by the trade's words. Amounts are in the order's currency, gross of
VAT where the order type says so; quantities are pieces."""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, Field

ZERO = Decimal(0)


class Job(BaseModel):
    """Something M3 or a person will do at `due` (seconds since 1970 on the simulator's clock)."""

    number: int
    due: float
    kind: str
    args: dict[str, str]


class Meta(BaseModel):
    """One remembered value: number series, the clock's offset."""

    value: str


class Token(BaseModel):
    """One access token of the gateway and when it ends."""

    expires: float


class Customer(BaseModel):
    """OCUSMA with its addresses (OCUSAD, by "ADRT/ADID"), fields under their MI names."""

    fields: dict[str, str]
    addresses: dict[str, dict[str, str]] = Field(default_factory=dict)


class ItemRecord(BaseModel):
    """MITMAS: status and names of one item, its price list price."""

    itno: str
    itds: str
    fuds: str
    stat: str
    price: Decimal


class Alias(BaseModel):
    """MITPOP: another name of an item."""

    alwt: int
    alwq: str
    popn: str
    e0pa: str
    itno: str
    rgdt: str
    vfdt: str = ""
    lvdt: str = ""
    """VFDT and LVDT: from which day and to which it holds; empty: always."""
    remk: str = ""

    def holds_on(self, day: str) -> bool:
        """Whether it is valid on a day (YYYYMMDD)."""
        return (self.vfdt or day) <= day <= (self.lvdt or day)


class Balance(BaseModel):
    """MITBAL: stock of one item in one warehouse. `onhand` STQT, `allocated` ALQT, `changed` LMTS."""

    whlo: str
    itno: str
    onhand: Decimal
    allocated: Decimal = ZERO
    changed: float = 0.0


class Charge(BaseModel):
    """A charge on an order or on one of its lines. `number` tells two of the same CRID apart."""

    crid: str
    name: str
    amount: Decimal
    ivno: int = 0


class BatchLine(BaseModel):
    """OXLINE: a line of a temporary order; what was given stays in `fields`."""

    ponr: int
    itno: str
    orqt: Decimal
    sapr: Decimal
    whlo: str
    fields: dict[str, str]
    charges: list[Charge] = Field(default_factory=list)


class BatchOrder(BaseModel):
    """OXHEAD with all that hangs on it: a temporary order as OIS275 shows it."""

    orno: str
    cuno: str
    cuor: str
    ortp: str
    faci: str
    whlo: str
    cucd: str
    stat: str = "10"
    ornr: str = ""
    in_transfer: bool = False
    fields: dict[str, str]
    entered: float
    addresses: dict[str, dict[str, str]] = Field(default_factory=dict)
    texts: list[dict[str, str]] = Field(default_factory=list)
    charges: list[Charge] = Field(default_factory=list)
    lines: list[BatchLine] = Field(default_factory=list)
    errors: list[dict[str, str]] = Field(default_factory=list)


class OrderLine(BaseModel):
    """OOLINE. The ordered quantity is spread over the stages of the flow; what is in none of them is still
    to be allocated, `closed` will never be delivered."""

    ponr: int
    itno: str
    itds: str
    whlo: str
    orqt: Decimal
    sapr: Decimal
    fields: dict[str, str]
    charges: list[Charge] = Field(default_factory=list)
    allocated: Decimal = ZERO
    on_list: Decimal = ZERO
    delivered: Decimal = ZERO
    invoiced: Decimal = ZERO
    closed: Decimal = ZERO

    @property
    def open(self) -> Decimal:
        """The quantity still to be allocated."""
        return self.orqt - self.allocated - self.on_list - self.delivered - self.invoiced - self.closed

    @property
    def status(self) -> str:
        """ORST of the line: first digit its least, second its most advanced part."""
        stages = (("2", self.open), ("3", self.allocated), ("4", self.on_list))
        digits = [d for d, quantity in (*stages, ("6", self.delivered), ("7", self.invoiced)) if quantity > 0]
        return digits[0] + digits[-1] if digits else "99"


class Order(BaseModel):
    """OOHEAD with lines and charges: a customer order. `vat_percent` is inside the prices."""

    orno: str
    temp: str
    cuno: str
    cuor: str
    ortp: str
    faci: str
    whlo: str
    cucd: str
    stat: str = "20"
    stopped: bool = False
    """Stopped by a person (OIS120, OBLC)."""
    vat_percent: Decimal
    country: str
    fields: dict[str, str]
    entered: float
    addresses: dict[str, dict[str, str]] = Field(default_factory=dict)
    charges: list[Charge] = Field(default_factory=list)
    lines: list[OrderLine] = Field(default_factory=list)
    deliveries: list[int] = Field(default_factory=list)

    @property
    def lowest(self) -> str:
        """ORSL: the lowest line status."""
        return min((line.status for line in self.lines), default="99")

    @property
    def highest(self) -> str:
        """ORST: the highest line status."""
        return max((line.status for line in self.lines), default="99")


class DeliveryLine(BaseModel):
    """MHDISL with its picking list line: `quantity` planned, `picked` None until somebody reports it."""

    ponr: int
    itno: str
    quantity: Decimal
    reporting_number: int
    picked: Decimal | None = None


class Package(BaseModel):
    """MPTRNS: one package, its tracking number and what is in it by order line."""

    panr: str
    etrn: str
    contents: dict[str, Decimal]


class Delivery(BaseModel):
    """MHDISH with its picking list, and the CO delivery (ODHEAD, `orst`) once something has been reported.

    pgrs: 10 allocated, 40 picking list released, 60 packed, 90 issued (inferred values). pist: 40 released,
    90 reported. orst: blank until the first report, then as in OIS150.
    """

    dlix: int
    orno: str
    whlo: str
    lines: list[DeliveryLine]
    plsx: int = 0
    pgrs: str = "10"
    pist: str = ""
    orst: str = ""
    fwno: str = ""
    etrn: str = ""
    packages: list[Package] = Field(default_factory=list)
    entered: float
    reported: float = 0.0
    shipped: float = 0.0
    apby: str = ""
    ivno: int = 0
    yea4: int = 0


class InvoiceRow(BaseModel):
    """OINVOL: one row of an invoice. ivtp 31 = goods, 50 = a charge (inferred values)."""

    ivtp: str
    reference: str
    ponr: int
    quantity: Decimal
    gross: Decimal
    vat: Decimal


class Invoice(BaseModel):
    """OINVOH: one invoice, one CO delivery. `gross` is what the customer owes. `vono` 0 until it is
    posted."""

    ivno: int
    yea4: int
    orno: str
    dlix: int
    whlo: str
    cuno: str
    cucd: str
    rate: Decimal
    gross: Decimal
    vat: Decimal
    rows: list[InvoiceRow]
    entered: float
    vono: int = 0


class WarehouseMessage(BaseModel):
    """MHS850: a message of a warehouse partner. stat: 10 waiting, 20 refused, 90 processed."""

    msgn: str
    e0pa: str
    pmsn: str
    stat: str
    transaction: str
    fields: list[dict[str, str]]
    error: str = ""


class Healing(BaseModel):
    """What has been planted on one order, or repaired for it (key: CUOR), or repaired for all (key "*")."""

    planted: list[str] = Field(default_factory=list)
    healed: list[str] = Field(default_factory=list)
