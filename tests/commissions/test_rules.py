"""What guides earn by an order, and that rows always come to what its last version earns."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.commissions.rules import (
    Amounts,
    CommissionKind,
    CommissionState,
    Difference,
    Ledger,
    Sale,
    Sold,
    Terms,
    commission_of,
    follow,
    reaches,
    terms_of,
)
from graphql_api.policies.rules import (
    SHIPPED_COMMISSION,
    CategoryRate,
    CommissionPolicy,
    ItemAmount,
)
from graphql_api.viewer import ANONYMOUS, READ_COMMISSIONS, SYSTEM, Role, Viewer

SELLING, EXCLUSIVE = CommissionKind.SELLING, CommissionKind.EXCLUSIVE
NEW_MEMBER, HOT_PRODUCT = CommissionKind.NEW_MEMBER, CommissionKind.HOT_PRODUCT
PAID_ON = date(2018, 1, 5)
TERMS = Terms(0, "sto_1", PAID_ON, PAID_ON + timedelta(days=15), {"li": 5, "chen": 1}, first=True)


def make_line(net: int = 10_000, *, paid: int | None = None, **more: object) -> Sold:
    """A piece of rice, paid and not refunded unless told otherwise."""
    known = {"item_id": "rice", "category": "粮", "quantity": 1, **more}
    return Sold(paid=net if paid is None else paid, net=net, **known)  # type: ignore[arg-type]


def make_sale(*lines: Sold, selling: str | None = "li", exclusive: str | None = None) -> Sale:
    """What Li sold, 100 yuan of rice unless told otherwise."""
    return Sale(lines or (make_line(),), selling, exclusive)


def earned(
    sale: Sale,
    policy: CommissionPolicy = SHIPPED_COMMISSION,
    *,
    first: bool = False,
    **levels: int | None,
) -> dict[tuple[str, CommissionKind], int]:
    """What the guides earn."""
    return dict(commission_of(sale, policy, levels, first=first))


@pytest.mark.parametrize(
    ("level", "fen"), [(None, 100), (1, 100), (3, 100), (4, 150), (8, 150), (9, 200), (12, 200)]
)
def test_rate_goes_by_the_level_of_the_guide(level: int | None, fen: int) -> None:
    assert earned(make_sale(), li=level) == {("li", SELLING): fen}


def test_seller_and_own_guide_share_by_their_rates() -> None:
    sale = make_sale(exclusive="chen")
    assert earned(sale, li=4, chen=9) == {("li", SELLING): 105, ("chen", EXCLUSIVE): 60}


def test_who_is_the_only_guide_has_all_of_it() -> None:
    assert earned(make_sale(exclusive="li")) == {("li", SELLING): 100}
    assert earned(make_sale(selling=None, exclusive="chen")) == {("chen", EXCLUSIVE): 100}
    assert earned(make_sale(selling=None)) == {}


def test_category_beats_the_level_and_a_fixed_amount_beats_both() -> None:
    policy = CommissionPolicy(
        categories=(CategoryRate(category="粮", basis_points=500),),
        items=(ItemAmount(item_id="tea", fen=300),),
    )
    rice, tea = make_line(10_000), make_line(4_000, item_id="tea", quantity=2)
    assert earned(make_sale(rice), policy, li=12) == {("li", SELLING): 500}
    assert earned(make_sale(rice, tea), policy, li=12) == {("li", SELLING): 1_100}


def test_fixed_amount_is_for_what_was_not_refunded_and_never_above_what_was_paid() -> None:
    policy = CommissionPolicy(items=(ItemAmount(item_id="rice", fen=300),))
    half = make_line(5_000, paid=10_000, quantity=2)
    assert earned(make_sale(half), policy) == {("li", SELLING): 300}
    cheap = make_line(200, quantity=89_638)
    assert earned(make_sale(cheap), policy) == {("li", SELLING): 200}
    assert earned(make_sale(make_line(0), make_line(1_000, item_id="x")), policy) == {
        ("li", SELLING): 10
    }


def test_bonuses_are_the_sellers_or_else_the_own_guides() -> None:
    policy = CommissionPolicy(hot_items=(ItemAmount(item_id="rice", fen=50),))
    both = earned(make_sale(exclusive="chen"), policy, first=True)
    assert (both["li", NEW_MEMBER], both["li", HOT_PRODUCT]) == (500, 50)
    alone = earned(make_sale(selling=None, exclusive="chen"), policy, first=True)
    assert (alone["chen", NEW_MEMBER], alone["chen", HOT_PRODUCT]) == (500, 50)


def test_nothing_is_earned_by_what_came_back_as_a_whole_or_was_free() -> None:
    assert earned(make_sale(make_line(0, paid=10_000)), first=True) == {}
    assert earned(make_sale(make_line(0)), first=True) == {}


def told(ledger: Ledger, version: int, sale: Sale, as_of: date) -> tuple[Ledger, list[Difference]]:
    return follow(ledger, version, sale, SHIPPED_COMMISSION, as_of)


def test_refund_before_settlement_lessens_what_waits() -> None:
    ledger, _ = told(Ledger(replace(TERMS, first=False)), 1, make_sale(), PAID_ON)
    refunded = replace(make_sale(make_line(4_000, paid=10_000)), refunded_on=date(2018, 2, 1))
    _, rows = told(ledger, 2, refunded, date(2018, 2, 1))
    assert rows == [Difference("li", SELLING, -90, PAID_ON, CommissionState.PENDING)]


def test_refund_after_settlement_is_a_negative_row_of_its_own_month() -> None:
    ledger, _ = told(Ledger(TERMS), 1, make_sale(), PAID_ON)
    refunded = replace(make_sale(make_line(0, paid=10_000)), refunded_on=date(2018, 3, 2))
    ledger, rows = told(replace(ledger, settled=True), 2, refunded, date(2018, 3, 9))
    day = date(2018, 3, 2)
    assert rows == [
        Difference("li", NEW_MEMBER, -500, day, CommissionState.REVERSED),
        Difference("li", SELLING, -150, day, CommissionState.REVERSED),
    ]
    _, rows = told(ledger, 3, make_sale(), date(2018, 3, 10))
    assert {(row.day, row.state) for row in rows} == {(date(2018, 3, 10), CommissionState.SETTLED)}


def test_refund_told_after_the_settlement_counts_on_its_day() -> None:
    ledger, _ = told(Ledger(TERMS), 1, make_sale(), PAID_ON)
    refunded = replace(make_sale(make_line(0, paid=10_000)), refunded_on=date(2018, 1, 19))
    _, rows = told(replace(ledger, settled=True), 2, refunded, date(2018, 1, 25))
    assert {row.day for row in rows} == {TERMS.settles_on}


def test_guide_who_takes_the_place_of_another_earns_from_then_on() -> None:
    ledger, _ = told(Ledger(replace(TERMS, first=False)), 1, make_sale(), PAID_ON)
    _, rows = told(ledger, 2, make_sale(selling="chen"), PAID_ON)
    assert [(row.guide_id, row.amount) for row in rows] == [("chen", 100), ("li", -150)]


def test_terms_say_when_it_is_settled() -> None:
    found = terms_of("sto_1", PAID_ON, 3, CommissionPolicy(settle_days=7))
    assert found == Terms(3, "sto_1", PAID_ON, date(2018, 1, 12))


# --- laws ------------------------------------------------------------------------------------


policies = st.builds(
    CommissionPolicy,
    items=st.sampled_from([(), (ItemAmount(item_id="a", fen=70),)]),
    hot_items=st.sampled_from([(), (ItemAmount(item_id="b", fen=30),)]),
    categories=st.sampled_from([(), (CategoryRate(category="茶", basis_points=333),)]),
    selling_percent=st.integers(0, 60),
    exclusive_percent=st.integers(0, 40),
)


@st.composite
def sold(draw: st.DrawFn) -> Sold:
    """A line, refunded as far as you like."""
    paid = draw(st.integers(0, 5_000))
    return Sold(
        draw(st.sampled_from("abc")),
        draw(st.sampled_from(["茶", "粮"])),
        draw(st.integers(0, 3)),
        paid,
        draw(st.integers(0, paid)),
    )


guides = st.none() | st.sampled_from(["li", "chen", "zhao"])
sales = st.builds(
    Sale,
    st.lists(sold(), max_size=3).map(tuple),
    guides,
    guides,
    st.none() | st.dates(PAID_ON, date(2018, 4, 1)),
)


def summed(rows: list[Difference]) -> Amounts:
    """What the rows come to, by guide and kind."""
    found: Counter[tuple[str, CommissionKind]] = Counter()
    for row in rows:
        found[row.guide_id, row.kind] += row.amount
    return {earned: fen for earned, fen in found.items() if fen}


@given(st.data(), st.lists(sales, min_size=1, max_size=5), policies)
def test_rows_come_to_the_last_version_in_any_sequence_and_however_often(
    data: st.DataObject, versions: list[Sale], policy: CommissionPolicy
) -> None:
    numbers = st.sampled_from(range(1, len(versions) + 1))
    delivered = [*data.draw(st.lists(numbers, max_size=8)), len(versions)]
    delivered += data.draw(st.lists(numbers, max_size=4))
    settled_from = data.draw(st.integers(0, len(delivered)))
    ledger, rows = Ledger(TERMS), list[Difference]()
    for n, version in enumerate(delivered):
        ledger = replace(ledger, settled=n >= settled_from)
        ledger, more = follow(ledger, version, versions[version - 1], policy, date(2018, 4, 2))
        rows += more
    assert summed(rows) == commission_of(versions[-1], policy, TERMS.levels, first=True)
    assert summed(rows) == ledger.amounts


@given(st.lists(sales, max_size=4), policies, sales)
def test_refund_of_everything_comes_to_nothing(
    versions: list[Sale], policy: CommissionPolicy, last: Sale
) -> None:
    gone = replace(last, lines=tuple(replace(line, net=0) for line in last.lines))
    ledger, rows = Ledger(TERMS), list[Difference]()
    for version, sale in enumerate([*versions, gone], 1):
        ledger, more = follow(ledger, version, sale, policy, PAID_ON)
        rows += more
    assert summed(rows) == {}


@given(sales, policies)
def test_no_commission_is_negative(sale: Sale, policy: CommissionPolicy) -> None:
    assert all(fen > 0 for fen in earned(sale, policy, first=True).values())


@pytest.mark.parametrize(
    ("viewer", "seen"),
    [
        (Viewer(Role.GUIDE, id="gde_1", store_ids=frozenset({"sto_1"})), True),
        (Viewer(Role.GUIDE, id="gde_2", store_ids=frozenset({"sto_1"})), False),
        (Viewer(Role.STORE_MANAGER, id="s", store_ids=frozenset({"sto_1"})), True),
        (Viewer(Role.STORE_MANAGER, id="s", store_ids=frozenset({"sto_2"})), False),
        (Viewer(Role.OPERATOR, id="o"), True),
        (Viewer(Role.INTEGRATION, id="k", scopes=frozenset({READ_COMMISSIONS})), True),
        (Viewer(Role.INTEGRATION, id="k"), False),
        (Viewer(Role.MEMBER, id="mbr_1"), False),
        (SYSTEM, True),
        (ANONYMOUS, False),
    ],
)
def test_what_a_guide_earns_is_seen_by_them_their_manager_and_headquarters(
    viewer: Viewer, seen: bool
) -> None:
    assert reaches(viewer, "gde_1", "sto_1") is seen
