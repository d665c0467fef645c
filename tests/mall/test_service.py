"""Points for things: all of it in one transaction, exact under many at once, taken back once."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from graphql_api.coupons.rules import CouponSource
from graphql_api.errors import (
    AppError,
    Conflict,
    Forbidden,
    ForbiddenTransition,
    InsufficientPoints,
    Invalid,
    LimitExceeded,
    NotFound,
    Required,
)
from graphql_api.mall import repository, service
from graphql_api.mall.rules import ItemKind, ItemState
from graphql_api.mall.service import ItemCreate, ItemStateSet, ItemUpdate, StockAdd
from graphql_api.members import service as member_service
from graphql_api.members.models import Member
from graphql_api.merges.service import MembersMerge, merge
from graphql_api.standing import service as standing
from graphql_api.standing.service import TierGrant
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM, Role, Viewer
from tests.coupons.factories import draft as draft_template
from tests.coupons.factories import make_template
from tests.coupons.storage import all_coupons
from tests.factories import CLOCK, NOW, make_store
from tests.mall.factories import (
    cancel,
    draft,
    everything,
    had,
    hand_over,
    left,
    make_item,
    make_rich,
    points_of,
    redeem,
    viewer_of,
    works_in,
)

HOUR = timedelta(hours=1)
REGION = Viewer(Role.OPERATOR, id="opr_2", store_ids=frozenset({"sto_other"}))


def refused(do: Callable[[], Any], error: type[AppError], field: str) -> None:
    """It is refused for a field, and nothing is written."""
    before = everything()
    with pytest.raises(error) as refusal:
        do()
    assert refusal.value.field == ("input", field)
    assert everything() == before


# --- items -----------------------------------------------------------------------------------


def test_item_is_prepared_offered_and_stopped(chain: str) -> None:
    item = draft(name=" 茶杯 ", per_member=1, tiers=["V2"])
    assert (item.name, item.state, left(item)) == ("茶杯", "DRAFT", 2)
    states = [ItemState.ACTIVE, ItemState.STOPPED, ItemState.ACTIVE]
    for state in states:
        item = service.set_state(ItemStateSet(id=item.id, state=state), viewer=SYSTEM)
    listed = repository.page_of_items((ItemState.ACTIVE,), first=9, after=None, reverse=False)
    assert [one.id for one in listed.items] == [item.id]
    back = ItemStateSet(id=item.id, state=ItemState.DRAFT)
    refused(lambda: service.set_state(back, viewer=SYSTEM), ForbiddenTransition, "state")


def test_item_is_changed_and_what_is_left_out_stays(chain: str) -> None:
    item = draft(per_member=2, starts_at=NOW)
    change = ItemUpdate(id=item.id, points=150, starts_at=None, expected_version=1)
    changed = service.update(change, viewer=SYSTEM)
    assert (changed.points, changed.per_member, changed.starts_at) == (150, 2, None)
    before = everything()
    service.update(ItemUpdate(id=item.id, points=150), viewer=SYSTEM)
    assert everything() == before
    refused(lambda: service.update(change, viewer=SYSTEM), Conflict, "expected_version")


def test_item_that_makes_no_sense_is_refused(chain: str) -> None:
    wrong: list[tuple[dict[str, Any], type[AppError], str]] = [
        ({"kind": ItemKind.COUPON}, Required, "template_id"),
        ({"kind": ItemKind.COUPON, "template_id": "ctp_1"}, NotFound, "template_id"),
        ({"template_id": "ctp_" + "0" * 26}, Invalid, "template_id"),
        ({"starts_at": NOW, "ends_at": NOW}, Invalid, "ends_at"),
    ]
    for given, error, field in wrong:
        refused(partial(draft, **given), error, field)


def test_name_of_an_item_is_not_cleared(chain: str) -> None:
    item = draft()
    refused(
        lambda: service.update(ItemUpdate(id=item.id, name=None), viewer=SYSTEM), Required, "name"
    )


def test_only_headquarters_change_the_mall(chain: str) -> None:
    item = draft()
    new = ItemCreate(kind=ItemKind.GOODS, name="杯", points=1)
    changes: list[Callable[[], Any]] = [
        lambda: service.create(new, viewer=REGION, clock=CLOCK),
        lambda: service.update(ItemUpdate(id=item.id, points=1), viewer=REGION),
        lambda: service.set_state(ItemStateSet(id=item.id, state="ACTIVE"), viewer=REGION),
        lambda: service.add_stock(StockAdd(id=item.id, quantity=1), viewer=REGION),
    ]
    before = everything()
    for change in changes:
        with pytest.raises(Forbidden):
            change()
    assert everything() == before


def test_stock_is_added_and_taken_away_down_to_none(chain: str) -> None:
    item = draft(stock=3)

    def add(quantity: int) -> tuple[int, int]:
        moved = service.add_stock(StockAdd(id=item.id, quantity=quantity), viewer=SYSTEM)
        return int(moved.stock or 0), left(item)

    assert [add(17), add(-20), add(5)] == [(20, 20), (0, 0), (5, 5)]
    refused(lambda: add(-6), LimitExceeded, "quantity")
    endless = draft(stock=None)
    more = StockAdd(id=endless.id, quantity=1)
    refused(lambda: service.add_stock(more, viewer=SYSTEM), ForbiddenTransition, "quantity")


# --- redeeming -------------------------------------------------------------------------------


def test_goods_take_points_and_a_piece_and_wait_in_the_store(member: Member, store: Store) -> None:
    item = make_item(name="茶杯")
    one = redeem(member, item, store)
    assert (one.state, one.store_id, one.by_role) == ("WAITING", store.id, Role.MEMBER)
    assert (points_of(member), left(item)) == (900, 1)
    assert had(member) == [("茶杯", 100, "WAITING")]
    waiting = repository.page_of_waiting(store.id, first=9, after=None, reverse=False)
    assert [w.redemption_id for w in waiting.items] == [one.redemption_id]


def test_coupon_is_there_at_once(member: Member) -> None:
    template = make_template(stock=1)
    item = make_item(kind=ItemKind.COUPON, template_id=template.id, stock=None)
    one = redeem(member, item)
    [coupon] = all_coupons()
    assert (one.state, one.coupon_id) == ("DONE", coupon.coupon_id)
    assert (coupon.source, coupon.template_id) == (CouponSource.MALL, template.id)
    assert points_of(member) == 900
    refused(lambda: redeem(member, item), LimitExceeded, "item_id")


def test_coupon_that_is_not_given_out_takes_no_points(member: Member) -> None:
    template = draft_template()
    item = make_item(kind=ItemKind.COUPON, template_id=template.id)
    refused(lambda: redeem(member, item), ForbiddenTransition, "item_id")


def test_what_cannot_be_had_is_refused(member: Member, store: Store) -> None:
    wrong: list[tuple[dict[str, Any], type[AppError]]] = [
        ({"points": 1_001}, InsufficientPoints),
        ({"stock": 0}, LimitExceeded),
        ({"tiers": ["V2"]}, Forbidden),
        ({"starts_at": NOW + HOUR}, ForbiddenTransition),
        ({"ends_at": NOW}, ForbiddenTransition),
    ]
    for given, error in wrong:
        refused(partial(redeem, member, make_item(**given), store), error, "item_id")


def test_draft_is_no_item_for_members_and_stopped_is_not_offered(
    member: Member, store: Store
) -> None:
    unseen, item = draft(), make_item()
    refused(lambda: redeem(member, unseen, store), NotFound, "item_id")
    service.set_state(ItemStateSet(id=item.id, state=ItemState.STOPPED), viewer=SYSTEM)
    refused(lambda: redeem(member, item, store), ForbiddenTransition, "item_id")


def test_goods_need_a_store_that_is_there_and_coupons_none(member: Member, store: Store) -> None:
    goods = make_item()
    refused(lambda: redeem(member, goods), Required, "store_id")
    gone = make_store("S2")
    gone.id = "sto_" + "0" * 26
    refused(lambda: redeem(member, goods, gone), NotFound, "store_id")
    coupon = make_item(kind=ItemKind.COUPON, template_id=make_template().id)
    refused(lambda: redeem(member, coupon, store), ForbiddenTransition, "store_id")


def test_tier_of_a_member_opens_what_is_for_it(member: Member, store: Store) -> None:
    item = make_item(tiers=["V4"])
    standing.grant(TierGrant(member_id=member.id, tier="V4"), viewer=SYSTEM, clock=CLOCK)
    assert redeem(member, item, store).state == "WAITING"


def test_member_has_as_many_as_the_limit_and_one_more_for_each_that_is_cancelled(
    member: Member, store: Store
) -> None:
    item = make_item(per_member=1)
    one = redeem(member, item, store)
    refused(lambda: redeem(member, item, store), LimitExceeded, "item_id")
    cancel(one)
    assert redeem(member, item, store).state == "WAITING"


def test_points_are_spent_by_the_member_and_headquarters_only(member: Member, store: Store) -> None:
    item = make_item()
    other = make_rich(store)
    reading = Viewer(Role.INTEGRATION, id="k", scopes=frozenset({"members:read", "points:read"}))
    for viewer in (viewer_of(other), works_in(store), REGION, reading):
        refused(partial(redeem, member, item, store, viewer=viewer), NotFound, "member_id")
    member_service.archive(other.id, viewer=SYSTEM, clock=CLOCK)
    refused(lambda: redeem(other, item, store, viewer=SYSTEM), Forbidden, "member_id")
    assert redeem(member, item, store, viewer=SYSTEM).by_role is Role.SYSTEM


# --- what becomes of it ----------------------------------------------------------------------


def test_goods_are_handed_over_in_their_store_and_no_more_cancelled(
    member: Member, store: Store
) -> None:
    one = redeem(member, make_item(), store)
    elsewhere = works_in(make_store("S2"))
    refused(lambda: hand_over(one, elsewhere), NotFound, "id")
    refused(lambda: hand_over(one, viewer_of(member)), Forbidden, "id")
    done = hand_over(one, works_in(store), note="本人领取")
    assert (done.state, done.ended_by_role, done.note) == ("HANDED_OVER", Role.GUIDE, "本人领取")
    assert repository.page_of_waiting(store.id, first=9, after=None, reverse=False).items == []
    before = everything()
    assert hand_over(one).state == "HANDED_OVER"
    assert everything() == before
    refused(lambda: cancel(one), ForbiddenTransition, "id")


def test_what_is_cancelled_gives_points_and_piece_back_once(member: Member, store: Store) -> None:
    item = make_item()
    one = redeem(member, item, store)
    assert cancel(one, viewer_of(member)).state == "CANCELLED"
    assert (points_of(member), left(item)) == (1_000, 2)
    before = everything()
    cancel(one)
    assert everything() == before
    refused(lambda: hand_over(one), ForbiddenTransition, "id")


def test_coupon_is_not_cancelled(member: Member) -> None:
    item = make_item(kind=ItemKind.COUPON, template_id=make_template().id)
    one = redeem(member, item)
    refused(lambda: cancel(one), ForbiddenTransition, "id")


def test_nobody_cancels_what_others_had(member: Member, store: Store) -> None:
    one = redeem(member, make_item(), store)
    for viewer in (viewer_of(make_rich(store)), REGION):
        refused(partial(cancel, one, viewer), NotFound, "id")


def test_member_who_was_merged_cancels_what_the_other_had(member: Member, store: Store) -> None:
    item = make_item(per_member=1)
    survivor = make_rich(store, 50)
    one = redeem(member, item, store)
    two = MembersMerge(survivor_id=survivor.id, loser_id=member.id)
    merge(two, viewer=SYSTEM, clock=CLOCK)
    assert had(survivor) == [(item.name, 100, "WAITING")]
    refused(lambda: redeem(survivor, item, store), LimitExceeded, "item_id")
    before = points_of(survivor)
    cancel(one, viewer_of(survivor))
    assert (points_of(survivor), left(item)) == (before + 100, 2)
