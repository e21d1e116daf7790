"""Who is told of what, and when: the rules of alerting, whatever orders, outages and targets do."""

import re
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canonical import alert_outbox as outbox
from canonical import alert_texts as texts
from canonical import alerts
from canonical.alert_contracts import AlertMessage, AlertsState, HeldNow, ReasonSeen, Severity
from canonical.held import HeldReason
from canonical.held_reasons import HELD_REASONS
from tests.support.alert_desk import RULES, START, WINDOW, Desk, notice

ORDINARY = (HeldReason.UNMAPPED_SKU, HeldReason.TOTAL_DIFFERS)
OUTAGE = (HeldReason.M3_UNAVAILABLE, HeldReason.AMAZON_NOT_AUTHORISED)
ORDERS = tuple(f"302-{number:07d}-5550000" for number in range(8))
LATEST = WINDOW + timedelta(minutes=1)
"""When a repeat is told of at the latest: the window, and a quiet moment to let visibility follow."""

holding = st.tuples(
    st.just("hold"), st.sampled_from(ORDERS), st.sampled_from((*ORDINARY, *OUTAGE)), st.booleans()
)
releasing = st.tuples(st.just("release"), st.sampled_from(ORDERS), st.just(""), st.booleans())
targets = st.tuples(
    st.sampled_from(("down", "up")), st.sampled_from(("operations", "lead")), st.just(""), st.just(True)
)
pauses = st.integers(0, 7200) | st.integers(0, 20)
days = st.lists(st.tuples(st.one_of(holding, holding, releasing, targets), pauses), max_size=40)
lags = st.integers(0, 4).map(lambda seconds: timedelta(seconds=seconds))


DAYS = settings(max_examples=60)


def play(desk: Desk, day: list[tuple[tuple[str, str, str, bool], int]], *, told: bool = False) -> None:
    """Let it all happen; `told` makes every order tell what happens to it."""
    for (kind, name, reason, word), pause in day:
        match kind:
            case "hold":
                desk.hold(name, reason, told=word or told)
            case "release":
                desk.release(name, told=word or told)
            case "down":
                desk.down.add(name)
            case "up":
                desk.down.discard(name)
        desk.wait(timedelta(seconds=pause))


def about(desk: Desk, reason: str, target: str = "operations") -> list[tuple[datetime, AlertMessage]]:
    """The messages on one reason for one target, the digest aside."""
    title = HELD_REASONS[HeldReason(reason)].title
    return [
        (one.at, one.message) for one in desk.posted if one.target == target and title in one.message.title
    ]


# --- the first, and its repeats ------------------------------------------------------------------


@DAYS
@given(days, lags)
def test_the_first_order_of_a_reason_is_told_at_once(day: list, lag: timedelta) -> None:
    desk = Desk(lag=lag)
    for (kind, name, reason, _), pause in day:
        if kind == "hold":
            new = reason not in alerts.quietened(desk.state, desk.now).groups
            before = len(desk.posted)
            desk.hold(name, reason)
            if new:
                first = desk.posted[before:][-1]
                assert first.at == desk.now
                assert name in first.message.title
                assert first in [*desk.arrived, *desk.posted]
        elif kind == "release":
            desk.release(name)
        desk.wait(timedelta(seconds=pause))


@DAYS
@given(days, lags)
def test_repeats_are_gathered_counted_and_told_once_a_window(day: list, lag: timedelta) -> None:
    """A second account of it: every told order is announced or counted, once, and not more often than allowed."""
    desk = Desk(lag=lag)
    play(desk, day, told=True)
    desk.wait(2 * LATEST)
    for reason in ORDINARY:
        messages = about(desk, reason)
        for (earlier, _), (later, _) in pairwise(messages):
            assert later - earlier >= WINDOW
        holds = [
            (one.since, order, one.until)
            for order, all_of_it in desk.holds.items()
            for one in all_of_it
            if one.reason == reason
        ]
        for since, order, until in holds:
            if until is not None and until - since <= LATEST + desk.lag:
                continue  # repaired before anybody had to be told
            covering = [(at, one) for at, one in messages if since <= at <= since + LATEST]
            assert covering, f"{order}, held {since}, was told to nobody: {messages}"
        for at, message in messages:
            counted = re.match(r"Held: (\d+) more", message.title)
            if counted:
                last = max(earlier for earlier, _ in messages if earlier < at)
                seen = at - desk.lag
                there = [(since, order) for since, order, until in holds if until is None or until > seen]
                least = {order for since, order in there if last < since < seen}
                most = {order for since, order in there if last <= since <= seen}
                assert len(least) <= int(counted[1]) <= len(most)


def test_ten_repeats_are_one_message_that_names_the_first_three() -> None:
    desk = Desk()
    for order in ORDERS:
        desk.hold(order, HeldReason.UNMAPPED_SKU)
    assert len(desk.posted) == 1
    desk.wait(WINDOW)
    gathered = desk.posted[-1].message
    assert len(desk.posted) == 2
    assert gathered.title == "Held: 7 more orders, M3 knows no item for a SellerSKU"
    assert "8 orders in all, the oldest since 2026-11-23 09:00 UTC" in gathered.body
    for order in ORDERS[1:4]:
        assert (
            f"{order}: Amazon order {order}: something is wrong with it.\n  o2c fix {order}" in gathered.body
        )
    assert "and 4 more." in gathered.body
    assert "o2c held --reason unmapped_sku" in gathered.body


def test_what_was_repaired_within_the_window_is_not_told() -> None:
    desk = Desk()
    desk.hold(ORDERS[0], HeldReason.UNMAPPED_SKU)
    for order in ORDERS[1:4]:
        desk.hold(order, HeldReason.UNMAPPED_SKU)
        desk.release(order)
    desk.hold(ORDERS[4], HeldReason.UNMAPPED_SKU)
    desk.wait(WINDOW)
    assert desk.posted[-1].message.title.startswith("Held: 1 more order,")
    assert ORDERS[4] in desk.posted[-1].message.body
    assert not any(order in desk.posted[-1].message.body for order in ORDERS[1:4])


def test_when_all_repeats_were_repaired_the_next_is_a_first_again() -> None:
    desk = Desk()
    for order in ORDERS[:2]:
        desk.hold(order, HeldReason.UNMAPPED_SKU)
        desk.release(order)
    desk.wait(WINDOW)
    assert (desk.looks, len(desk.posted)) == (1, 1)
    desk.hold(ORDERS[2], HeldReason.UNMAPPED_SKU)
    assert (desk.posted[-1].at, f"order {ORDERS[2]}" in desk.posted[-1].message.title) == (desk.now, True)


def test_an_order_held_just_before_the_look_is_waited_for() -> None:
    desk = Desk(lag=timedelta(seconds=4))
    desk.hold(ORDERS[0], HeldReason.UNMAPPED_SKU)
    desk.wait(WINDOW - timedelta(seconds=1))
    desk.hold(ORDERS[1], HeldReason.UNMAPPED_SKU)
    desk.wait(timedelta(seconds=6))
    assert [ORDERS[1] in one.message.body for one in desk.posted] == [False, True]


def test_orders_that_never_cease_to_come_are_told_within_a_minute_of_the_window() -> None:
    desk = Desk(lag=timedelta(seconds=1))
    for number in range(1000):
        desk.hold(f"303-{number:07d}-5550000", HeldReason.UNMAPPED_SKU)
        desk.wait(timedelta(seconds=2))
    assert [one.at - START for one in desk.posted] == [timedelta(0), LATEST, 2 * LATEST]


def test_what_is_told_during_a_look_belongs_to_the_next_message() -> None:
    desk = Desk()
    for order in ORDERS[:2]:
        desk.hold(order, HeldReason.UNMAPPED_SKU)
    state, due = desk.state, START + WINDOW
    question = alerts.question(state, due)
    assert question is not None
    state = alerts.asked(state, due)
    state = alerts.heard(state, notice(ORDERS[2], HeldReason.UNMAPPED_SKU, due), due)
    seen = {HeldReason.UNMAPPED_SKU.value: ReasonSeen(total=2, oldest=START, still=question.named)}
    state = alerts.looked(state, HeldNow(reasons=seen), due)
    assert state.outbox[-1].message.title.startswith("Held: 1 more order,")
    [group] = state.groups.values()
    assert (group.unsaid, group.pending) == (1, (ORDERS[2],))
    assert [one.order_id for one in group.notices] == [ORDERS[2]]


def test_after_a_quiet_window_the_next_is_a_first_again_and_nothing_was_asked() -> None:
    desk = Desk()
    desk.hold(ORDERS[0], HeldReason.UNMAPPED_SKU)
    desk.wait(WINDOW)
    assert desk.looks == 0
    assert alerts.next_due(desk.state) is None
    desk.hold(ORDERS[1], HeldReason.UNMAPPED_SKU)
    assert f"order {ORDERS[1]}" in desk.posted[-1].message.title
    assert desk.posted[-1].at == desk.now


def test_a_thousand_orders_leave_a_small_state() -> None:
    desk = Desk()
    for number in range(1000):
        desk.hold(f"303-{number:07d}-5550000", HeldReason.UNMAPPED_SKU)
        desk.hold(f"304-{number:07d}-5550000", HeldReason.M3_UNAVAILABLE)
    assert len(desk.state.model_dump_json()) < 20_000
    desk.wait(WINDOW)
    titles = [one.message.title for one in desk.posted]
    assert "Held: 999 more orders, M3 knows no item for a SellerSKU" in titles
    assert "Still held after 15 min: M3 did not answer (1,000 orders)" in titles


# --- outages -------------------------------------------------------------------------------------


@DAYS
@given(days, lags)
def test_an_outage_is_told_escalated_stage_by_stage_and_over_once(day: list, lag: timedelta) -> None:
    desk = Desk(lag=lag)
    play(desk, day)
    for order in ORDERS:
        desk.release(order, told=False)
    desk.wait(2 * WINDOW)
    for reason in OUTAGE:
        told = [(one.at, one.message, one.target) for one in desk.posted if _is_about(one.message, reason)]
        opened, stage = None, 0
        for at, message, target in told:
            if message.title.startswith("Held: "):
                assert opened is None, "A second first alert while the outage lasts."
                opened, stage = at, 0
            elif message.title.startswith("Still held"):
                assert opened is not None
                reached = int(re.search(r"Stage (\d) of 3", message.body)[1])  # type: ignore[index]
                limit = RULES.stages[reached - 1]
                assert at >= opened + limit.after
                assert target in limit.targets
                assert reached > stage or (reached == stage and len(limit.targets) > 1)
                assert desk.held_for(reason, at - desk.lag)
                stage = reached
            else:
                assert message.severity is Severity.SUCCESS
                if target == "operations":
                    assert opened is not None
                    opened = None
                assert not desk.held_for(reason, at - desk.lag)
        assert opened is None, f"{reason} is over and nobody was told: {told}"
    assert not desk.state.groups


def _is_about(message: AlertMessage, reason: str) -> bool:
    return HELD_REASONS[HeldReason(reason)].title in message.title


def test_an_outage_of_five_hours() -> None:
    desk = Desk()
    for order in ORDERS:
        desk.hold(order, HeldReason.M3_UNAVAILABLE)
    desk.wait(timedelta(hours=5))
    for order in ORDERS:
        desk.release(order)
        desk.wait(timedelta(seconds=2))
    desk.wait(timedelta(minutes=1))
    told = [(one.at - START, one.target, one.message.title) for one in desk.posted]
    title = "M3 did not answer"
    assert told == [
        (timedelta(0), "operations", f"Held: {title} (order {ORDERS[0]})"),
        (timedelta(minutes=15), "operations", f"Still held after 15 min: {title} (8 orders)"),
        (timedelta(hours=1), "operations", f"Still held after 1 h: {title} (8 orders)"),
        (timedelta(hours=1), "lead", f"Still held after 1 h: {title} (8 orders)"),
        (timedelta(hours=4), "lead", f"Still held after 4 h: {title} (8 orders)"),
        (told[5][0], "operations", f"Over: {title}"),
        (told[5][0], "lead", f"Over: {title}"),
    ]
    assert timedelta(0) < told[5][0] - timedelta(hours=5, seconds=14) <= 2 * alerts.SETTLE
    assert "up to 8 orders were held" in desk.posted[-1].message.body


def test_a_worker_that_was_away_for_hours_skips_the_stages_it_missed() -> None:
    desk = Desk()
    desk.hold(ORDERS[0], HeldReason.M3_UNAVAILABLE)
    desk.now += timedelta(hours=2)
    desk.wait(timedelta(0))
    assert [one.message.title[:22] for one in desk.posted[1:]] == ["Still held after 2 h: "] * 2
    assert "Stage 2 of 3" in desk.posted[-1].message.body


def test_an_order_that_visibility_does_not_know_yet_is_no_recovery() -> None:
    desk = Desk(lag=timedelta(seconds=4))
    desk.hold(ORDERS[0], HeldReason.AMAZON_UNAVAILABLE)
    desk.release(ORDERS[0])
    desk.wait(timedelta(seconds=3))
    desk.hold(ORDERS[1], HeldReason.AMAZON_UNAVAILABLE)
    desk.wait(timedelta(seconds=4))  # the look now sees neither the one nor the other
    assert len(desk.posted) == 1
    desk.release(ORDERS[1])
    desk.wait(timedelta(seconds=30))
    assert desk.posted[-1].message.title == "Over: Amazon did not answer"
    assert len(desk.posted) == 2


def test_a_release_that_visibility_does_not_know_yet_is_looked_for_again() -> None:
    desk = Desk(lag=timedelta(seconds=4))
    for order in ORDERS[:2]:
        desk.hold(order, HeldReason.M3_UNAVAILABLE)
    desk.wait(timedelta(minutes=2))
    desk.release(ORDERS[0])
    desk.wait(alerts.SETTLE - timedelta(seconds=1))
    desk.release(ORDERS[1])
    desk.wait(2 * alerts.SETTLE)
    assert desk.posted[-1].message.title == "Over: M3 did not answer"


def test_terminated_orders_leave_no_outage_behind() -> None:
    desk = Desk()
    desk.hold(ORDERS[0], HeldReason.M3_UNAVAILABLE)
    desk.wait(timedelta(hours=6))
    desk.release(ORDERS[0], told=False)
    desk.wait(WINDOW)
    assert desk.posted[-1].message.severity is Severity.SUCCESS


# --- the digest ----------------------------------------------------------------------------------


@DAYS
@given(days)
def test_the_digest_is_daily_true_and_silent_when_nothing_is_held(day: list) -> None:
    desk = Desk(daily=timedelta(days=1))
    play(desk, day)
    for _ in range(3):
        desk.wait(timedelta(days=1))
    digests = [one for one in desk.posted if one.message.severity is Severity.INFO]
    expected = []
    for number in range(1, (desk.now - START).days + 1):
        at = START + timedelta(days=number)
        held = sum(len(desk.held_for(reason, at)) for reason in (*ORDINARY, *OUTAGE))
        if held:
            expected.append((at, f"{held} order{'s' if held > 1 else ''} held at {at:%Y-%m-%d %H:%M} UTC"))
    assert [(one.at, one.message.title) for one in digests] == expected
    assert desk.state.last_digest is not None
    assert desk.state.last_digest.sent == bool(desk.held_for_any())


@given(
    st.integers(0, 2 * 365 * 86400).map(lambda seconds: START + timedelta(seconds=seconds)),
    st.times().map(lambda moment: moment.replace(microsecond=0)),
    st.sampled_from(("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")),
)
def test_the_next_digest_is_within_a_day_at_its_time_of_day(now: datetime, at: time, name: str) -> None:
    zone = ZoneInfo(name)
    due = alerts.next_digest(now, at, zone)
    assert now < due <= now + timedelta(hours=25)
    shown = due.astimezone(zone)
    skipped = datetime.combine(shown.date(), at, zone).astimezone(UTC).astimezone(zone).time() != at
    assert shown.time() == at or skipped


def test_the_digest_keeps_its_hour_when_the_clocks_change() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    due = datetime(2026, 10, 24, 0, tzinfo=UTC)
    seen = []
    for _ in range(3):
        due = alerts.next_digest(due, time(7), berlin)
        seen.append(due)
    assert seen == [
        datetime(2026, 10, 24, 5, tzinfo=UTC),
        datetime(2026, 10, 25, 6, tzinfo=UTC),
        datetime(2026, 10, 26, 6, tzinfo=UTC),
    ]
    assert {moment.astimezone(berlin).date() for moment in seen} == {
        date(2026, 10, day) for day in (24, 25, 26)
    }


def test_a_digest_that_is_due_when_the_worker_comes_back_is_still_made() -> None:
    desk = Desk(daily=timedelta(hours=2))
    desk.hold(ORDERS[0], HeldReason.UNMAPPED_SKU)
    desk.now += timedelta(hours=3)
    tomorrow = RULES.model_copy(update={"next_digest": START + timedelta(days=1)})
    desk.state = alerts.configured(desk.state, tomorrow, desk.now)
    desk.wait(timedelta(0))
    assert desk.posted[-1].message.title == "1 order held at 2026-11-23 12:00 UTC"


# --- delivery ------------------------------------------------------------------------------------


@DAYS
@given(days)
def test_every_message_arrives_once_at_a_target_that_comes_back(day: list) -> None:
    desk = Desk()
    play(desk, day)
    desk.down.clear()
    for order in ORDERS:
        desk.release(order)
    desk.wait(timedelta(hours=2))
    lost = [(one.target, one.message) for one in desk.state.lost]
    arrived = [(one.target, one.message) for one in desk.arrived]
    posted = [(one.target, one.message) for one in desk.posted]
    assert len(posted) == len(arrived) + desk.state.given_up
    assert all(one in posted for one in arrived + lost)
    assert desk.state.delivered == len(arrived)
    assert desk.state.outbox == ()
    assert alerts.next_due(desk.state) is None


@DAYS
@given(days)
def test_a_target_that_is_down_delays_no_other(day: list) -> None:
    desk = Desk(down={"lead"})
    play(desk, [step for step in day if step[0][0] in ("hold", "release")])
    posted = [(one.at, one.message) for one in desk.posted if one.target == "operations"]
    arrived = [(one.at, one.message) for one in desk.arrived if one.target == "operations"]
    assert posted == arrived


def test_a_message_is_tried_with_growing_pauses_shown_and_given_up_after_a_day() -> None:
    desk = Desk(down={"operations"})
    desk.hold(ORDERS[0], HeldReason.UNMAPPED_SKU)
    pauses = []
    while desk.state.outbox:
        [waiting] = desk.state.outbox
        assert waiting.error == "The alert target operations answered HTTP 503."
        assert waiting.due is not None
        pauses.append(int((waiting.due - desk.now).total_seconds() // 60))
        desk.wait(waiting.due - desk.now)
    assert pauses[:7] == [1, 2, 4, 8, 16, 30, 30]
    assert timedelta(hours=24) <= desk.now - START <= timedelta(hours=24, minutes=31)
    assert desk.state.given_up == 1
    assert [one.message for one in desk.state.lost] == [desk.posted[0].message]


def test_a_target_that_is_configured_no_more_is_given_up_at_once() -> None:
    state = alerts.heard(AlertsState(rules=RULES), notice(ORDERS[0], "unmapped_sku", START), START)
    [delivery] = state.outbox
    state = outbox.not_sent(state, delivery.id, "No such target.", START, final=True)
    assert (state.outbox, state.given_up) == ((), 1)


def test_the_outbox_is_bounded_and_says_what_it_dropped() -> None:
    state = AlertsState(rules=RULES)
    message = AlertMessage(title="t", body="b", severity=Severity.INFO)
    for _ in range(outbox.OUTBOX + 50):
        state = outbox.post(state, message, ("operations",), START)
    assert len(state.outbox) == outbox.OUTBOX
    assert state.given_up == 50
    assert state.outbox[0].id == 51


def test_without_a_target_nothing_is_put_on_its_way() -> None:
    state = AlertsState(rules=RULES.model_copy(update={"targets": ()}))
    assert alerts.heard(state, notice(ORDERS[0], "unmapped_sku", START), START).outbox == ()


# --- the words -----------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", list(HeldReason))
def test_the_first_message_names_order_cause_link_and_repair(reason: HeldReason) -> None:
    said = notice(ORDERS[0], reason, START)
    message = texts.first(said, RULES, outage=reason in alerts.OUTAGES)
    assert said.order_id in message.title
    assert HELD_REASONS[reason].title in message.title
    assert said.sentence in message.body
    assert said.command in message.body
    assert HELD_REASONS[reason].what_to_do in message.body
    assert f"http://127.0.0.1:8233/namespaces/default/workflows/{ORDERS[0]}/run" in message.body


@settings(max_examples=30)
@given(
    st.text(max_size=3000),
    st.integers(1, 10**7),
    st.sampled_from([*HeldReason, "some_reason_of_another_version"]),
)
def test_every_message_is_bounded_and_ends_with_its_link(sentence: str, number: int, reason: str) -> None:
    notices = tuple(
        notice(order, reason, START).model_copy(update={"sentence": sentence}) for order in ORDERS[:3]
    )
    group = alerts.heard(AlertsState(rules=RULES), notices[0], START).groups[reason]
    facts = ReasonSeen(total=number, oldest=START, first=ORDERS[:3])
    seen = HeldNow(reasons={f"{reason}{extra}": facts for extra in range(40)} | {reason: facts})
    for message in (
        texts.first(notices[0], RULES, outage=True),
        texts.gathered(group, number, notices, ORDERS, facts, RULES),
        texts.escalated(group, facts, RULES, START),
        texts.recovered(group, RULES, START),
        texts.digest(seen, RULES, START),
        texts.trial("operations", START),
    ):
        assert len(message.title) <= texts.LONGEST_TITLE
        assert len(message.body) <= texts.LONGEST_BODY
        if message.title != "Test of the alerts":
            repair, link = message.body.splitlines()[-2:]
            assert "o2c " in repair
            assert link.startswith("Web UI: http")
            assert not (repair + link).endswith("…")
        assert "\n" not in message.title


def test_a_reason_that_needs_an_argument_is_repaired_order_by_order() -> None:
    facts = ReasonSeen(total=2, oldest=START, first=ORDERS[:2])
    for reason, command in (
        (HeldReason.UNMAPPED_SKU, "o2c held --reason unmapped_sku"),
        (HeldReason.M3_UNAVAILABLE, "o2c fix --where 'HeldReason=\"m3_unavailable\"' retry"),
        (HeldReason.TOTAL_DIFFERS, "o2c fix --where 'HeldReason=\"total_differs\"' accept_difference"),
    ):
        group = alerts.heard(AlertsState(rules=RULES), notice(ORDERS[0], reason, START), START).groups[reason]
        assert command in texts.gathered(group, 2, (), (), facts, RULES).body
