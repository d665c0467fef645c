"""Vendors and platforms as `make dev` has them, and the environment that has the API ask them.

WeChat is there for who sets the environment for it: logins by it have a stand-in of their own.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

from scripts.simulator import control, server
from scripts.simulator.faults import Faults
from scripts.simulator.server import Simulator
from scripts.simulator.wechat import WeChat
from scripts.simulator.wechat_control import WeChatControl
from scripts.simulator.wechat_pushes import Pusher
from scripts.simulator.wecom import Wecom
from scripts.simulator.wecom_control import WecomControl
from scripts.simulator.weimob import Weimob
from scripts.simulator.world import World
from scripts.simulator.youzan import Youzan

CLIENT_ID, SECRET = "app-local", "not-a-secret"
WECHAT_APP_ID, WECOM_CORP_ID, PUSH_TOKEN = "wx-local", "ww-local", "push-token-local"
PUSH_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
SHOPS = {"youzan": "160", "weimob": "4020000000001"}


@contextmanager
def serve(port: int = 0) -> Iterator[Simulator]:
    """The vendors, for the while; no two runs number their messages alike."""
    serial = int(time.time()) * 1000
    app = {"client_id": CLIENT_ID, "secret": SECRET}
    youzan = Youzan(World(serial), Faults(), **app, shop=SHOPS["youzan"])
    weimob = Weimob(World(serial), Faults(), **app, shop=SHOPS["weimob"])
    wechat = WeChat(Faults(), app_id=WECHAT_APP_ID, secret=SECRET)
    told = WeChatControl(wechat, Pusher(WECHAT_APP_ID, PUSH_TOKEN, PUSH_KEY))
    wecom = Wecom(Faults(), corp=WECOM_CORP_ID, secret=SECRET, token=PUSH_TOKEN, key=PUSH_KEY)
    platforms: list[tuple[server.Peer, server.Control]] = [
        (wechat, told),
        (wecom, WecomControl(wecom)),
    ]
    with control.serve(youzan, weimob, port=port, platforms=platforms) as simulator:
        yield simulator


def settings_for(url: str) -> dict[str, str]:
    """The environment that has the API ask these vendors, and believe what they push."""
    apps = json.dumps({CLIENT_ID: SECRET})
    return {
        "APP_YOUZAN_BASE_URL": url,
        "APP_YOUZAN_APPS": apps,
        "APP_YOUZAN_FETCH_DELAY_SECONDS": "0",
        "APP_WEIMOB_BASE_URL": url,
        "APP_WEIMOB_APPS": apps,
    }


def wechat_settings_for(url: str) -> dict[str, str]:
    """The environment that has the API ask this WeChat, and believe what it pushes."""
    return {
        "APP_WECHAT_BASE_URL": url,
        "APP_WECHAT_APP_ID": WECHAT_APP_ID,
        "APP_WECHAT_APP_SECRET": SECRET,
        "APP_WECHAT_PUSH_TOKEN": PUSH_TOKEN,
        "APP_WECHAT_PUSH_KEY": PUSH_KEY,
    }


def wecom_settings_for(url: str) -> dict[str, str]:
    """The environment that has the API ask this WeCom, and believe what it pushes."""
    return {
        "APP_WECOM_BASE_URL": url,
        "APP_WECOM_CORP_ID": WECOM_CORP_ID,
        "APP_WECOM_APP_SECRET": SECRET,
        "APP_WECOM_CALLBACK_TOKEN": PUSH_TOKEN,
        "APP_WECOM_CALLBACK_KEY": PUSH_KEY,
    }
