"""The tutorial, done exactly as it is written: its commands are typed, its outputs are compared."""

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = ROOT / "docs" / "tutorial.md"
BLOCKS = re.compile(
    r"^\*\*(?P<terminal>\w+ terminal)\*\*$|^```(?P<kind>sh|text)\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
PATIENCE_SECONDS = 180.0
STAYING = ("First terminal", "Second terminal")
"""Where the last command does not come back until Ctrl-C."""

VARYING = (
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ"), "<time>"),
    (re.compile(r"127\.0\.0\.1:\d+"), "<address>"),
    (re.compile(r"(?<![\d-])\d{6,10}(?![\d-])"), "<number>"),
    (re.compile(r"/20\d\d\b"), "/<year>"),
)
"""What differs from run to run, and what stands for it on both sides."""


class Block(NamedTuple):
    """Commands of one terminal, and what the tutorial shows for them."""

    terminal: str
    commands: str
    shown: str


class Terminal:
    """A shell in the checkout's folder, and everything it has said."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._said: list[str] = []
        self._marks = 0
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith(("O2C_", "TEMPORAL_"))
        }
        self._shell = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            bufsize=1,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()

    @property
    def lines(self) -> list[str]:
        return list(self._said)

    def type(self, commands: str) -> None:
        assert self._shell.stdin is not None
        self._shell.stdin.write(commands)
        self._shell.stdin.flush()

    def run(self, commands: str) -> list[str]:
        """Type the commands, wait for the last one, and return what was said; each must succeed."""
        before = len(self._said)
        self._marks += 1
        mark = f"<done {self._marks}>"
        self.type(f"set -e\n{commands}set +e\necho '{mark}'\n")
        self.wait_for(lambda: bool(self._said) and self._said[-1].endswith(mark))
        said = "\n".join(self._said[before:]).removesuffix(mark)  # the last answer may lack its line end
        return said.splitlines()

    def wait_for(self, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not ready():
            assert self._shell.poll() is None, self._trouble("has ended")
            assert time.monotonic() < deadline, self._trouble("did not get on")
            time.sleep(0.05)

    def wait_for_words(self, shown: str) -> None:
        self.wait_for(lambda: agrees(shown, self.lines))

    def interrupt(self) -> None:
        """Ctrl-C."""
        if self._shell.poll() is None:
            os.killpg(self._shell.pid, signal.SIGINT)

    def close(self) -> None:
        """Ctrl-C, and the end of the shell."""
        self.interrupt()
        assert self._shell.stdin is not None
        self._shell.stdin.close()
        try:
            self._shell.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self._shell.pid, signal.SIGKILL)
            raise

    def _listen(self) -> None:
        assert self._shell.stdout is not None
        for line in self._shell.stdout:
            self._said.append(line.rstrip())

    def _trouble(self, what: str) -> str:
        return f"{self.name} {what}:\n" + "\n".join(self._said[-40:])


def blocks() -> list[Block]:
    """The commands in their order, each with the output that follows it."""
    found: list[Block] = []
    terminal = ""
    for match in BLOCKS.finditer(TUTORIAL.read_text(encoding="utf-8")):
        if match["terminal"]:
            terminal = match["terminal"]
        elif match["kind"] == "sh":
            found.append(Block(terminal, match["body"], ""))
        else:
            assert found[-1].shown == "", f"two outputs follow one another: {match['body']}"
            found[-1] = found[-1]._replace(shown=match["body"])
    return found


def plain(line: str) -> str:
    """A line without what differs from run to run."""
    line = line.rstrip()
    for pattern, name in VARYING:
        line = pattern.sub(name, line)
    return line


def agrees(shown: str, said: list[str]) -> bool:
    """Whether what was said is what the tutorial shows: `...` stands for any lines, or the rest of one."""
    pattern = ""
    for line in shown.splitlines():
        if line == "...":
            pattern += r"(?:.*\n)*?"
            continue
        kept = plain(line.removesuffix("..."))
        rest = ".*" if line.endswith("...") else ""
        pattern += re.escape(kept) + rest + r"\n"
    return re.fullmatch(pattern, "".join(f"{plain(line)}\n" for line in said)) is not None


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The checkout as somebody finds it who has made the environment, without what other runs left in it."""
    subprocess.run(["make", "env"], cwd=ROOT, check=True, capture_output=True)
    for entry in ROOT.iterdir():
        if entry.name not in (".tutorial", ".demo", "o2c.toml"):
            (tmp_path / entry.name).symlink_to(entry)
    return tmp_path


@pytest.fixture
def terminals(checkout: Path) -> Iterator[dict[str, Terminal]]:
    names = dict.fromkeys(block.terminal for block in blocks())
    opened = {name: Terminal(name, checkout) for name in names}
    yield opened
    for terminal in reversed(opened.values()):
        terminal.close()


def test_every_command_of_the_tutorial_does_what_it_says(terminals: dict[str, Terminal]) -> None:
    begun = time.monotonic()
    for block in blocks():
        terminal = terminals[block.terminal]
        if block.terminal in STAYING:
            terminal.type(block.commands)
            terminal.wait_for_words(f"...\n{block.shown}...")
            continue
        said = terminal.run(block.commands)
        assert agrees(block.shown, said), f"{block.commands}\nsaid\n" + "\n".join(said)
    assert time.monotonic() - begun < 600, "the tutorial promises ten minutes"


def test_every_output_belongs_to_a_command_and_every_terminal_is_named() -> None:
    found = blocks()
    assert len(found) >= 8
    assert list(dict.fromkeys(block.terminal for block in found)) == [*STAYING, "Third terminal"]


@pytest.mark.parametrize(
    ("shown", "said", "same"),
    [
        ("ok\n", ["ok"], True),
        ("ok\n", ["ok", "more"], False),
        ("ok\n...\n", ["ok", "more", "and more"], True),
        ("invoice 900001 ...\n", ["invoice 900002 of today"], True),
        ("2 orders\n", ["3 orders"], False),
        ("at 2026-11-23 09:00:00Z\n", ["at 2027-01-01 10:11:12Z"], True),
        ("302-0000001-5550000\n", ["302-0000002-5550000"], False),
    ],
)
def test_only_what_varies_may_differ(shown: str, said: list[str], same: bool) -> None:
    assert agrees(shown, said) is same
