"""What can be done to coupons."""

from datetime import datetime
from typing import Annotated

import strawberry

from graphql_api.context import Info
from graphql_api.coupons import models, service
from graphql_api.coupons.schema.queries import CouponSelector
from graphql_api.coupons.types import Coupon, CouponIssueJob
from graphql_api.kit.graphql import UserError, changed_field, command, errors_field, mutation
from graphql_api.kit.graphql.arguments import INPUT, Id
from graphql_api.kit.graphql.keys import KeyUse
from graphql_api.kit.graphql.scalars import Money
from graphql_api.permissions import (
    COUPON_CLAIM,
    COUPON_HOLD,
    COUPON_ISSUE,
    COUPON_OWN,
    COUPON_WRITE,
)

_KEY = "What it is held for, such as an order of yours; at most 128 characters. 锁定单号"
_WHY = "Why, in words. 原因"


@strawberry.input(description="A coupon for a member. 发放优惠券")
class CouponIssueInput:
    """See service.Issue."""

    member_id: strawberry.ID = strawberry.field(description="Which member. 会员 ID")
    template_id: strawberry.ID = strawberry.field(description="Which template. 券模板 ID")
    store_id: strawberry.ID | None = strawberry.field(
        default=None, description="The store that gives it, for limits of stores. 门店 ID"
    )


@strawberry.input(description="What is claimed: exactly one of these. 领取方式", one_of=True)
class CouponClaimSelector:
    """One way to name what is claimed."""

    template_id: strawberry.Maybe[strawberry.ID] = strawberry.field(
        description="A template that anybody may claim. 券模板 ID"
    )
    word: strawberry.Maybe[str] = strawberry.field(
        description="The word of a template, in any case. 领券口令"
    )
    token: strawberry.Maybe[str] = strawberry.field(
        description="What was scanned in a store. 扫码内容"
    )


@strawberry.input(description="A coupon to claim. 领取优惠券")
class CouponClaimInput:
    """See service.Claim."""

    by: CouponClaimSelector = strawberry.field(description="What. 领取方式")
    member_id: strawberry.ID | None = strawberry.field(
        default=None, description="For whom, asked by a key; members claim for themselves. 会员 ID"
    )


@strawberry.input(description="A template for members to scan in a store. 生成领券码")
class CouponClaimTokenMakeInput:
    """See service.CouponClaimToken."""

    template_id: strawberry.ID = strawberry.field(description="Which template. 券模板 ID")
    store_id: strawberry.ID = strawberry.field(description="In which store. 门店 ID")


@strawberry.input(description="A coupon to hold for an order. 锁定优惠券")
class CouponLockInput:
    """See service.Lock."""

    coupon: CouponSelector = strawberry.field(description="Which coupon. 优惠券")
    key: str = strawberry.field(description=_KEY)
    until: datetime = strawberry.field(description="Until when, seven days at most. 锁定至")


@strawberry.input(description="A coupon to hold no more. 解锁优惠券")
class CouponUnlockInput:
    """See service.Unlock."""

    coupon: CouponSelector = strawberry.field(description="Which coupon. 优惠券")
    key: str = strawberry.field(description=_KEY)


@strawberry.input(description="A coupon that is used in a store. 核销优惠券")
class CouponRedeemInput:
    """See service.Redeem."""

    coupon: CouponSelector = strawberry.field(description="Which coupon. 优惠券")
    store_id: strawberry.ID = strawberry.field(description="Where. 门店 ID")
    amount: Money | None = strawberry.field(
        default=None, description="What the purchase comes to, to look at the threshold. 消费金额"
    )
    reference: str | None = strawberry.field(
        default=None,
        description="What it is used for: the till's number; again by it changes nothing. 核销单号",
    )


@strawberry.input(description="A coupon, and why. 优惠券与原因")
class CouponReasonInput:
    """See service.WithReason."""

    id: strawberry.ID = strawberry.field(description="Which coupon. 优惠券 ID")
    reason: str = strawberry.field(description=_WHY)


@strawberry.input(description="What a friend was sent. 接受转赠")
class CouponGiftAcceptInput:
    """See service.GiftAccept."""

    token: str = strawberry.field(description="The word that the giver sent. 转赠口令")


@strawberry.input(description="Which members: exactly one of these. 会员范围", one_of=True)
class CouponIssueJobMembersSelector:
    """See service.IssueWhose."""

    ids: strawberry.Maybe[list[strawberry.ID]] = strawberry.field(
        description="These, at most 10,000. 会员 ID 列表"
    )
    store_id: strawberry.Maybe[strawberry.ID] = strawberry.field(
        description="Those of a home store. 门店 ID"
    )
    guide_id: strawberry.Maybe[strawberry.ID] = strawberry.field(
        description="Those of a guide. 导购 ID"
    )
    tag_id: strawberry.Maybe[strawberry.ID] = strawberry.field(
        description="Those who have a tag; asked by headquarters. 标签 ID"
    )


@strawberry.input(description="Coupons for many members. 新建批量发券任务")
class CouponIssueJobCreateInput:
    """See service.JobCreate."""

    template_id: strawberry.ID = strawberry.field(description="Which template. 券模板 ID")
    members: CouponIssueJobMembersSelector = strawberry.field(description="To whom. 会员范围")


@strawberry.type(description="What became of a command on a coupon. 优惠券操作结果")
class CouponPayload:
    """The coupon, or why not."""

    coupon: Coupon | None = changed_field("The coupon as it is now; null when refused. 优惠券")
    user_errors: list[UserError] = errors_field()


@strawberry.type(description="A coupon that is offered to a friend. 转赠结果")
class CouponGiftPayload:
    """The coupon with the word for the friend, or why not."""

    coupon: Coupon | None = changed_field("The coupon, held for a day; null when refused. 优惠券")
    token: str | None = changed_field("What to send the friend; null when refused. 转赠口令")
    user_errors: list[UserError] = errors_field()


@strawberry.type(description="What members scan in a store. 领券码")
class CouponClaimTokenPayload:
    """The token, or why not."""

    token: str | None = changed_field("Good for ten minutes; null when refused. 扫码内容")
    user_errors: list[UserError] = errors_field()


@strawberry.type(description="What became of a command on a job. 批量发券任务操作结果")
class CouponIssueJobPayload:
    """The job, or why not."""

    job: CouponIssueJob | None = changed_field(
        "The job as it is now; null when refused. 批量发券任务"
    )
    user_errors: list[UserError] = errors_field()


@strawberry.type
class CouponMutations:
    """Commands on coupons."""

    @mutation(
        CouponPayload,
        rule=COUPON_ISSUE,
        description="Give a coupon to a member within reach, under its limits. 发放优惠券",
        key=KeyUse.REQUIRED,
    )
    def coupon_issue(self, info: Info, input: Annotated[CouponIssueInput, INPUT]) -> models.Coupon:
        """See service.issue."""
        given = command(service.Issue, input)
        return service.issue(given, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        CouponPayload,
        rule=COUPON_CLAIM,
        description="Claim a coupon: one for anybody, by a word, or by scanning. 领取优惠券",
        key=KeyUse.REQUIRED,
    )
    def coupon_claim(self, info: Info, input: Annotated[CouponClaimInput, INPUT]) -> models.Coupon:
        """See service.claim."""
        given = command(service.Claim, input.by, member_id=input.member_id)
        return service.claim(given, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        CouponClaimTokenPayload,
        rule=COUPON_ISSUE,
        description="What a store shows for members to scan, good for ten minutes. 生成领券码",
        key=KeyUse.SHOWN_ONCE,
    )
    def coupon_claim_token_make(
        self, info: Info, input: Annotated[CouponClaimTokenMakeInput, INPUT]
    ) -> str:
        """See service.claim_token."""
        given = command(service.CouponClaimToken, input)
        return service.claim_token(given, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        CouponPayload,
        rule=COUPON_HOLD,
        description="Hold a coupon for an order; again under its key renews it. 锁定优惠券",
        key=KeyUse.REQUIRED,
    )
    def coupon_lock(self, info: Info, input: Annotated[CouponLockInput, INPUT]) -> models.Coupon:
        """See service.lock."""
        given = command(service.Lock, input)
        return service.lock(given, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        CouponPayload,
        rule=COUPON_HOLD,
        description="Hold a coupon no more for the order that it was held for. 解锁优惠券",
        key=KeyUse.REQUIRED,
    )
    def coupon_unlock(
        self, info: Info, input: Annotated[CouponUnlockInput, INPUT]
    ) -> models.Coupon:
        """See service.unlock."""
        given = command(service.Unlock, input)
        return service.unlock(given, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        CouponPayload,
        rule=COUPON_ISSUE,
        description="Use a coupon that a member shows, in a store within reach. 核销优惠券",
        key=KeyUse.REQUIRED,
    )
    def coupon_redeem(
        self, info: Info, input: Annotated[CouponRedeemInput, INPUT]
    ) -> models.Coupon:
        """See service.redeem."""
        given = command(service.Redeem, input)
        return service.redeem(given, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        CouponPayload,
        rule=COUPON_ISSUE,
        description=(
            "Bring a coupon back that was used by mistake; what an order used, its refund brings"
            " back. 撤销核销"
        ),
        key=KeyUse.REQUIRED,
    )
    def coupon_roll_back(
        self, info: Info, input: Annotated[CouponReasonInput, INPUT]
    ) -> models.Coupon:
        """See service.roll_back."""
        given = command(service.WithReason, input)
        return service.roll_back(given, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        CouponPayload,
        rule=COUPON_WRITE,
        description="Take an unused coupon back; it returns to the stock. 回收优惠券",
        key=KeyUse.REQUIRED,
    )
    def coupon_recycle(
        self, info: Info, input: Annotated[CouponReasonInput, INPUT]
    ) -> models.Coupon:
        """See service.recycle."""
        given = command(service.WithReason, input)
        return service.recycle(given, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        CouponGiftPayload,
        rule=COUPON_OWN,
        description="Offer a coupon to a friend; it is held for a day. 转赠优惠券",
        key=KeyUse.REQUIRED,
    )
    def coupon_gift_offer(self, info: Info, id: Id) -> CouponGiftPayload:
        """See service.offer."""
        viewer, clock = info.context.viewer, info.context.clock
        gift = service.offer(id, viewer=viewer, clock=clock)
        return CouponGiftPayload(coupon=gift.coupon, token=gift.token)  # type: ignore[arg-type]  # shown as stored

    @mutation(
        CouponPayload,
        rule=COUPON_OWN,
        description="Take an offer back that no friend took. 撤回转赠",
        key=KeyUse.REQUIRED,
    )
    def coupon_gift_withdraw(self, info: Info, id: Id) -> models.Coupon:
        """See service.withdraw."""
        return service.withdraw(id, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        CouponPayload,
        rule=COUPON_OWN,
        description="Take over a coupon that a friend offers, under its limits. 接受转赠",
        key=KeyUse.REQUIRED,
    )
    def coupon_gift_accept(
        self, info: Info, input: Annotated[CouponGiftAcceptInput, INPUT]
    ) -> models.Coupon:
        """See service.accept."""
        given = command(service.GiftAccept, input)
        return service.accept(given, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        CouponIssueJobPayload,
        rule=COUPON_ISSUE,
        description="Have coupons issued to many members in the background. 新建批量发券任务",
        key=KeyUse.REQUIRED,
    )
    def coupon_issue_job_create(
        self, info: Info, input: Annotated[CouponIssueJobCreateInput, INPUT]
    ) -> models.IssueJob:
        """See service.create_job."""
        new = command(service.JobCreate, input)
        return service.create_job(new, viewer=info.context.viewer, clock=info.context.clock)

    @mutation(
        CouponIssueJobPayload,
        rule=COUPON_ISSUE,
        description="End a job; what it has issued stays issued. 取消批量发券任务",
    )
    def coupon_issue_job_cancel(self, info: Info, id: Id) -> models.IssueJob:
        """See service.cancel_job."""
        return service.cancel_job(id, viewer=info.context.viewer, clock=info.context.clock)
