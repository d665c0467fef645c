"""Vendors are asked over HTTP: whatever they answer, nothing secret shows, and nonsense waits."""

import json
import logging
import traceback
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest

from graphql_api import tables
from graphql_api.config import settings
from graphql_api.connectors import http, models, repository
from graphql_api.connectors import tokens as tokens_of_shops
from graphql_api.connectors.errors import Later, NotSetUp, VendorRefused
from graphql_api.connectors.models import ConnectorsItem, Shop
from graphql_api.connectors.rules import Vendor
from graphql_api.connectors.secrets import secrets
from graphql_api.connectors.tokens import tokens
from graphql_api.connectors.weimob.adapter import ADAPTER as WEIMOB
from graphql_api.connectors.youzan.adapter import ADAPTER as YOUZAN
from graphql_api.kit.time import real_now

SECRET = "app-secret-5f2d"
TOKEN = "access-token-9c1b"
KEY = "56232"
TOKENS: dict[Vendor, dict[str, Any]] = {
    Vendor.YOUZAN: {
        "success": True,
        "code": 200,
        "data": {"access_token": TOKEN, "expires": 4_102_444_800_000},
    },
    Vendor.WEIMOB: {"access_token": TOKEN, "expires_in": 604799, "token_type": "bearer"},
}
FINE: dict[Vendor, dict[str, Any]] = {
    Vendor.YOUZAN: {"code": 200, "success": True, "data": {"point": 24}},
    Vendor.WEIMOB: {
        "code": {"errcode": 0, "errmsg": "success"},
        "globalTicket": "t-1",
        "data": {"availablePoint": "24"},
    },
}


def shop(vendor: Vendor) -> Shop:
    key = models.shop_id(vendor, KEY)
    return Shop(key, vendor=vendor, vendor_key=KEY, client_id="app-1")


class Peer:
    """A vendor behind a port: what it answers to all but questions for tokens, and its notes."""

    def __init__(self) -> None:
        self.status = 200
        self.raw = b"{}"
        self.token: dict[str, Any] | None = None
        self.asked: list[tuple[str, str, bytes]] = []
        self.may_answer = Event()
        self.may_answer.set()

    def answers(self, told: object) -> None:
        self.raw = json.dumps(told).encode()

    def answer(self, path: str) -> tuple[int, bytes]:
        if "/auth/token" in path:
            return 200, json.dumps(self.token or TOKENS[Vendor.YOUZAN]).encode()
        if "/oauth2/token" in path:
            return 200, json.dumps(self.token or TOKENS[Vendor.WEIMOB]).encode()
        self.may_answer.wait(5)
        return self.status, self.raw


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[str, list[Peer]]]:
    current: list[Peer] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            peer = current[-1]
            body = self.rfile.read(int(self.headers["content-length"]))
            peer.asked.append((self.path, self.headers["content-type"], body))
            status, raw = peer.answer(self.path)
            self.send_response(status)
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", current
    server.shutdown()
    server.server_close()


@pytest.fixture
def peer(
    served: tuple[str, list[Peer]], aws_account: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Peer]:
    url, current = served
    for vendor in ("YOUZAN", "WEIMOB"):
        monkeypatch.setenv(f"APP_{vendor}_BASE_URL", url)
        monkeypatch.setenv(f"APP_{vendor}_APPS", json.dumps({"app-1": SECRET}))
    tables.create_all([ConnectorsItem])
    current.append(Peer())
    forget()
    yield current[-1]
    current[-1].may_answer.set()
    http.client().close()
    forget()


def forget() -> None:
    settings.cache_clear()
    secrets.forget()
    tokens.forget()
    http.client.cache_clear()


def points(vendor: Vendor) -> Callable[[], int]:
    adapter = YOUZAN if vendor is Vendor.YOUZAN else WEIMOB
    return lambda: adapter.points_of(shop(vendor), "10001")


@pytest.fixture(params=list(Vendor))
def vendor(request: pytest.FixtureRequest) -> Vendor:
    return Vendor(request.param)


def test_youzan_is_asked_in_json_with_the_token_in_the_query(peer: Peer) -> None:
    peer.answers(FINE[Vendor.YOUZAN])
    assert points(Vendor.YOUZAN)() == 24
    (token_path, _, asked), (path, kind, body) = peer.asked
    assert token_path == "/auth/token"
    assert json.loads(asked) == {
        "client_id": "app-1",
        "client_secret": SECRET,
        "authorize_type": "silent",
        "grant_id": KEY,
        "refresh": False,
    }
    assert path == f"/api/youzan.crm.customer.points.get/1.0.0?access_token={TOKEN}"
    assert kind == "application/json"
    assert json.loads(body) == {"user": {"account_id": "10001", "account_type": 5}}


def test_weimob_is_asked_in_json_with_the_token_in_the_query(peer: Peer) -> None:
    peer.answers(FINE[Vendor.WEIMOB])
    assert points(Vendor.WEIMOB)() == 24
    (token_path, _, _), (path, kind, body) = peer.asked
    assert token_path == (
        "/fuwu/b/oauth2/token?grant_type=client_credentials&client_id=app-1"
        f"&client_secret={SECRET}&shop_id={KEY}&shop_type=business_operation_system_id"
    )
    assert path == f"/apigw/weimob_crm/v2.0/point/get?accesstoken={TOKEN}"
    assert kind == "application/json"
    assert json.loads(body) == {"vid": 56232, "wid": 10001}


@pytest.mark.parametrize(
    ("status", "raw"),
    [
        (500, b"{}"),
        (502, b"<html>bad gateway</html>"),
        (301, b""),
        (200, b""),
        (200, b"<html>maintenance</html>"),
        (200, b"[1]"),
        (200, b'{"code": 2'),
        (200, b"{}"),
        (200, b'{"status": "ok"}'),
        (200, b'{"code": "fine"}'),
    ],
)
def test_what_is_no_answer_of_theirs_is_asked_again_and_may_have_been_done(
    peer: Peer, vendor: Vendor, status: int, raw: bytes
) -> None:
    peer.status, peer.raw = status, raw
    with pytest.raises(Later) as later:
        points(vendor)()
    assert (later.value.seconds, later.value.is_unsure) == (3.0, True)


def test_silence_is_not_waited_for(
    peer: Peer, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "READ_SECONDS", 0.05)
    peer.may_answer.clear()
    with pytest.raises(Later) as later:
        points(vendor)()
    assert later.value.is_unsure


def test_token_that_is_none_is_asked_for_again_later(peer: Peer, vendor: Vendor) -> None:
    answer = json.loads(json.dumps(TOKENS[vendor]))
    told = answer["data"] if vendor is Vendor.YOUZAN else answer
    told |= {"expires": 10**30, "expires_in": 10**30}
    peer.token = answer
    with pytest.raises(Later):
        points(vendor)()
    peer.token = None
    peer.answers(FINE[vendor])
    assert points(vendor)() == 24


@pytest.mark.parametrize("code", [4007, 4204])
def test_address_or_question_that_nobody_allowed_is_a_matter_of_setting_up(
    peer: Peer, code: int
) -> None:
    peer.answers({"gw_err_resp": {"err_code": code, "err_msg": "…", "trace_id": "yz7-1"}})
    with pytest.raises(NotSetUp, match=str(code)):
        points(Vendor.YOUZAN)()


REFUSALS: dict[Vendor, list[tuple[object, type[Exception]]]] = {
    Vendor.YOUZAN: [
        ({"gw_err_resp": {"err_code": 4203, "err_msg": TOKEN}}, NotSetUp),
        ({"gw_err_resp": {"err_code": 4101, "err_msg": TOKEN}}, Later),
        ({"code": 142100002, "success": False, "message": f"13800138000 {TOKEN}"}, VendorRefused),
        ({"message": TOKEN}, Later),
    ],
    Vendor.WEIMOB: [
        ({"code": {"errcode": "80001001000119", "errmsg": f"accesstoken {TOKEN}"}}, NotSetUp),
        ({"code": {"errcode": 7, "errmsg": "请求过于频繁 13800138000"}}, Later),
        ({"code": {"errcode": 9, "errmsg": "13800138000"}, "globalTicket": "t-1"}, VendorRefused),
        ({"error": "server_error", "error_description": TOKEN}, Later),
    ],
}


@pytest.mark.parametrize("number", range(4))
def test_no_log_and_no_error_shows_a_token_a_secret_or_what_was_said(
    peer: Peer,
    vendor: Vendor,
    number: int,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    answer, raised = REFUSALS[vendor][number]
    peer.answers(answer)
    with caplog.at_level(logging.DEBUG), pytest.raises(raised) as error:
        points(vendor)()
    printed = capfd.readouterr()
    shown = "".join(traceback.format_exception(error.value)) + repr(vars(error.value))
    logged = caplog.text + printed.out + printed.err
    everything = logged + shown
    assert (f"{vendor.value.lower()} refused" in logged) == (number < 3 or vendor is Vendor.YOUZAN)
    for secret in (TOKEN, SECRET, "13800138000", "?access_token=", "?accesstoken="):
        assert secret not in everything


def test_death_between_the_vendors_token_and_the_table_is_followed_by_another_question(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer.answers(FINE[Vendor.YOUZAN])

    def dies(*_: object, **__: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(repository, "store_token", dies)
        with pytest.raises(KeyboardInterrupt):
            points(Vendor.YOUZAN)()
    begun = real_now()
    monkeypatch.setattr(tokens_of_shops, "_LOOKED_AGAIN", 0)
    with pytest.raises(Later):
        points(Vendor.YOUZAN)()
    monkeypatch.setattr(tokens_of_shops, "real_now", lambda: begun + tokens_of_shops.ASKED_FOR)
    assert points(Vendor.YOUZAN)() == 24
    assert [path for path, _, _ in peer.asked].count("/auth/token") == 2
