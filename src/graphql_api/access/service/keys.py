"""API keys: made, given a new secret, revoked; the secret is shown once."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from graphql_api.access import repository, rules, tokens
from graphql_api.access.models import ApiKey
from graphql_api.access.rules import Scopes
from graphql_api.errors import Forbidden, ForbiddenTransition, Invalid, NotFound
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock, business_day
from graphql_api.viewer import MANAGE_KEYS, DocumentPolicy, Viewer

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ApiKeyCreate(_Command):
    """A new key; it works up to and including `expires_on`."""

    name: Name
    scopes: Scopes = Field(min_length=1)
    documents: DocumentPolicy = DocumentPolicy.OPEN
    expires_on: date | None = None


class ApiKeyRotate(_Command):
    """A key that gets a new secret; the present one works for so many hours more."""

    id: str
    grace_hours: int = Field(default=0, ge=0, le=rules.MAX_GRACE_HOURS)


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A stored key, and this once the text that its holder sends."""

    api_key: ApiKey
    key: str = field(repr=False)


def create(new: ApiKeyCreate, *, viewer: Viewer, clock: Clock, at: datetime) -> IssuedKey:
    """A new key with a secret. Refuses a last day in the past."""
    _require_headquarters(viewer)
    if new.expires_on is not None and new.expires_on < business_day(at, clock.zone):
        raise Invalid("This day is over", field=("input", "expires_on"))
    secret = tokens.new_secret()
    key = ApiKey(
        ids.new_id("key"),
        name=new.name,
        scopes=sorted(new.scopes),
        document_policy=new.documents,
        secret_hash=tokens.hash_of(secret),
        created_at=at,
        created_by=viewer.id,
        expires_on=new.expires_on,
        ends_at=rules.end_of(new.expires_on, clock.zone) if new.expires_on else None,
    )

    def attempt(tx: Transaction) -> IssuedKey:
        repository.create_key(tx, key)
        return IssuedKey(key, tokens.key_text(key.id, secret))

    return transact(attempt)


def rotate(given: ApiKeyRotate, *, viewer: Viewer, at: datetime) -> IssuedKey:
    """A key with a new secret; the old one works for the hours given, any older one no more."""
    _require_headquarters(viewer)
    secret = tokens.new_secret()

    def attempt(tx: Transaction) -> IssuedKey:
        key = _key(given.id, ("input", "id"))
        if key.revoked_at is not None:
            raise ForbiddenTransition("This key is revoked", field=("input", "id"))
        lasts = given.grace_hours > 0
        key.old_secret_hash = key.secret_hash if lasts else None
        key.old_secret_until = at + timedelta(hours=given.grace_hours) if lasts else None
        key.secret_hash = tokens.hash_of(secret)
        repository.save_key(tx, key)
        return IssuedKey(key, tokens.key_text(key.id, secret))

    return transact(attempt)


def revoke(key_id: str, *, viewer: Viewer, at: datetime) -> ApiKey:
    """A key that works no more, from the next request on; again changes nothing."""
    _require_headquarters(viewer)

    def attempt(tx: Transaction) -> ApiKey:
        key = _key(key_id, ("id",))
        if key.revoked_at is None:
            key.revoked_at = at
            repository.save_key(tx, key)
        return key

    return transact(attempt)


def _require_headquarters(viewer: Viewer) -> None:
    if not rules.manages(viewer, MANAGE_KEYS):
        raise Forbidden("Headquarters manage API keys")


def _key(key_id: str, field: tuple[str, ...]) -> ApiKey:
    key = repository.get_key(key_id)
    if key is None:
        raise NotFound("There is no such API key", field=field)
    return key
