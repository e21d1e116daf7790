"""What an order's workflow remembers, and what it tells when asked."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from canonical.activity_contracts import OrderRef, SalesOrderResult
from canonical.cancellations import Cancellation, lowered
from canonical.fba_contracts import FbaShipment
from canonical.fba_shipments import next_goods, settled, shipped_quantities
from canonical.fixes import MapSku
from canonical.late_events import comparable_total
from canonical.order import Address, Channel, Delivery, Invoice, Order, OrderStatus, Package, Voucher
from canonical.order_contracts import GoodsLeft, OrderResult, OrderToCashInput, OrderView, UnmappedLine
from canonical.shipments import next_shipment, ordered_quantities, updated
from workflows.held_state import HeldState
from workflows.notice_book import NoticeBook


@dataclass
class OrderState(HeldState):
    """Everything under way for one order."""

    order: Order | None
    booked: Order | None = None
    """Amazon's order as it was when M3 took it."""
    items: dict[str, str] | None = None
    chosen: list[MapSku] = field(default_factory=list)
    address: Address | None = None
    cuno: str = ""
    chosen_cuno: str = ""
    accept_difference: bool = False
    sales_order: SalesOrderResult | None = None
    reported: dict[str, int] = field(default_factory=dict)
    """Quantity by order item id that both sides know as shipped."""
    shipments: int = 0
    deliveries: list[Delivery] = field(default_factory=list)
    arrived: list[Delivery] = field(default_factory=list)
    """M3 deliveries whose goods left and that Amazon has not been told yet."""
    confirming: list[Delivery] = field(default_factory=list)
    """The delivery whose packages are being confirmed to Amazon."""
    confirmed_packages: list[str] = field(default_factory=list)
    told: list[Package] = field(default_factory=list)
    """Packages as Amazon was told of them, under these references."""
    shipments_told: dict[str, FbaShipment] = field(default_factory=dict)
    """Amazon's own shipments of which a report told, by shipment id."""
    shipments_done: frozenset[str] = frozenset()
    """Those whose pieces M3 was told of."""
    accepted: set[str] = field(default_factory=set)
    """Sentences about shipped quantities that a person accepted."""
    invoices: list[Invoice] = field(default_factory=list)
    vouchers: list[Voucher] = field(default_factory=list)
    cancellations: list[Cancellation] = field(default_factory=list)
    answered: set[str] = field(default_factory=set)
    """Items whose cancellation the buyer asked for, and about which it is decided."""
    limits: dict[str, int] = field(default_factory=dict)
    """Pieces by order item id that are left after the buyer's request was accepted, until Amazon says so too."""
    returning: dict[str, int] = field(default_factory=dict)
    """Pieces by order item id that left M3 although Amazon had cancelled them, and that Amazon is not told of."""
    notices: NoticeBook = field(default_factory=NoticeBook)
    """What Amazon notified of."""

    @classmethod
    def from_input(cls, start: OrderToCashInput) -> "OrderState":
        return cls(seller_id=start.seller_id, order_id=start.order_id, order=start.order)

    @property
    def facts(self) -> Order:
        """Amazon's order; only after it is known."""
        if self.order is None:
            raise RuntimeError(f"Order {self.order_id} is used before it was read from Amazon.")
        return self.order

    @property
    def wanted(self) -> Order:
        """Amazon's order without what is cancelled here already and not yet there."""
        return lowered(self.facts, self.limits) if self.limits else self.facts

    @property
    def ref(self) -> OrderRef:
        marketplace = self.order.marketplace_id if self.order else ""
        return OrderRef(seller_id=self.seller_id, order_id=self.order_id, marketplace_id=marketplace)

    @property
    def skus(self) -> tuple[str, ...]:
        lines = self.order.lines if self.order else ()
        return tuple(dict.fromkeys(line.seller_sku for line in lines if line.quantity > 0))

    @property
    def cancelled(self) -> bool:
        """Whether the order is to be given up: Amazon cancelled it, or a person did."""
        by_amazon = self.order is not None and self.order.status is OrderStatus.CANCELLED
        return by_amazon or self.give_up

    @property
    def shipped_without_m3(self) -> Order:
        """The order whose shipped quantities M3 must be told: Amazon's latest word for FBA; for an MFN order
        what had left when it was booked (an import of the past), since later shipments are M3's own."""
        if self.facts.channel is Channel.FBA or self.booked is None:
            return self.facts
        return self.booked

    def take_snapshot(self, order: Order) -> bool:
        """Amazon's order as it now is; older news than what is known changes nothing."""
        if order.order_id != self.order_id or order.seller_id != self.seller_id:
            self.remark(f"News of another order ({order.order_id}) was sent here and ignored.")
            return False
        if self.order is None:
            self.order = order
            return True
        if order.last_updated < self.order.last_updated:
            return False
        self.order = updated(self.order, order, self.booked)
        return True

    def take_in_notices(self) -> bool:
        """Take from the notices what they tell themselves; whether others ask for the order to be read again."""
        if self.order is None:
            return False
        judged = self.notices.judge(self.order, booked=self.booked is not None)
        self.order = judged.order
        return bool(judged.unread)

    def take_goods_left(self, news: GoodsLeft) -> None:
        """Deliveries that left an own warehouse; a delivery already known is no news."""
        known = {delivery.dlix for delivery in (*self.deliveries, *self.arrived, *self.confirming)}
        self.arrived.extend(
            self._in_amazons_words(delivery) for delivery in news.deliveries if delivery.dlix not in known
        )

    def _in_amazons_words(self, delivery: Delivery) -> Delivery:
        """Quantities by order item id: a line entered in M3 by hand is told by its number, and what M3 ships
        beyond Amazon's order is not Amazon's to know."""
        item_of = {line.order_item_id: line.order_item_id for line in self.facts.lines}
        if self.sales_order is not None:
            item_of |= {line.ponr: line.order_item_id for line in self.sales_order.lines}

        def named(quantities: dict[str, int]) -> dict[str, int]:
            return {item_of[key]: quantity for key, quantity in quantities.items() if key in item_of}

        packages = (
            package.model_copy(update={"items": named(package.items)}) for package in delivery.packages
        )
        return delivery.model_copy(
            update={
                "items": named(delivery.items),
                "packages": tuple(package for package in packages if package.items),
            }
        )

    def without_returning(self, packages: Iterable[Package]) -> list[Package]:
        """Packages as Amazon is told of them: it refuses pieces that it has cancelled."""
        told: list[Package] = []
        for package in packages:
            items = dict(package.items)
            for item, quantity in package.items.items():
                less = min(quantity, self.returning.get(item, 0))
                if less:
                    self.returning[item] -= less
                    items[item] -= less
            kept = {item: quantity for item, quantity in items.items() if quantity}
            if kept or not package.items:
                told.append(package.model_copy(update={"items": kept}))
        return told

    def _surplus(self) -> int:
        """Pieces that Amazon shipped, M3 was not told of, and a person accepted."""
        if self.order is None or not self.accepted:
            return 0
        shipped = shipped_quantities(self.order, self.amazon_shipments)
        return sum(max(quantity - self.reported.get(item, 0), 0) for item, quantity in shipped.items())

    def add_shipped(self, items: dict[str, int]) -> None:
        for item, quantity in items.items():
            self.reported[item] = self.reported.get(item, 0) + quantity
        self._settle_shipments()

    @property
    def amazon_shipments(self) -> tuple[FbaShipment, ...]:
        return tuple(self.shipments_told.values())

    def take_shipments(self, shipments: Iterable[FbaShipment]) -> None:
        """Shipments of Amazon's, each once; a later report may know more items of one."""
        if self.order is None or self.order.channel is Channel.FBA:
            self.shipments_told |= {one.shipment_id: one for one in shipments}
            self._settle_shipments()

    def _settle_shipments(self) -> None:
        if self.order is not None and self.shipments_told:
            self.shipments_done = settled(
                self.order, self.amazon_shipments, self.shipments_done, self.reported
            )

    def next_goods(self) -> dict[str, int]:
        """What has left and M3 does not know, by order item id: the next goods issue."""
        if self.facts.channel is not Channel.FBA:
            return next_shipment(self.shipped_without_m3, self.reported)
        return next_goods(self.facts, self.amazon_shipments, self.shipments_done, self.reported)

    def view(self) -> OrderView:
        """The order without personal data, for the query `state`."""
        return OrderView(
            seller_id=self.seller_id,
            order_id=self.order_id,
            step=self.step,
            held_reason=self.hold.reason if self.hold else "",
            held_sentence=self.hold.sentence if self.hold else "",
            channel=self.order.channel if self.order else "",
            cuno=self.cuno,
            orno=self.sales_order.orno if self.sales_order else "",
            total=self.sales_order.total if self.sales_order else None,
            expected=self.sales_order.expected if self.sales_order else None,
            deliveries=tuple(self.deliveries),
            confirmed_packages=tuple(self.confirmed_packages),
            told=tuple(self.told),
            marketplace_id=self.ref.marketplace_id,
            order_created=self.order.created if self.order else None,
            invoices=tuple(self.invoices),
            vouchers=tuple(self.vouchers),
            cancellations=tuple(self.cancellations),
            repairs=tuple(self.repairs),
            remarks=tuple(self.remarks),
            unmapped=self._unmapped(),
        )

    def _unmapped(self) -> tuple[UnmappedLine, ...]:
        skus = self.hold.skus if self.hold else ()
        lines = self.order.lines if self.order and skus else ()
        return tuple(
            UnmappedLine(sku=line.seller_sku, asin=line.asin, title=line.title)
            for line in lines
            if line.seller_sku in skus
        )

    def result(self, outcome: str, sentence: str) -> OrderResult:
        """How the order ended."""
        return OrderResult(
            seller_id=self.seller_id,
            order_id=self.order_id,
            outcome=outcome,
            sentence=sentence,
            orno=self.sales_order.orno if self.sales_order else "",
            cuno=self.cuno,
            total=self.sales_order.total if self.sales_order else None,
            deliveries=tuple(delivery.dlix for delivery in self.deliveries),
            invoices=tuple(invoice.ivno for invoice in self.invoices),
            vouchers=tuple(voucher.vono for voucher in self.vouchers),
            cancellations=tuple(self.cancellations),
            repairs=tuple(self.repairs),
            shipped=dict(self.reported),
            ordered=sum(ordered_quantities(self.booked).values()) if self.booked else None,
            expected=comparable_total(self.booked),
            surplus=self._surplus(),
            told=tuple(self.told),
            marketplace_id=self.ref.marketplace_id,
            order_created=self.order.created if self.order else None,
        )
