"""Messages on their way to people: tried until they are taken, given up after a day, never lost unseen."""

from datetime import datetime, timedelta
from typing import Final

from canonical.alert_contracts import AlertMessage, AlertsState, Delivery

GIVE_UP: Final = timedelta(hours=24)
"""A message older than this is no news to anybody."""
OUTBOX: Final = 200
"""Messages kept while targets take none."""
_LOST_KEPT: Final = 20
_FIRST_PAUSE: Final = timedelta(minutes=1)
_LONGEST_PAUSE: Final = timedelta(minutes=30)


def post(state: AlertsState, message: AlertMessage, targets: tuple[str, ...], now: datetime) -> AlertsState:
    """Put the message on its way to each target."""
    new = tuple(
        Delivery(id=state.next_id + place, target=target, message=message, created=now, due=now)
        for place, target in enumerate(targets)
    )
    state = state.model_copy(update={"outbox": (*state.outbox, *new), "next_id": state.next_id + len(new)})
    for surplus in [one for one in state.outbox if one.due is not None][: max(len(state.outbox) - OUTBOX, 0)]:
        state = _give_up(state, surplus.id)
    return state


def due_deliveries(state: AlertsState, now: datetime) -> tuple[Delivery, ...]:
    """What is to be sent now."""
    return tuple(one for one in state.outbox if one.due is not None and one.due <= now)


def sending(state: AlertsState, delivery_id: int) -> AlertsState:
    """A round of attempts has begun."""
    return _changed(state, delivery_id, due=None)


def sent(state: AlertsState, delivery_id: int) -> AlertsState:
    """The target took it."""
    return _dropped(state, delivery_id).model_copy(update={"delivered": state.delivered + 1})


def not_sent(
    state: AlertsState, delivery_id: int, error: str, now: datetime, *, final: bool = False
) -> AlertsState:
    """The target did not take it: tried again after a pause that doubles, given up after a day."""
    found = next((one for one in state.outbox if one.id == delivery_id), None)
    if found is None:
        return state
    tries = found.tries + 1
    pause = min(_FIRST_PAUSE * 2 ** min(tries - 1, 10), _LONGEST_PAUSE)
    state = _changed(state, delivery_id, tries=tries, error=error, due=now + pause)
    return _give_up(state, delivery_id) if final or now - found.created >= GIVE_UP else state


def _changed(state: AlertsState, delivery_id: int, **facts: object) -> AlertsState:
    outbox = tuple(one.model_copy(update=facts) if one.id == delivery_id else one for one in state.outbox)
    return state.model_copy(update={"outbox": outbox})


def _dropped(state: AlertsState, delivery_id: int) -> AlertsState:
    return state.model_copy(update={"outbox": tuple(one for one in state.outbox if one.id != delivery_id)})


def _give_up(state: AlertsState, delivery_id: int) -> AlertsState:
    lost = tuple(one for one in state.outbox if one.id == delivery_id)
    return _dropped(state, delivery_id).model_copy(
        update={"lost": (*state.lost, *lost)[-_LOST_KEPT:], "given_up": state.given_up + len(lost)}
    )
