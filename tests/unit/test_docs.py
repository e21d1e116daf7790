"""The documents agree with the code, and what they point to exists."""

import re
from pathlib import Path

import pytest

from canonical.fixes import type_of_fix
from canonical.held import HELD_REASONS, FixName, HeldReason
from canonical.steps import MARKABLE_STEPS, Step
from starters.cli import app

ROOT = Path(__file__).resolve().parents[2]
OPERATOR = ROOT / "docs" / "operator.md"
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
MARKDOWN_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HTML_LINK = re.compile(r"(?:src|href)=\"([^\"]+)\"")
EXTERNAL = ("http://", "https://", "mailto:")


def _sections() -> list[tuple[str, str]]:
    _, _, reasons = OPERATOR.read_text().partition("\n## The reasons\n")
    parts = re.split(r"^### `(\w+)`$", reasons, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def test_every_held_reason_has_its_entry_and_no_other() -> None:
    headings = [heading for heading, _ in _sections()]
    assert sorted(headings) == sorted(HELD_REASONS)


@pytest.mark.parametrize("reason", list(HeldReason))
def test_an_entry_gives_the_title_and_the_repairs_of_its_reason(reason: HeldReason) -> None:
    text = dict(_sections())[reason]
    info = HELD_REASONS[reason]
    assert f"**{info.title}.**" in text
    repairs = re.search(r"^Repairs: (.+)$", text, re.MULTILINE)
    assert repairs is not None
    assert re.findall(r"`(\w+)`", repairs[1]) == [str(fix) for fix in info.fixes]


def test_every_repair_is_explained() -> None:
    table = re.findall(r"^\| `(\w+)` \| `(\{.*\})` \|", OPERATOR.read_text(), re.MULTILINE)
    assert [name for name, _ in table] == [str(fix) for fix in FixName]
    for name, argument in table:
        named = set(re.findall(r'"(\w+)":', argument)) & set(type_of_fix[name].model_fields)
        own = set(type_of_fix[name].model_fields) - {"by", "why"}
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


def test_the_readme_names_every_command_and_no_other() -> None:
    named = re.findall(r"^\| `o2c (\w+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert sorted(named) == sorted(str(command.name) for command in app.registered_commands)


def _anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
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
