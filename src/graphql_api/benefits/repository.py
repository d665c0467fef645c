"""Access paths of benefits."""

from graphql_api.policies import repository as policies
from graphql_api.policies.rules import BenefitsPolicy, PolicyKind


def in_force() -> tuple[int, BenefitsPolicy]:
    """What tiers bring, and its version, as known to the process for a minute at most."""
    version, document = policies.remembered(PolicyKind.BENEFITS)
    assert isinstance(document, BenefitsPolicy)
    return version, document
