"""Logins: a code from WeChat or WeCom, exchanged for whom it stands for, begins a session."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from graphql_api.access import repository, rules, tokens
from graphql_api.access.models import StaffAccount
from graphql_api.access.rules import WeChatPerson, WeComClient
from graphql_api.access.service import sessions, staff
from graphql_api.access.service.recognising import recognised
from graphql_api.access.service.sessions import Tokens
from graphql_api.config import settings
from graphql_api.errors import (
    ForbiddenTransition,
    NotFound,
)
from graphql_api.guides import repository as guides
from graphql_api.guides.models import Guide
from graphql_api.guides.rules import GuideStatus
from graphql_api.kit import ids
from graphql_api.kit.time import Clock
from graphql_api.members.models import Member
from graphql_api.stores.models import HEADQUARTERS_ID
from graphql_api.viewer import MANAGE_KEYS, MANAGE_STAFF, SYSTEM, Role

Code = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,512}$")]

AskWeChat = Callable[[str, str | None], WeChatPerson]
"""Exchanges a login code, and a phone code where there is one; raises a refusal."""

CheckContent = Callable[[str | None, str | None, tuple[str, ...]], None]
"""Refuses what an openid wrote, with the field that it stands in; raises Invalid."""

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


@dataclass(frozen=True, slots=True)
class Login:
    """Tokens for somebody known, or what an unknown person enrols with.

    `is_new` says that they became a member by this very command.
    """

    tokens: Tokens | None = None
    enrolment_token: str | None = field(default=None, repr=False)
    is_new: bool = False


def with_wechat(given: WeChatLogin, *, ask: AskWeChat, at: datetime) -> Login:
    """The login of a member by WeChat, who is given the identities that were not known of them.

    Somebody who holds none of the identities gets a token to enrol with, good for ten minutes.
    Refuses a member who was archived.
    """
    sessions.require_room("wechat", at, rules.OF_ALL)
    person = ask(given.code, given.phone_code)
    require_room_for("wechat", person.openid, at)
    member = recognised(person)
    if member is None:
        ends_at = at + rules.ENROLMENT_LIFETIME
        return Login(enrolment_token=tokens.enrolment_text(person, ends_at))
    return log_in(member, ("input", "code"), at)


def with_wecom(given: WeComLogin, *, ask: AskWeCom, clock: Clock, at: datetime) -> Login:
    """The login of a guide at work or of a staff account, by WeCom.

    Who is both comes in as the guide unless they say otherwise. The first operator of a new
    deployment, whom the settings name, gets an account on the way.
    """
    sessions.require_room("wecom", at, rules.OF_ALL)
    user_id = ask(given.code, given.client)
    require_room_for("wecom", user_id.lower(), at)
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


def log_in(member: Member, field: tuple[str, ...], at: datetime) -> Login:
    """A session of a member whose membership lasts; `field` named who they are."""
    if member.archived_at is not None:
        raise ForbiddenTransition("This membership has ended", field=field)
    return Login(sessions.begin(member.id, at=at))


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


def require_room_for(door: str, person: str, at: datetime) -> None:
    """Count a person's attempt; ids of platforms are not written down for it."""
    sessions.require_room(f"{door}#{ids.derived_id('per', person)}", at)
