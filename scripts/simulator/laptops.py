"""Both vendors as `make dev` has them: an app and a shop each, and the environment for them.

WeChat is there, too, for who sets the environment for it: logins have a stand-in of their own.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

from scripts.simulator import control
from scripts.simulator.faults import Faults
from scripts.simulator.server import Simulator
from scripts.simulator.wechat import WeChat
from scripts.simulator.wechat_control import WeChatControl
from scripts.simulator.wechat_pushes import Pusher
from scripts.simulator.weimob import Weimob
from scripts.simulator.world import World
from scripts.simulator.youzan import Youzan

CLIENT_ID, SECRET = "app-local", "not-a-secret"
WECHAT_APP_ID, PUSH_TOKEN = "wx-local", "push-token-local"
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
    with control.serve(youzan, weimob, port=port, platforms=[(wechat, told)]) as simulator:
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
