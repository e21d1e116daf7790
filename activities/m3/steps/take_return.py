"""One customer return in M3 for some pieces of an order line: found, or entered and reported, once.

M3 has no idempotency key for it. Ours is YREF: order, line, and which of the line's returns it is. It is looked for
before a head is entered and again after it, so that of two attempts both see both heads, and both go on with the
same one: the one with a line, else the lowest number. MI cannot delete a head; one left over has no line, so nothing
is taken back or credited by it. A line is entered only where the chosen head has none, a receipt only where M3 does
not know its message number (PMSN).
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from activities.m3.context import M3Context
from activities.m3.errors import MIError, MIErrorKind, NotYet
from activities.m3.programs.returns import (
    add_head,
    add_line,
    line_numbers,
    open_returns,
    return_head,
    return_lines,
)
from activities.m3.programs.values import decimal_text
from activities.m3.reasons import hold_for
from canonical.held import HeldReason, held
from canonical.ids import customer_return_message_number, customer_return_reference
from canonical.money import currency_decimals, round_to_currency
from canonical.profile import MarketplaceProfile, PriceBasis
from canonical.return_contracts import TakeReturnRequest
from canonical.return_models import Movement

_EXECUTE_NOW: Final = "*EXE"
_SEPARATOR: Final = ";"
_NONE: Final = Decimal(0)


async def take_return(ctx: M3Context, request: TakeReturnRequest) -> Movement:
    """The customer return with its line, received where the goods are back.

    Raises `OrderHeld` (return_refused, not_configured), `NotYet`, `M3Unavailable`, `M3Locked`.
    """
    taking = _Taking(ctx, request)
    try:
        return await taking.run()
    except MIError as error:
        about = f"the return of {request.pieces} of SKU {request.sku}"
        raise hold_for(
            error, request.ref.order_id, otherwise=HeldReason.RETURN_REFUSED, about=about
        ) from error


class _Taking:
    def __init__(self, ctx: M3Context, request: TakeReturnRequest) -> None:
        self._ctx, self._client, self._request = ctx, ctx.client, request
        self._order_id, self._line = request.ref.order_id, request.line
        self._whlo = request.line.whlo
        self._key = customer_return_reference(self._order_id, request.line.ponr, request.number)
        self._profile = ctx.profile(request.ref.marketplace_id, self._order_id)

    async def run(self) -> Movement:
        repn = await self._number()
        reli = await self._own_line(repn)
        if self._request.received:
            await self._report(repn, reli)
        line = (await return_lines(self._client, [(self._whlo, repn, reli)])).get((repn, reli))
        if line is None or (self._request.received and not line.returned):
            raise NotYet(f"M3 does not show line {reli} of customer return {repn} as received yet.")
        return Movement(
            number=self._request.number,
            repn=repn,
            reli=reli,
            whlo=self._whlo,
            pieces=line.advised,
            disposition=self._request.disposition,
            received=line.returned,
            amount=self._request.amount,
        )

    # --- the head -------------------------------------------------------------------------------

    async def _number(self) -> str:
        found = await self._chosen()
        if found:
            return found
        added = await add_head(self._client, self._head())
        return await self._chosen() or added  # a list may lag for a moment

    async def _chosen(self) -> str:
        """The return under our key: the one with a line, else the lowest; or one that people have entered for
        goods that come back to the own warehouse."""
        mine = await self._under_our_key()
        for repn in mine:
            if await line_numbers(self._client, self._whlo, repn):
                return repn
        return mine[0] if mine else await self._entered_by_people()

    async def _under_our_key(self) -> list[str]:
        match self._ctx.options.cuor_lookup:
            case "lists":
                name = self._ctx.options.cuor_lists.returns
                [answer] = await self._client.execute_bulk("CMS100MI", [(name, {"OCYREF": self._key})])
                rows = [row for row in answer.rows() if row.get("OCYREF") == self._key]
                numbers = [row.get("OCREPN", "") for row in rows if row.get("OCWHLO") == self._whlo]
            case "export":
                numbers = await self._by_export()
            case "by_customer":
                raise held(
                    HeldReason.NOT_CONFIGURED,
                    "Customer returns are found again by a list on OCHEAD or by EXPORTMI: set m3.cuor_lookup to "
                    "lists or export. Open lines alone do not show a return that M3 has credited.",
                )
        return sorted({str(int(found)) for found in numbers if found.strip()}, key=int)

    async def _by_export(self) -> list[str]:
        where = f"where OCCONO = {self._ctx.options.company} and OCYREF = '{self._key}'"
        query = {
            "QERY": f"OCREPN,OCWHLO from OCHEAD {where}",
            "SEPC": _SEPARATOR,
            "HDRS": "0",
        }
        [answer] = await self._client.execute_bulk("EXPORTMI", [("Select", query)])
        cells = [[cell.strip() for cell in row["REPL"].split(_SEPARATOR)] for row in answer.rows()]
        return [cell[0] for cell in cells if len(cell) > 1 and cell[1] == self._whlo]

    async def _entered_by_people(self) -> str:
        if self._request.received:
            return ""
        for repn in await open_returns(self._client, self._whlo, self._line.orno, self._line.ponr):
            head = await return_head(self._client, self._whlo, repn)
            foreign = head is not None and not head.yref.startswith(f"{self._order_id}/")
            if foreign and repn not in self._request.known:
                return repn
        return ""

    def _head(self) -> dict[str, str]:
        options = self._ctx.options.returns
        fields = {
            "WHLO": self._whlo,
            "CUNO": self._line.cuno,
            "RORN": self._line.orno,
            "FACI": self._line.facility,
            "YREF": self._key,
            "RERE": options.responsible,
            "RSCD": options.reason,
            "ORTP": self._free_order_type() if self._request.amount == _NONE else "",
        }
        return {name: value for name, value in fields.items() if value}

    def _free_order_type(self) -> str:
        if self._profile.order_type_replacement is None:
            raise held(
                HeldReason.NOT_CONFIGURED,
                f"Goods of Amazon order {self._order_id} came back for a replacement, free of charge, and "
                "order_type_replacement is not configured for its marketplace.",
            )
        return self._profile.order_type_replacement

    # --- the line, and its receipt --------------------------------------------------------------

    async def _own_line(self, repn: str) -> str:
        lines = await self._lines(repn)
        if not lines:
            await add_line(self._client, self._line_fields(repn))
            lines = await self._lines(repn)
        if not lines:
            raise NotYet(f"M3 does not show the line it has entered in customer return {repn} yet.")
        return lines[0]

    async def _lines(self, repn: str) -> list[str]:
        found = await line_numbers(self._client, self._whlo, repn)
        return [reli for reli, ponr in found if ponr == self._line.ponr]

    def _line_fields(self, repn: str) -> dict[str, str]:
        options = self._ctx.options.returns
        fields = {
            "WHLO": self._whlo,
            "REPN": repn,
            "REQ0": str(self._request.pieces),
            "RORL": self._line.ponr,
            "RORX": self._line.posx,
            "ITNO": self._line.itno,
            "RSCD": options.reason,
            "WHSL": options.locations.get(self._request.disposition, ""),
            "SAPR": self._price(),
        }
        return {name: value for name, value in fields.items() if value}

    def _price(self) -> str:
        """Per piece, so that M3's credit is what Amazon refunded; blank takes M3's own price."""
        request = self._request
        if request.amount is None:
            return ""
        net = self._profile.price_basis is PriceBasis.NET
        amount = request.amount - (request.tax_share if net else _NONE)
        return price_per_piece(amount, request.pieces, request.currency, self._profile)

    async def _report(self, repn: str, reli: str) -> None:
        options = self._ctx.options
        number = customer_return_message_number(repn, reli)
        known = {"E0PB": options.partner, "PMSN": number}
        [answer] = await self._client.execute_bulk("MHS850MI", [("GetMvxMsg", known)])
        if answer.row() is not None:
            return
        fields = {
            "WHLO": self._whlo,
            "E0PA": options.partner,
            "E065": options.message_type,
            "CUNO": self._line.cuno,
            "REPN": repn,
            "RELI": reli,
            "RESP": options.returns.responsible,
            "PRFL": _EXECUTE_NOW,
            "ITNO": self._line.itno,
            "WHSL": options.returns.locations.get(self._request.disposition, ""),
            "QTY": str(self._request.pieces),
            "RIDN": self._line.orno,
            "PMSN": number,
        }
        try:
            await self._client.execute("MHS850MI", "AddCOReturn", {k: v for k, v in fields.items() if v})
        except MIError as error:
            if error.kind is not MIErrorKind.ALREADY_EXISTS:
                raise


def price_per_piece(amount: Decimal, pieces: int, currency: str, profile: MarketplaceProfile) -> str:
    """SAPR of a return line: times the pieces, rounded to the cent, it is `amount`.

    Raises `OrderHeld` (return_refused) where no price with the company's decimals does that.
    """
    price = (amount / pieces).quantize(Decimal(1).scaleb(-profile.price_decimals), rounding=ROUND_HALF_UP)
    if round_to_currency(price * pieces, currency) != round_to_currency(amount, currency):
        raise held(
            HeldReason.RETURN_REFUSED,
            f"{amount} for {pieces} returned pieces cannot be said with a price of {profile.price_decimals} decimals.",
        )
    shortest = price.quantize(Decimal(1).scaleb(-currency_decimals(currency)))
    return decimal_text(shortest if shortest == price else price)
