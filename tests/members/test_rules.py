"""Rules of members: the check digit, birthdays, who sees whom, and locks."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.members.rules import (
    Sight,
    birthday_exists,
    check_digit,
    held_by_another,
    number_of,
    reaches,
    shown_number,
    sight,
)
from graphql_api.viewer import ANONYMOUS, READ_MEMBERS, SEE_PERSONAL_DATA, SYSTEM, Role, Viewer

NUMBERS = st.integers(min_value=0, max_value=10**12 - 1)
NOW = datetime(2018, 1, 10, 4, 0, tzinfo=UTC)


@dataclass
class Person:
    """What of a member decides who sees it."""

    id: str = "mbr_1"
    store_id: str = "sto_1"
    guide_id: str | None = "gde_1"


def staff(role: Role, id: str, *stores: str, scopes: frozenset[str] = frozenset()) -> Viewer:
    return Viewer(role, id=id, store_ids=frozenset(stores), scopes=scopes)


def key(*scopes: str) -> Viewer:
    return Viewer(Role.INTEGRATION, id="key_1", scopes=frozenset(scopes))


HEADQUARTERS = Viewer(Role.OPERATOR, id="opr_1")
SEES_PERSONAL_DATA = frozenset({SEE_PERSONAL_DATA})


@pytest.mark.parametrize(
    ("number", "shown"),
    [(1, "000000013"), (572, "000005724"), (11294, "000112946"), (43881234567, "438812345679")],
)
def test_number_is_shown_with_eight_digits_or_more_and_its_check_digit(
    number: int, shown: str
) -> None:
    assert shown_number(number) == shown
    assert number_of(shown) == number


@given(NUMBERS)
def test_shown_number_is_read_back(number: int) -> None:
    assert number_of(shown_number(number)) == number


@given(NUMBERS)
def test_every_wrong_digit_is_found(number: int) -> None:
    shown = shown_number(number)
    typed = {
        shown[:at] + digit + shown[at + 1 :] for at in range(len(shown)) for digit in "0123456789"
    }
    assert {text for text in typed if number_of(text) is not None} == {shown}


@given(NUMBERS)
def test_every_swap_of_neighbours_is_found(number: int) -> None:
    shown = shown_number(number)
    swapped = {
        shown[:at] + shown[at + 1] + shown[at] + shown[at + 2 :] for at in range(len(shown) - 1)
    } - {shown}
    assert {text for text in swapped if number_of(text) is not None} == set()


def test_check_digit_tells_any_two_neighbours_apart_after_any_beginning() -> None:
    """Exhaustive: ten beginnings reach the ten inner states; what follows keeps them apart."""
    beginnings = {check_digit(str(digit)): str(digit) for digit in range(10)}
    assert len(beginnings) == 10
    for start in beginnings.values():
        ends = {check_digit(start + digit) for digit in "0123456789"}
        assert len(ends) == 10
        for one in "0123456789":
            for other in "0123456789":
                swapped = check_digit(start + one + other) == check_digit(start + other + one)
                assert swapped == (one == other)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "00000013",  # too short
        "0000000013",  # a zero too many
        "000000012",  # wrong check digit
        "00000001３",
        "０００００００１３",
        " 000000013",
        "+00000013",
        "00000001x",
        "9" * 14,
    ],
)
def test_anything_but_a_shown_number_is_nobody(text: str) -> None:
    assert number_of(text) is None


@pytest.mark.parametrize(
    ("month_day", "year", "exists"),
    [
        ("02-29", 2000, True),
        ("02-29", 2001, False),
        ("02-29", 1900, False),
        ("12-31", 1987, True),
        ("02-30", 2000, False),
        ("13-01", 2000, False),
        ("02-29", None, True),
        (None, 2001, True),
        (None, None, True),
    ],
)
def test_birthday_exists_in_a_year_or_where_either_is_unknown(
    month_day: str | None, year: int | None, exists: bool
) -> None:
    assert birthday_exists(month_day, year) is exists


REACH = [
    (Viewer(Role.MEMBER, id="mbr_1"), Sight.FULL),
    (Viewer(Role.MEMBER, id="mbr_2"), Sight.NONE),
    (Viewer(Role.MEMBER, id="mbr_2", scopes=SEES_PERSONAL_DATA), Sight.NONE),
    (staff(Role.GUIDE, "gde_1", "sto_1"), Sight.MASKED),
    (staff(Role.GUIDE, "gde_1", "sto_2"), Sight.MASKED),  # own customers, wherever at home
    (staff(Role.GUIDE, "gde_2", "sto_1"), Sight.NONE),
    (staff(Role.GUIDE, "gde_1", "sto_1", scopes=SEES_PERSONAL_DATA), Sight.FULL),
    (staff(Role.STORE_MANAGER, "stm_1", "sto_1"), Sight.MASKED),
    (staff(Role.STORE_MANAGER, "stm_1", "sto_2"), Sight.NONE),
    (staff(Role.STORE_MANAGER, "stm_1", "sto_1", scopes=SEES_PERSONAL_DATA), Sight.FULL),
    (staff(Role.STORE_MANAGER, "stm_1", "sto_2", scopes=SEES_PERSONAL_DATA), Sight.NONE),
    (HEADQUARTERS, Sight.MASKED),
    (Viewer(Role.OPERATOR, id="opr_1", scopes=SEES_PERSONAL_DATA), Sight.FULL),
    (staff(Role.OPERATOR, "opr_2", "sto_1", "sto_3"), Sight.MASKED),
    (staff(Role.OPERATOR, "opr_2", "sto_3"), Sight.NONE),
    (staff(Role.OPERATOR, "opr_2"), Sight.NONE),
    (key(), Sight.NONE),
    (key(SEE_PERSONAL_DATA), Sight.NONE),
    (key(READ_MEMBERS), Sight.MASKED),
    (key(READ_MEMBERS, SEE_PERSONAL_DATA), Sight.FULL),
    (SYSTEM, Sight.FULL),
    (ANONYMOUS, Sight.NONE),
]


@pytest.mark.parametrize(
    ("viewer", "expected"), REACH, ids=[f"{n}-{viewer.role}" for n, (viewer, _) in enumerate(REACH)]
)
def test_viewer_sees_a_member_as_the_table_says(viewer: Viewer, expected: Sight) -> None:
    assert sight(viewer, Person()) is expected
    assert reaches(viewer, Person()) is (expected is not Sight.NONE)


def test_member_without_a_guide_is_no_guides_customer() -> None:
    nameless = staff(Role.GUIDE, "", "sto_1")
    assert not reaches(staff(Role.GUIDE, "gde_1", "sto_1"), Person(guide_id=None))
    assert not reaches(nameless, Person(guide_id=None))


@pytest.mark.parametrize(
    ("owner", "until", "held"),
    [
        (None, None, False),
        ("me", NOW + timedelta(minutes=1), False),
        ("other", NOW + timedelta(minutes=1), True),
        ("other", NOW, False),
        ("other", NOW - timedelta(seconds=1), False),
        ("other", None, False),
    ],
)
def test_lock_of_another_holds_until_it_runs_out(
    owner: str | None, until: datetime | None, held: bool
) -> None:
    assert held_by_another(owner, until, "me", NOW) is held
