"""Points for things: points, stock and what is had for them change in one transaction."""

import random
from typing import Annotated

from pydantic import StringConstraints

from graphql_api.benefits import service as benefits
from graphql_api.coupons import repository as coupon_templates
from graphql_api.coupons import service as coupons
from graphql_api.coupons.rules import CouponSource
from graphql_api.errors import (
    AppError,
    Forbidden,
    ForbiddenTransition,
    InsufficientPoints,
    LimitExceeded,
    NotFound,
    Required,
)
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Stale, Transaction, transact
from graphql_api.kit.time import Clock, to_the_millisecond
from graphql_api.mall import models, repository, rules
from graphql_api.mall.models import MallItem, Redemption
from graphql_api.mall.rules import ItemKind, Obstacle, RedemptionState
from graphql_api.mall.service.items import Command, get
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.members.rules import held_by_another
from graphql_api.points import service as points
from graphql_api.stores import repository as stores
from graphql_api.viewer import Viewer

_NO_JOB = ""
_ITEM = ("input", "item_id")

Note = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Redeem(Command):
    """One piece of an item for a member; goods are fetched in a store."""

    member_id: str
    item_id: str
    store_id: str | None = None


class RedemptionEnd(Command):
    """A redemption that is handed over, or taken back."""

    id: str
    note: Note | None = None


def redeem(given: Redeem, *, viewer: Viewer, clock: Clock) -> Redemption:
    """What a member has for their points: a coupon at once, or goods that wait in a store.

    Refuses what is not offered now, to this tier, or once more to this member; what is out of
    stock; and with InsufficientPoints what the member cannot pay.
    """

    def attempt(tx: Transaction) -> Redemption:
        member = _member(given.member_id, viewer, clock)
        item = get(given.item_id, field=_ITEM)
        if not rules.item_is_visible(viewer, item.state):
            raise NotFound("There is no such item", field=_ITEM)
        _require_store(item, given.store_id)
        parts = None if item.stock is None else repository.stock_of(item.id)
        _require_open(item, member, parts, clock)
        new = _new(item, member, given.store_id, viewer, clock)
        if parts is not None:
            number = random.choice([n for n, left in enumerate(parts) if left])  # noqa: S311 - no secret
            new.stock_part = models.stock_sort(number)
            repository.take(tx, item.id, number)
        _pay(tx, member, new, viewer, clock)
        if item.kind is ItemKind.COUPON:
            new.coupon_id = _coupon(tx, member, item, new.redemption_id, clock)
        repository.count_taken(tx, member.id, item.id, 1)
        repository.add(tx, new)
        _save(tx, member)
        return new

    return transact(attempt)


def hand_over(given: RedemptionEnd, *, viewer: Viewer, clock: Clock) -> Redemption:
    """Goods that the member has now; again changes nothing. Refuses what was cancelled."""

    def attempt(tx: Transaction) -> Redemption:
        found, _ = _redemption(given.id, viewer)
        if not rules.works_at(viewer, found.store_id):
            raise Forbidden("It is handed over in its own store", field=("input", "id"))
        if found.state is RedemptionState.HANDED_OVER:
            return found
        _end(tx, found, RedemptionState.HANDED_OVER, given.note, viewer, clock)
        return found

    return transact(attempt)


def cancel(given: RedemptionEnd, *, viewer: Viewer, clock: Clock) -> Redemption:
    """Goods that are not fetched: points and the piece go back, once; again changes nothing.

    Refuses coupons, which may be used already, and what was handed over.
    """

    def attempt(tx: Transaction) -> Redemption:
        found, member = _redemption(given.id, viewer)
        if found.state is RedemptionState.CANCELLED:
            return found
        _require_free(member, clock)
        _end(tx, found, RedemptionState.CANCELLED, given.note, viewer, clock)
        cause = points.Cause(clock, by=viewer, reason=found.item_name)
        points.restore_in(tx, member, key=found.redemption_id, cause=cause)
        if found.stock_part is not None:
            repository.give_back(tx, found.item_id, found.stock_part)
        repository.count_taken(tx, found.member_id, found.item_id, -1)
        _save(tx, member)
        return found

    return transact(attempt)


def _new(
    item: MallItem, member: Member, store_id: str | None, viewer: Viewer, clock: Clock
) -> Redemption:
    id_ = ids.new_id("mrd")
    is_coupon = item.kind is ItemKind.COUPON
    return Redemption(
        member.id,
        models.redemption_sort(id_),
        redemption_id=id_,
        item_id=item.id,
        item_name=item.name,
        kind=item.kind,
        points=item.points,
        state=RedemptionState.DONE if is_coupon else RedemptionState.WAITING,
        store_id=store_id,
        at=to_the_millisecond(clock.now()),
        by_role=viewer.role,
        by_id=viewer.id,
    )


def _pay(tx: Transaction, member: Member, new: Redemption, viewer: Viewer, clock: Clock) -> None:
    cause = points.Cause(clock, by=viewer, reason=new.item_name)
    try:
        points.spend_in(tx, member, int(new.points), key=new.redemption_id, cause=cause)
    except InsufficientPoints as refusal:
        refusal.field = _ITEM
        raise


def _coupon(
    tx: Transaction, member: Member, item: MallItem, redemption_id: str, clock: Clock
) -> str:
    template = coupon_templates.get_template(str(item.template_id))
    if template is None:
        raise NotFound("There is no such coupon template", field=_ITEM)
    try:
        coupon = coupons.issue_in(
            tx,
            member,
            template,
            source=CouponSource.MALL,
            clock=clock,
            key=redemption_id,
            source_ref=redemption_id,
        )
    except AppError as refusal:
        refusal.field = _ITEM
        raise
    return str(coupon.coupon_id)


def _end(
    tx: Transaction,
    found: Redemption,
    state: RedemptionState,
    note: str | None,
    viewer: Viewer,
    clock: Clock,
) -> None:
    if found.state is not RedemptionState.WAITING:
        text = f"This redemption is {found.state}"
        raise ForbiddenTransition(text, field=("input", "id"))
    found.state, found.note = state, note
    found.ended_at = to_the_millisecond(clock.now())
    found.ended_by_role, found.ended_by_id = viewer.role, viewer.id
    repository.save_redemption(tx, found)


# --- guards ----------------------------------------------------------------------------------


_REFUSALS: dict[Obstacle, tuple[type[AppError], str]] = {
    Obstacle.NOT_ACTIVE: (ForbiddenTransition, "This item is not offered"),
    Obstacle.NOT_BEGUN: (ForbiddenTransition, "This item is not offered yet"),
    Obstacle.OVER: (ForbiddenTransition, "This item is not offered any more"),
    Obstacle.TIER: (Forbidden, "This item is for other tiers"),
    Obstacle.LIMIT: (LimitExceeded, "The member had all that one may have of this item"),
    Obstacle.OUT_OF_STOCK: (LimitExceeded, "None of this item is left"),
}


def _require_open(item: MallItem, member: Member, parts: list[int] | None, clock: Clock) -> None:
    offer = item.offer
    tier = benefits.tier_of(member, clock.today(), clock=clock) if offer.tiers else None
    [taken] = repository.taken_by([(member.lives, item.id)])
    left = None if parts is None else sum(parts)
    found = rules.obstacle(offer, tier=tier, taken=taken, left=left, at=clock.now())
    if found is not None:
        kind, text = _REFUSALS[found]
        raise kind(text, field=_ITEM)


def _require_store(item: MallItem, store_id: str | None) -> None:
    """Goods are fetched in a store that is open."""
    field = ("input", "store_id")
    if item.kind is ItemKind.COUPON:
        if store_id is not None:
            raise ForbiddenTransition("A coupon is not fetched", field=field)
        return
    if store_id is None:
        raise Required("Name the store where it is fetched", field=field)
    store = stores.get(store_id) if ids.prefix_of(store_id) == "sto" else None
    if store is None or store.archived_at is not None:
        raise NotFound("There is no such store", field=field)


def _member(member_id: str, viewer: Viewer, clock: Clock) -> Member:
    """The member as they are now, free to be written, where the viewer spends their points."""
    member = members.get(member_id) if ids.prefix_of(member_id) == "mbr" else None
    if member is None or not rules.may_redeem(viewer, member):
        raise NotFound("There is no such member", field=("input", "member_id"))
    if member.archived_at is not None:
        raise Forbidden("This member is archived", field=("input", "member_id"))
    _require_free(member, clock)
    return member


def _require_free(member: Member, clock: Clock) -> None:
    if held_by_another(member.lock_owner, member.locked_until, _NO_JOB, clock.now()):
        raise Stale


def _save(tx: Transaction, member: Member) -> None:
    # A lock that ran out is gone: its job would settle what it read before.
    member.lock_owner = member.locked_until = None
    members.save(tx, member)


def _redemption(redemption_id: str, viewer: Viewer) -> tuple[Redemption, Member]:
    """A redemption that the viewer sees, and whose it is by now."""
    known = ids.prefix_of(redemption_id) == "mrd"
    found = repository.redemption(redemption_id) if known else None
    member = members.get(found.member_id) if found else None
    gone = NotFound("There is no such redemption", field=("input", "id"))
    if found is None or member is None:
        raise gone
    if not rules.sees_redemption(viewer, member, found.store_id):
        raise gone
    return found, member
