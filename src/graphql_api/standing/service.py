"""What can be done with standings: decide on a member, write what changed and what it causes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from graphql_api.kit.dynamo import Raw, Stale, Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members.models import DUE_AT_ONCE, Member
from graphql_api.members.rules import EffectKind, Origin
from graphql_api.members.rules import Facts as Purchases
from graphql_api.standing import models, repository, rules, wire
from graphql_api.standing.models import HistoryRow
from graphql_api.standing.rules import Change, ChangeKind, Decision, Policies, Reason
from graphql_api.tags import service as tags


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a member is decided on, on which business day, and whether it may give gifts."""

    clock: Clock
    as_of: date
    because: Reason
    origin: Origin = Origin.LIVE


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
    policies = repository.in_force()
    joined = clock.day_of(member.joined_at)
    held = models.standing(member, joined)
    decisions: list[Decision] = []
    once = held is None and origin is Origin.BACKFILL
    if is_due(member, cause.as_of) and not once:
        before = models.facts(member, joined)
        decisions.append(rules.decide(before, held, policies, cause.as_of))
        held = decisions[0].standing
    facts = models.facts(member, joined, purchases)
    decisions.append(rules.decide(facts, held, policies, cause.as_of))
    member.facts = purchases
    _write(tx, member, decisions, cause)


def unite(survivor: Member, loser: Member, *, clock: Clock) -> bool:
    """Have a survivor stand where the better of two stood; whether that was the other.

    Both are as they were before their purchases were united; who was merged is decided on anew.
    """
    one, other = (models.standing(m, clock.day_of(m.joined_at)) for m in (survivor, loser))
    both = rules.united(repository.in_force().ladder, one, other)
    if both is not None:
        models.hold(survivor, both)
    survivor.fall_due()
    loser.standing_document = loser.next_on = loser.due_on = None
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

    What is to be written is decided anew in one, on the member as they are by then.
    """
    read = wire.read(raw, cause.clock, for_rules=bool(policies.rules.rules))
    decision = rules.decide(read.facts, read.held, policies, cause.as_of)
    if not decision.changed and members.put_off(wire.stub(raw), next_on=decision.next_on):
        return False
    return settle(read.id, cause)


def decide_in(tx: Transaction, member: Member, cause: Cause) -> bool:
    """Decide on a member inside a transaction and write the member; whether anything changed.

    Where only the day moved on which to look again, that alone is written.
    """
    decision = current(member, cause.as_of, clock=cause.clock, policies=repository.in_force())
    if _write(tx, member, [decision], cause):
        members.save(tx, member)
        return True
    if not members.put_off(member, next_on=decision.next_on):
        raise Stale
    return False


def _write(tx: Transaction, member: Member, decisions: Sequence[Decision], cause: Cause) -> bool:
    """Add what decisions changed to the transaction, and have the member hold it; whether any did.

    The history and the effects are those of this version of the member, so that they stand once.
    """
    first, last = decisions[0], decisions[-1]
    found = [change for one in decisions for change in rules.changes(one, cause.because)]
    kept = [change for change in found if change.kind is not ChangeKind.TAG]
    lowest = last.policies.ladder.names[0]
    for number, change in enumerate(c for c in kept if not rules.is_beginning(c, lowest)):
        repository.put_history(tx, _row(member, number, change, cause))
    _put_effects(tx, member, kept, last, cause)
    tagged = _put_tags(tx, member, last, cause)
    if kept or first.held is None:
        models.hold(member, last.standing)
    _schedule(member, last, cause)
    return bool(kept) or tagged > 0


def _row(member: Member, number: int, change: Change, cause: Cause) -> HistoryRow:
    return HistoryRow(
        member.id,
        models.history_sort(member, change.kind, number),
        kind=change.kind,
        on=change.on,
        old=change.old,
        new=change.new,
        reason=change.reason,
        numbers=change.numbers,
        policy_version=change.version,
        origin=cause.origin,
        decided_on=cause.as_of,
    )


def _schedule(member: Member, decision: Decision, cause: Cause) -> None:
    """Note the next day; the index keeps an earlier one that is still to come."""
    next_on = member.next_on = decision.next_on
    waits = member.due_on is not None and member.due_on > cause.as_of
    if next_on is None or not waits or next_on < member.due_on:
        member.due_on = next_on
    if decision.standing.tags != _tags_by_rule(member):
        member.due_on = DUE_AT_ONCE


def _tags_by_rule(member: Member) -> frozenset[str]:
    return models.tags_by_rule(member) if member.standing_document is not None else frozenset()


def _put_tags(tx: Transaction, member: Member, decision: Decision, cause: Cause) -> int:
    """Give and take away tags by rule, and clear away what ran out; how many changed."""
    given, held = decision.standing.tags, _tags_by_rule(member)
    if given == held and not decision.expired:
        return 0
    of = decision.policies.rules
    refs = {rule.tag: f"{rule.name}@{of.version}" for rule in of.rules}
    return tags.note_by_rule(
        tx,
        member,
        give={tag: refs[tag] for tag in sorted(given - held)},
        take=sorted(held - given),
        at=cause.clock.now(),
        as_of=cause.as_of,
    )


# --- effects ---------------------------------------------------------------------------------


def _put_effects(
    tx: Transaction,
    member: Member,
    changes: Sequence[Change],
    decision: Decision,
    cause: Cause,
) -> None:
    wanted = list(dict.fromkeys(_effects(changes, decision)))
    if not wanted:
        return
    written = members.have_effects(member.id, wanted)
    for (kind, level), is_there in zip(wanted, written, strict=True):
        if not is_there:
            members.put_effect(tx, member.id, kind, level, origin=cause.origin, day=cause.as_of)


def _effects(changes: Sequence[Change], decision: Decision) -> Iterator[tuple[EffectKind, str]]:
    """What changes cause: a tier reached counts once for ever, anything else once a day."""
    ranks = decision.policies.ladder.ranks
    for change in changes:
        stamp = f"{change.on.isoformat()}#{change.new}"
        if change.kind is ChangeKind.LIFECYCLE and change.reason is not Reason.FIRST:
            yield EffectKind.LIFECYCLE_CHANGED, stamp
        if change.kind is not ChangeKind.TIER:
            continue
        if change.reason is Reason.NOTICE:
            if decision.standing.tier.lock is None:
                yield EffectKind.TIER_NOTICE, stamp
            continue
        old, new = ranks.get(change.old or "", 0), ranks.get(change.new or "", 0)
        for name, rank in ranks.items():
            if old < rank <= new:
                yield EffectKind.TIER_UPGRADED, name
        if new < old:
            yield EffectKind.TIER_DOWNGRADED, stamp
