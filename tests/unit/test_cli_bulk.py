"""One repair for many orders: the pace, what is not sent, and when nobody answers."""

import asyncio
from datetime import UTC, datetime

import pytest
from temporalio.service import RPCError, RPCStatusCode

from canonical.fixes import Cancel, MapSku, MarkStepDone, Retry
from canonical.held import FixName, HeldReason, Hold
from canonical.steps import Step
from starters.bulk_fix import Outcome, Planned, Sender, _refusal
from starters.repairs import Answer, AnswerKind
from workflows.repairs import BadRepair, check_fix, values_of

ORDER = "028-1234567-8901234"


def planned(count: int, refusal: str = "") -> list[Planned]:
    return [
        Planned(
            order_id=str(number),
            workflow_id=f"order-{number}",
            reason="m3_unavailable",
            step="items",
            since=datetime(2026, 11, 23, tzinfo=UTC),
            refusal=refusal,
        )
        for number in range(count)
    ]


class Orders:
    """Answers what it is told to, and remembers when it was asked."""

    def __init__(self, kind: AnswerKind = AnswerKind.ACCEPTED, takes: float = 0.0) -> None:
        self.kind = kind
        self.takes = takes
        self.asked: list[float] = []
        self.at_once = self.most = 0

    async def __call__(self, one: Planned) -> Answer:
        self.asked.append(asyncio.get_running_loop().time())
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await asyncio.sleep(self.takes)
        self.at_once -= 1
        return Answer(self.kind, one.order_id)


async def test_the_rate_is_kept_and_results_stand_in_the_order_of_the_plan() -> None:
    orders, told = Orders(), []
    fixed = await Sender(orders, 100.0, lambda: told.append(1)).all(planned(30))
    gaps = [after - before for before, after in zip(orders.asked, orders.asked[1:], strict=False)]
    assert orders.asked[-1] - orders.asked[0] >= 0.28
    assert sorted(gaps)[len(gaps) // 2] >= 0.008, "they come evenly, not in a burst"
    assert [one.order_id for one in fixed] == [str(number) for number in range(30)]
    assert {one.outcome for one in fixed} == {Outcome.ACCEPTED}
    assert len(told) == 30


async def test_slow_answers_hold_the_sending_back() -> None:
    orders = Orders(takes=0.2)
    await Sender(orders, 1000.0, lambda: None).all(planned(60))
    assert orders.most == 20


async def test_what_does_not_fit_is_not_sent() -> None:
    orders = Orders()
    fixed = await Sender(orders, 1.0, lambda: None).all(planned(50, refusal="It does not fit."))
    assert orders.asked == []
    assert {(one.outcome, one.sentence) for one in fixed} == {(Outcome.REFUSED, "It does not fit.")}


async def test_where_nobody_answers_the_rest_is_not_sent() -> None:
    orders = Orders(AnswerKind.NO_ANSWER, takes=0.01)
    fixed = await Sender(orders, 1000.0, lambda: None).all(planned(200))
    assert 20 <= len(orders.asked) < 60
    assert {one.outcome for one in fixed} == {Outcome.NO_ANSWER, Outcome.NOT_SENT}
    assert fixed[-1].outcome is Outcome.NOT_SENT


async def test_a_failing_server_is_an_answer_for_each_order() -> None:
    async def fail(_: Planned) -> Answer:
        raise RPCError("busy", RPCStatusCode.RESOURCE_EXHAUSTED, b"")

    fixed = await Sender(fail, 1000.0, lambda: None).all(planned(2))
    assert [one.outcome for one in fixed] == [Outcome.NO_ANSWER, Outcome.NO_ANSWER]
    assert fixed[0].sentence == "Order 0: Temporal answered RESOURCE_EXHAUSTED: busy."


def test_what_the_search_attributes_tell_decides_before_sending() -> None:
    sku = MapSku(sku="A", itno="1")
    assert _refusal(ORDER, "unmapped_sku", "items", ("A", "B"), FixName.MAP_SKU, sku) == ""
    assert _refusal(ORDER, "item_blocked", "sales_order", (), FixName.MAP_SKU, sku) == ""
    assert "has no SKU A" in _refusal(ORDER, "unmapped_sku", "items", ("B",), FixName.MAP_SKU, sku)
    accept = _refusal(ORDER, "unmapped_sku", "items", ("A",), FixName.ACCEPT_DIFFERENCE, Retry())
    assert "does not repair unmapped_sku" in accept
    done = MarkStepDone(step=Step.INVOICE, number="1")
    assert "held at step ledger" in _refusal(
        ORDER, "ledger_mismatch", "ledger", (), FixName.MARK_STEP_DONE, done
    )
    assert "does not know" in _refusal(ORDER, "of_tomorrow", "items", (), FixName.RETRY, Retry())


def _checked(fix: Retry | Cancel, name: FixName, hold: Hold | None) -> None:
    check_fix(fix, name, order_id=ORDER, hold=hold, step=Step.AWAITING_SHIPMENT, skus=())


def test_a_repair_meant_for_one_reason_repairs_no_other() -> None:
    hold = Hold(reason=HeldReason.M3_UNAVAILABLE, sentence="")
    _checked(Retry(), FixName.RETRY, hold)
    _checked(Retry(reason="m3_unavailable"), FixName.RETRY, hold)
    with pytest.raises(BadRepair, match="now held for m3_unavailable; the retry was meant for total_differs"):
        _checked(Retry(reason="total_differs"), FixName.RETRY, hold)


def test_a_cancellation_meant_for_a_held_order_spares_one_that_goes_its_way() -> None:
    _checked(Cancel(), FixName.CANCEL, None)
    with pytest.raises(BadRepair, match="is not held"):
        _checked(Cancel(reason="m3_unavailable"), FixName.CANCEL, None)


def test_what_was_repaired_is_told_without_who_and_why() -> None:
    assert values_of(MapSku(sku="A B", itno="1", by="operations", why="new")) == "sku=A B itno=1"
    assert values_of(MarkStepDone(step=Step.INVOICE, number="77")) == "step=invoice number=77"
    assert values_of(Retry(by="operations")) == ""
