"""Weimob in a test: what it was asked, and what it answers to each action."""

from collections.abc import Callable
from typing import Any

Answer = dict[str, Any] | Callable[[dict[str, Any]], Any]


class Weimob:
    """Answers by action, `order/detail/get`; an exception is raised, a callable asked."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.queries: list[dict[str, str]] = []
        self.tokens = 0
        self.token: str | None = None

    def post(self, url: str, body: dict[str, Any], **query: str) -> dict[str, Any]:
        """In place of an HTTP POST."""
        self.queries.append(query)
        if url.endswith("/oauth2/token"):
            self.tokens += 1
            self.token = f"token-{self.tokens}"
            return {"access_token": self.token, "expires_in": 604799, "token_type": "bearer"}
        if query["accesstoken"] != self.token:
            return refused("8000102", "accesstoken 已失效")
        action = url.partition("/v2.0/")[2]
        self.asked.append((action, body))
        told = self.answers.get(action, {})
        if isinstance(told, Exception):
            raise told
        data = told(body) if callable(told) else told
        if isinstance(data, dict) and "errcode" in str(data.get("code")):
            return data
        return {"code": {"errcode": "0", "errmsg": "success"}, "globalTicket": "1", "data": data}

    @property
    def actions(self) -> list[str]:
        """What it was asked, in order."""
        return [action for action, _ in self.asked]


def refused(code: str, text: str) -> dict[str, Any]:
    """An answer that is an error."""
    return {"code": {"errcode": code, "errmsg": text}, "globalTicket": "1"}
