"""Points that other slices give and take in their own transactions, once for each key.

Each of these adds to the caller's transaction, which then writes the member; one of them for a
member in a transaction. A key that was used before changes nothing.
"""

from collections.abc import Collection
from datetime import date

from graphql_api.errors import InsufficientPoints, LimitExceeded, NotFound
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.points import models, repository, rules
from graphql_api.points.models import Mark
from graphql_api.points.rules import Book, Draw, EntryKind, Source
from graphql_api.points.service.opening import Cause, Opened, close, free, open_

_KINDS = {
    Source.GRANT: EntryKind.GRANT,
    Source.ADJUSTMENT: EntryKind.ADJUST,
    Source.OPENING: EntryKind.OPEN,
}


def grant_in(
    tx: Transaction,
    member: Member,
    points: int,
    *,
    key: str,
    cause: Cause,
    source: Source = Source.GRANT,
    expires_on: date | None = None,
) -> bool:
    """Give points that are active at once; whether the key is new, and the member to be written.

    By the terms of the policy in force, or to the end of a given day.
    """
    kind = _KINDS[source]
    if repository.mark_of(member.lives, kind, key) is not None:
        return False
    opened = open_(member, cause)
    rules.give(opened.book, points, source, key=key, expires_on=expires_on)
    _write(tx, opened, kind, key, points, (), cause)
    return True


def spend_in(tx: Transaction, member: Member, points: int, *, key: str, cause: Cause) -> bool:
    """Spend points that are there; whether the key is new, and the member to be written.

    Refuses with InsufficientPoints where less can be spent.
    """
    if repository.mark_of(member.lives, EntryKind.SPEND, key) is not None:
        return False
    opened = open_(member, cause)
    require_enough(opened.book, points)
    draws = rules.take(opened.book, points, key=key)
    _write(tx, opened, EntryKind.SPEND, key, points, draws, cause)
    return True


def restore_in(tx: Transaction, member: Member, *, key: str, cause: Cause) -> int:
    """Give back what was spent under a key; how much, and 0 where that was done or never spent."""
    mark = repository.mark_of(member.lives, EntryKind.SPEND, key)
    if mark is None or mark.given_back_at is not None:
        return 0
    opened = open_(member, cause)
    rules.back(opened.book, mark.draws, key=key)
    close(tx, opened, cause)
    mark.given_back_at = cause.clock.now()
    repository.put_mark(tx, mark)
    return int(mark.points)


def freeze_in(
    tx: Transaction, member: Member, points: int, *, key: str, until: date | None, cause: Cause
) -> bool:
    """Put points aside under a key, to the end of a day; whether the key is new.

    An order whose id is the key takes them first. Refuses with InsufficientPoints where less can be
    spent, and more than 20 holds at once.
    """
    if repository.mark_of(member.lives, EntryKind.FREEZE, key) is not None:
        return False
    opened = open_(member, cause)
    _freeze(opened.book, points, key, until)
    _write(tx, opened, EntryKind.FREEZE, key, points, (), cause)
    return True


def freeze_anew_in(
    tx: Transaction,
    member: Member,
    points: int,
    *,
    key: str,
    until: date | None,
    instead_of: Collection[str] = (),
    cause: Cause,
) -> None:
    """The same for who keeps by itself what was done under a key: it may be frozen under again.

    What is frozen under it, and under those that it stands instead of, goes back first. The member
    is to be written.
    """
    opened = open_(member, cause)
    for old in [key, *instead_of]:
        if old in opened.book.holds:
            opened.book.release(old)
    opened.book.expire(opened.book.as_of)
    _freeze(opened.book, points, key, until)
    close(tx, opened, cause)


def consume_in(tx: Transaction, member: Member, *, key: str, cause: Cause) -> bool | None:
    """Spend what is frozen under a key; None where nothing is, and nothing to be written then."""
    opened = open_(member, cause)
    if key not in opened.book.holds:
        return None
    opened.book.touch(opened.book.as_of)
    draws = rules.consume(opened.book, key)
    points = sum(draw.points for draw in draws)
    _write(tx, opened, EntryKind.CONSUME, key, points, draws, cause)
    return True


def unfreeze_in(tx: Transaction, member: Member, *, key: str, cause: Cause) -> bool:
    """Give back what is frozen under a key; whether anything was, and the member to be written."""
    opened = open_(member, cause)
    if key not in opened.book.holds:
        return False
    opened.book.release(key)
    opened.book.expire(opened.book.as_of)
    close(tx, opened, cause)
    return True


def grant(
    member_id: str, points: int, *, key: str, cause: Cause, expires_on: date | None = None
) -> Member:
    """The same as `grant_in`, in a transaction of its own; the member as they are then."""

    def attempt(tx: Transaction) -> Member:
        member = free(member_id, cause)
        if member is None:
            raise NotFound("There is no such member", field=("input", "member_id"))
        if grant_in(tx, member, points, key=key, cause=cause, expires_on=expires_on):
            members.save(tx, member)
        return member

    return transact(attempt)


def have_balance(member_id: str, total: int, *, key: str, cause: Cause) -> bool:
    """Have a member's balance be what another system, whose word counts, says it is.

    What differs is an adjustment, once for a key: whether anything was adjusted. A total below
    nothing is none.
    """

    def attempt(tx: Transaction) -> bool:
        member = free(member_id, cause)
        if member is None:
            raise NotFound("There is no such member", field=("input", "member_id"))
        if repository.mark_of(member.lives, EntryKind.ADJUST, key) is not None:
            return False
        opened = open_(member, cause)
        differs = max(total, 0) - opened.book.figures.balance
        draws: tuple[Draw, ...] = ()
        if differs > 0:
            rules.give(opened.book, differs, Source.ADJUSTMENT, key=key)
        elif differs < 0:
            draws = rules.take(opened.book, -differs, key=key, kind=EntryKind.ADJUST)
        _write(tx, opened, EntryKind.ADJUST, key, differs, draws, cause)
        members.save(tx, member)
        return differs != 0

    return transact(attempt)


def _freeze(book: Book, points: int, key: str, until: date | None) -> None:
    if len(book.holds) >= rules.MAX_HOLDS:
        text = f"A member has points frozen {rules.MAX_HOLDS} times at most"
        raise LimitExceeded(text, field=("input", "key"))
    require_enough(book, points)
    rules.freeze(book, points, key=key, until=until)


def require_enough(book: Book, points: int) -> None:
    """Refuse to take more than can be spent."""
    if rules.is_short(book, points):
        there = sum(lot.points for lot in book.spendable())
        text = f"{there} points can be spent, not {points}"
        raise InsufficientPoints(text, field=("input", "points"))


def _write(
    tx: Transaction,
    opened: Opened,
    kind: EntryKind,
    key: str,
    points: int,
    draws: tuple[Draw, ...] | list[Draw],
    cause: Cause,
) -> None:
    close(tx, opened, cause)
    mark = Mark(
        opened.member.id,
        models.mark_sort(kind, key),
        points=points,
        draw_document=[draw.row for draw in draws],
        at=cause.clock.now(),
    )
    repository.put_mark(tx, mark)
