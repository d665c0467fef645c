"""Access paths of ownership: a member's terms, hand-overs and whom they are about."""

from collections.abc import Sequence

from graphql_api.kit.dynamo import Page, Transaction, batch_get, get_together, key_page
from graphql_api.kit.dynamo.blocks import one_after_another
from graphql_api.members import repository as members
from graphql_api.members.models import SOLE as SOLE_MEMBER
from graphql_api.members.models import Member
from graphql_api.ownership import models
from graphql_api.ownership.models import (
    SKIP,
    SOLE,
    TERM,
    HandedOver,
    HandOver,
    OwnershipItem,
    Skipped,
    Term,
)
from graphql_api.ownership.rules import Ending, Outcome


def page_of_member(member_id: str, *, first: int, after: str | None, reverse: bool) -> Page[Term]:
    """The terms of a member, oldest first: one Query, and the member where nothing has ended yet.

    Before the first end no term is written: the member's own item tells of the one they are in.
    """
    keys = key_page(
        Term,
        member_id,
        OwnershipItem.sort,
        first=first,
        after=after,
        reverse=reverse,
        starts_with=TERM,
    )
    if keys.items or after is not None:
        return keys
    member = members.get_items([member_id], consistent=False)[0]
    term = models.term_of(member) if member else None
    return Page([term], [term.sort]) if term else Page()


def page_of_lives(
    member_ids: tuple[str, ...], *, first: int, after: str | None, reverse: bool
) -> Page[Term]:
    """The terms of a member who was several: id after id, each oldest first."""
    return one_after_another(page_of_member, member_ids, first=first, after=after, reverse=reverse)


def end_term(tx: Transaction, member: Member, ending: Ending) -> None:
    """Write the end of the term that a member is in; the caller saves the member without it."""
    if term := models.term_of(member):
        term.ended_at, term.end_reason = ending.at, ending.reason
        tx.put(term)


def begin_term(tx: Transaction, member: Member) -> None:
    """Write the term that a member has begun; the caller saves the member."""
    if term := models.term_of(member):
        tx.create(term)


# --- hand-overs ------------------------------------------------------------------------------


def get_hand_overs(hand_over_ids: Sequence[str]) -> list[HandOver | None]:
    """Hand-overs by id."""
    return batch_get(HandOver, [(id_, SOLE) for id_ in hand_over_ids])


def get_hand_over(hand_over_id: str) -> HandOver | None:
    """One hand-over as it is now (strongly consistent), to decide on."""
    return batch_get(HandOver, [(hand_over_id, SOLE)], consistent=True)[0]


def page_of_hand_overs(
    guide_id: str, *, first: int, after: str | None, reverse: bool
) -> Page[HandOver]:
    """Hand-overs of a guide's members, by time: one Query, one BatchGetItem."""
    keys = key_page(
        OwnershipItem.by_from_guide,
        guide_id,
        OwnershipItem.id,
        first=first,
        after=after,
        reverse=reverse,
    )
    return keys.showing(get_hand_overs([key.id for key in keys.items]))


def create_hand_over(tx: Transaction, job: HandOver) -> None:
    """Add a new hand-over."""
    tx.create(job)


def save_hand_over(tx: Transaction, job: HandOver) -> None:
    """Write a hand-over over the version that was read."""
    tx.save(job)


def list_members(tx: Transaction, job: HandOver, member_ids: Sequence[str]) -> None:
    """Put members on the list of a hand-over, behind those who are on it."""
    for number, member_id in enumerate(member_ids, start=int(job.listed)):
        tx.put(HandedOver(job.id, models.listed_sort(number), member_id=member_id))


def listed(hand_over_id: str, numbers: Sequence[int]) -> list[HandedOver]:
    """Those on the list of a hand-over with these numbers as they are now: one BatchGetItem."""
    keys = [(hand_over_id, models.listed_sort(number)) for number in numbers]
    return [row for row in batch_get(HandedOver, keys, consistent=True) if row is not None]


def listed_with_members(
    rows: Sequence[HandedOver],
) -> list[tuple[HandedOver, Member | None]]:
    """Some on the list of a hand-over, each with the member, as they are now: one BatchGetItem.

    Who was merged since stands for both, as the same item.
    """
    wanted = [(HandedOver, row.key, None) for row in rows]
    of_members = [(Member, (row.member_id, SOLE_MEMBER), None) for row in rows]
    found = get_together([*wanted, *of_members])
    people = members.followed(found[len(rows) :], consistent=True)
    return list(zip(found[: len(rows)], people, strict=True))


def note_outcome(tx: Transaction, row: HandedOver, outcome: Outcome) -> None:
    """Write what became of a member on the list of a hand-over, once; stale when it is written."""
    unwritten = HandedOver.outcome.does_not_exist()
    tx.update(row, [HandedOver.outcome.set(outcome)], condition=unwritten)
    if outcome is not Outcome.MOVED:
        skip = models.skip_sort(row.number)
        tx.put(Skipped(row.id, skip, member_id=row.member_id, reason=outcome))


def page_of_skipped(
    hand_over_id: str, *, first: int, after: str | None, reverse: bool
) -> Page[Skipped]:
    """Whom a hand-over left where they are: one Query."""
    return key_page(
        Skipped,
        hand_over_id,
        OwnershipItem.sort,
        first=first,
        after=after,
        reverse=reverse,
        starts_with=SKIP,
    )
