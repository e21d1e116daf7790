"""Stock in M3 as the client sees it: balances and what is wrong with them, changes, corrections sent once."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
import pytest_asyncio

from activities.m3.client import M3Client, TruncatedListError
from activities.m3.errors import M3Unavailable
from activities.m3.programs.stock import (
    Corrected,
    MessageStatus,
    balances,
    changed_balances,
    correct,
    message_statuses,
)
from canonical.stock.corrections import AdjustmentKind, Correction, message_number
from canonical.stock.models import Balance, NoBalance, PoolKey
from simulators import assortment, catalogue
from tests.activities.m3_bench import Bench, bench

TEA, COFFEE = (item.itno for item in assortment.ORDINARY_ITEMS[:2])
MAI = PoolKey("MAI", TEA)


@pytest_asyncio.fixture
async def m3(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path) as stage:
        await stage.post("staff", at_work=False)
        await stage.post("counts", whlo="MAI", onhand={TEA: "10", COFFEE: "10"})
        yield stage


def client(m3: Bench) -> M3Client:
    return m3.m3.context.client


async def read(m3: Bench, key: PoolKey) -> Balance | NoBalance:
    return (await balances(client(m3), [key], asked_at=datetime.now(UTC)))[key]


async def on_hand(m3: Bench, key: PoolKey = MAI) -> int:
    known = await read(m3, key)
    assert isinstance(known, Balance)
    return int(known.on_hand)


def correction(quantity: int, reference: str = "1", **more: object) -> Correction:
    fields = {"whlo": "MAI", "itno": TEA, "kind": AdjustmentKind.LOST, "rscd": "LOS", "reference": reference}
    number = message_number(reference, "MAI")
    return Correction.model_validate(fields | {"quantity": quantity, "number": number} | more)


async def send(m3: Bench, *wanted: Correction, flag: Literal["*EXE", "*AUT"] = "*EXE") -> list[Corrected]:
    return await correct(
        client(m3), wanted, partner=catalogue.PARTNER, message_type=catalogue.MESSAGE_TYPE, flag=flag
    )


@pytest.mark.parametrize("api", ["v1", "v2"])
async def test_balances_are_read_with_their_items_status(tmp_path: Path, api: str) -> None:
    blocked = next(item.itno for item in assortment.ITEMS if item.trouble == "item_blocked")
    async with bench(tmp_path, api=api) as m3:
        await m3.post("counts", whlo="MAI", onhand={TEA: "-4"})
        asked_at = datetime.now(UTC)
        keys = [MAI, PoolKey("XXX", TEA), PoolKey("MAI", "NONE"), PoolKey("MAI", blocked), MAI]
        found = await balances(client(m3), keys, asked_at=asked_at)
        negative = found[MAI]
        assert isinstance(negative, Balance)
        assert (negative.on_hand, negative.free, negative.item_status) == (-4, -4, "20")
        assert negative.as_of == asked_at
        off_sale = found[keys[3]]
        assert isinstance(off_sale, Balance)
        assert off_sale.item_status == "80"
        told = [found[key] for key in keys[1:3]]
        assert [each.why for each in told if isinstance(each, NoBalance)] == [
            "unknown_warehouse",
            "unknown_item",
        ]


async def test_an_item_that_is_not_kept_in_a_warehouse_is_told(m3: Bench) -> None:
    await m3.post("items", items=[{"itno": "NEW1", "itds": "New tea", "onhand": {"AFE": "3"}}])
    known = await read(m3, PoolKey("MAI", "NEW1"))
    assert isinstance(known, NoBalance)
    assert (known.why, known.code) == ("not_in_warehouse", "XRE0103")


async def test_changes_since_a_moment_are_listed_and_the_two_minutes_before_it(m3: Bench) -> None:
    await m3.post("advance", seconds=600)
    await m3.post("counts", whlo="MAI", onhand={COFFEE: "4"})
    then = datetime.now(UTC) + timedelta(seconds=600)
    assert await changed_balances(client(m3), then) == [PoolKey("MAI", COFFEE)]
    assert await changed_balances(client(m3), then + timedelta(minutes=3)) == []
    assert MAI in await changed_balances(client(m3), then - timedelta(seconds=600))


async def test_a_list_that_m3_may_have_cut_is_no_list(m3: Bench) -> None:
    known = len(await changed_balances(client(m3), datetime(2020, 1, 1, tzinfo=UTC)))
    items = [{"itno": f"N{n:05d}", "itds": "Tea", "onhand": {"MAI": "1"}} for n in range(1000 - known)]
    await m3.post("items", items=items)
    with pytest.raises(TruncatedListError):
        await changed_balances(client(m3), datetime(2020, 1, 1, tzinfo=UTC))


async def test_a_correction_is_sent_once_however_often_it_is_asked_for(m3: Bench) -> None:
    [first] = await send(m3, correction(-3))
    [second] = await send(m3, correction(-3))
    assert (first.repeated, first.error, second.repeated) == (False, None, True)
    assert await on_hand(m3) == 7


async def test_a_correction_whose_reply_was_lost_is_not_sent_twice(m3: Bench) -> None:
    await m3.fault("MMS850MI.AddAdjust", "drop", "after", times=5)
    with pytest.raises(M3Unavailable):
        await send(m3, correction(-3), correction(-1, "2"))
    await m3.control.delete("/_control/faults")
    outcomes = await send(m3, correction(-3), correction(-1, "2"))
    assert outcomes[0].repeated
    assert await on_hand(m3) == 6


async def test_one_refused_correction_keeps_none_of_the_others_back(m3: Bench) -> None:
    found = await send(m3, correction(-30), correction(2, "2"))
    assert [each.error is None for each in found] == [False, True]
    assert await on_hand(m3) == 12
    await m3.post("counts", whlo="MAI", onhand={TEA: "40"})
    [again] = await send(m3, correction(-30))
    assert again.error is None
    assert await on_hand(m3) == 10


async def test_what_m3_does_later_tells_its_status(m3: Bench) -> None:
    good, bad = correction(2), correction(-30, "2")
    await send(m3, good, bad, flag="*AUT")
    found = await message_statuses(client(m3), catalogue.PARTNER, [good.number, bad.number, "NEVER"])
    assert found == {good.number: MessageStatus.DONE, bad.number: MessageStatus.REFUSED}
    assert await on_hand(m3) == 12


async def test_what_waits_for_a_person_is_not_sent(m3: Bench) -> None:
    with pytest.raises(ValueError, match="approval"):
        await send(m3, correction(-3, approval="Too many."))
    assert await on_hand(m3) == 10
