"""Laws of accounts: the ledger adds up, lots are never negative, time has no favourite path."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from graphql_api.points import rules
from graphql_api.points.rules import Account, Book, Entry, EntryKind, OrderPoints, Purchase, Source
from graphql_api.policies.rules import PointsPolicy
from tests.points.factories import DAY, later, policy, terms

GENEROUS = settings(max_examples=80, deadline=None)

POLICIES: list[dict[str, Any]] = [
    {},
    {"holding": "NONE", "expiry": "NEVER"},
    {"holding": "UNTIL_SETTLED", "claw_back": "ONLY_PENDING", "expiry_months": 1},
    {"holding": "DATE", "hold_until": later(20), "expiry": "CALENDAR", "expiry_day": "02-29"},
    {"claw_back": "WITHIN_BALANCE", "expiry": "INACTIVITY", "expiry_months": 1},
    {"most_per_month": 150, "most_per_order": 400, "expiry_months": 1, "rounding": "NONE"},
    {"holding": "NONE", "expiry_months": 1, "rounding": "NONE", "grace_days": 9},
]
some_policy = st.sampled_from(POLICIES).map(lambda one: policy(**one))
ORDERS = ("ord_1", "ord_2", "ord_3")


@dataclass(frozen=True)
class Step:
    """Something happens so many days after what happened before."""

    what: str
    days: int
    points: int
    order: str
    refunded: int
    used: int
    settled: bool


steps = st.builds(
    Step,
    what=st.sampled_from(
        ["order", "order", "order", "leave", "grant", "spend", "freeze", "consume", "unfreeze"]
    ),
    days=st.sampled_from([0, 0, 1, 6, 25, 70]),
    points=st.sampled_from([1, 30, 120]),
    order=st.sampled_from(ORDERS),
    refunded=st.sampled_from([0, 0, 3, 10]),
    used=st.sampled_from([0, 0, 40]),
    settled=st.booleans(),
)


class Life:
    """One account through whatever happens, with its whole ledger."""

    def __init__(self, by: PointsPolicy) -> None:
        self.policy = by
        self.day = DAY
        self.account = rules.NOTHING
        self.entries: list[Entry] = []
        self.kept: dict[str, OrderPoints] = {}
        self.number = 0

    def do(self, step: Step) -> None:
        """Settle, do it, close."""
        self.day = later(step.days, self.day)
        book = Book(self.account, self.policy, self.day)
        book.settle()
        getattr(self, f"_{step.what}")(book, step)
        self.account = book.close()
        self.entries += book.entries

    def purchase(self, step: Step) -> Purchase:
        """A version of one of the orders: a tenth of the points was refunded, or more."""
        total = step.points * 100
        day = later(ORDERS.index(step.order) * 3)
        return Purchase(
            step.order,
            day,
            total * (10 - step.refunded) // 10,
            "STORE",
            used=step.used,
            share_refunded=(step.refunded, 10),
            settled_on=self.day if step.settled else None,
        )

    def _order(self, book: Book, step: Step) -> None:
        told = self.purchase(step)
        self.kept[step.order] = rules.follow(book, told, self.kept.get(step.order) or terms(told))

    def _leave(self, book: Book, step: Step) -> None:
        if step.order in self.kept:
            rules.leave(book, self.kept.pop(step.order))

    def _grant(self, book: Book, step: Step) -> None:
        self.number += 1
        rules.give(book, step.points, Source.GRANT, key=f"g{self.number}")

    def _spend(self, book: Book, step: Step) -> None:
        if not rules.is_short(book, step.points):
            rules.take(book, step.points, key="s")

    def _freeze(self, book: Book, step: Step) -> None:
        if step.order not in book.holds and not rules.is_short(book, step.points):
            until = later(step.refunded, self.day) if step.settled else None
            rules.freeze(book, step.points, key=step.order, until=until)

    def _consume(self, book: Book, step: Step) -> None:
        if step.order in book.holds:
            rules.consume(book, step.order)

    def _unfreeze(self, book: Book, step: Step) -> None:
        if step.order in book.holds:
            book.release(step.order)
            book.expire(book.as_of)


def settled(account: Account, by: PointsPolicy, on: date) -> tuple[Account, list[Entry]]:
    """An account as time alone leaves it on a day."""
    book = Book(account, by, on)
    book.settle()
    return book.close(), book.entries


@GENEROUS
@given(by=some_policy, life=st.lists(steps, max_size=14))
def test_ledger_always_adds_up_to_lots_and_no_lot_is_negative(
    by: PointsPolicy, life: list[Step]
) -> None:
    one = Life(by)
    for step in life:
        one.do(step)
        moved = [entry.moved for entry in one.entries]
        assert rules.differences(one.account.figures, one.account, moved) == []
    balance = 0
    for entry in one.entries:
        balance += entry.moved.balance
        assert entry.balance == balance


@GENEROUS
@given(by=some_policy, life=st.lists(steps, max_size=10), days=st.integers(1, 120))
def test_day_by_day_is_the_same_as_one_jump(by: PointsPolicy, life: list[Step], days: int) -> None:
    one = Life(by)
    for step in life:
        one.do(step)
    jumped, at_once = settled(one.account, by, later(days, one.day))
    walked, one_by_one = one.account, []
    for n in range(1, days + 1):
        walked, entries = settled(walked, by, later(n, one.day))
        one_by_one += entries
    assert walked == jumped
    for kind in EntryKind:
        assert total(at_once, kind) == total(one_by_one, kind)


def total(entries: list[Entry], kind: EntryKind) -> list[int]:
    """What the entries of a kind moved together."""
    moved = [entry.moved for entry in entries if entry.kind is kind]
    return [sum(figure) for figure in zip((0, 0, 0), *moved, strict=True)]


@GENEROUS
@given(by=some_policy, life=st.lists(steps, max_size=10))
def test_before_the_next_day_nothing_changes_and_on_it_something_does(
    by: PointsPolicy, life: list[Step]
) -> None:
    one = Life(by)
    for step in life:
        one.do(step)
    due = rules.next_day_of(one.account, 0)
    if due is None:
        assert settled(one.account, by, later(3_000, one.day)) == (one.account, [])
        return
    assert due > one.day
    assert settled(one.account, by, later(-1, due)) == (one.account, [])
    after, entries = settled(one.account, by, due)
    assert after != one.account
    assert entries
    assert settled(after, by, due) == (after, [])


@GENEROUS
@given(
    by=st.sampled_from([POLICIES[0], POLICIES[1], POLICIES[5]]).map(lambda one: policy(**one)),
    versions=st.lists(
        steps.map(lambda s: replace(s, what="order", days=0)), min_size=1, max_size=8
    ),
    before=st.integers(0, 200),
)
def test_refund_of_everything_brings_back_what_was_there(
    by: PointsPolicy, versions: list[Step], before: int
) -> None:
    one = Life(by)
    if before:
        one.do(replace(versions[0], what="grant", points=before))
    was = one.account.figures
    for step in versions:
        one.do(step)
    for order in list(one.kept):
        told = Step("order", 0, 30, order, 10, 40, settled=False)
        one.do(told)
    now = one.account.figures
    assert (now.balance + now.pending, now.frozen) == (was.balance + was.pending, was.frozen)


@GENEROUS
@given(
    by=some_policy,
    versions=st.lists(steps.map(lambda s: replace(s, what="order", order="ord_1")), max_size=6),
    last=steps.map(lambda s: replace(s, what="order", order="ord_1")),
)
def test_nominal_points_of_an_order_are_those_of_its_last_version(
    by: PointsPolicy, versions: list[Step], last: Step
) -> None:
    one, once = Life(by), Life(by)
    for step in [*versions, last, last]:
        one.do(step)
    once.do(last)
    kept, alone = one.kept["ord_1"], once.kept["ord_1"]
    assert (kept.earned, kept.used, kept.restored) == (alone.earned, alone.used, alone.restored)
    assert sum(draw.points for draw in kept.draws) == kept.used - kept.restored


@GENEROUS
@given(
    sizes=st.lists(st.integers(1, 50), min_size=95, max_size=140),
    days=st.lists(st.sampled_from([None, 10, 20, 400]), min_size=140, max_size=140),
)
def test_lots_are_few_after_consolidation_and_nobody_loses_a_point_or_a_day(
    sizes: list[int], days: list[int | None]
) -> None:
    lots = [
        rules.Lot(
            f"g{n:03d}", points, Source.GRANT, DAY, expires_on=None if day is None else later(day)
        )
        for n, (points, day) in enumerate(zip(sizes, days, strict=False))
    ]
    kept = rules.consolidated(lots, None)
    assert len(kept) == min(len(lots), 100)
    assert sum(lot.points for lot in kept) == sum(sizes)
    for on in (10, 20, 400):
        day = later(on)
        had = sum(lot.points for lot in lots if (lot.expires_on or date.max) > day)
        has = sum(lot.points for lot in kept if (lot.expires_on or date.max) > day)
        assert has >= had


@GENEROUS
@given(by=some_policy, life=st.lists(steps, max_size=10))
def test_what_is_stored_is_what_is_read(by: PointsPolicy, life: list[Step]) -> None:
    one = Life(by)
    for step in life:
        one.do(step)
    lots = tuple(rules.Lot.of_row(lot.row) for lot in one.account.lots)
    holds = tuple(rules.Hold.of_row(hold.row) for hold in one.account.holds)
    assert (lots, holds) == (one.account.lots, one.account.holds)
    for kept in one.kept.values():
        assert OrderPoints.of_row(kept.row) == kept
