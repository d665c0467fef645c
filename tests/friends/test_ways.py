"""Contact ways: made once, found again after a crash, and led to who works there now."""

import json
from datetime import timedelta
from typing import Any

import pytest

from graphql_api.codes import service as codes
from graphql_api.codes.models import Code
from graphql_api.config import settings
from graphql_api.connectors.errors import Later, NotSetUp
from graphql_api.connectors.wecom import api
from graphql_api.connectors.weixin_errors import Refused
from graphql_api.errors import Conflict, ForbiddenTransition, NotFound, Unavailable
from graphql_api.friends import queueing, repository, tasks, ways
from graphql_api.friends.models import ContactWay
from graphql_api.guides import service as guides
from graphql_api.guides.models import Guide
from graphql_api.guides.rules import GuideStatus
from graphql_api.guides.service import GuideStatusSet
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM
from tests.factories import CLOCK, NOW, make_guide


class Ways:
    """WeCom's contact ways; `dies` loses the answer of the next call, after it was done."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Any]] = {}
        self.failures: list[Exception] = []
        self.dies = False
        self.asked: list[str] = []

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        name = path.removeprefix("externalcontact/")
        self.asked.append(name)
        if self.failures:
            raise self.failures.pop(0)
        answer: dict[str, Any] = getattr(self, name)(body)
        if self.dies:
            self.dies = False
            raise Later(3, is_unsure=True)
        return answer

    def add_contact_way(self, body: dict[str, Any]) -> dict[str, Any]:
        config_id = f"config-{len(self.kept)}"
        self.kept[config_id] = body
        return {"config_id": config_id, "qr_code": f"https://wework.qpic.cn/{config_id}"}

    def update_contact_way(self, body: dict[str, Any]) -> dict[str, Any]:
        self.kept[body["config_id"]] |= body
        return {}

    def del_contact_way(self, body: dict[str, Any]) -> dict[str, Any]:
        if self.kept.pop(body["config_id"], None) is None:
            raise Refused(41044)
        return {}

    def list_contact_way(self, body: dict[str, Any]) -> dict[str, Any]:
        """One to a page."""
        ids = list(self.kept)
        n = int(body.get("cursor", "0"))
        more = {"next_cursor": str(n + 1)} if n + 1 < len(ids) else {}
        return {"contact_way": [{"config_id": id_} for id_ in ids[n : n + 1]], **more}

    def get_contact_way(self, body: dict[str, Any]) -> dict[str, Any]:
        id_ = body["config_id"]
        kept = self.kept[id_]
        shown = {"config_id": id_, "qr_code": "https://wework.qpic.cn/again", **kept}
        return {"contact_way": shown}


@pytest.fixture
def wecom(monkeypatch: pytest.MonkeyPatch) -> Ways:
    made = Ways()
    monkeypatch.setattr(api, "post", made.post)
    return made


def code_of(**target: str) -> Code:
    return codes.create(codes.CodeCreate(**target), viewer=SYSTEM, clock=CLOCK)


def make(code: Code, seconds: int = 0) -> ContactWay:
    return ways.make(code.id, viewer=SYSTEM, at=NOW + timedelta(seconds=seconds))


def leave(guide: Guide) -> None:
    left = GuideStatusSet(id=guide.id, status=GuideStatus.LEFT)
    guides.set_status(left, viewer=SYSTEM, clock=CLOCK)


def test_way_of_a_guide_is_made_once_with_the_scene_as_state(guide: Guide, wecom: Ways) -> None:
    code = code_of(guide_id=guide.id)
    way = make(code)
    assert (way.config_id, way.picture_url) == ("config-0", "https://wework.qpic.cn/config-0")
    [body] = wecom.kept.values()
    assert (body["type"], body["scene"], body["skip_verify"]) == (1, 2, True)
    assert (body["state"], body["user"]) == (code.scene, [guide.wecom_user_id])
    assert make(code, 60).config_id == "config-0"
    assert wecom.asked == ["add_contact_way"]


def test_way_of_a_store_leads_to_its_guides_at_work(
    store: Store, guide: Guide, wecom: Ways
) -> None:
    other = make_guide(store, wecom_user_id="LiSi")
    code = code_of(store_id=store.id)
    make(code)
    [body] = wecom.kept.values()
    assert (body["type"], body["user"]) == (2, ["LiSi", "ZhangSan"])
    leave(other)
    assert ways.keep(NOW) == 1
    [body] = wecom.kept.values()
    assert body["user"] == ["ZhangSan"]
    assert ways.keep(NOW) == 0


def test_answer_that_was_lost_makes_no_second_way(guide: Guide, wecom: Ways) -> None:
    make(code_of(store_id=guide.store_id))  # another, that comes first in WeCom's list
    code = code_of(guide_id=guide.id)
    wecom.dies = True
    with pytest.raises(Unavailable):
        make(code)
    with pytest.raises(Conflict):
        make(code, 10)
    way = make(code, 60)
    assert way.config_id == "config-1"
    assert len(wecom.kept) == 2


def test_way_that_was_not_made_is_made_by_the_next_attempt(guide: Guide, wecom: Ways) -> None:
    code = code_of(guide_id=guide.id)
    wecom.failures = [Refused(41054)]
    with pytest.raises(Unavailable, match="not activated, not real-named"):
        make(code)
    assert make(code, 60).config_id == "config-0"


def test_refusals_are_told_in_plain_words(guide: Guide, wecom: Ways) -> None:
    code = code_of(guide_id=guide.id)
    wecom.failures = [NotSetUp("60020: this address is not among the trusted IPs")]
    with pytest.raises(Unavailable, match="trusted IPs"):
        make(code)


def test_way_that_nobody_stands_behind_is_not_made_and_is_ended(
    store: Store, guide: Guide, wecom: Ways
) -> None:
    code = code_of(guide_id=guide.id)
    make(code)
    leave(guide)
    assert ways.keep(NOW) == 1
    assert wecom.kept == {}
    assert repository.get_way(code.id) is None
    with pytest.raises(ForbiddenTransition):
        make(code, 60)
    assert ways.keep(NOW) == 0


def test_way_of_a_retired_code_is_ended(guide: Guide, wecom: Ways) -> None:
    code = code_of(guide_id=guide.id)
    make(code)
    codes.retire(code.id, viewer=SYSTEM, clock=CLOCK)
    wecom.kept.clear()  # somebody ended it there
    assert ways.keep(NOW) == 1
    with pytest.raises(ForbiddenTransition):
        make(code, 60)


def test_way_that_wecom_refuses_says_so_and_the_others_follow(
    store: Store, guide: Guide, wecom: Ways
) -> None:
    other = make_guide(store, wecom_user_id="LiSi")
    first, second = code_of(store_id=store.id), code_of(guide_id=other.id)
    make(first)
    make(second)
    leave(other)
    wecom.failures = [Refused(40058)]
    assert ways.keep(NOW) == 1
    problems = [way.problem if way else None for way in repository.ways_of([first.id, second.id])]
    assert sorted(problems, key=str) == ["40058", None]
    assert ways.keep(NOW) == 1
    assert [way and way.problem for way in repository.ways_of([first.id, second.id])] == [None] * 2


def test_code_that_is_not_there_has_no_way(chain: str, wecom: Ways) -> None:
    with pytest.raises(NotFound):
        ways.make("cde_nothing", viewer=SYSTEM, at=NOW)
    assert wecom.asked == []


def test_ways_are_led_anew_once_a_day(guide: Guide, wecom: Ways) -> None:
    code = code_of(guide_id=guide.id)
    make(code)
    leave(guide)
    day = NOW.date()
    assert tasks.keep_ways(day, at=NOW) == 1
    assert (tasks.keep_ways(day, at=NOW), wecom.kept) == (0, {})


def test_ways_are_led_later_on_the_day_where_wecom_was_away(guide: Guide, wecom: Ways) -> None:
    make(code_of(guide_id=guide.id))
    leave(guide)
    day = NOW.date()
    wecom.failures = [Later(60)]
    assert tasks.keep_ways(day, at=NOW) == 0
    assert tasks.keep_ways(day, at=NOW) == 1
    assert tasks.keep_ways(day, at=NOW) == 0


def test_keeping_is_asked_for_where_there_is_a_corp(
    guide: Guide, wecom: Ways, queued: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_WECOM_CORP_ID", "")
    settings.cache_clear()
    queueing.keep_ways(NOW.date())
    assert queued == []
    monkeypatch.setenv("APP_WECOM_CORP_ID", "ww1")
    settings.cache_clear()
    queueing.keep_ways(NOW.date())
    [(url, body, _)] = queued
    assert (url, body) == ("contacts", {"keep_ways": "2018-01-10", "attempts": 0})
    make(code_of(guide_id=guide.id))
    leave(guide)
    tasks.follow(json.dumps(body), clock=lambda: CLOCK)
    assert wecom.kept == {}
