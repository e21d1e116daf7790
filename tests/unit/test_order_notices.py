"""What a notice means to an order: old, an echo, told in full, or a reason to read the order again."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.notification_contracts import OrderNotice
from canonical.order import Channel, Order, OrderLine, OrderStatus
from canonical.order_notices import Meaning, as_told, judge, meaning
from workflows.notice_book import REMEMBERED, NoticeBook

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)
_ids = (f"notification-{number}" for number in itertools.count())


def order(*lines: tuple[int, int], channel: Channel = Channel.FBA) -> Order:
    """An order of lines (ordered, shipped), last updated at NOW."""
    return Order(
        seller_id="A2EUSELLER0001",
        order_id="302-0000001-5550000",
        marketplace_id="A1PA6795UKMFR9",
        channel=channel,
        status=OrderStatus.UNSHIPPED,
        created=NOW - timedelta(hours=1),
        last_updated=NOW,
        lines=tuple(
            OrderLine(
                order_item_id=str(number),
                seller_sku=f"SKU-{number}",
                quantity=ordered,
                quantity_fulfilled=left,
            )
            for number, (ordered, left) in enumerate(lines)
        ),
    )


def notice(status: OrderStatus | None, *lines: tuple[int, int], at: datetime = LATER) -> OrderNotice:
    return OrderNotice(
        id=next(_ids),
        at=at,
        status=status,
        ordered={str(number): ordered for number, (ordered, _) in enumerate(lines)},
        shipped={str(number): left for number, (_, left) in enumerate(lines)},
    )


SHIPPED, PART = OrderStatus.SHIPPED, OrderStatus.PARTIALLY_SHIPPED
TWO = order((2, 0), (1, 0))


@pytest.mark.parametrize(
    ("told", "means"),
    [
        (notice(SHIPPED, (2, 2), (1, 1)), Meaning.TAKE),
        (notice(PART, (2, 1), (1, 0)), Meaning.TAKE),
        (notice(SHIPPED, (2, 2), (1, 1), at=NOW), Meaning.NOTHING),
        (notice(SHIPPED, (2, 2), (1, 0)), Meaning.READ),
        (notice(PART, (2, 2), (1, 1)), Meaning.READ),
        (notice(PART, (2, 0), (1, 0)), Meaning.READ),
        (notice(SHIPPED, (2, 2)), Meaning.READ),
        (notice(SHIPPED, (2, 2), (2, 2)), Meaning.READ),
        (notice(PART, (2, 3), (1, 0)), Meaning.READ),
        (notice(SHIPPED, (2, 2), (1, 1), (1, 1)), Meaning.READ),
        (notice(OrderStatus.CANCELLED, (2, 0), (1, 0)), Meaning.READ),
        (notice(OrderStatus.UNSHIPPED, (2, 0), (1, 0)), Meaning.READ),
        (notice(None), Meaning.READ),
    ],
)
def test_an_fba_order_takes_what_is_told_in_full_and_reads_the_rest(
    told: OrderNotice, means: Meaning
) -> None:
    assert meaning(TWO, told, NOW, booked=True) is means
    assert meaning(TWO, told, NOW, booked=False) is (Meaning.NOTHING if told.at == NOW else Meaning.READ)


@pytest.mark.parametrize("status", [SHIPPED, PART, None])
def test_what_left_an_own_warehouse_is_an_echo_once_m3_has_the_order(status: OrderStatus | None) -> None:
    own = order((1, 0), channel=Channel.MFN)
    told = notice(status, (1, 1))
    assert meaning(own, told, NOW, booked=True) is Meaning.NOTHING
    assert meaning(own, told, NOW, booked=False) is Meaning.READ
    assert meaning(own, notice(OrderStatus.CANCELLED), NOW, booked=True) is Meaning.READ


def test_a_shipment_is_no_news_of_an_order_that_has_left() -> None:
    gone = order((2, 2))
    assert meaning(gone, notice(None), NOW, booked=True) is Meaning.NOTHING
    assert meaning(gone, notice(OrderStatus.CANCELLED), NOW, booked=True) is Meaning.READ


@given(st.permutations([notice(PART, (3, 1)), notice(PART, (3, 2)), notice(SHIPPED, (3, 3)), notice(None)]))
def test_the_order_in_which_they_come_makes_no_difference(notices: list[OrderNotice]) -> None:
    known = order((3, 0))
    at_once = judge(known, notices, NOW, booked=True)
    one_by_one = known
    for one in notices:
        one_by_one = judge(one_by_one, [one], NOW, booked=True).order
    assert at_once.order == one_by_one
    assert (at_once.order.status, at_once.order.lines[0].quantity_fulfilled, at_once.unread) == (
        SHIPPED,
        3,
        (),
    )
    assert at_once.order.last_updated == NOW


def test_figures_never_go_down() -> None:
    known = order((3, 2))
    assert as_told(known, notice(PART, (3, 1))).lines[0].quantity_fulfilled == 2
    assert as_told(known, notice(PART, (3, 1))).status is PART


def test_each_notification_is_taken_once_and_answered_by_a_reading() -> None:
    book, known = NoticeBook(), order((1, 0))
    first, second = (
        notice(OrderStatus.UNSHIPPED),
        notice(OrderStatus.UNSHIPPED, at=LATER + timedelta(seconds=9)),
    )
    book.take([first, first])
    assert book.judge(known, booked=True).unread == (first,)
    asked = tuple(book.waiting)
    book.take([first, second])
    book.answered(asked)
    assert book.judge(known, booked=True).unread == (second,)
    book.answered([second])
    book.take([notice(OrderStatus.UNSHIPPED, at=LATER)])
    assert book.judge(known, booked=True).unread == (), "The reading came after that change."


def test_the_book_is_bounded() -> None:
    book = NoticeBook()
    book.take(notice(None) for _ in range(3 * REMEMBERED))
    assert len(book._seen) == REMEMBERED
