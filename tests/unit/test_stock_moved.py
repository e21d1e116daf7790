"""Amazon tells which quantity it shows, and not in which marketplace: what the stock book makes of that."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations

from canonical.stock.book import PoolState
from canonical.stock.models import Offer, PoolKey
from canonical.stock.news import QuantityMoved
from canonical.stock.pushes import OfferState

NOW = datetime(2026, 11, 20, tzinfo=UTC)
POOL = PoolKey("MAI", "T1")


def offer(place: str, sku: str = "TEA") -> OfferState:
    return OfferState(offer=Offer(seller="S", marketplace_id=place, sku=sku, itno=POOL.itno, whlo=POOL.whlo))


def sent(state: OfferState, quantity: int, after: int = 0) -> OfferState:
    """On its way since so many seconds after NOW."""
    place = state.offer.marketplace_id
    return state.want(quantity).sent(quantity, NOW + timedelta(seconds=after), f"{place}-{quantity}")


def pool(*states: OfferState) -> PoolState:
    return PoolState(whlo=POOL.whlo, itno=POOL.itno, offers=states)


def told(quantity: int, after: int = 60, sku: str = "TEA", place: str = "") -> QuantityMoved:
    at = NOW + timedelta(seconds=after)
    return QuantityMoved(seller_id="S", marketplace_id=place, sku=sku, quantity=quantity, at=at)


def flying(state: PoolState) -> list[str]:
    return [each.offer.marketplace_id for each in state.offers if each.flight is not None]


def after(state: PoolState, moves: Sequence[QuantityMoved]) -> PoolState:
    for move in moves:
        state = state.moved(move)
    return state


def test_each_notification_confirms_one_offer_the_one_sent_first() -> None:
    state = pool(sent(offer("DE"), 5, after=2), sent(offer("FR"), 5, after=1), sent(offer("IT"), 4))
    state = state.moved(told(5))
    assert flying(state) == ["DE", "IT"]
    state = state.moved(told(5))
    assert flying(state) == ["IT"]
    assert flying(state.moved(told(5))) == ["IT"]
    assert flying(state.moved(told(4))) == []


def test_the_order_of_notifications_does_not_matter() -> None:
    state = pool(sent(offer("DE"), 5), sent(offer("FR"), 5), sent(offer("IT"), 4))
    assert all(flying(after(state, moves)) == [] for moves in permutations([told(5), told(5, 61), told(4)]))


def test_what_was_shown_before_the_sending_confirms_nothing() -> None:
    state = pool(sent(offer("DE"), 5, after=100))
    assert flying(state.moved(told(5, after=60))) == ["DE"]


def test_a_named_marketplace_is_the_one_that_is_meant() -> None:
    state = pool(sent(offer("DE"), 5), sent(offer("FR"), 5, after=1))
    assert flying(state.moved(told(5, place="FR"))) == ["DE"]


def test_another_sku_of_the_pool_is_not_meant() -> None:
    state = pool(sent(offer("DE"), 5), sent(offer("DE", "TEA-2"), 5))
    assert [each.offer.sku for each in state.moved(told(5)).offers if each.flight] == ["TEA-2"]


def test_more_than_anybody_can_explain_is_believed_of_a_single_offer_alone() -> None:
    confirmed = [sent(offer(place), 3).confirmed(f"{place}-3", NOW) for place in ("DE", "FR")]
    (one,) = pool(confirmed[0]).moved(told(9)).offers
    assert one.shown is not None
    assert one.shown.quantity == 9
    assert pool(*confirmed).moved(told(9)) == pool(*confirmed)
