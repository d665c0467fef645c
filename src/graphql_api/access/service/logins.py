"""Logins: a code from WeChat or WeCom, exchanged for whom it stands for, begins a session."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from graphql_api.access import repository, rules, tokens
from graphql_api.access.models import StaffAccount
from graphql_api.access.rules import WeChatPerson, WeComClient
from graphql_api.access.service import sessions, staff
from graphql_api.access.service.sessions import Token, Tokens
from graphql_api.config import settings
from graphql_api.errors import (
    Forbidden,
    ForbiddenTransition,
    Invalid,
    NotFound,
    SessionEnded,
    Taken,
)
from graphql_api.guides import repository as guides
from graphql_api.guides.models import Guide
from graphql_api.guides.rules import GuideStatus
from graphql_api.kit import ids
from graphql_api.kit.time import Clock
from graphql_api.members import repository as member_repository
from graphql_api.members import service as members
from graphql_api.members.models import Member
from graphql_api.members.rules import IdentityKind, SourceChannel
from graphql_api.members.service import IdentityChange, NewIdentity
from graphql_api.observability import logger
from graphql_api.stores.models import HEADQUARTERS_ID
from graphql_api.viewer import MANAGE_KEYS, MANAGE_STAFF, SYSTEM, Role, Viewer

Code = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,512}$")]

AskWeChat = Callable[[str, str | None], WeChatPerson]
"""Exchanges a login code, and a phone code where there is one; raises a refusal."""

AskWeCom = Callable[[str, WeComClient], str]
"""Exchanges a login code for the WeCom user id of a member of the corp; raises a refusal."""


class _Command(BaseModel):
    # An error that reaches a log must not print codes.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class WeChatLogin(_Command):
    """The code of `wx.login()`, and that of a phone button where the person pressed one."""

    code: Code
    phone_code: Code | None = None


class WeComLogin(_Command):
    """A code of WeCom; `role` is for people who have several."""

    code: Code
    client: WeComClient = WeComClient.MINI_PROGRAM
    role: Literal[Role.GUIDE, Role.STORE_MANAGER, Role.OPERATOR] | None = None


class EnrolSelf(members.Enrol):
    """A member who enrols by themselves; their identities stand in the token."""

    enrolment_token: Token
    store_id: str
    identities: list[NewIdentity] = Field(default_factory=list, max_length=0)


@dataclass(frozen=True, slots=True)
class Login:
    """Tokens for somebody known, or what an unknown person enrols with."""

    tokens: Tokens | None = None
    enrolment_token: str | None = field(default=None, repr=False)


def with_wechat(given: WeChatLogin, *, ask: AskWeChat, at: datetime) -> Login:
    """The login of a member by WeChat, who is given the identities that were not known of them.

    Somebody who holds none of the identities gets a token to enrol with, good for ten minutes.
    Refuses a member who was archived.
    """
    sessions.require_room("wechat", at, rules.OF_ALL)
    person = ask(given.code, given.phone_code)
    _require_room_for("wechat", person.openid, at)
    member = _recognised(person)
    if member is None:
        ends_at = at + rules.ENROLMENT_LIFETIME
        return Login(enrolment_token=tokens.enrolment_text(person, ends_at))
    return _log_in(member, ("input", "code"), at)


def enrol_self(new: EnrolSelf, *, clock: Clock, at: datetime) -> Login:
    """A new member with the identities that WeChat vouched for, logged in.

    Who became a member in the meantime, by this very token too, is logged in and not changed.
    """
    person = tokens.read_enrolment(new.enrolment_token, at)
    if person is None:
        raise SessionEnded("Log in again", field=("input", "enrolment_token"))
    _require_room_for("wechat", person.openid, at)
    for n, consent in enumerate(new.consents):
        if consent.at is not None:
            raise Forbidden("One agrees as of now", field=("input", "consents", str(n), "at"))
    member = _recognised(person)
    if member is None:
        identities = _identities(person)
        enrol = new.model_copy(
            update={"identities": identities, "source": SourceChannel.MINI_PROGRAM}
        )
        try:
            new_id = ids.new_id("mbr")
            oneself = Viewer(Role.MEMBER, id=new_id)
            member = members.enrol(enrol, viewer=oneself, clock=clock, member_id=new_id)
        except Taken:
            member = _recognised(person)
            if member is None:
                raise
    return _log_in(member, ("input", "enrolment_token"), at)


def with_wecom(given: WeComLogin, *, ask: AskWeCom, clock: Clock, at: datetime) -> Login:
    """The login of a guide at work or of a staff account, by WeCom.

    Who is both comes in as the guide unless they say otherwise. The first operator of a new
    deployment, whom the settings name, gets an account on the way.
    """
    sessions.require_room("wecom", at, rules.OF_ALL)
    user_id = ask(given.code, given.client)
    _require_room_for("wecom", user_id.lower(), at)
    guide = _guide(user_id) if given.role in {None, Role.GUIDE} else None
    if guide is not None and guide.status is GuideStatus.ACTIVE:
        return Login(sessions.begin(guide.id, at=at))
    account = _account(user_id, clock) if given.role is not Role.GUIDE else None
    if account is not None and given.role in {None, account.role}:
        if account.disabled_at is not None:
            raise ForbiddenTransition("This account is disabled", field=("input", "code"))
        return Login(sessions.begin(account.id, at=at))
    if guide is not None:
        raise ForbiddenTransition("This guide is not at work", field=("input", "code"))
    raise NotFound("Nobody here has this WeCom account", field=("input", "code"))


def _log_in(member: Member, field: tuple[str, ...], at: datetime) -> Login:
    if member.archived_at is not None:
        raise ForbiddenTransition("This membership has ended", field=field)
    return Login(sessions.begin(member.id, at=at))


def _identities(person: WeChatPerson) -> list[NewIdentity]:
    """What somebody brings, the surest first."""
    found = {
        IdentityKind.OPENID: person.openid,
        IdentityKind.UNIONID: person.unionid,
        IdentityKind.PHONE: person.phone,
    }
    return [NewIdentity(kind=kind, value=value) for kind, value in found.items() if value]


def _recognised(person: WeChatPerson) -> Member | None:
    """The member who holds any of these identities, given those that nobody held.

    Raises Taken when only the phone is known and its member has another WeChat account: phone
    numbers change hands.
    """
    identities = _identities(person)
    holders = _holders(identities)
    member_id = rules.first_holder(holders)
    member = member_repository.get(member_id) if member_id else None
    if member is None:
        return None
    held = {identity.kind for identity in member.identities}
    known = {i.kind for i, holder in zip(identities, holders, strict=True) if holder}
    if known == {IdentityKind.PHONE} and IdentityKind.OPENID in held:
        text = "This phone belongs to a member with another WeChat account"
        raise Taken(text, field=("input", "phone_code"))
    return _completed(member, [i for i in identities if i.kind not in known])


def _holders(identities: list[NewIdentity]) -> list[str | None]:
    """Who holds each: one read of all their claims."""
    claims = [members.claims_of(identity) for identity in identities]
    held = iter(member_repository.holders([claim for each in claims for claim in each]))
    return [rules.first_holder([next(held) for _ in each]) for each in claims]


def _completed(member: Member, missing: list[NewIdentity]) -> Member:
    """A member with more identities, a phone only where there is none; what cannot be added waits.

    A login does not fail because another member took an identity a moment ago.
    """
    if member.archived_at is not None:
        return member
    for identity in missing:
        if identity.kind is IdentityKind.PHONE and member.sealed_phone is not None:
            continue
        try:
            change = IdentityChange(member_id=member.id, identity=identity)
            oneself = Viewer(Role.MEMBER, id=member.id)
            member = members.add_identity(change, viewer=oneself)
        except (Taken, Invalid) as refusal:
            logger.info("identity not added", member=member.id, code=refusal.code)
    return member


def _guide(user_id: str) -> Guide | None:
    guide_id = guides.id_by_wecom_user_id(user_id)
    return guides.get(guide_id) if guide_id else None


def _account(user_id: str, clock: Clock) -> StaffAccount | None:
    account_id = repository.account_id_by_wecom_user_id(user_id)
    if account_id is not None:
        return repository.get_account(account_id)
    if user_id.lower() != settings().first_operator.lower():
        return None
    first = staff.StaffAccountCreate(
        name=user_id,
        wecom_user_id=user_id,
        role=Role.OPERATOR,
        unit_id=HEADQUARTERS_ID,
        scopes=frozenset({MANAGE_KEYS, MANAGE_STAFF}),
    )
    return staff.create(first, viewer=SYSTEM, clock=clock)


def _require_room_for(door: str, person: str, at: datetime) -> None:
    """Count a person's attempt; ids of platforms are not written down for it."""
    sessions.require_room(f"{door}#{ids.derived_id('per', person)}", at)
