"""What an order does to the points of its member, inside the order's own transaction."""

from graphql_api.kit.dynamo import Transaction
from graphql_api.kit.time import Clock, month_of
from graphql_api.members.models import Member
from graphql_api.members.rules import Origin
from graphql_api.points import models, repository, rules
from graphql_api.points.models import PARTS
from graphql_api.points.rules import EntryKind, OrderPoints, Purchase
from graphql_api.points.service.opening import Cause, Opened, close, open_
from graphql_api.policies.rules import PointsPolicy


def follow_order(
    tx: Transaction,
    member: Member,
    purchase: Purchase | None,
    kept: OrderPoints | None,
    *,
    tier: str | None,
    clock: Clock,
    origin: Origin,
) -> OrderPoints | None:
    """Have a member's points follow an order into its new state; what is to stand on the order.

    The caller writes the member wherever this added to the transaction. No purchase: the order is
    not this member's any more, or is a shell; all that it gave is taken back, all that it was paid
    with given back, and nothing stands. An order that comes with a back-fill has nothing to do with
    points, ever: balances of before come as opening balances.
    """
    is_new = kept is None
    if kept is None:
        if purchase is None:
            return None
        kept = _terms(purchase, tier, origin)
    if kept.exempt:
        return kept if purchase else None
    policy = repository.policy_of(kept.version)
    if purchase is None:
        _left(tx, member, kept, policy, Cause(clock, origin=origin))
        return None
    # A purchase that earns nothing still keeps points that run out by inactivity.
    is_activity = is_new and policy.idle_months > 0
    if rules.is_as_it_was(purchase, kept, policy) and not is_activity:
        return kept
    return _followed(tx, member, purchase, kept, policy, Cause(clock, origin=origin))


def is_as_it_was(purchase: Purchase, kept: OrderPoints) -> bool:
    """Whether what stands on an order follows from its state, by the policy of its terms."""
    return rules.is_as_it_was(purchase, kept, repository.policy_of(kept.version))


def _terms(purchase: Purchase, tier: str | None, origin: Origin) -> OrderPoints:
    """What is decided of an order when it first comes to a member."""
    version, policy = repository.in_force()
    return OrderPoints(
        version,
        purchase.order_id,
        purchase.day,
        policy.percent_of(tier),
        tier,
        exempt=origin is Origin.BACKFILL,
    )


def _followed(
    tx: Transaction,
    member: Member,
    purchase: Purchase,
    kept: OrderPoints,
    policy: PointsPolicy,
    cause: Cause,
) -> OrderPoints:
    opened = open_(member, cause, version=kept.version)
    had_hold = purchase.order_id in opened.book.holds
    cap = policy.program_per_month
    given = [] if cap is None else repository.program_parts(month_of(kept.day))
    room = None if cap is None else max(0, cap - sum(given))
    now = rules.follow(opened.book, purchase, kept, room=room)
    if close(tx, opened, cause):
        _count(tx, kept, now, policy, given)
        if had_hold and purchase.order_id not in opened.book.holds:
            _note_consumed(tx, opened, purchase.order_id, cause)
    return now


def _left(
    tx: Transaction, member: Member, kept: OrderPoints, policy: PointsPolicy, cause: Cause
) -> None:
    opened = open_(member, cause, version=kept.version)
    now = rules.leave(opened.book, kept)
    if close(tx, opened, cause):
        given = repository.program_parts(month_of(kept.day)) if kept.counted else []
        _count(tx, kept, now, policy, given)


def _note_consumed(tx: Transaction, opened: Opened, key: str, cause: Cause) -> None:
    """Who comes later with the key of the hold learns that it was consumed."""
    lives = opened.member.lives
    if repository.mark_of(lives, EntryKind.CONSUME, key) is None:
        sort = models.mark_sort(EntryKind.CONSUME, key)
        mark = models.Mark(opened.member.id, sort, points=0, at=cause.clock.now())
        repository.put_mark(tx, mark)


# --- what the program may give ---------------------------------------------------------------


def _count(
    tx: Transaction, old: OrderPoints, new: OrderPoints, policy: PointsPolicy, given: list[int]
) -> None:
    """Move the counts of the program by what an order now gives more or less."""
    difference = new.counted - old.counted
    if not difference or policy.program_per_month is None:
        return
    month, first = month_of(old.day), int(models.shard_of(new.order_id))
    for number, by in _shares(given, difference, policy.program_per_month, first).items():
        repository.move_program_part(tx, month, number, was=given[number], by=by)


def _shares(given: list[int], difference: int, cap: int, first: int) -> dict[int, int]:
    """Into which parts a difference goes, beginning with the order's own; no part is overdrawn."""
    shares: dict[int, int] = {}
    for n in range(PARTS):
        number = (first + n) % PARTS
        room = max(0, cap // PARTS + (number < cap % PARTS) - given[number])
        part = min(difference, room) if difference > 0 else max(difference, -given[number])
        if part:
            shares[number] = part
            difference -= part
    return shares
