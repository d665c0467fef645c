"""A published policy sets its run going: in place on a laptop, by the machine in the cloud."""

from typing import Any

import pytest

from graphql_api.config import settings
from graphql_api.handlers import rebuild_worker, rebuilds
from graphql_api.kit import aws
from graphql_api.observability import InvocationFailed
from graphql_api.policies.models import Head, PoliciesItem
from graphql_api.policies.rules import PolicyKind
from graphql_api.rebuilds import models, repository, service
from graphql_api.rebuilds.models import RebuildsItem
from graphql_api.rebuilds.rules import RunState
from graphql_api.stores import repository as stores
from graphql_api.stores import service as store_service
from tests.policies.factories import HEADQUARTERS
from tests.rebuilds.conftest import TODAY, people
from tests.rebuilds.storage import LADDER, published, run_now, tier_moves
from tests.standing.storage import on

__all__ = ["people"]

CLOCK = on(TODAY)


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    """The handlers have the clock of the tests."""
    monkeypatch.setattr(store_service, "clock", lambda: CLOCK)


def record(item: Any, old: dict[str, Any] | None = None) -> dict[str, Any]:
    """What a stream tells of an item that was written."""
    keys = {"id": {"S": item.id}, "sort": {"S": item.sort}}
    change = {"Keys": keys, "NewImage": item.serialize(), "SequenceNumber": "1"}
    if old is not None:
        change["OldImage"] = old
    return {
        "eventID": "1",
        "eventName": "MODIFY",
        "dynamodb": change,
        "eventSource": "aws:dynamodb",
    }


def follow(*records: dict[str, Any]) -> None:
    answer = rebuilds.handler({"Records": list(records)}, None)
    assert answer == {"batchItemFailures": []}


def only_head() -> Head:
    [key] = [item.key for item in PoliciesItem.scan() if item.id.startswith("head#")]
    return Head.get(*key)


def test_publication_is_followed_to_its_end_where_there_is_no_machine(people: list[str]) -> None:
    version = published()
    head = only_head()
    follow(record(head))
    run = repository.get(models.rebuild_id(PolicyKind.TIER_LADDER, version))
    assert run is not None
    assert run.state is RunState.WAITING
    follow(record(run), record(run))
    assert run_now(run).state is RunState.DONE
    assert tier_moves(run) == {("V1", "V2"): 1, ("V4", "V3"): 1}
    follow(record(head))
    assert len(list(RebuildsItem.scan())) == 3


def test_draft_begins_no_run(people: list[str]) -> None:
    published()
    head = only_head()
    follow(record(head, old=head.serialize()))
    assert list(RebuildsItem.scan()) == []


@pytest.mark.engine("ministack", "it has Step Functions")
def test_machine_is_started_once_for_an_attempt(
    people: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = aws.client("stepfunctions")
    definition = '{"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}'
    arn = client.create_state_machine(
        name="rebuild", definition=definition, roleArn="arn:aws:iam::000000000000:role/r"
    )["stateMachineArn"]
    monkeypatch.setenv("APP_REBUILD_MACHINE_ARN", arn)
    settings.cache_clear()
    try:
        given = service.PolicyPreview(kind=PolicyKind.TIER_LADDER, document=LADDER)
        run = service.preview(given, viewer=HEADQUARTERS, clock=CLOCK)
        follow(record(run))
        follow(record(run))
    finally:
        settings.cache_clear()
    [started] = client.list_executions(stateMachineArn=arn)["executions"]
    assert started["name"] == f"{run.id}-1"


def test_steps_are_those_that_the_machine_asks_for(people: list[str]) -> None:
    given = service.PolicyPreview(kind=PolicyKind.TIER_LADDER, document=LADDER)
    run = service.preview(given, viewer=HEADQUARTERS, clock=CLOCK)
    planned = rebuild_worker.handler({"step": "plan", "run": run.id}, None)
    assert planned == {
        "run": run.id,
        "pieces": [{"run": run.id, "piece": 0}, {"run": run.id, "piece": 1}],
    }
    for piece in planned["pieces"]:
        assert rebuild_worker.handler({"step": "piece", **piece}, None)["done"] is True
    assert rebuild_worker.handler({"step": "finish", "run": run.id}, None) == {"run": run.id}
    assert run_now(run).state is RunState.DONE
    rebuild_worker.handler({"step": "fail", "run": run.id}, None)
    assert run_now(run).state is RunState.DONE
    with pytest.raises(InvocationFailed, match="ValueError"):
        rebuild_worker.handler({"step": "jump", "run": run.id}, None)
    assert stores.chain() is not None
