"""The stream of members: claims bring orders that waited, effects bring gifts, at least once."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from graphql_api.benefits import service as benefits
from graphql_api.handlers import effects
from graphql_api.kit.time import Clock
from graphql_api.members import repository as member_repository
from graphql_api.members import service as members
from graphql_api.members.models import Member, MembersItem, claim_id
from graphql_api.members.service import NewIdentity
from graphql_api.observability import InvocationFailed
from graphql_api.orders import service, tasks
from graphql_api.stores.models import Store
from scripts.stream_pump import Pump
from tests.calls import counted
from tests.factories import CLOCK, make_identity, make_member, make_snapshot, make_store
from tests.orders.storage import everything, facts_of

CONTEXT: Any = SimpleNamespace(
    function_name="effects",
    memory_limit_in_mb=128,
    invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:effects",
    aws_request_id="1",
)


@pytest.fixture
def store(chain: str) -> Store:
    return make_store("S1")


def record(number: int, id_: str, event: str = "INSERT", sort: str = "@") -> dict[str, Any]:
    """A record of the stream, as Lambda hands it over."""
    keys = {"id": {"S": id_}, "sort": {"S": sort}}
    images = {"NewImage": keys} if event != "REMOVE" else {"OldImage": keys}
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
    answer = effects.handler({"Records": list(records)}, CONTEXT)
    return [str(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]]


def key_of(identity: NewIdentity) -> str:
    [claim] = members.claims_of(identity)
    return claim_id(claim)


def waiting_order(store: Store, buyer: NewIdentity) -> None:
    service.apply(make_snapshot(store, buyer=[buyer]), clock=CLOCK)


@pytest.mark.parametrize("event", ["INSERT", "MODIFY"])
def test_claim_brings_the_orders_that_waited_once(store: Store, event: str) -> None:
    buyer = make_identity()
    waiting_order(store, buyer)
    member = make_member(store, buyer)
    claimed = record(1, key_of(buyer), event)
    assert deliver(claimed) == []
    assert facts_of(member.id).orders == 1
    before = everything()
    assert deliver(claimed, claimed) == []
    assert everything() == before


def test_other_records_are_passed_over_without_a_look(store: Store) -> None:
    buyer = make_identity()
    waiting_order(store, buyer)
    member = make_member(store, buyer)
    before = everything()
    with counted() as calls:
        failed = deliver(
            record(1, member.id),
            record(2, member.id, "MODIFY"),
            record(3, member.id, sort="effect#ENROLLED#-"),
            record(4, "counter", "MODIFY"),
            record(5, key_of(buyer), "REMOVE"),
        )
    assert (failed, calls) == ([], {})
    assert everything() == before


def test_record_that_fails_is_delivered_again_and_the_others_are_done(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    buyers = [make_identity() for _ in range(3)]
    for buyer in buyers:
        waiting_order(store, buyer)
    happy, unhappy, glad = (make_member(store, buyer) for buyer in buyers)
    records = [record(n, key_of(buyer)) for n, buyer in enumerate(buyers, start=101)]
    attach = tasks.attach_waiting

    def attach_but_one(claim: str, *, clock: Clock) -> int:
        if claim_id(claim) == key_of(buyers[1]):
            raise TimeoutError
        return attach(claim, clock=clock)

    with monkeypatch.context() as trouble:
        trouble.setattr(tasks, "attach_waiting", attach_but_one)
        assert deliver(*records) == ["102"]
    orders = [facts_of(member.id).orders for member in (happy, unhappy, glad)]
    assert orders == [1, 0, 1]
    assert deliver(records[1]) == []
    assert facts_of(unhappy.id).orders == 1


def test_batch_that_fails_whole_is_an_error_of_the_function(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    buyer = make_identity()
    waiting_order(store, buyer)
    make_member(store, buyer)

    def fail(claim: str, *, clock: Clock) -> int:
        raise TimeoutError

    monkeypatch.setattr(tasks, "attach_waiting", fail)
    with pytest.raises(InvocationFailed, match="all 1 records failed"):
        deliver(record(1, key_of(buyer)))


def test_new_member_is_read_off_the_real_stream(store: Store, tmp_path: Path) -> None:
    buyer = make_identity()
    waiting_order(store, buyer)
    member = make_member(store, buyer)
    pump = Pump(MembersItem.Meta.table_name, effects.handler, tmp_path)
    while pump.drain(boto3.client("dynamodbstreams")):
        pass
    assert facts_of(member.id).orders == 1
    assert list(tmp_path.glob("*.failed.jsonl")) == []


# --- gifts -----------------------------------------------------------------------------------


def effect(number: int, member: Member, origin: str = "LIVE", event: str = "INSERT") -> Any:
    """The record of an enrolment."""
    told = record(number, member.id, event, sort="effect#ENROLLED#-")
    image = {"kind": "ENROLLED", "level": "-", "origin": origin, "decided_on": "2018-01-10"}
    told["dynamodb"]["NewImage"] = told["dynamodb"]["Keys"] | {
        n: {"S": v} for n, v in image.items()
    }
    return told


def points_of(*given: Member) -> list[int]:
    return [int(now.points) for now in member_repository.get_many([m.id for m in given]) if now]


def test_enrolment_brings_its_gift_once_and_a_back_fill_none(store: Store) -> None:
    live, filled, seen = (make_member(store) for _ in range(3))
    records = [
        effect(1, live),
        effect(2, live),
        effect(3, filled, "BACKFILL"),
        effect(4, seen, event="MODIFY"),
    ]
    assert deliver(*records) == []
    assert points_of(live, filled, seen) == [20, 0, 0]


def test_gift_that_fails_is_delivered_again_and_the_others_are_given(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    happy, unhappy = (make_member(store) for _ in range(2))
    records = [effect(101, unhappy), effect(102, happy)]
    give = benefits.give

    def give_but_one(member_id: str, *rest: Any, **more: Any) -> Any:
        if member_id == unhappy.id:
            raise TimeoutError
        return give(member_id, *rest, **more)

    with monkeypatch.context() as trouble:
        trouble.setattr(benefits, "give", give_but_one)
        assert deliver(*records) == ["101"]
    assert points_of(unhappy, happy) == [0, 20]
    assert deliver(*records) == []
    assert points_of(unhappy, happy) == [20, 20]
