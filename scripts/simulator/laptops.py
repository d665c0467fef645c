"""Both vendors as `make dev` has them: an app and a shop each, and the environment for them."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

from scripts.simulator import control
from scripts.simulator.faults import Faults
from scripts.simulator.server import Simulator
from scripts.simulator.weimob import Weimob
from scripts.simulator.world import World
from scripts.simulator.youzan import Youzan

CLIENT_ID, SECRET = "app-local", "not-a-secret"
SHOPS = {"youzan": "160", "weimob": "4020000000001"}


@contextmanager
def serve(port: int = 0) -> Iterator[Simulator]:
    """The vendors, for the while; no two runs number their messages alike."""
    serial = int(time.time()) * 1000
    app = {"client_id": CLIENT_ID, "secret": SECRET}
    youzan = Youzan(World(serial), Faults(), **app, shop=SHOPS["youzan"])
    weimob = Weimob(World(serial), Faults(), **app, shop=SHOPS["weimob"])
    with control.serve(youzan, weimob, port=port) as simulator:
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
