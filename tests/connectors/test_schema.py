"""Vendors over GraphQL: shops linked, messages read and replayed, and what is refused."""

from datetime import timedelta
from typing import Any

import pytest

from graphql_api import auth
from graphql_api.connectors import models, repository, service
from graphql_api.connectors.models import Copy, Message
from graphql_api.connectors.rules import CopyKind, LinkKind, MessageState, Outcome, Problem
from graphql_api.kit import queues
from graphql_api.kit.time import real_now
from graphql_api.viewer import MANAGE_VENDORS, SCOPES, SEE_PERSONAL_DATA, Role
from tests.conftest import Client
from tests.factories import make_guide, make_store
from tests.tags.factories import make_tag

LINK = """
mutation ($input: VendorShopLinkInput!) { vendorShopLink(input: $input) {
  shop { id vendor vendorKey clientId name defaultStore { id } tells paused version }
  userErrors { code field message } } }
"""
UPDATE = """
mutation ($input: VendorShopUpdateInput!) { vendorShopUpdate(input: $input) {
  shop { name tells paused version defaultStore { id } } userErrors { code field } } }
"""
SET_LINK = """
mutation ($input: VendorShopSetLinkInput!) { vendorShopSetLink(input: $input) {
  link { kind vendorKey ourId } userErrors { code field } } }
"""
SHOPS = """
{ vendorShops { nodes { id name links(kind: STORE) { nodes { vendorKey ourId } }
  openMessages { nodes { id problem detail } } openCopies(state: DUE) { nodes { kind subjectId } }
  runs { nodes { state asked } } messages(reverse: true) { nodes { type state } } } } }
"""
REPLAY = (
    "mutation ($id: ID!) { vendorMessageReplay(id: $id) { message { state } userErrors { code } } }"
)
REPLAY_MANY = """
mutation ($input: VendorShopReplayMessagesInput!) { vendorShopReplayMessages(input: $input) {
  shop { id } userErrors { code field } } }
"""
RUN = """
mutation ($input: VendorRunBeginInput!) { vendorRunBegin(input: $input) {
  run { id state since until } userErrors { code field } } }
"""
MASTER = """
mutation ($input: PointsMasterSetInput!) { pointsMasterSet(input: $input) {
  setup { pointsMaster version } userErrors { code field } } }
"""


@pytest.fixture
def headquarters(chain: str) -> str:
    """A token of headquarters that see to vendors."""
    return auth.issue(Role.OPERATOR, "opr_1", scopes=frozenset({MANAGE_VENDORS}))


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was queued."""
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(queues, "send", lambda _url, all_: sent.extend(m.body for m in all_))
    service.known_shops.forget()
    return sent


def given(**more: Any) -> dict[str, Any]:
    return {
        "vendor": "YOUZAN",
        "vendorKey": "74234",
        "clientId": "app-1",
        "name": "旗舰店",
        **more,
    }


def linked(send: Client, token: str, **more: Any) -> str:
    made = send(LINK, token=token, input=given(**more))["vendorShopLink"]
    assert made["userErrors"] == []
    return str(made["shop"]["id"])


def errors_of(answer: dict[str, Any]) -> list[tuple[str, list[str] | None]]:
    [payload] = answer.values()
    return [(error["code"], error["field"]) for error in payload["userErrors"]]


def message_of(shop_id: str, name: str = "m") -> Message:
    """A message of a customer that was received now."""
    [shop] = repository.get_shops([shop_id])
    assert shop is not None
    at = real_now()
    message = Message(
        models.message_id(shop.id, name),
        shop_id=shop.id,
        vendor=shop.vendor,
        type="SCRM_CUSTOMER_EVENT",
        received_at=at,
        begun_at=at,
    )
    message.raw = b'{"mobile":"13800138000"}'
    message.move(MessageState.WAITING)
    assert repository.receive(message) is None
    return message


# --- shops and links -------------------------------------------------------------------------


def test_shop_is_linked_once_and_changed(send: Client, headquarters: str) -> None:
    store = make_store("S1")
    made = send(
        LINK, token=headquarters, input=given(defaultStoreId=store.id, tells=["TAGS", "POINTS"])
    )["vendorShopLink"]
    assert made["shop"] == {
        "id": made["shop"]["id"],
        "vendor": "YOUZAN",
        "vendorKey": "74234",
        "clientId": "app-1",
        "name": "旗舰店",
        "defaultStore": {"id": store.id},
        "tells": ["POINTS", "TAGS"],
        "paused": False,
        "version": 1,
    }
    assert linked(send, headquarters) == made["shop"]["id"]
    changed = send(
        UPDATE,
        token=headquarters,
        input={
            "id": made["shop"]["id"],
            "name": "新店",
            "tells": [],
            "defaultStoreId": None,
            "paused": True,
            "expectedVersion": 1,
        },
    )["vendorShopUpdate"]
    assert changed["shop"] == {
        "name": "新店",
        "tells": [],
        "paused": True,
        "version": 2,
        "defaultStore": None,
    }


@pytest.mark.parametrize(
    ("more", "code", "field"),
    [
        ({"vendorKey": ""}, "INVALID", ["input", "vendorKey"]),
        ({"vendorKey": "a b"}, "INVALID", ["input", "vendorKey"]),
        ({"clientId": "x" * 65}, "INVALID", ["input", "clientId"]),
        ({"name": ""}, "INVALID", ["input", "name"]),
        ({"defaultStoreId": "nothing"}, "NOT_FOUND", ["input", "defaultStoreId"]),
    ],
)
def test_shop_that_cannot_be_is_refused_by_its_field(
    send: Client, headquarters: str, more: dict[str, Any], code: str, field: list[str]
) -> None:
    assert errors_of(send(LINK, token=headquarters, input=given(**more))) == [(code, field)]
    assert send(SHOPS, token=headquarters)["vendorShops"]["nodes"] == []


def test_shop_of_another_app_is_taken_and_an_old_version_is_refused(
    send: Client, headquarters: str
) -> None:
    shop_id = linked(send, headquarters)
    again = send(LINK, token=headquarters, input=given(clientId="app-2"))
    assert errors_of(again) == [("TAKEN", ["input", "vendorKey"])]
    old = send(UPDATE, token=headquarters, input={"id": shop_id, "expectedVersion": 7})
    assert errors_of(old) == [("CONFLICT", ["input", "expectedVersion"])]
    missing = send(UPDATE, token=headquarters, input={"id": "vsh_nothing"})
    assert errors_of(missing) == [("NOT_FOUND", ["input", "id"])]


def test_links_are_set_changed_and_ended_both_ways(send: Client, headquarters: str) -> None:
    shop_id = linked(send, headquarters)
    one, other = make_store("S1"), make_store("S2")
    guide, tag = make_guide(one, "小花", wecom_user_id="x"), make_tag()
    for kind, key, our_id in [
        ("STORE", "1", one.id),
        ("STORE", "1", other.id),
        ("STORE", "2", one.id),
        ("GUIDE", "xiaohua", guide.id),
        ("TAG", "高价值", tag.id),
    ]:
        told = {"shopId": shop_id, "kind": kind, "vendorKey": key, "ourId": our_id}
        made = send(SET_LINK, token=headquarters, input=told)["vendorShopSetLink"]
        assert made["link"] == {"kind": kind, "vendorKey": key, "ourId": our_id}
    [shop] = send(SHOPS, token=headquarters)["vendorShops"]["nodes"]
    assert shop["links"]["nodes"] == [
        {"vendorKey": "1", "ourId": other.id},
        {"vendorKey": "2", "ourId": one.id},
    ]
    kind = LinkKind.STORE
    assert repository.vendor_keys(shop_id, kind, [one.id, other.id]) == ["2", "1"]
    ended = {"shopId": shop_id, "kind": "STORE", "vendorKey": "2"}
    assert send(SET_LINK, token=headquarters, input=ended)["vendorShopSetLink"]["link"] is None
    assert repository.vendor_keys(shop_id, kind, [one.id, other.id]) == [None, "1"]


@pytest.mark.parametrize(
    ("more", "code", "field"),
    [
        ({"ourId": "nothing"}, "NOT_FOUND", "ourId"),
        ({"kind": "COUPON", "ourId": "x"}, "INVALID", "kind"),
        ({"vendorKey": "", "ourId": "x"}, "INVALID", "vendorKey"),
        ({"shopId": "nothing"}, "NOT_FOUND", "shopId"),
    ],
)
def test_link_that_cannot_be_is_refused_by_its_field(
    send: Client, headquarters: str, more: dict[str, Any], code: str, field: str
) -> None:
    told = {"shopId": linked(send, headquarters), "kind": "STORE", "vendorKey": "1", **more}
    assert errors_of(send(SET_LINK, token=headquarters, input=told)) == [(code, ["input", field])]


def test_unlinked_shop_leaves_nothing_but_its_messages(send: Client, headquarters: str) -> None:
    shop_id = linked(send, headquarters)
    told = {"shopId": shop_id, "kind": "STORE", "vendorKey": "1", "ourId": make_store("S1").id}
    send(SET_LINK, token=headquarters, input=told)
    message = message_of(shop_id)
    gone = "mutation ($id: ID!) { vendorShopUnlink(id: $id) { shop { id } userErrors { code } } }"
    assert send(gone, token=headquarters, id=shop_id)["vendorShopUnlink"]["userErrors"] == []
    assert send(SHOPS, token=headquarters)["vendorShops"]["nodes"] == []
    assert repository.our_id(shop_id, LinkKind.STORE, "1") is None
    assert repository.get_message(message.id) is not None


# --- messages --------------------------------------------------------------------------------


def test_dead_message_is_listed_with_its_problem_and_followed_again(
    send: Client, headquarters: str, queued: list[dict[str, Any]]
) -> None:
    shop_id = linked(send, headquarters)
    message = message_of(shop_id)
    repository.fail(message, Problem.NOT_LINKED, "STORE 9", next_at=None)
    [shop] = send(SHOPS, token=headquarters)["vendorShops"]["nodes"]
    assert shop["openMessages"]["nodes"] == [
        {"id": message.id, "problem": "NOT_LINKED", "detail": "STORE 9"}
    ]
    assert shop["messages"]["nodes"] == [{"type": "SCRM_CUSTOMER_EVENT", "state": "DEAD"}]
    again = send(REPLAY, token=headquarters, id=message.id)["vendorMessageReplay"]
    assert again == {"message": {"state": "WAITING"}, "userErrors": []}
    assert queued == [{"message": message.id, "turn": 2}]
    missing = send(REPLAY, token=headquarters, id="vmg_nothing")
    assert missing["vendorMessageReplay"]["userErrors"] == [{"code": "NOT_FOUND"}]


def test_handled_message_is_followed_again_too(
    send: Client, headquarters: str, queued: list[dict[str, Any]]
) -> None:
    message = message_of(linked(send, headquarters))
    repository.settle(message, Outcome.APPLIED, None, at=real_now())
    assert send(REPLAY, token=headquarters, id=message.id)["vendorMessageReplay"]["message"] == {
        "state": "WAITING"
    }
    assert len(queued) == 1


def test_many_are_woken_by_problem_within_what_is_kept(
    send: Client, headquarters: str, queued: list[dict[str, Any]]
) -> None:
    shop_id = linked(send, headquarters)
    since = (real_now() - timedelta(days=1)).isoformat()
    told = {"shopId": shop_id, "since": since, "problem": "NOT_LINKED"}
    assert errors_of(send(REPLAY_MANY, token=headquarters, input=told)) == []
    [wake] = queued
    assert (wake["wake"], wake["state"], wake["problem"]) == (shop_id, "DEAD", "NOT_LINKED")
    old = {"shopId": shop_id, "since": (real_now() - timedelta(days=31)).isoformat()}
    refused = send(REPLAY_MANY, token=headquarters, input=old)
    assert errors_of(refused) == [("INVALID", ["input", "since"])]


def test_body_is_shown_to_who_may_see_names_only(send: Client, headquarters: str) -> None:
    message = message_of(linked(send, headquarters))
    asked = "query ($id: ID!) { vendorMessage(id: $id) { body type } }"
    assert send(asked, token=headquarters, id=message.id)["vendorMessage"]["body"] is None
    seeing = auth.issue(
        Role.OPERATOR, "opr_1", scopes=frozenset({MANAGE_VENDORS, SEE_PERSONAL_DATA})
    )
    shown = send(asked, token=seeing, id=message.id)["vendorMessage"]
    assert shown["body"] == '{"mobile":"13800138000"}'


def test_keys_and_headquarters_without_the_scope_see_nothing(send: Client, chain: str) -> None:
    for token in (
        auth.issue(Role.OPERATOR, "opr_1", scopes=SCOPES - {MANAGE_VENDORS}),
        auth.issue(Role.INTEGRATION, "key_1", scopes=SCOPES),
    ):
        answer = send.post(SHOPS, token=token)
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


# --- copies, runs, the master ----------------------------------------------------------------


def test_copy_is_told_again_and_one_that_was_asked_for_is_asked_anew(
    send: Client, headquarters: str, queued: list[dict[str, Any]]
) -> None:
    shop_id = linked(send, headquarters, tells=["COUPON"])
    copy = repository.mark_due(shop_id, CopyKind.COUPON, "cpn_1", real_now())
    repository.note_asked(copy, models.ASKED)
    repository.note_untold(copy, Problem.BUSY, "UNCLEAR", next_at=None)
    retry = (
        "mutation ($id: ID!) { vendorCopyRetry(id: $id) { copy { state } userErrors { code } } }"
    )
    told = send(retry, token=headquarters, id=copy.id)["vendorCopyRetry"]
    assert told == {"copy": {"state": "DUE"}, "userErrors": []}
    [now] = repository.get_copies([copy.id])
    assert isinstance(now, Copy)
    assert (now.told, int(now.turn)) == (None, 3)
    assert queued == [{"copy_id": copy.id, "turn": 3}]
    [shop] = send(SHOPS, token=headquarters)["vendorShops"]["nodes"]
    assert shop["openCopies"]["nodes"] == [{"kind": "COUPON", "subjectId": "cpn_1"}]


def test_run_is_begun_for_a_window_once(
    send: Client, headquarters: str, queued: list[dict[str, Any]]
) -> None:
    shop_id = linked(send, headquarters)
    until = real_now().replace(microsecond=0)
    window = {
        "shopId": shop_id,
        "since": (until - timedelta(days=3)).isoformat(),
        "until": until.isoformat(),
    }
    one = send(RUN, token=headquarters, input=window)["vendorRunBegin"]["run"]
    other = send(RUN, token=headquarters, input=window)["vendorRunBegin"]["run"]
    assert (one, one["state"]) == (other, "RUNNING")
    assert queued == [{"run": one["id"], "step": 0}]
    [shop] = send(SHOPS, token=headquarters)["vendorShops"]["nodes"]
    assert shop["runs"]["nodes"] == [{"state": "RUNNING", "asked": 0}]


@pytest.mark.parametrize(
    ("since", "until", "field"), [(3, -1, "until"), (100, 1, "since"), (1, 2, "since")]
)
def test_window_in_the_future_too_long_or_backwards_is_refused(
    send: Client, headquarters: str, since: int, until: int, field: str
) -> None:
    window = {
        "shopId": linked(send, headquarters),
        "since": (real_now() - timedelta(days=since)).isoformat(),
        "until": (real_now() - timedelta(days=until)).isoformat(),
    }
    refused = send(RUN, token=headquarters, input=window)
    assert errors_of(refused) == [("INVALID", ["input", field])]


def test_master_of_points_is_ours_until_somebody_says_otherwise(
    send: Client, headquarters: str, queued: list[dict[str, Any]]
) -> None:
    asked = "{ vendorSetup { pointsMaster version } }"
    first = {"pointsMaster": "OURS", "version": None}
    assert send(asked, token=headquarters)["vendorSetup"] == first
    shop_id = linked(send, headquarters, tells=["POINTS"])
    set_ = send(MASTER, token=headquarters, input={"master": "YOUZAN"})["pointsMasterSet"]
    assert set_["setup"] == {"pointsMaster": "YOUZAN", "version": 1}
    assert queued == []
    back = send(MASTER, token=headquarters, input={"master": "OURS", "expectedVersion": 1})
    assert back["pointsMasterSet"]["setup"] == {"pointsMaster": "OURS", "version": 2}
    assert queued == [{"compare": shop_id, "after": None}]
