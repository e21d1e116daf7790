"""The client's field table against M3's own metadata: no field it does not have, none longer than it is."""

import json
from pathlib import Path

import pytest

from activities.m3.fields import CLOUD_ONLY, FIELDS, PERSONAL

Metadata = dict[str, dict[str, dict[str, object]]]


@pytest.fixture(scope="module")
def metadata(shared: Path) -> dict[str, dict[str, object]]:
    """Transactions by "PROGRAM.Transaction"."""
    programs = json.loads((shared / "m3" / "mi-transactions.json").read_text(encoding="utf-8"))
    return {
        f"{program}.{name}": transaction
        for program, facts in programs.items()
        for name, transaction in facts["transactions"].items()
    }


@pytest.fixture(scope="module")
def cloud_only(shared: Path) -> set[str]:
    programs = json.loads((shared / "m3" / "mi-transactions.json").read_text(encoding="utf-8"))
    return {
        f"{program}.{name}"
        for program, facts in programs.items()
        for name in facts["transaction_names"]["cloud_only"]
    }


def fields_of(transaction: dict[str, object]) -> dict[str, dict[str, object]]:
    inputs = transaction["input"]
    assert isinstance(inputs, list)
    return {field["field"]: field for field in inputs}


@pytest.mark.parametrize("call", sorted(FIELDS))
def test_every_field_is_m3s_own(call: str, metadata: dict[str, dict[str, object]]) -> None:
    assert call in metadata, f"M3's metadata has no {call}"
    theirs = fields_of(metadata[call])
    for name, ours in FIELDS[call].items():
        assert name in theirs, f"{call} has no field {name}"
        field = theirs[name]
        shortest = min(int(str(field["length"])), int(str(field.get("length_onprem") or field["length"])))
        mandatory = bool(field["mandatory"] or field.get("mandatory_onprem"))
        assert (ours.type, ours.length, ours.mandatory) == (field["type"], shortest, mandatory), name


@pytest.mark.parametrize("call", sorted(FIELDS))
def test_no_mandatory_field_is_left_out(call: str, metadata: dict[str, dict[str, object]]) -> None:
    mandatory = {name for name, field in fields_of(metadata[call]).items() if field["mandatory"]}
    assert mandatory <= set(FIELDS[call])


def test_what_only_the_cloud_has_is_known(cloud_only: set[str]) -> None:
    assert set(FIELDS) & cloud_only == CLOUD_ONLY


def test_what_carries_a_name_or_street_is_marked_personal() -> None:
    naming = {call for call, fields in FIELDS.items() if {"CUNM", "CUA1", "MAIL"} & set(fields)}
    assert naming <= PERSONAL
