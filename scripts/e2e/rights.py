"""What functions may do, what they did, and why some of what they may do is never done here."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import boto3

from scripts import emulator
from scripts.e2e.journey import Failed, require

Decision = dict[str, str]


@dataclass(frozen=True, order=True, slots=True)
class Right:
    """An action on a resource that a role grants."""

    role: str
    action: str
    resource: str

    def __str__(self) -> str:
        return f"{self.role} {self.action} {self.resource}"


@dataclass(frozen=True, slots=True)
class Unused:
    """Rights that stay although nothing in this run uses them, as patterns, and why."""

    role: str
    action: str
    resource: str
    why: str

    def covers(self, right: Right) -> bool:
        """Whether a right is one of these."""
        pairs = (
            (right.role, self.role),
            (right.action, self.action),
            (right.resource, self.resource),
        )
        return all(fnmatchcase(text, pattern) for text, pattern in pairs)


# A line that covers nothing that is granted fails the run as well.
_LAMBDA = "Lambda does it in the name of the function; the emulator does not ask"
_RULES = "only where tags are given by rule, which the chain of the run does not"
_SELDOM = "only for somebody who has it, and those of the run have not"
_JOB = "a job takes its members by store, guide, tag or list; the run has not all of them"
_LIST = "a list asks for whatever is in it"
UNUSED = (
    Unused("*", "logs:*", "*", _LAMBDA),
    Unused("*", "dynamodb:DescribeStream", "*", _LAMBDA),
    Unused("*", "dynamodb:GetRecords", "*", _LAMBDA),
    Unused("*", "dynamodb:GetShardIterator", "*", _LAMBDA),
    Unused("*", "dynamodb:ListStreams", "*", _LAMBDA),
    Unused("*", "sqs:SendMessage", "*DeadLetters*", _LAMBDA),
    Unused("*", "sqs:ReceiveMessage", "*", _LAMBDA),
    Unused("*", "sqs:DeleteMessage", "*", _LAMBDA),
    Unused("*", "sqs:GetQueueAttributes", "*", _LAMBDA),
    Unused("*RebuildMachineRole*", "*", "*", "a state machine acts; the emulator does not ask"),
    Unused("*DayRole*", "*", "*", "the scheduler acts; the emulator does not ask"),
    Unused("*BulkStepsRole*", "dynamodb:BatchGetItem", "*", _LIST),
    Unused("*BulkStepsRole*", "dynamodb:Query", "*", _LIST),
    Unused("*BulkStepsRole*", "dynamodb:BatchWriteItem", "*audit", "only for personal data"),
    Unused("*BulkStepsRole*", "s3:*", "*", "only for a file of several parts, or one given up"),
    Unused("*EffectsRole*", "dynamodb:*", "*tags*", _RULES),
    Unused("*StandingRole*", "dynamodb:*", "*tags*", _RULES),
    Unused("*RebuildWorkerRole*", "dynamodb:*", "*tags*", _RULES),
    Unused("*EffectsRole*", "dynamodb:*", "*coupons", "only where an order used a coupon"),
    Unused("*EffectsRole*", "dynamodb:*", "*points", "only where an order used points"),
    Unused("*EffectsRole*", "dynamodb:ConditionCheckItem", "*members", "an order without facts"),
    Unused("*MergesRole*", "dynamodb:*", "*", _SELDOM),
    Unused("*PrivacyJobsRole*", "dynamodb:*", "*", _SELDOM),
    Unused("*TagJobsRole*", "dynamodb:*", "*", _JOB),
    Unused("*CouponChangesRole*", "dynamodb:*", "*", _JOB),
    Unused("*OrderCreditsRole*", "dynamodb:*", "*", "only where a guide sold"),
    Unused("*RecomputePlanRole*", "dynamodb:BatchGetItem", "*stores", "the run names the day"),
    Unused("*RecomputeWorkerRole*", "dynamodb:*", "*", "only where a day has something due"),
    Unused("*RecomputeWorkerRole*", "sqs:SendMessage", "*", "only a piece that takes too long"),
    Unused("*WebhookDeliveriesRole*", "*", "*", "endpoints must speak TLS, which nobody does here"),
    Unused("*RebuildWorkerRole*", "dynamodb:UpdateItem", "*members", "only a day that moves alone"),
    Unused("*GraphqlRole*", "dynamodb:DeleteItem", "*", "only a name, place or draft given up"),
    Unused("*GraphqlRole*", "dynamodb:BatchGetItem", "*requests", "only a key that comes twice"),
    Unused("*GraphqlRole*", "dynamodb:BatchGetItem", "*audit", "only what one actor did"),
    Unused("*GraphqlRole*", "dynamodb:BatchGetItem", "*standing", "only a row by its id"),
    Unused("*GraphqlRole*", "dynamodb:ConditionCheckItem", "*", "only beside what is changed"),
    Unused("*GraphqlRole*", "dynamodb:UpdateItem", "*points", "only where a program has a cap"),
    Unused("*GraphqlRole*", "dynamodb:PutItem", "*benefits", "only a gift that failed before"),
    Unused("*GraphqlRole*", "dynamodb:Query", "*/index/*", "a list may be asked in other ways"),
    Unused("*GraphqlRole*", "dynamodb:Query", "*tags", "of a member whom the run has merged"),
    Unused("*GraphqlRole*", "dynamodb:Query", "*merges", "of a member whom the run has merged"),
    Unused("*GraphqlRole*", "s3:AbortMultipartUpload", "*", "only a file that was begun"),
    Unused("*GraphqlRole*", "s3:GetObject", "*exports*", "only a member who fetches their data"),
)


def granted() -> list[Right]:
    """Every action and resource that the roles of the deployed stack name."""
    client = boto3.client("iam")
    found = []
    for page in client.get_paginator("list_roles").paginate():
        for role in (one["RoleName"] for one in page["Roles"]):
            for policy in client.list_role_policies(RoleName=role)["PolicyNames"]:
                read = client.get_role_policy(RoleName=role, PolicyName=policy)
                found += _rights(role, read["PolicyDocument"])
    return sorted(set(found))


def _rights(role: str, document: Any) -> list[Right]:
    return [
        Right(role, action, resource)
        for statement in document["Statement"]
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
    ]


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def decisions(data_dir: Path) -> list[Decision]:
    """Each time that a function's rights were looked at."""
    lines = (data_dir / emulator.DECISIONS).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def judge(rights: Sequence[Right], seen: Sequence[Decision]) -> str:
    """How many rights were used; Failed for what was denied, and what was never used."""
    require(denied(seen), [], "what was denied")
    left = unused(rights, seen)
    if unexplained := [right for right in left if not any(u.covers(right) for u in UNUSED)]:
        told = "\n".join(map(str, unexplained))
        raise Failed(f"{len(unexplained)} rights were granted and never used:\n{told}")
    if idle := [one for one in UNUSED if not any(one.covers(right) for right in rights)]:
        raise Failed(f"nobody has these rights any more: {idle}")
    return f"{len(rights) - len(left)} of {len(rights)} used, {len(left)} stay for a reason"


def denied(seen: Sequence[Decision]) -> list[tuple[str, str, str]]:
    """Who was refused what. A secret is looked at twice, by its own policy first."""

    def asked(one: Decision) -> tuple[str, str, str]:
        return one["principal"], one["action"], one["resource"]

    allowed = {asked(one) for one in seen if one["decision"] == "Allow"}
    return sorted({asked(one) for one in seen if one["decision"] != "Allow"} - allowed)


def unused(rights: Sequence[Right], seen: Sequence[Decision]) -> list[Right]:
    """The rights that no allowed decision went by."""
    used: dict[tuple[str, str], set[str]] = {}
    for one in seen:
        if one["decision"] == "Allow":
            used.setdefault((_role_of(one["principal"]), one["action"]), set()).add(one["resource"])
    return [
        right
        for right in rights
        if not any(
            fnmatchcase(resource, right.resource)
            for resource in used.get((right.role, right.action), ())
        )
    ]


def _role_of(principal: str) -> str:
    """The name of a role, of its own ARN or of a session's."""
    kind, _, rest = principal.rpartition(":")[2].partition("/")
    return rest.partition("/")[0] if kind in {"assumed-role", "role"} else ""
