"""Policies, as clients see them."""

from datetime import datetime
from typing import Any

import strawberry

from graphql_api.context import Info
from graphql_api.kit.graphql import Node, field
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.kit.graphql.nodes import registry
from graphql_api.kit.graphql.scalars import Json
from graphql_api.permissions import POLICY_FIELD, POLICY_MANAGE
from graphql_api.policies import models, repository, rules
from graphql_api.policies.rules import PolicyKind, PolicyState
from graphql_api.viewer import Viewer

describe_enum(
    PolicyKind,
    description="What a policy decides. 规则类型",
    values={
        "TIER_LADDER": "Tiers: metric, window, thresholds, validity. 会员等级规则",
        "LIFECYCLE": "Months after which a state of the lifecycle ends. 生命周期规则",
        "RELATIONSHIP_PHASE": "Starting, growing, stable members. 会员关系期规则",
        "RFM": "Scores for recency, frequency and spend. RFM 规则",
        "GROWTH": "How growth value is earned. 成长值规则",
        "OWNERSHIP": "How long a guide has a member, protected from others. 归属与抢客保护规则",
        "GUIDE_LEVELS": "Bands of the levels of guides. 导购等级规则",
        "PARTNER_LEVELS": "Levels of channel partners, with benefits. 渠道商等级规则",
        "POINTS": "How points are earned, held, kept and taken back. 积分规则",
        "PRICING": "Member day, spend-and-save, what combines in a checkout. 试算与优惠叠加规则",
        "ATTRIBUTION": "Which orders a campaign is credited with. 活动归因规则",
        "COMMISSION": "What guides earn by orders, and when it is settled. 分佣规则",
        "TAG_RULES": "Which members have which tag by rule. 自动标签规则",
        "BENEFITS": "What each tier brings, and its gifts. 会员权益规则",
    },
)
describe_enum(
    PolicyState,
    description="Where a version of a policy stands. 规则状态",
    values={
        "SHIPPED": "Comes with the product; in force until one is published. 出厂默认",
        "DRAFT": "Being written. 草稿",
        "PUBLISHED": "In force. 已发布",
        "SUPERSEDED": "Was in force. 已被取代",
    },
)


def visible(viewer: Viewer, policy: models.Policy) -> models.Policy | None:
    """The row rule of policies."""
    return policy if rules.is_visible(viewer, policy.state) else None


@strawberry.type(description="A version of numbers that the business may change. 规则")
class Policy(Node):
    """Shows models.Policy."""

    kind: PolicyKind = field(rule=POLICY_FIELD, description="What it decides. 类型")
    version: int = field(
        rule=POLICY_FIELD, description="Its number; 0 is what ships with the product. 版本号"
    )
    state: PolicyState = field(rule=POLICY_FIELD, description="Where it stands. 状态")
    document: Json = field(rule=POLICY_FIELD, description="The numbers, all of them. 规则文档")
    drafted_by: strawberry.ID | None = field(
        rule=POLICY_MANAGE, description="Who wrote it; null when shipped. 起草人 ID"
    )
    drafted_at: datetime | None = field(rule=POLICY_MANAGE, description="When. 起草时间")
    published_by: strawberry.ID | None = field(
        rule=POLICY_MANAGE, description="Who put it in force. 发布人 ID"
    )
    published_at: datetime | None = field(rule=POLICY_FIELD, description="When. 发布时间")
    superseded_at: datetime | None = field(
        rule=POLICY_FIELD, description="When another one took its place. 被取代时间"
    )

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.Policy)


registry.add("pol", repository.get_many, visible)
