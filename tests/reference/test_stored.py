"""A few members live their year on storage: orders, refunds in later months, and the daily run."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import pytest

from graphql_api.kit.time import Clock, start_of
from graphql_api.members import repository as members
from graphql_api.members.models import Member, due_shard_of
from graphql_api.orders import service as orders
from graphql_api.orders.service import Snapshot, SnapshotBody, SnapshotRefund
from graphql_api.standing import models, tasks
from graphql_api.stores.models import Store
from scripts.bench.year import Arrival, History
from tests.factories import NOW, make_member, make_store
from tests.reference import till, year
from tests.reference.days import every_day, is_month_end
from tests.reference.replay import as_reference

HOUSEHOLDS = (213, 1728)
MORNING = timedelta(minutes=5)


@dataclass
class Chain:
    """A chain whose clock is set by hand, with a store."""

    store: Store
    now: datetime = NOW
    clock: Clock = field(init=False)

    def __post_init__(self) -> None:
        self.clock = Clock(wall=lambda: self.now)

    def enrol(self, history: History) -> Member:
        self.now = history.arrivals[0].at
        return make_member(self.store, clock=self.clock, joined_at=self.now)

    def arrive(self, member: Member, arrival: Arrival) -> None:
        self.now = arrival.at
        orders.apply(self.snapshot(member, arrival), clock=self.clock)

    def snapshot(self, member: Member, arrival: Arrival) -> Snapshot:
        number = str(arrival.basket_id)
        if arrival.is_refund:
            refund = SnapshotRefund(id="r", revision=1, at=arrival.at, amount=arrival.amount)
            return Snapshot(source="pos", external_id=number, refunds=[refund])
        body = SnapshotBody(
            revision=1,
            paid_at=arrival.at,
            total=arrival.amount,
            store_id=self.store.id,
            member_id=member.id,
        )
        return Snapshot(source="pos", external_id=number, body=body)

    def run(self, member: Member, day: date) -> None:
        self.now = start_of(day, self.clock.zone) + MORNING
        tasks.run_shard(due_shard_of(member), day, clock=self.clock)


@pytest.fixture
def shop(chain: str) -> Chain:
    return Chain(make_store("S1"))


@pytest.mark.parametrize("household", HOUSEHOLDS)
def test_member_on_storage_is_at_every_month_end_what_the_reference_gives(
    household: int, histories: list[History], shop: Chain
) -> None:
    [history] = [one for one in histories if one.household_id == household]
    found = dict(lived(shop, history))
    assert found == till.month_ends(year.as_told(history), year.LAST_DAY)


def lived(shop: Chain, history: History) -> Iterator[tuple[date, dict[str, object]]]:
    """The year on storage; of each day the run comes first, and only where the member is due."""
    member = shop.enrol(history)
    arrivals = list(history.arrivals)
    for day in every_day(history.joined_on, year.LAST_DAY):
        if member.due_on is not None and member.due_on <= day:
            shop.run(member, day)
            member = now(member)
        while arrivals and arrivals[0].on == day:
            shop.arrive(member, arrivals.pop(0))
            member = now(member)
        if is_month_end(day):
            standing = models.standing(member, history.joined_on)
            assert standing is not None
            yield day, as_reference(standing)


def now(member: Member) -> Member:
    found = members.get(member.id)
    assert found is not None
    return found
