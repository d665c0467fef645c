"""Who can have what, and how pieces leave a stock."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.mall import rules
from graphql_api.mall.rules import ItemState, Obstacle, Offer

AT = datetime(2018, 1, 10, 4, tzinfo=UTC)
MOMENT = timedelta(milliseconds=1)


def obstacle(
    offer: Offer,
    *,
    tier: str | None = "V1",
    taken: int = 0,
    left: int | None = 1,
    at: datetime = AT,
) -> Obstacle | None:
    return rules.obstacle(offer, tier=tier, taken=taken, left=left, at=at)


def offer(state: ItemState = ItemState.ACTIVE, **more: object) -> Offer:
    return Offer(state, 100, **more)  # type: ignore[arg-type]  # named in each test


@pytest.mark.parametrize(
    ("one", "found"),
    [
        (offer(), None),
        (offer(ItemState.DRAFT), Obstacle.NOT_ACTIVE),
        (offer(ItemState.STOPPED), Obstacle.NOT_ACTIVE),
        (offer(starts_at=AT), None),
        (offer(starts_at=AT + MOMENT), Obstacle.NOT_BEGUN),
        (offer(ends_at=AT + MOMENT), None),
        (offer(ends_at=AT), Obstacle.OVER),
        (offer(tiers=frozenset({"V1", "V2"})), None),
        (offer(tiers=frozenset({"V2"})), Obstacle.TIER),
    ],
)
def test_item_is_had_while_it_is_offered_to_the_tier(one: Offer, found: Obstacle | None) -> None:
    assert obstacle(one) is found


def test_item_is_had_as_often_as_its_limit_and_its_stock_allow() -> None:
    twice = offer(per_member=2)
    assert [obstacle(twice, taken=n) for n in (1, 2, 3)] == [None, Obstacle.LIMIT, Obstacle.LIMIT]
    assert [obstacle(offer(), left=n) for n in (None, 1, 0)] == [None, None, Obstacle.OUT_OF_STOCK]
    assert obstacle(offer(tiers=frozenset({"V2"})), tier=None) is Obstacle.TIER


@given(st.lists(st.integers(0, 20), min_size=1, max_size=8), st.integers(0, 200))
def test_pieces_are_taken_out_of_parts_that_hold_them(parts: list[int], count: int) -> None:
    rest = rules.taken_out(parts, count)
    if count > sum(parts):
        assert rest is None
        return
    assert rest is not None
    assert sum(rest) == sum(parts) - count
    assert all(0 <= now <= was for now, was in zip(rest, parts, strict=True))
