"""What M3's ledgers must hold when Amazon's settlements are posted: worked out from what Amazon paid, order by order,
and never from what the service says of itself."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from simulators.m3.chart import CLEARING, RECEIVABLES
from simulators.m3.deliveries import external_number
from tests.contract.m3_simulator_client import M3
from tests.support.circle_orders import MARKETS
from tests.support.world import World

ZERO = Decimal(0)
RESERVE, OWED, CARD, BANK = "1816", "1817", "1460", "1930"
_COUNTRY = {market.marketplace_id: country for country, market in MARKETS.items()}
_FEES = {"ItemFees", "Cost of Advertising"}
_OTHER_FEES = {"Subscription Fee", "Storage Fee", "Inbound Transportation Fee"}
Truth = Mapping[str, Any]


@dataclass(frozen=True)
class Books:
    """M3's ledgers at one moment."""

    ledger: Mapping[str, Any]

    def balance(self, account: str, country: str, currency: str) -> Decimal:
        """What is left on an account of one marketplace; those without dimension have the country `""`."""
        rows = self.ledger["accounts"]
        mine = [
            row
            for row in rows
            if (row["account"], row["dimensions"], row["cucd"]) == (account, country, currency)
        ]
        return sum((Decimal(row["balance"]) for row in mine), ZERO)

    def places(self, account: str) -> set[tuple[str, str]]:
        """Where something was ever booked on an account: dimension and currency."""
        return {
            (row["dimensions"], row["cucd"]) for row in self.ledger["accounts"] if row["account"] == account
        }

    def sum_of(self, prefix: str, currency: str) -> Decimal:
        """All accounts that begin so."""
        rows = (row for row in self.ledger["accounts"] if row["account"].startswith(prefix))
        return sum((Decimal(row["balance"]) for row in rows if row["cucd"] == currency), ZERO)

    @property
    def open_orders(self) -> set[str]:
        """Orders of which an invoice or credit note is not paid to the cent."""
        return {row["cuor"] for row in self.ledger["open_items"]}

    @property
    def paid(self) -> dict[str, list[Decimal]]:
        """Every payment there ever was, by the external number of the invoice or credit note."""
        found: dict[str, list[Decimal]] = defaultdict(list)
        for voucher in self.ledger["vouchers"]:
            for line in voucher["lines"] if voucher["feid"] == "AR40" else ():
                if line["ait"] == [RECEIVABLES]:
                    found[line["text"].rpartition(" ")[2]].append(-Decimal(line["amount"]))
        return found

    def batches_are_posted_once(self) -> None:
        """No batch is left open, no key and no voucher is there twice."""
        batches, payments = self.ledger["gl_batches"], self.ledger["payment_batches"]
        assert {one["stat"] for one in (*batches, *payments)} == {"90"}, (batches, payments)
        assert all(len(one["vouchers"]) == 1 for one in batches)
        made = [one["vouchers"][0] for one in batches] + [one["vono"] for one in payments]
        there = [one["vono"] for one in self.ledger["vouchers"] if one["feid"] in ("GL10", "AR40")]
        assert sorted(made) == sorted(there)
        assert len(set(made)) == len(made)
        posted = Counter(
            (one["acdt"], *sorted((*line["ait"], line["amount"], line["text"]) for line in one["lines"]))
            for one in self.ledger["vouchers"]
            if one["feid"] == "GL10"
        )
        assert set(posted.values()) <= {1}, "The same voucher is there twice."


def country_of(settlement: Truth) -> str:
    [marketplace] = settlement["marketplaceIds"]
    return _COUNTRY[marketplace]


def balances_are_amazons(books: Books, settlements: Iterable[Truth]) -> None:
    """Clearing has the deposits and nothing else, the reserve is what Amazon has, and so is the debt."""
    by_place: dict[tuple[str, str], list[Truth]] = defaultdict(list)
    for one in settlements:
        by_place[country_of(one), one["currency"]].append(one)
    for account in (CLEARING, RESERVE, OWED):
        assert books.places(account) <= set(by_place), account
    for (country, currency), mine in by_place.items():
        totals = [Decimal(one["total"]) for one in mine]
        charged = sum(_told(mine, "Successful charge"), ZERO)
        payable = sum(_told(mine, "Payable to Amazon"), ZERO)
        owed = sum((total for total in totals if total < 0), ZERO) - payable
        deposits = sum((total for total in totals if total > 0), ZERO)
        assert books.balance(CLEARING, country, currency) == deposits, (country, "clearing")
        assert books.balance(RESERVE, country, currency) == Decimal(mine[-1]["reserve"]), (country, "reserve")
        assert books.balance(OWED, country, currency) == owed, (country, "owed to Amazon")
        assert charged == -payable
    for currency in {currency for _, currency in by_place}:
        mine = [one for (_, each), some in by_place.items() if each == currency for one in some]
        fees = sum((Decimal(line["amount"]) for one in mine for line in one["lines"] if _is_fee(line)), ZERO)
        assert books.sum_of("65", currency) == -fees, (currency, "fees")
        charged = sum(_told(mine, "Successful charge"), ZERO)
        assert books.balance(CARD, "", currency) == -charged, (currency, "card")


def _told(settlements: Iterable[Truth], description: str) -> Iterable[Decimal]:
    lines = (line for one in settlements for line in one["lines"])
    return (Decimal(line["amount"]) for line in lines if line["description"] == description)


def _is_fee(line: Mapping[str, Any]) -> bool:
    return line["amountType"] in _FEES or line["description"] in _OTHER_FEES


async def orders_are_paid_once(
    world: World, order_ids: Iterable[str], books: Books, truth: list[Truth]
) -> int:
    """Each invoice is paid with one payment to the cent, each credit note is matched, and both are what Amazon settled
    of the order; how many invoices and credit notes there are."""
    paid, number = books.paid, 0
    for order_id in order_ids:
        settled = [one["orders"][order_id] for one in truth if order_id in one["orders"]]
        invoices = (await world.in_m3(order_id))["invoices"]
        gross = [Decimal(str(one["gross"])) for one in invoices]
        for invoice, amount in zip(invoices, gross, strict=True):
            assert paid.pop(external_number(int(str(invoice["ivno"]))), []) == [amount], (order_id, invoice)
        for kind, wanted in (("sold", 1), ("refunded", -1)):
            amazon = sum((Decimal(one[kind]) for one in settled), ZERO)
            assert sum((each for each in gross if each * wanted > 0), ZERO) == amazon, (order_id, kind)
        number += len(invoices)
    assert not paid, f"paid without an invoice: {paid}"
    return number


async def bank_statement(mi: M3, settlements: Iterable[Truth]) -> None:
    """The accountant books what came at the bank: one voucher for each deposit."""
    for one in settlements:
        if Decimal(one["total"]) <= 0:
            continue
        key, day = f"BANK{one['settlementId']}", one["end"][:10].replace("-", "")
        await mi.call("GLS840MI.AddBatchHead", CONO="100", KEY1=key, INTN="AMZGL2", DESC="Bank")
        for number, (account, side) in enumerate((({"AIT1": BANK}, "D"), (_clearing(one), "C")), 1):
            fields = {
                "INRI": "I1", "GRNR": "1", "CUCD": one["currency"], "ACDT": day, "CUAM": one["total"], "DBCR": side,
                "VTXT": f"Deposit {one['settlementId']}", **account,
            }  # fmt: skip
            await mi.call("GLS840MI.AddBatchLineFld", KEY1=key, LINE=str(number), **fields)
        for step in ("CtrlBatch", "UpdBatch"):
            await mi.call(f"GLS840MI.{step}", CONO="100", KEY1=key)


def _clearing(settlement: Truth) -> dict[str, str]:
    return {"AIT1": CLEARING, "AIT2": country_of(settlement)}
