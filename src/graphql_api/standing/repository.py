"""Access paths of standings: policies made ready, histories, and what runs have done."""

import time
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from threading import Lock

from graphql_api.kit.dynamo import Page, Transaction, key_page
from graphql_api.kit.dynamo.blocks import one_after_another
from graphql_api.policies import repository as policies
from graphql_api.policies.rules import PolicyDocument, PolicyKind, TagRulesPolicy
from graphql_api.standing import models
from graphql_api.standing.models import Failure, HistoryRow, ShardRun, StandingItem
from graphql_api.standing.rules import (
    KINDS,
    ChangeKind,
    Policies,
    Standing,
    is_older,
    prepare,
)
from graphql_api.tags import repository as tags

REMEMBERED_SECONDS = policies.REMEMBERED_SECONDS
_PAGE = 100
_lock = Lock()
_ready: dict[tuple[int, ...], tuple[float, Policies]] = {}

Documents = Mapping[PolicyKind, tuple[int, PolicyDocument]]


def in_force(*held: Standing | None) -> Policies:
    """The policies in force, ready to decide by; what was published is known within a minute.

    At once where a standing in hand was decided by it: nobody is decided back by an older version.
    """
    ready = _remembered()
    if any(is_older(ready, standing) for standing in held if standing is not None):
        forget()
        ready = _remembered()
    return ready


def _remembered() -> Policies:
    documents = {kind: policies.remembered(kind) for kind in KINDS}
    versions = tuple(version for version, _ in documents.values())
    now = time.monotonic()
    with _lock:
        known = _ready.get(versions)
        if known is None or now - known[0] >= REMEMBERED_SECONDS:
            _ready.clear()
            known = _ready[versions] = now, made_ready(documents)
    return known[1]


def forget() -> None:
    """Have the next decision read what is in force."""
    policies.forget()
    _ready.clear()


def made_ready(documents: Documents) -> Policies:
    """Policies to decide by; rules for tags that are archived or not there are left out."""
    version, rules = documents.get(PolicyKind.TAG_RULES, (0, None))
    if not isinstance(rules, TagRulesPolicy) or not rules.rules:
        return prepare(documents)
    given = [tag for tag in tags.get_many([rule.tag for rule in rules.rules]) if tag]
    group_ids = list(dict.fromkeys(tag.group_id for tag in given))
    groups = {group.id: group for group in tags.get_groups(group_ids) if group}
    live = {tag.id for tag in given if not tag.archived_at and not groups[tag.group_id].archived_at}
    kept = TagRulesPolicy(rules=tuple(rule for rule in rules.rules if rule.tag in live))
    exclusive = [group.id for group in groups.values() if group.exclusive]
    of_tag = {tag_id: group_id for group_id in exclusive for tag_id in _tags_of(group_id)}
    return prepare({**documents, PolicyKind.TAG_RULES: (version, kept)}, of_tag)


def _tags_of(group_id: str) -> list[str]:
    found: list[str] = []
    after: str | None = None
    while True:
        page = tags.page_of_group(group_id, first=_PAGE, after=after, reverse=False)
        found += [tag.id for tag in page.items]
        if not page.more:
            return found
        after = page.last


# --- histories -------------------------------------------------------------------------------


def put_history(tx: Transaction, row: HistoryRow) -> None:
    """Add a change of which there is none yet."""
    tx.create(row)


def history_of_member(
    member_id: str, kind: ChangeKind, *, first: int, after: str | None, reverse: bool
) -> Page[HistoryRow]:
    """Changes of one kind of a member, in the order in which they were decided: one Query."""
    return key_page(
        HistoryRow,
        member_id,
        HistoryRow.sort,
        first=first,
        after=after,
        reverse=reverse,
        starts_with=models.history_start(kind),
    )


def history_of_lives(
    member_ids: tuple[str, ...],
    kind: ChangeKind,
    *,
    first: int,
    after: str | None,
    reverse: bool,
) -> Page[HistoryRow]:
    """The same of a member who was several: id after id."""

    def of_one(
        member_id: str, /, *, first: int, after: str | None, reverse: bool
    ) -> Page[HistoryRow]:
        return history_of_member(member_id, kind, first=first, after=after, reverse=reverse)

    return one_after_another(of_one, member_ids, first=first, after=after, reverse=reverse)


def all_of_member(member_id: str) -> list[HistoryRow]:
    """Every change of a member as it is now (strongly consistent), by kind."""
    return list(HistoryRow.query(member_id, consistent_read=True))


# --- runs ------------------------------------------------------------------------------------


def count_run(as_of: date, shard: str, *, members: int, changed: int, failed: int) -> None:
    """Add to what a day's run has done with a shard."""
    ShardRun(models.run_id(as_of), models.shard_sort(shard)).update(
        actions=[
            ShardRun.members.add(members),
            ShardRun.changed.add(changed),
            ShardRun.failed.add(failed),
        ]
    )


def put_failure(as_of: date, member_id: str, *, problem: str, at: datetime) -> None:
    """Note a member whom a run could not decide on."""
    sort = models.failure_sort(member_id)
    Failure(models.run_id(as_of), sort, member_id=member_id, problem=problem, at=at).save()


def run_of(as_of: date) -> list[ShardRun]:
    """What a day's run has done, by shard."""
    start = models.shard_sort("")
    return list(ShardRun.query(models.run_id(as_of), StandingItem.sort.startswith(start)))


def runs_of(days: Sequence[date]) -> list[list[ShardRun]]:
    """The same of each of several days: a Query for each."""
    return [run_of(day) for day in days]


def failures_of(
    as_of: date, *, first: int, after: str | None, reverse: bool = False
) -> Page[Failure]:
    """Members whom a day's run could not decide on, by id: one Query."""
    return key_page(
        Failure,
        models.run_id(as_of),
        Failure.sort,
        first=first,
        after=after,
        reverse=reverse,
        starts_with=models.failure_sort(""),
    )
