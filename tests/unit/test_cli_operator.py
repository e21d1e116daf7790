"""What an operator asks without a server: the reasons, the saved views, completion; and what is shown where."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from rich.console import Console
from typer.testing import CliRunner

from canonical.held import FixName, HeldReason
from canonical.held_reasons import HELD_REASONS
from starters import progress
from starters.cli import app
from tests.support.configuration import write_configuration

O2C = Path(sys.executable).with_name("o2c")


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A right configuration whose Temporal server is not there, with an owner for one reason."""
    file = write_configuration(
        tmp_path / "o2c.toml",
        temporal="127.0.0.1:1",
        amazon="http://127.0.0.1:1",
        ionapi=tmp_path / "none.ionapi",
        extra_marketplace='[held.owners]\ncredit_stop = "Accounts receivable"\n',
    )
    monkeypatch.setenv("O2C_CONFIG", str(file))
    return file


def said(*words: str) -> str:
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == 0, done.stderr
    return done.stdout


# --- reasons --------------------------------------------------------------------------------------


def test_every_reason_is_listed_with_what_repairs_it_and_its_owner(config: Path) -> None:
    listed = json.loads(said("held", "--reasons", "--json"))
    assert [one["reason"] for one in listed] == list(HeldReason)
    for one in listed:
        info = HELD_REASONS[HeldReason(one["reason"])]
        assert (one["title"], one["what_to_do"]) == (info.title, info.what_to_do)
        assert tuple(one["fixes"]) == info.fixes != ()
        assert one["owner"] == ("Accounts receivable" if one["reason"] == "credit_stop" else "")


def test_one_reason_is_said_in_words(config: Path) -> None:
    text = said("held", "--reasons", "--reason", "credit-stop")
    assert text.startswith("credit_stop: M3 stopped the order for credit\n")
    assert "Repairs: retry, set_customer, mark_step_done, cancel. Owner: Accounts receivable." in text
    assert "unmapped_sku" not in text


def test_an_owner_of_what_is_no_reason_is_refused(config: Path) -> None:
    config.write_text(config.read_text().replace("credit_stop =", "credit_stopp ="))
    done = CliRunner().invoke(app, ["held", "--reasons"])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "credit_stopp is no held reason" in done.stderr


# --- saved views ----------------------------------------------------------------------------------


def test_views_are_links_that_the_web_ui_saves_by_name(config: Path) -> None:
    listed = {one["name"]: one for one in json.loads(said("views", "--json"))}
    for name, view in listed.items():
        link = urlsplit(view["link"])
        assert link.path == "/namespaces/default/workflows"
        assert "+" not in link.query, "the Web UI would keep the plus signs"
        assert parse_qs(link.query) == {"query": [view["query"]], "savedQuery": [name]}
        assert f"{name}: {view['title']}." in said("views")
    assert {f"held {reason}" for reason in HeldReason} < set(listed)
    assert {"held", "at risk", "waiting for shipment", "waiting for invoice", "workflow task problems"} < set(
        listed
    )


# --- completion -----------------------------------------------------------------------------------


def _completed(line: str) -> list[str]:
    environment = {
        **os.environ,
        "_O2C_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split(" ")) - 1),
    }
    done = subprocess.run([str(O2C)], env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("o2c aud", ["audit"]),
        ("o2c held --reason unmapped", ["unmapped_sku"]),
        ("o2c fix 028-1234567-8901234 ma", ["map_sku", "mark_step_done"]),
        ("o2c fix --where x re", ["retry", "refuse_cancellation"]),
    ],
)
def test_the_shell_completes_commands_reasons_and_repairs(line: str, offered: list[str]) -> None:
    assert _completed(line) == offered


@pytest.mark.parametrize("shell", ["bash"])
def test_completion_is_shown_and_installed_for_the_shell_it_is_called_from(
    shell: str, tmp_path: Path
) -> None:
    def typed(option: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [shell, "--norc", "-c", f"'{O2C}' {option}; exit $?"],
            env={**os.environ, "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )

    shown = typed("--show-completion")
    assert shown.returncode == 0, shown.stderr
    assert "_O2C_COMPLETE=complete_bash" in shown.stdout
    installed = typed("--install-completion")
    assert installed.returncode == 0, installed.stderr
    assert "o2c" in (tmp_path / ".bashrc").read_text(encoding="utf-8")


# --- who repairs ----------------------------------------------------------------------------------


def test_a_repair_is_signed_by_whoever_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    from starters.repairs import signed  # noqa: PLC0415

    monkeypatch.delenv("O2C_BY", raising=False)
    monkeypatch.setenv("LOGNAME", "operations")
    assert signed(" operations ") == "operations"
    assert signed("") == "operations"
    monkeypatch.setenv("O2C_BY", "night shift")
    assert signed("") == "night shift"


# --- progress -------------------------------------------------------------------------------------


def _bar_on(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> str:
    written = io.StringIO()
    monkeypatch.setattr(progress, "err", lambda: Console(file=written, force_terminal=terminal, width=80))
    monkeypatch.setattr(progress, "watched", lambda: terminal)
    with progress.bar("Sending [retry]", 3) as told:
        for _ in range(3):
            told()
    return written.getvalue()


def test_a_bar_is_for_terminals_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _bar_on(False, monkeypatch) == ""
    shown = _bar_on(True, monkeypatch)
    assert "Sending [retry]" in shown
    assert "3/3" in shown


def test_no_color_leaves_the_bar_without_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[3" in _bar_on(True, monkeypatch)
    monkeypatch.setenv("NO_COLOR", "1")
    plain = _bar_on(True, monkeypatch)
    assert "3/3" in plain
    assert "\x1b[3" not in plain


def test_repairs_are_offered_as_they_are_named(config: Path) -> None:
    assert all(fix in said("fix", "--help") for fix in FixName)
