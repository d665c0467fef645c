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
    "WINDOWED",
    "BaseAverages",
    "BenefitsPolicy",
    "Condition",
    "CutMethod",
    "Downgrade",
    "Fact",
    "FrequencyBand",
    "GiftTerms",
    "GrowthPolicy",
    "GuideLevelsPolicy",
    "LifecyclePolicy",
    "MonetaryBand",
    "Operator",
    "OwnershipPolicy",
    "PartnerLevel",
    "PartnerLevelsPolicy",
    "PartnerOffer",
    "PolicyDocument",
    "PolicyKind",
    "PolicyState",
    "Problem",
    "RecencyBand",
    "RefundAcross",
    "RelationshipPhasePolicy",
    "RfmPolicy",
    "TagRule",
    "TagRulesPolicy",
    "TierBenefits",
    "TierLadder",
    "TierMetric",
    "TierStep",
    "is_visible",
    "read",
    "sees_drafts",
]
