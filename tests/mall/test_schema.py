"""The mall over GraphQL: members see what they can have, and have it once for a key."""

from typing import Any

import pytest

from graphql_api import auth
from graphql_api.kit.time import Clock
from graphql_api.members.models import Member
from graphql_api.stores.models import Store
from graphql_api.viewer import Role
from tests.calls import counted
from tests.conftest import Client
from tests.factories import make_store
from tests.mall.factories import draft, had, left, make_item, make_rich, points_of, redeem

NOW = Clock()
"""The API goes by the clock on the wall, and points run out."""

REDEEM = """
mutation Redeem($input: MallItemRedeemInput!) {
  mallItemRedeem(input: $input) @idempotent(key: "redeem-1") {
    redemption { id state points }
    userErrors { field code }
  }
}
"""
SHOWN = "{ mallItems { nodes { name left obstacle } } }"


@pytest.fixture
def member(store: Store) -> Member:
    """A member with 1,000 points of today."""
    return make_rich(store, clock=NOW)


def token(member: Member) -> str:
    return auth.issue(Role.MEMBER, member.id)


def works_in(store: Store) -> str:
    return auth.issue(Role.GUIDE, "gde_1", unit_id=store.id)


def test_member_sees_what_can_be_had_and_what_is_in_the_way(
    send: Client, member: Member, store: Store
) -> None:
    names = {
        "茶": make_item(name="茶"),
        "杯": make_item(name="杯", per_member=1),
        "壶": make_item(name="壶", points=5_000),
        "盘": make_item(name="盘", stock=0),
        "碗": make_item(name="碗", stock=None, tiers=["V6"]),
    }
    draft(name="草稿")
    redeem(member, names["杯"], store, clock=NOW)
    data: Any = send(SHOWN, token=token(member))
    assert [tuple(one.values()) for one in data["mallItems"]["nodes"]] == [
        ("茶", 2, None),
        ("杯", 1, "LIMIT"),
        ("壶", 2, "POINTS"),
        ("盘", 0, "OUT_OF_STOCK"),
        ("碗", None, "TIER"),
    ]


def test_page_of_items_takes_a_bounded_number_of_reads(
    send: Client, member: Member, store: Store
) -> None:
    for _ in range(5):
        make_item()
    send(SHOWN, token=token(member))
    with counted() as calls:
        send(SHOWN, token=token(member))
    # The token; the items; their stock; the member; what the member had.
    assert calls == {"BatchGetItem": 5, "Query": 1}


def test_item_is_had_once_for_a_key_and_not_without_one(
    send: Client, member: Member, store: Store
) -> None:
    item = make_item()
    given = {"memberId": member.id, "itemId": item.id, "storeId": store.id}
    bare = REDEEM.replace('@idempotent(key: "redeem-1")', "")
    refused: Any = send(bare, token=token(member), input=given)
    assert refused["mallItemRedeem"]["userErrors"] == [{"field": None, "code": "REQUIRED"}]
    first: Any = send(REDEEM, token=token(member), input=given)
    again: Any = send(REDEEM, token=token(member), input=given)
    assert first == again
    assert first["mallItemRedeem"]["redemption"]["state"] == "WAITING"
    assert (points_of(member), left(item), len(had(member))) == (900, 1, 1)


def test_member_who_cannot_pay_is_told_so(send: Client, member: Member, store: Store) -> None:
    item = make_item(points=2_000)
    given = {"memberId": member.id, "itemId": item.id, "storeId": store.id}
    data: Any = send(REDEEM, token=token(member), input=given)
    assert data["mallItemRedeem"] == {
        "redemption": None,
        "userErrors": [{"field": ["input", "itemId"], "code": "INSUFFICIENT_POINTS"}],
    }


def test_redemption_is_seen_by_the_member_and_where_it_waits(
    send: Client, member: Member, store: Store
) -> None:
    one = redeem(member, make_item(), store, clock=NOW)
    elsewhere = make_store("S2")
    asked = "query One($id: ID!) { mallRedemption(id: $id) { id } node(id: $id) { id } }"
    viewers = [token(member), works_in(store), token(make_rich(store)), works_in(elsewhere)]
    seen = [send(asked, token=viewer, id=one.redemption_id) for viewer in viewers]
    shown = {"id": one.redemption_id}
    known, unknown = (dict.fromkeys(("mallRedemption", "node"), who) for who in (shown, None))
    assert seen == [known, known, unknown, unknown]
    waiting = "query Waiting($id: ID!) { mallRedemptionsWaiting(storeId: $id) { nodes { id } } }"
    data: Any = send(waiting, token=works_in(store), id=store.id)
    assert data["mallRedemptionsWaiting"]["nodes"] == [shown]
    answer = send.post(waiting, token=works_in(elsewhere), id=store.id)
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


def test_drafts_are_listed_for_who_makes_them(send: Client, member: Member, operator: str) -> None:
    draft(name="草稿")
    asked = "{ mallItems(state: DRAFT) { nodes { name } } }"
    data: Any = send(asked, token=operator)
    assert data["mallItems"]["nodes"] == [{"name": "草稿"}]
    answer = send.post(asked, token=token(member))
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
