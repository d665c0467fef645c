"""Rules of the audit log: what is recorded, for how long, and who asks it what."""

from datetime import datetime, timedelta
from enum import StrEnum

from graphql_api.viewer import Role, Viewer

OLDEST_YEARS = 3
"""Records of how personal data is handled are kept for three years at least (个人信息保护法 56)."""


class AuditAction(StrEnum):
    """What somebody did with personal data."""

    READ = "READ"
    ENROLLED = "ENROLLED"
    CHANGED = "CHANGED"
    CONSENT_GIVEN = "CONSENT_GIVEN"
    CONSENT_WITHDRAWN = "CONSENT_WITHDRAWN"
    IDENTITY_ADDED = "IDENTITY_ADDED"
    IDENTITY_REMOVED = "IDENTITY_REMOVED"
    ARCHIVED = "ARCHIVED"
    RESTORED = "RESTORED"
    MERGED = "MERGED"
    EXPORTED = "EXPORTED"
    ERASED = "ERASED"


def kept_until(at: datetime, years: int) -> datetime:
    """When an entry may be forgotten; a year counts 366 days, so that none is too short."""
    return at + timedelta(days=366 * years)


def reads_are_noted(viewer: Viewer) -> bool:
    """Whether what a viewer sees in full is recorded: for all but members, who see themselves."""
    return viewer.role is not Role.MEMBER
