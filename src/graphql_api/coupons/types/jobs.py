"""Jobs that issue coupons, as clients see them."""

from datetime import datetime
from typing import Any

import strawberry

from graphql_api.context import Info
from graphql_api.coupons import models, repository, rules
from graphql_api.coupons.rules import IssueState, IssueTo
from graphql_api.coupons.types.templates import CouponTemplate
from graphql_api.errors import ErrorCode
from graphql_api.guides import repository as guides
from graphql_api.guides.rules import visible as visible_guide
from graphql_api.guides.types import Guide
from graphql_api.kit.graphql import Node, field, relation
from graphql_api.kit.graphql.access import INHERITED
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.kit.graphql.nodes import registry
from graphql_api.permissions import COUPON_STAFF
from graphql_api.stores import repository as stores
from graphql_api.stores.types import Store
from graphql_api.tags import repository as tags
from graphql_api.tags.types import Tag
from graphql_api.viewer import Role, Viewer

describe_enum(
    IssueState,
    name="CouponIssueJobState",
    description="Where a job stands. 任务状态",
    values={
        "WAITING": "Not begun. 等待",
        "IN_PROGRESS": "Some members are done. 进行中",
        "DONE": "Every member is done or has failed. 完成",
        "FAILED": "It could not go on; see the problem. 失败",
        "CANCELLED": "Somebody ended it; what is issued stays issued. 已取消",
    },
)
describe_enum(
    IssueTo,
    name="CouponIssueJobMembers",
    description="To whom a job issues coupons. 任务范围",
    values={
        "LISTED": "Members that were listed. 指定会员",
        "OF_STORE": "Members of a home store. 门店会员",
        "OF_GUIDE": "Members of a guide. 导购会员",
        "OF_TAG": "Members who have a tag. 标签会员",
    },
)


def visible_job(viewer: Viewer, job: models.IssueJob) -> models.IssueJob | None:
    """The row rule of jobs."""
    return job if rules.sees_job(viewer, job) else None


@strawberry.type(description="A member to whom a job could not issue a coupon. 失败会员")
class CouponIssueFailure:
    """Shows models.IssueFailure."""

    member_id: strawberry.ID = field(rule=INHERITED, description="The member. 会员 ID")
    code: ErrorCode = field(rule=INHERITED, description="The reason, to switch on. 错误码")
    message: str = field(rule=INHERITED, description="The reason, in English. 说明")


@strawberry.type(description="Coupons for many members, issued in steps. 批量发券任务")
class CouponIssueJob(Node):
    """Shows models.IssueJob."""

    template: CouponTemplate | None = relation(
        key="template_id",
        load=repository.get_templates,
        rule=COUPON_STAFF,
        description="What it issues. 券模板",
    )
    state: IssueState = field(rule=COUPON_STAFF, description="Where it stands. 状态")
    members: IssueTo = field(rule=COUPON_STAFF, description="To whom. 范围")
    store: Store | None = relation(
        key="store_id",
        load=stores.get_many,
        rule=COUPON_STAFF,
        description="The home store of its members. 门店",
    )
    guide: Guide | None = relation(
        key="guide_id",
        load=guides.get_many,
        visible=visible_guide,
        rule=COUPON_STAFF,
        description="The guide of its members. 导购",
    )
    tag: Tag | None = relation(
        key="tag_id",
        load=tags.get_many,
        rule=COUPON_STAFF,
        description="The tag that its members have. 标签",
    )
    by_role: Role = field(rule=COUPON_STAFF, description="Role of who made it. 创建人角色")
    by_id: strawberry.ID = field(rule=COUPON_STAFF, description="Id of who made it. 创建人 ID")
    total: int | None = field(
        rule=COUPON_STAFF, description="How many members, as counted when it began. 总数"
    )
    done: int = field(
        rule=COUPON_STAFF, description="Members dealt with, failed ones too. 已处理数"
    )
    failed: int = field(rule=COUPON_STAFF, description="Members that failed. 失败数")
    failures: list[CouponIssueFailure] = field(
        rule=COUPON_STAFF, description="The first hundred members that failed. 失败明细"
    )
    problem: str | None = field(
        rule=COUPON_STAFF, description="Why the whole job failed, in English. 失败原因"
    )
    created_at: datetime = field(rule=COUPON_STAFF, description="When it was made. 创建时间")
    started_at: datetime | None = field(rule=COUPON_STAFF, description="When it began. 开始时间")
    finished_at: datetime | None = field(rule=COUPON_STAFF, description="When it ended. 结束时间")

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.IssueJob)


registry.add("cpj", repository.get_jobs, visible_job)
