"""Orders merge the same in any sequence; their status, totals and gift to facts follow from it."""

from datetime import UTC, date, datetime, timedelta
from functools import reduce
from itertools import permutations
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphql_api.members.rules import Contribution, Moved
from graphql_api.orders.models import Order
from graphql_api.orders.rules import (
    Body,
    Line,
    OrderChannel,
    OrderStatus,
    Refund,
    RefundLine,
    Settlement,
    State,
    contribution,
    merge,
    net_lines,
    reaches,
)
from graphql_api.policies.rules import SHIPPED_GROWTH, GrowthPolicy
from graphql_api.viewer import ANONYMOUS, READ_ORDERS, SYSTEM, Role, Viewer

PAID_AT = datetime(2018, 1, 5, 4, 0, tzinfo=UTC)


def make_body(total: int = 10_000, *, revision: int = 1, **more: object) -> Body:
    known = {
        "paid_at": PAID_AT,
        "day": PAID_AT.date(),
        "channel": OrderChannel.STORE,
        "store_id": "sto_1",
        **more,
    }
    return Body(revision=revision, total=total, **known)  # type: ignore[arg-type]  # as given


def make_state(total: int | None, *refunds: int) -> State:
    """An order of so many fen, a shell for None, with refunds of so many fen."""
    known = {f"r{n}": Refund(f"r{n}", 1, PAID_AT, fen) for n, fen in enumerate(refunds)}
    return State(None if total is None else make_body(total), known)


lines = st.builds(
    Line,
    item_id=st.sampled_from(["a", "b"]),
    name=st.sampled_from(["", "米", "\u2028\\"]),
    category=st.just("粮"),
    quantity=st.sampled_from([0, 2]),
    amount=st.sampled_from([0, 500]),
)
bodies = st.builds(
    make_body,
    st.sampled_from([0, 100, 250]),
    revision=st.integers(1, 3),
    day=st.sampled_from([date(2018, 1, 5), date(2018, 2, 1)]),
    channel=st.sampled_from(OrderChannel),
    guide_id=st.none() | st.just("gde_1"),
    lines=st.lists(lines, max_size=2).map(tuple),
    buyer=st.sampled_from([(), ("OPENID#1",), ("OPENID#1", "OPENID#2")]),
    member_id=st.none() | st.just("mbr_1"),
    points_used=st.sampled_from([0, 300]),
    coupons=st.sampled_from([(), ("C1",), ("C2", "C1")]),
)
settlements = st.builds(
    lambda days: Settlement(
        PAID_AT + timedelta(days=days), (PAID_AT + timedelta(days=days)).date()
    ),
    st.sampled_from([0, 7, 40]),
)
refunds = st.builds(
    Refund,
    id=st.sampled_from(["r1", "r2", "r3"]),
    revision=st.integers(1, 3),
    at=st.sampled_from([PAID_AT, datetime(2018, 2, 1, 3, 30, 5, 250_000, UTC)]),
    amount=st.sampled_from([0, 50, 100, 300]),
    lines=st.sampled_from([(), (RefundLine("a", 50),)]),
)
states = st.builds(
    State,
    st.none() | bodies,
    st.lists(refunds, max_size=3).map(lambda known: {refund.id: refund for refund in known}),
    st.none() | settlements,
)


@given(states, states, states)
def test_merge_is_associative(a: State, b: State, c: State) -> None:
    assert merge(merge(a, b), c) == merge(a, merge(b, c))


@given(states, states)
def test_merge_is_commutative(a: State, b: State) -> None:
    assert merge(a, b) == merge(b, a)


@given(states, states)
def test_merge_is_idempotent(a: State, b: State) -> None:
    assert merge(a, a) == a
    assert merge(merge(a, b), b) == merge(a, b)


@given(states)
def test_nothing_known_adds_nothing(state: State) -> None:
    assert merge(State(), state) == state


@settings(max_examples=50)
@given(st.lists(states, min_size=1, max_size=4))
def test_versions_merge_to_one_state_in_every_sequence_with_the_newest_of_each(
    versions: list[State],
) -> None:
    merged = reduce(merge, versions)
    assert all(reduce(merge, sequence) == merged for sequence in permutations(versions))
    told = [version.body for version in versions if version.body]
    assert (merged.body is None) is (not told)
    if merged.body:
        assert merged.body in told
        assert merged.body.revision == max(body.revision for body in told)
    settled = [version.settled for version in versions if version.settled]
    assert merged.settled == min(settled, default=None)
    for id_ in {id_ for version in versions for id_ in version.refunds}:
        known = [version.refunds[id_] for version in versions if id_ in version.refunds]
        assert merged.refunds[id_] in known
        assert merged.refunds[id_].revision == max(refund.revision for refund in known)


@given(states, states)
def test_state_comes_back_from_storage_as_it_was_to_the_last_digit(a: State, b: State) -> None:
    order = Order(id="ord_1", source="pos", external_id="1", recorded_at=PAID_AT, version=1)
    order.hold(a, None)
    stored = Order.from_raw_data(order.serialize())
    assert stored.state == a
    assert merge(stored.state, b) == merge(a, b)


@pytest.mark.parametrize(
    ("state", "status", "total", "refunded"),
    [
        (make_state(None), OrderStatus.SHELL, 0, 0),
        (make_state(None, 500), OrderStatus.SHELL, 0, 0),
        (make_state(0), OrderStatus.PAID, 0, 0),
        (make_state(0, 500), OrderStatus.PAID, 0, 0),
        (make_state(1_000), OrderStatus.PAID, 1_000, 0),
        (make_state(1_000, 0), OrderStatus.PAID, 1_000, 0),
        (make_state(1_000, 1), OrderStatus.PARTIALLY_REFUNDED, 1_000, 1),
        (make_state(1_000, 400, 599), OrderStatus.PARTIALLY_REFUNDED, 1_000, 999),
        (make_state(1_000, 400, 600), OrderStatus.REFUNDED, 1_000, 1_000),
        (make_state(1_000, 400, 601), OrderStatus.REFUNDED, 1_000, 1_000),
        (make_state(1_000, 5_000), OrderStatus.REFUNDED, 1_000, 1_000),
    ],
)
def test_status_and_totals(state: State, status: OrderStatus, total: int, refunded: int) -> None:
    assert (state.status, state.total, state.refunded) == (status, total, refunded)


@given(states)
def test_no_more_is_refunded_than_was_paid(state: State) -> None:
    assert 0 <= state.refunded <= state.total
    given = contribution(state, SHIPPED_GROWTH)
    assert given is None or 0 <= given.refunded <= given.paid


def test_refund_withdrawn_by_a_later_version_gives_the_money_back() -> None:
    withdrawn = State(None, {"r0": Refund("r0", 2, PAID_AT, 0)})
    assert merge(make_state(1_000, 1_000), withdrawn).status is OrderStatus.PAID


@pytest.mark.parametrize(
    ("state", "orders", "paid", "refunded", "growth"),
    [
        (make_state(19_999), 1, 19_999, 0, 199),
        (make_state(19_999, 100), 1, 19_999, 100, 198),
        (make_state(19_999, 19_999), 0, 19_999, 19_999, 0),
        (make_state(0), 1, 0, 0, 0),
        (make_state(0, 500), 1, 0, 0, 0),
    ],
)
def test_contribution(state: State, orders: int, paid: int, refunded: int, growth: int) -> None:
    day = date(2018, 1, 5)
    expected = Contribution(day, orders, paid, refunded, growth)
    assert contribution(state, SHIPPED_GROWTH) == expected


def test_refund_in_a_later_month_is_noted_with_what_it_took_when_it_came() -> None:
    months = {"r1": date(2018, 1, 9), "r2": date(2018, 2, 3), "r3": date(2018, 3, 3)}
    amounts = {"r1": 50, "r2": 950, "r3": 9_999}
    refunds = {
        id_: Refund(id_, 1, PAID_AT + timedelta(days=n), amounts[id_], (), day)
        for n, (id_, day) in enumerate(months.items())
    }
    given = contribution(merge(make_state(1_999), State(None, refunds)), SHIPPED_GROWTH)
    assert given is not None
    assert given.moved == (Moved("2018-02", 0, 950, 10), Moved("2018-03", 1, 999, 9))


def test_growth_follows_its_policy() -> None:
    given = contribution(make_state(19_999), GrowthPolicy(fen_per_point=1_000))
    assert given is not None
    assert given.growth == 19


def test_shell_gives_nothing_until_its_body_arrives() -> None:
    shell = make_state(None, 300)
    assert contribution(shell, SHIPPED_GROWTH) is None
    whole = merge(shell, make_state(1_000))
    assert contribution(whole, SHIPPED_GROWTH) == Contribution(date(2018, 1, 5), 1, 1_000, 300, 7)


def staff(role: Role, *stores: str, id: str = "gde_9") -> Viewer:
    return Viewer(role, id=id, store_ids=frozenset(stores))


@pytest.mark.parametrize(
    ("viewer", "seen"),
    [
        (ANONYMOUS, False),
        (Viewer(Role.MEMBER, id="mbr_1"), True),
        (Viewer(Role.MEMBER, id="mbr_2"), False),
        (staff(Role.GUIDE, "sto_2", id="gde_selling"), True),
        (staff(Role.GUIDE, "sto_2", id="gde_exclusive"), True),
        (staff(Role.GUIDE, "sto_1"), False),
        (staff(Role.STORE_MANAGER, "sto_1"), True),
        (staff(Role.STORE_MANAGER, "sto_2"), False),
        (staff(Role.OPERATOR, "sto_1", "sto_2"), True),
        (staff(Role.OPERATOR, "sto_2"), False),
        (Viewer(Role.OPERATOR), True),
        (Viewer(Role.INTEGRATION, scopes=frozenset({READ_ORDERS})), True),
        (Viewer(Role.INTEGRATION), False),
        (SYSTEM, True),
    ],
)
def test_who_sees_an_order(viewer: Viewer, seen: bool) -> None:
    order = SimpleNamespace(
        member_id="mbr_1",
        store_id="sto_1",
        guide_id="gde_selling",
        exclusive_guide_id="gde_exclusive",
    )
    assert reaches(viewer, order) is seen


@pytest.mark.parametrize("viewer", [Viewer(Role.MEMBER), staff(Role.GUIDE, "sto_1", id="")])
def test_nobody_in_particular_sees_no_order_of_nobody(viewer: Viewer) -> None:
    order = SimpleNamespace(member_id=None, store_id=None, guide_id=None, exclusive_guide_id=None)
    assert not reaches(viewer, order)


def make_lines(*rows: tuple[str, int]) -> tuple[Line, ...]:
    """Lines of these items at these amounts."""
    return tuple(Line(item_id, "", "粮", 1, amount) for item_id, amount in rows)


def kept(body: Body, *refunds: Refund) -> list[tuple[str, int]]:
    """What is left of each line by its item."""
    state = State(body, {refund.id: refund for refund in refunds})
    return [(line.item_id, net) for line, net in net_lines(state)]


def make_refund(amount: int, *named: tuple[str, int], id: str = "r1") -> Refund:
    """A refund of an amount that names some items."""
    return Refund(id, 1, PAID_AT, amount, tuple(RefundLine(*one) for one in named))


def test_discount_on_the_whole_is_borne_by_each_line() -> None:
    body = make_body(900, lines=make_lines(("a", 600), ("b", 400)))
    assert kept(body) == [("a", 540), ("b", 360)]


def test_what_no_line_tells_stands_on_a_line_of_its_own() -> None:
    body = make_body(1_000, lines=make_lines(("a", 600)))
    assert kept(body) == [("a", 600), ("", 400)]
    assert kept(make_body(1_000)) == [("", 1_000)]
    assert net_lines(State()) == []


def test_refund_takes_from_the_items_it_names_and_the_rest_from_all() -> None:
    body = make_body(1_000, lines=make_lines(("a", 300), ("a", 300), ("b", 400)))
    assert kept(body, make_refund(400, ("a", 400))) == [("a", 0), ("a", 200), ("b", 400)]
    assert kept(body, make_refund(600, ("b", 400))) == [("a", 200), ("a", 200), ("b", 0)]
    assert kept(body, make_refund(500)) == [("a", 150), ("a", 150), ("b", 200)]
    assert kept(body, make_refund(999, ("c", 9))) == [("a", 0), ("a", 0), ("b", 1)]


@given(states)
def test_lines_sum_to_what_was_really_paid(state: State) -> None:
    nets = [net for _, net in net_lines(state)]
    assert sum(nets) == state.total - state.refunded
    assert all(net >= 0 for net in nets)
