"""Tokens: our own JWTs, signed with the newest key of the ring, verified with any; and API keys.

Whoever holds one is looked up at each request, so that who has left or logged out is refused.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from graphql_api.access import repository as access
from graphql_api.access import rules as access_rules
from graphql_api.access import tokens
from graphql_api.access.models import ApiKey
from graphql_api.config import settings
from graphql_api.kit.time import real_now
from graphql_api.stores import service as stores
from graphql_api.viewer import ANONYMOUS, SCOPES, DocumentPolicy, Role, Viewer

_ALGORITHM = "HS256"
_NEEDS_A_STORE = frozenset({Role.GUIDE, Role.STORE_MANAGER})


class BadToken(Exception):
    """The token is not one of ours, or no longer valid."""


def issue(
    role: Role,
    principal_id: str,
    *,
    unit_id: str | None = None,
    scopes: frozenset[str] = frozenset(),
    lifetime: timedelta = timedelta(hours=2),
    session_id: str | None = None,
    at: datetime | None = None,
) -> str:
    """A token for a principal; `unit_id` is the store of store staff, the unit of an operator.

    One with a session holds as long as the session runs. Issued now, or `at` an instant.
    Raises ValueError for an unknown scope, and for store staff without a store.
    """
    if unknown := scopes - SCOPES:
        raise ValueError(f"unknown scopes: {sorted(unknown)}")
    if role in _NEEDS_A_STORE and not unit_id:
        raise ValueError(f"a {role} belongs to a store")
    now = at or real_now()
    kid, secret = next(iter(settings().token_keys.items()))
    claims = {
        "iss": settings().token_issuer,
        "aud": settings().token_issuer,
        "sub": principal_id,
        "role": role.value,
        "unit": unit_id,
        "scopes": sorted(scopes),
        "iat": round(now.timestamp(), 3),
        "exp": now + lifetime,
    }
    if session_id is not None:
        claims["sid"] = session_id
    key = bytes.fromhex(secret.get_secret_value())
    return jwt.encode(claims, key, algorithm=_ALGORITHM, headers={"kid": kid})


def viewer_of(token: str | None) -> Viewer:
    """Who holds this token or API key; nobody for none. Raises BadToken for any other defect.

    Staff reach the stores of their unit: their own store, the subtree of a region, or, for
    headquarters, the whole chain. Where the principal is stored, what is stored now holds.
    """
    if token is None:
        return replace(ANONYMOUS, documents=_documents_of(Role.ANONYMOUS))
    if parts := tokens.read_key(token):
        return _viewer_of_key(*parts)
    claims, role, issued_at = _verified(token)
    principal_id, session_id = claims["sub"], claims.get("sid")
    standing = access.standing(principal_id)
    admitted = access_rules.admits(
        standing.sessions,
        standing.tokens_valid_from,
        session_id=session_id,
        issued_at=issued_at,
        at=real_now(),
    )
    known = standing.holder is not None
    if not admitted or (not standing.works if known else session_id is not None):
        raise BadToken
    unit, scopes = claims.get("unit"), frozenset(claims.get("scopes") or ())
    if standing.rights is not None:
        role, unit, own_scopes = standing.rights
        scopes = own_scopes if role in {Role.OPERATOR, Role.STORE_MANAGER} else scopes
    reach, documents = stores.reach(role, unit), _documents_of(role)
    return Viewer(role, principal_id, unit, reach, scopes, session_id, documents)


def _verified(token: str) -> tuple[dict[str, Any], Role, datetime]:
    """The claims of a JWT of ours, its role, and when it was issued."""
    try:
        kid = jwt.get_unverified_header(token).get("kid", "")
        claims = jwt.decode(
            token,
            bytes.fromhex(settings().token_keys[kid].get_secret_value()),
            algorithms=[_ALGORITHM],
            audience=settings().token_issuer,
            issuer=settings().token_issuer,
            options={"require": ["exp", "iat", "sub", "role"]},
        )
        role = Role(claims["role"])
        issued_at = datetime.fromtimestamp(claims["iat"], UTC)
    except (jwt.PyJWTError, KeyError, ValueError, TypeError):
        raise BadToken from None
    if role in {Role.SYSTEM, Role.ANONYMOUS}:
        raise BadToken
    return claims, role, issued_at


def _viewer_of_key(key_id: str, secret: str) -> Viewer:
    now = real_now()
    key = access.get_key(key_id)
    if key is None or not access_rules.key_holds(key.revoked_at, key.ends_at, now):
        raise BadToken
    present = tokens.matches(secret, key.secret_hash)
    grace = key.old_secret_until is not None and now < key.old_secret_until
    if not present and not (grace and tokens.matches(secret, key.old_secret_hash)):
        raise BadToken
    if access_rules.is_worth_noting(key.last_used_at, now):
        _note_use(key, secret if present else None, now)
    policy = key.document_policy or DocumentPolicy.OPEN
    return Viewer(Role.INTEGRATION, key.id, scopes=frozenset(key.scopes), documents=policy)


def _documents_of(role: Role) -> DocumentPolicy:
    """Which documents people of a role may send, and nobody in particular."""
    trusted = role.value in settings().trusted_roles
    return DocumentPolicy.TRUSTED if trusted else DocumentPolicy.OPEN


def _note_use(key: ApiKey, secret: str | None, at: datetime) -> None:
    """Write down the hour, and the hash of the present secret anew where a newer key hashes."""
    newest = tokens.hash_of(secret) if secret else key.secret_hash
    access.note_use(key, at, new_hash=newest if newest != key.secret_hash else None)
