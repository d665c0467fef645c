"""What vendors have of ours: noted as due when ours changed, and as heard when they said so."""

from collections.abc import Iterable, Sequence
from typing import Any

from graphql_api.connectors import models, queueing, repository
from graphql_api.connectors.models import Shop
from graphql_api.connectors.rules import CopyKind
from graphql_api.kit.time import real_now

_TRIES = 20


def due(shop: Shop, kind: CopyKind, subject_ids: Iterable[str], *, delay: float = 0) -> bool:
    """Have a vendor told of these, if they are to be told such things: whether they are.

    Who is at it already is told again afterwards; twice in a row costs a comparison.
    """
    if kind not in shop.tells:
        return False
    at = real_now()
    marked = [repository.mark_due(shop.id, kind, id_, at) for id_ in subject_ids]
    if marked and not shop.paused:
        queueing.tell_soon(marked, delay)
    return True


def forget(shops: Sequence[Shop], subject_ids: Sequence[str]) -> None:
    """Forget what these shops have of members and coupons that are gone from here."""
    repository.delete_copies(
        [
            models.copy_id(shop.id, kind, subject_id)
            for shop in shops
            for kind in CopyKind
            for subject_id in subject_ids
        ]
    )


def heard(shop: Shop, kind: CopyKind, subject_id: str, told: Any) -> None:
    """Note what a vendor said that they have, so that they are not told of it."""
    _change(shop, kind, subject_id, lambda _: told)


def heard_tags(shop: Shop, member_id: str, *, gained: Sequence[str], lost: Sequence[str]) -> None:
    """Note tags, by the vendor's keys, that a vendor said to have given and taken."""

    def change(told: Any) -> list[str]:
        return sorted(({*(told or ())} | {*gained}) - {*lost})

    _change(shop, CopyKind.TAGS, member_id, change)


def _change(shop: Shop, kind: CopyKind, subject_id: str, change: Any) -> None:
    if kind not in shop.tells:
        return
    for _ in range(_TRIES):
        [copy] = repository.get_copies([models.copy_id(shop.id, kind, subject_id)])
        new = change(copy.told if copy else None)
        if copy is not None and copy.told == new:
            return
        if repository.note_heard(shop.id, kind, subject_id, copy, new, real_now()):
            return
    raise RuntimeError("a copy does not hold still")
