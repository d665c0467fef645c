"""The three laws of orders, on storage: known once, added up, decided once (design §4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphql_api.coupons import repository as coupons
from graphql_api.coupons.models import Template
from graphql_api.kit.time import Clock
from graphql_api.members.models import Member
from graphql_api.members.rules import Contribution, Moved, Origin
from graphql_api.members.service import NewIdentity
from graphql_api.orders import repository, service
from graphql_api.orders.service import Snapshot, SnapshotBody, SnapshotRefund
from graphql_api.points import service as points
from graphql_api.stores.models import Store
from tests.coupons.factories import fixed, issue, make_template, make_terms
from tests.factories import CLOCK, NOW, fresh, make_guide, make_identity, make_member, make_store
from tests.members.test_facts import in_plain_words, shown
from tests.orders.storage import about, facts_of, first_purchases, on_storage, order_of
from tests.points.storage import figures_of

DAYS = (0, 1, 40)
COUPONS = ((), ("ann's",), ("bob's", "ann's"), ("nobody's",))
BUYERS = ("ann", "bob", "named ann", "named bob, bought as ann", "unknown", "nobody")


@dataclass(frozen=True)
class Version:
    """What a till tells of an order: a body of some revision, refunds of some revisions."""

    body: int | None
    refunds: tuple[tuple[str, int], ...]
    settled: int | None = None  # days ago; of several the earliest stands


@dataclass(frozen=True)
class Tellings:
    """The contents of each revision, and the versions that arrive: one content to a revision."""

    buyers: tuple[str, ...]
    totals: tuple[int, ...]
    days: tuple[int, ...]
    stores: tuple[int, ...]
    amounts: tuple[int, ...]
    used: tuple[int, ...]
    coupons: tuple[tuple[str, ...], ...]
    arriving: tuple[Version, ...]

    @property
    def last(self) -> Version:
        """The last version: the newest body and the newest revision of every refund."""
        bodies = [version.body for version in self.arriving if version.body is not None]
        newest: dict[str, int] = {}
        for version in self.arriving:
            for id_, revision in version.refunds:
                newest[id_] = max(revision, newest.get(id_, 0))
        settled = [version.settled for version in self.arriving if version.settled is not None]
        body, refunds = max(bodies, default=None), tuple(sorted(newest.items()))
        return Version(body, refunds, max(settled, default=None))


def of_each_revision(values: Sequence[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.tuples(*[st.sampled_from(values)] * 3)


versions = st.builds(
    Version,
    st.none() | st.integers(0, 2),
    st.dictionaries(st.sampled_from(["r1", "r2"]), st.integers(0, 2), max_size=2).map(
        lambda known: tuple(known.items())
    ),
    st.sampled_from([None, None, 1, 3]),
).filter(lambda version: version.body is not None or bool(version.refunds))
tellings = st.builds(
    Tellings,
    buyers=of_each_revision(BUYERS),
    totals=of_each_revision([0, 4_000, 10_050]),
    days=of_each_revision(DAYS),
    stores=of_each_revision([0, 1]),
    amounts=of_each_revision([0, 3_000, 4_000]),
    used=of_each_revision([0, 90, 400]),
    coupons=of_each_revision(COUPONS),
    arriving=st.lists(versions, min_size=1, max_size=4).flatmap(
        lambda told: st.permutations([*told, told[0]]).map(tuple)
    ),
)


class World:
    """Two members of two guides who have points and a coupon each, two stores, and one order."""

    def __init__(
        self, told: Tellings, stores: Sequence[Store], guides: Sequence[str], template: Template
    ) -> None:
        self.told = told
        self.stores = stores
        self.number = fresh("W")
        self.identities = [make_identity() for _ in range(3)]
        ann, bob, _ = self.identities
        self.ann = make_member(stores[0], ann, guide_id=guides[0])
        self.bob = make_member(stores[0], bob, guide_id=guides[1])
        self.coupons = {"nobody's": "AAAA"}
        for name, member in (("ann's", self.ann), ("bob's", self.bob)):
            points.grant(member.id, 300, key="g", cause=points.Cause(CLOCK))
            self.coupons[name] = issue(member, template).coupon_id

    def outcome(self) -> list[object]:
        """What both have in points and coupons, and what stands of both on the order."""
        order = repository.get(self.snapshot(self.told.arriving[0]).order_id)
        assert order is not None
        sums = [figures_of(m.id).balance + figures_of(m.id).pending for m in (self.ann, self.bob)]
        held = coupons.find([self.coupons["ann's"], self.coupons["bob's"]])
        states = [(coupon.state, coupon.order_id == order.id) for coupon in held if coupon]
        kept, used = order.points, order.coupons
        names = {id_: name for name, id_ in self.coupons.items()}
        return [
            sums,
            states,
            kept and (kept.earned, kept.used, kept.restored, kept.waived, kept.settled_on),
            used and [names[id_] for id_ in used.redeemed],
            used and [names[id_] for id_ in used.returned],
            used and [(names[one.code], one.reason) for one in used.problems],
        ]

    @property
    def names(self) -> dict[str, str]:
        """What differs between two worlds that are the same."""
        values = {identity.value: f"identity {n}" for n, identity in enumerate(self.identities)}
        held = {id_: name for name, id_ in self.coupons.items()}
        return {self.ann.id: "ann", self.bob.id: "bob", **values, **held}

    def snapshot(self, version: Version) -> Snapshot:
        """A version as its till sends it."""
        body = None if version.body is None else self._body(version.body)
        refunds = [self._refund(*known) for known in version.refunds]
        settled = None if version.settled is None else NOW - timedelta(days=version.settled)
        return Snapshot(
            source="pos",
            external_id=self.number,
            body=body,
            refunds=refunds,
            settled_at=settled,
        )

    def _body(self, revision: int) -> SnapshotBody:
        named, buyer = self._buyer(self.told.buyers[revision])
        return SnapshotBody(
            revision=revision,
            paid_at=NOW - timedelta(days=self.told.days[revision]),
            total=self.told.totals[revision],
            store_id=self.stores[self.told.stores[revision]].id,
            member_id=named,
            buyer=buyer,
            points_used=self.told.used[revision],
            coupons=[self.coupons[name] for name in self.told.coupons[revision]],
        )

    def _buyer(self, who: str) -> tuple[str | None, list[NewIdentity]]:
        ann, bob, unknown = self.identities
        return {
            "ann": (None, [ann]),
            "bob": (None, [bob, unknown]),
            "named ann": (self.ann.id, []),
            "named bob, bought as ann": (self.bob.id, [ann]),
            "unknown": (None, [unknown]),
            "nobody": (None, []),
        }[who]

    def _refund(self, id_: str, revision: int) -> SnapshotRefund:
        at = NOW + timedelta(hours=revision)
        return SnapshotRefund(id=id_, revision=revision, at=at, amount=self.told.amounts[revision])


@settings(on_storage, max_examples=12)
@given(told=tellings)
def test_versions_in_any_sequence_and_doubled_are_the_last_version_once(
    told: Tellings, two_stores: list[Store], two_guides: list[str], template: Template
) -> None:
    world, once = (World(told, two_stores, two_guides, template) for _ in range(2))
    for version in told.arriving:
        service.apply(world.snapshot(version), clock=CLOCK)
    last = once.snapshot(told.last)
    service.apply(last, clock=CLOCK)
    assert about(world.snapshot(told.last), world.names) == about(last, once.names)
    assert facts_of(world.ann.id) == facts_of(once.ann.id)
    assert facts_of(world.bob.id) == facts_of(once.bob.id)
    assert world.outcome() == once.outcome()
    again = service.apply(world.snapshot(told.last), clock=CLOCK)
    assert not again.changed


@pytest.fixture
def template(chain: str) -> Template:
    """Coupons of ten yuan that hold on the day of the other tests and the day before."""
    days = fixed(date(2018, 1, 9), date(2018, 1, 31))
    return make_template(make_terms(validity=days))


@pytest.fixture
def two_stores(store: Store) -> list[Store]:
    return [store, make_store("S2")]


@pytest.fixture
def two_guides(store: Store) -> list[str]:
    return [make_guide(store, name).id for name in ("甲", "乙")]


@dataclass(frozen=True)
class Purchase:
    """One version of one of a few orders: (order, days ago, fen, fen refunded)."""

    order: int
    revision: int
    days_ago: int
    paid: int
    refunded: int

    def snapshot(self, store: Store, numbers: Sequence[str], member: Member) -> Snapshot:
        """The purchase as its till tells it, refund and all."""
        refund = SnapshotRefund(id="r", revision=self.revision, at=NOW, amount=self.refunded)
        return Snapshot(
            source="pos",
            external_id=numbers[self.order],
            body=SnapshotBody(
                revision=self.revision,
                paid_at=NOW - timedelta(days=self.days_ago),
                total=self.paid,
                store_id=store.id,
                member_id=member.id,
            ),
            refunds=[refund] if self.refunded else [],
        )


purchases = st.builds(
    Purchase,
    order=st.integers(0, 3),
    revision=st.integers(1, 3),
    days_ago=st.sampled_from([0, 5, 9, 40, 400, 1_100, 1_200]),
    paid=st.sampled_from([0, 5_000, 12_345]),
    refunded=st.sampled_from([0, 0, 100, 12_345]),
)


@on_storage
@given(
    arriving=st.lists(purchases, min_size=2, max_size=7, unique_by=lambda p: (p.order, p.revision))
)
def test_facts_are_those_of_the_orders_in_whatever_sequence_they_arrived(
    arriving: list[Purchase], store: Store
) -> None:
    member, numbers = make_member(store), [fresh("W") for _ in range(4)]
    for purchase in arriving:
        service.apply(purchase.snapshot(store, numbers, member), clock=CLOCK)
    assert shown(facts_of(member.id)) == in_plain_words(what_is_known(arriving))


def what_is_known(arriving: list[Purchase]) -> list[Contribution]:
    """What the newest version of each order gives; a refund told before stays told."""
    known = []
    for order in {purchase.order for purchase in arriving}:
        told = sorted((p for p in arriving if p.order == order), key=lambda p: p.revision)
        refunds = [p.refunded for p in told if p.refunded]
        paid = told[-1].paid
        refunded = min(paid, refunds[-1] if refunds else 0)
        counts = 0 if paid and refunded == paid else 1
        day = date(2018, 1, 10) - timedelta(days=told[-1].days_ago)
        growth = (paid - refunded) // 100
        moved = Moved("2018-01", 1 - counts, refunded, paid // 100 - growth)
        later = (moved,) if refunded and day < date(2018, 1, 1) else ()
        known.append(Contribution(day, counts, paid, refunded, growth, later))
    return known


@on_storage
@given(
    arriving=st.lists(
        st.tuples(purchases, st.sampled_from(Origin), st.integers(0, 3)), min_size=2, max_size=6
    )
)
def test_first_purchase_is_decided_once_whatever_arrives_or_is_refunded_later(
    arriving: list[tuple[Purchase, Origin, int]], store: Store
) -> None:
    member, numbers = make_member(store), [fresh("W") for _ in range(4)]
    decided: tuple[date, Origin] | None = None
    today = 0
    for purchase, origin, days in arriving:
        today += days
        clock = on_day(today)
        service.apply(purchase.snapshot(store, numbers, member), clock=clock, origin=origin)
        if decided is None and facts_of(member.id).orders:
            decided = date(2018, 1, 10) + timedelta(days=today), origin
        effects = [(effect.decided_on, effect.origin) for effect in first_purchases(member.id)]
        assert effects == ([decided] if decided else [])


def on_day(days: int) -> Clock:
    """Noon in Shanghai, so many days after the others."""
    return Clock(wall=lambda: NOW + timedelta(days=days))


def test_order_that_comes_late_and_is_older_does_not_move_the_first_purchase(store: Store) -> None:
    member, numbers = make_member(store), ["W1", "W2"]
    steps: list[tuple[int, Purchase]] = [
        (0, Purchase(0, 1, days_ago=5, paid=5_000, refunded=0)),
        (1, Purchase(0, 2, days_ago=5, paid=5_000, refunded=5_000)),
        (2, Purchase(1, 1, days_ago=40, paid=5_000, refunded=0)),
    ]
    for today, purchase in steps:
        snapshot = purchase.snapshot(store, numbers, member)
        service.apply(snapshot, clock=on_day(today))
    [effect] = first_purchases(member.id)
    assert (effect.decided_on, effect.origin, effect.level) == (NOW.date(), Origin.LIVE, "-")
    assert facts_of(member.id).first_on == date(2017, 12, 1)


def test_business_day_of_an_order_is_that_of_the_chain(store: Store) -> None:
    last_second = datetime(2018, 1, 5, 15, 59, 59, 999_999, UTC)
    days = []
    for paid_at in (last_second, last_second + timedelta(microseconds=1)):
        body = SnapshotBody(revision=1, paid_at=paid_at, total=1, store_id=store.id)
        snapshot = Snapshot(source="pos", external_id=fresh("W"), body=body)
        service.apply(snapshot, clock=CLOCK)
        days.append(order_of(snapshot).day)
    assert days == [date(2018, 1, 5), date(2018, 1, 6)]
