"""The policy by which guides have members."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from graphql_api.kit.time import Clock, to_the_millisecond
from graphql_api.members.rules import Ownership, OwnershipSource
from graphql_api.policies import repository as policies
from graphql_api.policies.rules import OwnershipPolicy, PolicyKind


@dataclass(frozen=True, slots=True)
class OwnershipTerms:
    """The policy by which ownerships begin, with the version that they record."""

    policy: OwnershipPolicy
    version: int

    @classmethod
    def in_force(cls) -> Self:
        """Those of now: one read, two where the policy is not the one shipped."""
        policy = policies.in_force(PolicyKind.OWNERSHIP)
        content = policy.content
        assert isinstance(content, OwnershipPolicy)
        return cls(content, int(policy.version))

    def begin(
        self, guide_id: str, source: OwnershipSource, since: datetime, clock: Clock
    ) -> Ownership:
        """An ownership with the validity and the protection that it has from its first day."""
        day = clock.day_of(since)
        return Ownership(
            guide_id=guide_id,
            since=to_the_millisecond(since),
            source=source,
            valid_until=self.policy.valid_until(day),
            protected_until=self.policy.protected_until(day),
            policy_version=self.version,
        )
