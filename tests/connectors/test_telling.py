"""Vendors end up with what is here, whatever comes twice, late, or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphql_api.connectors import models, queueing, repository, service
from graphql_api.connectors.doors import people
from graphql_api.connectors.errors import Later, VendorRefused
from graphql_api.connectors.models import Copy, Shop
from graphql_api.connectors.queueing import Tell
from graphql_api.connectors.rules import (
    CopyKind,
    CopyState,
    LinkKind,
    PointsMaster,
    Problem,
    Vendor,
)
from graphql_api.connectors.service import LinkSet, MasterSet, ShopLink, copies
from graphql_api.connectors.tasks import Early, compare, sweep_copies, telling
from graphql_api.coupons import service as coupons
from graphql_api.coupons.service import Lock, Shown, Unlock
from graphql_api.kit import queues
from graphql_api.kit.dynamo import transact
from graphql_api.kit.time import real_now
from graphql_api.members.models import Member
from graphql_api.members.rules import IdentityKind
from graphql_api.ownership import service as ownership
from graphql_api.ownership.service import Release, TakeOver
from graphql_api.points import service as points
from graphql_api.points.service import Cause
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM
from tests.coupons.factories import claim, make_template
from tests.factories import CLOCK, NOW, make_guide, make_identity, make_member, make_store
from tests.tags.factories import make_tag, set_tags

KEY = "yz-1"


@dataclass
class There:
    """A vendor that has one customer; what it is asked may fail before or after it is done."""

    points: int = 0
    tags: set[str] = field(default_factory=set)
    guide: str | None = None
    coupons: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    fails: list[Exception] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    gives_once: bool = False

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if self.fails:
            raise self.fails.pop(0)

    def points_of(self, _shop: Shop, customer: str) -> int:
        assert customer == KEY
        return self.points

    def change_points(self, _s: Shop, _c: str, points: int, *, key: str, reason: str) -> None:
        assert reason
        self._call(f"points {points:+}")
        if key not in self.keys:
            self.keys.add(key)
            self.points += points

    def change_tags(self, _s: Shop, _c: str, add: Sequence[str], remove: Sequence[str]) -> None:
        self._call(f"tags +{','.join(add)} -{','.join(remove)}")
        self.tags = (self.tags | set(add)) - set(remove)

    def set_guide(self, _s: Shop, _c: str, guide: str | None) -> None:
        self._call(f"guide {guide}")
        self.guide = guide

    def give_coupon(self, _s: Shop, _c: str, template: str, *, phone: str | None, key: str) -> str:
        del phone
        self._call(f"coupon {template}")
        if not self.gives_once or key not in self.keys:
            self.keys.add(key)
            self.coupons.append(f"code-{len(self.coupons) + 1}")
        return self.coupons[-1]


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> There:
    vendor = There()
    monkeypatch.setattr(telling, "adapter_of", lambda _: vendor)
    return vendor


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[queues.Message]:
    sent: list[queues.Message] = []
    monkeypatch.setattr(queues, "send", lambda _url, all_: sent.extend(all_))
    return sent


@pytest.fixture
def store(chain: str) -> Store:
    return make_store("S1")


@pytest.fixture
def shop(store: Store, queued: list[queues.Message]) -> Shop:
    given = ShopLink(
        vendor=Vendor.YOUZAN,
        vendor_key="1001",
        client_id="app-1",
        name="店",
        tells=list(CopyKind),
    )
    return service.link(given, viewer=SYSTEM, at=NOW)


@pytest.fixture
def member(store: Store) -> Member:
    return make_member(store, make_identity(KEY, IdentityKind.YOUZAN))


def link(shop: Shop, kind: LinkKind, key: str, our_id: str) -> None:
    given = LinkSet(shop_id=shop.id, kind=kind, vendor_key=key, our_id=our_id)
    service.set_link(given, viewer=SYSTEM, at=NOW)


def due(shop: Shop, kind: CopyKind, subject_id: str) -> Copy:
    assert copies.due(shop, kind, [subject_id])
    return copy_of(shop, kind, subject_id)


def copy_of(shop: Shop, kind: CopyKind, subject_id: str) -> Copy:
    [copy] = repository.get_copies([models.copy_id(shop.id, kind, subject_id)])
    assert copy is not None
    return copy


def tell(copy: Copy, *, at: datetime | None = None, turn: int | None = None) -> Copy:
    wanted = Tell(copy_id=copy.id, turn=int(copy.turn) if turn is None else turn)
    telling.tell(wanted, now=lambda: at or real_now(), clock=lambda: CLOCK)
    [now] = repository.get_copies([copy.id])
    assert now is not None
    return now


# --- points ----------------------------------------------------------------------------------


def test_vendor_is_told_the_difference_and_nothing_where_there_is_none(
    shop: Shop, member: Member, there: There
) -> None:
    there.points = 30
    points.grant(member.id, 100, key="k", cause=Cause(CLOCK))
    assert tell(due(shop, CopyKind.POINTS, member.id)).state is CopyState.TOLD
    assert tell(due(shop, CopyKind.POINTS, member.id)).state is CopyState.TOLD
    assert (there.points, there.calls) == (100, ["points +70"])


def test_death_behind_the_vendors_answer_gives_nothing_twice(
    shop: Shop, member: Member, there: There, monkeypatch: pytest.MonkeyPatch
) -> None:
    points.grant(member.id, 100, key="k", cause=Cause(CLOCK))
    copy = due(shop, CopyKind.POINTS, member.id)
    with monkeypatch.context() as dying:
        dying.setattr(repository, "note_told", lambda *_, **__: exit())
        with pytest.raises(SystemExit):
            tell(copy)
    assert tell(copy).state is CopyState.TOLD
    assert (there.points, there.calls) == (100, ["points +100"])


def test_vendor_that_is_the_master_is_told_no_points(
    shop: Shop, member: Member, there: There
) -> None:
    service.set_master(MasterSet(master=PointsMaster.YOUZAN), viewer=SYSTEM, at=NOW)
    points.grant(member.id, 100, key="k", cause=Cause(CLOCK))
    assert tell(due(shop, CopyKind.POINTS, member.id)).state is CopyState.TOLD
    assert there.calls == []


def test_members_are_compared_a_page_at_a_time_when_ours_become_right(
    shop: Shop, store: Store, queued: list[queues.Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "COMPARED_AT_ONCE", 2)
    known = [make_member(store, make_identity(f"yz-{n}", IdentityKind.YOUZAN)) for n in range(3)]
    make_member(store, make_identity("openid-9"))
    service.set_master(MasterSet(master=PointsMaster.YOUZAN), viewer=SYSTEM, at=NOW)
    queued.clear()
    service.set_master(MasterSet(master=PointsMaster.OURS), viewer=SYSTEM, at=NOW)
    told: list[str] = []
    while queued:
        wanted = queueing.read_out(orjson.dumps(queued.pop(0).body).decode())
        if isinstance(wanted, Tell):
            told.append(wanted.copy_id)
        else:
            compare(wanted)
    wanted_ids = [models.copy_id(shop.id, CopyKind.POINTS, one.id) for one in known]
    assert sorted(told) == sorted(wanted_ids)


def test_same_change_made_there_again_is_undone_again(
    shop: Shop, member: Member, there: There
) -> None:
    for _ in range(2):
        there.points = 5
        tell(due(shop, CopyKind.POINTS, member.id))
        assert there.points == 0
    assert there.calls == ["points -5", "points -5"]


def test_vendor_that_is_not_the_master_is_told_points(
    shop: Shop, member: Member, there: There
) -> None:
    service.set_master(MasterSet(master=PointsMaster.WEIMOB), viewer=SYSTEM, at=NOW)
    points.grant(member.id, 100, key="k", cause=Cause(CLOCK))
    tell(due(shop, CopyKind.POINTS, member.id))
    assert there.calls == ["points +100"]


def test_who_became_another_customer_there_is_told_of_as_that_one(
    shop: Shop, member: Member
) -> None:
    transact(lambda tx: repository.put_link(tx, shop.id, LinkKind.CUSTOMER, KEY, "yz-2", at=NOW))
    assert (people.key_of(shop, member), people.told_as(shop, member)) == (KEY, "yz-2")


def test_tag_without_a_link_stays_there(shop: Shop, member: Member, there: There) -> None:
    copies.heard_tags(shop, member.id, gained=["未关联"], lost=[])
    assert tell(due(shop, CopyKind.TAGS, member.id)).state is CopyState.TOLD
    assert there.calls == []


# --- tags and guides -------------------------------------------------------------------------


def test_linked_tags_come_and_go_there_and_others_are_none_of_theirs(
    shop: Shop, member: Member, there: There
) -> None:
    one, two, other = make_tag(), make_tag(), make_tag()
    link(shop, LinkKind.TAG, "高价值", one.id)
    link(shop, LinkKind.TAG, "油性", two.id)
    set_tags(member, one, other)
    tell(due(shop, CopyKind.TAGS, member.id))
    set_tags(member, two, remove=[one])
    tell(due(shop, CopyKind.TAGS, member.id))
    assert there.calls == ["tags +高价值 -", "tags +油性 -高价值"]
    assert copy_of(shop, CopyKind.TAGS, member.id).told == ["油性"]


def test_what_the_vendor_said_is_not_told_back(shop: Shop, member: Member, there: There) -> None:
    tag = make_tag()
    link(shop, LinkKind.TAG, "高价值", tag.id)
    set_tags(member, tag)
    copies.heard_tags(shop, member.id, gained=["高价值"], lost=[])
    tell(due(shop, CopyKind.TAGS, member.id))
    copies.heard(shop, CopyKind.GUIDE, member.id, None)
    tell(due(shop, CopyKind.GUIDE, member.id))
    assert there.calls == []


def test_linked_guide_and_nobody_are_told(
    shop: Shop, store: Store, member: Member, there: There
) -> None:
    guide, other = make_guide(store, "甲"), make_guide(store, "乙")
    link(shop, LinkKind.GUIDE, "xiaohua", guide.id)
    for who in (guide, other):
        taken = TakeOver(member_id=member.id, guide_id=who.id, force=True)
        ownership.take_over(taken, viewer=SYSTEM, clock=CLOCK)
        tell(due(shop, CopyKind.GUIDE, member.id))
    ownership.release(Release(member_id=member.id), viewer=SYSTEM, clock=CLOCK)
    tell(due(shop, CopyKind.GUIDE, member.id))
    assert there.calls == ["guide xiaohua", "guide None"]


def test_who_is_not_known_there_is_not_told(shop: Shop, store: Store, there: There) -> None:
    stranger = make_member(store, make_identity("openid-1"))
    points.grant(stranger.id, 100, key="k", cause=Cause(CLOCK))
    assert tell(due(shop, CopyKind.POINTS, stranger.id)).state is CopyState.TOLD
    assert there.calls == []


# --- coupons ---------------------------------------------------------------------------------


@pytest.fixture
def coupon_id(shop: Shop, member: Member) -> str:
    template = make_template()
    link(shop, LinkKind.COUPON_TEMPLATE, "5566", template.id)
    return claim(member, template).coupon_id


def test_coupon_is_given_there_once_and_linked(shop: Shop, coupon_id: str, there: There) -> None:
    for _ in range(3):
        tell(due(shop, CopyKind.COUPON, coupon_id))
    assert (there.calls, there.coupons) == (["coupon 5566"], ["code-1"])
    assert repository.our_id(shop.id, LinkKind.COUPON, "code-1") == coupon_id


def test_coupon_without_an_answer_waits_for_somebody_to_look(
    shop: Shop, coupon_id: str, there: There
) -> None:
    there.fails = [Later(3, is_unsure=True)]
    copy = tell(due(shop, CopyKind.COUPON, coupon_id))
    assert (copy.state, copy.problem) == (CopyState.DUE, Problem.BUSY)
    copy = tell(copy, at=real_now() + timedelta(minutes=5))
    assert (copy.state, copy.detail) == (CopyState.DEAD, "UNCLEAR")
    assert there.calls == ["coupon 5566"]
    again = service.tell_again(copy.id, viewer=SYSTEM, at=real_now())
    assert tell(again).state is CopyState.TOLD
    assert there.coupons == ["code-1"]


def test_coupon_that_was_refused_for_a_while_is_asked_for_again(
    shop: Shop, coupon_id: str, there: There
) -> None:
    there.fails = [Later(3)]
    copy = tell(due(shop, CopyKind.COUPON, coupon_id))
    assert tell(copy, at=real_now() + timedelta(minutes=5)).state is CopyState.TOLD
    assert there.coupons == ["code-1"]


def test_coupon_that_is_held_for_an_order_is_given_when_it_is_free(
    shop: Shop, member: Member, coupon_id: str, there: There
) -> None:
    held = Lock(coupon=Shown(id=coupon_id), key="basket-1", until=CLOCK.now() + timedelta(hours=1))
    coupons.lock(held, viewer=SYSTEM, clock=CLOCK)
    copy = tell(due(shop, CopyKind.COUPON, coupon_id))
    assert (copy.state, there.coupons) == (CopyState.DUE, [])
    free = Unlock(coupon=Shown(id=coupon_id), key="basket-1")
    coupons.unlock(free, viewer=SYSTEM, clock=CLOCK)
    assert tell(copy, at=real_now() + timedelta(minutes=15)).state is CopyState.TOLD
    assert there.coupons == ["code-1"]


def test_vendor_that_takes_a_key_is_asked_again_without_an_answer(
    shop: Shop, coupon_id: str, there: There
) -> None:
    there.gives_once = True
    there.fails = [Later(3, is_unsure=True)]
    copy = tell(due(shop, CopyKind.COUPON, coupon_id))
    assert tell(copy, at=real_now() + timedelta(minutes=5)).state is CopyState.TOLD
    assert there.coupons == ["code-1"]


# --- turns and tries -------------------------------------------------------------------------


def test_late_turn_does_nothing_and_an_early_one_comes_again(
    shop: Shop, member: Member, there: There
) -> None:
    points.grant(member.id, 1, key="k", cause=Cause(CLOCK))
    due(shop, CopyKind.POINTS, member.id)
    copy = due(shop, CopyKind.POINTS, member.id)
    tell(copy, turn=1)
    assert there.calls == []
    with pytest.raises(Early):
        tell(copy, turn=3)
    tell(copy)
    assert there.calls == ["points +1"]


def test_busy_vendor_is_tried_later_and_given_up_after_a_day(
    shop: Shop, member: Member, there: There, queued: list[queues.Message]
) -> None:
    points.grant(member.id, 1, key="k", cause=Cause(CLOCK))
    copy = due(shop, CopyKind.POINTS, member.id)
    queued.clear()
    there.fails = [Later(48)]
    copy = tell(copy)
    [message] = queued
    assert message.body == {"copy_id": copy.id, "turn": 2}
    assert message.delay >= 47
    assert (copy.state, copy.problem, int(copy.attempts)) == (CopyState.DUE, Problem.BUSY, 1)
    there.fails = [Later(1)]
    copy = tell(copy, at=copy.begun_at + timedelta(hours=24))
    assert copy.state is CopyState.DEAD


def test_attempt_before_its_time_is_put_off(
    shop: Shop, member: Member, there: There, queued: list[queues.Message]
) -> None:
    points.grant(member.id, 1, key="k", cause=Cause(CLOCK))
    there.fails = [Later(600)]
    copy = tell(due(shop, CopyKind.POINTS, member.id))
    queued.clear()
    tell(copy)
    [message] = queued
    assert message.body == {"copy_id": copy.id, "turn": int(copy.turn)}
    assert 590 < message.delay <= 600


def test_refusal_of_the_vendor_is_given_up_at_once(
    shop: Shop, member: Member, there: There
) -> None:
    points.grant(member.id, 1, key="k", cause=Cause(CLOCK))
    there.fails = [VendorRefused("4204")]
    copy = tell(due(shop, CopyKind.POINTS, member.id))
    assert (copy.state, copy.problem, copy.detail) == (
        CopyState.DEAD,
        Problem.VENDOR_REFUSED,
        "4204",
    )


def test_copy_that_no_queue_knows_of_is_swept_up(
    shop: Shop, member: Member, queued: list[queues.Message]
) -> None:
    copy = due(shop, CopyKind.POINTS, member.id)
    queued.clear()
    assert sweep_copies() == 0
    assert sweep_copies(now=lambda: real_now() + timedelta(hours=1)) == 1
    assert [message.body for message in queued] == [{"copy_id": copy.id, "turn": 1}]


# --- whatever happens ------------------------------------------------------------------------

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("grant"), st.integers(1, 50)),
        st.tuples(st.just("there"), st.integers(0, 80)),
        st.tuples(st.just("tag"), st.integers(0, 1)),
        st.tuples(st.just("untag"), st.integers(0, 1)),
        st.tuples(st.just("told tag"), st.integers(0, 1)),
        st.tuples(st.just("fail"), st.booleans()),
        st.tuples(st.just("queue"), st.integers(0, 5)),
    ),
    max_size=14,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(STEPS)
def test_vendor_ends_with_what_is_here_in_as_many_calls_as_there_were_changes(
    shop: Shop,
    store: Store,
    there: There,
    queued: list[queues.Message],
    monkeypatch: pytest.MonkeyPatch,
    steps: list[tuple[str, Any]],
) -> None:
    run = _Run(shop, store, there, queued, monkeypatch)
    for name, value in steps:
        getattr(run, f"do_{name.replace(' ', '_')}")(value)
    there.fails.clear()
    run.settle()
    assert there.points == run.points
    assert there.tags == {run.names[n] for n in run.held}
    assert len(there.calls) <= 2 * len(steps) + 2


class _Run:
    """One member's life: here, there, and the messages between."""

    serial = 0

    def __init__(
        self,
        shop: Shop,
        store: Store,
        there: There,
        queued: list[queues.Message],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        _Run.serial += 1
        self.key = f"run-{_Run.serial}"
        self.shop, self.there, self.queued = shop, there, queued
        there.__init__()  # type: ignore[misc]  # begun anew for each example
        monkeypatch.setattr(there, "points_of", lambda *_: there.points)
        queued.clear()
        self.member = make_member(store, make_identity(self.key, IdentityKind.YOUZAN))
        self.tags = [make_tag(), make_tag()]
        self.names = [f"{self.key}-{n}" for n in range(2)]
        for name, tag in zip(self.names, self.tags, strict=True):
            link(shop, LinkKind.TAG, name, tag.id)
        queued.clear()
        self.points, self.held, self.grants = 0, set[int](), 0
        self.now = real_now()

    def do_grant(self, amount: int) -> None:
        self.grants += 1
        points.grant(self.member.id, amount, key=f"g{self.grants}", cause=Cause(CLOCK))
        self.points += amount
        copies.due(self.shop, CopyKind.POINTS, [self.member.id])

    def do_there(self, amount: int) -> None:
        """Somebody changes points at the vendor, who says so."""
        self.there.points = amount
        copies.due(self.shop, CopyKind.POINTS, [self.member.id])

    def do_tag(self, n: int) -> None:
        set_tags(self.member, self.tags[n])
        self.held.add(n)
        copies.due(self.shop, CopyKind.TAGS, [self.member.id])

    def do_untag(self, n: int) -> None:
        set_tags(self.member, remove=[self.tags[n]])
        self.held.discard(n)
        copies.due(self.shop, CopyKind.TAGS, [self.member.id])

    def do_told_tag(self, n: int) -> None:
        """The vendor gives a tag, and what comes of it here is a change like any other."""
        self.there.tags.add(self.names[n])
        set_tags(self.member, self.tags[n])
        self.held.add(n)
        copies.heard_tags(self.shop, self.member.id, gained=[self.names[n]], lost=[])
        copies.due(self.shop, CopyKind.TAGS, [self.member.id])

    def do_fail(self, is_unsure: bool) -> None:
        self.there.fails.append(Later(1, is_unsure=is_unsure))

    def do_queue(self, place: int) -> None:
        """Some message arrives, and again later."""
        if self.queued:
            message = self.queued[place % len(self.queued)]
            self._follow(message)

    def settle(self) -> None:
        while self.queued:
            self.now += timedelta(minutes=30)
            message = self.queued.pop(0)
            self._follow(message)

    def _follow(self, message: queues.Message) -> None:
        wanted = Tell(**message.body)
        telling.tell(wanted, now=lambda: self.now, clock=lambda: CLOCK)
