"""What a delivery that Amazon fulfils needs of M3: open picking lists of a warehouse, a delivery with its address,
an item's SellerSKUs, packages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from activities.m3.client import Call, M3Client
from activities.m3.errors import MIErrorKind
from activities.m3.programs.deliveries import CUSTOMER_ORDER
from activities.m3.programs.values import moment, number, pieces

ON_LIST: Final = ("40", "89")
"""Picking list statuses PIST from released to not yet reported (90)."""
_MOST_LISTS: Final = 5000
_DELIVERY_ADDRESS: Final = "1"
"""ADRT of where the goods go, as on the order; MWS410MI's own values are undocumented."""


@dataclass(frozen=True)
class OutboundHead:
    """A delivery number (MWS410): whose order, from where, on which picking list."""

    dlix: str
    orno: str
    whlo: str
    cuor: str
    modl: str
    plsx: str


@dataclass(frozen=True)
class OutboundLine:
    """A delivery line (MWS411)."""

    ponr: str
    posx: str
    itno: str
    quantity: int


@dataclass(frozen=True)
class M3Address:
    """An address as M3 keeps it."""

    name: str
    lines: tuple[str, ...]
    town: str
    postcode: str
    area: str
    country: str
    """CSCD, the site's own code."""


@dataclass(frozen=True)
class OrderHead:
    """Of a customer order: customer and date."""

    cuno: str
    ordered: datetime | None


async def open_deliveries(client: M3Client, whlo: str) -> list[str]:
    """DLIX of the customer order deliveries that are on an open picking list of a warehouse
    (MWS420MI.LstPickList: no transaction of MWS410MI or MWS411MI lists by warehouse but SearchDelLines, whose index
    lags). Raises `TruncatedListError`."""
    low, high = ON_LIST
    fields = {"WHLO": whlo, "FPIS": low, "TPIS": high, "RORC": CUSTOMER_ORDER}
    rows = await client.complete_list("MWS420MI", "LstPickList", fields, limit=_MOST_LISTS)
    return list(dict.fromkeys(_plain(row, "DLIX") for row in rows if row.get("WHLO", whlo) == whlo))


async def outbound_heads(client: M3Client, numbers: Sequence[str]) -> dict[str, OutboundHead]:
    """Heads by DLIX (MWS410MI.GetHead, bulk); one that is no more is left out."""
    answers = await client.execute_bulk("MWS410MI", [("GetHead", {"DLIX": dlix}) for dlix in numbers])
    rows = ((dlix, answer.row()) for dlix, answer in zip(numbers, answers, strict=True))
    return {
        dlix: OutboundHead(
            dlix=dlix,
            orno=row.get("RIDN", ""),
            whlo=row.get("WHLO", ""),
            cuor=row.get("CUOR", ""),
            modl=row.get("MODL", ""),
            plsx=_plain(row, "PLSX"),
        )
        for dlix, row in rows
        if row is not None
    }


async def outbound_lines(client: M3Client, dlix: str) -> tuple[OutboundLine, ...]:
    """Lines of a delivery (MWS411MI.LstDeliveryLine)."""
    [answer] = await client.execute_bulk("MWS411MI", [("LstDeliveryLine", {"DLIX": dlix})], maxrecs=1000)
    return tuple(
        OutboundLine(_plain(row, "RIDL"), _plain(row, "RIDX"), row.get("ITNO", ""), pieces(row, "TRQT"))
        for row in answer.rows()
        if _plain(row, "RORC") == CUSTOMER_ORDER
    )


async def delivery_address(client: M3Client, dlix: str) -> M3Address | None:
    """Where the goods go (MWS410MI.GetAdr)."""
    fields = {"DLIX": dlix, "ADRT": _DELIVERY_ADDRESS}
    [answer] = await client.execute_bulk("MWS410MI", [("GetAdr", fields)])
    row = answer.row()
    if row is None:
        return None
    lines = (row.get(f"ADR{place}", "").strip() for place in range(1, 5))
    return M3Address(
        name=row.get("NAME", "").strip(),
        lines=tuple(line for line in lines if line),
        town=row.get("TOWN", "").strip(),
        postcode=row.get("PONO", "").strip(),
        area=row.get("ECAR", "").strip(),
        country=row.get("CSCD", "").strip(),
    )


async def order_head(client: M3Client, orno: str) -> OrderHead | None:
    """Customer and date of an order (OIS100MI.GetHead)."""
    [answer] = await client.execute_bulk("OIS100MI", [("GetHead", {"ORNO": orno})])
    row = answer.row()
    return None if row is None else OrderHead(row.get("CUNO", ""), moment(row, "ORDT", ""))


async def seller_skus(
    client: M3Client, numbers: Sequence[str], *, alwt: str, alwq: str
) -> dict[str, tuple[str, ...]]:
    """SellerSKUs by ITNO: its aliases of one kind (MMS025MI.LstAlias, bulk)."""
    calls: list[Call] = [("LstAlias", {"ITNO": itno, "ALWT": alwt}) for itno in numbers]
    answers = await client.execute_bulk("MMS025MI", calls, maxrecs=1000)
    return {
        itno: tuple(row["POPN"] for row in answer.rows() if row.get("ALWQ", "") == alwq and row.get("POPN"))
        for itno, answer in zip(numbers, answers, strict=True)
    }


async def add_packages(client: M3Client, dlix: str, packages: Sequence[tuple[str, str, str]]) -> None:
    """Packages (PANR, tracking number, remark) of a delivery that it does not have yet (LstPackages, AddPackage).

    Raises `MIError`; that a package is there by now is none.
    """
    [answer] = await client.execute_bulk("MWS410MI", [("LstPackages", {"DLIX": dlix})], maxrecs=1000)
    known = {row.get("PANR", "") for row in answer.rows()}
    calls: list[Call] = [
        ("AddPackage", {"DLIX": dlix, "PANR": panr, "ETRN": etrn[:30], "DLRM": remark[:40]})
        for panr, etrn, remark in packages
        if panr not in known
    ]
    for result in await client.execute_bulk("MWS423MI", calls) if calls else ():
        if result.error is not None and result.error.kind is not MIErrorKind.ALREADY_EXISTS:
            raise result.error


def _plain(row: dict[str, str], name: str) -> str:
    return str(int(number(row, name)))
