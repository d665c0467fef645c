"""What guides earn, over GraphQL."""

from typing import Any

import pytest

from graphql_api import auth
from graphql_api.commissions import tasks
from graphql_api.guides.models import Guide
from graphql_api.stores.models import Store
from graphql_api.viewer import READ_COMMISSIONS, Role
from tests.calls import counted
from tests.commissions.storage import followed, on
from tests.conftest import Client
from tests.factories import make_guide, make_member, make_refund, make_shell, make_snapshot
from tests.stores.factories import make_store

EARNED = """query ($id: ID!, $month: String!) { guide(by: {id: $id}) {
  commission(month: $month) { month pending settled reversed total
    rows { nodes { kind amount day state level settlesOn settledOn order { id net } } } } } }"""
OF_STORE = """query ($id: ID!, $month: String!) { store(by: {id: $id}) {
  commission(month: $month) { month pending settled reversed total } } }"""


def token_of(guide: Guide) -> str:
    return auth.issue(Role.GUIDE, guide.id, unit_id=guide.store_id)


def manager_of(store: Store) -> str:
    return auth.issue(Role.STORE_MANAGER, "stm_1", unit_id=store.id)


def test_guide_sees_what_they_earn_at_once_and_what_was_taken_back(
    send: Client, store: Store, guide: Guide
) -> None:
    order = make_snapshot(store, guide_id=guide.id)
    followed(order)
    token = token_of(guide)
    [seen] = send(EARNED, token=token, id=guide.id, month="2018-01").values()
    assert seen["commission"] == {
        "month": "2018-01",
        "pending": "1.50",
        "settled": "0.00",
        "reversed": "0.00",
        "total": "1.50",
        "rows": {
            "nodes": [
                {
                    "kind": "SELLING",
                    "amount": "1.50",
                    "day": "2018-01-05",
                    "state": "PENDING",
                    "level": 5,
                    "settlesOn": "2018-01-20",
                    "settledOn": None,
                    "order": {"id": order.order_id, "net": "100.00"},
                }
            ]
        },
    }
    later = on("2018-02-03")
    tasks.settle(later.today())
    back = make_refund(amount=10_000, at=later.now())
    followed(make_shell(back, external_id=order.external_id), clock=later)
    [seen] = send(EARNED, token=token, id=guide.id, month="2018-02").values()
    assert (seen["commission"]["reversed"], seen["commission"]["total"]) == ("-1.50", "-1.50")
    [row] = seen["commission"]["rows"]["nodes"]
    assert (row["state"], row["amount"], row["day"]) == ("REVERSED", "-1.50", "2018-02-03")


def test_colleagues_see_nothing_of_it_and_members_may_not_ask(
    send: Client, store: Store, guide: Guide
) -> None:
    followed(make_snapshot(store, guide_id=guide.id))
    colleague = token_of(make_guide(store, "陈静"))
    [seen] = send(EARNED, token=colleague, id=guide.id, month="2018-01").values()
    assert seen == {"commission": None}
    member = auth.issue(Role.MEMBER, make_member(store).id)
    for token in (member, auth.issue(Role.INTEGRATION, "key_1", scopes=frozenset())):
        answer = send.post(EARNED, token=token, id=guide.id, month="2018-01")
        assert {e["extensions"]["code"] for e in answer["errors"]} == {"FORBIDDEN"}


@pytest.mark.parametrize("who", ["manager", "operator", "key"])
def test_who_leads_the_store_and_headquarters_see_it(
    send: Client, store: Store, guide: Guide, who: str
) -> None:
    followed(make_snapshot(store, guide_id=guide.id))
    scopes = frozenset({READ_COMMISSIONS, "stores:read", "orders:read"})
    tokens = {
        "manager": manager_of(store),
        "operator": auth.issue(Role.OPERATOR, "opr_1"),
        "key": auth.issue(Role.INTEGRATION, "key_1", scopes=scopes),
    }
    [seen] = send(EARNED, token=tokens[who], id=guide.id, month="2018-01").values()
    assert seen["commission"]["total"] == "1.50"
    [seen] = send(OF_STORE, token=tokens[who], id=store.id, month="2018-01").values()
    assert seen["commission"]["pending"] == "1.50"


def test_manager_of_another_store_sees_none_of_its_books(
    send: Client, store: Store, guide: Guide
) -> None:
    followed(make_snapshot(store, guide_id=guide.id))
    stranger = manager_of(make_store("S2"))
    answer = send.post(OF_STORE, token=stranger, id=store.id, month="2018-01")
    assert [e["extensions"]["code"] for e in answer["errors"]] == ["FORBIDDEN"]


@pytest.mark.parametrize("document", [EARNED, OF_STORE])
def test_month_is_a_month(
    send: Client, store: Store, guide: Guide, operator: str, document: str
) -> None:
    given: dict[str, Any] = {"id": store.id if document is OF_STORE else guide.id}
    for month in ("2018-13", "2018-1", "x"):
        answer = send.post(document, token=operator, month=month, **given)
        [error] = answer["errors"]
        assert error["extensions"]["code"] == "BAD_USER_INPUT"


def test_guides_of_a_store_are_one_read_for_all(send: Client, store: Store, operator: str) -> None:
    for n in range(5):
        make_guide(store, f"导购{n}")
    document = """query ($id: ID!) { store(by: {id: $id}) { guides { nodes {
        commission(month: "2018-01") { total } } } } }"""
    send(document, token=operator, id=store.id)
    with counted() as calls:
        data = send(document, token=operator, id=store.id)
    totals = [g["commission"]["total"] for g in data["store"]["guides"]["nodes"]]
    assert totals == ["0.00"] * 5
    # Whether the token holds, the store, its guides, and the sums of all of them.
    assert calls == {"BatchGetItem": 4, "Query": 1}
