"""Customer returns: OIS390MI, their receipt (MHS850MI.AddCOReturn), and the invoices of an order line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from activities.m3.client import Call, M3Client
from activities.m3.errors import MIError
from activities.m3.programs.values import number, pieces


@dataclass(frozen=True)
class ReturnHead:
    """A customer return (OCHEAD). REPN is unique within its warehouse."""

    whlo: str
    repn: str
    yref: str
    orno: str


@dataclass(frozen=True)
class ReturnLine:
    """A line of a customer return (OCLINE) in pieces: advised REQ0, returned REQ1, credited REQ7."""

    repn: str
    reli: str
    orno: str
    ponr: str
    advised: int
    returned: int
    credited: int


async def return_head(client: M3Client, whlo: str, repn: str) -> ReturnHead | None:
    """The head (OIS390MI.GetHead), None where there is none."""
    [answer] = await client.execute_bulk("OIS390MI", [("GetHead", {"WHLO": whlo, "REPN": repn})])
    row = answer.row()
    if row is None:
        return None
    return ReturnHead(whlo, repn, row.get("YREF", ""), row.get("ORNO", ""))


async def line_numbers(client: M3Client, whlo: str, repn: str) -> tuple[tuple[str, str], ...]:
    """(RELI, PONR) of a return's lines, lowest first (OIS390MI.LstLine)."""
    [answer] = await client.execute_bulk(
        "OIS390MI", [("LstLine", {"WHLO": whlo, "REPN": repn})], maxrecs=1000
    )
    found = [(_plain(row, "RELI"), _plain(row, "PONR")) for row in answer.rows()]
    return tuple(sorted(found, key=lambda each: int(each[0])))


async def return_lines(
    client: M3Client, wanted: Sequence[tuple[str, str, str]]
) -> dict[tuple[str, str], ReturnLine]:
    """Lines by (REPN, RELI), given as (WHLO, REPN, RELI) (OIS390MI.GetLine, bulk)."""
    calls: list[Call] = [
        ("GetLine", {"WHLO": whlo, "REPN": repn, "RELI": reli}) for whlo, repn, reli in wanted
    ]
    answers = await client.execute_bulk("OIS390MI", calls)
    found = {}
    for (_, repn, reli), answer in zip(wanted, answers, strict=True):
        row = answer.row()
        if row is not None:
            found[repn, reli] = ReturnLine(
                repn=repn,
                reli=reli,
                orno=row.get("ORNO", ""),
                ponr=_plain(row, "PONR"),
                advised=pieces(row, "REQ0"),
                returned=pieces(row, "REQ1"),
                credited=pieces(row, "REQ7"),
            )
    return found


async def open_returns(client: M3Client, whlo: str, orno: str, ponr: str) -> tuple[str, ...]:
    """REPN of returns with an open line of this order line, lowest first (OIS390MI.SelOpenLine)."""
    fields = {"WHLO": whlo, "ORNO": orno, "PONR": ponr}
    [answer] = await client.execute_bulk("OIS390MI", [("SelOpenLine", fields)], maxrecs=1000)
    mine = (row for row in answer.rows() if row.get("ORNO") == orno and _plain(row, "PONR") == ponr)
    return tuple(sorted({_plain(row, "REPN") for row in mine}, key=int))


async def add_head(client: M3Client, fields: Mapping[str, str]) -> str:
    """Enter a customer return; its REPN. M3 gives it, and knows no key of ours but YREF."""
    rows = await client.execute("OIS390MI", "AddHead", fields)
    return _plain(rows[0], "REPN") if rows else ""


async def add_line(client: M3Client, fields: Mapping[str, str]) -> None:
    """Enter a line of a customer return."""
    await client.execute("OIS390MI", "AddLine", fields)


async def invoices_of_line(client: M3Client, orno: str, ponr: str) -> tuple[tuple[str, str], ...]:
    """(IVNO, YEA4) of the invoices below zero, credits, of an order line (OIS350MI.LstInvByCOLine)."""
    try:
        rows = await client.execute("OIS350MI", "LstInvByCOLine", {"ORNO": orno, "PONR": ponr}, maxrecs=1000)
    except MIError as error:
        if error.is_missing:
            return ()
        raise
    credited = [row for row in rows if number(row, "IVAM") < 0 or number(row, "IVLA") < 0]
    return tuple((_plain(row, "IVNO"), _plain(row, "YEA4")) for row in credited)


def _plain(row: Mapping[str, str], name: str) -> str:
    return str(int(number(row, name)))
