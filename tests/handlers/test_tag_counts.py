"""The streams of tags on a laptop, through the handlers: counts that agree, jobs that end."""

from pathlib import Path
from typing import Any

import boto3
import pytest

from graphql_api.handlers import tag_counts, tag_jobs
from graphql_api.stores.models import Store
from graphql_api.tags import repository, service
from graphql_api.tags.models import TagsItem
from graphql_api.tags.rules import JobState
from graphql_api.viewer import SYSTEM
from scripts.stream_pump import Context, Pump
from tests.factories import make_member, make_store
from tests.tags.factories import CLOCK, make_group, make_job, make_tags, set_tags
from tests.tags.storage import held

TABLE = TagsItem.Meta.table_name
CONTEXT: Any = Context()


@pytest.fixture
def store(chain: str) -> Store:
    """A store of the chain."""
    return make_store("S1")


def drain(tmp_path: Path, batches: list[dict[str, Any]]) -> int:
    """Have everything that waits in the stream counted, keeping the batches."""

    def counting(event: dict[str, Any], context: Any) -> Any:
        batches.append(event)
        return tag_counts.handler(event, context)

    pump = Pump(TABLE, counting, tmp_path, consumer="counts")
    streams = boto3.client("dynamodbstreams")
    moved = pump.drain(streams)
    while pump.drain(streams):  # what counting itself wrote
        pass
    return moved


def test_counts_are_those_of_the_rows_and_a_replay_changes_nothing(
    store: Store, tmp_path: Path
) -> None:
    batches: list[dict[str, Any]] = []
    group = make_group(exclusive=True)
    young, old = make_tags(2, group)
    [tea] = make_tags(1)
    people = [make_member(store) for _ in range(6)]
    for member in people:
        set_tags(member, young, tea)
    drain(tmp_path, batches)
    for member in people[:4]:
        set_tags(member, old)
    set_tags(people[5], remove=[tea])
    set_tags(people[4], tea, expires_on=CLOCK.today())
    drain(tmp_path, batches)
    ids = [tag.id for tag in (young, old, tea)]
    counts = repository.member_counts(ids)
    assert counts == [2, 4, 5]
    rows = [row for member in people for row in held(member.id)]
    assert counts == [rows.count(id_) for id_ in ids]
    for event in [*batches, *reversed(batches)]:
        assert tag_counts.handler(event, CONTEXT) == {"batchItemFailures": []}
    assert repository.member_counts(ids) == counts


def test_batch_that_fails_halfway_is_counted_when_it_comes_again(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [tag] = make_tags(1)
    for _ in range(50):
        set_tags(make_member(store), tag)
    count = repository.count
    calls: list[None] = []

    def fails_once(*args: Any, **kwargs: Any) -> None:
        calls.append(None)
        if len(calls) == 2:
            raise ConnectionError
        count(*args, **kwargs)

    monkeypatch.setattr(repository, "count", fails_once)
    drain(tmp_path, [])
    assert repository.member_counts([tag.id]) == [50]
    assert len(calls) > 2
    assert list(tmp_path.glob("*.failed.jsonl")) == []


def test_job_is_carried_on_by_its_own_writes_to_the_end(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graphql_api.tags.tasks.STEP", 2)
    monkeypatch.setattr("graphql_api.tags.tasks.STEPS_AT_ONCE", 2)
    tags = make_tags(1)
    people = [make_member(store) for _ in range(9)]
    job = make_job(*people, add=tags)
    stopped = make_job(*people, add=make_tags(1))
    service.cancel_job(stopped.id, viewer=SYSTEM, clock=CLOCK)
    pump = Pump(TABLE, tag_jobs.handler, tmp_path, consumer="jobs")
    streams = boto3.client("dynamodbstreams")
    rounds = 0
    while pump.drain(streams):
        rounds += 1
    assert rounds < 10
    over = repository.get_job(job.id)
    assert over is not None
    assert (over.state, over.done, over.failed) == (JobState.DONE, 9, 0)
    assert [set(held(member.id)) for member in people] == [{tags[0].id}] * 9
    drain(tmp_path, [])  # another consumer of the same stream, from its beginning
    assert repository.member_counts([tags[0].id]) == [9]


def test_records_of_other_items_say_nothing() -> None:
    keys = {"id": {"S": "tag_1"}, "sort": {"S": "@"}}
    event = {"Records": [{"eventID": "1", "eventName": "INSERT", "dynamodb": {"Keys": keys}}]}
    assert tag_counts.handler(event, CONTEXT) == {"batchItemFailures": []}
    assert tag_jobs.handler(event, CONTEXT) == {"batchItemFailures": []}
