"""Scalars that refuse what the built-in ones let in: floats as money, naive times, odd digits."""

import math
import re
from datetime import UTC, date, datetime
from typing import Any, NewType
from urllib.parse import urlsplit

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

from graphql_api.kit import money, phone

Money = NewType("Money", int)
PhoneNumber = NewType("PhoneNumber", str)
URL = NewType("URL", str)
TimeOfDay = NewType("TimeOfDay", str)
MonthDay = NewType("MonthDay", str)
Json = NewType("Json", dict[str, Any])

MAX_JSON_DEPTH = 16
MAX_JSON_VALUES = 2_000
_LARGEST_INTEGER = 2**53

_RFC3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00", re.ASCII)
_MONTH_DAY = re.compile(r"\d{2}-\d{2}", re.ASCII)
_LEAP_YEAR = 2000


def _text(value: Any, shape: re.Pattern[str], expected: str) -> str:
    if not isinstance(value, str) or not shape.fullmatch(value):
        raise GraphQLError(expected)
    return value


def _parse_money(value: Any) -> int:
    if not isinstance(value, str):
        raise GraphQLError('Money is a decimal string of yuan, such as "12.34"')
    try:
        return money.from_yuan(value)
    except ValueError as error:
        raise GraphQLError(str(error)) from None


def _parse_instant(value: Any) -> datetime:
    text = _text(value, _RFC3339, "DateTime is RFC 3339 with an offset")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise GraphQLError("DateTime is an instant that exists") from None


def _show_instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _parse_date(value: Any) -> date:
    text = _text(value, _DATE, "Date is YYYY-MM-DD")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise GraphQLError("Date is a day that exists") from None


def _parse_phone(value: Any) -> str:
    if not isinstance(value, str):
        raise GraphQLError("PhoneNumber is a string")
    try:
        return phone.to_e164(value)
    except ValueError as error:
        raise GraphQLError(str(error)) from None


def _parse_url(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 2048:
        raise GraphQLError("URL is a string of at most 2,048 characters")
    try:
        parts = urlsplit(value)
    except ValueError:
        raise GraphQLError("URL is not well formed") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise GraphQLError("URL is http or https with a host and no credentials")
    return value


def _parse_time(value: Any) -> str:
    return _text(value, _TIME, "TimeOfDay is HH:MM, from 00:00 to 24:00")


def _parse_month_day(value: Any) -> str:
    text = _text(value, _MONTH_DAY, "MonthDay is MM-DD")
    try:
        day = date.fromisoformat(f"{_LEAP_YEAR}-{text}")
    except ValueError:
        raise GraphQLError("MonthDay is a day that exists") from None
    return day.isoformat()[5:]


def _parse_json(value: Any) -> dict[str, Any]:
    """An object that can be stored and sent back as it is; walked without recursion."""
    if not isinstance(value, dict):
        raise GraphQLError("JSON is an object here")
    waiting: list[tuple[Any, int]] = [(value, 1)]
    seen = 0
    while waiting:
        one, depth = waiting.pop()
        seen += 1
        if depth > MAX_JSON_DEPTH or seen > MAX_JSON_VALUES:
            text = f"JSON has at most {MAX_JSON_VALUES} values, {MAX_JSON_DEPTH} levels deep"
            raise GraphQLError(text)
        if isinstance(one, int | float) and not _is_exact(one):
            raise GraphQLError("A number in JSON is finite and at most 2^53")
        inner = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        waiting += [(item, depth + 1) for item in inner]
    return value


def _is_exact(number: float) -> bool:
    return math.isfinite(number) and abs(number) <= _LARGEST_INTEGER


_RFC = "https://datatracker.ietf.org/doc/html/rfc3339"

SCALARS: dict[object, ScalarDefinition] = {
    Money: strawberry.scalar(
        name="Money",
        description="Yuan (CNY) as a decimal string with two decimals; exact. 金额（元）",
        serialize=money.to_yuan,
        parse_value=_parse_money,
        specified_by_url="https://www.iso.org/iso-4217-currency-codes.html",
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="An instant as RFC 3339; the offset is required, answers are UTC. 时间",
        serialize=_show_instant,
        parse_value=_parse_instant,
        specified_by_url=f"{_RFC}#section-5.6",
    ),
    date: strawberry.scalar(
        name="Date",
        description="A business day as YYYY-MM-DD. 日期",
        serialize=date.isoformat,
        parse_value=_parse_date,
        specified_by_url=f"{_RFC}#section-5.6",
    ),
    PhoneNumber: strawberry.scalar(
        name="PhoneNumber",
        description=(
            "A phone number as E.164; Chinese mobile numbers of 11 digits are read as +86. 手机号"
        ),
        serialize=str,
        parse_value=_parse_phone,
        specified_by_url="https://www.itu.int/rec/T-REC-E.164",
    ),
    URL: strawberry.scalar(
        name="URL",
        description="An http or https address. 网址",
        serialize=str,
        parse_value=_parse_url,
        specified_by_url="https://url.spec.whatwg.org/",
    ),
    TimeOfDay: strawberry.scalar(
        name="TimeOfDay",
        description="HH:MM in the chain's zone; 24:00 is the end of the day. 一天中的时刻",
        serialize=str,
        parse_value=_parse_time,
        specified_by_url=f"{_RFC}#section-5.6",
    ),
    MonthDay: strawberry.scalar(
        name="MonthDay",
        description="MM-DD, a day of every year; 02-29 is allowed. 月日",
        serialize=str,
        parse_value=_parse_month_day,
        specified_by_url=f"{_RFC}#section-5.6",
    ),
    Json: strawberry.scalar(
        name="JSON",
        description="A JSON object, such as a rule or a policy as a document. JSON 文档",
        serialize=dict,
        parse_value=_parse_json,
        specified_by_url="https://datatracker.ietf.org/doc/html/rfc8259",
    ),
}
