"""Sessions: begun by a login, kept alive by rotating refresh tokens, ended."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from graphql_api import auth
from graphql_api.access import repository, rules, tokens
from graphql_api.access.models import SESSIONS, Principal, Standing
from graphql_api.access.rules import Session, Use
from graphql_api.access.tokens import Refresh
from graphql_api.errors import (
    Conflict,
    ForbiddenTransition,
    LimitExceeded,
    SessionEnded,
    TokenReused,
)
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.observability import logger
from graphql_api.viewer import Role, Viewer

Rights = tuple[Role, str | None, frozenset[str]]
Token = Annotated[str, StringConstraints(min_length=1, max_length=2_048)]

_REFRESH_TOKEN = ("input", "refresh_token")


class TokenRefresh(BaseModel):
    """The refresh token that was given out last."""

    # An error that reaches a log must not print the token.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    refresh_token: Token


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a client holds after a login or a refresh, and whose it is."""

    role: Role
    principal_id: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime
    refresh_expires_at: datetime


def begin(principal_id: str, *, at: datetime) -> Tokens:
    """A new session of a principal who works; past ten, the one used longest ago ends."""
    session_id, secret = ids.new_id("ses"), tokens.new_secret()
    token = Refresh(principal_id, session_id, 1, secret)

    def attempt(tx: Transaction) -> Tokens:
        standing = repository.standing(principal_id)
        rights = _rights(standing)
        principal = standing.principal or Principal(principal_id, SESSIONS)
        principal.sessions = rules.begun(principal.sessions, session_id, tokens.hash_of(secret), at)
        repository.save_principal(tx, principal, at)
        return _tokens(rights, principal.sessions[session_id], token, at)

    made = transact(attempt)
    logger.info("logged in", principal=principal_id, role=made.role)
    return made


def refresh(given: TokenRefresh, *, at: datetime) -> Tokens:
    """New tokens of the same session in exchange for its latest refresh token, which is then void.

    The token that was replaced in the last ten seconds is a Conflict: another request of the same
    client has the new one. An older one raises TokenReused, and the session ends, for the client
    and for the thief. What is not one of ours changes nothing.
    """
    token = tokens.read_refresh(given.refresh_token)
    if token is None:
        raise _ended()
    require_room(f"refresh#{token.principal_id}", at)
    secret = tokens.new_secret()

    def attempt(tx: Transaction) -> Tokens | Use:
        standing = repository.standing(token.principal_id)
        before = standing.sessions.get(token.session_id)
        use, after = rules.presented(
            standing.sessions,
            token.session_id,
            token.generation,
            genuine=before is not None and tokens.matches(token.secret, before.hash),
            next_hash=tokens.hash_of(secret),
            at=at,
        )
        made = _next(standing, token, secret, after, at) if use is Use.LIVE else use
        if standing.principal is not None and use in {Use.LIVE, Use.REUSED}:
            standing.principal.sessions = after
            repository.save_principal(tx, standing.principal, at)
        return made

    match transact(attempt):
        case Tokens() as made:
            return made
        case Use.JUST_REPLACED:
            text = "This token was replaced a moment ago; use the one that replaced it"
            raise Conflict(text, field=_REFRESH_TOKEN)
        case Use.REUSED:
            logger.warning("refresh token reused, session ended", principal=token.principal_id)
            text = "This token was used before: its session has been ended, log in again"
            raise TokenReused(text, field=_REFRESH_TOKEN)
        case _:
            raise _ended()


def log_out(*, viewer: Viewer, at: datetime) -> int:
    """End the viewer's session: its tokens stop working at once. How many sessions that ended.

    Refuses a token that no login made.
    """
    session_id = viewer.session_id
    if session_id is None:
        raise ForbiddenTransition("This token has no session; log out everywhere")

    def attempt(tx: Transaction) -> int:
        principal = repository.standing(viewer.id).principal
        if principal is None or session_id not in principal.sessions:
            return 0
        principal.sessions = {k: s for k, s in principal.sessions.items() if k != session_id}
        repository.save_principal(tx, principal, at)
        return 1

    return transact(attempt)


def log_out_everywhere(*, viewer: Viewer, at: datetime) -> int:
    """End all sessions of the viewer, and void every token from before; how many sessions."""
    return transact(lambda tx: end_all(tx, viewer.id, at))


def end_all(tx: Transaction, principal_id: str, at: datetime) -> int:
    """Add to a transaction what ends all sessions of a principal; how many there were."""
    principal = repository.standing(principal_id).principal or Principal(principal_id, SESSIONS)
    ended = len(rules.running(principal.sessions, at))
    principal.sessions = {}
    principal.tokens_valid_from = at
    repository.save_principal(tx, principal, at)
    return ended


def require_room(name: str, at: datetime, limit: rules.Limit = rules.OF_ONE_PERSON) -> None:
    """Count an attempt; raises LimitExceeded when there were too many within a minute."""
    if not repository.count_attempt(name, limit, at):
        raise LimitExceeded("Too many attempts; wait a minute")


def _next(
    standing: Standing, token: Refresh, secret: str, after: rules.Sessions, at: datetime
) -> Tokens:
    session = after[token.session_id]
    held = Refresh(token.principal_id, token.session_id, session.generation, secret)
    return _tokens(_rights(standing), session, held, at)


def _tokens(rights: Rights, session: Session, token: Refresh, at: datetime) -> Tokens:
    role, unit_id, scopes = rights
    access = auth.issue(
        role,
        token.principal_id,
        unit_id=unit_id,
        scopes=scopes,
        lifetime=rules.ACCESS_LIFETIME,
        session_id=token.session_id,
        at=at,
    )
    return Tokens(
        role=role,
        principal_id=token.principal_id,
        access_token=access,
        refresh_token=tokens.refresh_text(token),
        expires_at=at + rules.ACCESS_LIFETIME,
        refresh_expires_at=session.ends_at,
    )


def _rights(standing: Standing) -> Rights:
    if standing.rights is None or not standing.works:
        raise SessionEnded("This account is closed")
    return standing.rights


def _ended() -> SessionEnded:
    return SessionEnded("This session is over; log in again", field=_REFRESH_TOKEN)
