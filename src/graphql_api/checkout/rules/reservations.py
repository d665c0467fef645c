"""Where a reservation stands."""

from datetime import datetime
from enum import StrEnum


class ReservationState(StrEnum):
    """Whether it is kept (已锁定), was let go (已释放), or ran out (已超时)."""

    HELD = "HELD"
    RELEASED = "RELEASED"
    EXPIRED = "EXPIRED"


def state_of(until: datetime, released_at: datetime | None, at: datetime) -> ReservationState:
    """Where a reservation stands at an instant; at its end it holds no more."""
    if released_at is not None:
        return ReservationState.RELEASED
    return ReservationState.HELD if at < until else ReservationState.EXPIRED
