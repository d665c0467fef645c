"""Orders over GraphQL: found by id and number, seen by whom they concern, written by machines."""

from dataclasses import dataclass
from typing import Any

import pytest

from graphql_api import auth
from graphql_api.kit import ids
from graphql_api.members.models import Member
from graphql_api.members.rules import IdentityKind
from graphql_api.orders import service
from graphql_api.orders.service import Snapshot
from graphql_api.stores.models import Store
from graphql_api.viewer import READ_ORDERS, SCOPES, WRITE_ORDERS, Role
from tests.conftest import Client
from tests.coupons.factories import issue, make_template
from tests.factories import (
    CLOCK,
    NOW,
    make_guide,
    make_identity,
    make_member,
    make_refund,
    make_settled,
    make_shell,
    make_snapshot,
    make_store,
    make_unit,
)
from tests.orders.storage import everything, facts_of

ORDER = "query ($by: OrderSelector!) { order(by: $by) { id } }"
WHOLE_ORDER = """query ($by: OrderSelector!) {
  order(by: $by) {
    id source externalId revision status paidAt day total refunded net channel recordedAt
    pointsUsed couponCodes settledAt
    lines { itemId name category quantity amount }
    refunds { id at amount lines { itemId amount } }
    member { id } store { code } guide { name } exclusiveGuide { name }
  }
}"""
APPLY = """mutation ($input: OrderApplyInput!) {
  orderApply(input: $input) {
    order { id status total refunded net member { id } lines { amount } refunds { id amount } }
    userErrors { code field message }
  }
}"""


@dataclass(frozen=True)
class Sold:
    """An order that one guide sold to a member of another guide, in a region of its own."""

    order: Snapshot
    member: Member
    tokens: dict[str, str]


@pytest.fixture
def sold(store: Store) -> Sold:
    region, other_region = make_unit("华东"), make_unit("华北")
    shop = make_store("S2", under=region.id)
    make_store("S3", under=other_region.id)
    selling, exclusive = make_guide(shop, "甲"), make_guide(store, "乙")
    member = make_member(store, guide_id=exclusive.id)
    other_member = make_member(store)
    order = make_snapshot(shop, make_refund(), guide_id=selling.id, member_id=member.id)
    service.apply(order, clock=CLOCK)
    tokens = {
        "the member": auth.issue(Role.MEMBER, member.id),
        "another member": auth.issue(Role.MEMBER, other_member.id),
        "selling guide": auth.issue(Role.GUIDE, selling.id, unit_id=shop.id),
        "exclusive guide": auth.issue(Role.GUIDE, exclusive.id, unit_id=store.id),
        "colleague": auth.issue(Role.GUIDE, make_guide(shop, "丙").id, unit_id=shop.id),
        "manager": auth.issue(Role.STORE_MANAGER, "man_1", unit_id=shop.id),
        "manager of the member's store": auth.issue(Role.STORE_MANAGER, "man_2", unit_id=store.id),
        "headquarters": auth.issue(Role.OPERATOR, "opr_1"),
        "region": auth.issue(Role.OPERATOR, "opr_2", unit_id=region.id),
        "other region": auth.issue(Role.OPERATOR, "opr_3", unit_id=other_region.id),
        "key that reads": auth.issue(Role.INTEGRATION, "key_1", scopes=frozenset({READ_ORDERS})),
    }
    return Sold(order, member, tokens)


def test_order_is_shown_whole(send: Client, operator: str, store: Store) -> None:
    guide, own_guide = make_guide(store, "甲"), make_guide(store, "乙")
    member = make_member(store, guide_id=own_guide.id)
    refund = make_refund(amount=50, lines=[{"item_id": "a", "amount": 20}])
    line = {"item_id": "a", "name": "米", "category": "粮", "quantity": 2, "amount": 1_234}
    order = make_snapshot(
        store,
        refund,
        external_id="W1",
        revision=2**62,
        total=None,
        guide_id=guide.id,
        member_id=member.id,
        lines=[line],
        points_used=300,
        coupons=["C2", "C1"],
    )
    service.apply(order, clock=CLOCK)
    service.apply(make_settled(order.external_id), clock=CLOCK)
    data = send(WHOLE_ORDER, token=operator, by={"id": order.order_id})
    assert data["order"] == {
        "id": order.order_id,
        "source": "pos",
        "externalId": "W1",
        "revision": "4611686018427387904",
        "status": "PARTIALLY_REFUNDED",
        "paidAt": "2018-01-05T04:00:00.000Z",
        "day": "2018-01-05",
        "total": "12.34",
        "refunded": "0.50",
        "net": "11.84",
        "channel": "STORE",
        "recordedAt": "2018-01-10T04:00:00.000Z",
        "pointsUsed": 300,
        "couponCodes": ["C2", "C1"],
        "settledAt": "2018-01-10T04:00:00.000Z",
        "lines": [
            {"itemId": "a", "name": "米", "category": "粮", "quantity": 2, "amount": "12.34"}
        ],
        "refunds": [
            {
                "id": "r1",
                "at": "2018-01-10T04:00:00.000Z",
                "amount": "0.50",
                "lines": [{"itemId": "a", "amount": "0.20"}],
            }
        ],
        "member": {"id": member.id},
        "store": {"code": "S1"},
        "guide": {"name": "甲"},
        "exclusiveGuide": {"name": "乙"},
    }


REWARDS = """query ($by: OrderSelector!) {
  order(by: $by) {
    points { earned capped waived used restored tier percent policyVersion }
    coupons { redeemed { id state } returned { id } problems { code reason } }
  }
}"""


def test_order_shows_what_came_of_points_and_coupons(
    send: Client, operator: str, store: Store
) -> None:
    member = make_member(store)
    template = make_template()
    mine, theirs = issue(member, template), issue(make_member(store), template)
    order = make_snapshot(
        store,
        make_refund(amount=2_500),
        member_id=member.id,
        points_used=80,
        coupons=[mine.coupon_id, theirs.coupon_id],
        paid_at=NOW,
    )
    service.apply(order, clock=CLOCK)
    by = {"id": order.order_id}
    used = {"id": mine.coupon_id, "state": "REDEEMED"}
    problem = {"code": theirs.coupon_id, "reason": "OTHER_MEMBER"}
    assert send(REWARDS, token=operator, by=by)["order"] == {
        "points": {
            "earned": 75,
            "capped": 0,
            "waived": 0,
            "used": 80,
            "restored": 20,
            "tier": "V1",
            "percent": 100,
            "policyVersion": 0,
        },
        "coupons": {"redeemed": [used], "returned": [], "problems": [problem]},
    }
    service.apply(
        make_shell(make_refund("r2", amount=7_500), external_id=order.external_id), clock=CLOCK
    )
    shown = send(REWARDS, token=auth.issue(Role.MEMBER, member.id), by=by)["order"]
    assert (shown["points"]["earned"], shown["points"]["restored"]) == (0, 80)
    assert shown["coupons"]["returned"] == [{"id": mine.coupon_id}]
    nobody = make_snapshot(store)
    service.apply(nobody, clock=CLOCK)
    told = send(REWARDS, token=operator, by={"id": nobody.order_id})
    assert told["order"] == {"points": None, "coupons": None}


def test_shell_has_no_body(send: Client, operator: str, chain: str) -> None:
    shell = make_shell(external_id="W1")
    service.apply(shell, clock=CLOCK)
    data = send(WHOLE_ORDER, token=operator, by={"id": shell.order_id})
    shown = data["order"]
    assert (shown["status"], shown["total"], shown["refunds"][0]["amount"]) == (
        "SHELL",
        "0.00",
        "10.00",
    )
    assert {shown[name] for name in ("paidAt", "day", "channel", "store", "member")} == {None}


def test_order_is_found_by_its_number_at_its_source(
    send: Client, operator: str, store: Store
) -> None:
    order = make_snapshot(store, external_id="W/1")
    service.apply(order, clock=CLOCK)
    by = {"external": {"source": "pos", "externalId": "W/1"}}
    assert send(ORDER, token=operator, by=by)["order"] == {"id": order.order_id}


@pytest.mark.parametrize(
    "by",
    [
        {"external": {"source": "pos", "externalId": "W2"}},
        {"external": {"source": "pos2", "externalId": "W1"}},
        {"external": {"source": "", "externalId": ""}},
        {"id": ids.derived_id("ord", "pos", "W2")},
        {"id": "waiting#OPENID#openid-1"},
        {"id": "x" * 3_000},
        {"id": ""},
    ],
)
def test_unknown_order_is_null(
    send: Client, operator: str, store: Store, by: dict[str, Any]
) -> None:
    buyer = make_identity("openid-1")
    service.apply(make_snapshot(store, external_id="W1", buyer=[buyer]), clock=CLOCK)
    assert send(ORDER, token=operator, by=by) == {"order": None}


SEEN = {
    "the member": True,
    "another member": False,
    "selling guide": True,
    "exclusive guide": True,
    "colleague": False,
    "manager": True,
    "manager of the member's store": False,
    "headquarters": True,
    "region": True,
    "other region": False,
    "key that reads": True,
}


def test_who_finds_an_order(send: Client, sold: Sold) -> None:
    id_ = sold.order.order_id
    external = {"source": "pos", "externalId": sold.order.external_id}
    for who, seen in SEEN.items():
        token, expected = sold.tokens[who], {"id": id_} if seen else None
        assert send(ORDER, token=token, by={"id": id_})["order"] == expected, who
        assert send(ORDER, token=token, by={"external": external})["order"] == expected, who
        found = send("query ($id: ID!) { node(id: $id) { id } }", token=token, id=id_)
        assert found["node"] == expected, who


def test_member_who_is_not_yours_to_see_is_null_in_an_order_that_is(
    send: Client, sold: Sold
) -> None:
    document = """query ($by: OrderSelector!) { order(by: $by) { member { id name } } }"""
    shown = {
        who: send(document, token=sold.tokens[who], by={"id": sold.order.order_id})["order"]
        for who in ("selling guide", "exclusive guide", "manager", "headquarters")
    }
    assert {who for who, order in shown.items() if order["member"]} == {
        "exclusive guide",
        "headquarters",
    }


def test_key_without_the_scope_reads_no_order(send: Client, sold: Sold) -> None:
    token = auth.issue(Role.INTEGRATION, "key_1", scopes=SCOPES - {READ_ORDERS})
    answer = send.post(ORDER, token=token, by={"id": sold.order.order_id})
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert "data" not in answer
    node = send("query ($id: ID!) { node(id: $id) { id } }", token=token, id=sold.order.order_id)
    assert node == {"node": None}


def test_who_may_not_write_orders_writes_nothing(send: Client, sold: Sold) -> None:
    before = everything()
    given = {"source": "pos", "externalId": "W9", "refunds": []}
    for who in ("the member", "selling guide", "manager", "key that reads"):
        answer = send.post(APPLY, token=sold.tokens[who], input=given)
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN", who
    assert everything() == before


def test_nobody_reads_or_writes_orders(send: Client, sold: Sold) -> None:
    for document, given in (
        (ORDER, {"by": {"id": sold.order.order_id}}),
        (APPLY, {"input": {"source": "pos", "externalId": "W9"}}),
    ):
        answer = send.post(document, token=None, **given)
        assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def told(store: Store, **more: Any) -> dict[str, Any]:
    """A snapshot as a till sends it."""
    return {
        "source": "pos",
        "externalId": "W1",
        "body": {
            "revision": "1",
            "paidAt": "2018-01-05T12:00:00+08:00",
            "storeId": store.id,
            "buyer": [{"kind": "PHONE", "value": "138 0013 8000"}],
            "lines": [{"itemId": "a", "amount": "12.34"}, {"itemId": "b", "amount": "0.66"}],
        },
        "refunds": [
            {
                "id": "r1",
                "revision": "1",
                "at": "2018-01-06T12:00:00+08:00",
                "amount": "3.00",
                "lines": [{"itemId": "a", "amount": "3"}],
            }
        ],
        **more,
    }


def test_order_is_applied_once(send: Client, integration: str, store: Store) -> None:
    member = make_member(store, make_identity("+8613800138000", IdentityKind.PHONE))
    expected = {
        "order": {
            "id": ids.derived_id("ord", "pos", "W1"),
            "status": "PARTIALLY_REFUNDED",
            "total": "13.00",
            "refunded": "3.00",
            "net": "10.00",
            "member": {"id": member.id},
            "lines": [{"amount": "12.34"}, {"amount": "0.66"}],
            "refunds": [{"id": "r1", "amount": "3.00"}],
        },
        "userErrors": [],
    }
    for _ in range(2):
        data = send(APPLY, token=integration, input=told(store))
        assert data["orderApply"] == expected
    facts = facts_of(member.id)
    assert (facts.orders, facts.paid, facts.refunded, facts.growth) == (1, 1_300, 300, 10)


def test_key_that_only_writes_is_told_that_it_did_but_not_what_is_there(
    send: Client, store: Store
) -> None:
    token = auth.issue(Role.INTEGRATION, "key_1", scopes=frozenset({WRITE_ORDERS}))
    document = """mutation ($input: OrderApplyInput!) {
      orderApply(input: $input) { userErrors { code } }
    }"""
    assert send(document, token=token, input=told(store)) == {"orderApply": {"userErrors": []}}
    assert len(everything()) > 0
    refused = send.post(APPLY, token=token, input=told(store))
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"


def test_region_writes_orders_of_its_stores_only(send: Client, sold: Sold, store: Store) -> None:
    refund = {
        "source": "pos",
        "externalId": sold.order.external_id,
        "refunds": told(store)["refunds"],
    }
    before = everything()
    for given, field in ((refund, ["externalId"]), (told(store), ["body", "storeId"])):
        data = send(APPLY, token=sold.tokens["other region"], input=given)
        [error] = data["orderApply"]["userErrors"]
        assert (error["code"], error["field"]) == ("NOT_FOUND", ["input", *field])
    assert everything() == before
    assert send(APPLY, token=sold.tokens["region"], input=refund)["orderApply"]["order"]


def changed(given: Any, path: str, value: Any) -> Any:
    """The input with something else at a path such as `body.lines.0.amount`."""
    head, _, rest = path.partition(".")
    if isinstance(given, list):
        kept = list(given)
        kept[int(head)] = changed(given[int(head)], rest, value) if rest else value
        return kept
    return {**given, head: changed(given.get(head), rest, value) if rest else value}


LINE = {"itemId": "a", "amount": "1.00"}
REFUND = {"id": "r1", "revision": "1", "at": "2018-01-06T12:00:00+08:00", "amount": "1.00"}
# Without a code: the value is none of its scalar, which is an error of the request.
WRONG_VALUES: list[tuple[str, Any, str | None, str]] = [
    ("source", "", "INVALID", "source"),
    ("source", "POS", "INVALID", "source"),
    ("source", "p" * 32, "INVALID", "source"),
    ("externalId", "", "INVALID", "externalId"),
    ("externalId", "W 1", "INVALID", "externalId"),
    ("externalId", "订单", "INVALID", "externalId"),
    ("externalId", "W" * 101, "INVALID", "externalId"),
    ("body.revision", "one", "INVALID", "body.revision"),
    ("body.revision", "", "INVALID", "body.revision"),
    ("body.revision", "1.5", "INVALID", "body.revision"),
    ("body.revision", "-1", "INVALID", "body.revision"),
    ("body.revision", str(2**62 + 1), "INVALID", "body.revision"),
    ("body.revision", "9" * 400, "INVALID", "body.revision"),
    ("body.paidAt", "2199-12-31T00:00:00Z", "INVALID", "body.paidAt"),
    ("body.paidAt", "9999-12-31T23:59:59-12:00", None, ""),
    ("body.paidAt", "1969-12-31T23:59:59Z", "INVALID", "body.paidAt"),
    ("body.paidAt", "0001-01-01T00:00:00Z", "INVALID", "body.paidAt"),
    ("body.paidAt", "2018-01-05T12:00:00", None, ""),
    ("body.paidAt", "2018-01-05", None, ""),
    ("body.total", "-0.01", "INVALID", "body.total"),
    ("body.total", "10000000000.01", "INVALID", "body.total"),
    ("body.total", "1.234", None, ""),
    ("body.total", 1.2, None, ""),
    ("body.total", "1,00", None, ""),
    ("body.storeId", ids.derived_id("sto", "nowhere"), "NOT_FOUND", "body.storeId"),
    ("body.storeId", "", "NOT_FOUND", "body.storeId"),
    ("body.guideId", ids.derived_id("gde", "nobody"), "NOT_FOUND", "body.guideId"),
    ("body.memberId", ids.derived_id("mbr", "nobody"), "NOT_FOUND", "body.memberId"),
    ("body.memberId", ids.derived_id("sto", "nowhere"), "NOT_FOUND", "body.memberId"),
    ("body.channel", "BAZAAR", None, ""),
    ("body.lines", [LINE] * 201, "INVALID", "body.lines"),
    ("body.lines.1.amount", "-1.00", "INVALID", "body.lines.1.amount"),
    ("body.lines.1.amount", "0.001", None, ""),
    ("body.lines.1.quantity", -1, "INVALID", "body.lines.1.quantity"),
    ("body.lines.1.quantity", 1_000_001, "INVALID", "body.lines.1.quantity"),
    ("body.lines.1.itemId", "", "INVALID", "body.lines.1.itemId"),
    ("body.lines.1.name", "超" * 201, "INVALID", "body.lines.1.name"),
    ("body.lines.1.category", "超" * 201, "INVALID", "body.lines.1.category"),
    (
        "body.buyer",
        [{"kind": "OPENID", "value": f"o-{n}"} for n in range(9)],
        "INVALID",
        "body.buyer",
    ),
    ("body.buyer.0.value", "1380013800", "INVALID", "body.buyer.0.value"),
    ("body.buyer.0.kind", "FAX", None, ""),
    ("body.pointsUsed", -1, "INVALID", "body.pointsUsed"),
    ("body.pointsUsed", 10**9 + 1, "INVALID", "body.pointsUsed"),
    ("body.coupons", [f"C{n}" for n in range(11)], "INVALID", "body.coupons"),
    ("body.coupons", ["C1", "C2", "C1"], "INVALID", "body.coupons"),
    ("body.coupons", ["券"], "INVALID", "body.coupons.0"),
    ("settledAt", "2199-12-31T00:00:00Z", "INVALID", "settledAt"),
    ("settledAt", "2018-01-10T12:00:00", None, ""),
    ("refunds", [REFUND | {"id": f"r{n}"} for n in range(51)], "INVALID", "refunds"),
    ("refunds", [REFUND, REFUND | {"revision": "2"}], "INVALID", "refunds"),
    ("refunds.0.id", "", "INVALID", "refunds.0.id"),
    ("refunds.0.revision", "v1", "INVALID", "refunds.0.revision"),
    ("refunds.0.at", "2018-01-06T12:00:00", None, ""),
    ("refunds.0.at", "2200-01-01T00:00:00Z", "INVALID", "refunds.0.at"),
    ("refunds.0.amount", "-3.00", "INVALID", "refunds.0.amount"),
    ("refunds.0.amount", "2.999", None, ""),
    ("refunds.0.amount", "2.99", "INVALID", "refunds.0"),
    ("refunds.0.lines", [LINE] * 201, "INVALID", "refunds.0.lines"),
    ("refunds.0.lines.0.amount", "-1", "INVALID", "refunds.0.lines.0.amount"),
]


def refusal_in(answer: dict[str, Any]) -> tuple[str | None, str]:
    """The code and the path of the one problem; no code where it is an error of the request."""
    if "errors" in answer:
        [error] = answer["errors"]
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
        return None, error["message"]
    assert answer["data"]["orderApply"]["order"] is None
    [error] = answer["data"]["orderApply"]["userErrors"]
    return error["code"], ".".join(error["field"]).removeprefix("input.")


def test_wrong_value_is_refused_by_its_field_with_nothing_written(
    send: Client, integration: str, store: Store
) -> None:
    before = everything()
    for path, value, code, field in WRONG_VALUES:
        answer = send.post(APPLY, token=integration, input=changed(told(store), path, value))
        refused, where = refusal_in(answer)
        assert refused == code, path
        assert path.rpartition(".")[2] in where if code is None else where == field, path
    assert everything() == before


def test_snapshot_that_says_nothing_is_refused(send: Client, integration: str, chain: str) -> None:
    data = send(APPLY, token=integration, input={"source": "pos", "externalId": "W1"})
    [error] = data["orderApply"]["userErrors"]
    assert (error["code"], error["field"]) == ("INVALID", ["input"])


def test_every_wrong_value_is_named_at_once(send: Client, integration: str, store: Store) -> None:
    given = changed(changed(told(store), "source", "POS"), "refunds.0.revision", "x")
    data = send(APPLY, token=integration, input=given)
    fields = [error["field"] for error in data["orderApply"]["userErrors"]]
    assert fields == [["input", "source"], ["input", "refunds", "0", "revision"]]
