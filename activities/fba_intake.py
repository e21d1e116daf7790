"""From Amazon's report of its shipments to the orders: every order is told before the activity returns, so that a
crash repeats a file and never skips an order. What tells workflows lies above this room and is handed in."""

import asyncio
import gzip
import io
from collections.abc import Sequence
from enum import StrEnum
from typing import Final, Protocol

import structlog
from temporalio import activity

from activities.archive import Archive, ArchiveError, NotArchived
from activities.errors import RetryLater, failures_as_temporal_knows_them, heartbeating
from canonical.fba_contracts import (
    TELL_FBA_SHIPMENTS,
    OrderShipped,
    TellFbaShipmentsRequest,
    TellFbaShipmentsResult,
)
from canonical.fulfilled_report import RefusedRow, read_fulfilled_shipments
from canonical.held import HeldReason, held
from canonical.report_text import UnreadableReport

AT_ONCE: Final = 20
MOST_REMARKS: Final = 50
INCOMPLETE: Final = "shipments_incomplete"
ARCHIVE_AWAY: Final = "archive_away"
"""ApplicationError types of what Temporal tries again."""
_GZIP: Final = b"\x1f\x8b"
_log = structlog.get_logger(__name__)


class Shown(StrEnum):
    """What became of an order's shipments."""

    TOLD = "told"
    KNOWN = "known"
    AFTER_CLOSE = "after_close"
    UNKNOWN = "unknown"


class TellShipments(Protocol):
    """Tell the order's workflow; a closed one is compared with how it ended."""

    async def __call__(self, seller_id: str, order: OrderShipped, /) -> Shown: ...


class FbaIntake:
    """Reads the archive and tells orders; asks neither Amazon nor M3."""

    def __init__(self, archive: Archive, tell: TellShipments) -> None:
        self._archive, self._tell = archive, tell

    @activity.defn(name=TELL_FBA_SHIPMENTS)
    async def tell_fba_shipments(self, request: TellFbaShipmentsRequest) -> TellFbaShipmentsResult:
        """A report file; every order in it is told when this returns. Again, it tells nothing new."""
        with failures_as_temporal_knows_them():
            async with heartbeating():
                content = await self._content(request.file.key)
                orders, refused = await asyncio.to_thread(_read, content, request.file.charset)
                results = await self._hand_over(request.seller_id, orders)
                return TellFbaShipmentsResult(
                    orders=len(orders),
                    shipments=sum(len(order.shipments) for order in orders),
                    told=results.count(Shown.TOLD),
                    known=results.count(Shown.KNOWN),
                    after_close=results.count(Shown.AFTER_CLOSE),
                    unknown=results.count(Shown.UNKNOWN),
                    remarks=tuple(f"Line {row.line}: {row.sentence}" for row in refused[:MOST_REMARKS]),
                )

    async def _hand_over(self, seller_id: str, orders: Sequence[OrderShipped]) -> list[Shown]:
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(order: OrderShipped) -> Shown:
            async with gate:
                return await self._tell(seller_id, order)

        results = await asyncio.gather(*(one(order) for order in orders), return_exceptions=True)
        failures = [result for result in results if isinstance(result, BaseException)]
        if failures:
            raise RetryLater(
                f"{len(failures)} of {len(orders)} orders of seller {seller_id} could not be told what Amazon shipped "
                f"({type(failures[0]).__name__}); all are told again.",
                kind=INCOMPLETE,
            )
        return [result for result in results if isinstance(result, Shown)]

    async def _content(self, key: str) -> bytes:
        try:
            content = await self._archive.fetch(key)
        except NotArchived as error:
            raise held(HeldReason.NOT_CONFIGURED, f"{error} All workers need the same archive.") from None
        except ArchiveError as error:
            raise RetryLater(str(error), kind=ARCHIVE_AWAY) from None
        return await asyncio.to_thread(gzip.decompress, content) if content[:2] == _GZIP else content


def _read(content: bytes, charset: str) -> tuple[list[OrderShipped], list[RefusedRow]]:
    orders: list[OrderShipped] = []
    refused: list[RefusedRow] = []
    try:
        for each in read_fulfilled_shipments(io.BytesIO(content), charset or None):
            if isinstance(each, OrderShipped):
                orders.append(each)
            else:
                refused.append(each)
    except UnreadableReport as error:
        raise held(
            HeldReason.ORDER_INCOMPLETE, f"Amazon's report of its shipments: {error}", system="Amazon"
        ) from None
    return orders, refused
