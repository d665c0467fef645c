"""Joining: somebody whom WeChat vouches for becomes a member, by the code that they scanned."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from graphql_api.access import rules, tokens
from graphql_api.access.rules import WeChatPerson
from graphql_api.access.service import sessions
from graphql_api.access.service.logins import (
    AskWeChat,
    CheckContent,
    Code,
    Login,
    log_in,
    require_room_for,
)
from graphql_api.access.service.recognising import identities_of, recognised
from graphql_api.access.service.sessions import Token
from graphql_api.codes import service as codes
from graphql_api.codes.rules import Came, Way
from graphql_api.errors import Forbidden, Required, SessionEnded, Taken
from graphql_api.kit import ids
from graphql_api.kit.time import Clock
from graphql_api.members import service as members
from graphql_api.members.models import Member
from graphql_api.members.rules import SourceChannel
from graphql_api.members.service import NewIdentity
from graphql_api.viewer import Role, Viewer

Scene = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class EnrolSelf(members.Enrol):
    """A member who enrols by themselves; their identities stand in the token.

    `scene` is of the code that they scanned: it leads to a store and a guide where none is named.
    """

    enrolment_token: Token
    scene: Scene | None = None
    identities: list[NewIdentity] = Field(default_factory=list, max_length=0)


class Join(members.Enrol):
    """Logging in and, where nobody is known, enrolling, in one step; as EnrolSelf for the rest."""

    model_config = ConfigDict(hide_input_in_errors=True)

    code: Code
    phone_code: Code | None = None
    scene: Scene | None = None
    identities: list[NewIdentity] = Field(default_factory=list, max_length=0)


def unchecked(_openid: str | None, _text: str | None, _field: tuple[str, ...]) -> None:
    """Let every text pass."""


def enrol_self(
    new: EnrolSelf, *, clock: Clock, at: datetime, check: CheckContent = unchecked
) -> Login:
    """A new member with the identities that WeChat vouched for, logged in.

    Who became a member in the meantime, by this very token too, is logged in and not changed.
    """
    person = tokens.read_enrolment(new.enrolment_token, at)
    if person is None:
        raise SessionEnded("Log in again", field=("input", "enrolment_token"))
    require_room_for("wechat", person.openid, at)
    _require_as_of_now(new)
    way = _way(new.scene)
    enrol = _led(new, way)
    if enrol is None:
        raise Required("Name the store to join", field=("input", "store_id"))
    member, is_new = _known_or_enrolled(enrol, person, way, clock=clock, at=at, check=check)
    login = log_in(member, ("input", "enrolment_token"), at)
    return replace(login, is_new=is_new)


def join(
    new: Join,
    *,
    ask: AskWeChat,
    clock: Clock,
    at: datetime,
    check: CheckContent = unchecked,
) -> Login:
    """Login, phone, consents and the scanned code in one step: a member, known or new, logged in.

    Who is known, by the phone too, is found and not doubled, and keeps store and guide. What can be
    refused without WeChat is refused before its codes, which work once, are exchanged. Somebody new
    whom neither the scanned code nor the input leads to a store gets a token to enrol with.
    """
    sessions.require_room("wechat", at, rules.OF_ALL)
    _require_as_of_now(new)
    way = _way(new.scene)
    enrol = _led(new, way)
    person = ask(new.code, new.phone_code)
    require_room_for("wechat", person.openid, at)
    if enrol is None and recognised(person) is None:
        ends_at = at + rules.ENROLMENT_LIFETIME
        return Login(enrolment_token=tokens.enrolment_text(person, ends_at))
    member, is_new = _known_or_enrolled(enrol or new, person, way, clock=clock, at=at, check=check)
    login = log_in(member, ("input", "code"), at)
    return replace(login, is_new=is_new)


def _known_or_enrolled(
    enrol: members.Enrol,
    person: WeChatPerson,
    way: Way | None,
    *,
    clock: Clock,
    at: datetime,
    check: CheckContent,
) -> tuple[Member, bool]:
    """Whom WeChat's person is, enrolled where nobody is; and that they came through the code."""
    member = recognised(person)
    is_new = member is None
    if member is None:
        for name in ("nickname", "name"):
            check(person.openid, getattr(enrol, name), ("input", name))
        member, is_new = _enrolled(enrol, person, clock)
    if way is not None and member.archived_at is None:
        codes.came(way.code_id, member.id, Came.ENROLLED if is_new else Came.RETURNED, at=at)
    return member, is_new


def _enrolled(enrol: members.Enrol, person: WeChatPerson, clock: Clock) -> tuple[Member, bool]:
    """A new member; who became one in the meantime is found."""
    brought = {"identities": identities_of(person), "source": SourceChannel.MINI_PROGRAM}
    new_id = ids.new_id("mbr")
    oneself = Viewer(Role.MEMBER, id=new_id)
    try:
        new = enrol.model_copy(update=brought)
        return members.enrol(new, viewer=oneself, clock=clock, member_id=new_id), True
    except Taken:
        member = recognised(person)
        if member is None:
            raise
        return member, False


def _way(scene: str | None) -> Way | None:
    return codes.by_scene(scene) if scene is not None else None


def _led(enrol: members.Enrol, way: Way | None) -> members.Enrol | None:
    """What somebody asks for, with the store and the guide of the code they scanned.

    None where nothing leads to a store. What they name themselves counts; the guide of another
    store than the named one does not come along.
    """
    if way is None or way.store_id is None:
        return enrol if enrol.store_id is not None else None
    store_id = enrol.store_id or way.store_id
    guide_id = way.guide_id if store_id == way.store_id else None
    return enrol.model_copy(update={"store_id": store_id, "guide_id": enrol.guide_id or guide_id})


def _require_as_of_now(new: members.Enrol) -> None:
    for n, consent in enumerate(new.consents):
        if consent.at is not None:
            raise Forbidden("One agrees as of now", field=("input", "consents", str(n), "at"))
