"""Tokens: our own JWTs, signed with the newest key of the ring, verified with any of them."""

from datetime import timedelta

import jwt

from graphql_api.config import settings
from graphql_api.kit.time import real_now
from graphql_api.stores import repository as stores
from graphql_api.stores import rules
from graphql_api.stores.models import HEADQUARTERS_ID
from graphql_api.viewer import ANONYMOUS, SCOPES, Role, Viewer

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
) -> str:
    """A token for a principal; `unit_id` is the store of store staff, the unit of an operator.

    Raises ValueError for an unknown scope, and for store staff without a store.
    """
    if unknown := scopes - SCOPES:
        raise ValueError(f"unknown scopes: {sorted(unknown)}")
    if role in _NEEDS_A_STORE and not unit_id:
        raise ValueError(f"a {role} belongs to a store")
    now = real_now()
    kid, secret = next(iter(settings().token_keys.items()))
    claims = {
        "iss": settings().token_issuer,
        "aud": settings().token_issuer,
        "sub": principal_id,
        "role": role.value,
        "unit": unit_id,
        "scopes": sorted(scopes),
        "iat": now,
        "exp": now + lifetime,
    }
    key = bytes.fromhex(secret.get_secret_value())
    return jwt.encode(claims, key, algorithm=_ALGORITHM, headers={"kid": kid})


def viewer_of(token: str | None) -> Viewer:
    """Who holds this token; nobody for no token. Raises BadToken for any other defect.

    Staff reach the stores of their unit: their own store, the subtree of a region, or, for
    headquarters, the whole chain.
    """
    if token is None:
        return ANONYMOUS
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
    except (jwt.PyJWTError, KeyError, ValueError, TypeError):
        raise BadToken from None
    if role in {Role.SYSTEM, Role.ANONYMOUS}:
        raise BadToken
    unit = claims.get("unit")
    return Viewer(
        role,
        id=claims["sub"],
        unit_id=unit,
        store_ids=_reach(role, unit),
        scopes=frozenset(claims.get("scopes") or ()),
    )


def _reach(role: Role, unit_id: str | None) -> frozenset[str] | None:
    if role in _NEEDS_A_STORE:
        return frozenset({unit_id or ""})
    if role is not Role.OPERATOR or unit_id in {None, HEADQUARTERS_ID}:
        return None
    tree = stores.inner_tree()
    return stores.store_ids_under(rules.subtree(str(unit_id), tree))
