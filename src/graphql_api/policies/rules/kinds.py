"""Kinds of policies, how a document is read, and who sees it (domain: §3 to §6, §8, §10, §14).

A new kind of policy is a document in this package and a line in `DOCUMENTS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson
from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from graphql_api.policies.rules.attribution import AttributionPolicy
from graphql_api.policies.rules.benefits import BenefitsPolicy
from graphql_api.policies.rules.commissions import CommissionPolicy
from graphql_api.policies.rules.documents import PolicyDocument
from graphql_api.policies.rules.levels import GuideLevelsPolicy, PartnerLevelsPolicy
from graphql_api.policies.rules.phases import LifecyclePolicy, RelationshipPhasePolicy
from graphql_api.policies.rules.points import PointsPolicy
from graphql_api.policies.rules.pricing import PricingPolicy
from graphql_api.policies.rules.purchases import GrowthPolicy, OwnershipPolicy
from graphql_api.policies.rules.rfm import RfmPolicy
from graphql_api.policies.rules.tag_rules import TagRulesPolicy
from graphql_api.policies.rules.tiers import TierLadder
from graphql_api.viewer import MANAGE_POLICIES, STAFF, Role, Viewer

MAX_BYTES = 20_000


class PolicyKind(StrEnum):
    """What a policy decides."""

    TIER_LADDER = "TIER_LADDER"
    LIFECYCLE = "LIFECYCLE"
    RELATIONSHIP_PHASE = "RELATIONSHIP_PHASE"
    RFM = "RFM"
    GROWTH = "GROWTH"
    OWNERSHIP = "OWNERSHIP"
    TAG_RULES = "TAG_RULES"
    BENEFITS = "BENEFITS"
    GUIDE_LEVELS = "GUIDE_LEVELS"
    PARTNER_LEVELS = "PARTNER_LEVELS"
    POINTS = "POINTS"
    PRICING = "PRICING"
    COMMISSION = "COMMISSION"
    ATTRIBUTION = "ATTRIBUTION"


class PolicyState(StrEnum):
    """Where a version of a policy stands (出厂, 草稿, 已发布, 已被取代)."""

    SHIPPED = "SHIPPED"
    DRAFT = "DRAFT"
    PUBLISHED = "PUBLISHED"
    SUPERSEDED = "SUPERSEDED"


DOCUMENTS: Mapping[PolicyKind, type[PolicyDocument]] = {
    PolicyKind.TIER_LADDER: TierLadder,
    PolicyKind.LIFECYCLE: LifecyclePolicy,
    PolicyKind.RELATIONSHIP_PHASE: RelationshipPhasePolicy,
    PolicyKind.RFM: RfmPolicy,
    PolicyKind.GROWTH: GrowthPolicy,
    PolicyKind.OWNERSHIP: OwnershipPolicy,
    PolicyKind.TAG_RULES: TagRulesPolicy,
    PolicyKind.BENEFITS: BenefitsPolicy,
    PolicyKind.GUIDE_LEVELS: GuideLevelsPolicy,
    PolicyKind.PARTNER_LEVELS: PartnerLevelsPolicy,
    PolicyKind.POINTS: PointsPolicy,
    PolicyKind.PRICING: PricingPolicy,
    PolicyKind.COMMISSION: CommissionPolicy,
    PolicyKind.ATTRIBUTION: AttributionPolicy,
}
"""The document of each kind of policy."""


def sees_drafts(viewer: Viewer) -> bool:
    """Whether a viewer sees what may become a policy: headquarters, and keys that manage them."""
    if viewer.role is Role.INTEGRATION:
        return viewer.holds(MANAGE_POLICIES)
    return viewer.role in {Role.OPERATOR, Role.SYSTEM} and viewer.store_ids is None


def is_visible(viewer: Viewer, state: PolicyState) -> bool:
    """Staff see what is or was in force; drafts only those who make them."""
    in_open = viewer.role in STAFF and state is not PolicyState.DRAFT
    return in_open or sees_drafts(viewer)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a document, and where in it."""

    path: tuple[str, ...]
    message: str


def read(kind: PolicyKind, document: Mapping[str, Any]) -> PolicyDocument | list[Problem]:
    """The document of a kind of policy, or everything that is wrong with it."""
    try:
        text = orjson.dumps(document)
    except orjson.JSONEncodeError:
        return [Problem((), "a policy is plain JSON, and not nested endlessly")]
    if len(text) > MAX_BYTES:
        return [Problem((), f"a policy takes at most {MAX_BYTES:,} bytes")]
    try:
        return DOCUMENTS[kind].model_validate_json(text, by_alias=True, by_name=False)
    except ValidationError as error:
        return [_problem(e["loc"], e["msg"]) for e in error.errors(include_url=False)]


def _problem(location: tuple[int | str, ...], message: str) -> Problem:
    path = tuple(to_camel(part) if isinstance(part, str) else str(part) for part in location)
    return Problem(path, message.removeprefix("Value error, "))
