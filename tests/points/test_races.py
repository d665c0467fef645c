"""Sixteen at once: every point is counted once, and who waits too long is told so."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from graphql_api.errors import Conflict, ForbiddenTransition, InsufficientPoints
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.points import repository, service
from graphql_api.points.rules import EntryKind
from graphql_api.points.service import PointsAdjust, PointsFreeze, PointsRelease
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM
from tests.factories import CLOCK, make_member
from tests.points.factories import buy
from tests.points.storage import (
    CAUSE,
    account_of,
    figures_of,
    follow,
    ledger_of,
    publish_points,
    with_member,
)
from tests.points.test_commands import everything
from tests.threads import at_once

Work = Callable[[], Any]


def spend(member: Member, points: int, key: str) -> Work:
    return lambda: with_member(
        member.id, lambda tx, one: service.spend_in(tx, one, points, key=key, cause=CAUSE)
    )


def freeze(member: Member, points: int, key: str) -> Work:
    given = PointsFreeze(member_id=member.id, points=points, key=key)
    return lambda: service.freeze(given, viewer=SYSTEM, clock=CLOCK)


def adjust(member: Member, points: int) -> Work:
    given = PointsAdjust(member_id=member.id, points=points, reason="盘点")
    return lambda: service.adjust(given, viewer=SYSTEM, clock=CLOCK)


def grant(member: Member, points: int, key: str) -> Work:
    return lambda: service.grant(member.id, points, key=key, cause=CAUSE)


def test_sixteen_at_once_come_to_the_exact_sum(member: Member, patient: None) -> None:
    grant(member, 1_000, "opening")()
    work = [
        *(spend(member, 30, f"mall-{n}") for n in range(3)),
        *(spend(member, 50, "mall-twice") for _ in range(2)),
        *(freeze(member, 20, f"cart-{n}") for n in range(2)),
        *(freeze(member, 40, "cart-twice") for _ in range(2)),
        adjust(member, 7),
        adjust(member, 8),
        adjust(member, -9),
        *(grant(member, 11, "birthday") for _ in range(2)),
        grant(member, 13, "welcome"),
        lambda: follow(member.id, buy(used=100)),
    ]
    assert len(work) == 16
    done = at_once(work)
    assert sorted(done[3:5]) == [False, True]
    balance = 1_000 - 3 * 30 - 50 - 2 * 20 - 40 + 7 + 8 - 9 + 11 + 13 - 100
    assert figures_of(member.id) == (balance, 100, 80)
    kinds = [kind for kind, *_ in ledger_of(member.id)]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "GRANT": 3,
        "SPEND": 5,
        "FREEZE": 3,
        "ADJUST": 3,
        "EARN": 1,
    }


def test_sixteen_who_want_the_last_points_get_no_more_than_there_are(
    member: Member, patient: None
) -> None:
    grant(member, 100, "opening")()

    def wanted(n: int) -> Work:
        def try_to() -> bool:
            try:
                return bool(spend(member, 30, f"k{n}")())
            except InsufficientPoints:
                return False

        return try_to

    assert sum(at_once([wanted(n) for n in range(16)])) == 3
    assert figures_of(member.id) == (10, 0, 0)


def test_what_is_frozen_is_spent_or_given_back_and_never_both(
    member: Member, patient: None
) -> None:
    grant(member, 100, "opening")()
    for n in range(4):
        freeze(member, 10, f"cart-{n}")()

    def ended(n: int, how: Any) -> Work:
        given = PointsRelease(member_id=member.id, key=f"cart-{n}")

        def try_to() -> None:
            with suppress(ForbiddenTransition):
                how(given, viewer=SYSTEM, clock=CLOCK)

        return try_to

    at_once([ended(n, how) for n in range(4) for how in (service.consume, service.unfreeze) * 2])
    spent = [repository.mark_of([member.id], EntryKind.CONSUME, f"cart-{n}") for n in range(4)]
    gone = sum(10 for mark in spent if mark)
    assert figures_of(member.id) == (100 - gone, 0, 0)
    assert account_of(member.id).holds == ()


def test_program_gives_no_more_than_its_cap_to_sixteen_orders_at_once(
    store: Store, patient: None
) -> None:
    publish_points(programPerMonth=1_000)
    buyers = [make_member(store) for _ in range(4)]
    work: list[Work] = [
        lambda n=n: follow(buyers[n % 4].id, buy(f"ord_{n}"))  # type: ignore[misc]
        for n in range(16)
    ]
    kept = at_once(work)
    assert sum(one.counted for one in kept) == 1_000
    assert sum(one.earned for one in kept) == 1_600
    assert sum(repository.program_parts("2018-01")) == 1_000
    assert sum(figures_of(buyer.id).pending for buyer in buyers) == 1_000


def test_member_who_stays_busy_is_a_conflict_with_nothing_written(
    member: Member, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = repository.get

    def busy(member_id: str) -> Any:
        found = read(member_id)
        other = members.get(member_id)
        assert other is not None
        other.save()
        return found

    monkeypatch.setattr(repository, "get", busy)
    before = everything()
    with pytest.raises(Conflict):
        adjust(member, 5)()
    assert everything() == before
