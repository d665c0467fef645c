"""What follows from a message of Youzan: once, in the vendor's order, for every type."""

import hashlib
import json
from typing import Any
from urllib.parse import quote, quote_plus

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphql_api.connectors import repository
from graphql_api.connectors.adapters import Handled
from graphql_api.connectors.errors import Later, NotLinked, VendorRefused
from graphql_api.connectors.models import Shop
from graphql_api.connectors.rules import LinkKind, Outcome, PointsMaster
from graphql_api.connectors.service import masters
from graphql_api.connectors.service.masters import MasterSet
from graphql_api.connectors.told import Unreadable
from graphql_api.connectors.turns import turn_of
from graphql_api.connectors.youzan.adapter import ADAPTER
from graphql_api.coupons import repository as coupon_repository
from graphql_api.coupons.models import Coupon
from graphql_api.coupons.rules import CouponState
from graphql_api.kit.dynamo import transact
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members import service as member_service
from graphql_api.members.models import Member
from graphql_api.members.rules import Gender, IdentityKind, SourceChannel
from graphql_api.orders import repository as orders
from graphql_api.orders.service import order_id_of
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM
from tests.connectors.youzan.conftest import link
from tests.connectors.youzan.samples import CARD, CLIENT_ID, COUPON, PAID, POINTS, REFUND, trade
from tests.connectors.youzan.vendor import Youzan, body
from tests.coupons.factories import claim, make_template
from tests.factories import CLOCK, NOW, fresh, make_guide, make_identity, make_member, make_store

TID = "E20190326101702000600011"
WHO = "LnhGm4rh576452722916618240"
GET = "youzan.trade.get"
GUIDE_OF = "youzan.guide.relation.query.userId"
LATER = Clock()
"""The trade of the samples is younger than the clock of the other tests."""

APPLIED, UNCHANGED = Handled(Outcome.APPLIED), Handled(Outcome.UNCHANGED)
STALE = Handled(Outcome.STALE)


def apply(shop: Shop, raw: bytes, event_type: str | None = None, clock: Clock = CLOCK) -> Handled:
    return ADAPTER.apply(shop, raw, event_type, clock=clock)


def customer(
    version: int | None = None, status: str = "CUSTOMER_UPDATED", id: str = "1", **told: Any
) -> bytes:
    known = {"account_id": "1", "yz_open_id": WHO, "is_member": True, "name": "继承", **told}
    msg = quote_plus(json.dumps(known))
    return body("SCRM_CUSTOMER_EVENT", msg, id=id, status=status, version=version)


def points(total: int, version: int, id: str = "yuser_1", **told: Any) -> bytes:
    known = {**POINTS, "total": str(total), "unique_id": f"u-{version}", **told}
    return body("POINTS", quote_plus(json.dumps(known)), id=id, version=version)


def coupon(status: str, version: int = 1, **told: Any) -> bytes:
    known = {**COUPON, "status": status, **told}
    type_ = "COUPON_CUSTOMER_PROMOTION"
    return body(type_, quote_plus(json.dumps(known)), id="10887216", status=status, version=version)


def member(key: str = WHO) -> Member:
    found = member_service.find([make_identity(key, IdentityKind.YOUZAN)])
    assert found is not None
    known = members.get(found)
    assert known is not None
    return known


def nobody(key: str = WHO) -> bool:
    return member_service.find([make_identity(key, IdentityKind.YOUZAN)]) is None


@pytest.fixture
def buyer(store: Store) -> Member:
    """A member whom Youzan knows."""
    return make_member(store, make_identity(WHO, IdentityKind.YOUZAN))


# --- trades and refunds ----------------------------------------------------------------------

TRADES = {
    "paid, only which": PAID,
    "paid, whole": body("trade_TradePaid", quote(json.dumps(trade())), id=TID),
    "success": body("trade_TradeSuccess", quote_plus(json.dumps({"tid": TID})), id=TID),
    "old": body("TRADE_ORDER_STATE", quote(json.dumps({"tid": TID})), status="TRADE_PAID"),
    "old refund": body(
        "trade_refund_RefundSuccess", quote_plus(json.dumps({"tid": TID, "oids": "1"})), id=TID
    ),
    "new refund": body("youzan_trade_RefundSuccess", {**REFUND, "tid": TID}),
}


@pytest.mark.parametrize("raw", TRADES.values(), ids=TRADES)
def test_trade_is_asked_for_and_taken_once(
    shop: Shop, buyer: Member, youzan: Youzan, raw: bytes
) -> None:
    youzan.answers[GET] = trade()
    assert [apply(shop, raw, clock=LATER) for _ in range(2)] == [APPLIED, UNCHANGED]
    order = orders.get(order_id_of("youzan", TID))
    assert order is not None
    assert (order.member_id, order.state.total) == (buyer.id, 100)
    assert youzan.names() == [GET, GET]


def test_older_message_of_a_trade_asks_too(shop: Shop, buyer: Member, youzan: Youzan) -> None:
    youzan.answers[GET] = trade()
    msg = quote_plus(json.dumps({"tid": TID}))
    newer = body("trade_TradeSuccess", msg, id=TID, version=2)
    assert apply(shop, newer, clock=LATER) == APPLIED
    youzan.answers[GET] = trade() | {
        "refund_order": [{"refund_id": "r1", "refund_fee": "0.50", "refund_state": 60}]
    }
    youzan.answers["youzan.trade.refund.get"] = {"refund_id": "r1", "tid": TID, "refund_fee": "0.5"}
    older = body("trade_TradeSuccess", msg, id=TID, version=1)
    assert apply(shop, older, clock=LATER) == APPLIED
    order = orders.get(order_id_of("youzan", TID))
    assert order is not None
    assert order.state.refunded == 50


@pytest.mark.parametrize("type_", ["trade_TradeCreate", "TRADE_ORDER_STATE"])
def test_trade_that_waits_to_be_paid_is_not_asked_for(
    shop: Shop, youzan: Youzan, type_: str
) -> None:
    raw = body(type_, quote(json.dumps({"tid": TID})), status="WAIT_BUYER_PAY")
    assert apply(shop, raw) == Handled(Outcome.IGNORED, "not paid")
    assert youzan.asked == []


def test_trade_that_was_closed_unpaid_is_of_no_concern(shop: Shop, youzan: Youzan) -> None:
    told = trade()
    told["full_order_info"]["order_info"] |= {"pay_time": "", "status": "TRADE_CLOSED"}
    youzan.answers[GET] = told
    raw = body("trade_TradeClose", quote(json.dumps({"tid": TID, "close_type": 4})))
    assert apply(shop, raw) == Handled(Outcome.IGNORED)
    assert orders.get(order_id_of("youzan", TID)) is None


def test_trade_of_a_store_without_a_link_waits_and_a_missing_one_is_refused(
    shop: Shop, youzan: Youzan
) -> None:
    told = trade()
    told["full_order_info"]["order_info"]["node_kdt_id"] = 777
    youzan.answers[GET] = told
    with pytest.raises(NotLinked):
        apply(shop, PAID)
    youzan.answers[GET] = {"code": 5000, "success": False}
    with pytest.raises(VendorRefused):
        apply(shop, PAID)


# --- customers -------------------------------------------------------------------------------


def test_member_of_youzan_is_enrolled_and_kept_up_to_date(shop: Shop, store: Store) -> None:
    raw = customer(1, gender=1, birthday="1990-02-28 00:00:00", mobile="138****0000")
    shop.default_store_id = store.id
    assert [apply(shop, raw) for _ in range(2)] == [APPLIED, UNCHANGED]
    new = member()
    assert (new.name, new.gender, new.birthday, new.birth_year) == (
        "继承",
        Gender.MALE,
        "02-28",
        1990,
    )
    assert (new.store_id, new.source, new.phone) == (store.id, SourceChannel.YOUZAN, None)
    assert apply(shop, customer(2, name="李四", gender=2)) == APPLIED
    assert (member().name, member().gender) == ("李四", Gender.FEMALE)


def test_older_news_of_a_customer_is_stale(shop: Shop, buyer: Member) -> None:
    assert apply(shop, customer(5, name="新")) == APPLIED
    assert apply(shop, customer(4, name="旧")) == STALE
    assert member().name == "新"
    assert apply(shop, customer(None, name="无")) == APPLIED  # without a version all count


def test_customer_who_is_no_member_stays_nobody(shop: Shop) -> None:
    assert apply(shop, customer(is_member=False)) == Handled(Outcome.IGNORED)
    assert apply(shop, customer(is_member=None)) == Handled(Outcome.IGNORED)
    assert nobody()


def test_customer_without_yz_open_id_is_nobody(shop: Shop) -> None:
    assert apply(shop, customer(yz_open_id=None)) == Handled(Outcome.IGNORED, "no yz_open_id")


def test_phone_finds_who_is_here(shop: Shop, store: Store) -> None:
    known = make_member(store, make_identity("+8613800138000", IdentityKind.PHONE))
    assert apply(shop, customer(mobile="13800138000")) == APPLIED
    assert member().id == known.id


@pytest.mark.parametrize("phone", ["138****8000", "", "null", "$MTIz4l8=$1$", "b64:MTM4MDAx", "0"])
def test_masked_or_sealed_phone_is_no_phone(shop: Shop, store: Store, phone: str) -> None:
    shop.default_store_id = store.id
    assert apply(shop, customer(mobile=phone)) == APPLIED
    assert member().phone is None


def test_masked_name_does_not_take_the_place_of_a_name(shop: Shop, buyer: Member) -> None:
    apply(shop, customer(name="张三"))
    assert apply(shop, customer(name="张*")) == UNCHANGED
    assert member().name == "张三"


def test_new_member_without_a_store_waits_for_its_link(shop: Shop) -> None:
    with pytest.raises(NotLinked) as missing:
        apply(shop, customer(3))
    assert (missing.value.kind, missing.value.vendor_key) == (LinkKind.STORE, "56232")
    link(shop, LinkKind.STORE, "56232", make_store("S2").id)
    assert apply(shop, customer(3)) == APPLIED


def test_closed_account_is_erased(shop: Shop, store: Store, buyer: Member) -> None:
    shop.default_store_id = store.id
    raw = customer(7, is_log_off=True)
    assert apply(shop, raw) == APPLIED
    assert apply(shop, raw) == Handled(Outcome.IGNORED)
    assert apply(shop, customer(6)) == STALE
    assert apply(shop, customer(8)) == Handled(Outcome.IGNORED)  # nothing brings them back


def test_exclusive_guide_of_a_new_customer_is_asked_for(
    shop: Shop, store: Store, buyer: Member, youzan: Youzan
) -> None:
    created = customer(1, status="CUSTOMER_CREATED")
    apply(shop, created)
    assert youzan.asked == []  # no guide is linked
    guide = make_guide(store)
    link(shop, LinkKind.GUIDE, "g1", guide.id)
    youzan.answers[GUIDE_OF] = {"guide_yz_open_id": "g1", "is_valid": True}
    assert apply(shop, created) == APPLIED  # as it would be where an attempt ended in the middle
    owned = member().owned_on(CLOCK.today())
    assert owned is not None
    assert owned.guide_id == guide.id
    assert apply(shop, created) == UNCHANGED
    apply(shop, customer(2))
    assert youzan.names() == [GUIDE_OF, GUIDE_OF]
    assert youzan.asked[0][1] == {"request": {"cust_yz_open_id": WHO}}


def test_card_makes_a_member(shop: Shop, store: Store) -> None:
    shop.default_store_id = store.id
    given = body("SCRM_CUSTOMER_CARD", CARD, id="1", status="CUSTOMER_CARD_GIVEN", yz_open_id=WHO)
    taken = body("SCRM_CUSTOMER_CARD", CARD, id="1", status="CUSTOMER_CARD_DELETED", yz_open_id=WHO)
    assert apply(shop, taken) == Handled(Outcome.IGNORED, "card")
    assert nobody()
    assert [apply(shop, given) for _ in range(2)] == [APPLIED, UNCHANGED]
    assert member().phone is None
    whose = body("SCRM_CUSTOMER_CARD", CARD, id="2", status="CUSTOMER_CARD_GIVEN")
    assert apply(shop, whose) == Handled(Outcome.IGNORED, "no yz_open_id")


@pytest.mark.parametrize(
    "type_", ["OPEN_PUSH_SCRM_CUSTOMER_AUTH_MOBILE", "OPEN_PUSH_SCRM_MEMBER_MOBILE_CHANGE"]
)
def test_phone_that_was_given_or_changed_is_the_members(
    shop: Shop, buyer: Member, type_: str
) -> None:
    def told(mobile: str, key: str = WHO) -> Handled:
        raw = {"root_kdt_id": 56232, "node_kdt_id": 56232, "yz_open_id": key, "mobile": mobile}
        return apply(shop, orjson.dumps(raw), type_)

    assert told("138****0000") == UNCHANGED
    assert told("13800138000", "another") == Handled(Outcome.IGNORED)
    assert nobody("another")
    assert told("13800138000") == APPLIED
    assert told("13800138000") == UNCHANGED
    assert member().phone == "+8613800138000"


def test_phone_that_was_given_finds_who_is_here(shop: Shop, store: Store) -> None:
    known = make_member(store, make_identity("+8613800138000", IdentityKind.PHONE))
    raw = orjson.dumps({"root_kdt_id": 56232, "yz_open_id": WHO, "mobile": "13800138000"})
    auth = "OPEN_PUSH_SCRM_CUSTOMER_AUTH_MOBILE"
    assert [apply(shop, raw, auth) for _ in range(2)] == [APPLIED, UNCHANGED]
    assert member().id == known.id


def test_two_customers_become_one(shop: Shop, store: Store) -> None:
    first = make_member(store, make_identity("aaa", IdentityKind.YOUZAN))
    second = make_member(store, make_identity("bbb", IdentityKind.YOUZAN))
    info = {"kdt_id": 56232, "from_yz_open_id": "aaa", "to_yz_open_id": "bbb"}
    raw = orjson.dumps({"merge_time": "2020-09-30 12:04:36", "merge_info": info})
    merge = "OPEN_PUSH_SCRM_MEMBER_MERGE"
    assert [apply(shop, raw, merge) for _ in range(2)] == [APPLIED, UNCHANGED]
    assert member("aaa").id == member("bbb").id == second.id != first.id


# --- points and coupons ----------------------------------------------------------------------


def youzan_is_master() -> None:
    masters.set_master(MasterSet(master=PointsMaster.YOUZAN), viewer=SYSTEM, at=NOW)


def test_points_are_the_total_where_youzan_is_the_master(shop: Shop, buyer: Member) -> None:
    assert apply(shop, points(132, 1)) == Handled(Outcome.IGNORED)  # ours are right
    assert member().points == 0
    youzan_is_master()
    assert [apply(shop, points(132, 2)) for _ in range(2)] == [APPLIED, UNCHANGED]
    assert member().points == 132
    assert apply(shop, points(100, 4)) == APPLIED
    assert apply(shop, points(132, 3)) == STALE
    assert member().points == 100


def test_own_change_of_points_is_an_echo(shop: Shop, buyer: Member) -> None:
    youzan_is_master()
    ours = hashlib.md5(CLIENT_ID.encode()).hexdigest()
    theirs = hashlib.md5(b"another-app").hexdigest()
    assert apply(shop, points(132, 1, client_hash=ours)) == Handled(Outcome.ECHO)
    assert member().points == 0
    assert apply(shop, points(132, 2, client_hash=theirs)) == APPLIED
    assert member().points == 132


def test_points_of_whom_nobody_knows_are_of_no_concern(shop: Shop) -> None:
    assert apply(shop, points(1, 1)) == Handled(Outcome.IGNORED)
    nameless = points(1, 2, yz_open_id=None)
    assert apply(shop, nameless) == Handled(Outcome.IGNORED, "no yz_open_id")


def given_there(shop: Shop, buyer: Member) -> Coupon:
    held = claim(buyer, make_template())
    transact(
        lambda tx: repository.put_link(
            tx, shop.id, LinkKind.COUPON, "10887216", held.coupon_id, at=NOW
        )
    )
    return held


def state(coupon_id: str) -> CouponState:
    [found] = coupon_repository.find([coupon_id])
    assert found is not None
    return found.state


def test_coupon_from_here_is_used_and_comes_back(
    shop: Shop, store: Store, buyer: Member, youzan: Youzan
) -> None:
    shop.default_store_id = store.id
    held = given_there(shop, buyer)
    assert apply(shop, coupon("CARD_TAKE")) == Handled(Outcome.IGNORED, "status")
    used = coupon("CARD_CONSUME", 2)
    assert [apply(shop, used) for _ in range(2)] == [APPLIED, UNCHANGED]
    assert state(held.coupon_id) is CouponState.REDEEMED
    back = coupon("CARD_BACK", 3)
    assert [apply(shop, back) for _ in range(2)] == [APPLIED, UNCHANGED]
    assert state(held.coupon_id) is not CouponState.REDEEMED
    assert apply(shop, used) == STALE
    assert youzan.asked == []


def test_coupon_that_an_order_used_comes_with_the_order(
    shop: Shop, buyer: Member, youzan: Youzan
) -> None:
    held = given_there(shop, buyer)
    told = trade()
    times = dict.fromkeys(["created", "pay_time", "update_time"], "2018-01-10 11:00:00")
    told["full_order_info"]["order_info"] |= times
    told["order_promotion"]["order"] = [{"coupon_id": "10887216"}, {"coupon_id": "777"}]
    youzan.answers[GET] = told
    used = coupon("CODE_CONSUME", order_no=TID)
    assert [apply(shop, used) for _ in range(2)] == [APPLIED, UNCHANGED]
    assert state(held.coupon_id) is CouponState.REDEEMED


def test_coupon_that_did_not_come_from_here_asks_nobody(shop: Shop, youzan: Youzan) -> None:
    for status in ("CARD_CONSUME", "CODE_BACK", "CARD_REVERT"):
        raw = coupon(status, order_no=TID)
        assert apply(shop, raw) == Handled(Outcome.IGNORED, "not from here")
    assert youzan.asked == []


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 4)), min_size=1, max_size=7))
def test_whatever_the_order_the_newest_of_each_type_stays(
    shop: Shop, store: Store, sent: list[tuple[bool, int]]
) -> None:
    youzan_is_master()
    key = fresh("yz")
    make_member(store, make_identity(key, IdentityKind.YOUZAN), name="零")
    for is_points, version in sent:
        raw = (
            points(version * 10, version, yz_open_id=key, unique_id=f"{key}-{version}", id=key)
            if is_points
            else customer(version, yz_open_id=key, name=f"名{version}", id=key)
        )
        apply(shop, raw)
    balance = max((version * 10 for is_points, version in sent if is_points), default=0)
    name = max((f"名{version}" for is_points, version in sent if not is_points), default="零")
    assert (member(key).points, member(key).name) == (balance, name)


# --- the rest --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "type_",
    [
        "ITEM_INFO",
        "ITEM_STATE",
        "youzan_item_SkuStockChanged",
        "SCRM_CARD",
        "COUPON_PROMOTION",
        "X",
    ],
)
def test_types_of_no_concern_are_ignored(shop: Shop, youzan: Youzan, type_: str) -> None:
    raw = body(type_, quote(json.dumps({"data": {}, "change_fields": []})))
    assert apply(shop, raw) == Handled(Outcome.IGNORED, "type")
    assert youzan.asked == []


def test_message_that_is_none_is_unreadable(shop: Shop) -> None:
    with pytest.raises(Unreadable):
        apply(shop, body("POINTS", "%7B"))
    with pytest.raises(Unreadable):
        apply(shop, body("POINTS", {"total": "many"}))


def test_one_message_about_a_thing_waits_for_the_other(shop: Shop, buyer: Member) -> None:
    with turn_of(shop.id, "SCRM_CUSTOMER_EVENT", "1"), pytest.raises(Later):
        apply(shop, customer(9, name="新"))
    assert apply(shop, customer(9, name="新")) == APPLIED
