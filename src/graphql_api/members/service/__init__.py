"""What can be done to members: enrol, change, agree, identify, archive."""

from graphql_api.members.service.commands import (
    MAX_CONSENTS_AT_ONCE,
    MAX_IDENTITIES,
    PROFILE_FIELDS,
    Birthday,
    ConsentSet,
    Enrol,
    IdentityChange,
    MonthDay,
    Name,
    NewConsent,
    NewIdentity,
    Update,
)
from graphql_api.members.service.consents import (
    MAX_CONSENTS,
    set_consent,
)
from graphql_api.members.service.enrolling import (
    enrol,
)
from graphql_api.members.service.identities import (
    Known,
    add_identity,
    claims_of,
    find,
    look_up,
    openid_of,
    remove_identity,
    tombstones_of,
)
from graphql_api.members.service.ownerships import (
    OwnershipTerms,
)
from graphql_api.members.service.profiles import (
    LOCK,
    archive,
    lock,
    restore,
    update,
)

__all__ = [
    "LOCK",
    "MAX_CONSENTS",
    "MAX_CONSENTS_AT_ONCE",
    "MAX_IDENTITIES",
    "PROFILE_FIELDS",
    "Birthday",
    "ConsentSet",
    "Enrol",
    "IdentityChange",
    "Known",
    "MonthDay",
    "Name",
    "NewConsent",
    "NewIdentity",
    "OwnershipTerms",
    "Update",
    "add_identity",
    "archive",
    "claims_of",
    "enrol",
    "find",
    "lock",
    "look_up",
    "openid_of",
    "remove_identity",
    "restore",
    "set_consent",
    "tombstones_of",
    "update",
]
