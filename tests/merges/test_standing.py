"""Where a member stands who was two: the better of both at once, then as the united facts say."""

from datetime import date

from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.merges import service
from graphql_api.merges.models import Moved
from graphql_api.merges.rules import MergePart
from graphql_api.merges.service import MembersMerge
from graphql_api.standing import tasks
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM
from tests.factories import CLOCK, make_member
from tests.standing.storage import buy, effects, on, standing_now


def merge(survivor: Member, loser: Member) -> list[Moved]:
    given = MembersMerge(survivor_id=survivor.id, loser_id=loser.id)
    return service.merge(given, viewer=SYSTEM, clock=CLOCK).moved


def test_purchases_of_both_decide_the_tier_of_the_one_they_are(store: Store) -> None:
    survivor, loser = make_member(store), make_member(store)
    for member in (survivor, loser):
        buy(store, member, "2018-01-09", 15_000)
        assert standing_now(member).tier.name == "V1"
    merge(survivor, loser)
    tasks.follow(survivor.id, clock=CLOCK)
    assert standing_now(survivor).tier.name == "V2"
    assert effects(survivor)["TIER_UPGRADED"] == ["V2"]


def test_better_tier_is_the_survivors_at_once_and_its_gift_is_not_given_again(
    store: Store,
) -> None:
    survivor, loser = make_member(store), make_member(store)
    buy(store, loser, "2018-01-09", 70_000)
    assert Moved(MergePart.STANDING, 1) in merge(survivor, loser)
    assert standing_now(survivor).tier.name == "V3"
    marks = effects(survivor)["TIER_UPGRADED"]
    assert marks == ["V2", "V3"]
    tasks.follow(survivor.id, clock=CLOCK)
    buy(store, survivor, "2018-01-10", 100)
    assert standing_now(survivor).tier.name == "V3"
    assert effects(survivor)["TIER_UPGRADED"] == marks


def test_alias_is_decided_on_no_more(store: Store) -> None:
    survivor, loser = make_member(store), make_member(store)
    buy(store, loser, "2018-01-09", 70_000)
    merge(survivor, loser)
    assert not tasks.follow(loser.id, clock=CLOCK)
    assert tasks.run(date(2019, 1, 1), clock=on("2019-01-01")).members == 1
    [alias] = members.get_items([loser.id])
    assert alias is not None
    assert (alias.standing_document, alias.due_on, alias.due_key) == (None, None, None)
