"""`make audit` of commission and credit, and `follow_orders`, which mends what a stream lost."""

import json
from typing import Any

import pytest

from graphql_api.campaigns import repository as campaigns
from graphql_api.campaigns import tasks as crediting
from graphql_api.campaigns.models import CampaignsItem
from graphql_api.commissions import repository, tasks
from graphql_api.commissions.models import CommissionsItem
from graphql_api.guides.models import Guide
from graphql_api.orders.models import Order
from graphql_api.stores import service as stores
from graphql_api.stores.models import Store
from scripts import audit, follow_orders
from tests.campaigns.factories import DAY, make_running, take_part
from tests.commissions.storage import applied, month
from tests.factories import (
    CLOCK,
    PAID_AT,
    make_guide,
    make_member,
    make_refund,
    make_shell,
    make_snapshot,
    make_store,
)


@pytest.fixture
def store(chain: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store of a chain whose clock stands still."""
    monkeypatch.setattr(stores, "clock", lambda: CLOCK)
    return make_store("S1")


@pytest.fixture
def guide(store: Store) -> Guide:
    return make_guide(store, level=5)


@pytest.fixture
def order(store: Store, guide: Guide) -> Order:
    """An order of a member who took part in a campaign, followed, then refunded in part."""
    member = make_member(store)
    campaign = make_running(starts_at=PAID_AT - 2 * DAY)
    take_part(campaign, member, at=PAID_AT - DAY)
    snapshot = make_snapshot(store, guide_id=guide.id, member_id=member.id)
    follow(applied(snapshot))
    return follow(applied(make_shell(make_refund(), external_id=snapshot.external_id)))


def follow(order: Order) -> Order:
    tasks.follow(order, clock=CLOCK)
    crediting.credit(order, clock=CLOCK)
    return order


def differing(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    """What an audit finds, and where."""
    audit.main([])
    told: list[dict[str, Any]] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [(one["what"], one["where"]) for one in told if one["event"] == "differs"]


def test_books_that_follow_their_orders_have_no_difference(
    order: Order, capsys: pytest.CaptureFixture[str]
) -> None:
    tasks.settle(CLOCK.today() + 30 * DAY)
    assert differing(capsys) == []


def test_amounts_that_the_terms_do_not_give_are_found(
    order: Order, capsys: pytest.CaptureFixture[str]
) -> None:
    books, credit = repository.ledger_of(order.id), campaigns.credits_of(order.id)
    assert books is not None
    assert credit is not None
    books.amount_document = []
    credit.brought_document = [[credit.campaign_ids[0], 1, 1]]
    books.save()
    credit.save()
    found = differing(capsys)
    assert ("commission.amounts", order.id) in found
    assert ("credit.brought", order.id) in found


def test_row_or_sum_that_is_missing_is_found(
    order: Order, guide: Guide, capsys: pytest.CaptureFixture[str]
) -> None:
    [row, *_] = repository.all_rows_of(guide.id)
    row.delete()
    assert differing(capsys) == [
        ("commission.pending", f"{guide.id} 2018-01"),
        ("commission.rows", f"{guide.id} {order.id}"),
    ]


def test_order_that_was_not_followed_is_found_and_mended(
    store: Store, guide: Guide, capsys: pytest.CaptureFixture[str]
) -> None:
    member = make_member(store)
    order = applied(make_snapshot(store, guide_id=guide.id, member_id=member.id))
    assert differing(capsys) == [("commission.followed", order.id)]
    assert follow_orders.main([order.id, "ord_nothing"]) == 1
    assert '"event": "followed"' in capsys.readouterr().out
    assert (month(guide.id), differing(capsys)) == ((650, 0, 0), [])
    stored = [CommissionsItem.count(order.id), CampaignsItem.count(order.id)]
    assert follow_orders.main([order.id]) == 0
    assert [CommissionsItem.count(order.id), CampaignsItem.count(order.id)] == stored
