"""Youzan as it answers questions: what a test has put there, and a note of what was asked."""

from collections.abc import Callable
from typing import Any

import orjson

from graphql_api.connectors.youzan.signatures import event_sign
from tests.connectors.youzan.samples import CLIENT_ID, SECRET

Answer = Any | Callable[[dict[str, Any]], Any]


class Youzan:
    """Answers by the API's name; what is a function is called with the question."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.root = "56232"
        self.tokens = 0
        self.known_tokens: set[str] = set()

    def post(self, url: str, body: dict[str, Any], **query: str) -> dict[str, Any]:
        """In place of `http.post`."""
        body = orjson.loads(orjson.dumps(body))
        if url == "https://open.youzanyun.com/auth/token":
            return self._token(body)
        if query["access_token"] not in self.known_tokens:
            return refused(4203)
        path = url.removeprefix("https://open.youzanyun.com/api/")
        name = path.rpartition("/")[0]
        self.asked.append((path, body))
        answer = self.answers.get(name, refused(4005))
        answer = answer(body) if callable(answer) else answer
        if "gw_err_resp" in answer or "code" in answer:
            return dict(answer)
        return {"code": 200, "success": True, "trace_id": "yz7-1", "data": answer}

    def names(self) -> list[str]:
        """The names of what was asked, in order."""
        return [path.rpartition("/")[0] for path, _ in self.asked]

    def _token(self, body: dict[str, Any]) -> dict[str, Any]:
        assert (body["client_secret"], body["grant_id"]) == (SECRET, self.root)
        self.tokens += 1
        token = f"token-{self.tokens}"
        self.known_tokens = {token}
        data = {"access_token": token, "expires": 4_102_444_800_000, "authority_id": "56232"}
        return {"success": True, "code": 200, "data": data, "message": None}


def refused(code: int) -> dict[str, Any]:
    """A refusal of the gateway."""
    return {"gw_err_resp": {"err_code": code, "err_msg": "…", "trace_id": "yz7-2"}}


def failed(code: int) -> dict[str, Any]:
    """A refusal of what is behind it."""
    return {"code": code, "success": False, "message": "…", "trace_id": "yz7-3", "data": None}


def body(type_: str, msg: object, **changed: object) -> bytes:
    """A message of a type with this content, or with fields beside the envelope."""
    told: dict[str, Any] = {"client_id": CLIENT_ID, "kdt_id": 56232, "type": type_, "msg": msg}
    return orjson.dumps(told | changed)


def headers(raw: bytes, **changed: str) -> dict[str, str]:
    """The headers that come with a body."""
    return {"client-id": CLIENT_ID, "event-sign": event_sign(CLIENT_ID, raw, SECRET), **changed}
