"""Posting to hosts that others chose: time limits, no redirects, and no address of our own network.

A host is looked up once and the connection goes to the address that was looked at, so that a name
cannot lead elsewhere a moment later; the certificate is still checked against the name. Connections
are not kept: one that was made for a name must not serve another name at the same address.
"""

import asyncio
import logging
import socket
import ssl
import time
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from graphql_api.config import settings
from graphql_api.errors import Invalid
from graphql_api.webhooks import rules
from graphql_api.webhooks.rules import Answer, Problem

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 10.0
_READ_AT_MOST = 2_048
_PORTS = {"https": 443, "http": 80}


class ForbiddenAddress(Exception):
    """The host is not on the public internet."""


def require_allowed(url: str, *, field: tuple[str, ...]) -> None:
    """Invalid for an address that an endpoint may not have, as it is looked up now."""
    laptop = settings().stage == "local"
    if problem := rules.problem_of(url, laptop=laptop):
        raise Invalid(problem, field=field)
    parts = urlsplit(url)
    try:
        found = socket.getaddrinfo(parts.hostname, _port(url), type=socket.SOCK_STREAM)
        _chosen([str(address[4][0]) for address in found])
    except (OSError, UnicodeError, ValueError):
        raise Invalid("This host has no address", field=field) from None
    except ForbiddenAddress:
        text = "An endpoint is on the public internet: no private, loopback or link-local address"
        raise Invalid(text, field=field) from None


async def post(url: str, headers: dict[str, str], body: str) -> Answer:
    """Post a body and give the answer, or what kept it from coming; ten seconds at most."""
    import httpx  # a process that sends nothing does not pay for it

    began = time.monotonic()
    try:
        async with asyncio.timeout(TOTAL_SECONDS):
            status, text = await _posted(url, headers, body)
    except TimeoutError:
        return Answer(problem=Problem.TIMEOUT, milliseconds=_since(began))
    except ForbiddenAddress:
        return Answer(problem=Problem.FORBIDDEN_ADDRESS, milliseconds=_since(began))
    except (OSError, UnicodeError, httpx.HTTPError, httpx.InvalidURL):
        return Answer(problem=Problem.UNREACHABLE, milliseconds=_since(began))
    return rules.answered(status, _since(began), text)


async def _posted(url: str, headers: dict[str, str], body: str) -> tuple[int, str]:
    import httpx

    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(parts.hostname, _port(url), type=socket.SOCK_STREAM)
    address = _chosen([str(one[4][0]) for one in found])
    target = httpx.URL(url).copy_with(host=address)
    timeout = httpx.Timeout(TOTAL_SECONDS, connect=CONNECT_SECONDS)
    alone = httpx.Limits(max_keepalive_connections=0)
    async with (
        httpx.AsyncClient(
            verify=_certificates(),
            timeout=timeout,
            limits=alone,
            follow_redirects=False,
            trust_env=False,
        ) as client,
        client.stream(
            "POST",
            target,
            content=body.encode(),
            headers={**headers, "host": parts.netloc, "accept-encoding": "identity"},
            extensions={"sni_hostname": parts.hostname},
        ) as answer,
    ):
        return answer.status_code, await _beginning(answer)


async def _beginning(answer: "httpx.Response") -> str:
    """As much of an answer as the log shows; the rest is not read."""
    read = b""
    async for piece in answer.aiter_raw():
        read += piece
        if len(read) >= _READ_AT_MOST:
            break
    return rules.shown(read[:_READ_AT_MOST].decode(errors="replace"))


def _chosen(addresses: list[str]) -> str:
    """The address to connect to; one that is not public forbids them all, but on a laptop."""
    public = all(rules.is_public(address) for address in addresses)
    if not addresses or not (public or settings().stage == "local"):
        raise ForbiddenAddress
    return addresses[0]


def _port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or _PORTS[parts.scheme]


@cache
def _certificates() -> ssl.SSLContext:
    import httpx

    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)  # they log whole URLs
    return httpx.create_ssl_context()


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
