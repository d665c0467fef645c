"""What of Weimob's JSON is their own: times in milliseconds, sometimes told as text."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated

from pydantic import BeforeValidator

CHINA = timezone(timedelta(hours=8))
"""The zone of times that name none."""
_TIME = "%Y-%m-%d %H:%M:%S"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _instant(told: object) -> object:
    """Milliseconds, as a number or text, or a local time; 0 is no time."""
    if isinstance(told, bool):
        raise ValueError("a time is no truth value")  # noqa: TRY004 - pydantic reads ValueError
    if isinstance(told, str) and not told.isdigit():
        return datetime.strptime(told, _TIME).replace(tzinfo=CHINA).astimezone(UTC)
    if not isinstance(told, int | str):
        raise ValueError("a time is milliseconds or text")  # noqa: TRY004 - pydantic reads ValueError
    try:
        return _EPOCH + timedelta(milliseconds=int(told)) if int(told) else None
    except OverflowError:
        raise ValueError("no such time") from None


Instant = Annotated[datetime | None, BeforeValidator(_instant)]
"""An instant, UTC."""


def milliseconds(instant: datetime) -> int:
    """Since 1970: how Weimob tells times, and the revision of what changed then."""
    return (instant - _EPOCH) // timedelta(milliseconds=1)
