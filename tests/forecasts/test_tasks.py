"""Counts follow the members: through the stream, each record once, whatever happens to them."""

import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from graphql_api.forecasts import repository, tasks
from graphql_api.forecasts.models import ForecastCount
from graphql_api.handlers import standing as handler
from graphql_api.members import service as member_service
from graphql_api.members.models import Member, MembersItem
from graphql_api.merges.service import MembersMerge, merge
from graphql_api.policies.rules import PolicyKind
from graphql_api.privacy import service as privacy
from graphql_api.privacy import tasks as privacy_tasks
from graphql_api.rebuilds import models as rebuild_models
from graphql_api.rebuilds import tasks as rebuild_tasks
from graphql_api.standing import service
from graphql_api.standing import tasks as days
from graphql_api.standing.rules import LockKind
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM
from scripts import recompute
from scripts.stream_pump import Context, Pump
from tests.factories import make_member, make_store
from tests.rebuilds.storage import published
from tests.standing.storage import buy, give_back, member_now, on

CONTEXT: Any = Context()
BEGIN = date(2018, 1, 10)


@pytest.fixture
def store(chain: str) -> Store:
    """A store of the chain."""
    return make_store("S1")


class Stream:
    """The stream of members, followed as in the cloud, on a day."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.batches: list[dict[str, Any]] = []
        self._pump = Pump(MembersItem.Meta.table_name, self._handle, path, consumer="standing")
        self._streams = boto3.client("dynamodbstreams")
        self._patch = monkeypatch

    def _handle(self, event: dict[str, Any], context: Any) -> Any:
        self.batches.append(event)
        return handler.handler(event, context)

    def follow(self, day: str) -> None:
        """Deliver everything, and what following it writes."""
        self._patch.setattr("graphql_api.stores.service.clock", lambda: on(day))
        while self._pump.drain(self._streams):
            pass


@pytest.fixture
def stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stream:
    """The stream of members."""
    return Stream(tmp_path, monkeypatch)


def counts() -> dict[str, int]:
    """All counts that are not 0."""
    return dict(repository.counts_now())


def test_member_counts_for_the_state_and_the_tier_to_come(store: Store, stream: Stream) -> None:
    member = make_member(store, clock=on("2018-01-10"))
    stream.follow("2018-01-10")
    assert counts() == {"2018-04-10#LIFECYCLE#AWAKENING": 1}
    buy(store, member, "2018-01-15", 30_000)
    stream.follow("2018-01-15")
    assert member_now(member).foreseen == [
        "2018-04-15#LIFECYCLE#AWAKENING",
        "2018-07-15#TIER#V1",
    ]
    assert counts() == dict.fromkeys(member_now(member).foreseen, 1)


def test_day_that_comes_moves_the_count_on(store: Store, stream: Stream) -> None:
    make_member(store, clock=on("2018-01-10"))
    stream.follow("2018-01-10")
    days.run(date(2018, 4, 10), clock=on("2018-04-10"))
    stream.follow("2018-04-10")
    assert counts() == {"2018-07-10#LIFECYCLE#WIN_BACK": 1}


def test_who_is_archived_counts_nowhere_and_again_when_restored(
    store: Store, stream: Stream
) -> None:
    member = make_member(store, clock=on("2018-01-10"))
    stream.follow("2018-01-10")
    before = counts()
    member_service.archive(member.id, viewer=SYSTEM, clock=on("2018-01-11"))
    stream.follow("2018-01-11")
    assert counts() == {}
    member_service.restore(member.id, viewer=SYSTEM)
    stream.follow("2018-01-12")
    assert counts() == before


def test_who_was_merged_or_erased_counts_nowhere(store: Store, stream: Stream) -> None:
    stays, merged, erased = (make_member(store, clock=on("2018-01-10")) for _ in range(3))
    stream.follow("2018-01-10")
    assert counts() == {"2018-04-10#LIFECYCLE#AWAKENING": 3}
    two = MembersMerge(survivor_id=stays.id, loser_id=merged.id, reason="同一个人")
    merge(two, viewer=SYSTEM, clock=on("2018-01-11"))
    stream.follow("2018-01-11")
    assert counts() == {"2018-04-10#LIFECYCLE#AWAKENING": 2}
    job = privacy.erase(erased.id, viewer=SYSTEM, clock=on("2018-01-12"))
    privacy_tasks.run(job.id, clock=on("2018-01-12"))
    stream.follow("2018-01-12")
    assert counts() == {"2018-04-10#LIFECYCLE#AWAKENING": 1}


def test_member_who_is_put_off_counts_where_they_did(store: Store, stream: Stream) -> None:
    member = make_member(store, clock=on("2018-01-10"))
    stream.follow("2018-01-10")
    buy(store, member, "2018-02-10", 100)
    stream.follow("2018-02-10")
    before = member_now(member)
    assert before.foreseen == ["2018-05-10#LIFECYCLE#AWAKENING"]
    days.run(before.due_on, clock=on(before.due_on.isoformat()))
    stream.follow(before.due_on.isoformat())
    now = member_now(member)
    assert (now.foreseen, counts()) == (before.foreseen, dict.fromkeys(before.foreseen, 1))
    assert now.due_on > before.due_on


def test_lock_is_foreseen_to_end(store: Store, stream: Stream) -> None:
    member = make_member(store, clock=on("2018-01-10"))
    stream.follow("2018-01-10")
    given = service.TierLock(
        member_id=member.id, kind=LockKind.PIN, tier="V3", until=date(2018, 2, 28)
    )
    service.lock(given, viewer=SYSTEM, clock=on("2018-01-10"))
    stream.follow("2018-01-10")
    assert counts()["2018-03-01#TIER#V1"] == 1


def test_published_policy_reaches_the_counts_of_those_who_do_not_move(
    store: Store, stream: Stream
) -> None:
    """Of who stays in V2 only that changes to which tier time would lead."""
    make_member(store, clock=on("2018-01-10"))
    buyer = make_member(store, clock=on("2018-01-10"))
    buy(store, buyer, "2018-01-10", 30_000)
    stream.follow("2018-01-10")
    assert counts()["2018-04-10#LIFECYCLE#AWAKENING"] == 2
    ladder = {
        "tiers": [{"name": "Basis", "threshold": 0}, {"name": "V2", "threshold": 100}],
    }
    version = published(PolicyKind.TIER_LADDER, ladder)
    rebuild_tasks.published(PolicyKind.TIER_LADDER, version, clock=on("2018-01-10"))
    run = rebuild_models.rebuild_id(PolicyKind.TIER_LADDER, version)
    rebuild_tasks.run_all(run, clock=on("2018-01-10"))
    stream.follow("2018-01-10")
    assert counts() == {"2018-04-10#LIFECYCLE#AWAKENING": 2, "2018-07-10#TIER#Basis": 1}


def test_counts_are_those_of_all_members_after_anything_and_a_replay_changes_nothing(
    store: Store, stream: Stream
) -> None:
    chance = random.Random(5)
    people = [make_member(store, clock=on("2018-01-10")) for _ in range(8)]
    sold: list[Any] = []
    gone: set[str] = set()
    day = BEGIN
    for step in range(30):
        day += timedelta(days=chance.choice([0, 1, 9, 31]))
        today = day.isoformat()
        _something(chance, store, people, sold, gone, today)
        if step % 3 == 0:
            days.run(day, clock=on(today))
        if step % 10 == 9:
            stream.follow(today)
            assert tasks.recount() == {}
    before = counts()
    assert sum(before.values()) >= len(people) - len(gone)
    for event in [*stream.batches, *reversed(stream.batches)]:
        handler.handler(event, CONTEXT)
    assert counts() == before
    assert len(stream.batches) > 3


def _something(
    chance: random.Random,
    store: Store,
    people: list[Member],
    sold: list[Any],
    gone: set[str],
    today: str,
) -> None:
    here = [member for member in people if member.id not in gone]
    member = chance.choice(here)
    what = chance.choice(["buy", "buy", "refund", "archive", "merge"])
    if what == "buy":
        sold.append(buy(store, member, today, chance.choice([100, 30_000, 90_000])))
    elif what == "refund" and sold:
        give_back(sold.pop(chance.randrange(len(sold))), today, 100)
    elif what == "archive" and len(here) > 4:
        member_service.archive(member.id, viewer=SYSTEM, clock=on(today))
        gone.add(member.id)
    elif what == "merge" and len(here) > 4:
        loser = chance.choice([one for one in here if one is not member])
        two = MembersMerge(survivor_id=member.id, loser_id=loser.id, reason="同一个人")
        merge(two, viewer=SYSTEM, clock=on(today))
        gone.add(loser.id)


def test_recount_finds_a_count_that_is_wrong(
    store: Store, stream: Stream, capsys: pytest.CaptureFixture[str]
) -> None:
    make_member(store, clock=on("2018-01-10"))
    stream.follow("2018-01-10")
    assert recompute.recount() == 0
    for part, place in (
        ("forecast#3", "2018-04-10#LIFECYCLE#AWAKENING"),
        ("forecast#0", "2018-05-10#TIER#V1"),
    ):
        ForecastCount(part, place).update(actions=[ForecastCount.members.add(1)])
    assert tasks.recount() == {
        "2018-04-10#LIFECYCLE#AWAKENING": (2, 1),
        "2018-05-10#TIER#V1": (1, 0),
    }
    assert recompute.recount() == 1
    assert "2018-05-10#TIER#V1: 1 counted, 0 members" in capsys.readouterr().out
