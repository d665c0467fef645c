"""Scalars: what they refuse, and how they show what they took."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from graphql import GraphQLError
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.kit.graphql import scalars

NO_TEXT: list[Any] = [None, 1, 1.5, True, [], {}]


def parse(scalar: object, value: Any) -> Any:
    return scalars.SCALARS[scalar].parse_value(value)  # type: ignore[misc]  # always given


def show(scalar: object, value: Any) -> Any:
    return scalars.SCALARS[scalar].serialize(value)  # type: ignore[misc]  # always given


TEXTS = [scalar for scalar in scalars.SCALARS if scalar is not scalars.Json]


@pytest.mark.parametrize("scalar", TEXTS, ids=lambda s: s.__name__)
@pytest.mark.parametrize("value", NO_TEXT, ids=repr)
def test_only_text_is_read(scalar: object, value: Any) -> None:
    with pytest.raises(GraphQLError):
        parse(scalar, value)


def test_money_is_yuan_outside_and_fen_inside() -> None:
    assert parse(scalars.Money, "12.3") == 1230
    assert show(scalars.Money, 1230) == "12.30"
    with pytest.raises(GraphQLError, match="at most two decimals"):
        parse(scalars.Money, "12.345")


@given(st.datetimes(timezones=st.just(UTC)))
def test_instant_comes_back_to_the_millisecond(instant: datetime) -> None:
    shown = show(datetime, instant)
    assert parse(datetime, shown) == instant.replace(microsecond=instant.microsecond // 1000 * 1000)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2018-01-01T08:00:00+08:00", datetime(2018, 1, 1, tzinfo=UTC)),
        ("2018-01-01t00:00:00z", datetime(2018, 1, 1, tzinfo=UTC)),
        ("2018-01-01T00:00:00.123456789Z", datetime(2018, 1, 1, 0, 0, 0, 123456, tzinfo=UTC)),
    ],
)
def test_instant_is_read_with_its_offset(text: str, instant: datetime) -> None:
    assert parse(datetime, text) == instant


def test_instant_is_shown_in_utc() -> None:
    noon = datetime(2018, 1, 1, 12, tzinfo=timezone(timedelta(hours=8)))
    assert show(datetime, noon) == "2018-01-01T04:00:00.000Z"


@pytest.mark.parametrize(
    "text",
    [
        "2018-01-01T00:00:00",
        "2018-01-01",
        "2018-02-30T00:00:00Z",
        "2018-01-01T25:00:00Z",
        "2018-01-01T00:00:00+99:00",
        "0001-01-01T00:00:00+08:00",
        "9999-12-31T23:59:59-08:00",
        "２018-01-01T00:00:00Z",
        "2018-01-01T00:00:00Z\n",
        "20180101T000000Z",
    ],
)
def test_instant_that_is_naive_or_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(GraphQLError, match=r"^DateTime is"):
        parse(datetime, text)


@given(st.dates())
def test_date_comes_back(day: date) -> None:
    assert parse(date, show(date, day)) == day


@pytest.mark.parametrize(
    "text", ["2018-02-29", "20180101", "2018-W01-1", "2018-1-1", "１018-01-01"]
)
def test_other_dates_are_refused(text: str) -> None:
    with pytest.raises(GraphQLError, match=r"^Date is"):
        parse(date, text)


def test_phone_is_read_as_e164() -> None:
    assert parse(scalars.PhoneNumber, "138 0013 8000") == "+8613800138000"
    with pytest.raises(GraphQLError, match=r"E\.164"):
        parse(scalars.PhoneNumber, "110")


@pytest.mark.parametrize(
    "text", ["http://a.cn", "https://例子.中国/路?x=1#y", "https://[::1]:8080/"]
)
def test_address_of_the_web_is_kept_as_it_is(text: str) -> None:
    assert parse(scalars.URL, text) == text


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)",
        "ftp://a.cn",
        "//a.cn",
        "https://",
        "https://user@a.cn",
        "https://[a.cn",
        "https://a.cn/" + "x" * 2048,
    ],
)
def test_other_addresses_are_refused(text: str) -> None:
    with pytest.raises(GraphQLError, match=r"^URL is"):
        parse(scalars.URL, text)


@pytest.mark.parametrize("text", ["00:00", "09:30", "23:59", "24:00"])
def test_time_of_day_is_kept(text: str) -> None:
    assert parse(scalars.TimeOfDay, text) == text


@pytest.mark.parametrize("text", ["24:01", "9:30", "09:60", "09:30:00", "０9:30"])
def test_other_times_of_day_are_refused(text: str) -> None:
    with pytest.raises(GraphQLError, match=r"^TimeOfDay is"):
        parse(scalars.TimeOfDay, text)


def test_leap_day_is_a_birthday() -> None:
    assert parse(scalars.MonthDay, "02-29") == "02-29"


@pytest.mark.parametrize("text", ["02-30", "13-01", "00-10", "2-29", "2000-02-29"])
def test_other_days_of_the_year_are_refused(text: str) -> None:
    with pytest.raises(GraphQLError, match=r"^MonthDay is"):
        parse(scalars.MonthDay, text)


def nested(levels: int) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for _ in range(levels - 1):
        document = {"x": [document]} if len(document) % 2 else {"x": document}
    return document


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"a": None, "b": [True, 1, -1.5, "文"], "c": {"d": []}},
        {"x": 2**53},
        {"x": [0] * 1_998},
        nested(8),
    ],
    ids=lambda document: str(document)[:40],
)
def test_json_comes_back_as_it_came(document: dict[str, Any]) -> None:
    assert parse(scalars.Json, document) == show(scalars.Json, document) == document


@pytest.mark.parametrize(
    "value",
    [
        None,
        "{}",
        1,
        [],
        {"x": 2**53 + 1},
        {"x": [{"y": -(2**60)}]},
        {"x": float("inf")},
        {"x": float("nan")},
        {"x": [0] * 1_999},
        nested(40),
        nested(100_000),
    ],
    ids=lambda value: type(value).__name__,
)
def test_json_that_cannot_be_kept_exactly_or_is_too_large_is_refused(value: Any) -> None:
    with pytest.raises(GraphQLError):
        parse(scalars.Json, value)
