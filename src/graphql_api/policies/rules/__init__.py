"""Policy documents and the defaults that the product ships with."""

from graphql_api.policies.rules.benefits import (
    MAX_COUPONS,
    BenefitsPolicy,
    GiftTerms,
    PartnerOffer,
    TierBenefits,
)
from graphql_api.policies.rules.documents import MAX_MONTHS, PolicyDocument
from graphql_api.policies.rules.kinds import (
    DOCUMENTS,
    MAX_BYTES,
    PolicyKind,
    PolicyState,
    Problem,
    is_visible,
    read,
    sees_drafts,
)
from graphql_api.policies.rules.levels import (
    GuideLevelsPolicy,
    PartnerLevel,
    PartnerLevelsPolicy,
)
from graphql_api.policies.rules.phases import LifecyclePolicy, RelationshipPhasePolicy
from graphql_api.policies.rules.points import (
    SHIPPED_POINTS,
    ClawBack,
    Expiry,
    Holding,
    PointsPolicy,
    Rounding,
    TierMultiplier,
)
from graphql_api.policies.rules.purchases import (
    SHIPPED_GROWTH,
    SHIPPED_OWNERSHIP,
    GrowthPolicy,
    OwnershipPolicy,
)
from graphql_api.policies.rules.rfm import (
    NOBODY,
    BaseAverages,
    CutMethod,
    FrequencyBand,
    MonetaryBand,
    RecencyBand,
    RfmPolicy,
)
from graphql_api.policies.rules.tag_rules import (
    CHOICES,
    WINDOWED,
    Condition,
    Fact,
    Operator,
    TagRule,
    TagRulesPolicy,
)
from graphql_api.policies.rules.tiers import (
    Downgrade,
    RefundAcross,
    TierLadder,
    TierMetric,
    TierStep,
)

__all__ = [
    "CHOICES",
    "DOCUMENTS",
    "MAX_BYTES",
    "MAX_COUPONS",
    "MAX_MONTHS",
    "NOBODY",
    "SHIPPED_GROWTH",
    "SHIPPED_OWNERSHIP",
    "SHIPPED_POINTS",
    "WINDOWED",
    "BaseAverages",
    "BenefitsPolicy",
    "ClawBack",
    "Condition",
    "CutMethod",
    "Downgrade",
    "Expiry",
    "Fact",
    "FrequencyBand",
    "GiftTerms",
    "GrowthPolicy",
    "GuideLevelsPolicy",
    "Holding",
    "LifecyclePolicy",
    "MonetaryBand",
    "Operator",
    "OwnershipPolicy",
    "PartnerLevel",
    "PartnerLevelsPolicy",
    "PartnerOffer",
    "PointsPolicy",
    "PolicyDocument",
    "PolicyKind",
    "PolicyState",
    "Problem",
    "RecencyBand",
    "RefundAcross",
    "RelationshipPhasePolicy",
    "RfmPolicy",
    "Rounding",
    "TagRule",
    "TagRulesPolicy",
    "TierBenefits",
    "TierLadder",
    "TierMetric",
    "TierMultiplier",
    "TierStep",
    "is_visible",
    "read",
    "sees_drafts",
]
