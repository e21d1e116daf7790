"""A keeper of stock that only writes down what it is told. Workflow code, so it imports nothing else of the tests."""

from pydantic import BaseModel
from temporalio import workflow

from canonical.stock.news import (
    FEED_FINISHED,
    MOVED,
    SOLD,
    STOCK,
    FeedFinished,
    QuantitiesMoved,
    QuantityMoved,
    SoldLine,
    SoldLines,
)
from canonical.stock.order_news import newest

NOTEBOOK_QUEUE = "test-notebook"
_END = "end"


class Told(BaseModel):
    """All that the keeper was told, signal by signal."""

    sold: tuple[SoldLines, ...] = ()
    moved: tuple[QuantitiesMoved, ...] = ()
    feeds: tuple[FeedFinished, ...] = ()

    def lines(self, *order_ids: str) -> dict[tuple[str, str], SoldLine]:
        """By order and SKU: each line of these orders as it was told last."""
        lines = newest(line for signal in self.sold for line in signal.lines if line.order_id in order_ids)
        return {(line.order_id, line.sku): line for line in lines}

    @property
    def moves(self) -> list[QuantityMoved]:
        return [move for signal in self.moved for move in signal.moves]

    @property
    def signals(self) -> int:
        return len(self.sold) + len(self.moved) + len(self.feeds)


@workflow.defn(name=STOCK)
class Notebook:
    """Stands where the keeper stands."""

    def __init__(self) -> None:
        self._told = Told()
        self._ended = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self._ended)

    @workflow.signal(name=SOLD)
    def sold(self, lines: SoldLines) -> None:
        self._told = self._told.model_copy(update={"sold": (*self._told.sold, lines)})

    @workflow.signal(name=MOVED)
    def moved(self, moves: QuantitiesMoved) -> None:
        self._told = self._told.model_copy(update={"moved": (*self._told.moved, moves)})

    @workflow.signal(name=FEED_FINISHED)
    def feed_finished(self, feed: FeedFinished) -> None:
        self._told = self._told.model_copy(update={"feeds": (*self._told.feeds, feed)})

    @workflow.signal(name=_END)
    def end(self) -> None:
        self._ended = True

    @workflow.query
    def told(self) -> Told:
        return self._told
