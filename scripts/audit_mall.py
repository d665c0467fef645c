"""What `make audit` asks of gifts and of the mall: each stands with the points that it moved."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from graphql_api.benefits import repository as benefits
from graphql_api.benefits.rules import GiftState
from graphql_api.kit.dynamo import Page
from graphql_api.mall import repository as mall
from graphql_api.mall.models import Redemption
from graphql_api.mall.rules import RedemptionState
from graphql_api.points import repository as points
from graphql_api.points.rules import EntryKind
from scripts.audit_subject import Difference, Subject

_PAGE = 100


def gifts(subject: Subject) -> Iterator[Difference]:
    """Points of a gift were granted under its key, and of one that was not given none were."""
    lives = subject.member.lives
    for gift in _all(benefits.gifts_of_lives, lives):
        mark = points.mark_of(lives, EntryKind.GRANT, f"{gift.id}#{gift.sort}")
        granted = int(mark.points) if mark else 0
        due = int(gift.points) if gift.state is GiftState.GIVEN else 0
        if granted != due:
            yield Difference("gift.points", f"{gift.id} {gift.sort}", granted, due)


def redemptions(subject: Subject) -> Iterator[Difference]:
    """Points of a redemption were spent, and given back where it was cancelled; limits count it."""
    lives = subject.member.lives
    found: list[Redemption] = list(_all(mall.page_of_lives, lives))
    known = mall.redemptions([one.redemption_id for one in found])
    for one, there in zip(found, known, strict=True):
        if there is None or there.key != one.key:
            yield Difference("redemption.pointer", one.redemption_id, None, one.key)
        mark = points.mark_of(lives, EntryKind.SPEND, one.redemption_id)
        spent = int(mark.points) if mark and mark.given_back_at is None else 0
        due = 0 if one.state is RedemptionState.CANCELLED else int(one.points)
        if spent != due:
            yield Difference("redemption.points", one.redemption_id, spent, due)
    kept = [one for one in found if one.state is not RedemptionState.CANCELLED]
    took = Counter(one.item_id for one in kept)
    item_ids = sorted({one.item_id for one in found})
    counted = mall.taken_by([(lives, item_id) for item_id in item_ids])
    for item_id, times in zip(item_ids, counted, strict=True):
        if times != took[item_id]:
            where = f"{subject.member.id} {item_id}"
            yield Difference("redemption.taken", where, times, took[item_id])


def _all(page_of: Callable[..., Page[Any]], lives: tuple[str, ...]) -> Iterator[Any]:
    after: str | None = None
    while True:
        page = page_of(lives, first=_PAGE, after=after, reverse=False)
        yield from page.items
        if not page.more:
            return
        after = page.last
