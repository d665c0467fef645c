"""The daily run on DynamoDB Local: what it reads and writes there, against a scan of the table.

Members made up, decided on the evening before; then the run of two mornings. Calls are counted at
the client, so nothing that is asked of DynamoDB is left out.
"""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from graphql_api import tables
from graphql_api.kit.dynamo import batch_write, reset_connections
from graphql_api.kit.dynamo.connection import shared_client
from graphql_api.kit.time import DEFAULT_ZONE, Clock, start_of
from graphql_api.members import models as member_models
from graphql_api.members.models import Member, MembersItem
from graphql_api.members.rules import SourceChannel
from graphql_api.standing import models, tasks
from graphql_api.stores import service as stores
from scripts import dynamodb_local, local
from scripts.bench import daily, policies, population, report
from scripts.bench.lives import FAR, Life
from scripts.bench.population import FIRST_DAY, Person

SIZE = 10_000
MORNINGS = (FIRST_DAY, FIRST_DAY + timedelta(days=1))
HEAD = (
    "members",
    "index keys read",
    "items read",
    "members looked at",
    "changed",
    "members written",
    "other items written",
)
_BEGAN = datetime(2017, 1, 1, tzinfo=UTC)
_WRITES = ("Put", "Update", "Delete")
Say = Callable[[str], None]


def run(say: Say) -> str:
    """The table. EngineError where DynamoDB Local cannot be had."""
    dynamodb_local.ensure_environment(say)
    with (
        tempfile.TemporaryDirectory() as folder,
        dynamodb_local.start(Path(folder), persist=False, progress=say) as running,
    ):
        local.point_at(running.url)
        reset_connections()
        return measured(say, SIZE)


def measured(say: Say, size: int) -> str:
    """The table of so many members, on the engine that the environment names."""
    tables.create_all()
    clock = Clock(wall=lambda: start_of(FIRST_DAY, DEFAULT_ZONE))
    stores.set_up_chain("Bench", zone=DEFAULT_ZONE, offset_days=0, clock=clock)
    say(f"{size:,} members put")
    _put(size)
    rows = [_row(f"a scan of {size:,}", _scan)]
    for day in MORNINGS:
        say(f"the run of {day}")
        rows.append(_row(f"the run of {day}", partial(_run, day)))
    rows.append(_row("the same once more", partial(_run, MORNINGS[-1])))
    return report.table(HEAD, rows)


def _put(size: int) -> None:
    chosen = policies.shipped()
    batch: list[Member] = []
    for person in population.people(size, days=0):
        batch.append(_member(person, daily.begun(person, chosen)))
        if len(batch) == 1_000:
            batch_write(MembersItem, batch)
            batch.clear()
    batch_write(MembersItem, batch)


def _member(person: Person, life: Life) -> Member:
    member = Member(
        f"mbr_{person.number:026d}",
        number=person.number,
        source=SourceChannel.STORE,
        joined_at=start_of(person.joined_on, DEFAULT_ZONE),
        joining_store_id="sto_1",
        store_id="sto_1",
        created_at=_BEGAN,
        version=1,
    )
    member.facts = person.facts
    assert life.standing is not None
    models.hold(member, life.standing)
    if life.due_on is not FAR:
        member.next_on = member.due_on = life.due_on
        member.due_key = member_models.due_key_of(member.id, life.due_on)
        member.due_shard = member_models.due_shard_of(member)
    return member


def _scan() -> tuple[str, str]:
    looked_at = sum(1 for item in Member.scan() if item.standing_document is not None)
    return f"{looked_at:,}", "0"


def _run(day: date) -> tuple[str, str]:
    done = tasks.run(day, clock=Clock(wall=lambda: start_of(day, DEFAULT_ZONE)))
    assert not done.failed
    return f"{done.members:,}", f"{done.changed:,}"


def _row(name: str, work: Callable[[], tuple[str, str]]) -> list[str]:
    with _counted() as asked:
        looked_at, changed = work()
    written = asked["members written"]
    return [
        name,
        f"{asked['keys']:,}",
        f"{asked['items']:,}",
        looked_at,
        changed,
        f"{written:,}",
        f"{asked['written'] - written:,}",
    ]


@contextmanager
def _counted() -> Iterator[Counter[str]]:
    """Items that answers hold and that requests write, counted until the block ends."""
    asked: Counter[str] = Counter()

    def sent(params: dict[str, Any], model: Any, **_: Any) -> None:
        for request in _written(model.name, params):
            place = request.get("Item") or request["Key"]
            is_member = request["TableName"] == MembersItem.Meta.table_name
            asked["written"] += 1
            asked["members written"] += is_member and place["sort"]["S"] == member_models.SOLE

    def answered(parsed: dict[str, Any], model: Any, **_: Any) -> None:
        kind = "keys" if model.name == "Query" else "items"
        asked[kind] += len(parsed.get("Items", ())) + ("Item" in parsed)
        asked["items"] += sum(map(len, parsed.get("Responses", {}).values()))

    events = shared_client().meta.events
    events.register("provide-client-params.dynamodb", sent)
    events.register("after-call.dynamodb", answered)
    try:
        yield asked
    finally:
        events.unregister("provide-client-params.dynamodb", sent)
        events.unregister("after-call.dynamodb", answered)


def _written(operation: str, params: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if operation in {"PutItem", "UpdateItem", "DeleteItem"}:
        yield params
    for item in params.get("TransactItems", ()):
        yield from (item[kind] for kind in _WRITES if kind in item)
