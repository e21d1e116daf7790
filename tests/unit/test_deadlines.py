"""Deadlines of own shipments: each told once when near and once when over."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from canonical.deadlines import DueOrder, ToldOf, line, message, news, remembered

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
AHEAD = timedelta(hours=24)


def due(number: int, hours: float) -> DueOrder:
    return DueOrder(
        workflow_id=f"order-A2EUSELLER0001-302-{number:07d}-5550000",
        seller_id="A2EUSELLER0001",
        order_id=f"302-{number:07d}-5550000",
        ship_by=NOW + timedelta(hours=hours),
        step="awaiting_shipment",
        m3_order="1010000001",
    )


@given(st.lists(st.floats(-48, 72), max_size=6), st.lists(st.floats(0.1, 30), min_size=1, max_size=8))
def test_people_are_told_of_each_order_once_near_and_once_late(
    starts: list[float], waits: list[float]
) -> None:
    orders = [due(number, hours) for number, hours in enumerate(starts)]
    told: dict[str, ToldOf] = {}
    said: list[tuple[str, bool]] = []
    now = NOW
    for wait in waits:
        seen = [order for order in orders if order.ship_by < now + AHEAD]
        soon, late = news(seen, told, now)
        said += [(order.order_id, False) for order in soon] + [(order.order_id, True) for order in late]
        told = remembered(seen, told, now, complete=True)
        assert news(seen, told, now) == ((), ())
        now += timedelta(hours=wait)
    last = now - timedelta(hours=waits[-1])
    assert len(said) == len(set(said))
    assert {order for order, late in said if late} == {o.order_id for o in orders if o.ship_by <= last}
    assert {order for order, _ in said} == {o.order_id for o in orders if o.ship_by < last + AHEAD}


def test_a_deadline_that_amazon_moved_is_told_anew() -> None:
    told = remembered([due(1, 3)], {}, NOW, complete=True)
    assert news([due(1, 5)], told, NOW) == ((due(1, 5),), ())


def test_orders_that_could_not_be_seen_are_not_forgotten() -> None:
    told = remembered([due(1, 3)], {}, NOW, complete=True)
    assert remembered([due(2, 3)], told, NOW, complete=False).keys() == {
        due(1, 3).workflow_id,
        due(2, 3).workflow_id,
    }


def test_the_message_says_what_is_late_first_and_counts_the_rest() -> None:
    shown = message([due(number, 3) for number in range(20)], [due(99, -2.5)], NOW)
    assert shown.title == "Own shipments: 1 late, 20 due soon"
    assert shown.body.startswith(
        "302-0000099-5550000: ship by 2026-11-20 09:30 UTC (2 h 30 min late), step awaiting_shipment, M3 order"
    )
    assert "... and 6 more." in shown.body
    assert "(3 h 00 min left)" in line(due(1, 3), NOW)
