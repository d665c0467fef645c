"""Buckets: exact under concurrency, few writes, and never more than they hold."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from graphql_api import auth
from graphql_api.access import repository
from graphql_api.access.repository import Drawn
from graphql_api.config import Settings, settings
from graphql_api.edge.billing import client_of
from graphql_api.edge.budgets import DEFAULTS, MICROSECONDS, Budget
from graphql_api.edge.throttle import ADVANCE, Charge, Throttle
from graphql_api.kit.dynamo.connection import shared_client
from graphql_api.viewer import ANONYMOUS, Role, Viewer
from tests.calls import counted
from tests.conftest import Client
from tests.edge.conftest import Time

NOW = 1_800_000_000_000_000
TEN = Budget(capacity=100, restore_rate=10, per_operation=100)
WHOLE = TEN.time_of(100)


def test_sixteen_takers_at_once_get_exactly_what_is_there(database: str) -> None:
    def take(_: int) -> bool:
        return repository.draw("c", TEN.time_of(10), WHOLE, NOW, running=False).granted

    with ThreadPoolExecutor(16) as pool:
        granted = list(pool.map(take, range(16)))
    assert granted.count(True) == 10
    refused = repository.draw("c", 1, WHOLE, NOW, running=True)
    assert refused == Drawn(granted=False, full_at=NOW + WHOLE)


def test_bucket_fills_as_time_passes(database: str) -> None:
    assert repository.draw("c", WHOLE, WHOLE, NOW, running=False).granted
    later = NOW + MICROSECONDS
    point = TEN.time_of(1)
    assert not repository.draw("c", 11 * point, WHOLE, later, running=True).granted
    assert repository.draw("c", 10 * point, WHOLE, later, running=True).full_at == later + WHOLE
    much_later = NOW + 10 * WHOLE
    assert repository.draw("c", WHOLE, WHOLE, much_later, running=True).granted
    assert not repository.draw("c", 1, WHOLE, much_later, running=False).granted


def test_right_guess_is_one_write_and_a_wrong_one_two(database: str) -> None:
    for running, writes in ((False, 1), (True, 1), (False, 2)):
        with counted() as calls:
            assert repository.draw("c", 1_000, WHOLE, NOW, running=running).granted
        assert calls == {"UpdateItem": writes}


def test_amount_is_given_back(database: str) -> None:
    assert repository.draw("c", WHOLE, WHOLE, NOW, running=False).granted
    assert repository.draw("c", -WHOLE // 2, WHOLE, NOW, running=True).granted
    assert repository.draw("c", WHOLE // 2, WHOLE, NOW, running=True).full_at == NOW + WHOLE
    later = NOW + 2 * WHOLE
    assert repository.draw("c", -WHOLE, WHOLE, later, running=True).full_at == later
    assert repository.draw("c", WHOLE, WHOLE, later, running=True).granted
    assert not repository.draw("c", 1, WHOLE, later, running=True).granted


def pay(throttle: Throttle, points: int, unused: int = 0, budget: Budget = TEN) -> Charge:
    """Charge a client and settle."""

    async def both() -> Charge:
        charge = await throttle.charge("c", points, budget)
        if charge.granted:
            await throttle.settle("c", unused, budget)
        return charge

    return asyncio.run(both())


def test_most_small_operations_write_nothing(database: str) -> None:
    time = Time()
    throttle = Throttle(time)
    with counted() as calls:
        for _ in range(100):
            assert pay(throttle, 3, 2, DEFAULTS[Role.INTEGRATION]).granted
            time.pass_seconds(0.01)
    # Of the fiftieth that is drawn in advance, 200 points, a hundred are used.
    assert calls == {"UpdateItem": 1}


def test_large_operation_that_needed_little_is_two_writes(database: str) -> None:
    throttle = Throttle(Time())
    with counted() as calls:
        assert pay(throttle, 1_000, 990, DEFAULTS[Role.MEMBER]).granted
    assert calls == {"UpdateItem": 2}


def test_what_was_not_needed_is_there_for_another_process(database: str) -> None:
    time = Time()
    assert pay(Throttle(time), 100, 90).granted
    assert pay(Throttle(time), 80).granted
    assert not pay(Throttle(time), 20).granted


def test_who_asked_too_much_is_told_when_to_come_again(database: str) -> None:
    time = Time()
    throttle = Throttle(time)
    assert pay(throttle, 98).granted
    refused = pay(throttle, 30)
    assert (refused.granted, refused.available, refused.retry_after) == (False, 2, 3)
    time.pass_seconds(2.7)
    assert not pay(throttle, 30).granted
    time.pass_seconds(0.3)
    assert pay(throttle, 30).granted


def test_bucket_that_is_asked_too_often_refuses(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: Any) -> Any:
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "UpdateItem")

    monkeypatch.setattr(shared_client(), "_make_api_call", busy)
    refused = asyncio.run(Throttle(Time()).charge("c", 1, TEN))
    assert (refused.granted, refused.retry_after) == (False, 1)


def test_clients_do_not_pay_for_each_other(database: str) -> None:
    throttle = Throttle(Time())
    assert pay(throttle, 100).granted
    assert not pay(throttle, 1).granted
    assert asyncio.run(throttle.charge("other", 100, TEN)).granted


class Bucket:
    """A bucket in memory, which does what `repository.draw` promises."""

    def __init__(self) -> None:
        self.full_at = 0
        self.draws = 0

    def draw(self, _client: str, amount: int, whole: int, at: int, *, running: bool) -> Drawn:
        self.draws += 1
        moved = max(self.full_at, at) + amount
        if moved > at + whole:
            return Drawn(False, self.full_at)
        self.full_at = max(moved, at)
        return Drawn(True, self.full_at)


@pytest.mark.parametrize(("cost", "unused", "every"), [(2, 0, 0.25), (90, 81, 1.0), (30, 29, 0.15)])
def test_who_asks_less_than_is_restored_is_never_throttled(
    monkeypatch: pytest.MonkeyPatch, cost: int, unused: int, every: float
) -> None:
    time, bucket = Time(), Bucket()
    monkeypatch.setattr(repository, "draw", bucket.draw)
    processes = [Throttle(time) for _ in range(2)]
    for n in range(300):
        assert pay(processes[n % 2], cost, unused).granted, n
        time.pass_seconds(every)


STEPS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(1, 60), st.integers(0, 60), st.integers(0, 3_000_000)),
    max_size=40,
)


@given(STEPS)
def test_processes_together_grant_no_more_than_the_bucket_and_their_hands(
    steps: list[tuple[int, int, int, int]],
) -> None:
    """In any stretch of time: the capacity, what was restored, and two advances each."""
    time, bucket, used = Time(), Bucket(), list[tuple[int, int]]()
    processes = [Throttle(time) for _ in range(3)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repository, "draw", bucket.draw)
        for process, cost, unused, wait in steps:
            if pay(processes[process], cost, min(unused, cost)).granted:
                used.append((time.now, cost - min(unused, cost)))
            time.now += wait
    hands = 3 * 2 * WHOLE // ADVANCE
    for first, (since, _) in enumerate(used):
        for last in range(first, len(used)):
            spent = sum(points for _, points in used[first : last + 1])
            assert TEN.time_of(spent) <= WHOLE + used[last][0] - since + hands


def test_answer_of_the_throttled_says_when_to_come_again(
    send: Client, chain: str, paying: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    tight = {"OPERATOR": {"capacity": 30, "restore_rate": 10, "per_operation": 30}}
    monkeypatch.setenv("APP_BUDGETS", json.dumps(tight))
    settings.cache_clear()
    token = auth.issue(Role.OPERATOR, "opr_tight")
    text = '{ member(by: {phone: "13800138000"}) { id } }'
    assert send(text, token=token) == {"member": None}
    with counted() as calls:
        answer = send.post(text, token=token)
    assert calls.keys() <= {"BatchGetItem", "UpdateItem"}
    assert (send.status, send.headers["retry-after"]) == (429, "2")
    assert answer == {
        "errors": [
            {
                "message": "Too much was asked lately; come again in 2 s",
                "extensions": {"code": "THROTTLED"},
            }
        ],
        "extensions": {
            "cost": {
                "requestedQueryCost": 21,
                "actualQueryCost": None,
                "throttleStatus": {
                    "maximumAvailable": 30,
                    "currentlyAvailable": 9,
                    "restoreRate": 10,
                },
            }
        },
    }
    paying.pass_seconds(2)
    assert send(text, token=token) == {"member": None}


def test_request_that_cannot_run_costs_little(send: Client, chain: str, paying: Time) -> None:
    token = auth.issue(Role.OPERATOR, "opr_wrong")
    text = "query ($n: Int!) { stores(first: 50, reverse: true, after: $n) { nodes { id } } }"
    assert send.post(text, token=token)["errors"]
    text = "query ($n: Int!) { stores(first: $n) { nodes { id } } }"
    answer = send.post(text, token=token)
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert answer["extensions"]["cost"]["actualQueryCost"] == 1
    assert answer["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] == 9_994


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{ members(first: 1) { nodes { phones } } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ members(first: ", "GRAPHQL_PARSE_FAILED"),
    ],
)
def test_who_sends_nothing_but_wrong_documents_is_throttled(
    send: Client, chain: str, paying: Time, monkeypatch: pytest.MonkeyPatch, text: str, code: str
) -> None:
    tight = {"OPERATOR": {"capacity": 10, "restore_rate": 5, "per_operation": 10}}
    monkeypatch.setenv("APP_BUDGETS", json.dumps(tight))
    settings.cache_clear()
    token = auth.issue(Role.OPERATOR, "opr_wrong")
    told = [send.post(text, token=token)["errors"][0]["extensions"]["code"] for _ in range(3)]
    assert told == [code, code, "THROTTLED"]
    assert (send.status, send.headers["retry-after"]) == (429, "1")
    paying.pass_seconds(1)
    assert send.post(text, token=token)["errors"][0]["extensions"]["code"] == code


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        (None, "", True),
    ],
)
def test_nobody_in_particular_is_known_by_network(one: Any, other: Any, same: bool) -> None:
    assert (client_of(ANONYMOUS, one) == client_of(ANONYMOUS, other)) is same


def test_address_is_not_written_down() -> None:
    assert "10.0.0.1" not in client_of(ANONYMOUS, "10.0.0.1")
    assert client_of(Viewer(Role.INTEGRATION, "key_1"), "10.0.0.1") == "INTEGRATION#key_1"


def test_operation_must_fit_the_bucket() -> None:
    with pytest.raises(ValueError, match="at most the capacity"):
        Budget(capacity=10, restore_rate=1, per_operation=11)


def test_budgets_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    tight = {"capacity": 5, "restore_rate": 1, "per_operation": 5}
    monkeypatch.setenv("APP_BUDGETS", json.dumps({"MEMBER": tight}))
    assert Settings().budget_of(Role.MEMBER) == Budget(**tight)
    assert Settings().budget_of(Role.GUIDE) == DEFAULTS[Role.GUIDE]
