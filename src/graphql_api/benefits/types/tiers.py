"""What tiers bring and what a member has of it, as clients see it."""

from datetime import date
from typing import TYPE_CHECKING, Annotated

import strawberry

from graphql_api.benefits import repository, rules
from graphql_api.context import Info
from graphql_api.coupons import repository as coupons
from graphql_api.coupons.models import Template
from graphql_api.coupons.rules import sees_template
from graphql_api.kit.graphql import field, relations
from graphql_api.kit.graphql.access import INHERITED
from graphql_api.kit.graphql.scalars import URL, Money
from graphql_api.members.models import Member
from graphql_api.permissions import COUPON_FIELD
from graphql_api.policies import rules as policies
from graphql_api.policies.rules import BenefitsPolicy
from graphql_api.standing.rules import Decision
from graphql_api.standing.types import decided
from graphql_api.viewer import Viewer

if TYPE_CHECKING:
    from graphql_api.coupons.types.templates import CouponTemplate


def _seen_template(viewer: Viewer, template: Template) -> Template | None:
    return template if sees_template(viewer, template) else None


@strawberry.type(description="What a gift consists of. 礼品内容")
class GiftTerms:
    """Shows a part of the policy."""

    points: int = field(rule=INHERITED, description="Points. 积分")
    coupon_templates: list[
        Annotated["CouponTemplate", strawberry.lazy("graphql_api.coupons.types.templates")]
    ] = relations(
        keys=lambda root, _context: root.coupons,
        load=coupons.get_templates,
        visible=_seen_template,
        rule=COUPON_FIELD,
        description="A coupon of each of these. 优惠券模板",
    )


@strawberry.type(description="An offer of another business to members of a tier. 异业联盟权益")
class PartnerOffer:
    """Shows a part of the policy."""

    partner: str = field(rule=INHERITED, description="Whose offer it is. 合作方")
    text: str = field(rule=INHERITED, description="What it is. 内容")
    url: URL | None = field(rule=INHERITED, description="Where to read more. 链接")
    valid_until: date | None = field(rule=INHERITED, description="Its last day. 截止日")


async def _points_percent(root: strawberry.Parent[policies.TierBenefits], info: Info) -> int:
    policy = await info.context.run(repository.points_in_force)
    return policy.percent_of(root.tier)


@strawberry.type(description="What a tier brings, today. 等级权益")
class TierBenefits:
    """Shows a part of the policy."""

    tier: str = field(rule=INHERITED, description="The tier's name. 等级")
    points_percent: int = field(
        rule=INHERITED,
        description="How many percent of the points of an order the tier earns. 积分倍率（百分比）",
        resolver=_points_percent,
    )
    joining_gift: GiftTerms | None = field(rule=INHERITED, description="Given to who joins. 入会礼")
    upgrade_gift: GiftTerms | None = field(
        rule=INHERITED, description="Given to who reaches the tier for the first time. 升级礼"
    )
    birthday_gift: GiftTerms | None = field(
        rule=INHERITED, description="Given once for each birthday. 生日礼"
    )
    discount_percent: int = field(
        rule=INHERITED, description="Percent off the price of an item. 会员折扣（减免百分比）"
    )
    free_shipping_over: Money | None = field(
        rule=INHERITED, description="Orders from this amount on are sent free. 满额包邮"
    )
    free_exchanges_per_year: int = field(
        rule=INHERITED, description="How often a year an item is exchanged free. 每年免费换货次数"
    )
    dedicated_service: bool = field(
        rule=INHERITED, description="Whether somebody is there for them alone. 专属客服"
    )
    factory_tour: bool = field(
        rule=INHERITED, description="Whether they may visit where things are made. 工厂参观"
    )
    partner_offers: list[PartnerOffer] = field(
        rule=INHERITED, description="Offers of other businesses that hold today. 异业联盟"
    )


class SeenBenefits:
    """What a member has by where they stand today."""

    def __init__(
        self, member: Member, decision: Decision, policy: BenefitsPolicy, today: date
    ) -> None:
        tier, names = decision.standing.tier.name, decision.policies.ladder.names
        later = names[names.index(tier) + 1 :] if tier in names else ()
        self.current = rules.holding(policy.of_tier(tier), today)
        self.next = rules.holding(policy.of_tier(later[0]), today) if later else None
        self._member, self._today = member, today

    @property
    def next_birthday(self) -> date | None:
        """Read when it is asked for: it is noted who saw it."""
        born = self._member.birthday
        return rules.next_birthday(born, self._today) if born else None


@strawberry.type(description="What a member has by their tier. 会员的权益")
class MemberBenefits:
    """Shows SeenBenefits."""

    current: TierBenefits = field(
        rule=INHERITED, description="What the tier of today brings. 当前等级权益"
    )
    next: TierBenefits | None = field(
        rule=INHERITED, description="What the next tier would bring; null at the top. 下一等级权益"
    )
    next_birthday: date | None = field(
        rule=INHERITED,
        description="The next birthday; of a leap day 28 February in other years. 下次生日",
    )


async def benefits(root: strawberry.Parent[Member], info: Info) -> MemberBenefits:
    """What holds today."""
    decision = await decided(root, info)
    _, policy = await info.context.run(repository.in_force)
    seen: object = SeenBenefits(root, decision, policy, info.context.clock.today())
    return seen  # type: ignore[return-value]  # a type is a view
