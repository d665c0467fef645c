"""`make simulate`: a vendor's day pushed at the running `make dev`, and what came of it.

    python -m scripts.simulate --vendor youzan --orders 200 --faults lost=0.1,doubled=0.2,reach=8

The simulated vendor of `make dev` makes up a day of customers, with names of the chain's members
and its stores and guides, pushes it signed, and says what it comes to; that is held against what
the API says, order by order and customer by customer. Exit code 1 on a difference.
"""

import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from graphql_api.kit.time import real_now
from graphql_api.orders.service import order_id_of
from graphql_api.stores import service as stores
from graphql_api.viewer import Role
from scripts import local
from scripts.simulator.laptops import CLIENT_ID, SHOPS

AT_ONCE = 50
LOOK_EVERY_SECONDS = 1.0
DAY = timedelta(hours=13)
FLAGS = ("outage",)

CHAIN = """query($n: Int!) {
  stores(first: 4) { nodes { id name guides(first: 1) { nodes { id } } } }
  members(first: $n) { nodes { name } }
  tags(first: 2) { nodes { id name } }
}"""
LINK = """mutation($input: VendorShopLinkInput!) {
  vendorShopLink(input: $input) { shop { id } userErrors { code message } }
}"""
SHOP = "{ vendorShops(first: 100) { nodes { id vendor vendorKey } } }"
SET_LINK = """mutation($input: VendorShopSetLinkInput!) {
  vendorShopSetLink(input: $input) { userErrors { code message } }
}"""
REST = """query($id: ID!) { vendorShop(id: $id) {
  waiting: openMessages(state: WAITING, first: 1) { nodes { id } }
  due: openCopies(state: DUE, first: 1) { nodes { id } }
  dead: openMessages(state: DEAD, first: 100) { nodes { receivedAt type problem detail } }
} }"""
BEGIN = """mutation($input: VendorRunBeginInput!) {
  vendorRunBegin(input: $input) { run { id } userErrors { code message } }
}"""
RUN = "query($id: ID!) { vendorRun(id: $id) { state asked same mended lost } }"
ORDERS = """query($ids: [ID!]!) { nodes(ids: $ids) { ... on Order {
  externalId total refunded member { id name purchases { orders paid refunded } }
} } }"""

Json = dict[str, Any]
Ask = Callable[..., Json]


class Refused(Exception):
    """The API or the simulator did not do what it was asked."""


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when both sides have the same, 1 on a difference or a refusal."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--vendor", choices=sorted(SHOPS), default="youzan")
    parser.add_argument("--orders", type=int, default=200)
    parser.add_argument("--faults", type=faults_of, default={}, help="lost=0.1,doubled=0.2,outage")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--wait", type=float, default=900, help="for rest, in seconds")
    chosen = parser.parse_args(arguments)
    record = local.data_dir() / local.SIMULATOR_RECORD
    if not record.exists():
        print("No simulated vendor runs here: start `make dev`, without apps of your own.")
        return 1
    api = f"http://127.0.0.1:{os.environ.get('PORT') or 8000}"
    try:
        return _simulate(chosen, api, f"{record.read_text()}/control/{chosen.vendor}")
    except (Refused, OSError) as problem:
        print(f"It did not get through: {problem}")
        return 1


def _simulate(chosen: argparse.Namespace, api: str, control: str) -> int:
    token = local.token(Role.OPERATOR)

    def ask(query: str, **variables: Any) -> Json:
        return _asked(f"{api}/graphql", token, query, variables)

    with local.database():
        begin = stores.clock().now() - DAY
    begun = real_now()
    plan, shop_id = _planned(ask, chosen, begin)
    _post(f"{control}/faults", {"seed": chosen.seed, **chosen.faults})
    _post(f"{control}/day", {**plan, "seed": chosen.seed})
    report = _post(f"{control}/push", {"url": f"{api}/vendors/{chosen.vendor}", "pace": 0.01})
    _post(f"{control}/faults", {})
    print(
        f"pushed {report['made']} (lost {report['lost']}), sent {report['sent']}, acknowledged "
        f"{report['acknowledged']} in {report['p50_ms']} ms (p50), {report['p99_ms']} ms (p99)"
    )
    dead = _rest(ask, shop_id, begun, chosen.wait)
    if chosen.faults:
        _reconcile(ask, shop_id, begin, chosen.wait)
    for message in dead:
        print(f"given up: {message['type']} {message['problem']} {message['detail']}")
    totals = _post(f"{control}/totals", {})
    mine = {no: o for no, o in totals["orders"].items() if no.startswith(plan["prefix"])}
    here, differences = _compared(ask, chosen.vendor, mine)
    print(f"orders here {here}, expected {len(mine)}, differences {len(differences)}")
    for line in differences[:20]:
        print(f"  {line}")
    return int(bool(differences or dead))


def faults_of(text: str) -> Json:
    """Faults out of `lost=0.1,doubled=0.2,outage`."""
    found: Json = {}
    for part in filter(None, text.split(",")):
        name, _, value = part.partition("=")
        found[name] = True if name in FLAGS else json.loads(value)
    return found


def _planned(ask: Ask, chosen: argparse.Namespace, begin: datetime) -> tuple[Json, str]:
    """What day it is to be, and the shop, linked with stores, guides and tags of the chain."""
    customers = max(4, chosen.orders // 4)
    chain = ask(CHAIN, n=min(customers, 100))
    stores = {str(52300 + n): store for n, store in enumerate(chain["stores"]["nodes"])}
    shop_id = _shop(ask, chosen.vendor, next(iter(stores.values()))["id"])
    links = {("STORE", key): store["id"] for key, store in stores.items()}
    guides = [g["id"] for store in stores.values() for g in store["guides"]["nodes"]]
    links |= {("GUIDE", str(61100 + n)): id_ for n, id_ in enumerate(guides)}
    tags = {_tag_key(chosen.vendor, n, t): t["id"] for n, t in enumerate(chain["tags"]["nodes"])}
    links |= {("TAG", key): id_ for key, id_ in tags.items()}
    for (kind, key), id_ in links.items():
        given = {"shopId": shop_id, "kind": kind, "vendorKey": key, "ourId": id_}
        _done(ask(SET_LINK, input=given)["vendorShopSetLink"])
    plan = {
        "orders": chosen.orders,
        "customers": customers,
        "stores": list(stores),
        "guides": [key for kind, key in links if kind == "GUIDE"],
        "tags": list(tags) or [_tag_key(chosen.vendor, 0, {"name": "高价值"})],
        "names": [m["name"] for m in chain["members"]["nodes"] if m["name"]],
        "prefix": str(int(time.time()))[-8:],
        "is_numeric": chosen.vendor == "weimob",
        "begin": begin.isoformat(),
    }
    return plan, shop_id


def _tag_key(vendor: str, number: int, tag: Json) -> str:
    return str(301 + number) if vendor == "weimob" else str(tag["name"])


def _shop(ask: Ask, vendor: str, store_id: str) -> str:
    for shop in ask(SHOP)["vendorShops"]["nodes"]:
        if (shop["vendor"], shop["vendorKey"]) == (vendor.upper(), SHOPS[vendor]):
            return str(shop["id"])
    given = {
        "vendor": vendor.upper(),
        "vendorKey": SHOPS[vendor],
        "clientId": CLIENT_ID,
        "name": "模拟店铺",
        "defaultStoreId": store_id,
    }
    return str(_done(ask(LINK, input=given)["vendorShopLink"])["shop"]["id"])


def _rest(ask: Ask, shop_id: str, begun: datetime, seconds: float) -> list[Json]:
    """Wait until nothing is to be followed or told; gives what was given up since it began."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        shop = ask(REST, id=shop_id)["vendorShop"]
        if not shop["waiting"]["nodes"] and not shop["due"]["nodes"]:
            dead: list[Json] = shop["dead"]["nodes"]
            return [m for m in dead if datetime.fromisoformat(m["receivedAt"]) >= begun]
        time.sleep(LOOK_EVERY_SECONDS)
    raise Refused(f"the server was not at rest after {seconds:.0f} s")


def _reconcile(ask: Ask, shop_id: str, since: datetime, seconds: float) -> None:
    window = {"since": since.isoformat(), "until": (since + DAY).isoformat()}
    given = {"shopId": shop_id, **window}
    run_id = _done(ask(BEGIN, input=given)["vendorRunBegin"])["run"]["id"]
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        run = ask(RUN, id=run_id)["vendorRun"]
        if run["state"] != "RUNNING":
            print(
                f"reconciled ({run['state']}): asked {run['asked']}, same {run['same']}, "
                f"mended {run['mended']}, lost {run['lost']}"
            )
            return
        time.sleep(LOOK_EVERY_SECONDS)
    raise Refused("the reconciliation did not end")


def _compared(ask: Ask, vendor: str, expected: Json) -> tuple[int, list[str]]:
    """How many orders are here, and what differs: of each order, and of each buyer's sums."""
    found = {order["externalId"]: order for order in _orders(ask, vendor, list(expected))}
    differences: list[str] = []
    sums: dict[str, list[int]] = {}
    buyers: dict[str, Json] = {}
    for no, order in expected.items():
        here = found.get(no)
        if here is None:
            differences.append(f"order {no} is missing")
            continue
        amounts = {"paid": _fen(here["total"]), "refunded": _fen(here["refunded"])}
        if amounts != order:
            differences.append(f"order {no}: {amounts} here, {order} expected")
        if member := here["member"]:
            buyers[member["id"]] = member["purchases"]
            sums.setdefault(member["id"], []).append(order["paid"] - order["refunded"])
    for member_id, purchases in buyers.items():
        net = _fen(purchases["paid"]) - _fen(purchases["refunded"])
        orders = sum(1 for amount in sums[member_id] if amount)
        if (orders, sum(sums[member_id])) != (purchases["orders"], net):
            differences.append(
                f"member {member_id}: {purchases['orders']} orders and {net} fen here, {orders} "
                f"and {sum(sums[member_id])} expected"
            )
    return len(found), differences


def _orders(ask: Ask, vendor: str, numbers: Sequence[str]) -> Iterator[Json]:
    for begun in range(0, len(numbers), AT_ONCE):
        ids = [order_id_of(vendor, no) for no in numbers[begun : begun + AT_ONCE]]
        yield from filter(None, ask(ORDERS, ids=ids)["nodes"])


def _fen(yuan: str) -> int:
    whole, _, part = yuan.partition(".")
    return int(whole) * 100 + int(part)


def _done(payload: Json) -> Json:
    if payload["userErrors"]:
        raise Refused(json.dumps(payload["userErrors"], ensure_ascii=False))
    return payload


def _asked(url: str, token: str, query: str, variables: Json) -> Json:
    answer = _post(url, {"query": query, "variables": variables}, token)
    if answer.get("errors"):
        raise Refused(json.dumps(answer["errors"], ensure_ascii=False))
    data: Json = answer["data"]
    return data


def _post(url: str, body: Json, token: str = "") -> Json:
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=3600) as answer:  # noqa: S310
            told: Json = json.load(answer)
            return told
    except urllib.error.HTTPError as refused:
        raise Refused(refused.read().decode()) from None


if __name__ == "__main__":
    sys.exit(main())
