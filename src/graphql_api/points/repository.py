"""Access paths of points: accounts, ledgers, marks, who is due, and what the program gave."""

from collections.abc import Sequence
from datetime import date

from graphql_api.kit.dynamo import Page, Transaction, batch_get, key_page
from graphql_api.kit.dynamo.blocks import one_after_another
from graphql_api.points import models
from graphql_api.points.models import (
    PARTS,
    SOLE,
    Account,
    Entry,
    Mark,
    PointsItem,
    ProgramPart,
)
from graphql_api.points.rules import EntryKind
from graphql_api.policies import repository as policies
from graphql_api.policies.rules import PointsPolicy, PolicyKind


def in_force() -> tuple[int, PointsPolicy]:
    """The policy of points and its version; what was published is known within a minute."""
    version, document = policies.remembered(PolicyKind.POINTS)
    assert isinstance(document, PointsPolicy)
    return version, document


def policy_of(version: int) -> PointsPolicy:
    """The policy of a version that something was decided by."""
    document = policies.document_of(PolicyKind.POINTS, version)
    assert isinstance(document, PointsPolicy)
    return document


def get_many(member_ids: Sequence[str]) -> list[Account | None]:
    """Accounts by the id of their member."""
    return batch_get(Account, [(id_, SOLE) for id_ in member_ids])


def get(member_id: str) -> Account | None:
    """An account as it is now (strongly consistent), to decide on."""
    return batch_get(Account, [(member_id, SOLE)], consistent=True)[0]


def save(tx: Transaction, account: Account) -> None:
    """Write an account over the version that was read, or for the first time."""
    tx.save(account)


def delete(tx: Transaction, account: Account) -> None:
    """Remove an account over the version that was read."""
    tx.delete(account)


def due_in(shard: str, as_of: date, *, first: int, after: str | None) -> Page[PointsItem]:
    """Keys of accounts of a shard that are due by a business day, longest due first: one Query."""
    last = models.due_key_of("~", as_of)
    due_key = PointsItem.due_key
    return key_page(PointsItem.by_due, shard, due_key, first=first, after=after, up_to=last)


# --- the ledger ------------------------------------------------------------------------------


def put_entry(tx: Transaction, entry: Entry) -> None:
    """Add a line that is not there."""
    tx.create(entry)


def entries_of_member(
    member_id: str, *, first: int, after: str | None, reverse: bool
) -> Page[Entry]:
    """The ledger of a member in the order in which things happened: one Query."""
    return key_page(
        Entry,
        member_id,
        Entry.sort,
        first=first,
        after=after,
        reverse=reverse,
        starts_with=models.ENTRY,
    )


def entries_of_lives(
    member_ids: tuple[str, ...], *, first: int, after: str | None, reverse: bool
) -> Page[Entry]:
    """The same of a member who was several: id after id."""
    return one_after_another(
        entries_of_member, member_ids, first=first, after=after, reverse=reverse
    )


def all_entries(member_id: str) -> list[Entry]:
    """The whole ledger under one id as it is now (strongly consistent), for who audits it."""
    lines = Entry.sort.startswith(models.ENTRY)
    return list(Entry.query(member_id, lines, consistent_read=True))


# --- marks -----------------------------------------------------------------------------------


def mark_of(member_ids: Sequence[str], kind: EntryKind, key: str) -> Mark | None:
    """What was done under a key to a member who has or had these ids (strongly consistent)."""
    keys = [(id_, models.mark_sort(kind, key)) for id_ in member_ids]
    return next((mark for mark in batch_get(Mark, keys, consistent=True) if mark), None)


def put_mark(tx: Transaction, mark: Mark) -> None:
    """Note that something was done; stale when it was before, or changed since it was read."""
    if mark.version is None:
        tx.create(mark)
    else:
        tx.save(mark)


# --- what the program gave -------------------------------------------------------------------


def program_parts(month: str) -> list[int]:
    """What each of the parts of a month has given (strongly consistent)."""
    found = ProgramPart.query(models.program_id(month), consistent_read=True)
    given = {part.sort: int(part.given) for part in found}
    return [given.get(models.part_sort(number), 0) for number in range(PARTS)]


def move_program_part(tx: Transaction, month: str, number: int, *, was: int, by: int) -> None:
    """Add to a part what was given or taken back; stale when others moved it."""
    part = ProgramPart(models.program_id(month), models.part_sort(number))
    unmoved = ProgramPart.given == was
    if not was:
        unmoved = unmoved | ProgramPart.given.does_not_exist()
    tx.update(part, [ProgramPart.given.set(was + by)], condition=unmoved)
