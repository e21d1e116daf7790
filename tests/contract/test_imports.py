"""The import contract holds, it bites, and committed text speaks of the project alone."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("canonical", "workflows", "activities", "worker", "starters", "simulators")


def _lint(tree: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )


def _broken(output: str) -> str:
    """The report's lines on broken contracts, on one line since the tool folds long names."""
    return " ".join(output.split("Broken contracts", 1)[-1].split())


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the rooms that a test may spoil."""
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_contract_holds() -> None:
    done = _lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_the_contract_holds_in_an_unspoilt_copy(tree: Path) -> None:
    done = _lint(tree)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("room", "statement", "offence"),
    [
        ("canonical", "import httpx", "canonical -> httpx"),
        ("canonical", "import temporalio.workflow", "canonical -> temporalio"),
        ("canonical", "import worker", "canonical -> worker"),
        ("workflows", "import activities.m3", "workflows -> activities.m3"),
        ("workflows", "import httpx", "workflows -> httpx"),
        ("activities", "import workflows", "activities -> workflows"),
        ("activities", "import worker", "activities -> worker"),
        ("starters", "import activities.amazon", "starters -> activities.amazon"),
        ("worker", "import simulators", "worker -> simulators"),
        ("simulators", "import canonical", "simulators -> canonical"),
        ("simulators", "import worker", "simulators -> worker"),
    ],
)
def test_a_forbidden_import_breaks_it(tree: Path, room: str, statement: str, offence: str) -> None:
    (tree / room / "__init__.py").write_text(f"{statement}\n")
    done = _lint(tree)
    assert done.returncode != 0, f"{statement} in {room} went unnoticed"
    importer, _, imported = offence.partition(" -> ")
    assert re.search(rf"\b{importer} -> {re.escape(imported)}\b", _broken(done.stdout)), done.stdout


FORBIDDEN = {
    "a path of one machine": r"(?<![\w.-])/(?:work|root|home|Users)/",
    "a package host": r"\bpypi\.org|pythonhosted\.org|deb\.debian\.org|registry\.npmjs|(?:extra-)?index"
    + "-url",
    "a word of the workplace": "(?i)cla"
    + "ude|anthro"
    + "pic|chat"
    + "gpt|language "
    + "model|sub-?"
    + "agent",
    "a private key": "-----BEGIN [A-Z ]*PRIVATE " + "KEY",
}


def _committed() -> list[Path]:
    """Files that are, or would be, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_committed_text_speaks_of_the_project_alone(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    found = []
    for path in _committed():
        content = path.read_bytes()
        if b"\0" in content or path == Path(__file__).resolve():
            continue
        for number, line in enumerate(content.decode().splitlines(), start=1):
            if pattern.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}")
    assert found == [], f"{what} stands in committed text"


def test_the_search_finds_what_it_looks_for() -> None:
    examples = {
        "a path of one machine": 'open("/work/' + 'shared/x.json")',
        "a package host": "pip install --index" + "-url https://example.org/simple",
        "a word of the workplace": "written with Cla" + "ude",
        "a private key": "-----BEGIN RSA PRIVATE " + "KEY-----",
    }
    assert examples.keys() == FORBIDDEN.keys()
    for what, text in examples.items():
        assert re.search(FORBIDDEN[what], text), what
    assert not re.search(FORBIDDEN["a path of one machine"], "deploy/home/x, docs/work/y and ./root/z")
