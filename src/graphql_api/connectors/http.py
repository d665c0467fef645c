"""Asking other systems: time limits, JSON that is an object, and nothing of it in a log.

URLs carry secrets and codes, answers carry session keys: no error from here shows either.
"""

import logging
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson

from graphql_api.errors import Unavailable

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS = 2.0
READ_SECONDS = 4.0


@cache
def client() -> "httpx.Client":
    """The process's HTTP client; it follows no redirects and uses no proxy of the machine."""
    import httpx  # a process that logs nobody in does not pay for it

    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs whole URLs
    timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
    return httpx.Client(timeout=timeout, follow_redirects=False, trust_env=False)


def get(url: str, **query: str) -> dict[str, Any]:
    """The JSON object that a GET is answered with; Unavailable for anything else."""
    return _asked("GET", url, params=query)


def post(url: str, body: dict[str, Any], **query: str) -> dict[str, Any]:
    """The JSON object that a POST of JSON is answered with; Unavailable for anything else."""
    return _asked("POST", url, params=query, json=body)


def post_for_bytes(url: str, body: dict[str, Any], **query: str) -> bytes:
    """What a POST of JSON is answered with; Unavailable for an answer that is no success."""
    return _content("POST", url, params=query, json=body)


def opened(content: bytes) -> dict[str, Any]:
    """Content as a JSON object; Unavailable for anything else."""
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise nonsense() from None
    if not isinstance(body, dict):
        raise nonsense()
    return body


def _asked(method: str, url: str, **content: Any) -> dict[str, Any]:
    return opened(_content(method, url, **content))


def _content(method: str, url: str, **content: Any) -> bytes:
    import httpx

    try:
        answer = client().request(method, url, **content)
        answer.raise_for_status()
    except httpx.HTTPError:
        raise nonsense() from None
    return answer.content


def nonsense() -> Unavailable:
    """The refusal of a command whose question to another system had no usable answer."""
    return Unavailable("The other system does not answer as it should")
