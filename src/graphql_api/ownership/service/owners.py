"""One member at a time: assign, take over, release, and the end of what has run out."""

from dataclasses import replace
from datetime import date

from graphql_api.errors import Forbidden, ForbiddenTransition, Invalid, NotFound, Required
from graphql_api.guides import repository as guides
from graphql_api.guides.models import Guide
from graphql_api.guides.rules import GuideStatus
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Stale, Transaction, transact
from graphql_api.kit.time import Clock, to_the_millisecond
from graphql_api.members import repository as members
from graphql_api.members import rules as member_rules
from graphql_api.members.models import Member
from graphql_api.members.rules import Ownership, OwnershipSource
from graphql_api.members.service import OwnershipTerms
from graphql_api.ownership import repository, rules
from graphql_api.ownership.rules import EndReason
from graphql_api.ownership.service.commands import Assign, Release, TakeOver
from graphql_api.viewer import Role, Viewer

_MEMBER = ("input", "member_id")
_SELECTED = ("input", "member")
_GUIDE = ("input", "guide_id")
_NO_JOB = ""


class Protected(ForbiddenTransition):
    """Another guide has the member to themselves up to a day, that day included."""

    def __init__(self, until: date) -> None:
        text = f"Another guide's member, who is protected until {until.isoformat()}"
        super().__init__(text, field=_SELECTED)
        self.until = until


def assign(given: Assign, *, viewer: Viewer, clock: Clock) -> Member:
    """A member with a guide of their home store. Refuses one whom a guide looks after already.

    A guide who has left looks after nobody. The same guide again changes nothing.
    """
    source, terms = _source(given.source, viewer), OwnershipTerms.in_force()
    if given.valid_until is not None and given.valid_until < clock.today():
        raise Invalid("An ownership does not end in the past", field=("input", "valid_until"))

    def attempt(tx: Transaction) -> Member:
        member = _in_scope(given.member_id, viewer, clock, _MEMBER)
        owned = member.owned_on(clock.today())
        if owned and owned.guide_id == given.guide_id:
            return member
        if not rules.is_free(owned, _status_of(owned)):
            raise ForbiddenTransition("A guide looks after this member", field=_MEMBER)
        guide = _at_work(tx, given.guide_id, member)
        new = terms.begin(guide.id, source, clock.now(), clock)
        if given.valid_until is not None:
            new = replace(new, valid_until=given.valid_until)
        change_owner(tx, member, new, reason=EndReason.LEFT, clock=clock)
        return member

    return transact(attempt)


def take_over(given: TakeOver, *, viewer: Viewer, clock: Clock) -> Member:
    """A member with a guide of their home store, whoever had them before.

    A guide takes members of the store they work in, for themselves; managers and headquarters those
    within their reach, for any guide of the member's store. Raises Protected up to the last day of
    another guide's protection, unless headquarters force it; a guide who has left has none. The
    same guide again changes nothing.
    """
    guide_id = _taker_id(given.guide_id, viewer)
    source, terms = _source(given.source, viewer), OwnershipTerms.in_force()
    if given.force and not rules.may_force(viewer):
        raise Forbidden("Only headquarters force a take-over", field=("input", "force"))

    def attempt(tx: Transaction) -> Member:
        member = _in_scope(given.member_id, viewer, clock, _SELECTED)
        owned = member.owned_on(clock.today())
        if owned and owned.guide_id == guide_id:
            return member
        guide = _at_work(tx, guide_id, member)
        status = _status_of(owned)
        until = rules.protected_until(owned, status, clock.today())
        if until is not None and not given.force:
            raise Protected(until)
        reason = EndReason.LEFT if rules.is_free(owned, status) else EndReason.TAKEN_OVER
        new = terms.begin(guide.id, source, clock.now(), clock)
        change_owner(tx, member, new, reason=reason, clock=clock)
        return member

    return transact(attempt)


def release(given: Release, *, viewer: Viewer, clock: Clock) -> Member:
    """A member whom no guide looks after any more, by hand; again changes nothing."""

    def attempt(tx: Transaction) -> Member:
        member = _member(given.member_id)
        if member is None or not rules.may_change(viewer, member):
            raise NotFound("There is no such member", field=_MEMBER)
        wait_for_others(member, clock)
        if member.owned_on(clock.today()):
            change_owner(tx, member, None, reason=EndReason.BY_HAND, clock=clock)
        return member

    return transact(attempt)


def expire(member_id: str, as_of: date, *, clock: Clock) -> bool:
    """End an ownership that ran out before a business day; whether there was one to end."""

    def attempt(tx: Transaction) -> bool:
        member = _member(member_id)
        owned = member.ownership if member else None
        if member is None or owned is None or owned.holds(as_of):
            return False
        wait_for_others(member, clock)
        change_owner(tx, member, None, reason=EndReason.EXPIRED, clock=clock)
        return True

    return transact(attempt)


def change_owner(
    tx: Transaction, member: Member, new: Ownership | None, *, reason: EndReason, clock: Clock
) -> None:
    """Add to the transaction a member whom another guide looks after, or none, with the terms.

    What is stored ends for this reason, or by itself where it ran out before.
    """
    _replace(tx, member, new, reason=reason, clock=clock)
    members.save(tx, member)


def absorb(tx: Transaction, survivor: Member, loser: Member, *, clock: Clock) -> bool:
    """Have the guide with the stronger relation look after a member who was two; see `gives_way`.

    What ends, ends MERGED. The home store goes with the guide. Whether the loser's guide took over;
    the caller saves both members.
    """
    mine, theirs = (rules.Relation(m.ownership, _status_of(m.ownership)) for m in (survivor, loser))
    taken = rules.gives_way(mine, theirs, clock.today())
    if taken:
        _replace(tx, survivor, theirs.owned, reason=EndReason.MERGED, clock=clock)
        survivor.store_id = loser.store_id
    _replace(tx, loser, None, reason=EndReason.MERGED, clock=clock)
    return taken


def _replace(
    tx: Transaction, member: Member, new: Ownership | None, *, reason: EndReason, clock: Clock
) -> None:
    if owned := member.ownership:
        at, today = to_the_millisecond(clock.now()), clock.today()
        ending = rules.ended(owned, reason, at, as_of=today, zone=clock.zone)
        repository.end_term(tx, member, ending)
        member.end_ownership()
    if new:
        member.begin_ownership(new)
        repository.begin_term(tx, member)


def wait_for_others(member: Member, clock: Clock) -> None:
    """Have the attempt come back while somebody works on the member in many steps."""
    until = member.locked_until
    if member_rules.held_by_another(member.lock_owner, until, _NO_JOB, clock.now()):
        raise Stale


def _in_scope(member_id: str, viewer: Viewer, clock: Clock, field: tuple[str, ...]) -> Member:
    """The member as they are now, where the viewer may give them to a guide."""
    member = _member(member_id)
    if member is None or not rules.may_claim(viewer, member):
        raise NotFound("There is no such member", field=field)
    if member.archived_at is not None:
        raise ForbiddenTransition("This member has left", field=field)
    wait_for_others(member, clock)
    return member


def _member(member_id: str) -> Member | None:
    return members.get(member_id) if ids.prefix_of(member_id) == "mbr" else None


def _status_of(owned: Ownership | None) -> GuideStatus | None:
    """Whether the guide who has a member works, as of now."""
    guide = guides.get(owned.guide_id) if owned else None
    return guide.status if guide else None


def _at_work(tx: Transaction, guide_id: str, member: Member) -> Guide:
    """A guide who is at work in the member's home store, to which the transaction is held."""
    guide = guides.get(guide_id) if ids.prefix_of(guide_id) == "gde" else None
    if guide is None or guide.store_id != member.store_id:
        raise NotFound("The member's store has no such guide", field=_GUIDE)
    if guide.status is not GuideStatus.ACTIVE:
        raise ForbiddenTransition("This guide does not take members now", field=_GUIDE)
    guides.require_at_work(tx, guide)
    return guide


def _taker_id(guide_id: str | None, viewer: Viewer) -> str:
    if viewer.role is Role.GUIDE:
        if guide_id not in {None, viewer.id}:
            raise Forbidden("A guide takes members for themselves", field=_GUIDE)
        return viewer.id
    if guide_id is None:
        raise Required("Name the guide who takes the member", field=_GUIDE)
    return guide_id


def _source(source: OwnershipSource | None, viewer: Viewer) -> OwnershipSource:
    if source is not None and not rules.may_state(viewer, source):
        raise Forbidden(f"{source} is not for {viewer.role} to state", field=("input", "source"))
    return source or rules.source_of(viewer)
