"""`make e2e`: the packaged stack in the embedded AWS, driven through HTTP as its users drive it.

    python -m scripts.e2e                # every right is granted
    python -m scripts.e2e --rights       # each function may do what its role says, no more

Each step says what it saw. With `--rights` the emulator enforces the roles, and whatever a function
was denied fails the run.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import httpx

from scripts import deploy, emulator, package, stack
from scripts.processes import EngineError
from scripts.stack import FIRST_OPERATOR, LocalStack

OPERATIONS = package.ROOT / "schema" / "operations"
PATIENCE = 60.0


class Failed(AssertionError):
    """A step did not see what it should; the message says what it saw."""


@dataclass
class Journey:
    """A client of the deployed API, and what it has got to know so far."""

    served: LocalStack
    http: httpx.Client
    token: str | None = None
    known: dict[str, Any] = field(default_factory=dict)

    def send(self, operation: str, token: str | None = None, **variables: Any) -> Any:
        """Run a document of schema/operations; gives its one root field, which must be done."""
        document = (OPERATIONS / f"{operation}.graphql").read_text(encoding="utf-8")
        data = self.ask(document, token or self.token, **variables)
        [root] = data.values()
        if isinstance(root, dict) and root.get("userErrors"):
            raise Failed(f"{operation}: {root['userErrors']}")
        return root

    def ask(self, document: str, token: str | None, **variables: Any) -> dict[str, Any]:
        """Run a document; gives its data."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        body = {"query": document, "variables": variables}
        answer = self.http.post(f"{self.served.url}/graphql", json=body, headers=headers)
        told = answer.json()
        if answer.status_code != 200 or told.get("errors"):
            raise Failed(f"{answer.status_code}: {json.dumps(told, ensure_ascii=False)[:500]}")
        data: dict[str, Any] = told["data"]
        return data


def require(seen: object, expected: object, what: str) -> None:
    """Fail unless the step saw what it should."""
    if seen != expected:
        raise Failed(f"{what}: {seen!r}, and not {expected!r}")


def await_that(holds: Callable[[], bool], what: str, seconds: float = PATIENCE) -> float:
    """Wait for what follows from a write; gives how long it took."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > seconds:
            raise Failed(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.25)
    return time.monotonic() - began


# --- the steps -------------------------------------------------------------------------------


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


def policy_reaches_everyone(journey: Journey) -> str:
    """A ladder is published: the state machine brings it to every member, piece by piece."""
    ladder = {"tiers": [{"name": "V1", "threshold": 0}, {"name": "Gold", "threshold": 600}]}
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
    require(read, {"tier": {"current": "Gold"}}, "the tier of who bought for 650 yuan")
    return f"the buyer is Gold; the run ended after {seconds:.1f} s"


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


STEPS = (
    answers,
    logs_in,
    writes_and_reads_back,
    stream_reaches_its_function,
    job_drives_itself,
    policy_reaches_everyone,
    day_begins,
)


def run(data_dir: Path, *, rights: bool) -> None:
    """Deploy, take every step, delete; raises Failed at the first that saw something else."""
    began = time.monotonic()
    with stack.deployed(data_dir, persist=False, enforce_rights=rights) as served:
        print(f"deployed after {time.monotonic() - began:.1f} s: {served.url}", flush=True)
        with httpx.Client(timeout=PATIENCE) as client:
            journey = Journey(served, client)
            for step in STEPS:
                print(f"  {step.__name__}: {step(journey)}", flush=True)
        deploy.down(served.stack)
        require(served.stack.describe(), None, "the stack after it was deleted")
        left = boto3.client("lambda").list_functions()["Functions"]
        require(left, [], "functions after the stack was deleted")
        print("deleted", flush=True)
        if rights:
            require(denied(decisions(data_dir)), [], "what was denied")


def denied(seen: list[dict[str, str]]) -> list[tuple[str, str, str]]:
    """Who was refused what. A secret is looked at twice, by its own policy first."""

    def asked(one: dict[str, str]) -> tuple[str, str, str]:
        return one["principal"], one["action"], one["resource"]

    allowed = {asked(one) for one in seen if one["decision"] == "Allow"}
    return sorted({asked(one) for one in seen if one["decision"] != "Allow"} - allowed)


def decisions(data_dir: Path) -> list[dict[str, str]]:
    """Each time that a function's rights were looked at."""
    lines = (data_dir / emulator.DECISIONS).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def main() -> int:
    """0 when every step saw what it should."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rights", action="store_true", help="have the emulator enforce roles")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        try:
            run(Path(folder), rights=given.rights)
        except (Failed, EngineError, deploy.DeployError, package.PackageError) as error:
            print(f"FAILED: {error}", file=sys.stderr)
            log = Path(folder) / emulator.LOG
            print(log.read_text(encoding="utf-8", errors="replace")[-3000:], file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
