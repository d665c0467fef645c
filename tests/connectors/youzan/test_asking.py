"""Youzan is asked with a token, as it wants to be asked, and its refusals are in our words."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from graphql_api.config import settings
from graphql_api.connectors import http, models
from graphql_api.connectors.errors import Later, NotLinked, NotSetUp, VendorRefused
from graphql_api.connectors.models import Shop
from graphql_api.connectors.rules import LinkKind, Vendor
from graphql_api.connectors.tokens import tokens
from graphql_api.connectors.told import Unreadable
from graphql_api.connectors.youzan import api
from graphql_api.connectors.youzan.adapter import ADAPTER
from graphql_api.errors import Unavailable
from graphql_api.orders.service import Snapshot
from graphql_api.stores.models import Store
from tests.connectors.youzan.conftest import link
from tests.connectors.youzan.samples import CLIENT_ID, trade
from tests.connectors.youzan.vendor import Youzan, failed, refused
from tests.factories import make_guide, make_store

TID = "E20190326101702000600011"
WHO = "LnhGm4rh576452722916618240"
GET = "youzan.trade.get"
REFUND = {"refund_id": "r1", "refund_fee": "0.50", "refund_state": 60}


@pytest.fixture
def unlinked(youzan: Youzan, database: str) -> Shop:
    """A shop as questions need it, without a chain."""
    shop_id = models.shop_id(Vendor.YOUZAN, "56232")
    return Shop(shop_id, vendor=Vendor.YOUZAN, vendor_key="56232", client_id=CLIENT_ID)


def snapshot(shop: Shop) -> Snapshot:
    found = ADAPTER.order(shop, TID)
    assert found is not None
    assert found.body is not None
    return found


def changed(**order_info: object) -> dict[str, Any]:
    told = trade()
    told["full_order_info"]["order_info"] |= order_info
    return told


# --- trades ----------------------------------------------------------------------------------


def test_trade_is_asked_for_and_has_our_store_and_guide(
    shop: Shop, store: Store, youzan: Youzan
) -> None:
    guide = make_guide(store)
    link(shop, LinkKind.GUIDE, "xiaohua", guide.id)
    youzan.answers[GET] = trade()
    order = snapshot(shop)
    assert order.body is not None
    assert (order.external_id, order.body.total) == (TID, 100)
    assert (order.body.store_id, order.body.guide_id) == (store.id, guide.id)
    assert youzan.asked == [("youzan.trade.get/4.0.2", {"tid": TID})]


def test_store_with_a_number_comes_before_its_shop(
    shop: Shop, store: Store, youzan: Youzan
) -> None:
    youzan.answers[GET] = trade()
    second = make_store("S2")
    link(shop, LinkKind.STORE, "52323#offline001", second.id)
    assert snapshot(shop).body.store_id == second.id  # type: ignore[union-attr]
    youzan.answers[GET] = changed(shop_display_no="offline002")
    assert snapshot(shop).body.store_id == store.id  # type: ignore[union-attr]


def test_trade_of_a_store_that_nobody_linked_waits_for_its_link(
    shop: Shop, store: Store, youzan: Youzan
) -> None:
    youzan.answers[GET] = changed(node_kdt_id=777)
    with pytest.raises(NotLinked) as missing:
        ADAPTER.order(shop, TID)
    assert (missing.value.kind, missing.value.vendor_key) == (LinkKind.STORE, "777")
    shop.default_store_id = store.id
    assert snapshot(shop).body.store_id == store.id  # type: ignore[union-attr]


def test_guide_whom_nobody_linked_is_none(shop: Shop, youzan: Youzan) -> None:
    youzan.answers[GET] = trade()
    assert snapshot(shop).body.guide_id is None  # type: ignore[union-attr]


@pytest.mark.parametrize("state", [1, 11])
def test_trade_whose_refund_is_being_booked_is_asked_for_again(
    unlinked: Shop, youzan: Youzan, state: int
) -> None:
    youzan.answers[GET] = changed(refund_state=state)
    with pytest.raises(Later) as later:
        ADAPTER.order(unlinked, TID)
    assert (later.value.seconds, later.value.is_unsure) == (10, False)


def test_trade_that_was_never_paid_is_no_order_wherever_it_was(
    unlinked: Shop, youzan: Youzan
) -> None:
    youzan.answers[GET] = changed(pay_time="", node_kdt_id=777) | {"refund_order": [REFUND]}
    assert ADAPTER.order(unlinked, TID) is None
    assert youzan.names() == [GET]


def test_refunds_of_a_trade_are_asked_for(shop: Shop, youzan: Youzan) -> None:
    youzan.answers[GET] = changed(refund_state=2) | {"refund_order": [REFUND]}
    youzan.answers["youzan.trade.refund.get"] = {
        "refund_id": "r1",
        "tid": TID,
        "refund_fee": "0.50",
        "modified": "2019-03-26 10:17:09",
        "refund_order_item": [{"oid": "1507387350277163963", "refund_fee": 50}],
    }
    [refund] = snapshot(shop).refunds
    assert (refund.amount, refund.at) == (50, datetime(2019, 3, 26, 2, 17, 9, tzinfo=UTC))
    assert [(line.item_id, line.amount) for line in refund.lines] == [("1507387350277163963", 50)]
    assert youzan.asked[1] == ("youzan.trade.refund.get/3.0.1", {"refund_id": "r1"})


def test_window_is_asked_for_in_chinas_time_and_in_seconds(unlinked: Shop, youzan: Youzan) -> None:
    odd = {"order_info": {"tid": "E2", "pay_time": "2026-11-20 08:00:00"}, "orders": [{"num": 1}]}
    youzan.answers["youzan.trades.sold.get"] = {
        "total_results": 4,
        "full_order_info_list": [
            trade(),
            {"full_order_info": odd},
            changed(tid="E3", pay_time=None),
            changed(tid="E4", refund_state=2),
        ],
    }
    youzan.answers["youzan.trade.refund.search"] = {
        "total": 2,
        "refunds": [{"refund_id": "r1", "tid": "E4"}, {"refund_id": "r2", "tid": "E4"}],
    }
    since, until = datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)
    first = ADAPTER.changed_orders(unlinked, since, until, None)
    # One that cannot be read whole is in nobody's way, and one that was never paid is no order.
    assert [(ref.external_id, ref.revision, ref.customer) for ref in first.orders] == [
        (TID, 1553566631000, WHO),
        ("E2", None, None),
        ("E4", None, WHO),
    ]
    second = ADAPTER.changed_orders(unlinked, since, until, first.cursor)
    assert [ref.external_id for ref in second.orders] == ["E4"]
    assert second.cursor is None
    assert youzan.asked == [
        (
            "youzan.trades.sold.get/4.0.4",
            {
                "start_update": "2026-11-20 08:00:00",
                "end_update": "2026-11-23 08:00:00",
                "page_no": 1,
                "page_size": 20,
            },
        ),
        (
            "youzan.trade.refund.search/3.0.1",
            {
                "update_time_start": 1795132800,
                "update_time_end": 1795392000,
                "page_no": 1,
                "page_size": 20,
            },
        ),
    ]


# --- tokens and refusals ---------------------------------------------------------------------


def test_one_token_does_for_all_questions_and_processes(unlinked: Shop, youzan: Youzan) -> None:
    youzan.answers["youzan.crm.customer.points.get"] = {"point": 24}
    assert [ADAPTER.points_of(unlinked, WHO) for _ in range(2)] == [24, 24]
    tokens.forget()
    assert ADAPTER.points_of(unlinked, WHO) == 24
    assert youzan.tokens == 1


def test_token_that_youzan_forgot_is_replaced_once(unlinked: Shop, youzan: Youzan) -> None:
    youzan.answers["youzan.crm.customer.points.get"] = {"point": 24}
    ADAPTER.points_of(unlinked, WHO)
    youzan.known_tokens.clear()
    assert ADAPTER.points_of(unlinked, WHO) == 24
    assert youzan.tokens == 2


def test_token_whose_key_was_turned_out_is_got_anew(
    unlinked: Shop, youzan: Youzan, monkeypatch: pytest.MonkeyPatch
) -> None:
    youzan.answers["youzan.crm.customer.points.get"] = {"point": 24}
    ADAPTER.points_of(unlinked, WHO)
    monkeypatch.setenv("APP_ACCESS_KEYS", f"new:{'ab' * 32}")
    settings.cache_clear()
    tokens.forget()
    assert ADAPTER.points_of(unlinked, WHO) == 24
    assert youzan.tokens == 2


@pytest.mark.parametrize("code", [4201, 4202, 4203])
def test_shop_that_ended_its_authorisation_is_not_set_up(
    unlinked: Shop, youzan: Youzan, code: int
) -> None:
    youzan.answers["youzan.crm.customer.points.get"] = refused(code)
    with pytest.raises(NotSetUp):
        ADAPTER.points_of(unlinked, WHO)
    assert youzan.tokens == 2


def test_shop_whose_token_is_refused_or_whose_app_has_no_secret_is_not_set_up(
    unlinked: Shop, youzan: Youzan, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = {"success": False, "code": 1103, "message": "授权关系不存在", "data": None}
    monkeypatch.setattr(http, "post", lambda *_, **__: answer)
    with pytest.raises(NotSetUp, match="token 1103"):
        ADAPTER.points_of(unlinked, WHO)
    unlinked.client_id = "another-app"
    with pytest.raises(NotSetUp, match="no secret"):
        ADAPTER.points_of(unlinked, WHO)


@pytest.mark.parametrize(
    "answer", [refused(4101), failed(500100004), failed(123000042), failed(141500203)]
)
def test_who_asks_too_often_asks_again_later(
    unlinked: Shop, youzan: Youzan, answer: dict[str, Any]
) -> None:
    youzan.answers["youzan.crm.customer.points.get"] = answer
    with pytest.raises(Later) as later:
        ADAPTER.points_of(unlinked, WHO)
    assert (later.value.seconds, later.value.is_unsure) == (6, False)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (refused(4005), "4005"),
        (failed(5000), "5000"),
        ({"error_response": {"code": 50000, "msg": "…"}, "code": None}, "50000"),
    ],
)
def test_refusal_has_its_code_and_no_words(
    unlinked: Shop, youzan: Youzan, answer: dict[str, Any], code: str
) -> None:
    youzan.answers[GET] = answer
    with pytest.raises(VendorRefused) as refusal:
        ADAPTER.order(unlinked, TID)
    assert str(refusal.value) == code


def test_question_without_an_answer_is_unsure(
    unlinked: Shop, youzan: Youzan, monkeypatch: pytest.MonkeyPatch
) -> None:
    youzan.answers["youzan.crm.customer.points.get"] = {"point": 24}
    ADAPTER.points_of(unlinked, WHO)

    def silent(*_: Any, **__: Any) -> Any:
        raise Unavailable("…")

    monkeypatch.setattr(http, "post", silent)
    with pytest.raises(Later) as later:
        ADAPTER.points_of(unlinked, WHO)
    assert later.value.is_unsure


@pytest.mark.parametrize("answer", [[], {"full_order_info": {}}, None])
def test_answer_of_another_shape_is_unreadable(
    unlinked: Shop, youzan: Youzan, answer: object
) -> None:
    youzan.answers[GET] = {"code": 200, "success": True, "data": answer}
    with pytest.raises(Unreadable):
        ADAPTER.order(unlinked, TID)


# --- customers -------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [141001107, 144100000, 144100001])
def test_customer_of_another_shop_or_gone_is_nobody(
    unlinked: Shop, youzan: Youzan, code: int
) -> None:
    youzan.answers["youzan.scrm.customer.detail.get"] = failed(code)
    assert api.customer(unlinked, WHO) is None


@pytest.mark.parametrize(
    ("told", "is_one", "joined_at"),
    [
        ({}, False, None),
        ({"is_member": False, "member_created_at": 1594296126}, False, 1594296126),
        ({"is_member": True}, True, None),
        ({"member_created_at": 1594296126604}, True, 1594296126.604),
        ({"member_created_at": 10**18}, True, None),
        ({"member_created_at": 0}, False, None),
    ],
)
def test_member_is_who_is_said_to_be_one_or_since_when(
    told: dict[str, Any], is_one: bool, joined_at: float | None
) -> None:
    customer = api.Customer.model_validate(told)
    assert customer.is_one is is_one
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    wanted = epoch + timedelta(seconds=joined_at) if joined_at else None
    assert customer.joined_at == wanted


@pytest.mark.parametrize(("points", "what"), [(10, "increase"), (-10, "decrease")])
def test_points_are_changed_once_for_a_key(
    unlinked: Shop, youzan: Youzan, points: int, what: str
) -> None:
    name = f"youzan.crm.customer.points.{what}"
    youzan.answers[name] = {"is_success": "true"}
    ADAPTER.change_points(unlinked, WHO, points, key="k1", reason="会员积分")
    youzan.answers[name] = failed(142100106)  # it was done before
    ADAPTER.change_points(unlinked, WHO, points, key="k1", reason="会员积分")
    params = {
        "user": {"account_id": WHO, "account_type": 5},
        "points": 10,
        "reason": "会员积分",
        "biz_value": "k1",
        "biz_token": "k1",
        "check_customer": False,
        "is_do_ext_point": True,
    }
    assert youzan.asked == [(f"{name}/4.0.0", {"params": params})] * 2
    youzan.answers[name] = {"is_success": "false"}
    with pytest.raises(VendorRefused):
        ADAPTER.change_points(unlinked, WHO, points, key="k2", reason="会员积分")


def test_tags_are_given_and_taken_twenty_at_once(unlinked: Shop, youzan: Youzan) -> None:
    for what in ("add", "delete"):
        youzan.answers[f"youzan.scrm.tag.relation.{what}"] = {}
    ADAPTER.change_tags(unlinked, WHO, [f"t{n}" for n in range(21)], ["高价值"])
    sizes = [(path, len(asked["tags"])) for path, asked in youzan.asked]
    add, delete = "youzan.scrm.tag.relation.add/4.0.0", "youzan.scrm.tag.relation.delete/4.0.0"
    assert sizes == [(add, 20), (add, 1), (delete, 1)]
    assert youzan.asked[2][1] == {
        "account_type": "YzOpenId",
        "account_id": WHO,
        "tags": [{"tag_name": "高价值"}],
    }


def test_guide_is_bound_and_whoever_is_bound_is_unbound(unlinked: Shop, youzan: Youzan) -> None:
    query = "youzan.guide.relation.query.userId"
    bind, invalid = "youzan.guide.relation.bind", "youzan.guide.relation.invalid"
    youzan.answers |= {bind: {}, invalid: {}, query: {"is_valid": False}}
    ADAPTER.set_guide(unlinked, WHO, "g1")
    ADAPTER.set_guide(unlinked, WHO, None)  # nobody is bound
    youzan.answers[query] = {"is_valid": True, "guide_yz_open_id": "g1"}
    ADAPTER.set_guide(unlinked, WHO, None)
    assert youzan.names() == [bind, query, query, invalid]
    assert youzan.asked[3][1]["request"]["dsYzOpenId"] == "g1"


def test_coupon_is_given_to_a_phone(unlinked: Shop, youzan: Youzan) -> None:
    youzan.answers["youzan.ump.coupon.take"] = {"promocard": {"promocard_id": 10887216}}

    def give(phone: str | None) -> str:
        return ADAPTER.give_coupon(unlinked, WHO, "77", phone=phone, key="cpn_1")

    assert give("+8613800138000") == "10887216"
    assert youzan.asked[0][1] == {"coupon_group_id": "77", "mobile": "13800138000"}
    with pytest.raises(VendorRefused, match="no phone"):
        give(None)
    youzan.answers["youzan.ump.coupon.take"] = {"promocard": {}}
    with pytest.raises(Unreadable):
        give("+8613800138000")
    assert not ADAPTER.gives_once
