"""What of Youzan's JSON is their own: local times."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated

from pydantic import BeforeValidator

CHINA = timezone(timedelta(hours=8))
"""The zone of times that name none; China knows no summer time."""

_TIME = "%Y-%m-%d %H:%M:%S"


def _local(told: object) -> object:
    if not isinstance(told, str):
        raise ValueError("a local time is text")  # noqa: TRY004 - pydantic reads ValueError
    local = datetime.strptime(told, _TIME).replace(tzinfo=CHINA)
    if local.year == 1:
        raise ValueError("no such time")  # a vendor's zero, before which UTC has no instants
    return local.astimezone(UTC)


Instant = Annotated[datetime, BeforeValidator(_local)]
"""An instant, UTC, told as a local time of China."""
