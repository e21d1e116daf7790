"""A wrong configuration is refused with the key and the reason; a right one is read."""

import tomllib
from pathlib import Path

import pytest

from canonical.settlement.categories import CATEGORIES
from tests.support.configuration import write_configuration
from worker.settings import ConfigurationError, load_settings, secret
from worker.settlement_settings import SettlementSettings

EXAMPLE = Path(__file__).resolve().parents[2] / "deploy" / "o2c.example.toml"


def written(tmp_path: Path) -> Path:
    return write_configuration(
        tmp_path / "o2c.toml",
        temporal="127.0.0.1:7233",
        amazon="http://127.0.0.1:1",
        ionapi=tmp_path / "m3.ionapi",
    )


def refused(file: Path) -> str:
    with pytest.raises(ConfigurationError) as refusal:
        load_settings(file)
    return str(refusal.value)


def test_the_example_is_a_configuration() -> None:
    assert set(load_settings(EXAMPLE).marketplaces) == {"A1PA6795UKMFR9"}


def test_the_example_of_settlements_has_an_account_for_every_category() -> None:
    _, _, rest = EXAMPLE.read_text(encoding="utf-8").partition("# [settlement]\n")
    lines = ["[settlement]", *(line.removeprefix("# ") for line in rest.partition("\n\n")[0].splitlines())]
    rules = SettlementSettings.model_validate(tomllib.loads("\n".join(lines))["settlement"])
    lacking = [
        name
        for name, category in CATEGORIES.items()
        if category.kind is None and rules.plan.find(name, "", "EUR") is None
    ]
    assert lacking == []
    assert rules.book.category(("other-transaction", "other-transaction", "New Fee of 2027")) is not None


def test_the_configuration_of_the_simulators_is_read(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path))
    assert len(settings.sellers) == 2
    assert settings.m3.company == 100


@pytest.mark.parametrize(
    ("typed", "meant", "key"),
    [
        ("facilty = ", "facility = ", "marketplaces.A1PA6795UKMFR9.facilty"),
        ("compny = 100", "company = 100", "m3.compny"),
        ('region = "euu"', 'region = "eu"', "sellers.A2EUSELLER0001.region"),
        ('price_basis = "brutto"', 'price_basis = "gross"', "price_basis"),
        ("company = 1000", "company = 100", "m3.company"),
        ('"A1PA6795UKMFR8"', '"A1PA6795UKMFR9"', "A1PA6795UKMFR8 is no Amazon marketplace id"),
    ],
)
def test_a_typing_error_is_named(tmp_path: Path, typed: str, meant: str, key: str) -> None:
    file = written(tmp_path)
    text = file.read_text(encoding="utf-8")
    assert meant in text
    file.write_text(text.replace(meant, typed, 1), encoding="utf-8")
    assert key in refused(file)


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    assert "There is no configuration file" in refused(tmp_path / "nowhere.toml")


def test_no_toml_is_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "o2c.toml"
    file.write_text("sellers = [", encoding="utf-8")
    assert "cannot be read" in refused(file)


def test_a_missing_secret_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EU_CLIENT_ID", raising=False)
    with pytest.raises(ConfigurationError, match="EU_CLIENT_ID"):
        secret("EU_CLIENT_ID")
