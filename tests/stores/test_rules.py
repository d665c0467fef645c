"""Rules of the organisation tree and of opening hours."""

from datetime import UTC, datetime

import pytest

from graphql_api.stores import rules
from graphql_api.stores.rules import Opening, UnitKind

SHANGHAI = "Asia/Shanghai"
MONDAY_NOON = datetime(2018, 1, 8, 4, 0, tzinfo=UTC)
WORKDAY = Opening(1, "09:00", "12:00")
TREE = {"hq": None, "east": "hq", "north": "hq", "shanghai": "east", "pudong": "shanghai"}


def test_intervals_that_touch_do_not_overlap() -> None:
    assert rules.overlapping([Opening(1, "12:00", "20:00"), WORKDAY]) is None


def test_interval_that_starts_before_the_one_ahead_ends_is_named() -> None:
    late = Opening(1, "11:59", "20:00")
    assert rules.overlapping([late, WORKDAY]) == late


def test_same_hours_on_two_weekdays_are_apart() -> None:
    assert rules.overlapping([WORKDAY, Opening(2, "09:00", "12:00")]) is None


@pytest.mark.parametrize(
    ("utc", "open_"),
    [
        (datetime(2018, 1, 8, 0, 59, tzinfo=UTC), False),
        (datetime(2018, 1, 8, 1, 0, tzinfo=UTC), True),
        (datetime(2018, 1, 8, 3, 59, tzinfo=UTC), True),
        (datetime(2018, 1, 8, 4, 0, tzinfo=UTC), False),
        (datetime(2018, 1, 9, 1, 0, tzinfo=UTC), False),
    ],
)
def test_store_is_open_from_its_opening_minute_to_the_one_before_closing(
    utc: datetime, open_: bool
) -> None:
    assert rules.is_open([WORKDAY], utc, SHANGHAI) is open_


def test_weekday_is_that_of_the_zone() -> None:
    sunday_evening_utc = datetime(2018, 1, 7, 17, 0, tzinfo=UTC)
    night = Opening(1, "00:00", "02:00")
    assert rules.is_open([night], sunday_evening_utc, SHANGHAI)
    assert not rules.is_open([night], sunday_evening_utc, "UTC")


def test_midnight_closes_the_last_minute_of_the_day() -> None:
    last_minute = datetime(2018, 1, 8, 15, 59, 59, tzinfo=UTC)
    assert rules.is_open([Opening(1, "20:00", "24:00")], last_minute, SHANGHAI)


def test_store_without_hours_is_closed() -> None:
    assert not rules.is_open([], MONDAY_NOON, SHANGHAI)


@pytest.mark.parametrize(
    ("child", "parent", "allowed"),
    [
        (UnitKind.REGION, UnitKind.HQ, True),
        (UnitKind.AGENT, UnitKind.HQ, True),
        (UnitKind.AGENT, UnitKind.REGION, True),
        (UnitKind.REGION, UnitKind.REGION, True),
        (UnitKind.AGENT, UnitKind.AGENT, True),
        (UnitKind.REGION, UnitKind.AGENT, False),
        (UnitKind.HQ, UnitKind.HQ, False),
        (UnitKind.HQ, UnitKind.REGION, False),
    ],
)
def test_only_agents_stand_under_an_agent_and_headquarters_under_nothing(
    child: UnitKind, parent: UnitKind, allowed: bool
) -> None:
    assert rules.may_stand_under(child, parent) is allowed


def test_ancestors_come_nearest_first() -> None:
    assert rules.ancestors("pudong", TREE) == ["shanghai", "east", "hq"]


def test_loop_in_the_tree_is_cut_at_the_greatest_depth() -> None:
    assert rules.ancestors("a", {"a": "b", "b": "a"}) == ["b", "a"] * 4


def test_subtree_is_a_unit_with_all_below_it() -> None:
    assert rules.subtree("east", TREE) == ["east", "shanghai", "pudong"]


def test_subtree_of_an_unknown_unit_is_empty() -> None:
    assert rules.subtree("west", TREE) == []


def test_height_counts_the_levels_with_what_stands_below() -> None:
    assert [rules.height(unit, TREE) for unit in ("hq", "east", "shanghai", "pudong", "north")] == [
        4,
        3,
        2,
        1,
        1,
    ]
