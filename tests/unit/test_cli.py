"""The command line: every command helps itself, and what cannot be done is refused in one sentence."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from simulators import catalogue
from starters.cli import app
from tests.support.configuration import write_configuration

COMMANDS = (
    "worker", "register", "doctor", "start", "import", "sweep", "returns", "subscribe", "listen",
    "held", "due", "fix", "order", "alerts", "views", "schedules", "quotas", "pause", "resume", "audit",
    "simulators", "demo", "settlement", "sku", "inventory",
)  # fmt: skip
NEED_TEMPORAL = (
    ["register"],
    ["start", "028-1234567-8901234", "--seller", "A2EUSELLER0001"],
    ["import", "--since", "2026-11-20T00:00Z", "--seller", "A2EUSELLER0001"],
    ["sweep"],
    ["returns"],
    ["held"],
    ["held", "--csv"],
    ["fix", "028-1234567-8901234", "retry"],
    ["fix", "--where", "HeldReason IS NOT NULL", "retry", "--dry-run"],
    ["fix", "--where", "HeldReason IS NOT NULL", "retry", "--yes", "--json"],
    ["order", "028-1234567-8901234"],
    ["alerts"],
    ["schedules"],
    ["schedules", "apply"],
    ["schedules", "pause", "sweep", "--json"],
    ["audit"],
    ["quotas"],
    ["pause", "m3"],
    ["resume", "amazon", "--json"],
)
NOBODY_LISTENS = "127.0.0.1:1"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A right configuration whose Temporal server is not there."""
    monkeypatch.setenv("NO_COLOR", "1")
    file = write_configuration(
        tmp_path / "o2c.toml",
        temporal=NOBODY_LISTENS,
        amazon="http://127.0.0.1:1",
        ionapi=tmp_path / "none.ionapi",
    )
    monkeypatch.setenv("O2C_CONFIG", str(file))
    return file


def run(*words: str) -> tuple[int, str, str]:
    """Exit status, standard output, standard error."""
    done = CliRunner().invoke(app, list(words))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


def refused(*words: str) -> tuple[int, str]:
    """The refusal of a command that must refuse: its status and its sentence, with nothing on stdout."""
    status, out, err = run(*words)
    assert status != 0
    assert out == ""
    assert "Traceback" not in err
    return status, err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_helps_with_an_example_that_parses(command: str) -> None:
    status, out, _ = run(command, "--help")
    assert status == 0
    example = re.search(r"Example:\s+o2c (.+)", out)
    assert example is not None, out
    words = shlex.split(example.group(1))
    assert words[0] == command
    group = typer.main.get_command(app)
    chosen = group.commands[command]  # type: ignore[attr-defined]
    with chosen.make_context(command, words[1:]) as context:
        assert context.command is chosen


def test_the_list_of_commands_is_complete() -> None:
    assert tuple(typer.main.get_command(app).commands) == COMMANDS  # type: ignore[attr-defined]


@pytest.mark.parametrize("words", [*NEED_TEMPORAL, ["worker"]], ids=" ".join)
def test_a_server_that_is_not_running_is_said(config: Path, words: list[str]) -> None:
    status, sentence = refused(*words)
    assert status == 2
    assert NOBODY_LISTENS in sentence
    assert "No Temporal server answers" in sentence


@pytest.mark.parametrize("words", [*NEED_TEMPORAL, ["worker"], ["doctor"], ["views"]], ids=" ".join)
def test_a_typing_error_in_the_configuration_is_named(config: Path, words: list[str]) -> None:
    config.write_text(config.read_text().replace("company =", "compagny ="))
    status, sentence = refused(*words)
    assert status == 2
    assert "m3.compagny" in sentence
    assert "no such key" in sentence


def test_a_missing_configuration_is_said(tmp_path: Path) -> None:
    status, sentence = refused("held", "--config", str(tmp_path / "none.toml"))
    assert status == 2
    assert "none.toml" in sentence


@pytest.mark.parametrize("command", ["start", "order", "fix"])
@pytest.mark.parametrize("text", ["12", "028-1234567-890123", "028/1234567/8901234", "'; drop"])
def test_what_is_no_order_id_is_refused(config: Path, command: str, text: str) -> None:
    words = [command, text, "retry"] if command == "fix" else [command, text]
    status, sentence = refused(*words)
    assert status == 2
    assert "is no Amazon order id" in sentence


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("sweep", "--since", "2026-11-20T00:00"), "has no time zone"),
        (("sweep", "--since", "yesterday"), "is no moment"),
        (("sweep", "--since", "2999-01-01T00:00Z"), "lies in the future"),
        (("sweep", "--no-amazon", "--no-m3", "--no-mcf"), "nothing to sweep"),
        (("audit", "--since", "2026-11-02T00:00Z", "--until", "2026-11-01T00:00Z"), "is not after"),
        (("audit", "--seller", "NOBODY"), "NOBODY is not configured"),
        (("held", "--reason", "bad_mood"), "is no reason"),
        (("fix", "028-1234567-8901234", "explode"), "is no repair"),
        (("fix", "028-1234567-8901234"), "Which repair of order 028-1234567-8901234?"),
        (("fix", "028-1234567-8901234", "retry", "--dry-run"), "belong to --where"),
        (("fix", "028-1234567-8901234", "retry", "--where", "x"), "either an order id or --where"),
        (("fix", "--where", "x", "explode", "--yes"), "is no repair"),
        (("fix", "--where", "x", "map_sku", "sku=A", "--yes"), "itno"),
        (("fix", "--where", "HeldReason IS NOT NULL", "retry"), "Nobody can be asked here"),
        (("fix", "--where", "x", "retry", "--yes", "--seller", "NOBODY"), "NOBODY is not configured"),
        (("held", "--csv", "--json"), "--csv is for the list"),
        (("import",), "Give either a FILE or --since"),
        (("import", "--since", "2026-11-20T00:00Z", "--dry-run"), "--dry-run reads a FILE"),
        (("import", "none.jsonl", "--seller", "A2EUSELLER0001"), "No such file"),
        (("import", "none.jsonl"), "Several sellers are configured"),
        (("import", "none.jsonl", "-s", "A2EUSELLER0001", "-m", "ATVPDKIKX0DER"), "has no marketplace"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_asked(
    config: Path, words: tuple[str, ...], told: str
) -> None:
    status, sentence = refused(*words)
    assert status in (1, 2)
    assert told in sentence


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("pause", "foo"), "Invalid value for 'system': 'foo' is not one of 'm3', 'amazon'."),
        (("resume", "foo"), "Invalid value for 'system': 'foo' is not one of 'm3', 'amazon'."),
        (
            ("simulators", "--faults", "foo"),
            "Invalid value for '--faults': 'foo' is not one of 'none', 'mild', 'harsh'.",
        ),
    ],
)
def test_a_choice_that_is_none_is_refused_in_a_plain_sentence(words: tuple[str, ...], sentence: str) -> None:
    status, said = refused(*words)
    assert status == 2
    assert said.splitlines()[-1] == f"Error: {sentence}"


def test_a_process_is_plain_and_has_the_exit_status_of_its_refusal(config: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "starters", "order", "no-id"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "'no-id' is no Amazon order id; one looks like 028-1234567-8901234.\n"


def test_json_of_a_dry_run_is_one_document(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "orders.jsonl"
    file.write_text("{}\n")
    status, out, _ = run("import", str(file), "--seller", "A2EUSELLER0001", "--dry-run", "--json")
    assert status == 1
    document = json.loads(out)
    assert document["orders"] == 0
    assert document["refused"] == 1
    assert document["refusals"][0]["lines"] == [1]


def test_the_example_seller_is_the_simulators_own() -> None:
    assert "A2EUSELLER0001" in {seller.seller_id for seller in catalogue.SELLERS}
