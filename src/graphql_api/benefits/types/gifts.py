"""The gifts of members, as clients see them."""

from datetime import date, datetime
from typing import Any

import strawberry

from graphql_api.benefits import models
from graphql_api.benefits.rules import GiftKind, GiftProblem, GiftState
from graphql_api.context import Info
from graphql_api.coupons import repository as coupons
from graphql_api.coupons.types.coupons import Coupon, visible_coupon
from graphql_api.kit.graphql import field, relation, relations
from graphql_api.kit.graphql.access import INHERITED
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.members import repository as members
from graphql_api.members.types import Member, visible
from graphql_api.permissions import COUPON_FIELD, GIFT_BOOKS

describe_enum(
    GiftKind,
    description="On which occasion a gift is given. 礼品场景",
    values={
        "JOINING": "On joining. 入会礼",
        "UPGRADE": "On reaching a tier for the first time. 升级礼",
        "BIRTHDAY": "For a birthday. 生日礼",
    },
)
describe_enum(
    GiftState,
    description="What became of a gift. 礼品状态",
    values={
        "GIVEN": "The member has it. 已发放",
        "FAILED": "It could not be given; somebody tries again. 发放失败",
        "VOID": "It is not to be given any more. 已作废",
    },
)
describe_enum(
    GiftProblem,
    description="Why a gift was not given. 礼品未发放原因",
    values={
        "OUT_OF_STOCK": "None of a coupon was left. 优惠券库存不足",
        "NOT_ISSUED": "A coupon was not given out, or no longer. 优惠券未在发放",
        "NO_TEMPLATE": "A coupon does not exist. 优惠券不存在",
        "NOTHING_IN_FORCE": "The policy gives nothing for it any more. 规则不再发放",
        "GIVEN_ALREADY": "Another id of the member had it. 已发放过",
    },
)


@strawberry.type(description="A gift of a member, given once for its occasion. 会员礼品")
class Gift:
    """Shows models.Gift."""

    kind: GiftKind = field(rule=INHERITED, description="On which occasion. 场景")
    level: str = field(
        rule=INHERITED,
        description="The tier that was reached, the year of the birthday, or `-`. 等级或年份",
    )
    tier: str = field(rule=INHERITED, description="The tier that the member had then. 当时等级")
    state: GiftState = field(rule=INHERITED, description="What became of it. 状态")
    problem: GiftProblem | None = field(
        rule=GIFT_BOOKS, description="Why it was not given. 未发放原因"
    )
    points: int = field(rule=INHERITED, description="Points in it. 积分")
    coupon_template_ids: list[strawberry.ID] = field(
        rule=INHERITED,
        description="The templates of its coupons. 优惠券模板 ID",
        resolver=lambda root: list(root.template_ids),
    )
    coupons: list[Coupon] = relations(
        keys=lambda root, _context: root.coupon_ids,
        load=coupons.get_many,
        visible=visible_coupon,
        rule=COUPON_FIELD,
        description="Its coupons, once it was given. 优惠券",
    )
    decided_on: date = field(rule=INHERITED, description="For which business day. 业务日")
    at: datetime = field(rule=INHERITED, description="When it was given, or failed. 时间")
    policy_version: int = field(rule=GIFT_BOOKS, description="By which version. 规则版本")
    member: Member | None = relation(
        key="member_id",
        load=members.get_many,
        visible=visible,
        rule=GIFT_BOOKS,
        description="Whose it is. 会员",
    )

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.Gift)
