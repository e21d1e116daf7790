"""Amazon's address in M3's fields: all of it, or a hold that names the field."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.address import M3Address, m3_address, order_address, wrap
from canonical.address_states import state_code
from canonical.held import HeldReason, OrderHeld
from canonical.order import Address, Channel
from tests.unit.order_builders import ADDRESS, ORDER_ID, order, profile

LENGTHS = {
    "CUNM": 36,
    "CUA1": 36,
    "CUA2": 36,
    "CUA3": 36,
    "CUA4": 36,
    "PONO": 10,
    "TOWN": 20,
    "ECAR": 2,
    "CSCD": 3,
    "PHNO": 10,
    "PHN2": 16,
    "DSTX": 36,
}


def fitted(**changes: Any) -> M3Address:
    return m3_address(ADDRESS.model_copy(update=changes), profile(), ORDER_ID)


def refusal(**changes: Any) -> OrderHeld:
    with pytest.raises(OrderHeld) as refused:
        fitted(**changes)
    return refused.value


def test_a_plain_address() -> None:
    assert fitted().batch_fields() == {
        "CUNM": "Erika Mustermann",
        "CUA1": "Heidestr. 17",
        "PONO": "51147",
        "TOWN": "Köln",
        "CSCD": "DE",
        "PHN2": "+492211234567",
    }


def test_fields_and_lengths_are_those_of_m3(m3_metadata: dict[str, Any]) -> None:
    for program, transaction, fields in (
        ("OIS100MI", "AddBatchAddress", fitted(state="", company="A B", phone="0221 1234").batch_fields()),
        ("CRS610MI", "Add", fitted().customer_fields()),
    ):
        known = {
            field["field"]: field["length"]
            for field in m3_metadata[program]["transactions"][transaction]["input"]
        }
        assert all(len(text) <= known[field] for field, text in fields.items())
    batch = m3_metadata["OIS100MI"]["transactions"]["AddBatchAddress"]["input"]
    known = {field["field"]: field["length"] for field in batch}
    assert {field: known[field] for field in LENGTHS} == LENGTHS


def test_company_goes_first_and_district_last() -> None:
    assert fitted(company="Muster GmbH", lines=("Weg 1", "Haus B"), district="Porz").lines == (
        "Muster GmbH",
        "Weg 1",
        "Haus B",
        "Porz",
    )


def test_a_district_that_is_the_city_is_not_repeated() -> None:
    assert fitted(district="köln").lines == ("Heidestr. 17",)


def test_a_company_alone_is_the_name() -> None:
    assert fitted(name="", company="Muster GmbH").name == "Muster GmbH"


def test_a_long_line_wraps_between_words() -> None:
    text = "Zum Alten Forsthaus am Ende der langen Allee 12345 Hinterhaus"
    lines = fitted(lines=(text,)).lines
    assert " ".join(lines) == text
    assert len(lines) == 2


def test_lines_run_on_where_each_its_own_would_need_a_fifth() -> None:
    parts = ("Weg 1", "Haus B", "Stock 2", "Tür 3", "Innenhof")
    assert wrap(parts) == ("Weg 1 Haus B Stock 2 Tür 3 Innenhof",)


def test_a_long_name_goes_on_in_the_first_line() -> None:
    name = "Prof. Dr. Dr. Karl-Theodor Maria Nikolaus von und zu Hohenstein"
    address = fitted(name=name)
    assert f"{address.name} {address.lines[0]}" == name


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"lines": ("x" * 37,)}, "lines"),
        ({"lines": tuple("Straße und Haus und Hof und Garten Nr. 1" for _ in range(5))}, "lines"),
        ({"name": "x" * 37}, "name"),
        ({"city": "Villingen-Schwenningen"}, "town"),
        ({"postal_code": "12345678901"}, "postcode"),
        ({"phone": "call the neighbour on the second floor first"}, "phone"),
    ],
)
def test_what_does_not_fit_is_held_by_its_field_and_never_repeated(
    changes: dict[str, Any], field: str
) -> None:
    hold = refusal(**changes).hold
    assert (hold.reason, hold.field) == (HeldReason.ADDRESS_DOES_NOT_FIT, field)
    assert ORDER_ID in hold.sentence
    for value in changes.values():
        assert (value if isinstance(value, str) else value[0]) not in hold.sentence


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"lines": ()}, "street line"), ({"city": ""}, "town"), ({"country": " "}, "country")],
)
def test_what_mfn_cannot_do_without_is_asked_for(changes: dict[str, Any], field: str) -> None:
    hold = refusal(**changes).hold
    assert (hold.reason, hold.field) == (HeldReason.ORDER_INCOMPLETE, field)


def test_without_a_city_the_district_is_the_town_then_the_state() -> None:
    assert fitted(city="", district="Minato", state="Tokyo", country="JP").town == "Minato"
    assert fitted(city="", state="Tokyo", country="JP").town == "Tokyo"


@pytest.mark.parametrize(
    ("text", "country", "code"),
    [
        ("Washington", "US", "WA"),
        ("wa", "US", "WA"),
        ("US-WA", "US", "WA"),
        ("NEW YORK", "US", "NY"),
        ("D.C.", "US", "DC"),
        ("Armed Forces Europe", "US", "AE"),
        ("Quebec", "CA", "QC"),
        ("Québec", "CA", "QC"),
        ("São Paulo", "BR", "SP"),
        ("sao paulo", "BR", "SP"),
        ("Milano", "IT", "MI"),
        ("Lombardia", "IT", None),
        ("New South Wales", "AU", "NSW"),
        ("Atlantis", "US", None),
    ],
)
def test_states_by_code_or_name(text: str, country: str, code: str | None) -> None:
    assert state_code(text, country, {}) == code


def test_the_sites_own_state_codes_come_first() -> None:
    own = profile(state_codes={"New South Wales": "NS", "Washington": "W1"})
    australian = ADDRESS.model_copy(update={"state": "new south wales", "country": "AU"})
    assert m3_address(australian, own, ORDER_ID).state == "NS"
    assert state_code("WASHINGTON", "US", own.state_codes) == "W1"


def test_a_state_without_code_is_held_where_m3_wants_one() -> None:
    hold = refusal(state="Atlantis", country="US").hold
    assert hold.field == "state"
    assert "Atlantis" not in hold.sentence


@pytest.mark.parametrize(("state", "country"), [("Nordrhein-Westfalen", "DE"), ("New South Wales", "AU")])
def test_a_state_m3_has_no_field_for_is_written_only_where_nothing_else_tells_the_place(
    state: str, country: str
) -> None:
    located = fitted(state=state, country=country)
    assert located.state == ""
    assert state not in located.lines
    assert fitted(state=state, country=country, postal_code="").lines == ("Heidestr. 17", state)


def test_the_sites_own_country_codes() -> None:
    own = profile(country_codes={"GB": "UK"})
    assert m3_address(ADDRESS.model_copy(update={"country": "gb"}), own, ORDER_ID).country == "UK"


@pytest.mark.parametrize(
    ("phone", "number", "text"),
    [
        ("030 123456", "030123456", ""),
        ("+1 347-448-3190 ext. 41437", "+13474483190", "ext. 41437"),
        ("+1 (347) 448.3190 x99", "+13474483190", "x99"),
        ("(0049) 221/12 34", "00492211234", ""),
        ("see note", "", "see note"),
        ("123456789012345678", "", "123456789012345678"),
        ("", "", ""),
    ],
)
def test_phone_numbers(phone: str, number: str, text: str) -> None:
    address = fitted(phone=phone)
    assert (address.phone, address.delivery_text) == (number, text)


def test_a_short_phone_takes_the_short_field() -> None:
    assert fitted(phone="030 123456").batch_fields()["PHNO"] == "030123456"


def test_transliteration_writes_latin_letters_only_where_wanted() -> None:
    greek = Address(name="Γιάννης", lines=("Οδός Ερμού 1",), city="Αθήνα", postal_code="10563", country="GR")
    assert m3_address(greek, profile(), ORDER_ID).town == "Αθήνα"
    latin = m3_address(greek, profile(transliterate=True), ORDER_ID)
    assert all(text.isascii() for text in latin.batch_fields().values())
    assert latin.town == "Athina"


def test_mfn_without_address_is_incomplete_and_fba_needs_none() -> None:
    with pytest.raises(OrderHeld) as refused:
        order_address(order(ship_to=None), profile(), None)
    assert refused.value.hold.reason is HeldReason.ORDER_INCOMPLETE
    fba = order(ship_to=None, channel=Channel.FBA)
    assert order_address(fba, profile(), None) is None
    unfit = order(ship_to=ADDRESS.model_copy(update={"city": "x" * 21}), channel=Channel.FBA)
    assert order_address(unfit, profile(), None) is None


def test_a_corrected_address_is_taken_instead() -> None:
    corrected = ADDRESS.model_copy(update={"city": "Bonn"})
    address = order_address(order(), profile(), corrected)
    assert address is not None
    assert address.town == "Bonn"


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=60)
ADDRESSES = st.builds(
    Address,
    name=TEXT,
    company=TEXT,
    lines=st.lists(TEXT, max_size=3).map(tuple),
    city=st.text("abcäö -", max_size=24),
    district=TEXT,
    state=st.just(""),
    postal_code=st.text("0123456789 AB-", max_size=12),
    country=st.sampled_from(["DE", "US", "gb", ""]),
    phone=st.text("+0123456789 ()-.ext#", max_size=40),
)


def fitted_or_held(address: Address) -> tuple[M3Address | None, HeldReason | None]:
    try:
        return m3_address(address, profile(), ORDER_ID), None
    except OrderHeld as refused:
        return None, refused.hold.reason


@given(ADDRESSES)
def test_every_address_fits_whole_or_is_held(address: Address) -> None:
    """No word is lost, none is invented, no field is too long; or the order is held for its address."""
    fits, reason = fitted_or_held(address)
    if fits is None:
        assert reason in (HeldReason.ADDRESS_DOES_NOT_FIT, HeldReason.ORDER_INCOMPLETE)
        return
    fields = fits.batch_fields()
    assert all(len(text) <= LENGTHS[field] for field, text in fields.items())
    company = () if not address.name.strip() else address.company.split()
    name = address.name.split() or address.company.split()
    expected = Counter([*name, *company, *(word for text in address.lines for word in text.split())])
    written = Counter(word for text in (fits.name, *fits.lines, fits.town) for word in text.split())
    place = Counter(address.city.split()) + Counter(address.district.split())
    assert not expected - written
    assert not written - (expected + place)
    assert not Counter(address.city.split()) - written
    assert fits.postcode == " ".join(address.postal_code.split())


@given(st.lists(st.text("abcdefghij ", max_size=80), max_size=6).map(tuple))
def test_wrapping_keeps_every_word_in_its_order(parts: tuple[str, ...]) -> None:
    lines = wrap(parts)
    words = [word for part in parts for word in part.split()]
    if lines is None:
        assert len(" ".join(words)) > 36
        return
    assert [word for text in lines for word in text.split()] == words
    assert len(lines) <= 4
    assert all(len(text) <= 36 for text in lines)
