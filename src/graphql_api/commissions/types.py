"""Commissions, as clients see them."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from graphql_api.commissions import repository
from graphql_api.commissions.rules import CommissionKind, CommissionState
from graphql_api.kit.graphql import Connection, connection, field, relation
from graphql_api.kit.graphql.access import INHERITED
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.kit.graphql.scalars import Money
from graphql_api.orders import repository as orders
from graphql_api.orders.types import visible as visible_order

if TYPE_CHECKING:
    from graphql_api.orders.types import Order

describe_enum(
    CommissionKind,
    description="What a guide earns by. 分佣类型",
    values={
        "SELLING": "They sold the order. 销售分佣",
        "EXCLUSIVE": "The member who bought is theirs. 专属分佣",
        "NEW_MEMBER": "It was the member's first purchase. 拉新奖励",
        "HOT_PRODUCT": "A hot product was in it. 爆品奖励",
    },
)
describe_enum(
    CommissionState,
    description="How a row of commission stands. 分佣状态",
    values={
        "PENDING": "Waits for the end of the refund period. 待结算",
        "SETTLED": "Settled. 已结算",
        "REVERSED": "Takes back what was settled: a negative row. 已冲回",
    },
)


@strawberry.type(description="What an order gave a guide, or took back. 分佣明细")
class CommissionRow:
    """Shows models.CommissionRow."""

    order: Annotated["Order", strawberry.lazy("graphql_api.orders.types")] | None = relation(
        key="order_id",
        load=orders.get_many,
        visible=visible_order,
        rule=INHERITED,
        description="The order; null when not yours to see. 订单",
    )
    kind: CommissionKind = field(rule=INHERITED, description="What it is for. 类型")
    amount: Money = field(
        rule=INHERITED, description="How much; negative where it takes back. 金额"
    )
    day: date = field(
        rule=INHERITED,
        description="The business day on which it counts: of the payment, or of the refund that"
        " took back what was settled. 业绩日",
    )
    state: CommissionState = field(rule=INHERITED, description="How it stands. 状态")
    level: int | None = field(
        rule=INHERITED, description="The guide's level that it was reckoned by. 导购等级"
    )
    policy_version: int = field(
        rule=INHERITED, description="The version of the policy that decided. 规则版本"
    )
    settles_on: date = field(rule=INHERITED, description="On which day it is due. 应结算日")
    settled_on: date | None = field(
        rule=INHERITED, description="On which day it was settled; null before. 结算日"
    )
    recorded_at: datetime = field(rule=INHERITED, description="When it was written. 记录时间")


@strawberry.type(description="What a guide earns by the orders of a month. 导购月度分佣")
class GuideCommission:
    """Shows models.MonthSum, of a guide."""

    month: str = field(rule=INHERITED, description="YYYY-MM in the chain's zone. 月份")
    pending: Money = field(
        rule=INHERITED, description="Waits for the end of the refund period. 待结算"
    )
    settled: Money = field(rule=INHERITED, description="Settled. 已结算")
    reversed: Money = field(
        rule=INHERITED, description="Settled before and taken back; not above 0.00. 已冲回"
    )
    total: Money = field(rule=INHERITED, description="All three together. 合计")
    rows: Connection[CommissionRow] = connection(
        page=repository.page_of_month,
        key="owner",
        rule=INHERITED,
        description="What it comes from, by day: the statement. 分佣明细",
    )


@strawberry.type(description="What guides earn by a store's orders of a month. 门店月度分佣")
class StoreCommission:
    """Shows models.MonthSum, of a store."""

    month: str = field(rule=INHERITED, description="YYYY-MM in the chain's zone. 月份")
    pending: Money = field(
        rule=INHERITED, description="Waits for the end of the refund period. 待结算"
    )
    settled: Money = field(rule=INHERITED, description="Settled. 已结算")
    reversed: Money = field(
        rule=INHERITED, description="Settled before and taken back; not above 0.00. 已冲回"
    )
    total: Money = field(rule=INHERITED, description="All three together. 合计")
