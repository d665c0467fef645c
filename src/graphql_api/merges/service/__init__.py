"""What can be done about two members who are one person: merge them."""

from graphql_api.merges.service.jobs import (
    MAX_ALIASES,
    STEPS_AT_ONCE,
    MembersMerge,
    go_on,
    merge,
)

__all__ = ["MAX_ALIASES", "STEPS_AT_ONCE", "MembersMerge", "go_on", "merge"]
