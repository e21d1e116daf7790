"""Deliveries and what is in them: MWS411MI, MWS410MI, OIS350MI (CO deliveries, one per order, warehouse,
DLIX)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from activities.m3.client import Call, M3Client
from activities.m3.programs.values import moment, number, pieces
from canonical.statuses import goods_have_left

CUSTOMER_ORDER: Final = "3"
"""RORC of customer orders."""
_ALL_PACKAGES: Final = "1"
"""PDSO of LstPackageLine: mandatory in the metadata, its values undocumented."""


@dataclass(frozen=True)
class PlannedLine:
    """A delivery line (MWS411): what M3 means to deliver of an order line with DLIX."""

    dlix: str
    ponr: str
    posx: str
    itno: str
    quantity: int


@dataclass(frozen=True)
class CODelivery:
    """A CO delivery (OIS150). `status` is ORST: 05 being reported, 60 and above: the goods have left."""

    orno: str
    dlix: str
    whlo: str
    status: str
    payment_terms: str
    ivno: str
    year: str
    external_number: str
    delivered: datetime | None

    @property
    def left(self) -> bool:
        return goods_have_left(self.status)


@dataclass(frozen=True)
class DeliveryHead:
    """A delivery number (MWS410): picking list suffix PLSX, forwarder FWNO, tracking number ETRN."""

    dlix: str
    plsx: str
    fwno: str
    etrn: str
    shipped: datetime | None


@dataclass(frozen=True)
class PackageContents:
    """A package: tracking number (cloud only) and quantity by (PONR, POSX)."""

    panr: str
    etrn: str
    lines: tuple[tuple[str, str, int], ...]


async def planned_lines(client: M3Client, orno: str) -> tuple[PlannedLine, ...]:
    """Delivery lines of an order (MWS411MI.LstDelLnByOrd); none before allocation."""
    [answer] = await client.execute_bulk(
        "MWS411MI", [("LstDelLnByOrd", {"RORC": CUSTOMER_ORDER, "RIDN": orno})], maxrecs=1000
    )
    return tuple(
        PlannedLine(
            dlix=_plain(row, "DLIX"),
            ponr=_plain(row, "RIDL"),
            posx=_plain(row, "RIDX"),
            itno=row.get("ITNO", ""),
            quantity=pieces(row, "TRQT"),
        )
        for row in answer.rows()
    )


async def co_deliveries(client: M3Client, numbers: Sequence[str]) -> dict[str, tuple[CODelivery, ...]]:
    """CO deliveries by ORNO, lowest DLIX first (OIS350MI.LstInvHeadByCo, bulk)."""
    calls: list[Call] = [("LstInvHeadByCo", {"ORNO": orno}) for orno in numbers]
    answers = await client.execute_bulk("OIS350MI", calls, maxrecs=1000)
    found = {}
    for orno, answer in zip(numbers, answers, strict=True):
        rows = (_co_delivery(orno, row) for row in answer.rows())
        found[orno] = tuple(sorted(rows, key=lambda delivery: int(delivery.dlix)))
    return found


async def delivered_quantities(
    client: M3Client, company: int, deliveries: Sequence[CODelivery]
) -> dict[tuple[str, str], tuple[tuple[str, str, int], ...]]:
    """(PONR, POSX, quantity) by (ORNO, DLIX) of deliveries that have left (OIS350MI.LstDelLine, bulk)."""
    calls: list[Call] = [
        (
            "LstDelLine",
            {
                "CONO": str(company),
                "ORNO": delivery.orno,
                "DLIX": delivery.dlix,
                "WHLO": delivery.whlo,
                "TEPY": delivery.payment_terms,
            },
        )
        for delivery in deliveries
    ]
    answers = await client.execute_bulk("OIS350MI", calls, maxrecs=1000)
    return {
        (delivery.orno, delivery.dlix): tuple(
            (_plain(row, "PONR"), _plain(row, "POSX"), pieces(row, "QTY1")) for row in answer.rows()
        )
        for delivery, answer in zip(deliveries, answers, strict=True)
    }


async def delivery_heads(client: M3Client, numbers: Sequence[str]) -> dict[str, DeliveryHead]:
    """Heads by DLIX (MWS410MI.GetHead, bulk)."""
    answers = await client.execute_bulk("MWS410MI", [("GetHead", {"DLIX": dlix}) for dlix in numbers])
    rows = ((dlix, answer.row()) for dlix, answer in zip(numbers, answers, strict=True))
    return {dlix: _head(dlix, row) for dlix, row in rows if row is not None}


async def packages(client: M3Client, numbers: Sequence[str]) -> dict[str, tuple[PackageContents, ...]]:
    """Packages with their contents by DLIX, ordered by number (LstPackages and LstPackageLine, one bulk
    call)."""
    calls: list[Call] = []
    for dlix in numbers:
        calls.append(("LstPackages", {"DLIX": dlix}))
        calls.append(("LstPackageLine", {"DLIX": dlix, "PDSO": _ALL_PACKAGES}))
    answers = await client.execute_bulk("MWS410MI", calls, maxrecs=1000)
    found = {}
    for index, dlix in enumerate(numbers):
        lines: dict[str, list[tuple[str, str, int]]] = {}
        for row in answers[2 * index + 1].rows():
            content = (_plain(row, "RIDL"), _plain(row, "RIDX"), pieces(row, "DLQT"))
            lines.setdefault(row.get("PANR", ""), []).append(content)
        heads = sorted(answers[2 * index].rows(), key=lambda row: row.get("PANR", ""))
        found[dlix] = tuple(
            PackageContents(row["PANR"], row.get("ETRN", ""), tuple(lines.get(row["PANR"], ())))
            for row in heads
            if row.get("PANR")
        )
    return found


def _co_delivery(orno: str, row: dict[str, str]) -> CODelivery:
    ivno = _plain(row, "IVNO")
    return CODelivery(
        orno=orno,
        dlix=_plain(row, "DLIX"),
        whlo=row.get("WHLO", ""),
        status=row.get("ORST", ""),
        payment_terms=row.get("TEPY", ""),
        ivno="" if ivno == "0" else ivno,
        year=_plain(row, "YEA4"),
        external_number=row.get("EXIN", ""),
        delivered=moment(row, "DLDT", "DLTM"),
    )


def _head(dlix: str, row: dict[str, str]) -> DeliveryHead:
    return DeliveryHead(
        dlix=dlix,
        plsx=_plain(row, "PLSX"),
        fwno=row.get("FWNO", ""),
        etrn=row.get("ETRN", ""),
        shipped=moment(row, "DSDT", "DSHM") or moment(row, "TRDT", "TRTM"),
    )


def _plain(row: dict[str, str], name: str) -> str:
    """A number field as text without padding."""
    return str(int(number(row, name)))
