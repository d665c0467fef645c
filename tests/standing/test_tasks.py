"""The run of a day: reads who is due, stops for nobody, and ends the same however often it dies."""

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from graphql_api.handlers import recompute_plan, recompute_worker
from graphql_api.members.models import DUE_SHARDS, Member
from graphql_api.standing import repository, service, tasks
from graphql_api.standing.rules import ChangeKind
from graphql_api.standing.service import deciding
from graphql_api.stores.models import Store
from tests.calls import counted
from tests.factories import NOW, make_member, numbered, put_numbered
from tests.standing.storage import everything, history, on, standing_now

CONTEXT: Any = SimpleNamespace(
    function_name="recompute",
    memory_limit_in_mb=128,
    invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:recompute",
    aws_request_id="1",
)
BEGIN, SPRING = date(2018, 1, 10), date(2018, 4, 10)


def put_members(count: int) -> list[Member]:
    """Members who joined on 10 January and were decided on, spread over the shards."""
    put_numbered(
        range(1, count + 1),
        newest=count,
        given=lambda _: {"due_on": BEGIN, "joined_at": NOW},
    )
    tasks.run(BEGIN, clock=on("2018-01-10"))
    return [Member(numbered(number)) for number in range(1, count + 1)]


def states(members: list[Member]) -> list[str]:
    return [str(standing_now(member).lifecycle.state) for member in members]


def test_run_decides_on_who_is_due_and_counts_them(store: Store) -> None:
    members = put_members(6)
    report = tasks.run(SPRING, clock=on("2018-04-10"))
    assert (report.members, report.changed, report.failed) == (6, 6, 0)
    assert states(members) == ["AWAKENING"] * 6
    shards = repository.run_of(SPRING)
    assert sum(int(shard.members) for shard in shards) == 6
    assert len(shards) == 6


def test_second_run_of_a_day_writes_nothing(store: Store) -> None:
    put_members(5)
    tasks.run(SPRING, clock=on("2018-04-10"))
    before = everything()
    with counted() as calls:
        report = tasks.run(SPRING, clock=on("2018-04-10"))
    assert report.members == 0
    assert everything() == before
    assert calls == {"Query": len(DUE_SHARDS)}


def test_run_reads_nobody_who_is_not_due(store: Store) -> None:
    put_members(6)
    with counted() as calls:
        tasks.run(date(2018, 4, 9), clock=on("2018-04-09"))
    assert calls == {"Query": len(DUE_SHARDS)}


def test_bad_member_is_noted_and_stops_nobody(store: Store) -> None:
    members = put_members(3)
    bad = members[1]
    spoilt = Member.standing_document.set({"t": []})
    bad.update(actions=[spoilt], add_version_condition=False)
    report = tasks.run(SPRING, clock=on("2018-04-10"))
    assert (report.members, report.changed, report.failed) == (3, 2, 1)
    assert states([members[0], members[2]]) == ["AWAKENING"] * 2
    [failure] = repository.failures_of(SPRING, first=10, after=None).items
    assert (failure.member_id, failure.problem) == (bad.id, "KeyError")
    assert int(sum(shard.failed for shard in repository.run_of(SPRING))) == 1
    assert tasks.run(SPRING, clock=on("2018-04-10")).members == 1


def test_killed_worker_is_resumed_and_ends_the_same(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = put_members(6)
    original, left = deciding.settle, [2]

    def dies(member_id: str, cause: service.Cause) -> bool:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return original(member_id, cause)

    monkeypatch.setattr(deciding, "settle", dies)
    with pytest.raises(KeyboardInterrupt):
        tasks.run(SPRING, clock=on("2018-04-10"))
    monkeypatch.setattr(deciding, "settle", original)
    assert tasks.run(SPRING, clock=on("2018-04-10")).changed == 4
    assert states(members) == ["AWAKENING"] * 6
    for member in members:
        assert history(member, ChangeKind.LIFECYCLE) == [("2018-04-10", "AWAKENING", "TIME")]


def test_shard_that_takes_too_long_says_where_to_go_on(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "PAGE", 2)
    put_numbered(range(0, 80, 16), newest=80, given=lambda _: {"due_on": BEGIN})
    done = tasks.Report(more=True)
    steps = []
    while done.more:
        done = tasks.run_shard("00", BEGIN, clock=on("2018-01-10"), after=done.after, seconds=0.0)
        steps.append(done.members)
    assert steps == [2, 2, 1]


def test_missed_days_are_made_up_for_as_if_each_had_been_run(store: Store) -> None:
    late, daily = put_members(2)
    for day in ("2018-04-10", "2018-07-10"):
        tasks.run_shard("02", date.fromisoformat(day), clock=on(day))
    tasks.run(date(2018, 10, 10), clock=on("2018-10-10"))
    assert standing_now(late) == standing_now(daily)


# --- the handlers ----------------------------------------------------------------------------


class Queue:
    """Takes messages, and gives them to the worker as Lambda would."""

    def __init__(self) -> None:
        self.bodies: list[str] = []

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:
        assert len(Entries) <= 10
        self.bodies += [entry["MessageBody"] for entry in Entries]
        return {}

    def send_message(self, QueueUrl: str, MessageBody: str) -> None:
        self.bodies.append(MessageBody)

    def work(self) -> list[Any]:
        """Deliver what is waiting, one by one; the failures."""
        failures: list[Any] = []
        while self.bodies:
            record = {"messageId": "1", "eventSource": "aws:sqs", "body": self.bodies.pop(0)}
            answer = recompute_worker.handler({"Records": [record]}, CONTEXT)
            failures += answer["batchItemFailures"]
        return failures


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Queue:
    made = Queue()
    monkeypatch.setattr("graphql_api.kit.aws.client", lambda service: made)
    monkeypatch.setattr("graphql_api.stores.service.clock", lambda: on("2018-04-10"))
    return made


def test_day_is_handed_out_in_pieces_and_each_is_done(store: Store, queue: Queue) -> None:
    members = put_members(3)
    handed_out = recompute_plan.handler({}, None)
    assert handed_out == {"asOf": "2018-04-10", "pieces": 16 * 7 + 8 + 1}
    assert queue.work() == []
    assert states(members) == ["AWAKENING"] * 3
    before = everything()
    recompute_plan.handler({"as_of": "2018-04-10"}, None)
    assert queue.work() == []
    assert everything() == before


def test_rest_of_a_piece_is_sent_on(
    store: Store, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recompute_worker, "SECONDS", 0.0)
    monkeypatch.setattr(tasks, "PAGE", 1)
    put_numbered(range(0, 48, 16), newest=48, given=lambda _: {"due_on": BEGIN})
    queue.bodies.append('{"work": "standing", "shard": "00", "as_of": "2018-01-10"}')
    assert queue.work() == []
    assert states([Member(numbered(n)) for n in (0, 16, 32)]) == ["ONBOARDING"] * 3


def test_piece_that_fails_is_delivered_again(store: Store, queue: Queue) -> None:
    queue.bodies.append('{"work": "nothing", "as_of": "2018-01-10"}')
    with pytest.raises(Exception, match="all 1 records failed"):
        queue.work()


def test_member_who_is_due_at_once_is_followed_from_the_stream(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from graphql_api.handlers import standing

    monkeypatch.setattr("graphql_api.stores.service.clock", lambda: on("2018-01-10"))
    member = make_member(store, clock=on("2018-01-10"))
    image = member.serialize()
    record = {
        "eventID": "1",
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "Keys": {"id": image["id"], "sort": image["sort"]},
            "NewImage": image,
            "SequenceNumber": "1",
        },
    }
    assert standing.handler({"Records": [record]}, CONTEXT) == {"batchItemFailures": []}
    assert states([member]) == ["ONBOARDING"]
    before = everything()
    assert standing.handler({"Records": [record]}, CONTEXT) == {"batchItemFailures": []}
    assert everything() == before
