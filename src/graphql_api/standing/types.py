"""Where a member stands, as clients see it: as stored, with what is due decided for the answer."""

from collections.abc import Sequence
from datetime import date
from functools import cached_property
from typing import Any

import strawberry

from graphql_api.context import Info
from graphql_api.kit.graphql import field
from graphql_api.kit.graphql.access import INHERITED
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.kit.graphql.scalars import Json
from graphql_api.policies.rules import TierMetric
from graphql_api.standing import models, repository, rules
from graphql_api.standing.models import HistoryRow
from graphql_api.standing.rules import (
    ChangeKind,
    Decision,
    Goal,
    LifecycleState,
    LockKind,
    Phase,
    Policies,
    Quadrant,
    Reason,
    RfmClass,
    TierExplanation,
)
from graphql_api.standing.rules.records import GROWTH, ORDERS, SPEND

describe_enum(
    LifecycleState,
    description="Where a member stands since the last purchase. 会员生命周期",
    values={
        "ONBOARDING": "New, or back again: interaction converts best. 入会期",
        "AWAKENING": "Beginning to forget: wake up. 唤醒期",
        "WIN_BACK": "Few come back: recall. 流失召回期",
        "DORMANT": "Most no longer remember. 沉睡期",
        "LOST": "Gone longer than the table goes. 已流失",
    },
)
describe_enum(
    Phase,
    name="RelationshipPhase",
    description="How far the relationship has come. 会员关系期",
    values={
        "STARTING": "Within the first year. 起步期",
        "GROWING": "After the first year, not a regular yet. 发展期",
        "STABLE": "A regular. 稳定期",
    },
)
describe_enum(
    RfmClass,
    description="High (H) or low (L): recency, frequency, spend. RFM 八类",
    values={
        "HHH": "Important, of value. 重要价值",
        "HLH": "Important, to develop. 重要发展",
        "LHH": "Important, to keep. 重要保持",
        "LLH": "Important, to win back. 重要挽留",
        "HHL": "Ordinary, of value. 一般价值",
        "HLL": "Ordinary, to develop. 一般发展",
        "LHL": "Ordinary, to keep. 一般保持",
        "LLL": "Ordinary, to win back. 一般挽留",
    },
)
describe_enum(
    Quadrant,
    description="Orders, then value of an order, against the averages of all members. 四象限",
    values={
        "HIGH_HIGH": "Often and much. 高复购高客单",
        "HIGH_LOW": "Often and little. 高复购低客单",
        "LOW_HIGH": "Seldom and much. 低复购高客单",
        "LOW_LOW": "Seldom and little. 低复购低客单",
    },
)
describe_enum(
    LockKind,
    name="TierLockKind",
    description="What a tier that was set by hand means. 等级锁定方式",
    values={
        "PIN": "Exactly this tier. 固定等级",
        "FLOOR": "This tier and better. 保底等级",
    },
)
describe_enum(
    Reason,
    name="StandingReason",
    description="Why a standing changes. 变更原因",
    values={
        "FIRST": "It was decided for the first time. 首次判定",
        "INITIAL": "The member began with it. 初始等级",
        "PURCHASES": "Purchases or refunds. 消费或退款",
        "PROFILE": "Profile or tags. 资料或标签",
        "REQUALIFIED": "The tier was earned again at its end. 保级成功",
        "GRACE": "A grace period began. 进入宽限期",
        "NOTICE": "The member is told of a downgrade to come. 降级提醒",
        "EXPIRED": "Validity or grace ended, and what remains does not support it. 到期降级",
        "LOCKED": "Somebody set the tier. 手动锁定",
        "LOCK_ENDED": "The lock ended. 锁定结束",
        "POLICY": "Another policy came into force. 规则变更",
        "TIME": "Time alone. 时间推移",
    },
)
describe_enum(
    ChangeKind,
    name="StandingPart",
    description="A part of where a member stands. 会员状态项",
    values={
        "TIER": "The tier. 等级",
        "LIFECYCLE": "The lifecycle. 生命周期",
        "PHASE": "The phase of the relationship. 关系期",
        "RFM": "RFM scores and class. RFM 评分与分类",
        "QUADRANT": "The quadrant. 四象限",
        "TAG": "A tag by rule; its history stands with the tags. 自动标签",
    },
)
describe_enum(
    TierMetric,
    description="What decides among tiers. 等级指标",
    values={
        "GROWTH": "Growth value. 成长值",
        "SPEND": "Spend net of refunds, in yuan. 消费金额（元）",
        "ORDERS": "Orders not fully refunded. 订单数",
    },
)

_METRICS = {GROWTH: TierMetric.GROWTH, SPEND: TierMetric.SPEND, ORDERS: TierMetric.ORDERS}
_FEN = 100


async def decided(member: Any, info: Info) -> Decision:
    """What holds of a member today: as stored, with what is due by today decided on top.

    Nothing is written; the run of the day, or whoever touches the member, does that.
    """
    joined = info.context.clock.day_of(member.joined_at)
    held = models.standing(member, joined)
    policies: Policies = await info.context.load(_in_force, "policies")
    if held is not None and rules.is_older(policies, held):
        policies = await info.context.run(repository.in_force, held)
    today = info.context.clock.today()
    return rules.decide(models.facts(member, joined), held, policies, today)


def _in_force(keys: Sequence[str]) -> list[Policies]:
    return [repository.in_force() for _ in keys]


class SeenTier:
    """A decided tier; what takes work is worked out when it is asked for."""

    def __init__(self, decision: Decision) -> None:
        tier = decision.standing.tier
        self._decision = decision
        self.current = tier.name
        self.since = date.fromordinal(tier.since)
        self.until = _day(tier.until)
        self.grace_until = _day(tier.grace_until)
        self.policy_version = tier.version
        self.lock = tier.lock and SeenLock(tier.lock.kind, tier.lock.since, tier.lock.until)

    @cached_property
    def _explained(self) -> TierExplanation:
        given = self._decision
        return rules.explain_tier(given.facts, given.standing, given.policies, given.as_of)

    @property
    def progress(self) -> "SeenTier":
        """The goals; a view of the same decision."""
        return self

    @property
    def to_next(self) -> Any:
        """What a better tier takes."""
        return self._goal(self._explained.to_next)

    @property
    def to_keep(self) -> Any:
        """What keeping this one takes."""
        return self._goal(self._explained.to_keep)

    @property
    def next_change(self) -> Any:
        """What time alone would bring."""
        return self._explained.next_change

    @property
    def explanation(self) -> "SeenTier":
        """What was decided from; a view of the same decision."""
        return self

    @property
    def metric(self) -> TierMetric:
        """What the ladder measures."""
        return _METRICS[self._decision.policies.ladder.row]

    @property
    def value(self) -> float:
        """The metric of today."""
        return self._shown(self._explained.metric)

    @property
    def window_months(self) -> int:
        """How many calendar months it is over."""
        return self._explained.window_months

    def _goal(self, goal: Goal | None) -> Any:
        if goal is None:
            return None
        return TierGoal(
            tier=goal.tier,
            needed=self._shown(goal.needed),
            counted=self._shown(goal.counted),
            missing=self._shown(goal.missing),
            by=goal.by,
        )

    def _shown(self, amount: int) -> float:
        """Growth value and orders as they are, spend in yuan."""
        return amount / _FEN if self.metric is TierMetric.SPEND else amount


class SeenLock:
    """A lock with its days as dates."""

    def __init__(self, kind: LockKind, since: int, until: int | None) -> None:
        self.kind, self.since, self.until = kind, date.fromordinal(since), _day(until)


def _day(ordinal: int | None) -> date | None:
    return None if ordinal is None else date.fromordinal(ordinal)


@strawberry.type(description="What a tier takes: what counts for it, and what is missing. 等级目标")
class TierGoal:
    """A goal in the units of the metric."""

    tier: str = field(rule=INHERITED, description="Which tier. 目标等级")
    needed: float = field(
        rule=INHERITED, description="How much of the metric it takes; yuan where it is spend. 门槛"
    )
    counted: float = field(
        rule=INHERITED,
        description="How much counts: today, or to keep a tier in the window of its end. 已计入",
    )
    missing: float = field(rule=INHERITED, description="How much is missing. 还差")
    by: date | None = field(
        rule=INHERITED, description="The last day to keep it; null for one to reach. 截止日"
    )


@strawberry.type(description="What is needed to rise, and to stay. 升级与保级进度")
class TierProgress:
    """Shows SeenTier."""

    to_next: TierGoal | None = field(
        rule=INHERITED, description="To the next tier; null at the top. 升级目标"
    )
    to_keep: TierGoal | None = field(
        rule=INHERITED, description="To keep this one; null where it has no end. 保级目标"
    )


@strawberry.type(description="A change of tier that time alone would bring. 预计等级变更")
class TierForecast:
    """Shows rules.Foreseen."""

    on: date = field(rule=INHERITED, description="From which day on. 生效日")
    to: str = field(rule=INHERITED, description="To which tier. 变更后等级")
    why: Reason = field(rule=INHERITED, description="Why. 原因")


@strawberry.type(description="From what a tier was decided. 等级判定依据")
class TierBasis:
    """Shows SeenTier."""

    metric: TierMetric = field(rule=INHERITED, description="What decides. 指标")
    value: float = field(
        rule=INHERITED, description="How much of it there is today; yuan where it is spend. 当前值"
    )
    window_months: int = field(
        rule=INHERITED,
        description="Over how many calendar months, the current one included. 统计月数",
    )
    policy_version: int = field(
        rule=INHERITED, description="The version of the ladder that decided. 规则版本"
    )


@strawberry.type(description="A tier set by hand, which the rule does not change. 等级锁定")
class TierLock:
    """Shows SeenLock."""

    kind: LockKind = field(rule=INHERITED, description="Exactly this one, or at least. 锁定方式")
    since: date = field(rule=INHERITED, description="From which day on. 起始日")
    until: date | None = field(rule=INHERITED, description="The last day; null for good. 截止日")


@strawberry.type(description="Where a member stands among the tiers. 会员等级")
class MemberTier:
    """Shows SeenTier."""

    current: str = field(rule=INHERITED, description="The tier's name. 当前等级")
    since: date = field(rule=INHERITED, description="Since which day. 起始日")
    until: date | None = field(
        rule=INHERITED, description="The last day of its validity; null where it has none. 有效期至"
    )
    grace_until: date | None = field(
        rule=INHERITED, description="The last day of a grace period that has begun. 宽限期至"
    )
    lock: TierLock | None = field(
        rule=INHERITED, description="The lock on it, where somebody set it. 锁定"
    )
    progress: TierProgress = field(
        rule=INHERITED, description="What is needed to rise, and to stay. 进度"
    )
    next_change: TierForecast | None = field(
        rule=INHERITED,
        description="What would come next without another purchase. 预计变更",
    )
    explanation: TierBasis = field(rule=INHERITED, description="From what it was decided. 判定依据")


@strawberry.type(description="A state that time alone would lead to. 预计生命周期变更")
class LifecycleTransition:
    """A day and a state."""

    on: date = field(rule=INHERITED, description="From which day on. 生效日")
    state: LifecycleState = field(rule=INHERITED, description="To which state. 变更后状态")


@strawberry.type(description="Where a member stands since the last purchase. 生命周期")
class MemberLifecycle:
    """A state with its days."""

    state: LifecycleState = field(rule=INHERITED, description="The state. 当前状态")
    since: date = field(rule=INHERITED, description="Since which day. 起始日")
    reactivations: int = field(
        rule=INHERITED, description="How often a purchase brought the member back. 激活次数"
    )
    next_transition: LifecycleTransition | None = field(
        rule=INHERITED, description="What comes next without a purchase; null when lost. 下一次变更"
    )
    policy_version: int = field(
        rule=INHERITED, description="The version of the policy that decided. 规则版本"
    )


@strawberry.type(description="RFM: recency, frequency and spend, each scored 1 to 5. RFM 评分")
class MemberRfm:
    """Scores and class."""

    recency: int = field(rule=INHERITED, description="Score of days since the last purchase. R 分")
    frequency: int = field(rule=INHERITED, description="Score of orders in the window. F 分")
    monetary: int = field(rule=INHERITED, description="Score of spend in the window. M 分")
    value_class: RfmClass = field(
        rule=INHERITED, description="The class by high and low. RFM 分类", name="class"
    )
    policy_version: int = field(
        rule=INHERITED, description="The version whose cut points gave it. 规则版本"
    )


@strawberry.type(description="A change of a part of where a member stands. 状态变更记录")
class StandingChange:
    """Shows models.HistoryRow."""

    kind: ChangeKind = field(rule=INHERITED, description="Which part. 状态项")
    on: date = field(rule=INHERITED, description="From which business day on. 生效日")
    old: str | None = field(
        rule=INHERITED, description="Before; of RFM class and scores, as `HHL 5-4-2`. 变更前"
    )
    new: str | None = field(rule=INHERITED, description="After. 变更后")
    reason: Reason = field(rule=INHERITED, description="Why. 原因")
    numbers: Json = field(
        rule=INHERITED, description="The numbers that decided; money in fen. 判定数据"
    )
    policy_version: int = field(rule=INHERITED, description="By which version. 规则版本")
    decided_on: date = field(rule=INHERITED, description="The business day of the decision. 判定日")

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        """Whether a stored item is shown by this type."""
        return isinstance(value, HistoryRow)


# --- resolvers of the member's fields --------------------------------------------------------


async def tier(root: strawberry.Parent[Any], info: Info) -> MemberTier:
    """The tier of today."""
    seen: Any = SeenTier(await decided(root, info))
    found: MemberTier = seen
    return found


async def lifecycle(root: strawberry.Parent[Any], info: Info) -> MemberLifecycle:
    """The state of today, and what is next."""
    decision = await decided(root, info)
    state = decision.standing.lifecycle
    moves = rules.next_lifecycle(decision.facts, decision.standing, decision.policies)
    return MemberLifecycle(
        state=state.state,
        since=date.fromordinal(state.since),
        reactivations=state.reactivations,
        next_transition=LifecycleTransition(on=moves[0], state=moves[1]) if moves else None,
        policy_version=state.version,
    )


async def phase(root: strawberry.Parent[Any], info: Info) -> Phase:
    """The phase of today."""
    return (await decided(root, info)).standing.relationship.phase


async def rfm(root: strawberry.Parent[Any], info: Info) -> MemberRfm | None:
    """The scores of today; None for who never bought."""
    found = (await decided(root, info)).standing.rfm
    if found is None:
        return None
    return MemberRfm(
        recency=found.recency,
        frequency=found.frequency,
        monetary=found.monetary,
        value_class=found.value_class,
        policy_version=found.version,
    )


async def quadrant(root: strawberry.Parent[Any], info: Info) -> Quadrant | None:
    """The quadrant of today; None until the averages of the base are in the policy."""
    found = (await decided(root, info)).standing.quadrant
    return found.quadrant if found else None
