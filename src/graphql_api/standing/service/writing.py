"""What a decision writes: the standing, its history, effects and tags, and when to look again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from graphql_api.kit.dynamo import Transaction
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members.models import DUE_AT_ONCE, Member
from graphql_api.members.rules import EffectKind, Origin
from graphql_api.standing import models, repository, rules
from graphql_api.standing.models import HistoryRow
from graphql_api.standing.rules import Change, ChangeKind, Decision, Reason
from graphql_api.tags import service as tags
from graphql_api.viewer import SYSTEM, Viewer


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a member is decided on, on which business day, and whether it may give gifts."""

    clock: Clock
    as_of: date
    because: Reason
    origin: Origin = Origin.LIVE
    by: Viewer = SYSTEM
    note: str | None = None


def write(
    tx: Transaction,
    member: Member,
    decisions: Sequence[Decision],
    cause: Cause,
    *,
    by_hand: Change | None = None,
) -> bool:
    """Add what decisions changed to the transaction, and have the member hold it; whether any did.

    `by_hand` is what somebody changed between the first decision and the last.
    The history and the effects are those of this version of the member, so that they stand once.
    """
    first, last = decisions[0], decisions[-1]
    found = [change for one in decisions for change in rules.changes(one, cause.because)]
    if by_hand is not None:
        found.insert(len(rules.changes(first, cause.because)), by_hand)
    kept = [change for change in found if change.kind is not ChangeKind.TAG]
    lowest = last.policies.ladder.names[0]
    for number, change in enumerate(c for c in kept if not rules.is_beginning(c, lowest)):
        repository.put_history(tx, _row(member, number, change, cause))
    _put_effects(tx, member, kept, last, cause)
    tagged = _put_tags(tx, member, last, cause)
    if kept or first.held is None:
        models.hold(member, last.standing)
        # What a back-fill decided is told to nobody; nothing stands here for what is live.
        member.standing_origin = None if cause.origin is Origin.LIVE else cause.origin
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
        by_role=cause.by.role,
        by_id=cause.by.id,
        note=cause.note,
    )


def _schedule(member: Member, decision: Decision, cause: Cause) -> None:
    """Note the next day and what comes; the index keeps an earlier day that is still to come."""
    member.foreseen = models.foreseen(decision)
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
    """What changes cause: a tier reached counts once for ever, anything else once a day.

    A lock reaches no tier.
    """
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
        if change.reason is Reason.INITIAL:
            yield EffectKind.TIER_UPGRADED, str(change.new)
            continue
        old, new = ranks.get(change.old or "", 0), ranks.get(change.new or "", 0)
        for name, rank in ranks.items():
            if old < rank <= new and change.reason is not Reason.LOCKED:
                yield EffectKind.TIER_UPGRADED, name
        if new < old:
            yield EffectKind.TIER_DOWNGRADED, stamp
