"""The stream of ownership: a hand-over is carried on by its own checkpoints, to its end."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from graphql_api.guides.models import Guide
from graphql_api.handlers import hand_overs
from graphql_api.members import repository as members
from graphql_api.ownership import service, tasks
from graphql_api.ownership.models import HandOver, OwnershipItem
from graphql_api.ownership.service import HandOverCreate
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM
from scripts.stream_pump import Pump
from tests.calls import counted
from tests.factories import CLOCK, make_guide, make_store, put_numbered
from tests.ownership.storage import everything, job_now

CONTEXT: Any = SimpleNamespace(
    function_name="hand_overs",
    memory_limit_in_mb=128,
    invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:hand_overs",
    aws_request_id="1",
)


@pytest.fixture
def store(chain: str) -> Store:
    return make_store("S1")


@pytest.fixture
def givers(store: Store) -> list[Guide]:
    return [make_guide(store, name) for name in ("甲", "乙")]


def job_of(giver: Guide, taker: Guide, store: Store, count: int) -> HandOver:
    put_numbered(
        range(1, count + 1),
        newest=count,
        given=lambda _: {"store_id": store.id, "guide_id": giver.id},
    )
    given = HandOverCreate(from_guide_id=giver.id, target_ids=[taker.id])
    return service.hand_over(given, viewer=SYSTEM, clock=CLOCK)


def record(item: OwnershipItem, number: int = 1, event: str = "INSERT") -> dict[str, Any]:
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
    answer = hand_overs.handler({"Records": list(records)}, CONTEXT)
    return [str(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]]


def test_hand_over_drives_itself_to_its_end(
    store: Store, givers: list[Guide], tmp_path: Path
) -> None:
    giver, taker = givers
    job = job_of(giver, taker, store, tasks.STEPS_AT_ONCE * tasks.MOVED_AT_ONCE)
    pump = Pump(OwnershipItem.Meta.table_name, hand_overs.handler, tmp_path)
    streams = boto3.client("dynamodbstreams")
    while pump.drain(streams):
        pass
    over = job_now(job.id)
    assert (over.state, over.total, over.moved) == ("DONE", 192, 192)
    assert not list(tmp_path.glob("*.failed.jsonl"))


def test_record_that_comes_late_or_twice_changes_nothing(store: Store, givers: list[Guide]) -> None:
    giver, taker = givers
    job = job_of(giver, taker, store, 3)
    waiting = record(job)
    assert deliver(waiting) == []
    assert job_now(job.id).state == "DONE"
    before = everything()
    with counted() as calls:
        assert deliver(waiting, record(job_now(job.id), 2, "MODIFY")) == []
    assert "TransactWriteItems" not in calls
    assert everything() == before


def test_records_of_members_and_of_what_was_removed_are_passed_over(
    store: Store, givers: list[Guide]
) -> None:
    giver, taker = givers
    job = job_of(giver, taker, store, 1)
    tasks.run_hand_over(job.id, clock=CLOCK, steps=1)
    rows = [row for row in OwnershipItem.scan() if row.id == job.id and row.sort != "@"]
    others = [record(row, n) for n, row in enumerate(rows, start=1)]
    removed = record(job_now(job.id), 9, "REMOVE")
    with counted() as calls:
        assert deliver(*others, removed) == []
    assert calls == {}


def test_step_that_fails_is_delivered_again(
    store: Store, givers: list[Guide], monkeypatch: pytest.MonkeyPatch
) -> None:
    giver, taker = givers
    job = job_of(giver, taker, store, 2)
    other = job_of(taker, giver, store, 2)
    read = members.ids_of_guide

    def broken(guide_id: str, **page: Any) -> Any:
        if guide_id == giver.id:
            raise RuntimeError
        return read(guide_id, **page)

    monkeypatch.setattr(members, "ids_of_guide", broken)
    assert deliver(record(other, 1), record(job, 2)) == ["2"]
    monkeypatch.setattr(members, "ids_of_guide", read)
    assert deliver(record(job, 2)) == []
    assert job_now(job.id).state == job_now(other.id).state == "DONE"
