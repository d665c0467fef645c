"""Runs over all members, as clients see them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import strawberry

from graphql_api.context import Info
from graphql_api.kit.graphql import Connection, Node, connection, field, relation, relations
from graphql_api.kit.graphql.access import INHERITED
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.kit.graphql.nodes import registry
from graphql_api.members import repository as members_repository
from graphql_api.members.types import Member
from graphql_api.members.types import visible as visible_member
from graphql_api.permissions import MEMBER_CHAIN, MEMBER_STAFF, POLICY_MANAGE
from graphql_api.policies.rules import PolicyKind
from graphql_api.rebuilds import models, repository, rules
from graphql_api.rebuilds.rules import Move, RunKind, RunState
from graphql_api.standing import repository as standings
from graphql_api.standing.models import Failure, ShardRun
from graphql_api.standing.rules import ChangeKind
from graphql_api.viewer import Viewer

describe_enum(
    RunKind,
    name="PolicyRunKind",
    description="What a run over all members is for. 规则任务类型",
    values={
        "PREVIEW": "Who would move under a policy; writes nothing of members. 预览",
        "REBUILD": "Brings a published policy to every member. 重算",
        "MEASURE": "Measures the base for RFM and the quadrant, and drafts the policy. 测算",
    },
)
describe_enum(
    RunState,
    name="PolicyRunState",
    description="Where a run stands. 任务状态",
    values={
        "WAITING": "It begins in a moment. 等待",
        "IN_PROGRESS": "Pieces are being done. 进行中",
        "DONE": "All pieces are over. 完成",
        "FAILED": "It did not get through; `policyRunRetry` goes on. 失败",
        "CANCELLED": "Somebody stopped it; what it wrote stays. 已取消",
    },
)


def visible(viewer: Viewer, run: models.Run) -> models.Run | None:
    """The row rule of runs."""
    return run if rules.is_visible(viewer) else None


class SeenMove:
    """A move with its count and a few of its members."""

    def __init__(self, move: Move, count: int, sample_ids: Sequence[str]) -> None:
        self.part, self.old, self.new = move.part, move.old, move.new
        self.members = count
        self.sample_ids = sample_ids


@strawberry.type(description="Members who go from one state to another. 迁移")
class PolicyMove:
    """Shows SeenMove."""

    part: ChangeKind = field(rule=INHERITED, description="Of which part. 状态项")
    old: str | None = field(
        rule=INHERITED,
        description="From what; null where they had none. Of a tag, its id. 迁移前",
    )
    new: str | None = field(
        rule=INHERITED, description="To what; null for a tag that they lose. 迁移后"
    )
    members: int = field(rule=INHERITED, description="How many. 人数")
    samples: list[Member] = relations(
        keys=lambda move, _context: move.sample_ids,
        load=members_repository.get_many,
        visible=visible_member,
        rule=MEMBER_STAFF,
        description="A few of them, five at most. 示例会员",
    )


@strawberry.type(description="How far a run got, in pieces of about two thousand numbers. 进度")
class PolicyRunProgress:
    """Shows models.Run."""

    done: int = field(rule=INHERITED, description="Pieces that are over. 已完成")
    total: int = field(rule=INHERITED, description="All pieces. 总数")


@strawberry.type(description="A run of a policy over all members. 规则任务")
class PolicyRun(Node):
    """Shows models.Run."""

    kind: RunKind = field(rule=POLICY_MANAGE, description="What it is for. 类型")
    state: RunState = field(rule=POLICY_MANAGE, description="Where it stands. 状态")
    policy_kind: PolicyKind = field(rule=POLICY_MANAGE, description="Which policy. 规则类型")
    policy_version: int = field(
        rule=POLICY_MANAGE, description="Its version; of a preview the one it would get. 规则版本"
    )
    as_of: date = field(rule=POLICY_MANAGE, description="The business day it is for. 业务日")
    progress: PolicyRunProgress = field(
        rule=POLICY_MANAGE, description="How far it got. 进度", resolver=lambda root: root
    )
    members: int = field(rule=POLICY_MANAGE, description="Members looked at so far. 已处理会员")
    changed: int = field(
        rule=POLICY_MANAGE, description="Of whom something moves, or moved. 有变化会员"
    )
    failed: int = field(
        rule=POLICY_MANAGE, description="Whom it could not decide on; the others went on. 失败会员"
    )
    moves: list[PolicyMove] = field(
        rule=POLICY_MANAGE,
        description="The migration matrix: from where to where; empty before the end. 迁移矩阵",
        resolver=lambda root: _moves(root),
    )
    drafted_version: int | None = field(
        rule=POLICY_MANAGE, description="The draft that a measurement made. 生成的草稿版本"
    )
    created_by: strawberry.ID = field(rule=POLICY_MANAGE, description="Who set it going. 发起人 ID")
    created_at: datetime = field(rule=POLICY_MANAGE, description="When. 发起时间")
    ended_at: datetime | None = field(rule=POLICY_MANAGE, description="When it ended. 结束时间")

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, models.Run)


def _moves(run: models.Run) -> list[Any]:
    tally = run.tally
    return [SeenMove(move, n, tally.samples.get(move, ())) for move, n in tally.moves.items()]


class SeenDay:
    """What the run of a day has done, its shards together."""

    def __init__(self, as_of: date, shards: Sequence[ShardRun]) -> None:
        self.as_of = as_of
        self.members = sum(int(shard.members) for shard in shards)
        self.changed = sum(int(shard.changed) for shard in shards)
        self.failed = sum(int(shard.failed) for shard in shards)


@strawberry.type(description="A member whom the run of a day could not decide on. 跑批失败")
class RecomputeFailure:
    """Shows standing.models.Failure."""

    member: Member | None = relation(
        key="member_id",
        load=members_repository.get_many,
        visible=visible_member,
        rule=INHERITED,
        description="Who; still due, so the next run tries again. 会员",
    )
    problem: str = field(rule=INHERITED, description="The name of the error. 错误")
    at: datetime = field(rule=INHERITED, description="When it was tried last. 时间")

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, Failure)


@strawberry.type(description="What the run of a business day has done so far. 每日跑批")
class RecomputeRun:
    """Shows SeenDay."""

    as_of: date = field(rule=INHERITED, description="The business day. 业务日")
    members: int = field(
        rule=INHERITED,
        description="Members who were due, each time that they were looked at. 已处理",
    )
    changed: int = field(rule=INHERITED, description="Of whom something changed. 有变化")
    failed: int = field(rule=INHERITED, description="Whom it could not decide on. 失败")
    failures: Connection[RecomputeFailure] = connection(
        page=standings.failures_of,
        key="as_of",
        rule=MEMBER_CHAIN,
        description="Who they are, by id; each once, however often it was tried. 失败会员",
    )


registry.add("run", repository.get_many, visible)
