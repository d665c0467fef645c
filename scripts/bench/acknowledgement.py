"""How soon a vendor is answered, beside a handler that does nothing; and what the queue takes.

The receiver's own work is all that it does but for the one write and the one message, which are the
cloud's. A burst of ten times what a chain sends on average is set against what the functions that
follow it get done, each asking the simulated vendor over HTTP.
"""

import base64
import gc
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from graphql_api import tables
from graphql_api.config import settings
from graphql_api.connectors import queueing, receiving, repository, service, tasks
from graphql_api.connectors.models import Message, Shop
from graphql_api.connectors.rules import LinkKind, MessageState, Vendor
from graphql_api.connectors.secrets import secrets
from graphql_api.connectors.service import LinkSet, ShopLink
from graphql_api.connectors.wecom import receiving as wecom
from graphql_api.connectors.weixin_crypto import Crypt, signature
from graphql_api.handlers import vendor_webhooks
from graphql_api.kit import queues
from graphql_api.kit.time import DEFAULT_ZONE, Clock
from graphql_api.observability import invocation, logger
from graphql_api.stores import service as stores
from graphql_api.stores.models import HEADQUARTERS_ID
from graphql_api.viewer import SYSTEM
from scripts import engines, local
from scripts.bench.report import ratio, table
from scripts.simulator import server
from scripts.simulator.days import Plan, happenings
from scripts.simulator.faults import Faults
from scripts.simulator.pushes import Push
from scripts.simulator.world import World
from scripts.simulator.youzan import Youzan

ROUNDS = 5
AVERAGE = 1000 * 100 * 3 / 86_400
"""Pushes a second of a thousand stores with a hundred orders a day, three pushes an order."""
_BURST = 10
_AT_ONCE = 10
"""MessagesAtOnce of the template."""
_APP, _SECRET, _ROOT, _STORE = "app-bench", "not-a-secret", "1001", "52323"

_CORP, _TOKEN, _KEY = "ww-bench", "not-a-token", "k" * 43
_FRIEND = b"""<xml><ToUserName>ww-bench</ToUserName><FromUserName>sys</FromUserName>
<CreateTime>1795140303</CreateTime><MsgType>event</MsgType><Event>change_external_contact</Event>
<ChangeType>add_external_contact</ChangeType><UserID>guide_0017</UserID>
<ExternalUserID>wmAJ2GCAAAXtWyujaWJHDDGi0mACAAAA</ExternalUserID><State>q7xk2m9d01</State>
<WelcomeCode>WELCOMECODE</WelcomeCode></xml>"""

CONTEXT: Any = SimpleNamespace(
    function_name="vendor_webhooks",
    memory_limit_in_mb=1024,
    invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:vendor_webhooks",
    aws_request_id="1",
)
"""What Lambda tells of itself."""


@invocation
def empty(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """A handler that takes the body and answers."""
    raw = base64.b64decode(event["body"])
    return {"statusCode": 200, "body": json.dumps({"length": len(raw)})}


def run(say: Callable[[str], None]) -> str:
    """The table, and how many times the burst the functions follow."""
    logger.setLevel("ERROR")
    os.environ["APP_YOUZAN_APPS"] = json.dumps({_APP: _SECRET})
    with _chain(say) as (shop, peer):
        pushes = _pushes(peer)
        say(f"{len(pushes)} pushes")
        own = _own_work(pushes, say)
        rate = _followed(shop, pushes, say)
    times = rate * _AT_ONCE / (_BURST * AVERAGE)
    return own + (
        f"\n\n{_AT_ONCE} functions follow {ratio(times)} times what arrives in a burst of "
        f"{_BURST} times the average ({AVERAGE:.1f} pushes a second: a thousand stores with a "
        "hundred orders a day), on the embedded AWS and with the vendor asked over HTTP."
    )


def _own_work(pushes: list[Push], say: Callable[[str], None]) -> str:
    """Both handlers in turn for each push, storage and queue away; the figures of all rounds."""
    names = ("an empty handler", "the receiver", "an event of WeCom, opened")
    taken: dict[str, list[float]] = {name: [] for name in names}
    events = [_event(push) for push in pushes]
    of_wecom = _event_of_wecom()
    receive = vendor_webhooks.handler
    nothing: Any = lambda *_: None  # noqa: E731 - a function for each of them
    with (
        _without(repository, "receive", nothing),
        _without(queues, "send", nothing),
        _without(receiving, "count", nothing),  # told to nobody here
        _without(wecom, "count", nothing),
    ):
        for round_ in range(ROUNDS + 1):
            gc.collect()
            for event in events:
                asked = ((empty, event), (receive, event), (receive, of_wecom))
                for name, (handler, given) in zip(names, asked, strict=True):
                    began = time.perf_counter()
                    handler(given, CONTEXT)
                    if round_:
                        taken[name].append(time.perf_counter() - began)
            say(f"round {round_} of {ROUNDS}")
    cuts = [statistics.quantiles(all_, n=100) for all_ in taken.values()]
    for name, each in zip(taken, cuts, strict=True):
        say(f"{name}: p50 {each[49] * 1e3:.2f} ms, p99 {each[98] * 1e3:.2f} ms")
    rows = [
        [name, ratio(each[49] / cuts[0][49]), ratio(each[98] / cuts[0][98])]
        for name, each in zip(taken, cuts, strict=True)
    ]
    return table(["own work of an acknowledgement", "p50", "p99"], rows)


def _followed(shop: Shop, pushes: list[Push], say: Callable[[str], None]) -> float:
    """How many messages a second one function follows, one after the other."""
    with _without(queues, "send", lambda *_: None):
        messages = [_kept(shop, push) for push in pushes]
        began = time.perf_counter()
        for message in messages:
            tasks.handle(queueing.Follow(message=message.id, turn=int(message.turn)))
        rate = len(messages) / (time.perf_counter() - began)
    say(f"{rate:.1f} messages a second are followed by one function")
    return rate


def _kept(shop: Shop, push: Push) -> Message:
    headers = {name.lower(): value for name, value in push.headers.items()}
    service.receive(Vendor.YOUZAN, headers, push.raw, at=datetime.now(UTC))
    page = repository.page_of_open_messages(
        shop.id, MessageState.WAITING, first=1, after=None, reverse=True
    )
    return page.items[0]


def _pushes(peer: Youzan) -> list[Push]:
    begin = datetime.now(UTC) - timedelta(hours=14)
    plan = Plan((_STORE,), ("xiaohua",), orders=60, customers=20)
    return [
        push
        for _, happens in happenings(plan, begin, 1)
        for event in happens(peer.world)
        for push in peer.pushes(event)
    ]


def _event(push: Push) -> dict[str, Any]:
    return {
        "rawPath": "/vendors/youzan",
        "headers": push.headers,
        "body": base64.b64encode(push.raw).decode(),
        "isBase64Encoded": True,
        "requestContext": {"stage": "$default"},
    }


def _event_of_wecom() -> dict[str, Any]:
    """A new friend with a welcome code, signed and encrypted as WeCom does."""
    sealed = Crypt.of(_KEY, _CORP).seal(_FRIEND, os.urandom(16))
    stamp, nonce = str(int(time.time())), "415670741"
    return {
        "rawPath": "/vendors/wecom",
        "queryStringParameters": {
            "msg_signature": signature(_TOKEN, stamp, nonce, sealed),
            "timestamp": stamp,
            "nonce": nonce,
        },
        "headers": {},
        "body": base64.b64encode(f"<xml><Encrypt>{sealed}</Encrypt></xml>".encode()).decode(),
        "isBase64Encoded": True,
        "requestContext": {"stage": "$default", "http": {"method": "POST"}},
    }


@contextmanager
def _chain(say: Callable[[str], None]) -> Iterator[tuple[Shop, Youzan]]:
    """A chain with a store that is linked, and the vendor that it is linked with."""
    engine = engines.chosen()
    engine.ensure_environment(say)
    peer = Youzan(World(), Faults(), client_id=_APP, secret=_SECRET, shop=_ROOT)
    with (
        tempfile.TemporaryDirectory() as folder,
        engine.start(Path(folder), persist=False) as running,
        server.serve(peer) as simulator,
    ):
        local.point_at(running.url)
        os.environ["APP_YOUZAN_BASE_URL"] = simulator.url
        os.environ["APP_WECOM_CORP_ID"] = _CORP
        os.environ["APP_WECOM_CALLBACK_TOKEN"] = _TOKEN
        os.environ["APP_WECOM_CALLBACK_KEY"] = _KEY
        settings.cache_clear()
        secrets.forget()
        tables.create_all()
        clock = Clock()
        stores.set_up_chain("Bench", zone=DEFAULT_ZONE, offset_days=0, clock=clock)
        given = stores.StoreCreate(name="S", code="S", parent_id=HEADQUARTERS_ID)
        store = stores.create_store(given, viewer=SYSTEM, clock=clock)
        linked = ShopLink(
            vendor=Vendor.YOUZAN,
            vendor_key=_ROOT,
            client_id=_APP,
            name="Bench",
            default_store_id=store.id,
        )
        shop = service.link(linked, viewer=SYSTEM, at=clock.now())
        link = LinkSet(shop_id=shop.id, kind=LinkKind.STORE, vendor_key=_STORE, our_id=store.id)
        service.set_link(link, viewer=SYSTEM, at=clock.now())
        yield shop, peer


@contextmanager
def _without(module: Any, name: str, instead: Any) -> Iterator[None]:
    """Have a function of a module be another one for a while."""
    kept = getattr(module, name)
    setattr(module, name, instead)
    try:
        yield
    finally:
        setattr(module, name, kept)
