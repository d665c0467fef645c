"""Logins: who comes in by WeChat and WeCom, as whom, and who does not."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from graphql_api import auth
from graphql_api.access import repository, rules
from graphql_api.access.models import Attempts
from graphql_api.access.rules import Limit, WeChatPerson, WeComClient
from graphql_api.access.service import joining, logins, staff
from graphql_api.access.service.joining import EnrolSelf
from graphql_api.access.service.logins import Login, WeChatLogin, WeComLogin
from graphql_api.config import settings
from graphql_api.errors import (
    AppError,
    Forbidden,
    ForbiddenTransition,
    Invalid,
    LimitExceeded,
    NotFound,
    SessionEnded,
    Taken,
    Unavailable,
)
from graphql_api.guides import service as guides
from graphql_api.guides.models import Guide
from graphql_api.guides.rules import GuideStatus
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members import service as member_service
from graphql_api.members.models import Member
from graphql_api.members.rules import (
    ConsentChannel,
    ConsentPurpose,
    IdentityKind,
    SourceChannel,
)
from graphql_api.members.service import NewConsent, NewIdentity
from graphql_api.stores import service as stores
from graphql_api.stores.models import HEADQUARTERS_ID, Store
from graphql_api.viewer import MANAGE_KEYS, MANAGE_STAFF, SYSTEM, Role
from tests.access.factories import CLOCK, attempts_made, make_account, stored_access
from tests.conftest import Client
from tests.factories import make_guide, make_identity, make_member, make_store
from tests.orders.storage import everything

PHONE = "+8613800138000"
NEW = WeChatPerson("openid-new", "union-new", PHONE)


def ask(person: WeChatPerson) -> logins.AskWeChat:
    return lambda _code, _phone_code: person


def refusing(refusal: AppError) -> Callable[..., Any]:
    def call(*_: object) -> Any:
        raise refusal

    return call


def by_wechat(person: WeChatPerson, at: datetime) -> Login:
    return logins.with_wechat(WeChatLogin(code="code"), ask=ask(person), at=at)


def by_wecom(user_id: str, at: datetime, role: Role | None = None) -> Login:
    given = WeComLogin.model_validate({"code": "code", "role": role})
    return logins.with_wecom(given, ask=lambda *_: user_id, clock=CLOCK, at=at)


def who(login: Login) -> str:
    assert login.tokens is not None
    assert login.enrolment_token is None
    return auth.viewer_of(login.tokens.access_token).id


def identities(member: Member) -> set[str]:
    stored = members.get(member.id)
    assert stored is not None
    return {c for c in stored.identity_claims if not c.startswith("PHONE#")}


def identity(kind: IdentityKind, value: str) -> NewIdentity:
    return NewIdentity(kind=kind, value=value)


# --- members ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "person",
    [
        WeChatPerson("openid-1"),
        WeChatPerson("openid-other", "union-1"),
        WeChatPerson("openid-1", "union-1", "+8613900139000"),
    ],
    ids=str,
)
def test_member_is_known_by_any_identity(store: Store, at: datetime, person: WeChatPerson) -> None:
    member = make_member(
        store, identity(IdentityKind.OPENID, "openid-1"), identity(IdentityKind.UNIONID, "union-1")
    )
    assert who(by_wechat(person, at)) == member.id


def test_identities_that_were_not_known_are_added(member: Member, at: datetime) -> None:
    assert who(by_wechat(WeChatPerson("openid-1", "union-1", PHONE), at)) == member.id
    assert identities(member) == {"OPENID#openid-1", "UNIONID#union-1"}
    stored = members.get(member.id)
    assert stored is not None
    assert stored.phone == PHONE
    assert who(by_wechat(WeChatPerson("openid-2", "union-1"), at)) == member.id
    assert identities(member) == {"OPENID#openid-1", "UNIONID#union-1", "OPENID#openid-2"}


def test_second_login_writes_no_member(member: Member, at: datetime) -> None:
    person = WeChatPerson("openid-1", "union-1", PHONE)
    by_wechat(person, at)
    before = members.get(member.id)
    by_wechat(person, at)
    after = members.get(member.id)
    assert before is not None
    assert after is not None
    assert after.serialize() == before.serialize()


def test_member_enrolled_in_a_store_is_known_by_the_phone(store: Store, at: datetime) -> None:
    member = make_member(store, identity(IdentityKind.PHONE, PHONE))
    assert who(by_wechat(NEW, at)) == member.id
    assert identities(member) == {"OPENID#openid-new", "UNIONID#union-new"}


def test_phone_alone_does_not_open_a_member_with_another_wechat(store: Store, at: datetime) -> None:
    make_member(store, identity(IdentityKind.PHONE, PHONE), make_identity("openid-1"))
    before = everything()
    with pytest.raises(Taken) as refusal:
        by_wechat(NEW, at)
    assert refusal.value.field == ("input", "phone_code")
    assert (everything(), stored_access()) == (before, [])


def test_phone_that_a_member_has_stays(store: Store, at: datetime) -> None:
    member = make_member(store, make_identity("openid-1"), identity(IdentityKind.PHONE, PHONE))
    by_wechat(WeChatPerson("openid-1", None, "+8613900139000"), at)
    stored = members.get(member.id)
    assert stored is not None
    assert stored.phone == PHONE


def test_identities_of_two_members_log_in_the_surest_and_move_nothing(
    store: Store, at: datetime
) -> None:
    first = make_member(store, make_identity("openid-1"))
    make_member(store, identity(IdentityKind.UNIONID, "union-2"))
    before = everything()
    assert who(by_wechat(WeChatPerson("openid-1", "union-2"), at)) == first.id
    assert everything() == before


def test_member_with_too_many_identities_logs_in_all_the_same(store: Store, at: datetime) -> None:
    many = [make_identity(f"openid-{n}") for n in range(20)]
    member = make_member(store, *many)
    assert who(by_wechat(WeChatPerson("openid-7", "union-1"), at)) == member.id
    assert "UNIONID#union-1" not in identities(member)


def test_archived_member_is_not_let_in(member: Member, at: datetime, clock: Clock) -> None:
    member_service.archive(member.id, viewer=SYSTEM, clock=clock)
    before = everything()
    with pytest.raises(ForbiddenTransition) as refusal:
        by_wechat(WeChatPerson("openid-1", "union-1"), at)
    assert refusal.value.field == ("input", "code")
    assert (everything(), stored_access()) == (before, [])


@pytest.mark.parametrize(
    "refusal", [Invalid("bad code", field=("input", "code")), Unavailable("down")]
)
def test_code_that_is_not_exchanged_writes_nothing(
    member: Member, at: datetime, refusal: AppError
) -> None:
    before = everything()
    with pytest.raises(type(refusal)):
        logins.with_wechat(WeChatLogin(code="x"), ask=refusing(refusal), at=at)
    with pytest.raises(type(refusal)):
        logins.with_wecom(WeComLogin(code="x"), ask=refusing(refusal), clock=CLOCK, at=at)
    assert (everything(), stored_access()) == (before, [])


@pytest.mark.parametrize("code", ["", " ", "a b", "令牌", "x" * 513])
def test_code_is_printable_text(code: str) -> None:
    with pytest.raises(ValidationError):
        WeChatLogin(code=code)
    with pytest.raises(ValidationError):
        WeComLogin(code=code)


def test_error_shows_no_code() -> None:
    with pytest.raises(ValidationError) as refusal:
        WeChatLogin(code="the code", phone_code="the phone code")
    assert "the code" not in str(refusal.value)


# --- enrolment -------------------------------------------------------------------------------


def enrolment(person: WeChatPerson, at: datetime) -> str:
    login = by_wechat(person, at)
    assert login.tokens is None
    assert login.enrolment_token is not None
    return login.enrolment_token


def enrol(token: str, store: Store, at: datetime, clock: Clock, **more: Any) -> Login:
    new = EnrolSelf(**{"enrolment_token": token, "store_id": store.id, **more})
    return joining.enrol_self(new, clock=clock, at=at)


def test_somebody_unknown_gets_what_they_enrol_with(store: Store, at: datetime) -> None:
    before = everything()
    enrolment(NEW, at)
    assert (everything(), stored_access()) == (before, [])


def test_member_enrols_by_themselves(store: Store, at: datetime, clock: Clock) -> None:
    guide = make_guide(store)
    agreed = NewConsent(
        purpose=ConsentPurpose.MARKETING, channel=ConsentChannel.SMS, text_version="2026-01"
    )
    login = enrol(
        enrolment(NEW, at),
        store,
        at,
        clock,
        guide_id=guide.id,
        nickname="明明",
        birthday="02-29",
        consents=[agreed],
    )
    member = members.get(who(login))
    assert member is not None
    assert (member.source, member.joined_at) == (SourceChannel.MINI_PROGRAM, clock.now())
    assert (member.store_id, member.joining_store_id) == (store.id, store.id)
    assert (member.guide_id, member.nickname, member.birthday) == (guide.id, "明明", "02-29")
    assert member.phone == PHONE
    assert identities(member) == {"OPENID#openid-new", "UNIONID#union-new"}
    [consent] = member.consents
    assert (consent.purpose, consent.granted, consent.at) == ("MARKETING", True, clock.now())
    assert who(by_wechat(WeChatPerson("openid-new"), at)) == member.id


def test_member_enrols_without_a_phone(store: Store, at: datetime, clock: Clock) -> None:
    member = members.get(who(enrol(enrolment(WeChatPerson("o"), at), store, at, clock)))
    assert member is not None
    assert (member.phone, identities(member)) == (None, {"OPENID#o"})


def test_enrolment_token_used_again_logs_in_and_changes_nothing(
    store: Store, at: datetime, clock: Clock
) -> None:
    token = enrolment(NEW, at)
    first = who(enrol(token, store, at, clock, nickname="明明"))
    before = everything()
    assert who(enrol(token, store, at, clock, nickname="别人")) == first
    assert everything() == before


def test_enrolments_at_once_make_one_member(store: Store, at: datetime, clock: Clock) -> None:
    token = enrolment(NEW, at)
    with ThreadPoolExecutor(4) as pool:
        came = list(pool.map(lambda _n: who(enrol(token, store, at, clock)), range(4)))
    assert len(set(came)) == 1
    page = members.page_of_all(first=100, after=None, reverse=False)
    assert [member.id for member in page.items] == came[:1]


def test_enrolment_token_is_over_after_ten_minutes(
    store: Store, at: datetime, clock: Clock
) -> None:
    token = enrolment(NEW, at)
    before = everything()
    with pytest.raises(SessionEnded) as refusal:
        enrol(token, store, at + timedelta(minutes=10), clock)
    assert refusal.value.field == ("input", "enrolment_token")
    with pytest.raises(SessionEnded):
        enrol(token[:-6] + "AAAAAA", store, at, clock)
    assert (everything(), stored_access()) == (before, [])


def test_enrolment_is_refused_where_enrolling_is(store: Store, at: datetime, clock: Clock) -> None:
    token = enrolment(NEW, at)
    elsewhere = make_guide(make_store("S2"), "赵敏")
    stopped = make_guide(store, "李雷")
    change = guides.GuideStatusSet(id=stopped.id, status=GuideStatus.STOPPED)
    guides.set_status(change, viewer=SYSTEM, clock=clock)
    closed = make_store("S3")
    stores.archive_store(closed.id, viewer=SYSTEM, clock=clock)
    before = everything()
    with pytest.raises(NotFound) as no_guide:
        enrol(token, store, at, clock, guide_id=elsewhere.id)
    assert no_guide.value.field == ("input", "guide_id")
    with pytest.raises(ForbiddenTransition):
        enrol(token, store, at, clock, guide_id=stopped.id)
    with pytest.raises(ForbiddenTransition) as no_store:
        enrol(token, closed, at, clock)
    assert no_store.value.field == ("input", "store_id")
    assert (everything(), stored_access()) == (before, [])


def test_agreement_is_given_now(store: Store, at: datetime, clock: Clock) -> None:
    earlier = NewConsent(purpose=ConsentPurpose.SERVICE, text_version="1", at=clock.now())
    before = everything()
    with pytest.raises(Forbidden) as refusal:
        enrol(enrolment(NEW, at), store, at, clock, consents=[earlier])
    assert refusal.value.field == ("input", "consents", "0", "at")
    assert everything() == before


def test_identities_are_those_of_the_token(store: Store) -> None:
    with pytest.raises(ValidationError):
        EnrolSelf(enrolment_token="x", store_id=store.id, identities=[make_identity("openid-1")])


# --- staff -----------------------------------------------------------------------------------


def test_guide_at_work_is_let_in_whatever_the_case_of_the_id(guide: Guide, at: datetime) -> None:
    assert who(by_wecom("WangFang", at)) == guide.id
    assert who(by_wecom("wangfang", at)) == guide.id


@pytest.mark.parametrize("status", [GuideStatus.STOPPED, GuideStatus.LEFT])
def test_guide_who_is_not_at_work_is_not(
    guide: Guide, at: datetime, clock: Clock, status: GuideStatus
) -> None:
    change = guides.GuideStatusSet(id=guide.id, status=status)
    guides.set_status(change, viewer=SYSTEM, clock=clock)
    with pytest.raises(AppError) as refusal:
        by_wecom("WangFang", at)
    stopped = status is GuideStatus.STOPPED
    assert refusal.value.code == ("FORBIDDEN_TRANSITION" if stopped else "NOT_FOUND")
    assert stored_access() == []


def test_staff_account_is_let_in(chain: str, at: datetime) -> None:
    account = make_account(wecom_user_id="ZhouZong")
    assert who(by_wecom("zhouzong", at)) == account.id


def test_disabled_account_is_not(chain: str, at: datetime) -> None:
    account = make_account(wecom_user_id="ZhouZong")
    staff.disable(account.id, viewer=SYSTEM, clock=CLOCK, at=at)
    before = stored_access()
    with pytest.raises(ForbiddenTransition):
        by_wecom("ZhouZong", at)
    assert stored_access() == before


def test_who_is_guide_and_manager_chooses(guide: Guide, at: datetime, clock: Clock) -> None:
    account = make_account(
        role=Role.STORE_MANAGER, unit_id=guide.store_id, wecom_user_id="WangFang"
    )
    assert who(by_wecom("WangFang", at)) == guide.id
    assert who(by_wecom("WangFang", at, Role.GUIDE)) == guide.id
    assert who(by_wecom("WangFang", at, Role.STORE_MANAGER)) == account.id
    with pytest.raises(NotFound):
        by_wecom("NobodyElse", at, Role.OPERATOR)
    change = guides.GuideStatusSet(id=guide.id, status=GuideStatus.STOPPED)
    guides.set_status(change, viewer=SYSTEM, clock=clock)
    assert who(by_wecom("WangFang", at)) == account.id
    with pytest.raises(ForbiddenTransition):
        by_wecom("WangFang", at, Role.GUIDE)


def test_account_of_another_role_is_not_found(chain: str, at: datetime) -> None:
    make_account(wecom_user_id="ZhouZong")
    with pytest.raises(NotFound):
        by_wecom("ZhouZong", at, Role.STORE_MANAGER)
    with pytest.raises(NotFound):
        by_wecom("ZhouZong", at, Role.GUIDE)


@pytest.mark.parametrize(
    "role", sorted(set(Role) - {Role.GUIDE, Role.STORE_MANAGER, Role.OPERATOR})
)
def test_staff_have_three_roles_to_choose_from(role: Role) -> None:
    with pytest.raises(ValidationError):
        WeComLogin.model_validate({"code": "x", "role": role})


def test_client_of_the_code_is_passed_on(guide: Guide, at: datetime) -> None:
    asked: list[object] = []

    def note(code: str, client: WeComClient) -> str:
        asked.append((code, client))
        return "WangFang"

    given = WeComLogin(code="c", client=WeComClient.WEB)
    logins.with_wecom(given, ask=note, clock=CLOCK, at=at)
    assert asked == [("c", WeComClient.WEB)]


def test_unknown_user_writes_nothing(guide: Guide, at: datetime) -> None:
    before = everything()
    with pytest.raises(NotFound) as refusal:
        by_wecom("Stranger", at)
    assert refusal.value.field == ("input", "code")
    assert (everything(), stored_access()) == (before, [])


def test_first_operator_gets_an_account_once(
    chain: str, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_FIRST_OPERATOR", "Founder")
    settings.cache_clear()
    try:
        account_id = who(by_wecom("founder", at))
        account = repository.get_account(account_id)
        assert account is not None
        assert (account.role, account.unit_id) == (Role.OPERATOR, HEADQUARTERS_ID)
        assert account.scopes == sorted([MANAGE_KEYS, MANAGE_STAFF])
        assert who(by_wecom("Founder", at)) == account_id
        with pytest.raises(NotFound):
            by_wecom("Founder2", at)
        staff.disable(account_id, viewer=SYSTEM, clock=CLOCK, at=at)
        with pytest.raises(ForbiddenTransition):
            by_wecom("Founder", at)
    finally:
        settings.cache_clear()


def test_first_operator_comes_before_the_chain_and_sets_it_up(
    database: str, at: datetime, monkeypatch: pytest.MonkeyPatch, send: Client
) -> None:
    monkeypatch.setenv("APP_FIRST_OPERATOR", "Founder")
    settings.cache_clear()
    try:
        tokens = by_wecom("Founder", at).tokens
        assert tokens is not None
        document = """mutation { chainSetUp(input: {name: "一号连锁"}) { unit { name } } }"""
        begun = send(document, token=tokens.access_token)
        assert begun == {"chainSetUp": {"unit": {"name": "一号连锁"}}}
    finally:
        settings.cache_clear()


# --- limits and logs -------------------------------------------------------------------------


def test_attempts_of_one_person_are_limited(member: Member, at: datetime) -> None:
    at = at.replace(second=0)
    for _ in range(10):
        by_wechat(WeChatPerson("openid-1"), at)
    before = stored_access()
    with pytest.raises(LimitExceeded):
        by_wechat(WeChatPerson("openid-1"), at)
    assert stored_access() == before
    by_wechat(WeChatPerson("openid-2"), at)
    by_wechat(WeChatPerson("openid-1"), at + timedelta(minutes=1))


def test_attempts_of_all_are_limited_before_anybody_is_asked(
    member: Member, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "OF_ALL", Limit(3, 60))
    at = at.replace(second=0)
    for n in range(3):
        by_wechat(WeChatPerson(f"openid-{n}"), at)
    counted = attempts_made()
    with pytest.raises(LimitExceeded):
        logins.with_wechat(WeChatLogin(code="x"), ask=refusing(AssertionError()), at=at)  # type: ignore[arg-type]  # must not be asked
    assert attempts_made() == counted
    with pytest.raises(NotFound):
        by_wecom("Stranger", at)


def test_counts_of_attempts_name_nobody_and_are_forgotten(member: Member, at: datetime) -> None:
    by_wechat(WeChatPerson("openid-1", "union-1"), at)
    found = [i for i in Attempts.scan() if i.id.startswith("attempts#")]
    assert len(found) == 2
    assert not any("openid-1" in item.id for item in found)
    over = at + timedelta(hours=1)
    assert all(over <= item.forget_at <= over + timedelta(minutes=1) for item in found)


def test_logs_name_the_principal_and_nothing_else(
    store: Store,
    at: datetime,
    clock: Clock,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    token = enrolment(NEW, at)
    login = enrol(token, store, at, clock)
    assert login.tokens is not None
    again = by_wechat(WeChatPerson("openid-new", "union-other", PHONE), at)
    assert again.tokens is not None
    ours = [record for record in caplog.records if record.name == "member-operations"]
    assert {record.message for record in ours} == {"logged in"}
    assert {record.__dict__["principal"] for record in ours} == {who(login)}
    said = "".join(str(record.__dict__) for record in ours) + capsys.readouterr().out
    secret = (token, login.tokens.refresh_token, login.tokens.access_token, PHONE, "openid-new")
    assert [text for text in secret if text in said] == []
