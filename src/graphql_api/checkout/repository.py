"""Access paths of checkouts."""

from collections.abc import Sequence

from graphql_api.checkout import models
from graphql_api.checkout.models import RESERVATION, Reservation
from graphql_api.kit.dynamo import Transaction, batch_get


def of_lives(member_ids: Sequence[str], order_id: str) -> Reservation | None:
    """What is kept of a member for an order, as it is now (strongly consistent).

    Of a member who was several it may stand under any of the ids; the newest is told.
    """
    keys = [(id_, models.reservation_sort(order_id)) for id_ in member_ids]
    found = [r for r in batch_get(Reservation, keys, consistent=True) if r is not None]
    return max(found, key=lambda reservation: reservation.reserved_at, default=None)


def held_of_lives(member_ids: Sequence[str]) -> list[Reservation]:
    """What was kept of a member in the last days and nobody let go (strongly consistent)."""
    of_reservations = Reservation.sort.startswith(RESERVATION)
    return [
        reservation
        for id_ in member_ids
        for reservation in Reservation.query(id_, of_reservations, consistent_read=True)
        if reservation.released_at is None
    ]


def save(tx: Transaction, reservation: Reservation) -> None:
    """Write a reservation over the version that was read, or for the first time."""
    if reservation.version is None:
        tx.create(reservation)
    else:
        tx.save(reservation)
