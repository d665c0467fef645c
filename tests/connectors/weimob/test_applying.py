"""What follows from a message of Weimob: once, in the vendor's order, for every type."""

from typing import Any

import pytest

from graphql_api.connectors.adapters import Handled
from graphql_api.connectors.errors import Later, NotLinked, VendorRefused
from graphql_api.connectors.models import Shop
from graphql_api.connectors.rules import LinkKind, Outcome
from graphql_api.connectors.weimob.adapter import ADAPTER
from graphql_api.coupons import repository as coupon_repository
from graphql_api.coupons.rules import CouponState
from graphql_api.errors import Unavailable
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members import service as member_service
from graphql_api.members.models import Member
from graphql_api.members.rules import Gender, IdentityKind, SourceChannel
from graphql_api.orders import repository as orders
from graphql_api.orders.service import order_id_of
from graphql_api.stores.models import Store
from tests.connectors.weimob.conftest import link
from tests.connectors.weimob.samples import CONTENT, POINTS, RELATION, TAG, body, order, rights
from tests.connectors.weimob.vendor import Weimob, refused
from tests.coupons.factories import make_template
from tests.factories import make_guide, make_identity, make_store
from tests.tags.factories import make_tag

WHO = "11223344556"
OTHER = "11223344557"
CLOCK = Clock()
APPLIED, UNCHANGED = Handled(Outcome.APPLIED), Handled(Outcome.UNCHANGED)
STALE, ECHO = Handled(Outcome.STALE), Handled(Outcome.ECHO)
GET_LIST, DETAIL = "customer/getList", "order/detail/get"


def apply(shop: Shop, topic: str, event: str, content: Any, message_id: str = "m1") -> Handled:
    raw = body(topic, event, content, message_id)
    return ADAPTER.apply(shop, raw, None, clock=CLOCK)


def profile(wid: str = WHO, **changes: Any) -> dict[str, Any]:
    known = {
        "wid": int(wid),
        "name": "示例用户",
        "phone": "138****0000",
        "gender": 2,
        "birthday": 631_123_200_000,
        "belongVid": 6000089123,
        "hasValidMemberCard": True,
        "becomeMemberTime": 1_500_000_000_000,
        **changes,
    }
    return {"userBaseInfoList": [known]}


@pytest.fixture
def somebody(shop: Shop, weimob: Weimob) -> Member:
    """A member who came by a message."""
    weimob.answers[GET_LIST] = lambda asked: profile(str(asked["widList"][0]))
    content = {"membershipType": 1, "widList": [int(WHO)]}
    assert apply(shop, "weimob_crm.customer", "create", content) == APPLIED
    return member()


def found(wid: str = WHO) -> Member | None:
    id_ = member_service.find([make_identity(wid, IdentityKind.WEIMOB)])
    return members.get(id_) if id_ else None


def member(wid: str = WHO) -> Member:
    known = found(wid)
    assert known is not None
    return known


# --- people ----------------------------------------------------------------------------------


def test_new_member_is_enrolled_in_the_linked_store_by_what_is_asked(
    somebody: Member, store: Store
) -> None:
    assert (somebody.name, somebody.gender, somebody.store_id) == (
        "示例用户",
        Gender.FEMALE,
        store.id,
    )
    assert (somebody.birthday, somebody.birth_year, somebody.phone) == ("01-01", 1990, None)
    assert somebody.source is SourceChannel.WEIMOB
    assert somebody.joined_at.timestamp() == 1_500_000_000


def test_fan_without_a_card_is_nobody_here(shop: Shop, weimob: Weimob) -> None:
    weimob.answers[GET_LIST] = profile(hasValidMemberCard=False, becomeMemberTime=0)
    content = {"membershipType": 3, "widList": [int(WHO)]}
    apply(shop, "weimob_crm.customer", "create", content)
    assert found() is None
    assert apply(shop, "weimob_crm.customer", "update", {"wid": int(WHO)}).outcome is (
        Outcome.IGNORED
    )


def test_thin_change_is_asked_for(shop: Shop, somebody: Member, weimob: Weimob) -> None:
    weimob.answers[GET_LIST] = profile(name="新名", birthday=0)
    assert apply(shop, "weimob_crm.customer", "update", {"wid": int(WHO)}, "m2") == APPLIED
    assert member().name == "新名"
    assert apply(shop, "weimob_crm.customer", "update", {"wid": int(WHO)}, "m2") == UNCHANGED


def test_card_of_another_system_is_an_echo(shop: Shop, weimob: Weimob) -> None:
    content = {"wid": int(WHO), "saasChannel": "ONECRM_SPI-1"}
    assert apply(shop, "weimob_crm.membercard", "create", content) == ECHO
    assert weimob.asked == []


@pytest.mark.parametrize("first_begun", [True, False])
def test_merge_is_told_in_two_messages_in_either_order(
    shop: Shop, somebody: Member, first_begun: bool
) -> None:
    content = {"membershipType": 1, "widList": [int(OTHER)]}
    apply(shop, "weimob_crm.customer", "create", content, "m9")
    told: list[tuple[str, Any]] = [
        ("beginMerge", {"widList": [int(WHO), int(OTHER)]}),
        ("widMerge", {"wid": int(OTHER)}),
    ]
    for n, (event, said) in enumerate(told if first_begun else reversed(told)):
        assert apply(shop, "bos.user", event, said, f"merge{n}") == APPLIED
    assert member(WHO).id == member(OTHER).id != somebody.id


def test_account_that_was_closed_is_erased_and_does_not_come_back(
    shop: Shop, somebody: Member
) -> None:
    closed = {"wid": int(WHO), "time": 1795140303000}
    assert apply(shop, "bos.user", "accountCancellationEvent", closed) == APPLIED
    assert found() is None
    again = {"membershipType": 1, "widList": [int(WHO)]}
    apply(shop, "weimob_crm.customer", "create", again, "m3")
    assert found() is None


def test_masked_phone_changes_nothing_and_a_plain_one_is_taken(
    shop: Shop, somebody: Member
) -> None:
    content = {"wid": int(WHO), "phone": "139****0000"}
    assert apply(shop, "bos.user", "phoneRebindEvent", content).outcome is Outcome.IGNORED
    content = {"wid": int(WHO), "phone": "13900139000"}
    assert apply(shop, "bos.user", "phoneRebindEvent", content, "m4") == APPLIED
    assert member().phone == "+8613900139000"


# --- points, tags, guides, coupons -----------------------------------------------------------


def test_total_of_points_is_the_balance_and_the_later_one_counts(
    shop: Shop, somebody: Member
) -> None:
    topic = ("weimob_crm.point.change", "pointChange")
    later = {**POINTS, "totalPoint": "900", "bizUniqueId": 2, "changeTime": 1795140303001}
    assert apply(shop, *topic, later, "p2") == APPLIED
    assert apply(shop, *topic, POINTS, "p1") == STALE
    assert apply(shop, *topic, later, "p2") == UNCHANGED
    assert member().points == 900
    assert apply(shop, *topic, {**POINTS, "bizType": "107"}, "p3").outcome in (
        Outcome.STALE,
        Outcome.ECHO,
    )


def test_points_of_somebody_new_ask_who_it_is(shop: Shop, weimob: Weimob) -> None:
    weimob.answers[GET_LIST] = profile()
    assert apply(shop, "weimob_crm.point.change", "pointChange", POINTS) == APPLIED
    assert member().points == 1350


def test_tag_comes_and_goes_by_its_version(shop: Shop, somebody: Member) -> None:
    tag = make_tag(name="油性")
    link(shop, LinkKind.TAG, "301:3011", tag.id)
    topic = ("weimob_cdp.customer.tag", "update")
    assert apply(shop, *topic, TAG, "t1") == APPLIED
    assert list(member().tags) == [tag.id]
    gone = {**TAG, "event": "DELETE", "tagVersion": 6}
    assert apply(shop, *topic, gone, "t2") == APPLIED
    assert apply(shop, *topic, TAG, "t1") == STALE
    assert list(member().tags) == []
    assert apply(shop, *topic, {**TAG, "tagId": 9}, "t3").outcome is Outcome.IGNORED


def test_guide_of_another_store_brings_the_member_there_and_an_end_lets_go(
    shop: Shop, somebody: Member
) -> None:
    guide = make_guide(make_store("S2"), "小花", wecom_user_id="xiaohua")
    link(shop, LinkKind.GUIDE, "11223349999", guide.id)
    topic = ("weimob_guide.guider.relationship", "relationshipChange")
    assert apply(shop, *topic, RELATION, "g1") == APPLIED
    owned = member().ownership
    assert owned is not None
    assert (owned.guide_id, member().store_id) == (guide.id, guide.store_id)
    # A change of guide fires an implicit end of the old relation too.
    old = {**RELATION, "eventType": "7", "beforeGuiderWid": "11223348888"}
    assert apply(shop, *topic, old, "g2").outcome is Outcome.IGNORED
    ended = {
        **RELATION,
        "eventType": "6",
        "beforeGuiderWid": "11223349999",
        "afterGuiderWid": "",
        "time": 1795140303009,
    }
    assert apply(shop, *topic, ended, "g3") == APPLIED
    assert member().owned_on(CLOCK.today()) is None


def test_end_of_the_old_relation_leaves_the_new_guide_whatever_the_order(
    shop: Shop, somebody: Member, weimob: Weimob, store: Store
) -> None:
    guide = make_guide(store, "小花", wecom_user_id="xiaohua")
    link(shop, LinkKind.GUIDE, "11223349999", guide.id)
    weimob.answers["customer/guider/get"] = {"guiderWid": 11223349999}
    topic = ("weimob_guide.guider.relationship", "relationshipChange")
    end = {**RELATION, "eventType": "7", "afterGuiderWid": "", "time": 1795140303001}
    assert apply(shop, *topic, end, "g1") == APPLIED
    assert apply(shop, *topic, RELATION, "g2") == STALE
    assert apply(shop, *topic, {**end, "time": 1795140303002}, "g3") == UNCHANGED
    owned = member().owned_on(CLOCK.today())
    assert owned is not None
    assert owned.guide_id == guide.id


def test_longer_relation_without_a_guide_ends_nothing(
    shop: Shop, somebody: Member, store: Store
) -> None:
    guide = make_guide(store, "小花", wecom_user_id="xiaohua")
    link(shop, LinkKind.GUIDE, "11223349999", guide.id)
    topic = ("weimob_guide.guider.relationship", "relationshipChange")
    assert apply(shop, *topic, RELATION, "g1") == APPLIED
    longer = {**RELATION, "eventType": "4", "afterGuiderWid": "", "time": 1795140303005}
    assert apply(shop, *topic, longer, "g2").outcome is Outcome.IGNORED
    assert member().owned_on(CLOCK.today()) is not None


def test_coupon_whose_use_is_told_first_is_used(shop: Shop, somebody: Member, store: Store) -> None:
    link(shop, LinkKind.COUPON_TEMPLATE, "5566", make_template().id)
    shop.default_store_id = store.id
    told = {"wid": int(WHO), "code": "880012345678", "couponTemplateId": 5566}
    used = {**told, "orderNo": 7310002451000112}
    assert apply(shop, "weimob_crm.coupon", "consumeCoupon", used, "c1") == APPLIED
    assert apply(shop, "weimob_crm.coupon", "receiveCoupon", told, "c2") == UNCHANGED
    page = coupon_repository.page_of_member(somebody.id, first=5, after=None, reverse=False)
    assert [c.state for c in page.items] == [CouponState.REDEEMED]


def test_coupon_of_a_linked_template_is_given_once_and_used(
    shop: Shop, somebody: Member, store: Store
) -> None:
    template = make_template()
    link(shop, LinkKind.COUPON_TEMPLATE, "5566", template.id)
    received = {"wid": int(WHO), "code": "880012345678", "couponTemplateId": 5566}
    topic = "weimob_crm.coupon"
    assert apply(shop, topic, "receiveCoupon", received, "c1") == APPLIED
    assert apply(shop, topic, "receiveCoupon", received, "c2") == UNCHANGED
    other = {**received, "code": "1", "couponTemplateId": 1}
    assert apply(shop, topic, "receiveCoupon", other, "c3").outcome is Outcome.IGNORED
    own = {**received, "code": "2", "saasChannel": "weimob-open-api"}
    assert apply(shop, topic, "receiveCoupon", own, "c4") == ECHO
    shop.default_store_id = store.id
    used = {"wid": int(WHO), "code": "880012345678", "orderNo": 7310002451000112}
    assert apply(shop, topic, "consumeCoupon", used, "c5") == APPLIED
    assert apply(shop, topic, "consumeCoupon", used, "c6") == UNCHANGED
    page = coupon_repository.page_of_member(somebody.id, first=5, after=None, reverse=False)
    assert [(c.state, c.reference) for c in page.items] == [
        (CouponState.REDEEMED, "7310002451000112")
    ]


# --- orders ----------------------------------------------------------------------------------


def test_order_is_asked_for_and_refunded_to_the_fen(
    shop: Shop, somebody: Member, weimob: Weimob
) -> None:
    weimob.answers[DETAIL] = order()
    assert apply(shop, "weimob_shop.order", "statusUpdate", CONTENT) == APPLIED
    assert apply(shop, "weimob_shop.order", "statusUpdate", CONTENT) == UNCHANGED
    assert member().facts.paid == 12850
    weimob.answers[DETAIL] = order(rightsInfos=[{"rightsId": 99001, "rightsStatus": 6}])
    weimob.answers["rights/detail/get"] = {"rightsInfo": rights()}
    content = {"rightsId": 99001, "orderNo": 7310002451000112, "status": 6}
    assert apply(shop, "weimob_shop.rights", "statusUpdate", content, "r1") == APPLIED
    known = orders.get(order_id_of("weimob", "7310002451000112"))
    assert known is not None
    assert (known.state.total, known.state.refunded) == (12850, 2850)
    assert member().facts.refunded == 2850


def test_order_of_a_store_that_is_not_linked_waits_for_the_link(shop: Shop, weimob: Weimob) -> None:
    weimob.answers[DETAIL] = order(info={"merchantInfo": {"vid": 5}})
    with pytest.raises(NotLinked, match="STORE 5"):
        apply(shop, "weimob_shop.order", "statusUpdate", CONTENT)


def test_order_that_waits_to_be_paid_is_not_asked_for(shop: Shop, weimob: Weimob) -> None:
    content = {"orderNo": 7310002451000112, "paymentStatus": 0}
    handled = apply(shop, "weimob_shop.order", "create", content)
    assert handled == Handled(Outcome.IGNORED, "not paid")
    assert weimob.asked == []


def test_unpaid_order_and_unknown_topics_are_of_no_concern(shop: Shop, weimob: Weimob) -> None:
    weimob.answers[DETAIL] = order(base={"payStatus": 0})
    handled = apply(shop, "weimob_shop.order", "create", CONTENT)
    assert handled.outcome is Outcome.IGNORED
    assert apply(shop, "bos.organization", "update", {"vid": 1}).outcome is Outcome.IGNORED


# --- asking ----------------------------------------------------------------------------------


def test_token_that_was_withdrawn_is_got_anew_once(shop: Shop, weimob: Weimob) -> None:
    weimob.answers[DETAIL] = order()
    apply(shop, "weimob_shop.order", "create", CONTENT)
    weimob.token = "another"
    apply(shop, "weimob_shop.order", "update", CONTENT)
    assert weimob.tokens == 2


@pytest.mark.parametrize(
    ("answer", "raised"),
    [
        (refused("4900100100004", "【业务异常】订单不存在"), VendorRefused),
        (refused("1", "请求过于频繁"), Later),
        (Unavailable("x"), Later),
    ],
)
def test_refusals_are_in_our_words(
    shop: Shop, weimob: Weimob, answer: Any, raised: type[Exception]
) -> None:
    weimob.answers[DETAIL] = answer
    with pytest.raises(raised) as refusal:
        apply(shop, "weimob_shop.order", "create", CONTENT)
    assert "订单" not in str(refusal.value)
