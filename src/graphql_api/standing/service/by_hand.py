"""Tiers by hand: a lock that beats the rule for a while, and a tier that a member begins with."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from graphql_api.errors import ForbiddenTransition, Invalid, NotFound
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Stale, Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.members.rules import reaches
from graphql_api.standing import models, repository, rules
from graphql_api.standing.rules import (
    Change,
    ChangeKind,
    Decision,
    Ladder,
    Lock,
    LockKind,
    Reason,
    Tier,
)
from graphql_api.standing.service.deciding import current, is_free
from graphql_api.standing.service.writing import Cause, write
from graphql_api.viewer import Viewer

Note = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TierLock(_Command):
    """Hold a member at a tier, or at no less, to a last day or for good."""

    member_id: str
    kind: LockKind
    tier: str
    until: date | None = None
    note: Note | None = None


class TierUnlock(_Command):
    """Let the rule decide again."""

    member_id: str
    note: Note | None = None


class TierGrant(_Command):
    """Have a member begin in a tier, as if it had been reached today, without the gifts below."""

    member_id: str
    tier: str
    note: Note | None = None


def lock(given: TierLock, *, viewer: Viewer, clock: Clock) -> Member:
    """A member whose tier is locked, in the place of an earlier lock; the same changes nothing.

    Refuses a tier that is not in the ladder, a day that is over, and members out of reach.
    """
    if given.until is not None and given.until < clock.today():
        raise Invalid("This day is over", field=("input", "until"))

    def change(ladder: Ladder, tier: Tier, day: int) -> Tier:
        _require_tier(ladder, given.tier)
        until = given.until.toordinal() if given.until else None
        held = tier.lock
        if held and (held.kind, held.tier, held.until) == (given.kind, given.tier, until):
            return tier
        return rules.locked(ladder, tier, Lock(given.kind, given.tier, day, until), day)

    cause = _cause(given.note, Reason.LOCKED, viewer, clock)
    return _by_hand(given.member_id, change, cause)


def unlock(given: TierUnlock, *, viewer: Viewer, clock: Clock) -> Member:
    """A member whose tier the rule decides again; without a lock nothing changes."""

    def change(_ladder: Ladder, tier: Tier, day: int) -> Tier:
        return rules.unlocked(tier, day) if tier.lock else tier

    cause = _cause(given.note, Reason.LOCK_ENDED, viewer, clock)
    return _by_hand(given.member_id, change, cause)


def grant(given: TierGrant, *, viewer: Viewer, clock: Clock) -> Member:
    """A member in a tier as if it had been reached today; one who has it already stays.

    Its own gift comes, those of the tiers below do not. Refuses a lower tier and one under a lock.
    """

    def change(ladder: Ladder, tier: Tier, day: int) -> Tier:
        _require_tier(ladder, given.tier)
        if tier.name == given.tier:
            return tier
        if tier.lock or ladder.ranks[given.tier] < ladder.ranks.get(tier.name, 0):
            text = "A tier is granted upwards, and not under a lock"
            raise ForbiddenTransition(text, field=("input", "tier"))
        return rules.initial(ladder, given.tier, day)

    cause = _cause(given.note, Reason.INITIAL, viewer, clock)
    return _by_hand(given.member_id, change, cause)


def _by_hand(member_id: str, change: Callable[[Ladder, Tier, int], Tier], cause: Cause) -> Member:
    """Settle what is due, change the tier, and let the rule say what it says to that."""

    def attempt(tx: Transaction) -> Member:
        member = _reached(member_id, cause.by)
        if not is_free(member, cause.clock):
            raise Stale
        joined = cause.clock.day_of(member.joined_at)
        policies = repository.in_force(models.standing(member, joined))
        before = current(member, cause.as_of, clock=cause.clock, policies=policies)
        old = before.standing.tier
        new = change(policies.ladder, old, cause.as_of.toordinal())
        if new is old:
            return member
        given = replace(before.standing, tier=new)
        facts = models.facts(member, joined)
        after = rules.decide(facts, given, policies, cause.as_of)
        told = _change(before, old, new, cause)
        write(tx, member, [before, after], cause, by_hand=told)
        members.save(tx, member)
        return member

    return transact(attempt)


def _change(before: Decision, old: Tier, new: Tier, cause: Cause) -> Change:
    numbers = {"locked_until": new.lock.until} if new.lock and new.lock.until else {}
    version = before.policies.ladder.version
    return Change(ChangeKind.TIER, cause.as_of, old.name, new.name, cause.because, version, numbers)


def _cause(note: str | None, because: Reason, viewer: Viewer, clock: Clock) -> Cause:
    return Cause(clock, clock.today(), because, by=viewer, note=note)


def _require_tier(ladder: Ladder, name: str) -> None:
    if name not in ladder.ranks:
        tiers = ", ".join(ladder.names)
        raise Invalid(f"The tiers are {tiers}", field=("input", "tier"))


def _reached(member_id: str, viewer: Viewer) -> Member:
    """The member as they are now, where the viewer reaches them."""
    member = members.get(member_id) if ids.prefix_of(member_id) == "mbr" else None
    if member is None or not reaches(viewer, member):
        raise NotFound("There is no such member", field=("input", "member_id"))
    return member
