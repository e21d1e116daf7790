"""Signals, updates and the query: the order's ears."""

from temporalio import workflow

from canonical.held import FixName
from canonical.order_contracts import AmazonChanged, GoodsLeft, OrderView
from workflows.order_holding import OrderHolding
from workflows.repairable import takes


@takes(
    FixName.RETRY,
    FixName.MAP_SKU,
    FixName.CORRECT_ADDRESS,
    FixName.SET_CUSTOMER,
    FixName.ACCEPT_DIFFERENCE,
    FixName.MARK_STEP_DONE,
    FixName.CANCEL,
)
class OrderHandlers(OrderHolding):
    """What an order hears: news from the sweep, repairs from people, the query."""

    @workflow.signal(description="Sent by the sweep, not by people: Amazon's order as it now is.")
    def amazon_changed(self, *arguments: object) -> None:
        news = self._news("amazon_changed", AmazonChanged, arguments)
        if news is not None:
            self._state.take_snapshot(news.order)
            self._show()

    @workflow.signal(description="Sent by the sweep, not by people: M3 deliveries that have left.")
    def goods_left(self, *arguments: object) -> None:
        news = self._news("goods_left", GoodsLeft, arguments)
        if news is not None:
            self._state.take_goods_left(news)

    @workflow.query(description="The order as it stands, without personal data.")
    def state(self) -> OrderView:
        return self._state.view()

    def _skus(self) -> tuple[str, ...]:
        return self._state.skus
