"""Policies made ready once, so that a decision touches plain numbers only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from graphql_api.policies.rules import (
    DOCUMENTS,
    Downgrade,
    LifecyclePolicy,
    PolicyDocument,
    PolicyKind,
    RefundAcross,
    RelationshipPhasePolicy,
    RfmPolicy,
    TagRulesPolicy,
    TierLadder,
    TierMetric,
)
from graphql_api.standing.rules.records import GROWTH, ORDERS, SPEND, Standing
from graphql_api.standing.rules.tag_rules import Rules, compiled

_ROWS = {TierMetric.ORDERS: ORDERS, TierMetric.SPEND: SPEND, TierMetric.GROWTH: GROWTH}

_OUT_OF_REACH = 2**62

KINDS = (
    PolicyKind.TIER_LADDER,
    PolicyKind.LIFECYCLE,
    PolicyKind.RELATIONSHIP_PHASE,
    PolicyKind.RFM,
    PolicyKind.TAG_RULES,
)
"""The kinds that decisions are taken by."""

Document = TypeVar("Document", bound=PolicyDocument)


@dataclass(slots=True)
class Ladder:
    """Tiers from the lowest, and how they are kept and lost."""

    version: int
    row: int
    window: int
    names: Sequence[str]
    thresholds: Sequence[int]
    ceilings: Sequence[int]
    ranks: Mapping[str, int]
    keeps: Sequence[int]
    validity: int
    downgrade: Downgrade
    grace_days: int
    grace_to_month_end: bool
    refunds: RefundAcross
    notice_days: int


@dataclass(slots=True)
class LifecycleBounds:
    """Months after which each state but the last is over."""

    version: int
    months: Sequence[int]


@dataclass(slots=True)
class Phases:
    """What makes a member stable, and how long one is new."""

    version: int
    window: int
    stable_orders: int
    starting_months: int


@dataclass(slots=True)
class Cuts:
    """Limits of the scores, each from the score 5 or 2 on, and the averages of the base."""

    version: int
    window: int
    recency: Sequence[int]
    frequency: Sequence[int]
    monetary: Sequence[int]
    high_from: int
    average_orders_percent: int | None
    average_order_fen: int


@dataclass(slots=True)
class Policies:
    """Everything that a decision is taken by."""

    ladder: Ladder
    lifecycle: LifecycleBounds
    phases: Phases
    cuts: Cuts
    rules: Rules
    longest_window: int


def is_older(policies: Policies, held: Standing) -> bool:
    """Whether a standing was decided by a later version of a policy than these."""
    return (
        held.tier.version > policies.ladder.version
        or held.lifecycle.version > policies.lifecycle.version
        or held.relationship.version > policies.phases.version
        or (held.rfm is not None and held.rfm.version > policies.cuts.version)
        or (held.quadrant is not None and held.quadrant.version > policies.cuts.version)
    )


def prepare(
    documents: Mapping[PolicyKind, tuple[int, PolicyDocument]],
    groups: Mapping[str, str] | None = None,
) -> Policies:
    """Policies with their versions, ready to decide by; kinds left out are as shipped.

    `groups` names the group of each tag whose group allows one only.
    """
    ladder = _ladder(*_of(documents, PolicyKind.TIER_LADDER, TierLadder))
    phases = _phases(*_of(documents, PolicyKind.RELATIONSHIP_PHASE, RelationshipPhasePolicy))
    cuts = _cuts(*_of(documents, PolicyKind.RFM, RfmPolicy))
    return Policies(
        ladder=ladder,
        lifecycle=_lifecycle(*_of(documents, PolicyKind.LIFECYCLE, LifecyclePolicy)),
        phases=phases,
        cuts=cuts,
        rules=compiled(*_of(documents, PolicyKind.TAG_RULES, TagRulesPolicy), groups or {}),
        longest_window=max(phases.window, cuts.window),
    )


def _of(
    documents: Mapping[PolicyKind, tuple[int, PolicyDocument]],
    kind: PolicyKind,
    model: type[Document],
) -> tuple[int, Document]:
    version, document = documents.get(kind) or (0, DOCUMENTS[kind]())
    assert isinstance(document, model)
    return version, document


def _ladder(version: int, policy: TierLadder) -> Ladder:
    names = tuple(tier.name for tier in policy.tiers)
    thresholds = tuple(tier.threshold for tier in policy.tiers)
    percent = policy.low_water_percent or 100
    return Ladder(
        version=version,
        row=_ROWS[policy.metric],
        window=policy.window_months,
        names=names,
        thresholds=thresholds,
        ceilings=(*thresholds[1:], _OUT_OF_REACH),
        ranks={name: rank for rank, name in enumerate(names)},
        keeps=tuple(-(-threshold * percent // 100) for threshold in thresholds),
        validity=policy.validity_months,
        downgrade=policy.downgrade,
        grace_days=policy.grace_days,
        grace_to_month_end=policy.grace_to_month_end,
        refunds=policy.refund_across,
        notice_days=policy.notice_days,
    )


def _lifecycle(version: int, policy: LifecyclePolicy) -> LifecycleBounds:
    months = (
        policy.onboarding_months,
        policy.awakening_months,
        policy.win_back_months,
        policy.dormant_months,
    )
    return LifecycleBounds(version, months)


def _phases(version: int, policy: RelationshipPhasePolicy) -> Phases:
    return Phases(version, policy.window_months, policy.stable_orders, policy.starting_months)


def _cuts(version: int, policy: RfmPolicy) -> Cuts:
    averages = policy.averages
    return Cuts(
        version=version,
        window=policy.window_months,
        recency=tuple(b.max_days for b in policy.recency if b.max_days is not None),
        frequency=tuple(band.min_orders for band in reversed(policy.frequency[:-1])),
        monetary=tuple(band.min_fen for band in reversed(policy.monetary[:-1])),
        high_from=policy.high_from,
        average_orders_percent=averages.orders_percent if averages else None,
        average_order_fen=averages.order_fen if averages else 0,
    )
