"""Joining in one step: known or new, by the code that was scanned."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest

from graphql_api.access.rules import WeChatPerson
from graphql_api.access.service import joining
from graphql_api.access.service.joining import EnrolSelf, Join
from graphql_api.access.service.logins import Login
from graphql_api.codes import repository as code_repository
from graphql_api.codes import service as codes
from graphql_api.codes.models import Code
from graphql_api.codes.rules import Came
from graphql_api.errors import Forbidden, Invalid, Required
from graphql_api.guides.models import Guide
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.members.rules import ConsentPurpose, IdentityKind, OwnershipSource, SourceChannel
from graphql_api.members.service import NewConsent, NewIdentity
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM
from tests.access.factories import CLOCK
from tests.factories import make_guide, make_member, make_store
from tests.orders.storage import everything

PHONE = "+8613800138000"
NEW = WeChatPerson("openid-new", "union-new", PHONE)


@pytest.fixture
def guide(store: Store) -> Guide:
    return make_guide(store)


@pytest.fixture
def code(guide: Guide) -> Code:
    return codes.create(codes.CodeCreate(guide_id=guide.id), viewer=SYSTEM, clock=CLOCK)


def join(person: WeChatPerson, at: datetime, clock: Clock, **given: Any) -> Login:
    return joining.join(Join(code="code", **given), ask=lambda *_: person, clock=clock, at=at)


def member_of(login: Login) -> Member:
    assert login.tokens is not None
    member = members.get(login.tokens.principal_id)
    assert member is not None
    return member


def arrivals(code: Code) -> list[tuple[str, Came]]:
    page = code_repository.page_of_arrivals(code.id, first=10, after=None, reverse=False)
    return [(item.member_id, item.how) for item in page.items]


def test_somebody_new_joins_the_store_and_the_guide_of_the_code(
    code: Code, guide: Guide, at: datetime, clock: Clock
) -> None:
    agreed = NewConsent(purpose=ConsentPurpose.SERVICE, text_version="2026-01")
    login = join(NEW, at, clock, scene=code.scene, nickname="小雨", consents=[agreed])
    member = member_of(login)
    assert login.is_new
    assert (member.store_id, member.joining_store_id) == (guide.store_id, guide.store_id)
    assert member.ownership is not None
    assert member.ownership.guide_id == guide.id
    assert member.ownership.source is OwnershipSource.REGISTRATION
    assert (member.phone, member.source) == (PHONE, SourceChannel.MINI_PROGRAM)
    assert (member.nickname, member.consents[0].text_version) == ("小雨", "2026-01")
    assert arrivals(code) == [(member.id, Came.ENROLLED)]


def test_joining_again_finds_the_member_and_is_noted_as_coming_back(
    code: Code, at: datetime, clock: Clock
) -> None:
    first = member_of(join(NEW, at, clock, scene=code.scene))
    again = join(NEW, at, clock, scene=code.scene)
    assert (member_of(again).id, again.is_new) == (first.id, False)
    assert arrivals(code) == [(first.id, Came.ENROLLED), (first.id, Came.RETURNED)]


def test_who_is_known_by_the_phone_is_found_and_keeps_store_and_guide(
    code: Code, at: datetime, clock: Clock
) -> None:
    elsewhere = make_store("S9")
    theirs = make_guide(elsewhere, wecom_user_id="Theirs")
    known = make_member(
        elsewhere, NewIdentity(kind=IdentityKind.PHONE, value=PHONE), guide_id=theirs.id
    )
    login = join(NEW, at, clock, scene=code.scene)
    member = member_of(login)
    assert (member.id, login.is_new) == (known.id, False)
    assert (member.store_id, member.guide_id) == (elsewhere.id, theirs.id)
    assert {f"{i.kind}" for i in member.identities} >= {"OPENID", "UNIONID"}
    assert arrivals(code) == [(known.id, Came.RETURNED)]


def test_store_that_somebody_names_counts_and_the_guide_of_another_stays_out(
    code: Code, at: datetime, clock: Clock
) -> None:
    elsewhere = make_store("S9")
    member = member_of(join(NEW, at, clock, scene=code.scene, store_id=elsewhere.id))
    assert (member.store_id, member.guide_id) == (elsewhere.id, None)


def test_without_a_store_somebody_new_gets_a_token_to_enrol_with(
    store: Store, code: Code, at: datetime, clock: Clock
) -> None:
    codes.retire(code.id, viewer=SYSTEM, clock=CLOCK)
    before = everything()
    login = join(NEW, at, clock, scene=code.scene)
    assert (login.tokens, login.is_new, everything()) == (None, False, before)
    assert login.enrolment_token is not None
    token = login.enrolment_token
    with pytest.raises(Required) as refused:
        joining.enrol_self(EnrolSelf(enrolment_token=token), clock=clock, at=at)
    assert refused.value.field == ("input", "store_id")
    new = EnrolSelf(enrolment_token=token, store_id=store.id)
    assert member_of(joining.enrol_self(new, clock=clock, at=at)).phone == PHONE


def test_known_member_needs_no_store(store: Store, at: datetime, clock: Clock) -> None:
    known = make_member(store, NewIdentity(kind=IdentityKind.OPENID, value="openid-new"))
    assert member_of(join(WeChatPerson("openid-new"), at, clock)).id == known.id


def test_enrolling_by_a_token_takes_the_scene_too(
    code: Code, guide: Guide, at: datetime, clock: Clock
) -> None:
    token = join(NEW, at, clock).enrolment_token
    assert token is not None
    new = EnrolSelf(enrolment_token=token, scene=code.scene)
    member = member_of(joining.enrol_self(new, clock=clock, at=at))
    assert member.guide_id == guide.id
    assert arrivals(code) == [(member.id, Came.ENROLLED)]


def test_what_can_be_refused_is_refused_before_the_codes_are_used_up(
    store: Store, at: datetime, clock: Clock
) -> None:
    dated = NewConsent(purpose=ConsentPurpose.SERVICE, text_version="1", at=at)
    new = Join(code="code", store_id=store.id, consents=[dated])
    asked: list[str] = []

    def ask(code: str, _phone_code: str | None) -> WeChatPerson:
        asked.append(code)
        return NEW

    with pytest.raises(Forbidden):
        joining.join(new, ask=ask, clock=clock, at=at)
    assert asked == []


def test_two_taps_make_one_member(code: Code, at: datetime, clock: Clock) -> None:
    with ThreadPoolExecutor(2) as pool:
        logins = list(pool.map(lambda _: join(NEW, at, clock, scene=code.scene), range(2)))
    assert len({member_of(login).id for login in logins}) == 1
    assert sorted(login.is_new for login in logins) == [False, True]


def test_name_that_is_refused_makes_no_member(code: Code, at: datetime, clock: Clock) -> None:
    checked: list[tuple[str | None, str | None, tuple[str, ...]]] = []

    def check(openid: str | None, text: str | None, field: tuple[str, ...]) -> None:
        checked.append((openid, text, field))
        if text == "坏":
            raise Invalid("no", field=field)

    new = Join(code="code", scene=code.scene, nickname="坏")
    before = everything()
    with pytest.raises(Invalid) as refused:
        joining.join(new, ask=lambda *_: NEW, clock=clock, at=at, check=check)
    assert (refused.value.field, everything()) == (("input", "nickname"), before)
    assert checked == [("openid-new", "坏", ("input", "nickname"))]
