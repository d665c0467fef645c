"""Tiers by hand: locks and tiers that a member begins with."""

from datetime import date
from typing import Any

import pytest

from graphql_api.errors import AppError, ForbiddenTransition, Invalid, NotFound
from graphql_api.members.models import Member
from graphql_api.standing import repository, service, tasks
from graphql_api.standing.rules import ChangeKind, LockKind
from graphql_api.standing.service import TierGrant, TierLock, TierUnlock
from graphql_api.stores.models import Store
from graphql_api.viewer import Role, Viewer
from tests.factories import make_member
from tests.standing.storage import (
    buy,
    effects,
    everything,
    history,
    on,
    standing_now,
)

HEADQUARTERS = Viewer(Role.OPERATOR, id="opr_1")


@pytest.fixture
def member(store: Store) -> Member:
    made = make_member(store, clock=on("2018-01-10"))
    tasks.follow(made.id, clock=on("2018-01-10"))
    return made


def lock(member: Member, tier: str, day: str = "2018-01-10", **more: Any) -> Member:
    given = TierLock(**{"member_id": member.id, "kind": LockKind.PIN, "tier": tier, **more})
    return service.lock(given, viewer=HEADQUARTERS, clock=on(day))


def test_lock_holds_to_its_last_day_gives_no_gift_and_says_who(member: Member) -> None:
    now = lock(member, "V4", until=date(2018, 2, 28), note="投诉补偿")
    assert standing_now(member).tier.name == "V4"
    assert now.next_on == date(2018, 3, 1)
    [row] = repository.history_of_member(
        member.id, ChangeKind.TIER, first=10, after=None, reverse=False
    ).items
    assert (row.old, row.new, row.reason) == ("V1", "V4", "LOCKED")
    assert (row.by_role, row.by_id, row.note) == (Role.OPERATOR, "opr_1", "投诉补偿")
    tasks.run(date(2018, 3, 1), clock=on("2018-03-01"))
    assert history(member, ChangeKind.TIER)[1:] == [("2018-03-01", "V1", "LOCK_ENDED")]
    assert effects(member) == {"TIER_DOWNGRADED": ["2018-03-01#V1"]}


def test_rule_goes_on_below_a_lock(store: Store, member: Member) -> None:
    lock(member, "V4")
    buy(store, member, "2018-01-12", 60_000)
    assert standing_now(member).tier.name == "V4"
    given = TierUnlock(member_id=member.id)
    service.unlock(given, viewer=HEADQUARTERS, clock=on("2018-01-20"))
    tier = standing_now(member).tier
    assert (tier.name, tier.lock, date.fromordinal(tier.since)) == ("V3", None, date(2018, 1, 20))


@pytest.mark.parametrize("again", ["lock", "unlock", "grant"])
def test_the_same_again_writes_nothing(member: Member, again: str) -> None:
    lock(member, "V4")
    if again != "lock":
        given = TierUnlock(member_id=member.id)
        service.unlock(given, viewer=HEADQUARTERS, clock=on("2018-01-10"))
    before = everything()
    if again == "lock":
        lock(member, "V4", day="2018-01-20")
    elif again == "unlock":
        given = TierUnlock(member_id=member.id)
        service.unlock(given, viewer=HEADQUARTERS, clock=on("2018-01-20"))
    else:
        granted = TierGrant(member_id=member.id, tier="V1")
        service.grant(granted, viewer=HEADQUARTERS, clock=on("2018-01-20"))
    assert everything() == before


def test_granted_tier_gives_its_own_gift_and_none_below(store: Store, member: Member) -> None:
    given = TierGrant(member_id=member.id, tier="V3")
    service.grant(given, viewer=HEADQUARTERS, clock=on("2018-01-10"))
    assert history(member, ChangeKind.TIER) == [("2018-01-10", "V3", "INITIAL")]
    assert effects(member) == {"TIER_UPGRADED": ["V3"]}
    tasks.run(date(2018, 7, 10), clock=on("2018-07-10"))
    assert standing_now(member).tier.name == "V1"


@pytest.mark.parametrize(
    ("given", "error", "field"),
    [
        ({"tier": "V9"}, Invalid, "tier"),
        ({"tier": "V2", "until": date(2018, 1, 9)}, Invalid, "until"),
        ({"tier": "V2", "member_id": "mbr_1"}, NotFound, "member_id"),
    ],
)
def test_wrong_lock_is_refused_with_its_field(
    member: Member, given: dict[str, Any], error: type[AppError], field: str
) -> None:
    before = everything()
    with pytest.raises(error) as refusal:
        lock(member, **given)
    assert refusal.value.field == ("input", field)
    assert everything() == before


def test_who_does_not_reach_a_member_changes_no_tier(member: Member) -> None:
    elsewhere = Viewer(Role.OPERATOR, id="opr_2", unit_id="org_2", store_ids=frozenset({"sto_2"}))
    before = everything()
    given = TierLock(member_id=member.id, kind=LockKind.PIN, tier="V2")
    with pytest.raises(NotFound):
        service.lock(given, viewer=elsewhere, clock=on("2018-01-10"))
    assert everything() == before


def test_tier_is_granted_upwards_only(store: Store, member: Member) -> None:
    buy(store, member, "2018-01-10", 60_000)
    granted = TierGrant(member_id=member.id, tier="V2")
    before = everything()
    with pytest.raises(ForbiddenTransition):
        service.grant(granted, viewer=HEADQUARTERS, clock=on("2018-01-10"))
    assert everything() == before
