"""What the enums of vendors are called in the schema, and what their values mean."""

from graphql_api.connectors.rules import (
    CopyKind,
    CopyState,
    Difference,
    LinkKind,
    MessageState,
    Outcome,
    PointsMaster,
    Problem,
    RunState,
    Vendor,
)
from graphql_api.kit.graphql.enums import describe_enum

__all__ = [
    "CopyKind",
    "CopyState",
    "Difference",
    "LinkKind",
    "MessageState",
    "Outcome",
    "PointsMaster",
    "Problem",
    "RunState",
    "Vendor",
]

describe_enum(
    Vendor,
    name="Vendor",
    description="A SaaS whose shops are followed. 服务商",
    values={"YOUZAN": "Youzan. 有赞", "WEIMOB": "Weimob. 微盟"},
)
describe_enum(
    MessageState,
    name="VendorMessageState",
    description="Where a vendor's message is. 消息状态",
    values={
        "WAITING": "To be followed, or tried again. 待处理",
        "HANDLED": "Done with. 已处理",
        "DEAD": "Given up, until it is replayed. 死信",
    },
)
describe_enum(
    Outcome,
    name="VendorMessageOutcome",
    description="What a message came to. 处理结果",
    values={
        "APPLIED": "Something changed here. 已生效",
        "UNCHANGED": "It was so already. 无变化",
        "STALE": "A newer one was applied before. 已过期",
        "ECHO": "It tells what was done from here. 自身回声",
        "IGNORED": "It is of no concern here. 已忽略",
    },
)
describe_enum(
    Problem,
    name="VendorProblem",
    description="Why something could not be done. 失败原因",
    values={
        "UNREADABLE": "It is not what the vendor is known to tell. 无法解析",
        "NOT_LINKED": "A thing of the vendor has no counterpart here: link it. 未关联",
        "REFUSED": "A rule of ours refuses it. 被本系统拒绝",
        "BUSY": "The vendor, or somebody here, is busy: it is tried again. 繁忙",
        "VENDOR_REFUSED": "The vendor says no; `detail` is their code. 被服务商拒绝",
        "NOT_SET_UP": "A secret or the shop's authorisation is missing. 未授权",
        "FAILED": "A fault, which the log shows. 内部错误",
    },
)
describe_enum(
    LinkKind,
    name="VendorLinkKind",
    description="What of a vendor is linked to what is here. 关联类型",
    values={
        "STORE": "A store, by the vendor's id of it. 门店",
        "GUIDE": "A guide, by the vendor's id or staff number. 导购",
        "TAG": "A tag, by its name at Youzan, its id or `tag:attribute` at Weimob. 标签",
        "COUPON_TEMPLATE": "A template of coupons. 券模板",
        "COUPON": "A coupon; these links make themselves. 券",
        "CUSTOMER": "A customer who became another one there; makes itself. 客户",
    },
)
describe_enum(
    CopyKind,
    name="VendorCopyKind",
    description="What is written back to a vendor. 回写类型",
    values={
        "POINTS": "The balance, while the points master is ours. 积分",
        "TAGS": "Tags that are linked. 标签",
        "GUIDE": "The owning guide, where linked. 专属导购",
        "COUPON": "Coupons of linked templates. 优惠券",
    },
)
describe_enum(
    CopyState,
    name="VendorCopyState",
    description="Whether the vendor has what is here. 回写状态",
    values={
        "DUE": "They are about to be told. 待回写",
        "TOLD": "They have it. 已回写",
        "DEAD": "They were not told in a day of trying, or refuse it. 死信",
    },
)
describe_enum(
    PointsMaster,
    name="PointsMaster",
    description="Whose points are right where two differ. 积分主账",
    values={"OURS": "Those here. 本系统", "YOUZAN": "Youzan's. 有赞", "WEIMOB": "Weimob's. 微盟"},
)
describe_enum(
    RunState,
    name="VendorRunState",
    description="Where a reconciliation is. 对账状态",
    values={
        "RUNNING": "Under way. 进行中",
        "DONE": "At its end. 已完成",
        "FAILED": "Given up; `problem` says why. 已失败",
    },
)
describe_enum(
    Difference,
    name="VendorDifference",
    description="How an order differed, or why it still does. 差异类型",
    values={
        "MISSING": "It was not here, and is now. 已补单",
        "DIFFERENT": "It was older here, and is as there now. 已更正",
        "NOT_LINKED": "Its store is not linked. 门店未关联",
        "UNREADABLE": "It is not what the vendor is known to tell. 无法解析",
        "REFUSED": "A rule of ours or the vendor refuses it. 被拒绝",
        "FAILED": "A fault, which the log shows. 内部错误",
    },
)
