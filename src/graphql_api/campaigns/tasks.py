"""What time makes of campaigns, and what orders do: they start and end, and are credited."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from graphql_api.campaigns import models, repository, rules, service
from graphql_api.campaigns.models import CreditRow, OrderCredits
from graphql_api.campaigns.rules import Brought, ByCampaign, Credits, Touch
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.orders.models import Order
from graphql_api.orders.rules import OrderStatus
from graphql_api.policies import repository as policies
from graphql_api.policies.rules import AttributionPolicy, PolicyKind

Parts = Counter[tuple[str, str]]
"""How many orders are credited to a campaign by a member: (campaign, member)."""


def move_due(as_of: datetime, *, clock: Clock) -> int:
    """Start and end every campaign that is due by `as_of`; again changes nothing.

    Gives how many changed. Readers need not wait for it: they see the state that is due.
    """
    return sum(service.move(id_, as_of=as_of, clock=clock) for id_ in repository.due(as_of))


def credit(order: Order, *, clock: Clock) -> int:
    """Bring what campaigns have of an order to a version of it; gives how many that moved.

    Again, or after a newer version, it changes nothing. Which campaigns are credited is decided
    when the order comes to its member, and kept while it stays with them. What came from a
    back-fill is credited to nobody.
    """
    if order.state.body is None:
        return 0

    def attempt(tx: Transaction) -> int:
        stored = repository.credits_of(order.id)
        if stored is None and not order.came_live:
            return 0
        item = stored or _new(order)
        held = item.credits
        if order.version <= held.followed:
            return 0
        was = _decide(item, order, clock)
        # The first version of an order that no campaign has to do with needs no item; a later one
        # does, so that an earlier one which comes after it finds it.
        if stored is None and not item.campaign_ids and order.version == 1:
            return 0
        version = int(order.version)
        now, moved = rules.follow_credits(held, version, item.campaign_ids, _brought(order))
        item.hold(now)
        repository.save_credits(tx, item)
        for campaign_id, difference in moved.items():
            repository.add_credit(tx, _row(item, order, campaign_id, difference, clock))
        _convert(tx, _by_member(now, item.member_id), _by_member(held, was))
        return len(moved)

    return transact(attempt)


def brought_by_terms(order: Order, item: OrderCredits) -> ByCampaign:
    """What a version of an order brings to the campaigns that were chosen for it."""
    brought = _brought(order)
    return {id_: brought for id_ in item.campaign_ids if brought}


def _new(order: Order) -> OrderCredits:
    version, _ = policies.remembered(PolicyKind.ATTRIBUTION)
    return OrderCredits(order.id, policy_version=version, campaign_ids=[], brought_document=[])


def _brought(order: Order) -> Brought:
    if order.status is OrderStatus.REFUNDED:
        return Brought()
    return Brought(1, order.net)


def _decide(item: OrderCredits, order: Order, clock: Clock) -> str | None:
    """Choose the campaigns anew where the order came to another member.

    Gives whose it was, by the id that they have now. Who was erased is nobody, and the books stay.
    """
    was, now = item.member_id, order.member_id
    if order.erased_at is not None:
        item.member_id = None
        return None
    if was is not None and now is not None and members.are_one(was, now):
        item.member_id = now
        return now
    item.member_id = now
    item.campaign_ids = _campaigns(item, order, now, clock) if now is not None else []
    return was


def _campaigns(item: OrderCredits, order: Order, member_id: str, clock: Clock) -> list[str]:
    policy = policies.document_of(PolicyKind.ATTRIBUTION, int(item.policy_version))
    assert isinstance(policy, AttributionPolicy)
    [member] = members.get_many([member_id])
    if member is None:
        return []
    since = order.paid_at - timedelta(days=policy.window_days + 1)
    found = repository.parts_between(member.lives, since, order.paid_at)
    touches = [
        Touch(part.campaign_id, part.state_before or part.state, part.at, clock.day_of(part.at))
        for part in found
    ]
    return list(rules.credited(touches, order.paid_at, order.day, policy))


def _row(
    item: OrderCredits, order: Order, campaign_id: str, moved: Brought, clock: Clock
) -> CreditRow:
    version = int(order.version)
    return CreditRow(
        *models.credit_row_key(campaign_id, order.id, order.day, version),
        campaign_id=campaign_id,
        order_id=order.id,
        order_version=version,
        orders=moved.orders,
        net=moved.net,
        day=order.day,
        policy_version=int(item.policy_version),
        recorded_at=clock.now(),
    )


def _by_member(held: Credits, member_id: str | None) -> Parts:
    """The members' parts that orders converted; none of who is not known any more."""
    if member_id is None:
        return Counter()
    brought: ByCampaign = held.brought
    return Counter({(id_, member_id): one.orders for id_, one in brought.items()})


def _convert(tx: Transaction, now: Parts, before: Parts) -> None:
    """Note on the members' parts that orders were credited, or are no more."""
    moved = Counter(now)
    moved.subtract(before)
    for (campaign_id, member_id), orders in sorted(moved.items()):
        if not orders:
            continue
        [member] = members.get_many([member_id])
        lives: Sequence[str] = member.lives if member else ()
        for part in repository.get_participations(campaign_id, lives):
            if part is not None:
                repository.convert(tx, part, part.converted.after(orders))
                break
