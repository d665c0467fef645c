"""WeChat and WeCom for laptops and tests: a code says itself whom it stands for.

A WeChat code is an openid, or `openid~unionid`; a phone code is a phone number; a WeCom code is a
user id, or `guest` for somebody outside the corp. A code of five to seven digits is answered with
that error code, `garbage` with something that is no JSON, `slow` too late.

    python -m scripts.stand_ins
"""

import argparse
import json
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from scripts.simulator.wechat_forms import picture

APP_ID = "wx-local"
CORP_ID = "corp-local"
SECRET = "not-a-secret"  # noqa: S105 - it opens nothing
CALLBACK_TOKEN = "notatoken"  # noqa: S105 - nor does this
CALLBACK_KEY = "k" * 43
SLOW_SECONDS = 30.0

_BAD_APP = {"errcode": 40013, "errmsg": "invalid appid"}
_BAD_SECRET = {"errcode": 40125, "errmsg": "invalid appsecret"}
_OLD_TOKEN = {"errcode": 42001, "errmsg": "access_token expired"}

Answer = dict[str, Any]
Given = dict[str, Any]


class StandIns(ThreadingHTTPServer):
    """Both platforms on one port of 127.0.0.1; `token` is the access token that holds now."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.token = "token-1"  # noqa: S105 - it opens nothing
        self.asked: list[str] = []
        self.released = threading.Event()

    @property
    def url(self) -> str:
        """Where to ask."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, path: str, given: Given) -> Answer | bytes | None:
        """What a path answers, None where there is none."""
        self.asked.append(path)
        match path:
            case "/sns/jscode2session":
                return _known(given, "appid", APP_ID, "secret") or _coded(
                    str(given.get("js_code", "")), _wechat_session
                )
            case "/cgi-bin/stable_token":
                return _known(given, "appid", APP_ID, "secret") or self._token()
            case "/cgi-bin/gettoken":
                return _known(given, "corpid", CORP_ID, "corpsecret") or self._token()
            case "/wxa/business/getuserphonenumber":
                return self._with_token(given, "code", _phone)
            case "/cgi-bin/message/subscribe/send":
                return self._with_token(given, "touser", _taken)
            case "/wxa/msg_sec_check":
                return self._with_token(given, "content", _judged)
            case "/wxa/getwxacodeunlimit":
                return self._with_token(given, "scene", picture)
            case "/cgi-bin/auth/getuserinfo":
                return self._with_token(given, "code", _visitor)
            case "/cgi-bin/miniprogram/jscode2session":
                return self._with_token(given, "js_code", _visitor)
            case _:
                return None

    def _token(self) -> Answer:
        return {"errcode": 0, "access_token": self.token, "expires_in": 7200}

    def _with_token(self, given: Given, name: str, answer: Any) -> Answer | bytes:
        if given.get("access_token") != self.token:
            return _OLD_TOKEN
        return _coded(str(given.get(name, "")), answer)


class _Handler(BaseHTTPRequestHandler):
    server: StandIns

    def do_GET(self) -> None:
        self._respond({})

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        self._respond(json.loads(self.rfile.read(length) or b"{}"))

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: paths carry codes."""

    def _respond(self, body: Given) -> None:
        url = urlsplit(self.path)
        given = {**dict(parse_qsl(url.query)), **body}
        if "slow" in given.values():
            self.server.released.wait(SLOW_SECONDS)
        answer = self.server.answer(url.path, given)
        if "garbage" in given.values():
            answer = b"<html>"
        text = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(200 if answer is not None else 404)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


@contextmanager
def serve() -> Iterator[StandIns]:
    """Both platforms, for the while."""
    server = StandIns()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()


def settings_for(url: str) -> dict[str, str]:
    """The environment that has the API ask these stand-ins."""
    return {
        "APP_WECHAT_BASE_URL": url,
        "APP_WECHAT_APP_ID": APP_ID,
        "APP_WECHAT_APP_SECRET": SECRET,
        "APP_WECOM_BASE_URL": url,
        "APP_WECOM_CORP_ID": CORP_ID,
        "APP_WECOM_APP_SECRET": SECRET,
    }


def _known(given: Given, id_name: str, id_: str, secret_name: str) -> Answer | None:
    if given.get(id_name) != id_:
        return _BAD_APP
    return _BAD_SECRET if given.get(secret_name) != SECRET else None


def _coded(code: str, answer: Any) -> Answer | bytes:
    if re.fullmatch(r"-1|\d{5,7}", code):
        return {"errcode": int(code), "errmsg": "as asked for"}
    found: Answer | bytes = answer(code)
    return found


def _wechat_session(code: str) -> Answer:
    openid, _, unionid = code.partition("~")
    session = {"openid": openid, "session_key": "c2Vzc2lvbi1rZXk="}
    return {**session, "unionid": unionid} if unionid else session


def _phone(code: str) -> Answer:
    info = {"phoneNumber": code, "purePhoneNumber": code, "countryCode": "86"}
    return {"errcode": 0, "errmsg": "ok", "phone_info": info}


def _visitor(code: str) -> Answer:
    person = {"openid": "guest-1"} if code == "guest" else {"userid": code}
    return {"errcode": 0, "errmsg": "ok", "session_key": "c2Vzc2lvbi1rZXk=", **person}


def _taken(_openid: str) -> Answer:
    return {"errcode": 0, "errmsg": "ok", "msgid": 1}


def _judged(content: str) -> Answer:
    suggest = "risky" if "risky" in content else "pass"
    return {"errcode": 0, "errmsg": "ok", "result": {"suggest": suggest, "label": 100}}


def main() -> int:
    """Serve until stopped."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    with serve() as server:
        for name, value in settings_for(server.url).items():
            print(f"export {name}={value}", flush=True)
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    sys.exit(main())
