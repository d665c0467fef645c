"""What can be had for points, by whom and when, and what becomes of it (domain: §7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from graphql_api.members.rules import Seen, reaches
from graphql_api.viewer import READ_POINTS, STAFF, WRITE_POINTS, Role, Viewer

STOCK_PARTS = 8


class ItemKind(StrEnum):
    """What a member gets (兑换品类型): a coupon at once, or goods that are fetched in a store."""

    COUPON = "COUPON"
    GOODS = "GOODS"


class ItemState(StrEnum):
    """Whether something can be had (状态)."""

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    STOPPED = "STOPPED"


ITEM_MOVES = {
    ItemState.DRAFT: frozenset({ItemState.ACTIVE}),
    ItemState.ACTIVE: frozenset({ItemState.STOPPED}),
    ItemState.STOPPED: frozenset({ItemState.ACTIVE}),
}
"""What may become of a state; what members have seen is no draft again."""


class RedemptionState(StrEnum):
    """What became of a redemption (兑换状态): a coupon is there at once, goods are waited for."""

    DONE = "DONE"
    WAITING = "WAITING"
    HANDED_OVER = "HANDED_OVER"
    CANCELLED = "CANCELLED"


class Obstacle(StrEnum):
    """Why a member cannot have something now."""

    NOT_ACTIVE = "NOT_ACTIVE"
    NOT_BEGUN = "NOT_BEGUN"
    OVER = "OVER"
    TIER = "TIER"
    LIMIT = "LIMIT"
    OUT_OF_STOCK = "OUT_OF_STOCK"
    POINTS = "POINTS"


@dataclass(frozen=True, slots=True)
class Offer:
    """What of an item decides who can have it, and when; None bounds nothing."""

    state: ItemState
    points: int
    per_member: int | None = None
    tiers: frozenset[str] = frozenset()
    starts_at: datetime | None = None
    ends_at: datetime | None = None


def obstacle(
    offer: Offer, *, tier: str | None, taken: int, left: int | None, at: datetime
) -> Obstacle | None:
    """Why a member of a tier who had it so many times cannot have it now, but for the points."""
    if offer.state is not ItemState.ACTIVE:
        return Obstacle.NOT_ACTIVE
    if offer.starts_at is not None and at < offer.starts_at:
        return Obstacle.NOT_BEGUN
    if offer.ends_at is not None and at >= offer.ends_at:
        return Obstacle.OVER
    if offer.tiers and tier not in offer.tiers:
        return Obstacle.TIER
    if offer.per_member is not None and taken >= offer.per_member:
        return Obstacle.LIMIT
    return Obstacle.OUT_OF_STOCK if left is not None and left < 1 else None


# --- stock -----------------------------------------------------------------------------------


def taken_out(parts: Sequence[int], count: int) -> list[int] | None:
    """Parts with so many pieces fewer, the fullest first; None where they hold fewer."""
    if count > sum(parts):
        return None
    rest = list(parts)
    for n in sorted(range(len(parts)), key=lambda n: -parts[n]):
        out = min(rest[n], count)
        rest[n] -= out
        count -= out
    return rest


# --- who may do what -------------------------------------------------------------------------


def sees_drafts(viewer: Viewer) -> bool:
    """Whether a viewer sees what members cannot have yet."""
    if viewer.role is Role.INTEGRATION:
        return viewer.holds(WRITE_POINTS)
    return viewer.role in {Role.OPERATOR, Role.SYSTEM}


def item_is_visible(viewer: Viewer, state: ItemState) -> bool:
    """The row rule of items: members see what they can have or could, drafts who makes them."""
    return state is not ItemState.DRAFT or sees_drafts(viewer)


def may_redeem(viewer: Viewer, member: Seen) -> bool:
    """Whether a viewer spends a member's points: the member, headquarters, and keys."""
    if viewer.role is Role.INTEGRATION:
        return viewer.holds(WRITE_POINTS)
    itself = viewer.role in {Role.MEMBER, Role.OPERATOR, Role.SYSTEM}
    return itself and reaches(viewer, member)


def sees_redemption(viewer: Viewer, member: Seen, store_id: str | None) -> bool:
    """The row rule of redemptions: whoever reaches the member, and the store where it waits."""
    if viewer.role is Role.INTEGRATION:
        return viewer.holds(READ_POINTS)
    return reaches(viewer, member) or works_at(viewer, store_id)


def works_at(viewer: Viewer, store_id: str | None) -> bool:
    """Whether a viewer hands things over in a store."""
    if viewer.role is Role.INTEGRATION:
        return viewer.holds(WRITE_POINTS)
    return store_id is not None and viewer.role in STAFF and viewer.reaches_store(store_id)
