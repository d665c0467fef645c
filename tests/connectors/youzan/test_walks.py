"""Lists of Youzan by time: everything is found, and no page is asked for beyond what they show."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from graphql_api.connectors.models import Shop
from graphql_api.connectors.walks import Walk
from graphql_api.connectors.youzan import api, orders, people

BEGIN = datetime(2026, 11, 20, tzinfo=UTC)
END = BEGIN + timedelta(seconds=64)
SHOP = Shop("vsh_1")
MOST, AT_ONCE = 6, 2

seconds = st.lists(st.integers(0, 64), max_size=40)
"""When things changed; more than six in one second are more than can be told apart."""


class Vendor:
    """Lists things by second, so many a page, and so many pages."""

    def __init__(self, trades: list[int], refunds: list[int]) -> None:
        self.trades, self.refunds = trades, refunds

    def page(self, of: list[int], since: datetime, until: datetime, page: int) -> tuple[int, Any]:
        found = [n for n, at in enumerate(of) if since <= BEGIN + timedelta(seconds=at) <= until]
        if until - since >= timedelta(seconds=2) and page > 1:
            assert page * AT_ONCE <= MOST + AT_ONCE - 1
            assert len(found) <= MOST
        return len(found), found[(page - 1) * AT_ONCE : page * AT_ONCE]

    def trades_changed(self, _: Shop, since: datetime, until: datetime, page: int) -> api.Listed:
        total, found = self.page(self.trades, since, until, page)
        paid = {"pay_time": "2026-11-20 08:00:00"}
        listed = [{"full_order_info": {"order_info": {"tid": f"E{n}", **paid}}} for n in found]
        told = {"total_results": total, "full_order_info_list": listed}
        return api.Listed.model_validate(told)

    def refunds_changed(
        self, _: Shop, since: datetime, until: datetime, page: int
    ) -> api.ListedRefunds:
        total, found = self.page(self.refunds, since, until, page)
        listed = [{"refund_id": f"R{n}", "tid": f"F{n}"} for n in found]
        return api.ListedRefunds.model_validate({"total": total, "refunds": listed})

    def customers_since(
        self, _: Shop, since: datetime, until: datetime, page: int
    ) -> api.ListedCustomers:
        total, found = self.page(self.trades, since, until, page)
        listed = [{"yz_open_id": f"C{n}"} for n in found]
        return api.ListedCustomers.model_validate({"total": total, "record_list": listed})


def walked(vendor: Vendor, step: Callable[[str | None], tuple[list[str], str | None]]) -> list[str]:
    """What all steps found."""
    limits: dict[str, Any] = {
        "MOST_TRADES": MOST,
        "MOST_REFUNDS": MOST,
        "MOST_CUSTOMERS": MOST,
        "TRADES_AT_ONCE": AT_ONCE,
        "REFUNDS_AT_ONCE": AT_ONCE,
        "CUSTOMERS_AT_ONCE": AT_ONCE,
    }
    found: list[str] = []
    with patch.multiple(
        api,
        trades_changed=vendor.trades_changed,
        refunds_changed=vendor.refunds_changed,
        customers_since=vendor.customers_since,
        **limits,
    ):
        cursor: str | None = None
        for _ in range(1_000):
            some, cursor = step(cursor)
            found += some
            if cursor is None:
                return found
    raise AssertionError("the walk does not end")


@given(seconds, seconds)
def test_every_trade_and_every_refund_is_found(trades: list[int], refunds: list[int]) -> None:
    def step(cursor: str | None) -> tuple[list[str], str | None]:
        page = orders.changed(SHOP, BEGIN, END, cursor)
        return [ref.external_id for ref in page.orders], page.cursor

    wanted = {f"E{n}" for n in range(len(trades))} | {f"F{n}" for n in range(len(refunds))}
    assert set(walked(Vendor(trades, refunds), step)) == wanted


@given(seconds)
def test_every_customer_is_found(customers: list[int]) -> None:
    def step(cursor: str | None) -> tuple[list[str], str | None]:
        page = people.since(SHOP, BEGIN, END, cursor)
        return list(page.customers), page.cursor

    found = walked(Vendor(customers, []), step)
    assert set(found) == {f"C{n}" for n in range(len(customers))}


@given(st.integers(0, 3), st.integers(1, 99), st.integers(0, 60))
def test_walk_is_the_same_behind_its_text(part: int, page: int, second: int) -> None:
    since = BEGIN + timedelta(seconds=second)
    walk = Walk(BEGIN, END, since, END, part, page)
    assert Walk.at(walk.text, BEGIN, END) == walk


def test_halves_meet() -> None:
    walk = Walk.at(None, BEGIN, END).halved()
    assert (walk.since, walk.until) == (BEGIN, BEGIN + timedelta(seconds=32))
    assert walk.on(is_last=False).page == 2
    after = walk.on(is_last=True)
    assert (after.since, after.until, after.part) == (walk.until, END, 0)
    assert after.on(is_last=True) == Walk(BEGIN, END, BEGIN, END, 1, 1)
