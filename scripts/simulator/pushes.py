"""Pushes: signed bodies on their way to a receiver, and how they are sent."""

import http.client
import random
import time
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

SECONDS = 5.0


@dataclass(frozen=True)
class Push:
    """A body with its headers, of a kind, made when something happened.

    `signed` is where its bytes cannot be changed without notice; everywhere, when not told.
    `query` is what stands behind the address, where it is signed there.
    """

    vendor: str
    kind: str
    at: datetime
    headers: dict[str, str]
    raw: bytes
    signed: tuple[int, int] | None = None
    query: str = ""

    def forged(self) -> "Push":
        """The same with one byte changed, so that its signature does not hold."""
        begin, end = self.signed or (0, len(self.raw))
        place = random.Random(len(self.raw)).randrange(begin, end)  # noqa: S311 - repeatable
        changed = bytearray(self.raw)
        changed[place] ^= 1
        return replace(self, raw=bytes(changed))


@dataclass(frozen=True)
class Sent:
    """What a push was answered, and after how many milliseconds; status 0 for no answer."""

    status: int
    body: bytes
    milliseconds: float

    @property
    def is_acknowledged(self) -> bool:
        """Whether the vendor would not send it again."""
        return self.status == 200 and b"success" in self.body


class Sender:
    """Sends pushes to one address over one connection."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._path = address.path or "/"
        self._host, self._port = str(address.hostname), address.port or 80
        self._connection: http.client.HTTPConnection | None = None

    def send(self, push: Push) -> Sent:
        """Post it once."""
        begun = time.perf_counter()
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(self._host, self._port, SECONDS)
            self._connection.request("POST", self._path + push.query, push.raw, push.headers)
            answer = self._connection.getresponse()
            status, body = answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            status, body = 0, b""
        return Sent(status, body, (time.perf_counter() - begun) * 1000)

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None
