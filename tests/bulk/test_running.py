"""Carrying a bulk operation on: to its end, in steps, killed anywhere, and as its viewer."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import pytest

from graphql_api.access.service import keys
from graphql_api.bulk import documents, running, service
from graphql_api.bulk.models import BulkItem, BulkOperation
from graphql_api.config import settings
from graphql_api.edge import execution
from graphql_api.handlers import bulk_steps
from graphql_api.kit import aws, files
from graphql_api.kit.dynamo.connection import shared_client
from graphql_api.kit.time import real_now
from graphql_api.members.models import Member
from graphql_api.orders import service as orders
from graphql_api.stores.models import Store
from graphql_api.viewer import (
    READ_MEMBERS,
    READ_ORDERS,
    SEE_PERSONAL_DATA,
    SYSTEM,
    Role,
    Viewer,
)
from scripts.stream_pump import Pump
from tests.access.factories import make_key
from tests.audit.storage import entries
from tests.bulk.conftest import lines, operation_now
from tests.factories import CLOCK, make_member, make_snapshot

pytestmark = [
    pytest.mark.engine("ministack", "DynamoDB Local keeps no files"),
    pytest.mark.usefixtures("bucket"),
]

QUERY = "{ members { nodes { id name orders { nodes { externalId } } } } }"
OPERATOR = Viewer(Role.OPERATOR, "opr_1")


def begin(query: str = QUERY, viewer: Viewer = OPERATOR) -> BulkOperation:
    return service.run(query, viewer=viewer, at=real_now())


def finish(operation: BulkOperation) -> BulkOperation:
    """Carry an operation on to its end."""
    assert asyncio.run(running.run(operation.id, seconds=60))
    return operation_now(operation)


def one_step(operation: BulkOperation) -> BulkOperation:
    """Carry an operation on for one page."""
    asyncio.run(running.step(operation_now(operation), until=time.monotonic()))
    return operation_now(operation)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two roots to a page, one inner."""
    monkeypatch.setattr(documents, "ROOT_AT_ONCE_WITH_INNER", 2)
    monkeypatch.setattr(documents, "INNER_AT_ONCE", 1)


def expected(members: list[Member], name: str = "会*") -> list[dict[str, Any]]:
    """Every member, masked, and every order under its member."""
    bought = [{"externalId": f"W-{n}", "__parentId": members[1].id} for n in range(3)]
    bought.append({"externalId": "W-3", "__parentId": members[2].id})
    return [{"id": m.id, "name": name} for m in members] + bought


def same(found: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> bool:
    return sorted(map(str, found)) == sorted(map(str, wanted))


def test_result_has_every_line_once_masked_as_the_viewer_sees_it(members: list[Member]) -> None:
    done = finish(begin())
    assert (done.state, done.objects, done.roots) == ("DONE", 7, 3)
    found = lines(done)
    assert same(found, expected(members, found[0]["name"]))
    assert found[0]["name"] == "会**"
    assert done.file_size == len(files.get(done.file) or b"")


@pytest.mark.usefixtures("small_pages")
def test_steps_of_a_page_each_make_the_same_file(members: list[Member]) -> None:
    operation = begin()
    steps = 0
    while operation.state not in {"DONE", "FAILED"}:
        operation = one_step(operation)
        steps += 1
    assert operation.state == "DONE"
    assert steps == 5  # two pages of members, two further orders, the file
    assert same(lines(operation), expected(members, "会**"))
    kept = aws.client("s3").list_objects_v2(Bucket=settings().files_bucket)["Contents"]
    assert [one["Key"] for one in kept] == [operation.file]


WRITES = (
    "CreateMultipartUpload",
    "UploadPart",
    "CompleteMultipartUpload",
    "PutObject",
    "DeleteObject",
)


class PowerCut(BaseException):
    """The process died."""


@pytest.fixture
def calls() -> Iterator[list[int]]:
    """Dies after so many more writes to S3 and DynamoDB; -1 once it died, or for never."""
    left = [-1]

    def count(**_: Any) -> None:
        if left[0] >= 0:
            left[0] -= 1
            if left[0] == -1:
                raise PowerCut

    database, s3 = shared_client().meta.events, aws.client("s3").meta.events
    watched = [(database, "after-call.dynamodb.TransactWriteItems")]
    watched += [(s3, f"after-call.s3.{name}") for name in WRITES]
    for events, name in watched:
        events.register(name, count)
    yield left
    for events, name in watched:
        events.unregister(name, count)


@pytest.mark.usefixtures("small_pages")
def test_killed_after_any_write_it_goes_on_without_loss_or_duplicates(
    store: Store, calls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "SMALLEST_PART", 40)  # the emulator minds no small part
    made = [make_member(store) for _ in range(2)]
    for name in ("W-1", "W-2"):
        orders.apply(make_snapshot(store, external_id=name, member_id=made[0].id), clock=CLOCK)
    bought = [{"externalId": f"W-{n}", "__parentId": made[0].id} for n in (1, 2)]
    wanted = [{"id": m.id} for m in made] + bought
    killed = -1
    while calls[0] == -1:  # it died, or has not begun
        killed += 1
        operation = begin("{ members { nodes { id orders { nodes { externalId } } } } }")
        calls[0] = killed
        with suppress(PowerCut):
            while operation_now(operation).state != "DONE":
                one_step(operation)
        died, calls[0] = calls[0] == -1, -2
        done = finish(operation)
        assert same(lines(done), wanted)
        assert (done.state, done.objects, done.roots) == ("DONE", 4, 2)
        calls[0] = -1 if died else -2
    assert killed > 8


@pytest.mark.usefixtures("small_pages")
def test_cancelled_operation_stops_and_leaves_no_file(members: list[Member]) -> None:
    operation = one_step(begin())
    assert operation.state == "IN_PROGRESS"
    cancelled = service.cancel(operation.id, viewer=OPERATOR, at=real_now())
    assert cancelled.state == "CANCELLED"
    assert finish(operation).state == "CANCELLED"
    assert files.get(operation.file) is None
    s3, bucket = aws.client("s3"), settings().files_bucket
    assert s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []


def test_cancelled_during_its_first_step_it_forgets_what_it_put(
    members: list[Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = begin()
    note = service.note

    def cancelled_meanwhile(noted: BulkOperation) -> bool:
        service.cancel(noted.id, viewer=OPERATOR, at=real_now())
        return note(noted)

    monkeypatch.setattr(service, "note", cancelled_meanwhile)
    one_step(operation)
    assert operation_now(operation).state == "CANCELLED"
    s3, bucket = aws.client("s3"), settings().files_bucket
    assert s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []


def test_empty_list_gives_an_empty_file(chain: str) -> None:
    done = finish(begin("{ members { nodes { id } } }"))
    assert (done.state, done.objects, lines(done)) == ("DONE", 0, [])


def key_viewer(*scopes: str) -> Viewer:
    key = make_key(scopes=frozenset(scopes)).api_key
    return Viewer(Role.INTEGRATION, key.id, scopes=frozenset(scopes))


@pytest.mark.usefixtures("small_pages")
def test_key_that_ends_ends_its_operation(members: list[Member]) -> None:
    viewer = key_viewer(READ_MEMBERS, READ_ORDERS)
    operation = one_step(begin(viewer=viewer))
    keys.revoke(viewer.id, viewer=SYSTEM, at=real_now())
    failed = finish(operation)
    assert (failed.state, failed.problem) == ("FAILED", "ACCESS_ENDED")
    assert files.get(failed.file) is None


def test_right_that_the_viewer_lost_meanwhile_fails_it(members: list[Member]) -> None:
    viewer = key_viewer(READ_MEMBERS, READ_ORDERS)
    operation = begin(viewer=viewer)
    operation.scopes = [READ_MEMBERS]
    operation.save()
    failed = finish(operation)
    assert (failed.state, failed.problem) == ("FAILED", "REFUSED")
    assert "Member.orders is not for INTEGRATION" in str(failed.problem_text)


def test_query_that_no_longer_fits_the_schema_fails_it(chain: str) -> None:
    operation = begin("{ stores { nodes { id } } }")
    operation.text = "{ me { role } }"
    operation.save()
    failed = finish(operation)
    assert (failed.state, failed.problem) == ("FAILED", "REFUSED")
    assert "list with pages" in str(failed.problem_text)


def test_what_is_shown_in_full_is_in_the_audit_log(members: list[Member]) -> None:
    viewer = key_viewer(READ_MEMBERS, READ_ORDERS, SEE_PERSONAL_DATA)
    done = finish(begin(viewer=viewer))
    assert {line["name"] for line in lines(done) if "name" in line} == {
        f"会员{n}" for n in range(3)
    }
    read = [e for e in entries() if e.actor_id == viewer.id]
    assert {entry.member_id for entry in read} == {member.id for member in members}
    assert {entry.request_id for entry in read} == {done.id}


def test_page_that_cannot_be_answered_is_asked_for_again(
    members: list[Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = begin()
    answer = execution.answer_unbilled

    async def broken(*args: Any) -> Any:
        found = await answer(*args)
        found.body["errors"] = [{"message": "x", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]
        return found

    with monkeypatch.context() as trouble:
        trouble.setattr(execution, "answer_unbilled", broken)
        with pytest.raises(RuntimeError):
            one_step(operation)
    assert finish(operation).state == "DONE"


@pytest.mark.usefixtures("small_pages")
def test_operation_drives_itself_to_its_end(
    members: list[Member], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "RUN_SECONDS", 0.0)
    operation = begin()
    pump = Pump(BulkItem.Meta.table_name, bulk_steps.handler, tmp_path)
    while pump.drain(boto3.client("dynamodbstreams")):
        pass
    done = operation_now(operation)
    assert done.state == "DONE"
    assert same(lines(done), expected(members, "会**"))
    assert list(tmp_path.glob("*.failed.jsonl")) == []
    before = [item.serialize() for item in BulkItem.scan()]
    running.follow(operation.id, 2)
    assert [item.serialize() for item in BulkItem.scan()] == before
