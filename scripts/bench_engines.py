"""The local engines side by side: start, small requests, a large partition, the import.

Prints a Markdown table: milliseconds (the median of many), and how many times as long as on
ministack. One run on a busy machine is noise; ratios of one run are less so.

    python -m scripts.bench_engines --households 250
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from graphql_api import tables
from graphql_api.kit.dynamo import (
    Transaction,
    batch_get,
    batch_write,
    key_page,
    reset_connections,
    transact,
)
from graphql_api.members.models import SOLE, Claim, MembersItem
from graphql_api.orders.models import OrdersItem, Waiting
from scripts import engines, import_data, local
from scripts.processes import Running

PARTITION = 10_000
ENGINES = {
    "ministack": ("ministack", True),
    "DynamoDB Local, on disk": ("dynamodb-local", True),
    "DynamoDB Local, in memory": ("dynamodb-local", False),
}
Figures = dict[str, float]


def main() -> int:
    """Measure every engine and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--households", type=int, default=import_data.PART)
    chosen = parser.parse_args()
    found = {
        title: _measure(engines.ENGINES[name], persist, chosen.households)
        for title, (name, persist) in ENGINES.items()
    }
    _print(found)
    return 0


def _measure(engine: engines.Engine, persist: bool, households: int) -> Figures:
    engine.ensure_environment(_quiet)
    with tempfile.TemporaryDirectory() as folder:
        starts = [_start(engine, Path(folder, f"start-{n}"), persist) for n in range(3)]
        figures = {"start until it answers": statistics.median(starts)}
        data_dir = Path(folder, "data")
        with engine.start(data_dir, persist=persist, progress=_quiet) as running:
            local.point_at(running.url)
            reset_connections()
            figures["create the tables"] = _once(tables.create_all)
            figures |= _requests() | _partition()
            figures |= _import(running, households)
        if persist:
            figures["start with the import"] = _start(engine, data_dir, persist)
    return figures


def _start(engine: engines.Engine, data_dir: Path, persist: bool) -> float:
    began = time.perf_counter()
    with engine.start(data_dir, persist=persist, progress=_quiet):
        return (time.perf_counter() - began) * 1000


def _requests() -> Figures:
    """Requests as our repositories make them, for small items of a table with eight indexes."""

    def claims(n: int) -> list[Claim]:
        return [Claim(f"claim#{n}-{i}", member_id="mbr_1") for i in range(25)]

    def write(n: int) -> None:
        def attempt(tx: Transaction) -> None:
            for claim in claims(1000 + n)[:10]:
                tx.create(claim)

        transact(attempt)

    keys = [(claim.id, SOLE) for n in range(4) for claim in claims(n)]
    batch_write(MembersItem, [claim for n in range(10, 20) for claim in claims(n)])
    return {
        "BatchWriteItem, 25 items": _median(40, lambda n: batch_write(MembersItem, claims(n))),
        "BatchGetItem, 1 key": _median(200, lambda _: batch_get(Claim, keys[:1])),
        "BatchGetItem, 100 keys": _median(40, lambda _: batch_get(Claim, keys)),
        "PutItem": _median(100, lambda n: Claim(f"one#{n}", member_id="mbr_1").save()),
        "TransactWriteItems, 10 items": _median(40, write),
    }


def _partition() -> Figures:
    """Queries of one key with ten thousand items."""
    rows = [Waiting("large", f"{n:06d}") for n in range(PARTITION)]
    loading = _once(lambda: batch_write(OrdersItem, rows))

    def page(n: int) -> None:
        key_page(Waiting, "large", Waiting.place, first=20, after=f"{n * 97 % PARTITION:06d}")

    return {
        f"load {PARTITION:,} items, 25 at a time": loading,
        f"Query, a page of 20 of {PARTITION:,}": _median(20, page),
        f"Query, all {PARTITION:,}": _once(lambda: list(Waiting.query("large"))),
    }


def _import(running: Running, households: int) -> Figures:
    command = (sys.executable, "-m", "scripts.import_data", "--households", str(households))

    def run() -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=os.environ)

    figures = {f"import {households} households": _once(run)}
    resident = subprocess.run(
        ("ps", "-o", "rss=", "-p", str(running.pid)), check=True, capture_output=True, text=True
    )
    return figures | {"resident memory after it, MB": int(resident.stdout) / 1024}


def _once(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def _median(times: int, work: Callable[[int], object]) -> float:
    return statistics.median(_once(partial(work, n)) for n in range(times))


def _print(found: dict[str, Figures]) -> None:
    titles = list(found)
    print(f"| ms | {' | '.join(titles)} |")
    print("|---" * (len(titles) + 1) + "|")
    base = found[titles[0]]
    for name in base:
        row = [f"{base[name]:,.1f}"]
        for title in titles[1:]:
            figure = found[title].get(name)
            row.append("" if figure is None else f"{figure:,.1f} (× {figure / base[name]:.2g})")
        print(f"| {name} | {' | '.join(row)} |")


def _quiet(_: str) -> None:
    return None


if __name__ == "__main__":
    sys.exit(main())
