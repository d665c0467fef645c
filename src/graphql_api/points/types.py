"""Points as clients see them: as stored, with what is due settled for the answer."""

from datetime import date, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from graphql_api.context import Context, Info
from graphql_api.errors import Invalid
from graphql_api.kit import ids
from graphql_api.kit.graphql import field, relation
from graphql_api.kit.graphql.access import INHERITED
from graphql_api.kit.graphql.arguments import First
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.orders import repository as orders
from graphql_api.permissions import POINTS_STAFF
from graphql_api.points import models, repository, rules
from graphql_api.points.rules import Account, EntryKind, Hold, Lot, Source
from graphql_api.viewer import Role

if TYPE_CHECKING:
    from graphql_api.orders.types import Order

MAX_SHOWN = 100
MAX_DAYS = 3_650

describe_enum(
    EntryKind,
    name="PointsEntryKind",
    description="What happened to points. 积分流水类型",
    values={
        "EARN": "A purchase brought them. 消费获得",
        "ACTIVATE": "They can be spent from now on. 解冻生效",
        "SPEND": "Spent. 消耗",
        "RESTORE": "Given back after a refund. 退还",
        "REVERSE": "Taken back after a refund. 退款扣回",
        "EXPIRE": "They ran out. 过期",
        "FREEZE": "Put aside for a check-out. 冻结",
        "CONSUME": "Spent of what was put aside. 冻结后消耗",
        "UNFREEZE": "No longer put aside. 解除冻结",
        "GRANT": "Given, as by a benefit. 赠送",
        "ADJUST": "Changed by somebody, who said why. 人工调整",
        "OPEN": "Brought from another system. 期初导入",
    },
)
describe_enum(
    Source,
    name="PointsSource",
    description="From where points came. 积分来源",
    values={
        "ORDER": "A purchase. 消费",
        "GRANT": "A benefit, a campaign, something given back. 赠送",
        "ADJUSTMENT": "Somebody, by hand. 人工调整",
        "OPENING": "Another system. 期初",
    },
)


class SeenPoints:
    """A member's account on the day of the answer."""

    def __init__(self, account: Account, as_of: date) -> None:
        self.account, self.as_of = account, as_of
        self.balance, self.pending, self.frozen = account.figures
        self.debt = account.debt
        self.holds = [SeenHold(hold) for hold in account.holds]

    def by_last_day(self) -> list["PointsExpiry"]:
        """How many points run out after each day, the next day first."""
        known = [(self.account.last_day(lot), lot) for lot in self.account.lots if lot.active]
        dated = sorted(((day, lot.points) for day, lot in known if day is not None))
        return [
            PointsExpiry(on=day, points=sum(points for _, points in group))
            for day, group in groupby(dated, key=lambda one: one[0])
        ]

    @property
    def next_expiry(self) -> "PointsExpiry | None":
        """What runs out first."""
        return next(iter(self.by_last_day()), None)

    def lots_shown(self, first: int) -> list["SeenLot"]:
        """Lots in the order in which they are spent, then those that wait."""
        active = rules.in_spend_order(self.account.lots, self.account.active_on)
        waiting = [lot for lot in self.account.lots if not lot.active]
        waiting.sort(key=lambda lot: (lot.activates_on or date.max, lot.id))
        return [SeenLot(lot, self.account) for lot in [*active, *waiting][:first]]


class SeenLot:
    """A lot with its last day as things are."""

    def __init__(self, lot: Lot, account: Account | None = None, points: int | None = None) -> None:
        self.points = lot.points if points is None else points
        self.source, self.active = lot.source, lot.active
        self.earned_on, self.activates_on = lot.earned_on, lot.activates_on
        self.expires_on = account.last_day(lot) if account else lot.expires_on
        self.order_id = lot.order_id


class SeenHold:
    """A hold with its points."""

    def __init__(self, hold: Hold) -> None:
        self.key, self.points, self.until = hold.key, hold.points, hold.until


def _order_id(lot: SeenLot, _context: Context) -> str | None:
    return lot.order_id


def _order_of_entry(entry: models.Entry, _context: Context) -> str | None:
    return entry.ref if entry.ref and ids.prefix_of(entry.ref) == "ord" else None


@strawberry.type(description="Points that run out after a day. 即将过期的积分")
class PointsExpiry:
    """A day and a number."""

    on: date = field(rule=INHERITED, description="The last day on which they hold. 有效期至")
    points: int = field(rule=INHERITED, description="How many. 积分")


@strawberry.type(description="Points that came together. 积分批次")
class PointsLot:
    """Shows SeenLot."""

    points: int = field(rule=INHERITED, description="How many are left. 剩余积分")
    source: Source = field(rule=INHERITED, description="From where they came. 来源")
    order: Annotated["Order", strawberry.lazy("graphql_api.orders.types")] | None = relation(
        key=_order_id,
        load=orders.get_many,
        rule=INHERITED,
        description="The order that brought them. 订单",
    )
    earned_on: date = field(rule=INHERITED, description="When they came. 获得日")
    active: bool = field(rule=INHERITED, description="Whether they can be spent. 是否可用")
    activates_on: date | None = field(
        rule=INHERITED,
        description="From when on they can be; null while an order is not settled. 生效日",
    )
    expires_on: date | None = field(
        rule=INHERITED, description="The last day on which they hold; null: no day. 有效期至"
    )


@strawberry.type(description="Points put aside under a key. 冻结中的积分")
class PointsHold:
    """Shows SeenHold."""

    key: str = field(rule=INHERITED, description="The key; an order's id takes them. 冻结键")
    points: int = field(rule=INHERITED, description="How many. 积分")
    until: date | None = field(
        rule=INHERITED, description="The last day; null until somebody says so. 截止日"
    )


@strawberry.type(description="Points taken from, or put into, a lot. 扣减明细")
class PointsDraw:
    """Shows rules.Draw."""

    points: int = field(rule=INHERITED, description="How many. 积分")
    expires_on: date | None = field(
        rule=INHERITED,
        description="The last day of the lot. 有效期至",
        resolver=lambda root: root.lot.expires_on if root.lot else None,
    )
    debt: bool = field(
        rule=INHERITED,
        description="Whether there was no lot to take them from. 是否欠账",
        resolver=lambda root: root.lot is None,
    )


@strawberry.type(description="A line of the ledger. 积分流水")
class PointsEntry:
    """Shows models.Entry."""

    kind: EntryKind = field(rule=INHERITED, description="What happened. 类型")
    on: date = field(rule=INHERITED, description="On which business day. 业务日")
    at: datetime = field(rule=INHERITED, description="When it was written. 时间")
    points: int = field(
        rule=INHERITED,
        description="By how much the balance moved. 可用积分变动",
        resolver=lambda root: root.moved.balance,
    )
    pending: int = field(
        rule=INHERITED,
        description="By how much the pending points moved. 待生效积分变动",
        resolver=lambda root: root.moved.pending,
    )
    frozen: int = field(
        rule=INHERITED,
        description="By how much the frozen points moved. 冻结积分变动",
        resolver=lambda root: root.moved.frozen,
    )
    balance: int = field(
        rule=INHERITED,
        description="The balance after it, in the life that it happened to. 变动后余额",
    )
    draws: list[PointsDraw] = field(
        rule=INHERITED, description="From or to which lots, at most 500. 明细"
    )
    order: Annotated["Order", strawberry.lazy("graphql_api.orders.types")] | None = relation(
        key=_order_of_entry,
        load=orders.get_many,
        rule=INHERITED,
        description="The order that it is about. 订单",
    )
    ref: str | None = field(
        rule=INHERITED, description="The order's id, or the key of who did it. 业务键"
    )
    reason: str | None = field(rule=POINTS_STAFF, description="Why, in words. 原因")
    by_role: Role = field(rule=POINTS_STAFF, description="Role of who did it. 操作人角色")
    by_id: strawberry.ID | None = field(
        rule=POINTS_STAFF, description="Id of who did it. 操作人 ID"
    )
    policy_version: int = field(
        rule=POINTS_STAFF, description="By which version of the policy. 规则版本"
    )

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.Entry)


def _lots(root: strawberry.Parent[SeenPoints], first: First = 20) -> Any:
    if not 1 <= first <= MAX_SHOWN:
        raise Invalid(f"`first` is from 1 to {MAX_SHOWN}", field=("first",))
    return root.lots_shown(first)


def _expiring(
    root: strawberry.Parent[SeenPoints],
    within_days: Annotated[
        int, strawberry.argument(description="Within so many days, today included. 天数")
    ] = 30,
) -> list[PointsExpiry]:
    if not 0 <= within_days <= MAX_DAYS:
        raise Invalid(f"`withinDays` is from 0 to {MAX_DAYS:,}", field=("withinDays",))
    last = root.as_of + timedelta(days=within_days)
    return [one for one in root.by_last_day() if one.on <= last]


del _lots.__annotations__["return"]


@strawberry.type(description="What a member has in points, today. 会员积分")
class MemberPoints:
    """Shows SeenPoints."""

    balance: int = field(
        rule=INHERITED, description="What can be spent; below zero it is a debt. 可用积分"
    )
    pending: int = field(rule=INHERITED, description="What waits. 待生效积分")
    frozen: int = field(rule=INHERITED, description="What is put aside. 冻结积分")
    debt: int = field(rule=INHERITED, description="What the next points pay first; 0 or more. 欠账")
    next_expiry: PointsExpiry | None = field(
        rule=INHERITED, description="What runs out first. 最近过期"
    )
    expiring: list[PointsExpiry] = field(
        rule=INHERITED,
        description="What runs out within some days, by day. 即将过期",
        resolver=_expiring,
    )
    lots: list[PointsLot] = field(
        rule=INHERITED,
        description="Lots in the order in which they are spent, then those that wait. 积分批次",
        resolver=_lots,
    )
    holds: list[PointsHold] = field(
        rule=INHERITED, description="What is put aside, at most 20 times. 冻结明细"
    )


async def points(root: strawberry.Parent[Any], info: Info) -> MemberPoints:
    """The account of today: what is due by now is settled for the answer, and not written.

    One that does not say what the member does was read too early, and is read again.
    """
    context, today = info.context, info.context.clock.today()
    stored = await context.load(repository.get_many, root.id)
    if models.figures_of(root) != (stored.held.figures if stored else rules.Figures()):
        stored = await context.run(repository.get, root.id)
    account = rules.NOTHING
    if stored is not None:
        _, policy = await context.run(repository.in_force)
        account = rules.settled(stored.held, policy, today)
    seen: Any = SeenPoints(account, today)
    shown: MemberPoints = seen
    return shown
