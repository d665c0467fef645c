"""The way of vendors in, as API Gateway asks it: what is taken, and what is answered."""

import base64
import json
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from graphql_api.connectors import repository
from graphql_api.connectors.models import Message, Shop, message_id
from graphql_api.connectors.rules import MessageState, Outcome
from graphql_api.connectors.youzan.signatures import event_sign
from graphql_api.handlers import vendor_webhooks
from graphql_api.kit import queues
from graphql_api.kit.time import real_now
from graphql_api.observability import InvocationFailed
from tests.connectors.youzan import conftest as linked
from tests.connectors.youzan.samples import CLIENT_ID, SECRET
from tests.connectors.youzan.vendor import body

app, youzan, store, shop = linked.app, linked.youzan, linked.store, linked.shop

CONTEXT: Any = SimpleNamespace(
    function_name="vendor_webhooks",
    memory_limit_in_mb=128,
    invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:vendor_webhooks",
    aws_request_id="1",
)
"""What Lambda tells of itself."""
TRADE = body("trade_TradeMemoModified", "%7B%22tid%22%3A%22E1%22%7D", id="E1", msg_id="m-1")


def signed(raw: bytes) -> str:
    """What Youzan signs a body with."""
    return event_sign(CLIENT_ID, raw, SECRET)


TAKEN = (200, {"code": 0, "msg": "success"})


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was queued: bodies and delays."""
    sent: list[Any] = []
    monkeypatch.setattr(
        queues, "send", lambda _url, all_: sent.extend((m.body, m.delay) for m in all_)
    )
    return sent


def push(
    raw: bytes,
    headers: dict[str, str | None] | None = None,
    *,
    path: str = "/vendors/youzan",
    encoded: bool = False,
) -> tuple[int, dict[str, Any]]:
    given = {
        "Event-Sign": signed(raw),
        "Client-Id": CLIENT_ID,
        "Event-Type": "x",
        **(headers or {}),
    }
    event = {
        "rawPath": path,
        "headers": {name: value for name, value in given.items() if value is not None},
        "body": base64.b64encode(raw).decode() if encoded else raw.decode(errors="surrogateescape"),
        "isBase64Encoded": encoded,
        "requestContext": {"stage": "$default"},
    }
    answer = vendor_webhooks.handler(event, CONTEXT)
    assert answer["headers"] == {"content-type": "application/json"}
    return answer["statusCode"], json.loads(answer["body"])


def kept(shop: Shop) -> Message | None:
    return repository.get_message(message_id(shop.id, "m-1"))


@pytest.mark.parametrize("encoded", [False, True])
def test_push_is_kept_queued_for_half_a_minute_and_acknowledged(
    shop: Shop, queued: list[Any], encoded: bool
) -> None:
    assert push(TRADE, encoded=encoded) == TAKEN
    message = kept(shop)
    assert message is not None
    assert (message.raw, message.state, message.subject) == (TRADE, MessageState.WAITING, "E1")
    assert queued == [({"message": message.id, "turn": 0}, 30)]


def test_header_names_may_be_written_in_any_case(shop: Shop, queued: list[Any]) -> None:
    lower = {"Event-Sign": None, "Client-Id": None, "Event-Type": None}
    headers = {"event-sign": signed(TRADE), "CLIENT-ID": CLIENT_ID, "event-type": "x"}
    assert push(TRADE, {**lower, **headers}) == TAKEN
    assert len(queued) == 1


@pytest.mark.parametrize("place", range(0, len(TRADE), 23))
def test_flipped_byte_is_refused_and_nothing_is_kept(
    shop: Shop, queued: list[Any], place: int
) -> None:
    flipped = bytearray(TRADE)
    flipped[place] ^= 1
    status, told = push(bytes(flipped), {"Event-Sign": signed(TRADE)}, encoded=True)
    assert (status, "success" in told["msg"]) == (401, False)
    assert (kept(shop), queued) == (None, [])


@pytest.mark.parametrize("name", ["Event-Sign", "Client-Id"])
def test_missing_header_is_refused(shop: Shop, queued: list[Any], name: str) -> None:
    assert push(TRADE, {name: None})[0] == 401
    assert queued == []


def test_app_that_is_not_ours_is_refused(shop: Shop, queued: list[Any]) -> None:
    assert push(TRADE, {"Client-Id": "another"})[0] == 401
    assert queued == []


def test_replay_is_acknowledged_and_followed_once(shop: Shop, queued: list[Any]) -> None:
    push(TRADE)
    message = kept(shop)
    assert message is not None
    repository.settle(message, Outcome.APPLIED, None, at=real_now())
    assert push(TRADE) == TAKEN
    assert len(queued) == 1


def test_message_whose_receiver_died_before_queueing_is_queued_when_it_comes_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(queues, "send", dies)
    with pytest.raises(InvocationFailed):
        push(TRADE)
    assert kept(shop) is not None
    sent: list[Any] = []
    monkeypatch.setattr(queues, "send", lambda _url, all_: sent.extend(all_))
    assert push(TRADE) == TAKEN
    assert len(sent) == 1


def test_body_that_is_too_large_is_refused_before_it_is_looked_at(
    shop: Shop, queued: list[Any]
) -> None:
    large = b'{"x":"' + b"a" * (256 * 1024) + b'"}'
    assert push(large)[0] == 413
    assert queued == []


def test_body_that_is_signed_and_no_message_is_said_to_be_none(
    shop: Shop, queued: list[Any]
) -> None:
    assert push(b"[]")[0] == 400
    assert queued == []


def test_message_of_a_shop_that_is_not_linked_is_acknowledged_and_not_kept(
    shop: Shop, queued: list[Any]
) -> None:
    other = body("POINTS", "%7B%7D", kdt_id=1, root_kdt_id=1, msg_id="m-1")
    assert push(other) == TAKEN
    assert (kept(shop), queued) == (None, [])


@pytest.mark.parametrize("path", ["/vendors/shopify", "/vendors", "/", "/vendors/youzan/x"])
def test_other_addresses_are_not_there(path: str) -> None:
    assert push(TRADE, path=path)[0] == 404


def test_body_that_is_not_base64_is_refused(shop: Shop) -> None:
    event = {"rawPath": "/vendors/youzan", "headers": {}, "body": "@", "isBase64Encoded": True}
    assert vendor_webhooks.handler(event, CONTEXT)["statusCode"] == 400


def test_secret_stands_in_no_log(
    shop: Shop, queued: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    push(TRADE)
    push(TRADE, {"Event-Sign": "0" * 32})
    told = capsys.readouterr().out
    assert SECRET not in told
    assert "E1" not in told


def test_receiver_loads_its_storage_and_no_other_slice() -> None:
    text = (
        "import sys; from graphql_api.handlers import vendor_webhooks;"
        "from graphql_api.connectors.adapters import receiver_of;"
        "from graphql_api.connectors.rules import Vendor;"
        "[receiver_of(vendor) for vendor in Vendor];"
        "print(*sorted(m for m in sys.modules if m.startswith(('graphql', 'strawberry'))))"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, check=True, text=True)
    loaded = done.stdout.split()
    assert "graphql_api.connectors.weimob.receiving" in loaded
    slices = {name.split(".")[1] for name in loaded if name.count(".") > 1}
    assert slices == {"connectors", "edge", "handlers", "kit"}
    assert [name for name in loaded if not name.startswith("graphql_api")] == []
