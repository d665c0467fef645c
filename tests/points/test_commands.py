"""Points by hand, by key and by import: each once, exactly, and refused with nothing written."""

from datetime import date
from typing import Any

import pytest

from graphql_api.errors import AppError
from graphql_api.kit.dynamo import Item
from graphql_api.kit.dynamo.connection import shared_client
from graphql_api.members import repository as members
from graphql_api.members import service as member_service
from graphql_api.members.models import Member
from graphql_api.members.rules import Origin
from graphql_api.points import repository, service
from graphql_api.points.models import PointsItem
from graphql_api.points.service import (
    OpeningBalance,
    PointsAdjust,
    PointsFreeze,
    PointsImport,
    PointsRelease,
)
from graphql_api.stores.models import Store
from graphql_api.viewer import READ_MEMBERS, SYSTEM, WRITE_POINTS, Role, Viewer
from tests.factories import CLOCK, make_member
from tests.points.factories import buy
from tests.points.storage import (
    CAUSE,
    account_of,
    figures_of,
    follow,
    ledger_of,
    on_day,
    with_member,
)

HEADQUARTERS = Viewer(Role.OPERATOR, id="opr_1")


def everything(table: type[Item] = PointsItem) -> list[str]:
    client: Any = shared_client()
    return sorted(map(str, client.scan(TableName=table.Meta.table_name)["Items"]))


def adjust(member: Member, points: int, viewer: Viewer = HEADQUARTERS, **more: Any) -> Member:
    given = PointsAdjust(member_id=member.id, points=points, reason="客诉补偿", **more)
    return service.adjust(given, viewer=viewer, clock=CLOCK)


def freeze(member: Member, points: int, key: str = "cart-1", **more: Any) -> Member:
    given = PointsFreeze(member_id=member.id, points=points, key=key, **more)
    return service.freeze(given, viewer=SYSTEM, clock=CLOCK)


def released(member: Member, key: str = "cart-1") -> PointsRelease:
    return PointsRelease(member_id=member.id, key=key)


def refusal(do: Any, *args: Any, **kwargs: Any) -> tuple[str, tuple[str, ...]]:
    """Code and field of a refusal that wrote nothing."""
    before = everything()
    with pytest.raises(AppError) as refused:
        do(*args, **kwargs)
    assert everything() == before
    return refused.value.code, refused.value.field


def test_points_by_hand_say_who_and_why(member: Member) -> None:
    shown = adjust(member, 80, expires_on=date(2018, 3, 1))
    assert shown.points == 80
    adjust(member, -30)
    assert figures_of(member.id) == (50, 0, 0)
    given, taken = repository.all_entries(member.id)
    assert (given.by_role, given.by_id, given.reason) == (Role.OPERATOR, "opr_1", "客诉补偿")
    assert (given.kind, given.balance, taken.balance) == ("ADJUST", 80, 50)
    assert [lot.expires_on for lot in account_of(member.id).lots] == [date(2018, 3, 1)]


def test_nobody_takes_more_than_can_be_spent(member: Member) -> None:
    adjust(member, 80)
    assert refusal(adjust, member, -81) == ("INSUFFICIENT_POINTS", ("input", "points"))
    assert refusal(freeze, member, 81) == ("INSUFFICIENT_POINTS", ("input", "points"))
    assert refusal(adjust, member, 0) == ("INVALID", ("input", "points"))
    past = {"expires_on": date(2018, 1, 9)}
    assert refusal(adjust, member, 5, **past) == ("INVALID", ("input", "expires_on"))
    last_day = {"expires_on": date(2018, 3, 9)}
    assert refusal(adjust, member, -5, **last_day) == ("INVALID", ("input", "expires_on"))


def test_who_may_not_change_a_members_points_hears_of_no_member(member: Member) -> None:
    for viewer in (
        Viewer(Role.MEMBER, id=member.id),
        Viewer(Role.GUIDE, id="gde_1"),
        Viewer(Role.STORE_MANAGER, id="stm_1", store_ids=frozenset({"sto_other"})),
        Viewer(Role.OPERATOR, id="opr_1", store_ids=frozenset()),
        Viewer(Role.INTEGRATION, id="key_1", scopes=frozenset({READ_MEMBERS})),
        Viewer(Role.INTEGRATION, id="key_1", scopes=frozenset({WRITE_POINTS})),
    ):
        assert refusal(adjust, member, 5, viewer) == ("NOT_FOUND", ("input", "member_id"))


def test_managers_and_keys_within_their_reach_change_points(member: Member) -> None:
    manager = Viewer(Role.STORE_MANAGER, id="stm_1", store_ids=frozenset({member.store_id}))
    key = Viewer(Role.INTEGRATION, id="key_1", scopes=frozenset({READ_MEMBERS, WRITE_POINTS}))
    adjust(member, 5, manager)
    adjust(member, 5, key)
    assert figures_of(member.id) == (10, 0, 0)


def test_points_are_frozen_once_for_a_key_and_then_spent_once(member: Member) -> None:
    adjust(member, 100)
    freeze(member, 60)
    before = everything()
    freeze(member, 60)
    assert everything() == before
    assert refusal(freeze, member, 61) == ("TAKEN", ("input", "key"))
    assert figures_of(member.id) == (40, 0, 60)
    for _ in range(2):
        spent = service.consume(released(member), viewer=SYSTEM, clock=CLOCK)
        assert (spent.points, spent.points_frozen) == (40, 0)
    assert [kind for kind, *_ in ledger_of(member.id)] == ["ADJUST", "FREEZE", "CONSUME"]
    given_back = refusal(service.unfreeze, released(member), viewer=SYSTEM, clock=CLOCK)
    assert given_back == ("FORBIDDEN_TRANSITION", ("input", "key"))
    assert figures_of(member.id) == (40, 0, 0)


def test_what_is_unfrozen_is_back_once_and_cannot_be_spent_by_the_key(member: Member) -> None:
    adjust(member, 100)
    freeze(member, 60)
    for _ in range(2):
        service.unfreeze(released(member), viewer=SYSTEM, clock=CLOCK)
    assert figures_of(member.id) == (100, 0, 0)
    consumed = refusal(service.consume, released(member), viewer=SYSTEM, clock=CLOCK)
    assert consumed == ("FORBIDDEN_TRANSITION", ("input", "key"))
    before = everything()
    freeze(member, 60)  # the key has done its work
    assert everything() == before


def test_nothing_is_frozen_under_a_key_that_never_came(member: Member) -> None:
    for do in (service.consume, service.unfreeze):
        assert refusal(do, released(member, "x"), viewer=SYSTEM, clock=CLOCK) == (
            "NOT_FOUND",
            ("input", "key"),
        )


def test_member_has_points_frozen_twenty_times_at_most(member: Member) -> None:
    adjust(member, 100)
    for n in range(20):
        freeze(member, 1, key=f"k{n}")
    assert refusal(freeze, member, 1, key="k20") == ("LIMIT_EXCEEDED", ("input", "key"))


def test_order_takes_what_was_frozen_for_it_and_the_key_is_spent(member: Member) -> None:
    adjust(member, 100)
    freeze(member, 60, key="ord_1")
    follow(member.id, buy(used=50))
    assert figures_of(member.id) == (50, 100, 0)
    before = everything()
    service.consume(released(member, "ord_1"), viewer=SYSTEM, clock=CLOCK)
    assert everything() == before


def test_what_others_give_and_take_happens_once_for_a_key(member: Member) -> None:
    for _ in range(2):
        service.grant(member.id, 90, key="birthday-2018", cause=CAUSE)
    assert figures_of(member.id) == (90, 0, 0)
    spends = [
        with_member(
            member.id, lambda tx, one: service.spend_in(tx, one, 70, key="mall-1", cause=CAUSE)
        )
        for _ in range(2)
    ]
    assert spends == [True, False]
    assert figures_of(member.id) == (20, 0, 0)
    backs = [
        with_member(
            member.id, lambda tx, one: service.restore_in(tx, one, key="mall-1", cause=CAUSE)
        )
        for _ in range(2)
    ]
    assert backs == [70, 0]
    assert figures_of(member.id) == (90, 0, 0)
    assert [lot.id for lot in account_of(member.id).lots] == ["grant:birthday-2018"]


def test_opening_balances_come_once_by_key_and_are_refused_one_by_one(
    member: Member, store: Store
) -> None:
    other = make_member(store)
    balances = [
        OpeningBalance(member_id=member.id, points=500, key="yz-1", expires_on=date(2018, 12, 31)),
        OpeningBalance(member_id="mbr_nobody", points=5, key="yz-2"),
        OpeningBalance(member_id=other.id, points=7, key="yz-3", expires_on=date(2018, 1, 1)),
        OpeningBalance(member_id=other.id, points=9, key="yz-4"),
    ]
    for _ in range(2):
        outcomes = service.import_balances(
            PointsImport(balances=balances), viewer=HEADQUARTERS, clock=CLOCK
        )
        refused = [(o.refusal.code, o.refusal.field) for o in outcomes if o.refusal]
        assert refused == [
            ("NOT_FOUND", ("input", "balances", "1", "member_id")),
            ("INVALID", ("input", "balances", "2", "expires_on")),
        ]
    assert (figures_of(member.id), figures_of(other.id)) == ((500, 0, 0), (9, 0, 0))
    [entry] = repository.all_entries(member.id)
    assert (entry.kind, entry.origin, entry.ref) == ("OPEN", Origin.BACKFILL, "yz-1")
    stored = members.get(member.id)
    assert stored is not None
    assert stored.points_origin is Origin.BACKFILL
    adjust(member, 1)
    stored = members.get(member.id)
    assert stored is not None
    assert stored.points_origin is None


def test_job_that_settles_a_history_keeps_points_away(member: Member, impatient: None) -> None:
    member_service.lock(member.id, "import", clock=CLOCK)
    assert refusal(adjust, member, 5) == ("CONFLICT", ())
    given = PointsAdjust(member_id=member.id, points=5, reason="锁已过期")
    assert service.adjust(given, viewer=HEADQUARTERS, clock=on_day(1)).points == 5
