"""Many who redeem at once: last pieces, one balance, one cancellation, exact on either engine."""

from collections.abc import Callable
from functools import partial
from typing import Any

from graphql_api.errors import AppError
from graphql_api.members.models import Member
from graphql_api.stores.models import Store
from tests.mall.factories import cancel, had, left, make_item, make_rich, points_of, redeem
from tests.threads import at_once


def tried(do: Callable[[], Any]) -> Callable[[], str]:
    def one() -> str:
        try:
            do()
        except AppError as refusal:
            return type(refusal).__name__
        return "done"

    return one


def buyers(store: Store, count: int) -> list[Member]:
    return [make_rich(store, 100) for _ in range(count)]


def test_last_pieces_go_to_as_many_as_there_are(store: Store) -> None:
    item = make_item(stock=5)
    found = buyers(store, 16)
    outcomes = at_once([tried(partial(redeem, one, item, store)) for one in found])
    assert sorted(outcomes) == ["LimitExceeded"] * 11 + ["done"] * 5
    assert left(item) == 0
    assert sorted(points_of(one) for one in found) == [0] * 5 + [100] * 11
    assert sum(len(had(one)) for one in found) == 5


def test_points_of_one_member_buy_what_they_buy(store: Store) -> None:
    member, item = make_rich(store, 250), make_item(stock=9)
    outcomes = at_once([tried(partial(redeem, member, item, store))] * 4)
    assert sorted(outcomes) == ["InsufficientPoints"] * 2 + ["done"] * 2
    assert (points_of(member), left(item)) == (50, 7)


def test_redemption_that_many_cancel_at_once_is_taken_back_once(
    member: Member, store: Store
) -> None:
    item = make_item()
    one = redeem(member, item, store)
    at_once([lambda: cancel(one)] * 4)
    assert (points_of(member), left(item)) == (1_000, 2)
