"""The documents agree with the code, what they point to exists, and what they say to type can be typed."""

import importlib
import importlib.util
import itertools
import pkgutil
import re
import shlex
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
import typer
from typer.core import TyperGroup

import canonical
from canonical.fixes import type_of_fix
from canonical.held import FixName, HeldReason
from canonical.held_reasons import HELD_REASONS
from canonical.steps import MARKABLE_STEPS, Step
from starters.cli import app
from starters.demo.server import temporal_binary
from workflows import WORKFLOWS, search_attributes

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
OPERATOR = DOCS / "operator.md"
RUNBOOK = DOCS / "runbook.md"
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")])
MARKDOWN_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HTML_LINK = re.compile(r"(?:src|href)=\"([^\"]+)\"")
SHELL_BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
EXTERNAL = ("http://", "https://", "mailto:")


def _named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


# --- the runbook ---------------------------------------------------------------------------------


def _sections() -> list[tuple[str, str]]:
    _, _, reasons = RUNBOOK.read_text().partition("\n## The reasons\n")
    parts = re.split(r"^### `(\w+)`$", reasons, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def test_every_held_reason_has_its_entry_and_no_other() -> None:
    headings = [heading for heading, _ in _sections()]
    assert sorted(headings) == sorted(HELD_REASONS)
    assert sorted(HELD_REASONS) == sorted(HeldReason)


@pytest.mark.parametrize("reason", list(HeldReason))
def test_an_entry_gives_the_title_and_the_repairs_of_its_reason(reason: HeldReason) -> None:
    text = dict(_sections())[reason]
    info = HELD_REASONS[reason]
    assert f"**{info.title}.**" in text
    repairs = re.search(r"^Repairs: (.+)$", text, re.MULTILINE)
    assert repairs is not None
    assert re.findall(r"`(\w+)`", repairs[1]) == [str(fix) for fix in info.fixes]


@pytest.mark.parametrize("reason", list(HeldReason))
def test_an_entry_says_what_it_means_how_to_see_it_and_how_to_repair_it(reason: HeldReason) -> None:
    text = dict(_sections())[reason]
    said = re.findall(r"^- \*(\w+)\*: \S", text, re.MULTILINE)
    assert said == ["Means", "See", "Repair"]


@pytest.mark.parametrize("reason", list(HeldReason))
def test_a_repair_that_is_named_in_an_entry_fits_its_reason(reason: HeldReason) -> None:
    named = set(re.findall(r"`(\w+)`", dict(_sections())[reason])) & {str(fix) for fix in FixName}
    assert named <= {str(fix) for fix in HELD_REASONS[reason].fixes}


# --- the operator's page -------------------------------------------------------------------------


def test_every_repair_is_explained() -> None:
    table = re.findall(r"^\| `(\w+)` \| `(\{.*\})` \|", OPERATOR.read_text(), re.MULTILINE)
    assert [name for name, _ in table] == [str(fix) for fix in FixName]
    for name, argument in table:
        named = set(re.findall(r'"(\w+)":', argument)) & set(type_of_fix[name].model_fields)
        own = set(type_of_fix[name].model_fields) - {"by", "why", "reason"}
        assert named == own, f"{name} takes {sorted(own)}"


def test_every_step_is_named() -> None:
    text = OPERATOR.read_text()
    row = next(line for line in text.splitlines() if line.startswith("| `Step` |"))
    assert re.findall(r"`(\w+)`", row)[1:] == [str(step) for step in Step]
    markable = next(
        part for part in text.split("\n\n") if part.startswith("`mark_step_done` takes these steps")
    )
    for step in MARKABLE_STEPS:
        assert f"`{step}` with " in markable


def test_every_search_attribute_is_named_with_its_type() -> None:
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| (\w+) \|", OPERATOR.read_text(), re.MULTILINE)
    told = {name: kind for names, kind in rows for name in re.findall(r"`(\w+)`", names)}
    kinds = {key.name: key.indexed_value_type.name.replace("_", "") for key in search_attributes.ALL}
    assert {name: kind.upper() for name, kind in told.items()} == kinds


# --- generated pages -----------------------------------------------------------------------------


def test_the_configuration_reference_is_up_to_date() -> None:
    script = _script("generate_configuration")
    assert script.PAGE.read_text(encoding="utf-8") == script.page(), "run docs/generate_configuration.py"


def test_the_worked_examples_are_what_the_code_computes() -> None:
    script = _script("generate_bookings")
    text = script.PAGE.read_text(encoding="utf-8")
    assert text == script.page(text), "run docs/generate_bookings.py"
    for example in script.EXAMPLES:
        planned = script.plan(example)
        booked = sum(line.amount for line in planned.lines) + sum(c.amount for c in planned.charges)
        assert booked == planned.expected_total.amount, example.title


def test_the_documentation_builds_without_a_warning_and_its_links_lead_somewhere(tmp_path: Path) -> None:
    build = ["-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going"]
    done = subprocess.run(
        [sys.executable, *build, str(DOCS), str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    checker = _script("check_links")
    assert checker.broken_links(tmp_path) == []
    index = tmp_path / "index.html"
    index.write_text(index.read_text().replace("runbook.html", "nowhere.html"))
    assert any("nowhere.html" in sentence for sentence in checker.broken_links(tmp_path))


# --- drawings ------------------------------------------------------------------------------------


def _drawn(name: str) -> set[str]:
    return {
        word
        for text in re.findall(r"<text[^>]*>([^<]+)</text>", (DOCS / "images" / name).read_text())
        for word in re.split(r"[,:; ]+", text)
    }


def test_the_drawing_of_the_rooms_has_every_room() -> None:
    rooms = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
    sides = {path.parent.name for path in (ROOT / "activities").glob("*/activities.py")}
    assert {*rooms, *sides} <= _drawn("rooms.svg")


def test_the_drawing_of_the_news_has_every_workflow_and_every_queue() -> None:
    types = {getattr(workflow, "__temporal_workflow_definition").name for workflow in WORKFLOWS}
    modules = [
        importlib.import_module(f"canonical.{found.name}")
        for found in pkgutil.iter_modules(canonical.__path__)
    ]
    queues = {value for module in modules for name, value in vars(module).items() if name.endswith("_QUEUE")}
    assert len(queues) >= 5
    assert {*types, *queues} <= _drawn("news.svg")


# --- commands ------------------------------------------------------------------------------------


def test_the_readme_names_every_command_and_no_other() -> None:
    named = re.findall(r"^\| `o2c (\w+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    groups = [group.typer_instance for group in app.registered_groups if group.typer_instance is not None]
    known = [command.name for command in app.registered_commands] + [group.info.name for group in groups]
    assert sorted(named) == sorted(map(str, known))


def _commands(program: str) -> list[tuple[Path, list[str]]]:
    """Every command of this program in a shell block of a document, as words."""
    found = []
    for document in DOCUMENTS:
        for block in SHELL_BLOCK.findall(document.read_text()):
            for line in re.sub(r"\\\n\s*", " ", block).splitlines():
                words = shlex.split(line, comments=True)
                if words and Path(words[0]).name == program:
                    found.append((document, words[1:]))
    return found


@pytest.mark.parametrize(
    ("document", "words"),
    _commands("o2c"),
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_o2c_command_of_the_documents_can_be_typed(document: Path, words: list[str]) -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    command = group.commands.get(words[0])
    assert command is not None, f"{_named(document)}: there is no command o2c {words[0]}"
    command.make_context(f"o2c {words[0]}", words[1:])


@cache
def _help_of(words: tuple[str, ...]) -> str:
    asked = subprocess.run([temporal_binary(), *words, "--help"], capture_output=True, text=True, check=True)
    return asked.stdout


def test_every_temporal_command_of_the_documents_knows_its_options() -> None:
    commands = _commands("temporal")
    assert commands
    for document, words in commands:
        names = tuple(itertools.takewhile(lambda word: not word.startswith("-"), words))
        text = _help_of(names)
        unknown = [word for word in words if word.startswith("--") and not re.search(rf"{word}\b", text)]
        assert unknown == [], f"{_named(document)}: temporal {' '.join(names)}"


# --- links ---------------------------------------------------------------------------------------


def _anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=_named)
def test_every_relative_link_resolves(document: Path) -> None:
    text = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
    broken = []
    for link in MARKDOWN_LINK.findall(text) + HTML_LINK.findall(text):
        if link.startswith(EXTERNAL):
            continue
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in _anchors(target)):
            broken.append(link)
    assert broken == []
