"""What people and other systems do to points by name: adjust, freeze, consume, unfreeze, open."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from graphql_api.errors import AppError, ForbiddenTransition, Invalid, NotFound, Taken
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.members.rules import Origin
from graphql_api.points import repository, rules
from graphql_api.points.rules import EntryKind, Source
from graphql_api.points.service.giving import (
    consume_in,
    freeze_in,
    grant_in,
    require_enough,
    unfreeze_in,
)
from graphql_api.points.service.opening import Cause, close, free, open_
from graphql_api.viewer import Viewer

MAX_POINTS = 10**9
MAX_AT_ONCE = 100

Points = Annotated[int, Field(ge=1, le=MAX_POINTS)]
Key = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,64}$")]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PointsAdjust(_Command):
    """Points that somebody gives or takes away, and why."""

    member_id: str
    points: int = Field(ge=-MAX_POINTS, le=MAX_POINTS)
    reason: Reason
    expires_on: date | None = None


class PointsFreeze(_Command):
    """Points to put aside under a key, to the end of a day."""

    member_id: str
    points: Points
    key: Key
    until: date | None = None


class PointsRelease(_Command):
    """What is frozen under a key, to be consumed or given back."""

    member_id: str
    key: Key


class OpeningBalance(_Command):
    """What a member had in another system, which names it by a key."""

    member_id: str
    points: Points
    key: Key
    expires_on: date | None = None


class PointsImport(_Command):
    """Balances of up to a hundred members."""

    balances: list[OpeningBalance] = Field(min_length=1, max_length=MAX_AT_ONCE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one balance of an import: the member, or why it was refused."""

    member_id: str
    member: Member | None = None
    refusal: AppError | None = None


def adjust(given: PointsAdjust, *, viewer: Viewer, clock: Clock) -> Member:
    """A member with so many points more or less. Refuses to take more than can be spent."""
    if given.points == 0:
        raise Invalid("Say how many points", field=("input", "points"))
    _require_to_come(given.expires_on, clock, ("input", "expires_on"))
    if given.expires_on is not None and given.points < 0:
        raise Invalid("What is taken away has no last day", field=("input", "expires_on"))

    def change(tx: Transaction, member: Member, cause: Cause) -> bool:
        opened = open_(member, cause)
        if given.points > 0:
            key = f"{int(member.version or 0) + 1}"
            rules.give(
                opened.book,
                given.points,
                Source.ADJUSTMENT,
                key=key,
                expires_on=given.expires_on,
            )
        else:
            require_enough(opened.book, -given.points)
            rules.take(opened.book, -given.points, key=None, kind=EntryKind.ADJUST)
        return close(tx, opened, cause)

    cause = Cause(clock, viewer, reason=given.reason)
    return _changed(given.member_id, change, cause)


def freeze(given: PointsFreeze, *, viewer: Viewer, clock: Clock) -> Member:
    """A member some of whose points are put aside; the same key again changes nothing.

    An order whose id is the key takes them first.
    """
    _require_to_come(given.until, clock, ("input", "until"))

    def change(tx: Transaction, member: Member, cause: Cause) -> bool:
        mark = repository.mark_of(member.lives, EntryKind.FREEZE, given.key)
        if mark is not None and int(mark.points) != given.points:
            text = f"{int(mark.points)} points were frozen under this key"
            raise Taken(text, field=("input", "key"))
        return freeze_in(tx, member, given.points, key=given.key, until=given.until, cause=cause)

    return _changed(given.member_id, change, Cause(clock, viewer))


def consume(given: PointsRelease, *, viewer: Viewer, clock: Clock) -> Member:
    """A member who has spent what was frozen under a key; again changes nothing."""

    def change(tx: Transaction, member: Member, cause: Cause) -> bool:
        if consume_in(tx, member, key=given.key, cause=cause):
            return True
        if repository.mark_of(member.lives, EntryKind.CONSUME, given.key) is None:
            _refuse_hold(member, given.key)
        return False

    return _changed(given.member_id, change, Cause(clock, viewer))


def unfreeze(given: PointsRelease, *, viewer: Viewer, clock: Clock) -> Member:
    """A member who has back what was frozen under a key; again changes nothing."""

    def change(tx: Transaction, member: Member, cause: Cause) -> bool:
        if unfreeze_in(tx, member, key=given.key, cause=cause):
            return True
        if repository.mark_of(member.lives, EntryKind.CONSUME, given.key) is not None:
            text = "What was frozen under this key was spent"
            raise ForbiddenTransition(text, field=("input", "key"))
        if repository.mark_of(member.lives, EntryKind.FREEZE, given.key) is None:
            _refuse_hold(member, given.key)
        return False

    return _changed(given.member_id, change, Cause(clock, viewer))


def _refuse_hold(member: Member, key: str) -> None:
    """Say of a key under which nothing is frozen whether anything ever was."""
    if repository.mark_of(member.lives, EntryKind.FREEZE, key) is None:
        raise NotFound("Nothing is frozen under this key", field=("input", "key"))
    raise ForbiddenTransition("This is no longer frozen", field=("input", "key"))


def import_balances(given: PointsImport, *, viewer: Viewer, clock: Clock) -> list[Outcome]:
    """Give members what they had in another system, one after another; each once for its key.

    Told to nobody. What cannot be given is refused by itself.
    """
    outcomes: list[Outcome] = []
    for n, balance in enumerate(given.balances):
        try:
            member = _opened(balance, n, viewer, clock)
            outcomes.append(Outcome(balance.member_id, member))
        except AppError as refusal:
            outcomes.append(Outcome(balance.member_id, refusal=refusal))
    return outcomes


def _opened(balance: OpeningBalance, n: int, viewer: Viewer, clock: Clock) -> Member:
    field = ("input", "balances", str(n))
    _require_to_come(balance.expires_on, clock, (*field, "expires_on"))

    def change(tx: Transaction, member: Member, cause: Cause) -> bool:
        return grant_in(
            tx,
            member,
            balance.points,
            key=balance.key,
            cause=cause,
            source=Source.OPENING,
            expires_on=balance.expires_on,
        )

    cause = Cause(clock, viewer, origin=Origin.BACKFILL)
    return _changed(balance.member_id, change, cause, field=(*field, "member_id"))


def _changed(
    member_id: str,
    change: Callable[[Transaction, Member, Cause], bool],
    cause: Cause,
    *,
    field: tuple[str, ...] = ("input", "member_id"),
) -> Member:
    """A member within reach of who asks, after a change that says whether there is one."""

    def attempt(tx: Transaction) -> Member:
        member = free(member_id, cause) if ids.prefix_of(member_id) == "mbr" else None
        if member is None or not rules.may_change(cause.by, member):
            raise NotFound("There is no such member", field=field)
        if change(tx, member, cause):
            members.save(tx, member)
        return member

    return transact(attempt)


def _require_to_come(day: date | None, clock: Clock, field: tuple[str, ...]) -> None:
    if day is not None and day < clock.today():
        raise Invalid("This day is over", field=field)
