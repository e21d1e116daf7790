"""The configuration of alerts: what is refused, and what the rules make of it."""

import re
import tomllib
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.support.configuration import settings_for
from worker.alert_settings import AlertSettings
from worker.alerting import rules_of
from worker.outside import alert_targets
from worker.settings import ConfigurationError, Settings

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "alerts.md"
TARGETS = {"operations": "ALERTS_OPERATIONS", "lead": "ALERTS_LEAD"}
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture
def base(tmp_path: Path) -> Settings:
    return settings_for(
        tmp_path, temporal="127.0.0.1:7233", amazon="http://127.0.0.1:1", ionapi=tmp_path / "m3.ionapi"
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"first": ["nobody"]}, "nobody is no target; targets are operations, lead"),
        ({"digest": ["nobody"]}, "nobody is no target"),
        ({"stages": [{"after_minutes": 5, "targets": ["nobody"]}]}, "nobody is no target"),
        ({"stages": [{"after_minutes": 60}, {"after_minutes": 15}]}, "must grow from stage to stage"),
        ({"stages": [{"after_minutes": 15}, {"after_minutes": 15}]}, "must grow from stage to stage"),
        ({"stages": [{"after_minutes": 0}]}, "greater than 0"),
        ({"time_zone": "Europe/Bonn"}, "'Europe/Bonn' is no time zone such as Europe/Berlin"),
        ({"time_zone": "../../etc/passwd"}, "is no time zone"),
        ({"digest_at": "07:00+01:00"}, "leave the offset out"),
        ({"digest_at": "seven"}, "digest_at"),
        ({"targets": {"operations": "mailto://user:password@example.org"}}, "targets.operations"),
        ({"gather_minute": 5}, "gather_minute"),
    ],
)
def test_what_does_not_fit_together_is_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        AlertSettings.model_validate({"targets": TARGETS, **given})
    assert said in str(refusal.value)


def test_the_example_of_the_documentation_is_a_configuration() -> None:
    block = re.search(r"```toml\n(.+?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    alerts = AlertSettings.model_validate(tomllib.loads(block[1])["alerts"])
    assert dict(alerts.targets) == TARGETS
    assert alerts.digest_at == time(7)


def test_whoever_is_not_named_is_everybody(base: Settings) -> None:
    alerts = AlertSettings.model_validate({"targets": TARGETS})
    rules = rules_of(base.model_copy(update={"alerts": alerts}), "o2c", NOW)
    everybody = ("operations", "lead")
    assert rules.targets == rules.digest_targets == everybody
    assert [(stage.after, stage.targets) for stage in rules.stages] == [
        (timedelta(minutes=minutes), everybody) for minutes in (15, 60, 240)
    ]
    assert rules.next_digest == datetime(2026, 11, 24, 7, tzinfo=UTC)


def test_the_digest_goes_to_those_told_first_unless_others_are_named(base: Settings) -> None:
    alerts = AlertSettings.model_validate(
        {"targets": TARGETS, "first": ["operations"], "digest_at": "17:30", "time_zone": "Asia/Kolkata"}
    )
    rules = rules_of(base.model_copy(update={"alerts": alerts}), "o2c", NOW)
    assert rules.targets == rules.digest_targets == ("operations",)
    assert rules.next_digest == datetime(2026, 11, 23, 12, tzinfo=UTC)
    never = alerts.model_copy(update={"digest_at": "never"})
    assert rules_of(base.model_copy(update={"alerts": never}), "o2c", NOW).next_digest is None


def test_nobody_to_tell_is_no_digest(base: Settings) -> None:
    rules = rules_of(base, "o2c", NOW)
    assert (rules.targets, rules.next_digest) == ((), None)


def test_an_address_that_is_missing_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ALERTS_LEAD", raising=False)
    monkeypatch.setenv("ALERTS_OPERATIONS", "json://127.0.0.1")
    with pytest.raises(ConfigurationError, match="ALERTS_LEAD"):
        alert_targets(AlertSettings.model_validate({"targets": TARGETS}))
