"""Tiers: up at once, down at the end of the validity (domain: §3, §14).

A tier with last day 31 December is decided on again on 1 January, by the window of that day.
"""

from dataclasses import dataclass, replace

from graphql_api.kit.calendar import add_months, month_at, month_end, month_start
from graphql_api.policies.rules import Downgrade, RefundAcross
from graphql_api.standing.rules.prepared import Ladder
from graphql_api.standing.rules.records import Facts, Lock, LockKind, Reason, Tier

_FORESEEN = 80
_LONG_AGO = 0


@dataclass(slots=True)
class Step:
    """A change of a tier: what it is from a day on, why, and the metric that decided."""

    tier: Tier
    on: int
    reason: Reason
    metric: int


def tier_on(ladder: Ladder, facts: Facts, old: Tier | None, day: int, month: int) -> Tier:
    """The tier on a day; the old one itself where nothing changed."""
    if old is not None and old.lock is None:
        rank = old.rank
        known = old.version == ladder.version or ladder.ranks.get(old.name) == rank
        if known and metric_at(ladder, facts, month) < ladder.ceilings[rank]:
            until = old.until
            if until is None:
                if rank == 0:
                    return old
            elif day <= until:
                if day <= until - ladder.notice_days or old.noticed:
                    return old
            elif old.grace_until is not None and day <= old.grace_until and not ladder.notice_days:
                return old
    taken = steps(ladder, facts, old, day)
    if not taken:
        assert old is not None
        return old
    return taken[-1].tier


def metric_at(ladder: Ladder, facts: Facts, month: int) -> int:
    """What the ladder measures, over its window up to a month."""
    values = facts.months[ladder.row]
    if facts.moved is not None and ladder.refunds is not RefundAcross.REOPEN:
        values = _by_refund_month(ladder, facts)
    back = facts.newest - month
    end = back + ladder.window
    return sum(values[back if back > 0 else 0 : end]) if end > 0 else 0


def _by_refund_month(ladder: Ladder, facts: Facts) -> list[int]:
    """The row of the metric with refunds in their own month, none below zero."""
    assert facts.moved is not None
    carries = ladder.refunds is RefundAcross.CARRY_DEBT
    debt = 0
    values = []
    own, moved = facts.months[ladder.row], facts.moved[ladder.row]
    for value in (a + b for a, b in zip(reversed(own), reversed(moved), strict=True)):
        left = value - debt
        debt = -left if left < 0 and carries else 0
        values.append(max(0, left))
    return values[::-1]


def steps(ladder: Ladder, facts: Facts, old: Tier | None, day: int) -> list[Step]:
    """Every change of a tier up to a day, the last one first decided; empty where nothing changed.

    Purchases count from `day` on; what ended before is decided by the window of its own day.
    """
    if old is None:
        return [_first(ladder, facts, day, Reason.FIRST)]
    if old.lock is not None:
        return _below_lock(ladder, facts, old, old.lock, day)
    rank = ladder.ranks.get(old.name)
    if rank is None:
        return [_first(ladder, facts, day, Reason.POLICY)]
    taken: list[Step] = []
    now = old
    if rank != old.rank or (rank == 0) is not (old.until is None):
        now = _moved_in(ladder, old, rank, day)
        taken.append(Step(now, day, Reason.POLICY, _metric_on(ladder, facts, day)))
    while (end := _end(now)) is not None and end < day:
        taken.append(_requalified(ladder, facts, now, end + 1))
        now = taken[-1].tier
    metric = _metric_on(ladder, facts, day)
    if metric >= ladder.ceilings[now.rank]:
        now = _given(ladder, _supported(ladder, metric), day)
        taken.append(Step(now, day, Reason.PURCHASES, metric))
    if _is_to_be_told(ladder, facts, now, day):
        now = replace(now, noticed=True)
        taken.append(Step(now, day, Reason.NOTICE, metric))
    return taken


def _first(ladder: Ladder, facts: Facts, day: int, reason: Reason) -> Step:
    metric = _metric_on(ladder, facts, day)
    rank = _supported(ladder, metric)
    tier = _given(ladder, rank, day if rank else min(day, facts.joined))
    return Step(tier, day, reason, metric)


def _moved_in(ladder: Ladder, old: Tier, rank: int, day: int) -> Tier:
    """A tier of the same name in another ladder; one that was the lowest gets a validity."""
    if rank == 0:
        return _renewed(ladder, old, 0, day)
    if old.until is None:
        return _renewed(ladder, old, rank, day)
    return replace(old, rank=rank, version=ladder.version)


def _given(ladder: Ladder, rank: int, day: int) -> Tier:
    until = add_months(day, ladder.validity) - 1 if rank else None
    return Tier(ladder.names[rank], rank, day, until, ladder.version)


def _renewed(ladder: Ladder, tier: Tier, rank: int, day: int) -> Tier:
    until = add_months(day, ladder.validity) - 1 if rank else None
    return Tier(tier.name, rank, tier.since, until, ladder.version)


def _requalified(ladder: Ladder, facts: Facts, tier: Tier, day: int) -> Step:
    """What the end of a validity, or of a grace period, makes of a tier on the day after it."""
    metric = _metric_on(ladder, facts, day)
    if metric >= ladder.keeps[tier.rank] or ladder.downgrade is Downgrade.NONE:
        return Step(_renewed(ladder, tier, tier.rank, day), day, Reason.REQUALIFIED, metric)
    if tier.grace_until is None and (grace := _grace(ladder, day)) >= day:
        kept = replace(tier, grace_until=grace, version=ladder.version)
        return Step(kept, day, Reason.GRACE, metric)
    rank = tier.rank - 1
    if ladder.downgrade is Downgrade.TO_SUPPORTED:
        rank = _supported(ladder, metric)
    return Step(_given(ladder, rank, day), day, Reason.EXPIRED, metric)


def _grace(ladder: Ladder, day: int) -> int:
    """The last day of a grace period that begins then; the day before where there is none."""
    last = day + ladder.grace_days - 1
    return month_end(month_at(last)) if ladder.grace_to_month_end else last


def _supported(ladder: Ladder, metric: int) -> int:
    rank = len(ladder.thresholds) - 1
    while rank and metric < ladder.thresholds[rank]:
        rank -= 1
    return rank


def _metric_on(ladder: Ladder, facts: Facts, day: int) -> int:
    return metric_at(ladder, facts, month_at(day))


def _end(tier: Tier) -> int | None:
    return tier.until if tier.grace_until is None else tier.grace_until


# --- what time will do -----------------------------------------------------------------------


def foreseen(ladder: Ladder, facts: Facts, tier: Tier) -> Step | None:
    """The first change of rank that time alone would bring; None where there is none."""
    if tier.lock is not None:
        return _foreseen_below_lock(ladder, facts, tier, tier.lock)
    now = tier
    for _ in range(_FORESEEN):
        end = _end(now)
        if end is None:
            return None
        step = _requalified(ladder, facts, now, end + 1)
        if step.tier.rank != tier.rank:
            return step
        now = step.tier
    return None


def falls_on(ladder: Ladder, facts: Facts, tier: Tier) -> Step | None:
    """The downgrade at the end of this validity, grace included; None where it would be kept."""
    end = _end(tier)
    if end is None:
        return None
    step = _requalified(ladder, facts, tier, end + 1)
    if step.reason is Reason.GRACE:
        step = _requalified(ladder, facts, step.tier, (step.tier.grace_until or end) + 1)
    return step if step.tier.rank < tier.rank else None


def _is_to_be_told(ladder: Ladder, facts: Facts, tier: Tier, day: int) -> bool:
    if not ladder.notice_days or tier.noticed:
        return False
    fall = falls_on(ladder, facts, tier)
    return fall is not None and day >= fall.on - ladder.notice_days


def next_day(ladder: Ladder, facts: Facts, tier: Tier, day: int, month: int) -> int | None:
    """The first day after `day` on which time alone changes the tier or anything about it."""
    if tier.lock is not None:
        own = next_day(ladder, facts, tier.earned, day, month) if tier.earned else None
        ends = None if tier.lock.until is None else tier.lock.until + 1
        return min((one for one in (own, ends) if one is not None), default=None)
    found = _end(tier)
    if found is not None:
        found += 1
        if ladder.notice_days and not tier.noticed:
            fall = falls_on(ladder, facts, tier)
            if fall is not None:
                found = min(found, max(day + 1, fall.on - ladder.notice_days))
    for later in range(month + 1, facts.newest + 1):
        start = month_start(later)
        if found is not None and start >= found:
            break
        if metric_at(ladder, facts, later) >= ladder.ceilings[tier.rank]:
            return start
    return found


# --- by hand ---------------------------------------------------------------------------------


def initial(ladder: Ladder, name: str, day: int) -> Tier:
    """A tier that a member begins with, held as if it had been reached on that day."""
    return _given(ladder, ladder.ranks[name], day)


def locked(ladder: Ladder, tier: Tier, lock: Lock, day: int) -> Tier:
    """A tier under a lock that somebody set that day, in the place of an earlier lock."""
    return _under(ladder, tier.earned or tier, lock, tier, day)


def unlocked(tier: Tier, day: int) -> Tier:
    """A tier whose lock is taken off on a day: what the rule gives."""
    return _bare(tier.earned or tier, tier, day)


def _under(ladder: Ladder, earned: Tier, lock: Lock, before: Tier, day: int) -> Tier:
    own = ladder.ranks.get(lock.tier, 0)
    by_rule = lock.kind is LockKind.FLOOR and earned.rank > own
    rank = earned.rank if by_rule else own
    name = ladder.names[rank]
    return Tier(
        name=name,
        rank=rank,
        since=before.since if before.name == name else day,
        until=earned.until if by_rule else lock.until,
        version=ladder.version,
        grace_until=earned.grace_until if by_rule else None,
        noticed=earned.noticed,
        lock=lock,
        earned=earned,
    )


def _bare(earned: Tier, before: Tier, day: int) -> Tier:
    return replace(earned, since=before.since if before.name == earned.name else day)


def _below_lock(ladder: Ladder, facts: Facts, old: Tier, lock: Lock, day: int) -> list[Step]:
    """Changes of the tier below a lock and the end of the lock itself, in the order of days."""
    earned = old.earned or replace(old, lock=None)
    ends = None if lock.until is None or lock.until >= day else lock.until + 1
    taken: list[Step] = []
    now = old
    for step in steps(ladder, facts, earned, day):
        if ends is not None and step.on >= ends and now.lock is not None:
            now = _bare(earned, now, ends)
            taken.append(Step(now, ends, Reason.LOCK_ENDED, step.metric))
        if now.lock is None:
            now = _bare(step.tier, now, step.on)
        else:
            now = _under(ladder, step.tier, lock, now, step.on)
        earned = step.tier
        taken.append(Step(now, step.on, step.reason, step.metric))
    if ends is not None and now.lock is not None:
        now = _bare(earned, now, ends)
        taken.append(Step(now, ends, Reason.LOCK_ENDED, _metric_on(ladder, facts, ends)))
    return taken


def _foreseen_below_lock(ladder: Ladder, facts: Facts, tier: Tier, lock: Lock) -> Step | None:
    now = tier
    for _ in range(_FORESEEN):
        day = next_day(ladder, facts, now, _LONG_AGO, facts.newest)
        if day is None:
            return None
        step = _below_lock(ladder, facts, now, lock, day)[-1]
        if step.tier.rank != tier.rank:
            return step
        if step.tier.lock is None:
            return foreseen(ladder, facts, step.tier)
        now = step.tier
    return None
