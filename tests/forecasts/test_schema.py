"""What is to come, and what the runs of days have done, over GraphQL."""

from datetime import date
from typing import Any

import pytest
from graphql import parse

from graphql_api import auth
from graphql_api.edge.documents import read_document
from graphql_api.edge.execution import chain_clock
from graphql_api.forecasts import tasks
from graphql_api.kit.dynamo.tallies import Told
from graphql_api.kit.time import Clock
from graphql_api.schema import schema
from graphql_api.standing import repository as standings
from graphql_api.viewer import READ_MEMBERS, Role
from tests.calls import counted
from tests.conftest import Client
from tests.factories import make_member, make_store
from tests.standing.storage import on

OPERATOR = auth.issue(Role.OPERATOR, "opr_1")
READER = auth.issue(Role.INTEGRATION, "key_1", scopes=frozenset({READ_MEMBERS}))
CLOCK = on("2018-01-10")

FORECAST = """query ($days: Int!, $part: ForecastPart) {
  transitionsForecast(days: $days, part: $part) { on part to members } }"""
RUN = """query ($day: Date) { recomputeRun(day: $day) { asOf members changed failed
  failures { nodes { member { id } problem } } } }"""
RUNS = "query ($days: Int!) { recomputeRuns(days: $days) { asOf members changed failed } }"


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch, chain: str) -> None:
    """The API answers at noon of the day, in a chain with forecasts."""

    async def read() -> Clock:
        return CLOCK

    monkeypatch.setattr(chain_clock, "read", read)
    told = {
        "2017-12-09#TIER#V1": 7,
        "2017-12-10#TIER#V1": 1,
        "2018-01-10#TIER#V1": 2,
        "2018-01-11#LIFECYCLE#LOST": 3,
        "2018-01-12#TIER#V2": 4,
        "2019-01-10#TIER#V1": 5,
        "2019-01-11#TIER#V1": 6,
    }
    for n in range(3):  # in whichever parts
        tasks.count([Told(f"{n}-{place}", {place: count}) for place, count in told.items()])


def _errors(send: Client, document: str, *, token: str, **variables: Any) -> list[Any]:
    errors: list[Any] = send.post(document, token=token, **variables)["errors"]
    return errors


def test_days_asked_for_are_counted_with_what_was_not_run_yet(send: Client) -> None:
    shown = send(FORECAST, token=OPERATOR, days=2)["transitionsForecast"]
    assert shown == [
        {"on": "2018-01-10", "part": "TIER", "to": "V1", "members": 9},
        {"on": "2018-01-11", "part": "LIFECYCLE", "to": "LOST", "members": 9},
    ]
    year = send(FORECAST, token=READER, days=366, part="TIER")["transitionsForecast"]
    assert [(one["on"], one["members"]) for one in year] == [
        ("2018-01-10", 9),
        ("2018-01-12", 12),
        ("2019-01-10", 15),
    ]


def test_forecast_is_a_query_for_each_part_of_the_counts(send: Client) -> None:
    send(FORECAST, token=OPERATOR, days=30)
    with counted() as calls:
        send(FORECAST, token=OPERATOR, days=30)
    assert calls["Query"] == 8


@pytest.mark.parametrize(("days", "cost"), [(30, 60), (60, 120), (366, 200)])
def test_forecast_costs_by_its_days(days: int, cost: int) -> None:
    [operation] = read_document(schema._schema, parse(FORECAST)).operations.values()
    assert operation.plan.requested({"days": days}) == cost


@pytest.mark.parametrize("days", [0, 367])
def test_days_out_of_range_are_refused(send: Client, days: int) -> None:
    [error] = _errors(send, FORECAST, token=OPERATOR, days=days)
    assert (error["extensions"]["code"], error["extensions"]["field"]) == (
        "BAD_USER_INPUT",
        ["days"],
    )


def test_front_line_sees_neither_forecast_nor_runs(send: Client) -> None:
    manager = auth.issue(Role.STORE_MANAGER, "stm_1", unit_id=make_store("S1").id)
    for document, variables in ((FORECAST, {"days": 1}), (RUN, {}), (RUNS, {"days": 1})):
        errors = _errors(send, document, token=manager, **variables)
        assert {error["extensions"]["code"] for error in errors} == {"FORBIDDEN"}


def test_run_of_a_day_adds_up_its_shards_and_names_who_failed(send: Client) -> None:
    member = make_member(make_store("S1"))
    for shard, changed in (("00", 3), ("07", 4)):
        standings.count_run(date(2018, 1, 9), shard, members=5, changed=changed, failed=0)
    standings.count_run(date(2018, 1, 9), "07", members=1, changed=0, failed=1)
    standings.put_failure(date(2018, 1, 9), member.id, problem="KeyError", at=CLOCK.now())
    counts = {"asOf": "2018-01-09", "members": 11, "changed": 7, "failed": 1}
    run = send(RUN, token=OPERATOR, day="2018-01-09")["recomputeRun"]
    failure = {"member": {"id": member.id}, "problem": "KeyError"}
    assert run == counts | {"failures": {"nodes": [failure]}}
    assert send(RUN, token=OPERATOR)["recomputeRun"] is None
    assert send(RUNS, token=OPERATOR, days=2)["recomputeRuns"] == [counts]
    assert send(RUNS, token=OPERATOR, days=1)["recomputeRuns"] == []


@pytest.mark.parametrize("days", [0, 32])
def test_runs_of_too_many_days_are_refused(send: Client, days: int) -> None:
    [error] = _errors(send, RUNS, token=OPERATOR, days=days)
    assert error["extensions"]["field"] == ["days"]
