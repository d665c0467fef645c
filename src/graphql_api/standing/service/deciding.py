"""Deciding on a member: in memory, inside a purchase, or because somebody has to."""

from datetime import date

from graphql_api.kit.dynamo import Raw, Stale, Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.members.rules import Facts as Purchases
from graphql_api.members.rules import Origin
from graphql_api.standing import models, repository, rules, wire
from graphql_api.standing.rules import Decision, Policies, Reason
from graphql_api.standing.service.writing import Cause, write


def current(member: Member, as_of: date, *, clock: Clock, policies: Policies) -> Decision:
    """What holds of a member on a business day: as stored, and what is due by then decided on top.

    Writes nothing. A member who was never decided on gets what a first decision would say.
    """
    joined = clock.day_of(member.joined_at)
    facts, held = models.facts(member, joined), models.standing(member, joined)
    return rules.decide(facts, held, policies, as_of)


def is_due(member: Member, as_of: date) -> bool:
    """Whether time or somebody's change asks for a decision on a member by a business day."""
    days = [day for day in (member.due_on, member.next_on) if day is not None]
    return member.standing_document is None or any(day <= as_of for day in days)


def is_free(member: Member, clock: Clock) -> bool:
    """Whether a member is there to be decided on: not archived, merged or worked on by a job."""
    gone = member.archived_at or member.merged_into or member.merge_id
    locked = member.locked_until is not None and clock.now() < member.locked_until
    return not gone and not locked


def take_in(
    tx: Transaction, member: Member, purchases: Purchases, *, clock: Clock, origin: Origin
) -> None:
    """Give a member new facts and decide on the spot; the caller writes the member.

    What was due by time is settled first, with the facts before. A back-fill that meets a member
    for the first time decides once, from its whole history.
    """
    cause = Cause(clock, clock.today(), Reason.PURCHASES, origin)
    joined = clock.day_of(member.joined_at)
    held = models.standing(member, joined)
    policies = repository.in_force(held)
    decisions: list[Decision] = []
    once = held is None and origin is Origin.BACKFILL
    if is_due(member, cause.as_of) and not once:
        before = models.facts(member, joined)
        decisions.append(rules.decide(before, held, policies, cause.as_of))
        held = decisions[0].standing
    facts = models.facts(member, joined, purchases)
    decisions.append(rules.decide(facts, held, policies, cause.as_of))
    member.facts = purchases
    write(tx, member, decisions, cause)


def unite(survivor: Member, loser: Member, *, clock: Clock) -> bool:
    """Have a survivor stand where the better of two stood; whether that was the other.

    Both are as they were before their purchases were united; who was merged is decided on anew.
    """
    one, other = (models.standing(m, clock.day_of(m.joined_at)) for m in (survivor, loser))
    both = rules.united(repository.in_force(one, other).ladder, one, other)
    if both is not None:
        models.hold(survivor, both)
    survivor.fall_due()
    loser.standing_document = loser.next_on = loser.due_on = loser.foreseen = None
    return both is not None and (one is None or both.tier.name != one.tier.name)


def settle(member_id: str, cause: Cause) -> bool:
    """Decide on a member who is due, and write what changed; whether anything did.

    A member who is not due, or not free, stays as they are. Again changes nothing.
    """

    def attempt(tx: Transaction) -> bool:
        [member] = members.get_items([member_id], consistent=True)
        if member is None or not is_free(member, cause.clock) or not is_due(member, cause.as_of):
            return False
        return decide_in(tx, member, cause)

    return transact(attempt)


def settle_read(raw: Raw, cause: Cause, policies: Policies) -> bool:
    """The same for a member who was just read (wire.py): who stays so costs no transaction.

    What is to be written is decided anew in one, on the member as they are by then; so is whoever
    was decided by a newer policy than those.
    """
    read = wire.read(raw, cause.clock, for_rules=bool(policies.rules.rules))
    if read.held is not None and rules.is_older(policies, read.held):
        return settle(read.id, cause)
    decision = rules.decide(read.facts, read.held, policies, cause.as_of)
    if not decision.changed and _put_off(wire.stub(raw), decision):
        return False
    return settle(read.id, cause)


def decide_in(tx: Transaction, member: Member, cause: Cause) -> bool:
    """Decide on a member inside a transaction and write the member; whether anything changed.

    Where only the day moved on which to look again, that alone is written.
    """
    policies = repository.in_force(models.standing(member, cause.clock.day_of(member.joined_at)))
    decision = current(member, cause.as_of, clock=cause.clock, policies=policies)
    if write(tx, member, [decision], cause):
        members.save(tx, member)
        return True
    if not _put_off(member, decision):
        raise Stale
    return False


def _put_off(member: Member, decision: Decision) -> bool:
    return members.put_off(member, next_on=decision.next_on, foreseen=models.foreseen(decision))
