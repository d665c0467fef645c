"""The stream of merges: a merge is carried on by its own checkpoints, to its end."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from graphql_api.handlers import merges
from graphql_api.members.models import Member
from graphql_api.merges import repository, service
from graphql_api.merges.models import Merge, MergesItem, merge_id
from graphql_api.merges.rules import MergeState
from graphql_api.merges.service import MembersMerge
from graphql_api.orders import service as orders
from graphql_api.orders.service import applying
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM
from scripts.stream_pump import Pump
from tests.calls import counted
from tests.factories import CLOCK, make_member, make_snapshot, make_store
from tests.merges.storage import PowerCut, everything, facts_of_all_orders, power_cut
from tests.orders.storage import member_now

CONTEXT: Any = SimpleNamespace(
    function_name="merges",
    memory_limit_in_mb=128,
    invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:merges",
    aws_request_id="1",
)


@pytest.fixture
def store(chain: str) -> Store:
    return make_store("S1")


@pytest.fixture
def two(store: Store) -> tuple[Member, Member]:
    """A survivor, and a loser with three orders."""
    survivor, loser = make_member(store), make_member(store)
    for _ in range(3):
        orders.apply(make_snapshot(store, member_id=loser.id), clock=CLOCK)
    return survivor, loser


def merge(survivor: Member, loser: Member) -> Merge:
    given = MembersMerge(survivor_id=survivor.id, loser_id=loser.id)
    return service.merge(given, viewer=SYSTEM, clock=CLOCK)


def begun(survivor: Member, loser: Member) -> Merge:
    """A merge whose process died after the first transaction."""
    with pytest.raises(PowerCut), power_cut(0, answered=True):
        merge(survivor, loser)
    return job_now(loser)


def job_now(loser: Member) -> Merge:
    job = repository.get(merge_id(loser.id))
    assert job is not None
    return job


def record(item: MergesItem, number: int = 1, event: str = "INSERT") -> dict[str, Any]:
    """A record of the stream, as Lambda hands it over."""
    image = item.serialize()
    keys = {"id": image["id"], "sort": image["sort"]}
    images = {"NewImage": image} if event != "REMOVE" else {"OldImage": image}
    return {
        "eventID": f"e{number}",
        "eventName": event,
        "eventSource": "aws:dynamodb",
        "eventVersion": "1.1",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "Keys": keys,
            "SequenceNumber": str(number),
            "SizeBytes": 50,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
            **images,
        },
    }


def deliver(*records: dict[str, Any]) -> list[str]:
    """Hand records over; the sequence numbers of those to be delivered again."""
    answer = merges.handler({"Records": list(records)}, CONTEXT)
    return [str(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]]


def test_merge_of_more_than_an_answer_has_time_for_drives_itself_to_its_end(
    two: tuple[Member, Member], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    survivor, loser = two
    monkeypatch.setattr(applying, "ABSORBED_AT_ONCE", 1)
    monkeypatch.setattr(service.jobs, "STEPS_AT_ONCE", 1)
    monkeypatch.setattr(service, "STEPS_AT_ONCE", 1)
    job = merge(survivor, loser)
    assert (job.state, [moved.count for moved in job.moved][-1]) == (MergeState.IN_PROGRESS, 1)
    pump = Pump(MergesItem.Meta.table_name, merges.handler, tmp_path)
    streams = boto3.client("dynamodbstreams")
    while pump.drain(streams):
        pass
    assert job_now(loser).state is MergeState.DONE
    now = member_now(loser.id)
    assert (now.id, now.facts.orders) == (survivor.id, 3)
    assert now.facts == facts_of_all_orders(now)
    assert not list(tmp_path.glob("*.failed.jsonl"))


def test_record_that_comes_late_or_twice_changes_nothing(two: tuple[Member, Member]) -> None:
    job = begun(*two)
    waiting = record(job)
    assert deliver(waiting) == []
    over = job_now(two[1])
    assert over.state is MergeState.DONE
    before = everything()
    with counted() as calls:
        assert deliver(waiting, record(over, 2, "MODIFY"), waiting) == []
    assert "TransactWriteItems" not in calls
    assert everything() == before


def test_records_of_what_was_moved_and_removed_are_passed_over(two: tuple[Member, Member]) -> None:
    job = merge(*two)
    rows = repository.records(job.id)
    assert len(rows) == 2
    others = [record(row, n) for n, row in enumerate(rows, start=1)]
    with counted() as calls:
        assert deliver(*others, record(job, 9, "REMOVE")) == []
    assert calls == {}


def test_step_that_fails_is_delivered_again(
    two: tuple[Member, Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = begun(*two)
    absorb = orders.absorb

    def broken(*_: Any) -> Any:
        raise RuntimeError

    monkeypatch.setattr(orders, "absorb", broken)
    passed_over = [record(row, 4) for row in repository.records(job.id)]
    assert deliver(*passed_over, record(job, 5)) == ["5"]
    monkeypatch.setattr(orders, "absorb", absorb)
    assert deliver(record(job, 5)) == []
    assert job_now(two[1]).state is MergeState.DONE
