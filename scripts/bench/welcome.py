"""How long a new friend waits for the welcome, when ten times as many come as on average.

Friends arrive at the receiver, signed and encrypted; what it queues is taken by as many functions
as the template has, each asking a simulated WeCom over HTTP that takes its time.
"""

import os
import queue
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from graphql_api import tables
from graphql_api.config import settings
from graphql_api.connectors.tokens import tokens
from graphql_api.connectors.wecom import receiving
from graphql_api.friends import rules, service, tasks
from graphql_api.guides import service as guides
from graphql_api.kit import queues
from graphql_api.kit.time import DEFAULT_ZONE, Clock
from graphql_api.observability import logger
from graphql_api.stores import service as stores
from graphql_api.stores.models import HEADQUARTERS_ID
from graphql_api.viewer import SYSTEM
from scripts import engines, local
from scripts.bench.report import ratio, table
from scripts.simulator import server
from scripts.simulator.faults import Faults
from scripts.simulator.wecom import Wecom

AVERAGE = 1000 * 5 * 3 / (12 * 3600)
"""New friends a second: a thousand stores, five guides each, three a day within twelve hours."""
SECONDS = 20
AT_ONCE = 20
"""WelcomesAtOnce of the template."""
TAKES = 0.3
"""Seconds that WeCom takes for an answer."""
LOADS = (1, 10, 100)


def run(say: Callable[[str], None]) -> str:
    """The table: what part of the 20 seconds the slowest of friends waits, by load."""
    logger.setLevel("ERROR")
    rows = []
    with _chain(say) as corp:
        _burst(corp, 10.0, 2)  # whatever a first one reads
        for load in LOADS:
            waits = _burst(corp, AVERAGE * load, SECONDS)
            half = statistics.median(waits)
            say(f"{load} times: {len(waits)} friends, p50 {half:.2f} s, max {max(waits):.2f} s")
            limit = rules.WELCOME_WITHIN.total_seconds()
            shares = [f"{100 * wait / limit:.1f} %" for wait in (half, max(waits))]
            rows.append([f"{load}", *shares])
    head = ["times the average load", "half of them", "the longest"]
    return table(head, rows) + (
        f"\n\nParts of the 20 seconds, from adding the guide to WeCom's having the welcome;"
        f" {ratio(AT_ONCE / TAKES / (10 * AVERAGE))} times ten times the average is what {AT_ONCE}"
        f" functions can do with answers of {TAKES} seconds."
    )


def _burst(corp: Wecom, rate: float, seconds: float) -> list[float]:
    """Friends come evenly for some seconds; how long each waited."""
    lane: queue.Queue[str] = queue.Queue()
    waits: list[float] = []
    lock = threading.Lock()

    def send(url: str, messages: Sequence[queues.Message]) -> None:
        for message in messages if url == "welcomes" else ():
            lane.put(orjson.dumps(message.body).decode())

    def work() -> None:
        while (text := lane.get()) != "":
            added_at = began[orjson.loads(text)["external_user_id"]]
            done = tasks.greet(text)
            with lock:
                waits.append(time.perf_counter() - added_at if done else float("inf"))

    began: dict[str, float] = {}
    with ThreadPoolExecutor(AT_ONCE) as pool, _instead(queues, "send", send):
        workers = [pool.submit(work) for _ in range(AT_ONCE)]
        start = time.perf_counter()
        for n in range(max(2, round(rate * seconds))):
            time.sleep(max(0.0, start + n / rate - time.perf_counter()))
            customer, at = f"wm-{start}-{n}", datetime.now(UTC)
            began[customer] = time.perf_counter()
            [knock] = corp.add("bench", customer, at)
            assert receiving.receive(knock.query, knock.raw, at=at).status == 200
        for _ in workers:
            lane.put("")
        for worker in workers:
            worker.result()
    return waits


@contextmanager
def _instead(module: Any, name: str, other: Any) -> Iterator[None]:
    kept = getattr(module, name)
    setattr(module, name, other)
    try:
        yield
    finally:
        setattr(module, name, kept)


@contextmanager
def _chain(say: Callable[[str], None]) -> Iterator[Wecom]:
    """A guide with words for new friends, and the corp over HTTP."""
    corp = Wecom(Faults(slow_seconds=TAKES))
    engine = engines.chosen()
    engine.ensure_environment(say)
    with (
        tempfile.TemporaryDirectory() as directory,
        engine.start(Path(directory), persist=False) as started,
        server.serve(corp) as simulator,
    ):
        local.point_at(started.url)
        os.environ |= {
            "APP_WECOM_BASE_URL": simulator.url,
            "APP_WECOM_CORP_ID": corp.corp,
            "APP_WECOM_CONTACTS_SECRET": corp.secret,
            "APP_WECOM_CALLBACK_TOKEN": corp.token,
            "APP_WECOM_CALLBACK_KEY": corp.key,
            "APP_CONTACT_QUEUE_URL": "contacts",
            "APP_WELCOME_QUEUE_URL": "welcomes",
        }
        settings.cache_clear()
        tokens.forget()
        tables.create_all()
        clock = Clock()
        stores.set_up_chain("比较", zone=DEFAULT_ZONE, offset_days=0, clock=clock)
        new = stores.StoreCreate(name="西湖店", code="S1", parent_id=HEADQUARTERS_ID)
        store = stores.create_store(new, viewer=SYSTEM, clock=clock)
        hired = guides.GuideCreate(store_id=store.id, name="小花", wecom_user_id="bench")
        guides.create(hired, viewer=SYSTEM, clock=clock)
        words = service.WelcomeSet(text="您好，我是{store}的{guide}")
        service.set_welcome(words, viewer=SYSTEM, at=datetime.now(UTC))
        say(f"{AT_ONCE} functions, WeCom answers after {TAKES} seconds")
        yield corp
