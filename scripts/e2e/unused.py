"""Rights that stay although nothing in the end-to-end run uses them, and why.

Each line names its tables: a right too many on another one fails the run. A line that covers
nothing that is granted fails it as well.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol


class Granted(Protocol):
    """What a line may cover."""

    @property
    def role(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def resource(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Unused:
    """Rights that stay, as patterns, and why."""

    role: str
    action: str
    resource: str
    why: str

    def covers(self, right: Granted) -> bool:
        """Whether a right is one of these."""
        pairs = (
            (right.role, self.role),
            (right.action, self.action),
            (right.resource, self.resource),
        )
        return all(fnmatchcase(text, pattern) for text, pattern in pairs)


def _tables(role: str, why: str, **tables: str) -> Iterator[Unused]:
    """What a role may do with tables and indexes: action → their names."""
    for action, names in tables.items():
        for name in names.split():
            yield Unused(f"*-{role}Role-*", f"dynamodb:{action}", f"*:table/*-{name}", why)


_LAMBDA = "Lambda does it in the name of the function; the emulator does not ask"
_RULES = "only where tags are given by rule, which the chain of the run does not"
_SELDOM = "only for somebody who has it, and those of the run have not"
_JOB = "a job takes its members by store, guide, tag or list; the run has not all of them"
_DUE = "only where a day has something due"
_LIST = "a list asks for whatever is in it"
_TLS = "endpoints must speak TLS, which nobody does here"
_OTHERS = "only by what vendors tell of, which the run has not all of"
_WECOM = "only for who is a friend still, for which WeCom is asked; the run tells of one who left"
_WECHAT = "WeChat draws codes and pushes, and its stand-in does not"
_GIVEN_UP = "only a name, a place or a draft given up"

UNUSED: tuple[Unused, ...] = (
    Unused("*", "logs:*", "*", _LAMBDA),
    Unused("*", "dynamodb:DescribeStream", "*/stream/*", _LAMBDA),
    Unused("*", "dynamodb:GetRecords", "*/stream/*", _LAMBDA),
    Unused("*", "dynamodb:GetShardIterator", "*/stream/*", _LAMBDA),
    Unused("*", "dynamodb:ListStreams", "*/stream/*", _LAMBDA),
    Unused("*", "sqs:SendMessage", "*DeadLetters*", _LAMBDA),
    Unused("*", "sqs:ReceiveMessage", "*Queue*", _LAMBDA),
    Unused("*", "sqs:DeleteMessage", "*Queue*", _LAMBDA),
    Unused("*", "sqs:GetQueueAttributes", "*Queue*", _LAMBDA),
    Unused("*-RebuildMachineRole-*", "*", "*", "a state machine acts; the emulator does not ask"),
    Unused("*DayRole-*", "lambda:InvokeFunction", "*", "the scheduler acts; the same"),
    Unused("*FunctionQuart*", "lambda:InvokeFunction", "*", "the scheduler acts; the same"),
    Unused("*-BulkStepsRole-*", "dynamodb:BatchGetItem", "*", _LIST),
    Unused("*-BulkStepsRole-*", "dynamodb:Query", "*", _LIST),
    Unused("*-BulkStepsRole-*", "s3:*", "*/bulk/*", "only a file of several parts, or given up"),
    *_tables("BulkSteps", "only for personal data", BatchWriteItem="audit"),
    *_tables(
        "Effects",
        _RULES,
        BatchGetItem="tags",
        PutItem="tags",
        DeleteItem="tags",
        Query="tags/index/group",
    ),
    *_tables(
        "Standing",
        _RULES,
        BatchGetItem="tags",
        PutItem="tags",
        DeleteItem="tags",
        Query="tags/index/group",
    ),
    *_tables(
        "RebuildWorker",
        _RULES,
        BatchGetItem="tags",
        PutItem="tags",
        DeleteItem="tags",
        Query="tags/index/group",
    ),
    *_tables("RebuildWorker", "only a day that moves alone", UpdateItem="members"),
    *_tables(
        "Effects",
        "only where an order used a coupon",
        BatchGetItem="coupons",
        PutItem="coupons",
        UpdateItem="coupons",
    ),
    *_tables("Effects", "only where an order used points", Query="points", UpdateItem="points"),
    *_tables("Effects", "an order without facts", ConditionCheckItem="members"),
    *_tables(
        "Merges",
        _SELDOM,
        BatchGetItem="access campaigns coupons members policies tags",
        ConditionCheckItem="members",
        PutItem="access campaigns coupons members merges orders tags",
        UpdateItem="campaigns",
        DeleteItem="campaigns coupons orders tags",
        Query="campaigns/index/member coupons members orders tags tags/index/group",
    ),
    *_tables(
        "PrivacyJobs",
        _SELDOM,
        BatchGetItem="access benefits checkout commissions mall merges orders ownership points"
        " standing",
        BatchWriteItem="access benefits campaigns checkout commissions coupons mall members merges"
        " ownership points privacy standing tags",
        PutItem="orders",
        DeleteItem="orders",
    ),
    *_tables(
        "TagJobs",
        _JOB,
        BatchGetItem="members",
        PutItem="members",
        DeleteItem="tags",
        Query="members/index/guide members/index/store stores/index/children",
    ),
    *_tables(
        "CouponChanges",
        _JOB,
        BatchGetItem="coupons members stores tags",
        ConditionCheckItem="members",
        PutItem="coupons",
        UpdateItem="coupons",
        Query="members/index/guide members/index/store stores/index/children tags/index/tag",
    ),
    *_tables("OrderCredits", "only where a campaign has a part in it", UpdateItem="campaigns"),
    *_tables("RecomputePlan", "the run names the day", BatchGetItem="stores"),
    *_tables(
        "RecomputeWorker",
        _DUE,
        BatchGetItem="benefits campaigns commissions coupons ownership tags",
        ConditionCheckItem="members",
        PutItem="benefits campaigns commissions coupons ownership",
        UpdateItem="commissions coupons members",
        DeleteItem="campaigns",
        Query="commissions/index/due members/index/birthday tags/index/group",
    ),
    Unused("*-RecomputeWorkerRole-*", "sqs:SendMessage", "*Queue*", "a piece that takes too long"),
    *_tables(
        "WebhookDeliveries",
        _TLS,
        BatchGetItem="access webhooks",
        PutItem="webhooks",
        UpdateItem="webhooks",
        Query="webhooks/index/log webhooks/index/open",
    ),
    Unused("*-WebhookDeliveriesRole-*", "secretsmanager:GetSecretValue", "*", _TLS),
    Unused("*-WebhookDeliveriesRole-*", "sqs:SendMessage", "*WebhookQueue*", _TLS),
    *_tables(
        "VendorMessages",
        _OTHERS,
        BatchGetItem="access benefits campaigns checkout coupons guides mall merges orders"
        " ownership policies points privacy standing stores tags",
        PutItem="access audit campaigns checkout coupons mall members merges orders ownership"
        " points privacy standing stores tags",
        UpdateItem="campaigns coupons members points stores tags",
        ConditionCheckItem="campaigns coupons guides members stores tags",
        DeleteItem="campaigns connectors coupons members orders points tags",
        Query="campaigns/index/block campaigns/index/member checkout connectors"
        " connectors/index/open coupons mall members orders ownership points"
        " policies/index/kind standing tags tags/index/group",
    ),
    Unused("*-VendorMessagesRole-*", "sqs:SendMessage", "*OutboxQueue*", _OTHERS),
    Unused("*-VendorMessagesRole-*", "sqs:SendMessage", "*VendorQueue*", "only to try again"),
    *_tables(
        "VendorOutbox",
        _OTHERS,
        BatchGetItem="connectors coupons members stores",
        PutItem="connectors",
        UpdateItem="connectors",
        Query="members/index/block",
    ),
    Unused("*-VendorOutboxRole-*", "secretsmanager:GetSecretValue", "*", _OTHERS),
    Unused("*-VendorOutboxRole-*", "sqs:SendMessage", "*OutboxQueue*", _OTHERS),
    *_tables(
        "FriendEvents",
        _WECOM,
        BatchGetItem="codes connectors members ownership policies",
        BatchWriteItem="friends",
        ConditionCheckItem="guides",
        DeleteItem="friends members",
        PutItem="audit codes members ownership",
        UpdateItem="codes connectors",
        Query="friends/index/customer friends/index/guide guides/index/by_store"
        " policies/index/kind",
    ),
    *_tables(
        "FriendEvents",
        "only where tags of WeCom are linked, or a guide sends to friends",
        BatchGetItem="sends tags",
        ConditionCheckItem="tags",
        DeleteItem="tags",
        PutItem="sends tags",
        UpdateItem="tags",
        Query="sends tags tags/index/group",
    ),
    *_tables("WebhookEvents", _WECOM, Query="friends/index/guide"),
    Unused("*-FriendEventsRole-*", "sqs:SendMessage", "*ContactQueue*", "only to try again"),
    Unused("*-WebhookEventsRole-*", "sqs:SendMessage", "*ContactQueue*", _WECOM),
    *_tables(
        "FriendWelcomes",
        _WECOM,
        BatchGetItem="connectors friends guides stores",
        UpdateItem="connectors",
    ),
    Unused("*-FriendWelcomesRole-*", "secretsmanager:GetSecretValue", "*", _WECOM),
    Unused("*-VendorWebhooksRole-*", "sqs:SendMessage", "*WelcomeQueue*", _WECOM),
    Unused("*-GraphqlRole-*", "s3:GetObject", "*/codes/*", _WECHAT),
    Unused("*-GraphqlRole-*", "s3:PutObject", "*/codes/*", _WECHAT),
    Unused("*-GraphqlRole-*", "sqs:SendMessage", "*OutboxQueue*", _OTHERS),
    *_tables("PrivacyJobs", _SELDOM, BatchGetItem="codes notices"),
    *_tables("Graphql", _SELDOM, DeleteItem="notices", UpdateItem="notices"),
    *_tables("WechatEvents", _WECHAT, BatchGetItem="members notices", PutItem="notices"),
    Unused("*-WechatEventsRole-*", "secretsmanager:GetSecretValue", "*", _WECHAT),
    Unused("*-VendorWebhooksRole-*", "sqs:SendMessage", "*WechatQueue*", _WECHAT),
    *_tables(
        "VendorReconciliation",
        "each quarter of an hour, which the run does not last",
        BatchGetItem="connectors stores",
        PutItem="connectors",
        UpdateItem="connectors",
        Query="connectors/index/list connectors/index/open",
    ),
    Unused("*-VendorReconciliationRole-*", "secretsmanager:GetSecretValue", "*", "the same"),
    Unused("*-VendorReconciliationRole-*", "sqs:SendMessage", "*Queue*", "the same"),
    *_tables(
        "WebhookEvents",
        "only where a shop is told",
        BatchGetItem="connectors",
        BatchWriteItem="connectors",
        UpdateItem="connectors",
    ),
    *_tables(
        "Graphql", _GIVEN_UP, DeleteItem="access campaigns coupons guides orders policies stores"
    ),
    *_tables("Graphql", "only a key that comes twice", BatchGetItem="requests"),
    *_tables("Graphql", "only what one actor did", BatchGetItem="audit"),
    *_tables("Graphql", "only a row by its id", BatchGetItem="standing"),
    *_tables("Graphql", "only beside what is changed", ConditionCheckItem="coupons mall"),
    *_tables("Graphql", "only where a program has a cap", UpdateItem="points"),
    *_tables("Graphql", "only a gift that failed before", PutItem="benefits"),
    *_tables("Graphql", "of a member whom the run has merged", Query="merges tags"),
    Unused("*-GraphqlRole-*", "dynamodb:Query", "*/index/*", "a list may be asked in other ways"),
    Unused("*-GraphqlRole-*", "s3:AbortMultipartUpload", "*/bulk/*", "only a file that was begun"),
    Unused("*-GraphqlRole-*", "s3:GetObject", "*/exports/*", "only a member who fetches theirs"),
)
