"""Repairs as typed at the command line, and the commands that the lists of held orders offer."""

import shlex

import pytest

from canonical.fixes import CorrectAddress, MapSku, MarkStepDone, Retry
from canonical.held import FixName, HeldReason, Hold, ItemCandidate
from canonical.held_reasons import HELD_REASONS
from canonical.steps import MARKABLE_STEPS, Step
from starters.console import Refused
from starters.held_orders import repair_command
from starters.repairs import read_action, read_argument

ORDER = "028-1234567-8901234"


def test_pairs_become_the_repair() -> None:
    fix = read_argument(FixName.MAP_SKU, ["sku=BLUE MUG=2", "itno=10023"], by="operations", why="new pack")
    assert fix == MapSku(sku="BLUE MUG=2", itno="10023", by="operations", why="new pack")


def test_dotted_keys_nest_and_bars_make_lists() -> None:
    words = ["address.name=Erika B.", "address.lines=Weg 1|Hinterhaus", "address.city=Köln"]
    fix = read_argument(FixName.CORRECT_ADDRESS, [*words, "address.country=DE"])
    assert isinstance(fix, CorrectAddress)
    assert fix.address.lines == ("Weg 1", "Hinterhaus")
    assert (fix.address.name, fix.address.city, fix.address.country) == ("Erika B.", "Köln", "DE")


def test_json_is_taken_in_one_word_or_in_several() -> None:
    one = read_argument(FixName.MARK_STEP_DONE, ['{"step": "invoice", "number": "77"}'])
    several = read_argument(FixName.MARK_STEP_DONE, ['{"step":', '"invoice",', '"number":"77"}'])
    assert one == several == MarkStepDone(step=Step.INVOICE, number="77")


def test_options_win_over_nothing_but_add_to_json() -> None:
    assert read_argument(FixName.RETRY, ["{}"], by="operations") == Retry(by="operations")


@pytest.mark.parametrize("text", ["map-sku", "MAP_SKU", " map_sku "])
def test_actions_are_read_generously(text: str) -> None:
    assert read_action(text) is FixName.MAP_SKU


@pytest.mark.parametrize(
    ("name", "words", "told"),
    [
        (FixName.MAP_SKU, ["sku"], "no key=value pair"),
        (FixName.MAP_SKU, ["=x"], "no key=value pair"),
        (FixName.MAP_SKU, ["sku=A"], "itno"),
        (FixName.MAP_SKU, ["sku=A", "itno=1", "itno=2"], "given twice"),
        (FixName.MAP_SKU, ["sku=A", "itno=1234567890123456"], "itno"),
        (FixName.MAP_SKU, ["sku=A", "itno=1", "colour=blue"], "colour"),
        (FixName.MAP_SKU, ['{"sku": '], "JSON cannot be read"),
        (FixName.CORRECT_ADDRESS, ["address=x", "address.city=Bonn"], "already has a value"),
        (FixName.MARK_STEP_DONE, ["step=tea", "number=1"], "step"),
        (FixName.MARK_STEP_DONE, ["step=invoice", "number=1", "year=26"], "year"),
        (FixName.RETRY, ["now=please"], "now"),
    ],
)
def test_what_is_no_repair_is_refused(name: FixName, words: list[str], told: str) -> None:
    with pytest.raises(Refused) as refusal:
        read_argument(name, words)
    assert told in str(refusal.value)
    assert refusal.value.status == 2


@pytest.mark.parametrize("reason", HELD_REASONS)
def test_the_offered_command_is_read_back_as_a_repair_of_the_reason(reason: HeldReason) -> None:
    step = MARKABLE_STEPS[0]
    command = shlex.split(repair_command(ORDER, reason, step, ("BLUE MUG",)))
    assert command[:3] == ["o2c", "fix", ORDER]
    name = read_action(command[3])
    assert name in HELD_REASONS[reason].fixes
    read_argument(name, command[4:])


def test_the_likeliest_item_is_filled_in() -> None:
    likely = (ItemCandidate(itno="101360-TEA", name="Jasmine", score=91),)
    hold = Hold(
        reason=HeldReason.UNMAPPED_SKU,
        sentence="",
        skus=("TEA-JASMIN-100",),
        candidates={"TEA-JASMIN-100": likely},
    )
    command = repair_command(ORDER, "unmapped_sku", "items", (), hold)
    assert command == f"o2c fix {ORDER} map_sku sku=TEA-JASMIN-100 itno=101360-TEA"


def test_a_reason_of_a_later_version_leads_to_the_order() -> None:
    assert repair_command(ORDER, "reason_of_tomorrow", "items") == f"o2c order {ORDER}"
