"""Where stock comes from: a warehouse that M3 does not know, and one that is put right in the configuration."""

from pathlib import Path

from tests.support.stock_keeping import DE, FR, at_work, keeper_world

UNKNOWN = "XXX"


async def test_of_a_warehouse_that_m3_does_not_know_nothing_is_offered_until_it_is_put_right(
    tmp_path: Path,
) -> None:
    async with keeper_world(tmp_path) as shop:
        profiles = dict(shop.settings.marketplaces)
        profiles[FR] = profiles[FR].model_copy(update={"warehouse_mfn": UNKNOWN})
        wrong = shop.settings.model_copy(update={"marketplaces": profiles})
        tea = await shop.one(7, DE, FR, shows=3)
        async with at_work(shop, wrong):
            await shop.tell_listings()
            await shop.shows(tea, 7, DE)
            await shop.shows(tea, 0, FR)
            notes = (await shop.quiet()).totals.notes
            assert [note for note in notes if f"M3 has no warehouse {UNKNOWN}" in note]
        async with at_work(shop):
            await shop.tell_listings()
            await shop.shows(tea, 7, DE, FR)
            assert (await shop.quiet()).totals.notes == ()
