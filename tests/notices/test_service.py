"""Subscribe messages: counted once, sent once, and right after WeChat says no."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from graphql_api.connectors.errors import Later, NotSetUp
from graphql_api.connectors.wechat import api, subscribe
from graphql_api.connectors.weixin_errors import Refused
from graphql_api.errors import (
    Forbidden,
    ForbiddenTransition,
    Invalid,
    NotFound,
    Unavailable,
)
from graphql_api.members.models import Member
from graphql_api.members.rules import IdentityKind
from graphql_api.members.service import NewIdentity
from graphql_api.notices import repository, service, tasks
from graphql_api.notices.models import Notice
from graphql_api.notices.rules import NoticeAnswer, NoticeState
from graphql_api.notices.service import (
    AnswersAdd,
    DataField,
    NoticeSend,
    OneAnswer,
    Outcome,
    TemplateRetire,
    TemplateSet,
)
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM, Role, Viewer
from tests.factories import NOW, make_identity, make_member, make_store

TEMPLATE, OTHER = "tmpl-points-0001", "tmpl-coupons-0002"


class WeChat:
    """WeChat, and what it was asked to send."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.failures: list[Exception] = []

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        assert path == "/cgi-bin/message/subscribe/send"
        self.sent.append(body)
        if self.failures:
            raise self.failures.pop(0)
        return {"errcode": 0}


@pytest.fixture
def wechat(monkeypatch: pytest.MonkeyPatch) -> WeChat:
    made = WeChat()
    monkeypatch.setattr(api, "post", made.post)
    return made


@pytest.fixture
def store(chain: str) -> Store:
    return make_store("S1")


@pytest.fixture
def member(store: Store) -> Member:
    for template_id in (TEMPLATE, OTHER):
        given = TemplateSet(
            template_id=template_id,
            name="积分",
            page="pages/member/index?x=1",
            fields=["thing1", "number2"],
        )
        service.set_template(given, viewer=SYSTEM, at=NOW)
    return make_member(store, make_identity("openid-1"))


def oneself(member: Member) -> Viewer:
    return Viewer(Role.MEMBER, id=member.id)


def answer(member: Member, said: NoticeAnswer, request_id: str, template_id: str = TEMPLATE) -> int:
    one = OneAnswer(template_id=template_id, answer=said)
    given = AnswersAdd(request_id=request_id, answers=[one])
    [quota] = service.add_answers(given, viewer=oneself(member), at=NOW)
    return int(quota.left)


def left(member: Member) -> int:
    [quota] = repository.get_quotas(member.id, [TEMPLATE])
    return int(quota.left)


def send(member: Member, reason: str = "order-1", **data: str) -> Notice | None:
    fields = {"thing1": "积分到账", "number2": "100", **data}
    given = NoticeSend(
        member_id=member.id,
        template_id=TEMPLATE,
        reason=reason,
        data=[DataField(key=key, value=value) for key, value in fields.items()],
    )
    return service.send(given, send=subscribe.send, viewer=SYSTEM, at=NOW)


def state(notice: Notice | None) -> NoticeState:
    assert notice is not None
    kept = repository.get_notice(notice.member_id, notice.template_id, notice.reason)
    assert kept is not None
    assert kept.state is notice.state
    return kept.state


def test_answers_of_one_asking_count_once(member: Member) -> None:
    assert answer(member, NoticeAnswer.ACCEPT, "asking-1") == 1
    assert answer(member, NoticeAnswer.ACCEPT, "asking-1") == 1
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: answer(member, NoticeAnswer.ACCEPT, "asking-2"), range(3)))
    assert left(member) == 2
    assert answer(member, NoticeAnswer.REJECT, "asking-3") == 2
    assert answer(member, NoticeAnswer.BAN, "asking-4") == 0
    assert answer(member, NoticeAnswer.ACCEPT, "asking-5", OTHER) == 1


def test_answers_are_of_members_and_of_our_templates(member: Member) -> None:
    known = OneAnswer(template_id=TEMPLATE, answer=NoticeAnswer.ACCEPT)
    strange = OneAnswer(template_id="tmpl-of-nobody", answer=NoticeAnswer.ACCEPT)
    with pytest.raises(Forbidden):
        service.add_answers(
            AnswersAdd(request_id="asking-1", answers=[known]), viewer=SYSTEM, at=NOW
        )
    given = AnswersAdd(request_id="asking-1", answers=[known, strange])
    with pytest.raises(NotFound) as refused:
        service.add_answers(given, viewer=oneself(member), at=NOW)
    assert refused.value.field == ("input", "answers", "1", "template_id")
    given = AnswersAdd(request_id="asking-1", answers=[known, known])
    with pytest.raises(Invalid):
        service.add_answers(given, viewer=oneself(member), at=NOW)
    assert left(member) == 0


def test_message_takes_one_and_is_sent_once_for_its_reason(member: Member, wechat: WeChat) -> None:
    answer(member, NoticeAnswer.ACCEPT, "asking-1")
    answer(member, NoticeAnswer.ACCEPT, "asking-2")
    for _ in range(2):
        assert state(send(member)) is NoticeState.SENT
    assert left(member) == 1
    [body] = wechat.sent
    assert (body["touser"], body["template_id"]) == ("openid-1", TEMPLATE)
    assert body["data"] == {"thing1": {"value": "积分到账"}, "number2": {"value": "100"}}
    assert (body["page"], body["miniprogram_state"]) == ("pages/member/index?x=1", "developer")


def test_who_agreed_to_none_is_sent_none(member: Member, wechat: WeChat) -> None:
    assert send(member) is None
    assert wechat.sent == []
    answer(member, NoticeAnswer.ACCEPT, "asking-1")
    assert state(send(member)) is NoticeState.SENT  # not sent before, so that it may be now


def test_senders_that_race_send_once_and_never_more_than_agreed(
    member: Member, wechat: WeChat
) -> None:
    answer(member, NoticeAnswer.ACCEPT, "asking-1")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: send(member, f"order-{n}"), range(4)))
    assert len(wechat.sent) == 1
    assert left(member) == 0


def test_43101_is_normal_and_sets_the_quota_right(member: Member, wechat: WeChat) -> None:
    for n in range(3):
        answer(member, NoticeAnswer.ACCEPT, f"asking-{n}")
    wechat.failures = [Refused(43101)]
    assert state(send(member)) is NoticeState.REFUSED
    assert left(member) == 0
    assert send(member, "order-2") is None
    assert len(wechat.sent) == 1


def test_what_was_surely_not_sent_may_be_tried_again(member: Member, wechat: WeChat) -> None:
    answer(member, NoticeAnswer.ACCEPT, "asking-1")
    for failure in (Later(60), NotSetUp("40001")):
        wechat.failures = [failure]
        with pytest.raises(Unavailable):
            send(member)
        assert left(member) == 1
    assert state(send(member)) is NoticeState.SENT


def test_what_nobody_knows_about_is_never_sent_again(member: Member, wechat: WeChat) -> None:
    for n in range(2):
        answer(member, NoticeAnswer.ACCEPT, f"asking-{n}")
    wechat.failures = [Later(3, is_unsure=True)]
    for _ in range(2):
        assert state(send(member)) is NoticeState.UNSURE
    assert (len(wechat.sent), left(member)) == (1, 1)


def test_sender_that_died_leaves_it_unsure(member: Member, wechat: WeChat) -> None:
    answer(member, NoticeAnswer.ACCEPT, "asking-1")

    class Killed(BaseException):
        """The function was ended."""

    def die(*_: object) -> Outcome:
        raise Killed

    given = NoticeSend(
        member_id=member.id,
        template_id=TEMPLATE,
        reason="order-1",
        data=[DataField(key="thing1", value="x"), DataField(key="number2", value="1")],
    )
    with pytest.raises(Killed):
        service.send(given, send=die, viewer=SYSTEM, at=NOW)
    assert state(send(member)) is NoticeState.UNSURE
    assert wechat.sent == []


def test_other_refusals_are_kept_with_their_number(member: Member, wechat: WeChat) -> None:
    answer(member, NoticeAnswer.ACCEPT, "asking-1")
    wechat.failures = [Refused(40037)]
    notice = send(member)
    assert notice is not None
    assert (notice.state, notice.detail, left(member)) == (NoticeState.FAILED, "40037", 1)


def test_bad_data_is_refused_before_anything_is_taken(member: Member, wechat: WeChat) -> None:
    answer(member, NoticeAnswer.ACCEPT, "asking-1")
    cases: list[tuple[Mapping[str, str], tuple[str, ...]]] = [
        ({"thing1": "好" * 21}, ("input", "data", "0", "value")),
        ({"number2": "一百"}, ("input", "data", "1", "value")),
        ({"time3": "10:05"}, ("input", "data")),
    ]
    for data, field in cases:
        with pytest.raises(Invalid) as refused:
            send(member, **data)
        assert refused.value.field == field
    assert (left(member), wechat.sent) == (1, [])


def test_who_cannot_be_sent_to_is_told(store: Store, member: Member, wechat: WeChat) -> None:
    phone = NewIdentity(kind=IdentityKind.PHONE, value="+8613800138000")
    with pytest.raises(ForbiddenTransition):
        send(make_member(store, phone))
    with pytest.raises(NotFound):
        send(Member("nobody"))


def test_template_is_set_by_headquarters_and_retired(member: Member, wechat: WeChat) -> None:
    answer(member, NoticeAnswer.ACCEPT, "asking-1")
    manager = Viewer(Role.STORE_MANAGER, id="stm_1", store_ids=frozenset({member.store_id}))
    retire = TemplateRetire(template_id=TEMPLATE)
    with pytest.raises(Forbidden):
        service.retire_template(retire, viewer=manager, at=NOW)
    for _ in range(2):
        assert service.retire_template(retire, viewer=SYSTEM, at=NOW).retired_at == NOW
    with pytest.raises(ForbiddenTransition):
        send(member)
    given = TemplateSet(template_id=TEMPLATE, name="x", fields=["thing1", "colour2"])
    with pytest.raises(Invalid) as refused:
        service.set_template(given, viewer=SYSTEM, at=NOW)
    assert refused.value.field == ("input", "fields", "1")
    assert [one.template_id for one in repository.all_templates()] == [OTHER, TEMPLATE]


def test_what_is_held_of_a_member_stands_under_their_id(member: Member, wechat: WeChat) -> None:
    answer(member, NoticeAnswer.ACCEPT, "asking-1")
    send(member)
    page = repository.page_of_lives((member.id,), first=5, after=None, reverse=False)
    assert [(one.reason, one.state) for one in page.items] == [("order-1", NoticeState.SENT)]
    [quotas] = repository.quotas_of([member.id])
    assert [(one.template_id, one.left) for one in quotas] == [(TEMPLATE, 0)]


def test_template_that_was_turned_off_in_the_settings_has_none_left(
    member: Member, wechat: WeChat
) -> None:
    answer(member, NoticeAnswer.ACCEPT, "asking-1")
    answer(member, NoticeAnswer.ACCEPT, "asking-2", OTHER)
    told = {
        "event": "subscribe_msg_change_event",
        "open_id": "openid-1",
        "created_at": NOW.isoformat(),
        "templates": [
            {"template_id": TEMPLATE, "is_accepted": False},
            {"template_id": OTHER, "is_accepted": True},
        ],
    }
    for _ in range(2):
        tasks.follow(json.dumps(told))
    assert [int(quota.left) for quota in repository.quotas_of([member.id])[0]] == [1, 0]
    tasks.follow(json.dumps({**told, "open_id": "openid-of-nobody"}))
    tasks.follow(json.dumps({**told, "event": "subscribe_msg_popup_event"}))
    sent = {"template_id": TEMPLATE, "errcode": 1}
    tasks.follow(json.dumps({**told, "event": "subscribe_msg_sent_event", "templates": [sent]}))
    assert left(member) == 0
