"""From what Amazon tells of refunds and returns to the cases it concerns: every fact is handed to its case before
the activity returns, so that a crash repeats a page or a file and never skips one.

What starts workflows lies above this room and is handed in (`TellCase`).
"""

import asyncio
import gzip
import io
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final, Protocol

import structlog
from temporalio import activity

from activities.amazon.client import FACTS_DATA, AmazonClient
from activities.amazon.outcomes import asking_amazon
from activities.archive import Archive, ArchiveError, NotArchived
from activities.errors import RetryLater, failures_as_temporal_knows_them, heartbeating
from canonical import return_contracts as act
from canonical.amazon_orders import UnreadableOrder, read_order
from canonical.finance_transactions import TransactionRefund, UnreadableTransaction, refunds_of
from canonical.held import HeldReason, held
from canonical.order import Order, OrderLine
from canonical.price_parts import expected_of
from canonical.profile import MarketplaceProfile, PriceBasis
from canonical.report_text import UnreadableReport
from canonical.return_models import CaseItem, CaseOrder
from canonical.return_reports import REPORT_TYPES, RefusedRow, ToldOfCase, read_return_report

AT_ONCE: Final = 20
MOST_REMARKS: Final = 50
INCOMPLETE: Final = "returns_incomplete"
"""ApplicationError type: some cases could not be told; the page or file is repeated."""
ARCHIVE_AWAY: Final = "archive_away"
"""ApplicationError type: the archive cannot be read now."""
_GZIP: Final = b"\x1f\x8b"
_log = structlog.get_logger(__name__)


class Told(StrEnum):
    """What became of facts that were handed to their case."""

    STARTED = "started"
    TOLD = "told"
    KNOWN = "known"


class TellCase(Protocol):
    """Start the case, or tell the one under way; facts it knows are told to nobody."""

    async def __call__(self, news: act.CaseNews, /) -> Told: ...


class NudgeCases(Protocol):
    """Signal `look_again` to the seller's cases that wait for goods in an own warehouse; how many there were."""

    async def __call__(self, seller_id: str, limit: int, /) -> int: ...


class ReturnsIntake:
    """clients: by seller id. profiles: by marketplace id. keep: how long the archive keeps reports."""

    def __init__(
        self,
        clients: Mapping[str, AmazonClient],
        profiles: Mapping[str, MarketplaceProfile],
        archive: Archive,
        *,
        tell: TellCase,
        nudge: NudgeCases,
        keep: timedelta,
    ) -> None:
        self._clients, self._profiles, self._archive = clients, profiles, archive
        self._tell, self._nudge, self._keep = tell, nudge, keep

    @property
    def reading_orders(self) -> list[Callable[..., Awaitable[object]]]:
        """For the queue of getOrder."""
        return [self.read_case_order]

    @property
    def reading_transactions(self) -> list[Callable[..., Awaitable[object]]]:
        """For the queue of listTransactions."""
        return [self.tell_refunds_page]

    @property
    def telling(self) -> list[Callable[..., Awaitable[object]]]:
        """What asks neither Amazon nor M3."""
        return [self.tell_return_report, self.nudge_return_cases]

    @activity.defn(name=act.READ_CASE_ORDER)
    async def read_case_order(self, request: act.ReadCaseOrderRequest) -> CaseOrder:
        """What the case has to know of its order: one getOrder call, without personal data.

        Holds: order_incomplete, amazon_not_authorised, not_configured.
        """
        async with asking_amazon(f"Order {request.order_id}"):
            payload = await self._client(request.seller_id).get_order(request.order_id, FACTS_DATA)
            try:
                order = read_order(payload, request.seller_id)
            except UnreadableOrder as error:
                raise held(HeldReason.ORDER_INCOMPLETE, str(error), system="Amazon") from None
            return case_order(order, request.sku, self._profiles.get(order.marketplace_id))

    @activity.defn(name=act.TELL_REFUNDS_PAGE)
    async def tell_refunds_page(self, request: act.TellRefundsPageRequest) -> act.ToldCases:
        """One listTransactions page; every refund on it is told to its case when this returns."""
        async with asking_amazon(f"Transactions of seller {request.seller_id}"):
            page = await self._client(request.seller_id).finances.transactions(
                request.posted_after, request.posted_before, token=request.token
            )
            told, remarks = datetime.now(UTC), list[str]()
            found: list[TransactionRefund] = []
            for payload in page.transactions:
                try:
                    found += refunds_of(payload, told)
                except UnreadableTransaction as error:
                    remarks.append(str(error))
                    _log.warning("refund_unreadable", seller_id=request.seller_id, why=str(error))
            done = await self._hand_over(request.seller_id, found)
            refused = act.ToldCases(refused=len(remarks), remarks=tuple(remarks[:MOST_REMARKS]))
            return done.plus(refused).model_copy(update={"next_token": page.next_token})

    @activity.defn(name=act.TELL_RETURN_REPORT)
    async def tell_return_report(self, request: act.TellReturnReportRequest) -> act.ToldCases:
        """A report file; every fact in it is told to its case when this returns. Again, it tells nothing new."""
        with failures_as_temporal_knows_them():
            async with heartbeating():
                if request.report_type not in REPORT_TYPES:
                    raise held(
                        HeldReason.NOT_CONFIGURED, f"{request.report_type} is no report about returns."
                    )
                content = await self._content(request.file.key)
                found: list[ToldOfCase] = []
                refused: list[RefusedRow] = []
                try:
                    for each in read_return_report(
                        request.report_type,
                        io.BytesIO(content),
                        request.made_at,
                        request.file.charset or None,
                    ):
                        (found if isinstance(each, ToldOfCase) else refused).append(each)  # type: ignore[arg-type]
                except UnreadableReport as error:
                    raise held(
                        HeldReason.ORDER_INCOMPLETE, f"{request.report_type}: {error}", system="Amazon"
                    ) from None
                done = await self._hand_over(request.seller_id, found)
                await self._forget_old(request.seller_id)
                remarks = tuple(f"Line {row.line}: {row.sentence}" for row in refused[:MOST_REMARKS])
                return done.plus(act.ToldCases(refused=len(refused), remarks=remarks))

    @activity.defn(name=act.NUDGE_RETURN_CASES)
    async def nudge_return_cases(self, request: act.NudgeRequest) -> int:
        """Let the cases that wait for goods in an own warehouse look in M3."""
        with failures_as_temporal_knows_them():
            async with heartbeating():
                return await self._nudge(request.seller_id, request.limit)

    async def _content(self, key: str) -> bytes:
        """The file's bytes, unpacked where they are compressed, whatever the name says."""
        try:
            content = await self._archive.fetch(key)
        except NotArchived as error:
            raise held(
                HeldReason.NOT_CONFIGURED, f"{error} Workers and commands need the same archive."
            ) from None
        except ArchiveError as error:
            raise RetryLater(str(error), kind=ARCHIVE_AWAY) from None
        return await asyncio.to_thread(gzip.decompress, content) if content[:2] == _GZIP else content

    async def _forget_old(self, seller_id: str) -> None:
        """Returns files may say what buyers wrote; they go as other reports do, also where nothing is imported."""
        try:
            await asyncio.to_thread(
                self._archive.prune, f"reports/{seller_id}", datetime.now(UTC) - self._keep
            )
        except ArchiveError as error:
            _log.warning("archive_not_pruned", error=str(error))

    async def _hand_over(
        self, seller_id: str, found: Iterable[TransactionRefund | ToldOfCase]
    ) -> act.ToldCases:
        gate = asyncio.Semaphore(AT_ONCE)
        news = gathered(seller_id, found)

        async def one(each: act.CaseNews) -> Told:
            async with gate:
                return await self._tell(each)

        results = await asyncio.gather(*(one(each) for each in news), return_exceptions=True)
        failures = [result for result in results if isinstance(result, BaseException)]
        if failures:
            raise RetryLater(
                f"{len(failures)} of {len(news)} return cases of seller {seller_id} could not be told "
                f"({type(failures[0]).__name__}); all is told again.",
                kind=INCOMPLETE,
            )
        return act.ToldCases(
            facts=sum(len(each.facts.all) for each in news),
            started=results.count(Told.STARTED),
            told=results.count(Told.TOLD),
            known=results.count(Told.KNOWN),
        )

    def _client(self, seller_id: str) -> AmazonClient:
        client = self._clients.get(seller_id)
        if client is None:
            raise held(HeldReason.NOT_CONFIGURED, f"Seller {seller_id} is not in the configuration.")
        return client


def gathered(seller_id: str, found: Iterable[TransactionRefund | ToldOfCase]) -> list[act.CaseNews]:
    """One piece of news for each case."""
    cases: dict[tuple[str, str], act.CaseNews] = {}
    for each in found:
        key = (each.order_id, each.sku)
        known = cases.get(key)
        facts = known.facts.plus(each.facts) if known else each.facts
        cases[key] = act.CaseNews(seller_id=seller_id, order_id=each.order_id, sku=each.sku, facts=facts)
    return list(cases.values())


def case_order(order: Order, sku: str, profile: MarketplaceProfile | None) -> CaseOrder:
    """The order as a case of this SKU sees it. Without a SKU every item is meant."""
    lines = [line for line in order.lines if sku in ("", line.seller_sku)]
    if not lines:
        raise held(
            HeldReason.ORDER_INCOMPLETE,
            f"Amazon order {order.order_id} has no item of SKU {sku}, of which something goes back.",
            system="Amazon",
        )
    return CaseOrder(
        channel=order.channel,
        marketplace_id=order.marketplace_id,
        currency=order.currency,
        items=tuple(
            CaseItem(
                order_item_id=line.order_item_id,
                quantity=line.quantity,
                shipped=line.quantity_fulfilled,
                paid=_paid(line),
            )
            for line in lines
        ),
        net_prices=profile is not None and profile.price_basis is PriceBasis.NET,
    )


def _paid(line: OrderLine) -> Decimal | None:
    return None if line.amounts is None else expected_of(line, line.amounts)
