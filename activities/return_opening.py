"""From an order whose goods left too early to be cancelled to the return cases that follow them."""

from temporalio import activity

from activities.returns_intake import TellCase
from canonical.cancellation_contracts import OPEN_RETURNS, OpenReturnsRequest, OpenReturnsResult
from canonical.return_contracts import CaseNews
from canonical.return_facts import CaseFacts, SentAnyway


class ReturnOpening:
    """tell: as for facts that Amazon tells; None where no return cases are followed."""

    def __init__(self, tell: TellCase | None) -> None:
        self._tell = tell

    @activity.defn(name=OPEN_RETURNS)
    async def open_returns(self, request: OpenReturnsRequest) -> OpenReturnsResult:
        """Tell the case of each SKU; asked for again, it tells nothing new."""
        if self._tell is None:
            return OpenReturnsResult(followed=False)
        for sku, pieces in request.pieces.items():
            fact = SentAnyway(key=request.orno, at=request.at, told=request.at, pieces=pieces)
            news = CaseNews(
                seller_id=request.seller_id, order_id=request.order_id, sku=sku, facts=CaseFacts.of(fact)
            )
            await self._tell(news)
        return OpenReturnsResult(followed=True)
