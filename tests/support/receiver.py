"""A target of alerts on this machine: apprise's own HTTP, answered well or badly as the test says."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

TOKEN = "tok-5EcReT-9912"
"""Stands in the address as a service's token would."""


class Received(NamedTuple):
    """One message that was taken."""

    path: str
    title: str
    body: str
    kind: str


@dataclass
class Receiver:
    """Several targets by path; `answers` gives those that fail their status, `silent` those that never answer."""

    port: int = 0
    received: list[Received] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    refused: int = 0
    _let_go: threading.Event = field(default_factory=threading.Event)

    def address(self, name: str) -> str:
        """apprise's URL of one target."""
        return f"json://o2c:{TOKEN}@127.0.0.1:{self.port}/{name}/{TOKEN}"

    def titles(self, name: str) -> list[str]:
        """What one target took, in order."""
        return [one.title for one in self.received if one.path.startswith(f"/{name}/")]

    def bodies(self, name: str) -> list[str]:
        return [one.body for one in self.received if one.path.startswith(f"/{name}/")]

    def take(self, path: str, said: dict[str, str]) -> int:
        """The status of the answer to one message; 200 keeps it."""
        name = path.split("/")[1]
        if name in self.silent:
            self._let_go.wait(60)
            return 500
        status = self.answers.get(name, 200)
        if status == 200:
            self.received.append(Received(path, said["title"], said["message"], said["type"]))
        else:
            self.refused += 1
        return status

    def let_go(self) -> None:
        """Answer whatever was left without an answer."""
        self._let_go.set()


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Listen on a free port of this machine."""
    here = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(here.take(self.path, said))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Tests look at what was received."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    here.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield here
    finally:
        here.let_go()
        server.shutdown()
        server.server_close()
