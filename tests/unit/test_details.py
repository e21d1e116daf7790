"""What an operator reads of an order, as Markdown that the Web UI renders."""

from datetime import UTC, datetime

import pytest

from canonical.held import HeldReason, Hold, ItemCandidate
from canonical.held_reasons import HELD_REASONS
from canonical.order_contracts import Repair
from canonical.steps import Step
from workflows import details

ORDER = "028-1234567-8901234"
SINCE = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def shown(hold: Hold, *remarks: str, step: Step = Step.ITEMS) -> str:
    return details.held(ORDER, step, hold, SINCE, list(remarks))


@pytest.mark.parametrize("reason", HeldReason)
def test_every_reason_says_what_happened_what_to_do_and_what_to_send(reason: HeldReason) -> None:
    text = shown(Hold(reason=reason, sentence="It happened."), step=Step.SALES_ORDER)
    info = HELD_REASONS[reason]
    for part in (f"## Held: {info.title}", ORDER, "It happened.", info.what_to_do, "2026-11-20 09:30 UTC"):
        assert part in text
    for fix in info.fixes:
        assert f"- `{fix}` with input `{{" in text


def test_every_list_stands_after_an_empty_line() -> None:
    likely = (ItemCandidate(itno="100000-TEA", name="Green Tea", score=80),)
    hold = Hold(reason=HeldReason.UNMAPPED_SKU, sentence="A.", skus=("TEA",), candidates={"TEA": likely})
    lines = shown(hold, "One.", "Two.").splitlines()
    starts = [at for at, line in enumerate(lines) if line.startswith("- ") and lines[at - 1][:2] != "- "]
    assert len(starts) == 3
    assert all(lines[at - 1] == "" for at in starts)


def test_words_of_m3_are_shown_as_they_are() -> None:
    text = shown(Hold(reason=HeldReason.M3_REFUSED, sentence="PRFL *EXE and *TST: <b>no</b>."), "*EXE")
    assert r"PRFL \*EXE and \*TST: \<b>no\</b>." in text
    assert r"- \*EXE" in text


def test_the_other_sides_code_and_request_id_are_named() -> None:
    hold = Hold(
        reason=HeldReason.ITEM_BLOCKED, sentence="A.", system="M3", code="WIT0103", request_id="abc-1"
    )
    assert "**M3 said:** code `WIT0103`, request id `abc-1`." in shown(hold)


def test_only_the_last_remarks_are_shown() -> None:
    text = details.waiting(
        ORDER, Step.INVOICE, "It goes its way.", [f"Remark {number}." for number in range(50)]
    )
    assert "Remark 49." in text
    assert "Remark 39." not in text


def test_who_repaired_what_and_why_is_told_on_held_and_on_closed_orders() -> None:
    repair = Repair(
        at=SINCE, fix="map_sku", by="operations", why="new *pack*", reason="unmapped_sku", what="sku=A itno=B"
    )
    unsigned = Repair(at=SINCE, fix="retry", by="", why="", reason="m3_refused")
    again = Hold(reason=HeldReason.M3_REFUSED, sentence="A.")
    for text in (
        details.waiting(ORDER, Step.CLOSED, "Done.", [], [repair, unsigned]),
        details.held(ORDER, Step.ITEMS, again, SINCE, [], [repair, unsigned]),
    ):
        told = r"- 2026-11-20 09:30 UTC `map_sku sku=A itno=B` of `unmapped_sku` by operations: new \*pack\*"
        assert f"\n\n{told}\n- 2026-11-20 09:30 UTC `retry` of `m3_refused`" in text


@pytest.mark.parametrize(("step", "next_action"), [(Step.CLOSED, "is done"), (Step.INVOICE, "by itself")])
def test_an_order_that_needs_nobody_says_so(step: Step, next_action: str) -> None:
    text = details.waiting(ORDER, step, "It goes its way.", [])
    assert f"step **{step}**" in text
    assert next_action in text.split("**What to do.** Nothing: ")[1]
