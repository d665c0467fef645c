"""Somebody who is told: an HTTP server that keeps what it got and answers as its path says.

`/‹status›` answers with that status, `/slow` too late, `/drip` with a header without end, `/large`
with a body without end, and `/turns` with what stands in `turns`, one after the other.
"""

import hashlib
import hmac
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Got:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.body)
        return document

    def is_genuine(self, secret: str) -> bool:
        """Whether it was signed with a secret, as the documents say how to tell."""
        signed = self.headers["x-webhook-timestamp"].encode() + b"." + self.body
        expected = "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        return expected in self.headers["x-webhook-signature"].split(",")


class Receiver(ThreadingHTTPServer):
    """The server, on a port of 127.0.0.1."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[Got] = []
        self.turns: list[int] = []
        self.released = threading.Event()

    def url(self, path: str = "/200") -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.got.append(Got(self.path, headers, self.rfile.read(length)))
        with suppress(BrokenPipeError, ConnectionResetError):
            self._answer(self.path.strip("/").partition("?")[0])

    def _answer(self, path: str) -> None:
        if path == "slow":
            self.server.released.wait(20)
            return
        if path == "drip":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nx-long: ")
            while not self.server.released.wait(0.02):
                self.wfile.write(b"x")
                self.wfile.flush()
            return
        status = (
            self.server.turns.pop(0) if path == "turns" else 200 if path == "large" else int(path)
        )
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("location", "/200")
        self.end_headers()
        self.wfile.write(b"\x00said\n  " + str(status).encode())
        while path == "large" and not self.server.released.is_set():
            self.wfile.write(b"y" * 65_536)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def serve(certificate: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver for the while; over TLS with a certificate."""
    server = Receiver()
    if certificate:
        server.socket = certificate.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()
