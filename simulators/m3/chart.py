"""The accounting of this pretended site: accounts, dimensions, bank accounts, payment types and closed periods.

The site's own choice, as people enter it in M3 (CRS630, CRS692, ARS075, CRS910); another site has others. Inferred:
that an account which a subledger keeps is closed to the general interface.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from simulators import catalogue
from simulators.m3.errors import GENERIC, NotOk
from simulators.m3.money import WITHOUT_DECIMALS
from simulators.m3.records import Meta
from simulators.m3.world import World

RECEIVABLES, GOODS_SOLD, CHARGES, VAT = "1510", "3010", "3020", "2610"
CLEARING, BANK_CHARGES, EXCHANGE = "1815", "6570", "7960"

ACCOUNTS: dict[str, str] = {
    "1460": "Money in transit",
    RECEIVABLES: "Accounts receivable",
    CLEARING: "Amazon clearing",
    "1816": "Amazon reserves",
    "1817": "Amazon balances carried forward",
    "1818": "Tax withheld at source",
    "1819": "Amazon claims under investigation",
    "1930": "Bank",
    VAT: "VAT",
    "2611": "Sales tax collected",
    "2612": "Tax withheld by the marketplace",
    "2350": "Loans from Amazon",
    GOODS_SOLD: "Goods sold",
    CHARGES: "Shipping and other charges",
    "3030": "Gift wrap",
    "3090": "Promotions",
    "3091": "Refunds and goodwill",
    "3910": "Reimbursements",
    "3920": "Liquidations",
    "3990": "Other income",
    "6500": "Amazon fees",
    "6510": "Commission",
    "6520": "Fulfilment fees",
    "6530": "Storage fees",
    "6540": "Advertising",
    "6550": "Subscription",
    "6560": "Shipping labels",
    "6565": "Inbound transport",
    BANK_CHARGES: "Bank charges",
    "6580": "Refund administration",
    "6590": "Other fees",
    "6595": "Tax on fees",
    EXCHANGE: "Exchange differences",
    "7990": "Rounding",
}
SUBLEDGER = frozenset({RECEIVABLES})
DIMENSIONS: dict[int, frozenset[str]] = {
    2: frozenset(market.country for market in catalogue.MARKETPLACE_BY_ID.values()),
    3: frozenset({"AFN", "MFN", "AMZ", "100"}),
}
"""Identities of dimension 2 (marketplace) and 3 (channel or cost centre); dimensions 4 to 7 are not in use."""


@dataclass(frozen=True)
class BankAccount:
    """Where the money of a batch payment goes: account, marketplace and currency."""

    account: str
    country: str
    currency: str


BANK_ACCOUNTS: dict[str, BankAccount] = {
    f"AMZ{market.country}": BankAccount(CLEARING, market.country, market.currency)
    for market in catalogue.MARKETPLACE_BY_ID.values()
}
"""BAAN -> what it stands for: one clearing account for each marketplace."""
PAYMENT_TYPES: dict[str, str] = {"AMZ": CLEARING, "BNK": "1930"}
"""BOPE -> account of the money where the batch names no bank account."""
CHARGE_TYPES: dict[str, str] = {"": BANK_CHARGES, "AMZ": "6500"}
"""CHRI -> account of a charge."""

_CLOSED, _ADDED, _UPDATES = "ledger_closed_until", "ledger_identity/", "ledger_updates"


def check_accounts(world: World, ait: list[str], where: str, *, by_interface: bool = False) -> None:
    """NotOk unless the site knows the account and every dimension."""
    account, *dimensions = ait
    if account not in ACCOUNTS and not _added(world, 1, account):
        raise NotOk(GENERIC, "AIT1", f"{where}: accounting identity {account} does not exist")
    if by_interface and account in SUBLEDGER:
        raise NotOk(GENERIC, "AIT1", f"{where}: account {account} is kept by a subledger, entry not allowed")
    for number, value in enumerate(dimensions, 2):
        known = value in DIMENSIONS.get(number, frozenset()) or _added(world, number, value)
        if value and not known:
            text = f"{where}: accounting identity {value} does not exist in dimension {number}"
            raise NotOk(GENERIC, f"AIT{number}", text)


def check_day(world: World, acdt: str, where: str) -> None:
    """NotOk if the accounting date lies in a closed period."""
    if acdt <= closed_until(world):
        raise NotOk(GENERIC, "ACDT", f"{where}: period {acdt[:6]} is closed for accounting date {acdt}")


def check_decimals(amount: Decimal, cucd: str, field: str, where: str) -> None:
    """NotOk if the amount has more decimals than its currency."""
    allowed = 0 if cucd in WITHOUT_DECIMALS else 2
    if amount != round(amount, allowed):
        raise NotOk(GENERIC, field, f"{where}: amount {amount:f} has too many decimals for {cucd}")


def closed_until(world: World) -> str:
    """The last day that is closed (YYYYMMDD), blank if everything is open."""
    kept = world.meta.get(_CLOSED)
    return kept.value if kept else ""


def close_until(world: World, day: str) -> None:
    """Close every day up to this one; blank opens all."""
    world.meta.put(_CLOSED, Meta(value=day))


def add_identity(world: World, dimension: int, identity: str) -> None:
    """Enter an account (dimension 1) or an identity of another dimension."""
    world.meta.put(f"{_ADDED}{dimension}/{identity}", Meta(value=identity))


def _added(world: World, dimension: int, identity: str) -> bool:
    return bool(identity) and f"{_ADDED}{dimension}/{identity}" in world.meta


def updates_run(world: World) -> bool:
    """Whether the site's jobs update what was checked; else people have to."""
    kept = world.meta.get(_UPDATES)
    return kept is None or kept.value == "1"


def run_updates(world: World, run: bool) -> None:
    """Switch those jobs."""
    world.meta.put(_UPDATES, Meta(value="1" if run else "0"))
