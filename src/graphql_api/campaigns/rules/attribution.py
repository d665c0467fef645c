"""Which campaigns brought an order, and the rows that bring their credit there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from graphql_api.campaigns.rules.kinds import ParticipationState
from graphql_api.campaigns.rules.schedules import FURTHER
from graphql_api.policies.rules import AttributionPolicy, Credit

MAX_CREDITED = 12
"""Campaigns that an order is credited to at most: all that its transaction has room for."""


@dataclass(frozen=True, slots=True)
class Touch:
    """A member's part in a campaign before orders converted it: how far, when, on which day."""

    campaign_id: str
    state: ParticipationState
    at: datetime
    day: date


@dataclass(frozen=True, slots=True)
class Brought:
    """What a campaign has of orders: how many, and fen that were really paid."""

    orders: int = 0
    net: int = 0

    def __bool__(self) -> bool:
        return bool(self.orders or self.net)

    def above(self, other: "Brought") -> "Brought":
        """By how much it is more than the other."""
        return Brought(self.orders - other.orders, self.net - other.net)


NOTHING = Brought()
ByCampaign = Mapping[str, Brought]


def credited(
    touches: Sequence[Touch], paid_at: datetime, day: date, policy: AttributionPolicy
) -> tuple[str, ...]:
    """The campaigns that an order is credited to: those whose part came before it, within the
    window of days; the last of them, or all, as the policy says, but the last 12 at most. Each is
    credited with all of it.
    """
    counted = {part.value for part in policy.parts}
    within = [
        touch
        for touch in touches
        if touch.state.value in counted
        and touch.at <= paid_at
        and (day - touch.day).days <= policy.window_days
    ]
    within.sort(key=lambda touch: (touch.at, touch.campaign_id))
    latest = within[-1:] if policy.credit is Credit.LAST_TOUCH else within[-MAX_CREDITED:]
    return tuple(sorted({touch.campaign_id for touch in latest}))


@dataclass(frozen=True, slots=True)
class Credits:
    """The credit of one order: which version it follows, and what each campaign has of it."""

    followed: int = 0
    brought: ByCampaign = field(default_factory=dict)


def follow_credits(
    held: Credits, version: int, campaign_ids: Sequence[str], order: Brought
) -> tuple[Credits, ByCampaign]:
    """The credit at a version of its order, and by how much that of each campaign moves.

    A version that is not newer than the one followed moves nothing. Of an order that came back as
    a whole, or belongs to somebody else by now, a campaign has nothing.
    """
    if version <= held.followed:
        return held, {}
    brought = {id_: order for id_ in campaign_ids if order}
    moved = {
        id_: brought.get(id_, NOTHING).above(held.brought.get(id_, NOTHING))
        for id_ in sorted({*held.brought, *brought})
    }
    moved = {id_: difference for id_, difference in moved.items() if difference}
    return replace(held, followed=version, brought=brought), moved


@dataclass(frozen=True, slots=True)
class Converted:
    """How far a member came, by how many orders, and how far before the first of them."""

    state: ParticipationState
    orders: int = 0
    before: ParticipationState | None = None

    def after(self, orders: int) -> "Converted":
        """The same when so many orders more, or fewer, are credited: with one they have converted,
        and without any they are again where they were."""
        left = max(0, self.orders + orders)
        if not left:
            return Converted(self.before or self.state)
        return Converted(ParticipationState.CONVERTED, left, self.before or self.state)


def united(one: Converted, other: Converted) -> Converted:
    """How far a member came who was two, by the orders of both."""
    state, before = (
        max(pair, key=FURTHER.__getitem__)
        for pair in (
            (one.state, other.state),
            (one.before or one.state, other.before or other.state),
        )
    )
    orders = one.orders + other.orders
    return Converted(state, orders, before) if orders else Converted(state)
