"""The way of a new chain: its first login, writes, what follows from them, a policy, a day."""

import gzip
import json
import os
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from graphql_api import auth
from graphql_api.connectors.weixin_crypto import Crypt, signature
from graphql_api.viewer import MANAGE_VENDORS, Role
from scripts import stand_ins
from scripts.e2e.journey import PATIENCE, Failed, Journey, await_that, require
from scripts.simulator import laptops
from scripts.simulator.world import Line, Order
from scripts.simulator.youzan import Youzan
from scripts.stack import FIRST_OPERATOR

_TAKEN = {"code": 0, "msg": "success"}


def answers(journey: Journey) -> str:
    """The API answers, and tells an outsider nothing."""
    health = journey.http.get(f"{journey.served.url}/health")
    require((health.status_code, health.text), (200, "ok"), "health")
    body = {"query": "{ organisation { name } }"}
    refused = journey.http.post(f"{journey.served.url}/graphql", json=body)
    require(refused.status_code, 401, "an outsider")
    return "health 200, an outsider 401"


def logs_in(journey: Journey) -> str:
    """The first operator comes in by WeCom and makes the chain."""
    given = {"code": FIRST_OPERATOR, "client": "WEB", "role": "OPERATOR"}
    login = journey.send("console/login", input=given)["login"]
    journey.token = login["tokens"]["accessToken"]
    unit = journey.send("console/chain_set_up", input={"name": "端到端连锁"})["unit"]
    journey.known["headquarters"] = unit["id"]
    return f"{FIRST_OPERATOR} is {login['tokens']['role']}, {unit['name']} stands"


def writes_and_reads_back(journey: Journey) -> str:
    """A store, two guides and a member, read back as they were written."""
    known = journey.known
    store = {"code": "SH-001", "name": "静安寺店", "parentId": known["headquarters"]}
    known["store"] = journey.send("console/store_create", input=store)["store"]["id"]
    for name, user in (("周杰", "ZhouJie"), ("林芳", "LinFang")):
        given = {"storeId": known["store"], "name": name, "wecomUserId": user}
        known[user] = journey.send("console/guide_create", input=given)["guide"]["id"]
    scopes = [
        "members:read",
        "members:write",
        "orders:read",
        "orders:write",
        "stores:read",
    ]
    given = {"name": "收银系统", "scopes": scopes}
    known["key"] = journey.send("console/api_key_create", input=given)["key"]
    member = {
        "identities": [{"kind": "PHONE", "value": "13900139000"}],
        "storeId": known["store"],
        "guideId": known["ZhouJie"],
    }
    made = journey.send("integration/member_enrol", known["key"], input=member)["member"]
    known["member"] = made["id"]
    read = journey.ask(
        "query ($id: ID!) { member(by: {id: $id}) { memberNo store { name } guide { name } } }",
        journey.token,
        id=made["id"],
    )["member"]
    expected = {
        "memberNo": made["memberNo"],
        "store": {"name": "静安寺店"},
        "guide": {"name": "周杰"},
    }
    require(read, expected, "the member")
    return f"member {made['memberNo']} of 静安寺店, looked after by 周杰"


def stream_reaches_its_function(journey: Journey) -> str:
    """An order waits for its buyer, who enrols: the stream of members brings it to them."""
    known = journey.known
    buyer = {"kind": "OPENID", "value": "o-e2e-1"}
    body = {
        "revision": "1",
        "paidAt": f"{time.strftime('%Y-%m-%d')}T00:00:01+08:00",
        "storeId": known["store"],
        "buyer": [buyer],
        "lines": [{"itemId": "tea", "name": "绿茶", "amount": "650.00"}],
    }
    order = {"source": "pos", "externalId": "e2e-1", "body": body}
    applied = journey.send("integration/order_apply", known["key"], input=order)["order"]
    require(applied["member"], None, "the buyer of the order")
    enrol = {"identities": [buyer], "storeId": known["store"]}
    member = journey.send("integration/member_enrol", known["key"], input=enrol)["member"]
    known["buyer"] = member["id"]

    def attached() -> bool:
        document = (
            "query ($id: ID!) { member(by: {id: $id}) { orders(first: 1) { nodes { id } } } }"
        )
        read = journey.ask(document, journey.token, id=member["id"])["member"]
        return [node["id"] for node in read["orders"]["nodes"]] == [applied["id"]]

    seconds = await_that(attached, "the order comes to its member")
    return f"the order came to member {member['memberNo']} after {seconds:.1f} s"


def job_drives_itself(journey: Journey) -> str:
    """A hand-over runs to its end by the records of its own writes."""
    known = journey.known
    given = {"fromGuideId": known["ZhouJie"], "targetIds": [known["LinFang"]]}
    job = journey.send("console/hand_over_create", input=given)["handOver"]

    def done() -> bool:
        document = "query ($id: ID!) { node(id: $id) { ... on HandOver { state moved } } }"
        read = journey.ask(document, journey.token, id=job["id"])["node"]
        return bool(read == {"state": "DONE", "moved": 1})

    seconds = await_that(done, "the hand-over ends")
    return f"one member moved from 周杰 to 林芳 after {seconds:.1f} s"


def list_is_taken_in_bulk(journey: Journey) -> str:
    """A list with the lists in it is asked in the background, and fetched by its link."""
    key = journey.known["key"]
    query = "{ members { nodes { id memberNo orders { nodes { id } } } } }"
    given = {"query": query}
    begun = journey.send("integration/bulk_operation_run_query", key, input=given)["operation"]

    def ended() -> dict[str, Any]:
        found: dict[str, Any] = journey.send("integration/bulk_operation", key, id=begun["id"])
        return found

    seconds = await_that(lambda: ended()["state"] in {"DONE", "FAILED"}, "the operation ends")
    done = ended()
    require((done["state"], done["rootObjectCount"]), ("DONE", 2), "the operation")
    lines = gzip.decompress(journey.http.get(done["url"]).content).splitlines()
    require(len(lines), 3, "lines of two members and an order")
    return f"{len(lines)} lines behind a link after {seconds:.1f} s"


def policy_reaches_everyone(journey: Journey) -> str:
    """A ladder is published: the state machine brings it to every member, piece by piece."""
    thresholds = (0, 100, 300, 600, 3_000, 6_000)
    tiers = [{"name": f"V{n}", "threshold": t} for n, t in enumerate(thresholds, start=1)]
    ladder = {"tiers": tiers}
    given = {"kind": "TIER_LADDER", "document": ladder}
    draft = journey.send("console/policy_draft", input=given)["policy"]
    publish = {"kind": "TIER_LADDER", "draftVersion": draft["version"]}
    journey.send("console/policy_publish", input=publish)

    def done() -> bool:
        runs = journey.send("console/policy_runs")["nodes"]
        if any(run["state"] == "FAILED" for run in runs):
            raise Failed(f"a run failed: {runs}")
        return [run["state"] for run in runs if run["kind"] == "REBUILD"] == ["DONE"]

    seconds = await_that(done, "the rebuild ends", 3 * PATIENCE)
    machine = journey.served.physical("RebuildMachine")
    found = boto3.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    require([one["status"] for one in found], ["SUCCEEDED"], "executions of the machine")
    tier = "query ($id: ID!) { member(by: {id: $id}) { tier { current } } }"
    read = journey.ask(tier, journey.token, id=journey.known["buyer"])["member"]
    require(read, {"tier": {"current": "V4"}}, "the tier of who bought for 650 yuan")
    return f"the buyer is V4; the run ended after {seconds:.1f} s"


def day_begins(journey: Journey) -> str:
    """A schedule starts a day a year from now: its pieces go through the queue, members move on."""
    day = (datetime.now(UTC) + timedelta(days=365)).date().isoformat()
    _schedule(journey, {"as_of": day})

    def moved() -> bool:
        key = {"id": {"S": journey.known["buyer"]}, "sort": {"S": "@"}}
        table = journey.served.physical("MembersTable")
        buyer = boto3.client("dynamodb").get_item(TableName=table, Key=key)["Item"]
        state, *_ = json.loads(buyer["standing"]["S"])["l"]
        return bool(state > 0)

    seconds = await_that(moved, "members move on", 3 * PATIENCE)
    return f"the buyer left ONBOARDING on {day}, {seconds:.1f} s after the schedule was made"


def _schedule(journey: Journey, event: dict[str, Any]) -> None:
    """Have the scheduler call the plan once, now, as it does every night."""
    plan = journey.served.physical("RecomputePlanFunction")
    function = boto3.client("lambda").get_function(FunctionName=plan)["Configuration"]
    role = journey.served.physical("RecomputePlanFunctionDayRole")
    arn = boto3.client("iam").get_role(RoleName=role)["Role"]["Arn"]
    soon = datetime.now(UTC) + timedelta(seconds=5)
    boto3.client("scheduler").create_schedule(
        Name="day-of-the-journey",
        ScheduleExpression=f"at({soon:%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": function["FunctionArn"], "RoleArn": arn, "Input": json.dumps(event)},
    )


def vendor_pushes(journey: Journey) -> str:
    """A shop of Youzan is linked: who joins and buys there is here, once, by signed pushes."""
    known, vendors = journey.known, journey.served.vendors
    shop = {
        "vendor": "YOUZAN",
        "vendorKey": laptops.SHOPS["youzan"],
        "clientId": laptops.CLIENT_ID,
        "name": "有赞旗舰店",
        "defaultStoreId": known["store"],
    }
    token = auth.issue(Role.OPERATOR, "opr_e2e", scopes=frozenset({MANAGE_VENDORS}))
    linked = journey.send("console/vendor_shop_link", token, input=shop)["shop"]
    peer = next(one for one in vendors.peers if isinstance(one, Youzan))
    now = datetime.now(UTC) - timedelta(minutes=5)
    line = Line("1", "面霜", 1, 12_850)
    bought = Order(f"E{now:%H%M%S}", "yz-e2e", "52323", None, [line], now, now)
    events = [*peer.world.join("yz-e2e", "王芳", now), *peer.world.buy(bought)]
    pushes = [push for event in events for push in peer.pushes(event)]
    for push in (*pushes, *pushes):
        answer = journey.http.post(
            f"{journey.served.url}/vendors/youzan", content=push.raw, headers=push.headers
        )
        require((answer.status_code, answer.json()), (200, _TAKEN), "the answer to a push")
    forged = pushes[0].forged()
    refused = journey.http.post(
        f"{journey.served.url}/vendors/youzan", content=forged.raw, headers=forged.headers
    )
    require(refused.status_code, 401, "the answer to a forged push")

    def followed() -> bool:
        document = (
            "query ($id: ID!) { vendorShop(id: $id) "
            "{ messages(reverse: true) { nodes { type state outcome } } } }"
        )
        read = journey.ask(document, token, id=linked["id"])["vendorShop"]["messages"]
        done = {(one["type"], one["state"], one["outcome"]) for one in read["nodes"]}
        return ("trade_TradePaid", "HANDLED", "APPLIED") in done

    seconds = await_that(followed, "the trade is followed")
    return f"{len(pushes)} pushes, each twice: the trade was here after {seconds:.1f} s"


def platforms_push(journey: Journey) -> str:
    """WeCom checks the address and tells of a friend, signed and encrypted; forgeries come to
    nothing."""
    address = f"{journey.served.url}/vendors/wecom"
    crypt = Crypt.of(stand_ins.CALLBACK_KEY, stand_ins.CORP_ID)
    echo = _sealed(crypt, b"1616140317555161061")
    began = time.monotonic()
    checked = journey.http.get(address, params={**_stamped(echo), "echostr": echo})
    took = time.monotonic() - began
    require((checked.status_code, checked.text), (200, "1616140317555161061"), "the check")
    told = (
        "<xml><Event>change_external_contact</Event><ChangeType>del_follow_user</ChangeType>"
        "<UserID>ZhouJie</UserID><ExternalUserID>wm-e2e</ExternalUserID>"
        f"<CreateTime>{int(time.time())}</CreateTime></xml>"
    )
    sealed = _sealed(crypt, told.encode())
    body = f"<xml><Encrypt>{sealed}</Encrypt></xml>"
    for _ in range(2):
        taken = journey.http.post(address, params=_stamped(sealed), content=body)
        require((taken.status_code, taken.text), (200, "success"), "the answer to an event")
    refused = journey.http.post(address, params=_stamped("another"), content=body)
    require(refused.status_code, 401, "the answer to a forged event")

    def known() -> bool:
        asked = {"guideId": journey.known["ZhouJie"]}
        friends = journey.send("console/friends", **asked)["nodes"]
        return [one["state"] for one in friends] == ["DELETED_BY_CUSTOMER"]

    seconds = await_that(known, "the friendship is known")
    return f"the address was checked in {took:.2f} s, a friendship known after {seconds:.1f} s"


def _sealed(crypt: Crypt, message: bytes) -> str:
    return crypt.seal(message, os.urandom(16))


def _stamped(encrypted: str) -> dict[str, str]:
    """The query of a request that is signed for these encrypted bytes."""
    timestamp, nonce = str(int(time.time())), "415670741"
    signed = signature(stand_ins.CALLBACK_TOKEN, timestamp, nonce, encrypted)
    return {"msg_signature": signed, "timestamp": timestamp, "nonce": nonce}
