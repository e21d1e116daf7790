"""What differs between M3 installations, beside address and account."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints


class CuorLists(BaseModel):
    """Names of the site's CMS100MI lists by customer's order number (CMS010/CMS015)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    batch_orders: str = "Lst_OXHEAD_CUOR"
    orders: str = "Lst_OOHEAD_CUOR"
    returns: str = "Lst_OCHEAD_YREF"
    """Customer returns by their reference (OCHEAD, YREF)."""


class ReturnOptions(BaseModel):
    """How customer returns are entered."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    responsible: Annotated[str, StringConstraints(min_length=1, max_length=10)] = "AMAZON"
    """RESP and RERE: who answers for them."""
    reason: Annotated[str, StringConstraints(max_length=3)] = ""
    """RSCD: transaction reason."""
    locations: dict[str, Annotated[str, StringConstraints(max_length=10)]] = {}
    """WHSL by Amazon's disposition, such as ``CUSTOMER_DAMAGED``; others go where M3 puts them."""


class InterfaceOptions(BaseModel):
    """How ledger vouchers go into M3 (GLS840): the site's interface as it is set up in GLS850."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, StringConstraints(min_length=1, max_length=15)] = "AMAZON"
    """INTN."""
    information_type: Annotated[str, StringConstraints(min_length=1, max_length=2)] = "I1"
    """INRI of an accounting row."""
    positions: dict[str, tuple[int, int]] = {}
    """Usage type 1: first position and length of each field in PARM. Empty is usage type 2, fields by name."""
    decimal_mark: Literal[".", ","] = "."
    """Of amounts in PARM."""
    constants: dict[str, str] = {}
    """What PARM holds in every line, such as another information type."""


class SettlementOptions(BaseModel):
    """How settlements are posted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    interface: InterfaceOptions = InterfaceOptions()
    """For ledger vouchers (GLS840)."""
    payment_type: Annotated[str, StringConstraints(min_length=1, max_length=3)] = "AMZ"
    """BOPE of payment batches (ARS075)."""
    bank_account: Annotated[str, StringConstraints(max_length=15)] = ""
    """BAAN of payment batches, where the site wants one."""
    batch_lines: Annotated[int, Field(ge=1, le=99_999)] = 5000
    """Lines in one payment batch; a settlement with more makes several, 99 at most."""
    on_account: bool = False
    """Whether customer payments without an open invoice are posted on account by themselves; else a person is
    asked."""


class M3Options(BaseModel):
    """How this service works with one M3 company."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    company: Annotated[int, Field(ge=1, le=999)]
    """CONO."""
    division: Annotated[str, StringConstraints(max_length=3)] = ""
    """DIVI of vouchers and invoices where a marketplace's profile names none."""
    cuor_lookup: Literal["lists", "export", "by_customer"] = "lists"
    """How orders are found by Amazon's order id: the site's CMS100MI lists, EXPORTMI.Select, or all orders
    of the customer (only for small customers: M3 cuts long lists)."""
    cuor_lists: CuorLists = CuorLists()
    trigger_invoice: bool = False
    """Ask for the invoice with OIS350MI.PrtInvoice (cloud only); False where the order type invoices by
    itself."""
    on_premises: bool = False
    partner: Annotated[str, StringConstraints(max_length=17)] = "AMAZON"
    """E0PA and E0PB: the partner set up in MMS865 for warehouse messages."""
    message_type: Annotated[str, StringConstraints(max_length=6)] = "WMS"
    """E065: message type of that partner for customer order picks."""
    returns: ReturnOptions = ReturnOptions()
    """How customer returns are entered."""
    settlements: SettlementOptions | None = None
    """How settlements are posted; None where none are."""
    busy_wait: Annotated[float, Field(ge=0, le=60)] = 20.0
    """Seconds an activity waits inside for M3 to finish before Temporal waits instead."""
