"""What effects and days bring: gifts once, whatever is delivered again, killed or merged."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import pytest

from graphql_api.benefits import rules, service, tasks
from graphql_api.benefits.rules import JOINED
from graphql_api.benefits.tasks import Report
from graphql_api.errors import Conflict
from graphql_api.handlers import effects, recompute_worker
from graphql_api.kit.dynamo import Page
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members import service as member_service
from graphql_api.members.models import Member, MembersItem
from graphql_api.members.rules import EffectKind, Origin
from graphql_api.members.service import Update
from graphql_api.merges.service import MembersMerge, merge
from graphql_api.orders import service as orders
from graphql_api.standing import service as standing
from graphql_api.standing import tasks as standings
from graphql_api.standing.service import TierGrant
from graphql_api.stores import service as stores
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM
from scripts.stream_pump import Pump
from tests.benefits.factories import (
    everything,
    gift_of,
    gifts_of,
    of_every_tier,
    put_in_force,
)
from tests.coupons.factories import make_template
from tests.factories import CLOCK, make_member, make_snapshot
from tests.standing.storage import buy, give_back, on, standing_now

TODAY = date(2018, 1, 10)
UPGRADES = {tier: {"upgradeGift": {"points": 10}} for tier in ("V2", "V3", "V4")}


@pytest.fixture
def follow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have the function follow what was written to members, as the stream delivers it."""

    def drain(clock: Clock = CLOCK) -> None:
        monkeypatch.setattr(stores, "clock", lambda: clock)
        while pump.drain(boto3.client("dynamodbstreams")):
            pass

    pump = Pump(MembersItem.Meta.table_name, effects.handler, tmp_path)
    return drain


Follow = Callable[..., None]


def points_of(member: Member) -> int:
    now = members.get(member.id)
    assert now is not None
    return int(now.points)


def test_who_joins_gets_the_joining_gift_off_the_real_stream(store: Store, follow: Follow) -> None:
    put_in_force({"V1": {"joiningGift": {"points": 20}}})
    member = make_member(store)
    follow()
    assert (gifts_of(member), points_of(member)) == ([("JOINING", "-", "GIVEN")], 20)


def test_upgrade_over_two_tiers_gives_each_gift_once_and_rising_again_gives_nothing(
    store: Store, follow: Follow
) -> None:
    put_in_force(UPGRADES)
    member = make_member(store)
    bought = buy(store, member, "2018-01-10", 60_000)
    follow()
    risen = [("UPGRADE", "V2", "GIVEN"), ("UPGRADE", "V3", "GIVEN")]
    assert gifts_of(member) == risen
    give_back(bought, "2018-07-09", 60_000)
    standings.run(date(2018, 7, 10), clock=on("2018-07-10"))
    assert standing_now(member).tier.name == "V1"
    buy(store, member, "2018-07-11", 60_000)
    follow(on("2018-07-11"))
    assert standing_now(member).tier.name == "V3"
    assert gifts_of(member) == risen


def test_tier_that_a_member_is_given_brings_its_own_gift_and_none_of_those_below(
    store: Store, follow: Follow
) -> None:
    put_in_force(UPGRADES)
    member = make_member(store)
    given = TierGrant(member_id=member.id, tier="V4")
    standing.grant(given, viewer=SYSTEM, clock=CLOCK)
    follow()
    assert gifts_of(member) == [("UPGRADE", "V4", "GIVEN")]


def test_history_that_is_filled_in_gives_nothing(store: Store, follow: Follow) -> None:
    put_in_force(UPGRADES | {"V1": {"joiningGift": {"points": 20}}})
    member = make_member(store)
    follow()
    order = make_snapshot(store, member_id=member.id, total=90_000)
    orders.backfill(member.id, [order], clock=CLOCK, job="import")
    follow()
    assert standing_now(member).tier.name == "V3"
    assert gifts_of(member) == [("JOINING", "-", "GIVEN")]


def test_record_that_is_delivered_again_gives_nothing_more(store: Store, follow: Follow) -> None:
    put_in_force({"V1": {"joiningGift": {"points": 20}}})
    member = make_member(store)
    follow()
    before = everything()
    tasks.follow(member.id, EffectKind.ENROLLED, "-", Origin.LIVE, clock=CLOCK)
    assert everything() == before


def test_two_members_who_are_one_have_one_gift_for_each_occasion(
    store: Store, follow: Follow
) -> None:
    put_in_force({"V1": {"joiningGift": {"points": 20}, "birthdayGift": {"points": 5}}})
    survivor, loser = (make_member(store, birthday="01-11") for _ in range(2))
    follow()
    day = rules.birthday(date(2018, 1, 11))
    service.give(loser.id, day, TODAY, clock=CLOCK)
    merge(MembersMerge(survivor_id=survivor.id, loser_id=loser.id), viewer=SYSTEM, clock=CLOCK)
    follow()
    now = members.get(survivor.id)
    assert now is not None
    had = gifts_of(now)
    assert sorted(had) == [
        ("BIRTHDAY", "2018", "GIVEN"),
        ("JOINING", "-", "GIVEN"),
        ("JOINING", "-", "GIVEN"),
    ]
    before = everything()
    for id_ in (survivor.id, loser.id):
        service.give(id_, day, TODAY, clock=CLOCK)
        service.give(id_, JOINED, TODAY, clock=CLOCK)
    assert everything() == before
    assert tasks.give_birthdays(TODAY, clock=CLOCK) == Report()


def do_all(pieces: list[dict[str, str]]) -> None:
    for piece in pieces:
        recompute_worker.do(piece, CLOCK)


# --- birthdays -------------------------------------------------------------------------------


def test_birthday_gift_is_given_from_so_many_days_before_and_once_a_year(store: Store) -> None:
    put_in_force(of_every_tier("birthdayGift", points=5))
    near, far, unknown = (make_member(store, birthday=b) for b in ("01-11", "01-12", None))
    assert tasks.give_birthdays(TODAY, clock=CLOCK) == Report(given=1)
    before = everything()
    assert tasks.give_birthdays(TODAY, clock=CLOCK) == Report()
    assert everything() == before
    assert tasks.give_birthdays(date(2018, 1, 11), clock=on("2018-01-11")) == Report(given=1)
    assert [gifts_of(one) for one in (near, far, unknown)] == [
        [("BIRTHDAY", "2018", "GIVEN")],
        [("BIRTHDAY", "2018", "GIVEN")],
        [],
    ]
    year_on = date(2019, 1, 11)
    assert tasks.give_birthdays(year_on, clock=on("2019-01-11")) == Report(given=2)
    assert gifts_of(near) == [("BIRTHDAY", "2018", "GIVEN"), ("BIRTHDAY", "2019", "GIVEN")]


def test_leap_day_birthday_is_given_in_a_year_without_one(store: Store) -> None:
    put_in_force(of_every_tier("birthdayGift", points=5), days_before=0)
    member = make_member(store, birthday="02-29")
    days = [date(2018, 2, 27), date(2018, 2, 28), date(2018, 3, 1)]
    given = [tasks.give_birthdays(d, clock=on(d.isoformat())).given for d in days]
    assert (given, gift_of(member).level) == ([0, 1, 0], "2018")


def test_birthday_is_that_which_is_known_now(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put_in_force(of_every_tier("birthdayGift", points=5))
    member = make_member(store, birthday="01-11")
    stale = members.born_on("01-11", tasks.SHARDS[int(member.number) % 16], first=9, after=None)
    member_service.update(Update(id=member.id, birthday="06-01"), viewer=SYSTEM)
    monkeypatch.setattr(
        members, "born_on", lambda day, *_, **__: stale if day == "01-11" else Page()
    )
    assert tasks.give_birthdays(TODAY, clock=CLOCK) == Report()
    assert gifts_of(member) == []


def test_day_that_is_killed_in_the_middle_and_done_again_ends_the_same(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_in_force(of_every_tier("birthdayGift", points=5))
    born = [make_member(store, birthday="01-11") for _ in range(3)]
    given = service.give
    asked: list[str] = []

    def give_but_one(member_id: str, *rest: Any, **more: Any) -> Any:
        asked.append(member_id)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return given(member_id, *rest, **more)

    monkeypatch.setattr(service, "give", give_but_one)
    with pytest.raises(KeyboardInterrupt):
        tasks.give_birthdays(TODAY, clock=CLOCK)
    assert tasks.give_birthdays(TODAY, clock=CLOCK) == Report(given=2)
    assert [points_of(one) for one in born] == [5, 5, 5]


def test_member_who_is_busy_is_left_and_the_piece_comes_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_in_force(of_every_tier("birthdayGift", points=5))
    busy, free = (make_member(store, birthday="01-11") for _ in range(2))
    given = service.give

    def give_but_one(member_id: str, *rest: Any, **more: Any) -> Any:
        if member_id == busy.id:
            raise Conflict("busy")
        return given(member_id, *rest, **more)

    pieces = [p for p in recompute_worker.pieces(TODAY) if p["work"] == "birthdays"]
    with monkeypatch.context() as trouble:
        trouble.setattr(service, "give", give_but_one)
        with pytest.raises(RuntimeError, match="1 members were busy"):
            do_all(pieces)
    do_all(pieces)
    assert [points_of(one) for one in (busy, free)] == [5, 5]


def test_failed_birthday_gift_is_counted_and_not_tried_each_day(store: Store) -> None:
    scarce = make_template(stock=0)
    put_in_force(of_every_tier("birthdayGift", coupons=[scarce.id]))
    make_member(store, birthday="01-11")
    assert tasks.give_birthdays(TODAY, clock=CLOCK) == Report(failed=1)
    assert tasks.give_birthdays(TODAY, clock=CLOCK) == Report()
