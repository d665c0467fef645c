"""Quotes and reservations over the API: the example of the documentation, refusals, who may."""

from datetime import UTC, datetime
from typing import Any

import pytest

from graphql_api import auth
from graphql_api.checkout.models import CheckoutItem
from graphql_api.coupons.models import Coupon
from graphql_api.edge.execution import chain_clock
from graphql_api.kit.time import Clock
from graphql_api.members.models import Member
from graphql_api.points import service as points
from graphql_api.points.service import Cause
from graphql_api.policies.rules import PolicyKind
from graphql_api.standing import service as standing
from graphql_api.standing.service import TierGrant
from graphql_api.viewer import SYSTEM, Role
from tests.checkout.baskets import save
from tests.conftest import Client
from tests.coupons.factories import issue, make_template
from tests.factories import make_member, make_store
from tests.policies.factories import make_draft, publish

MEMBER_DAY = Clock(wall=lambda: datetime(2018, 1, 18, 4, tzinfo=UTC))
LINES: list[dict[str, Any]] = [
    {"itemId": "nuts-500", "category": "坚果", "quantity": 2, "unitPrice": "60.00"},
    {"itemId": "tea-100", "category": "茶", "unitPrice": "80.00"},
]
ASKED: dict[str, Any] = {"channel": "MALL", "shipping": "12.00", "points": 1000, "lines": LINES}
QUOTE = """query Quote($input: CheckoutInput!) {
  checkoutQuote(input: $input) {
    goods off shipping shippingOff total points byPoints usablePoints payable couponIds
    lines { amount off byPoints payable }
    steps { kind name amount shares reason missing couponReasons coupon { template { name } } }
  }
}"""
KEEP = """mutation Keep($key: String!, $input: CheckoutReserveInput!) {
  checkoutReserve(input: $input) @idempotent(key: $key) {
    reservation { orderId state until points coupons { id } order { id } }
    quote { payable }
    userErrors { code field message }
  }
}"""
RELEASE = """mutation CheckoutRelease($key: String!, $input: CheckoutOrderInput!) {
  checkoutRelease(input: $input) @idempotent(key: $key) {
    reservation { state releasedAt } userErrors { code field }
  }
}"""
KEPT = """query Kept($input: CheckoutOrderInput!) {
  checkoutReservation(input: $input) { state externalId payable }
}"""


@pytest.fixture(autouse=True)
def _member_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """The chain's clock stands on a member day."""

    async def read() -> Clock:
        return MEMBER_DAY

    monkeypatch.setattr(chain_clock, "read", read)


@pytest.fixture
def coupon(member: Member) -> Coupon:
    """10 yuan off, for a member of V4 with 3,000 points; a spend-and-save is in force."""
    document = {"spendAndSave": [save((30_000, 3_000), name="满300减30")]}
    publish(make_draft(PolicyKind.PRICING, document))
    given = TierGrant(member_id=member.id, tier="V4")
    standing.grant(given, viewer=SYSTEM, clock=MEMBER_DAY)
    points.grant(member.id, 3_000, key="start", cause=Cause(MEMBER_DAY))
    return issue(member, make_template(name="十元券"), clock=MEMBER_DAY)


def token_of(member: Member) -> str:
    return auth.issue(Role.MEMBER, member.id)


def told(kind: str, amount: str, shares: list[str], **more: Any) -> dict[str, Any]:
    """A step as the API tells it."""
    plain: dict[str, Any] = {
        "name": None,
        "reason": None,
        "missing": "0.00",
        "couponReasons": [],
        "coupon": None,
    }
    return {"kind": kind, "amount": amount, "shares": shares, **plain, **more}


def test_quote_of_the_documentation(send: Client, member: Member, coupon: Coupon) -> None:
    found = send(QUOTE, token=token_of(member), input=ASKED)["checkoutQuote"]
    ten = {"name": coupon.coupon_id, "coupon": {"template": {"name": "十元券"}}}
    below = {"name": "满300减30", "reason": "BELOW_LEAST", "missing": "106.00"}
    assert found.pop("steps") == [
        told("MEMBER_PRICE", "6.00", ["3.60", "2.40"]),
        told("SPEND_AND_SAVE", "0.00", [], **below),
        told("MEMBER_DAY", "5.00", ["3.00", "2.00"]),
        told("COUPON", "10.00", ["6.00", "4.00"], **ten),
        told("FREE_SHIPPING", "12.00", []),
        told("POINTS", "10.00", ["6.00", "4.00"]),
    ]
    assert found == {
        "goods": "200.00",
        "off": "21.00",
        "shipping": "12.00",
        "shippingOff": "12.00",
        "total": "179.00",
        "points": 1000,
        "byPoints": "10.00",
        "usablePoints": 3000,
        "payable": "169.00",
        "couponIds": [coupon.coupon_id],
        "lines": [
            {"amount": "120.00", "off": "12.60", "byPoints": "6.00", "payable": "101.40"},
            {"amount": "80.00", "off": "8.40", "byPoints": "4.00", "payable": "67.60"},
        ],
    }


def test_reservation_is_kept_told_and_let_go(send: Client, member: Member, coupon: Coupon) -> None:
    token, order = token_of(member), {"source": "mall", "externalId": "M-1"}
    agreed = {**ASKED, **order, "payable": "169.00"}
    kept = send(KEEP, token=token, key="keep-0001", input=agreed)["checkoutReserve"]
    assert (kept["userErrors"], kept["quote"]) == ([], {"payable": "169.00"})
    assert kept["reservation"].pop("orderId").startswith("ord_")
    assert kept["reservation"] == {
        "state": "HELD",
        "until": "2018-01-18T04:30:00.000Z",
        "points": 1000,
        "coupons": [{"id": coupon.coupon_id}],
        "order": None,
    }
    shown = {"state": "HELD", "externalId": "M-1", "payable": "169.00"}
    assert send(KEPT, token=token, input=order)["checkoutReservation"] == shown
    freed = send(RELEASE, token=token, key="free-0001", input=order)["checkoutRelease"]
    assert freed == {
        "reservation": {"state": "RELEASED", "releasedAt": "2018-01-18T04:00:00.000Z"},
        "userErrors": [],
    }


def test_changed_price_is_refused_with_the_quote_of_now(
    send: Client, member: Member, coupon: Coupon
) -> None:
    given = {**ASKED, "source": "mall", "externalId": "M-1", "payable": "174.00"}
    kept = send(KEEP, token=token_of(member), key="keep-0001", input=given)["checkoutReserve"]
    field = ["input", "payable"]
    error = {"code": "CONFLICT", "field": field, "message": "169.00 is left to pay by now"}
    assert kept == {
        "reservation": None,
        "quote": {"payable": "169.00"},
        "userErrors": [error],
    }
    assert list(CheckoutItem.scan()) == []


WRONG: list[tuple[dict[str, Any], list[str]]] = [
    ({"lines": []}, ["input", "lines"]),
    ({"lines": [{**LINES[0], "quantity": 0}]}, ["input", "lines", "0", "quantity"]),
    ({"lines": [{**LINES[0], "unitPrice": "-1.00"}]}, ["input", "lines", "0", "unitPrice"]),
    ({"points": -1}, ["input", "points"]),
    ({"coupons": ["x"] * 11}, ["input", "coupons"]),
    ({"source": "Mall"}, ["input", "source"]),
    ({"storeId": "sto_1"}, ["input", "storeId"]),
    ({"member": {"id": "mbr_1"}}, ["input", "member"]),
]


def test_what_is_wrong_is_named(send: Client, member: Member) -> None:
    given = {**ASKED, "source": "mall", "externalId": "M-1", "payable": "1.00"}
    for n, (change, field) in enumerate(WRONG):
        wrong = {**given, **change}
        kept = send(KEEP, token=token_of(member), key=f"keep-000{n}", input=wrong)
        assert [error["field"] for error in kept["checkoutReserve"]["userErrors"]] == [field]
    assert list(CheckoutItem.scan()) == []


def test_quote_names_what_is_wrong_too(send: Client, member: Member) -> None:
    answer = send.post(QUOTE, token=token_of(member), input={**ASKED, "storeId": "sto_1"})
    [error] = answer["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": ["input", "store_id"]}


def test_who_is_out_of_reach_is_nobody(send: Client, member: Member) -> None:
    stranger = make_member(make_store("S2"))
    asked = {**ASKED, "member": {"id": member.id}}
    answer = send.post(QUOTE, token=token_of(stranger), input=asked)
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"]
    whose = {"member": {"id": member.id}, "source": "mall", "externalId": "M-1"}
    staff = auth.issue(Role.OPERATOR, "opr_1")
    assert send(KEPT, token=staff, input=whose) == {"checkoutReservation": None}
    answer = send.post(QUOTE, token=staff, input=ASKED)
    assert [error["extensions"]["field"] for error in answer["errors"]] == [["input", "member"]]


def test_keeping_needs_a_key(send: Client, member: Member) -> None:
    given = {**ASKED, "source": "mall", "externalId": "M-1", "payable": "1.00"}
    document = KEEP.replace("$key: String!, ", "").replace(" @idempotent(key: $key)", "")
    kept = send(document, token=token_of(member), input=given)["checkoutReserve"]
    assert [error["code"] for error in kept["userErrors"]] == ["REQUIRED"]
