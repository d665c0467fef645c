"""Subscribe messages against the simulated WeChat: both sides count, and nothing goes out twice."""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from graphql_api.config import settings
from graphql_api.connectors.tokens import tokens
from graphql_api.connectors.wechat import client, subscribe
from graphql_api.errors import Unavailable
from graphql_api.members.models import Member
from graphql_api.notices import repository, service
from graphql_api.notices.rules import NoticeAnswer, NoticeState
from graphql_api.notices.service import AnswersAdd, DataField, NoticeSend, OneAnswer, TemplateSet
from graphql_api.viewer import SYSTEM, Role, Viewer
from scripts.simulator import laptops, server
from scripts.simulator.faults import Faults
from scripts.simulator.wechat import Person, WeChat
from tests.factories import NOW, make_identity, make_member, make_store

TEMPLATE, FIELDS, PAGE = "tmpl-points-0001", ["thing1", "number2"], "pages/member/index"
FAULTS = (Faults(), Faults(), Faults(busy=1), Faults(unheard=1), Faults(failing=1))
REASONS = [f"order-{n}" for n in range(8)]


@pytest.fixture
def peer(chain: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[WeChat]:
    """WeChat over HTTP, with a person and a template; the token is there before the faults."""
    made = WeChat(Faults(), app_id=laptops.WECHAT_APP_ID, secret=laptops.SECRET)
    made.people = {"openid-1": Person("openid-1")}
    made.templates, made.pages = {TEMPLATE: frozenset(FIELDS)}, {PAGE}
    with server.serve(made) as served:
        for name, value in laptops.wechat_settings_for(served.url).items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()
        tokens.forget()
        client.access_token.use(lambda token: token)
        yield made
    monkeypatch.undo()
    settings.cache_clear()
    tokens.forget()


@pytest.fixture
def member(peer: WeChat) -> Member:
    given = TemplateSet(template_id=TEMPLATE, name="积分", page=PAGE, fields=FIELDS)
    service.set_template(given, viewer=SYSTEM, at=NOW)
    return make_member(make_store("S1"), make_identity("openid-1"))


def answer(member: Member, said: NoticeAnswer, number: int) -> None:
    given = AnswersAdd(
        request_id=f"asking-{number:03d}", answers=[OneAnswer(template_id=TEMPLATE, answer=said)]
    )
    service.add_answers(given, viewer=Viewer(Role.MEMBER, id=member.id), at=NOW)


def send(member: Member, reason: str) -> None:
    data = [DataField(key="thing1", value=reason), DataField(key="number2", value="100")]
    given = NoticeSend(member_id=member.id, template_id=TEMPLATE, reason=reason, data=data)
    with suppress(Unavailable):  # it may be tried again, and is
        service.send(given, send=subscribe.send, viewer=SYSTEM, at=datetime.now(UTC))


@pytest.mark.parametrize("seed", range(5))
def test_whatever_fails_nothing_goes_out_twice_nor_without_a_tick(
    member: Member, peer: WeChat, seed: int
) -> None:
    chance = random.Random(seed)
    asked = 0
    for _ in range(30):
        peer.faults = chance.choice(FAULTS)
        match chance.choice(["tick", "tick again", "refuse", "send", "send", "send"]):
            case "tick":
                asked += 1
                peer.tick("openid-1", TEMPLATE)
                answer(member, NoticeAnswer.ACCEPT, asked)
            case "tick again" if asked:
                answer(member, NoticeAnswer.ACCEPT, chance.randint(1, asked))
            case "send":
                send(member, chance.choice(REASONS))
            case _:
                answer(member, NoticeAnswer.REJECT, 100 + chance.randint(0, 9))

    arrived = Counter(message.data["thing1"] for message in peer.messages)
    found = {reason: repository.get_notice(member.id, TEMPLATE, reason) for reason in REASONS}
    states = {reason: notice.state for reason, notice in found.items() if notice}
    assert set(states.values()) <= {NoticeState.SENT, NoticeState.UNSURE}
    assert set(arrived.values()) <= {1}
    assert {r for r, state in states.items() if state is NoticeState.SENT} <= set(arrived)
    assert set(arrived) <= set(states)
    [quota] = repository.get_quotas(member.id, [TEMPLATE])
    assert (int(quota.accepted), int(quota.taken)) == (asked, len(states))
    assert 0 <= int(quota.left) == asked - len(states)
    assert int(quota.left) <= peer.people["openid-1"].quotas.get(TEMPLATE, 0)


def test_ticks_that_wechat_does_not_know_of_end_with_its_first_no(
    member: Member, peer: WeChat
) -> None:
    for number in range(3):
        answer(member, NoticeAnswer.ACCEPT, number)
    for reason in REASONS:
        send(member, reason)
    assert peer.messages == []
    assert peer.asked.count("/cgi-bin/message/subscribe/send") == 1
    [quota] = repository.get_quotas(member.id, [TEMPLATE])
    assert int(quota.left) == 0
