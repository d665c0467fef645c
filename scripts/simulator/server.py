"""The vendors on one port of 127.0.0.1, with their faults, and a side to control them by."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from scripts.simulator.faults import Faults

CONTROL = "/control/"


class Peer(Protocol):
    """A vendor: what it answers, under which paths, and its faults."""

    name: str
    paths: tuple[str, ...]
    faults: Faults

    def answer(
        self, path: str, query: dict[str, str], body: dict[str, Any], at: datetime
    ) -> dict[str, Any] | bytes | None:
        """What a POST or a GET is answered, bytes for a picture; None where there is nothing."""


Control = Callable[[str, dict[str, Any], threading.Lock], tuple[int, Any]]
"""What is answered to what is asked below `/control/`; it takes the lock itself."""


Clock = Callable[[], datetime]


def real_now() -> datetime:
    """The wall clock, by which tokens end and calls are too many."""
    return datetime.now(UTC)


class Simulator(ThreadingHTTPServer):
    """Vendors that are asked; one lock, so that each has one truth at a time."""

    daemon_threads = True
    block_on_close = False

    def __init__(
        self,
        *peers: Peer,
        port: int = 0,
        control: Control | None = None,
        clock: Clock = real_now,
    ) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.clock = clock
        self.peers = peers
        self.control = control
        self.lock = threading.Lock()
        self.refused = 0

    @property
    def url(self) -> str:
        """Where to ask."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, path: str, query: dict[str, str], body: dict[str, Any]) -> tuple[int, Any]:
        """Status and body of what is asked, faults included."""
        if path.startswith(CONTROL) and self.control:
            return self.control(path.removeprefix(CONTROL), body, self.lock)
        peer = next((peer for peer in self.peers if path.startswith(peer.paths)), None)
        if peer is None:
            return 404, {}
        if peer.faults.slow_seconds:
            time.sleep(peer.faults.slow_seconds)
        with self.lock:
            if peer.faults.fails():
                self.refused += 1
                return 503, {}
            told = peer.answer(path, query, body, self.clock())
            if peer.faults.is_unheard():
                self.refused += 1
                return 504, {}
        return (404, {}) if told is None else (200, told)


class _Handler(BaseHTTPRequestHandler):
    server: Simulator
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet an answer
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        raw = self.rfile.read(length)
        address = urlsplit(self.path)
        try:
            body = json.loads(raw or b"{}")
        except ValueError:
            body = {}
        status, told = self.server.answer(address.path, dict(parse_qsl(address.query)), body)
        is_picture = isinstance(told, bytes)
        text = told if is_picture else json.dumps(told, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("content-type", "image/png" if is_picture else "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: addresses hold tokens."""


@contextmanager
def serve(
    *peers: Peer, port: int = 0, control: Control | None = None, clock: Clock = real_now
) -> Iterator[Simulator]:
    """Answer in the background, until the end of the block."""
    with Simulator(*peers, port=port, control=control, clock=clock) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(timeout=5)
