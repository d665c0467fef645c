"""Rules of orders: snapshots merge the same in any sequence, and give their member facts."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol, TypeVar

from graphql_api.kit.shares import share_out
from graphql_api.kit.time import month_of
from graphql_api.members.rules import Contribution, Moved
from graphql_api.policies.rules import GrowthPolicy
from graphql_api.viewer import READ_ORDERS, Role, Viewer


class OrderChannel(StrEnum):
    """Where the purchase was made (门店 / 商城)."""

    STORE = "STORE"
    MALL = "MALL"


class OrderStatus(StrEnum):
    """What is left of an order."""

    SHELL = "SHELL"
    PAID = "PAID"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an order; `amount` is what was paid for the whole line, in fen."""

    item_id: str
    name: str
    category: str
    quantity: int
    amount: int


@dataclass(frozen=True, slots=True)
class RefundLine:
    """What was refunded of one item, in fen."""

    item_id: str
    amount: int


@dataclass(frozen=True, slots=True)
class Refund:
    """One refund as its vendor tells it; an amount of 0 says that it was withdrawn.

    `day` is its business day.
    """

    id: str
    revision: int
    at: datetime
    amount: int
    lines: tuple[RefundLine, ...] = ()
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """One version of an order as its vendor tells it; `day` is the business day of payment.

    `buyer` are claims on identities; `member_id` is set where the caller knows the member.
    `points_used` and `coupons`, by code or id, are what it was paid with besides money.
    """

    revision: int
    paid_at: datetime
    day: date
    total: int
    channel: OrderChannel
    store_id: str
    guide_id: str | None = None
    lines: tuple[Line, ...] = ()
    buyer: tuple[str, ...] = ()
    member_id: str | None = None
    points_used: int = 0
    coupons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Settlement:
    """When nothing of an order could come back any more, and on which business day."""

    at: datetime
    day: date


@dataclass(frozen=True, slots=True)
class State:
    """All that is known of an order: its newest body, its refunds by id, when it was settled."""

    body: Body | None = None
    refunds: Mapping[str, Refund] = field(default_factory=dict)
    settled: Settlement | None = None

    @property
    def total(self) -> int:
        """Fen paid; 0 for a shell."""
        return self.body.total if self.body else 0

    @property
    def refunded(self) -> int:
        """Fen refunded, never more than was paid."""
        return min(self.total, sum(refund.amount for refund in self.refunds.values()))

    @property
    def status(self) -> OrderStatus:
        """A purchase of nothing counts as paid; it cannot be refunded by amount."""
        if self.body is None:
            return OrderStatus.SHELL
        if not self.refunded:
            return OrderStatus.PAID
        whole = self.refunded == self.total
        return OrderStatus.REFUNDED if whole else OrderStatus.PARTIALLY_REFUNDED


def anonymous(state: State) -> State:
    """An order as the books keep it of who was erased: amounts, store and lines, and no buyer."""
    if state.body is None:
        return state
    return replace(state, body=replace(state.body, buyer=(), member_id=None, coupons=()))


def without(state: State, gone: Collection[str]) -> State:
    """An order without some of its buyer's identities."""
    if state.body is None or not gone:
        return state
    kept = tuple(claim for claim in state.body.buyer if claim not in gone)
    return replace(state, body=replace(state.body, buyer=kept))


class _Versioned(Protocol):
    @property
    def revision(self) -> int: ...


Version = TypeVar("Version", bound=_Versioned)


def newer(one: Version | None, other: Version | None) -> Version | None:
    """The higher revision; of equals the greater text, so that the sequence never matters."""
    if one is None or other is None:
        return one or other
    return max(one, other, key=lambda v: (v.revision, repr(v)))


def merge(one: State, other: State) -> State:
    """What both know together: associative, commutative, idempotent.

    Of two settlements the first stands; a version that does not tell of it takes nothing back.
    """
    ids = sorted({*one.refunds, *other.refunds})
    united = ((id_, newer(one.refunds.get(id_), other.refunds.get(id_))) for id_ in ids)
    settled = [known.settled for known in (one, other) if known.settled]
    return State(
        body=newer(one.body, other.body),
        refunds={id_: refund for id_, refund in united if refund is not None},
        settled=min(settled, default=None),
    )


def contribution(state: State, growth: GrowthPolicy) -> Contribution | None:
    """What an order gives to its member's facts; a shell gives nothing until its body arrives."""
    if state.body is None:
        return None
    net = state.total - state.refunded
    return Contribution(
        day=state.body.day,
        orders=0 if state.status is OrderStatus.REFUNDED else 1,
        paid=state.total,
        refunded=state.refunded,
        growth=growth.growth_of(net),
        moved=tuple(_moved(state, state.body, growth)),
    )


def _moved(state: State, body: Body, growth: GrowthPolicy) -> Iterator[Moved]:
    """What each refund in a later month than the purchase took, as they came one by one."""
    left = body.total
    for refund in sorted(state.refunds.values(), key=lambda r: (r.at, r.id)):
        taken = min(left, refund.amount)
        before, left = left, left - taken
        month = month_of(refund.day) if refund.day else ""
        if taken and month > month_of(body.day):
            lost = growth.growth_of(before) - growth.growth_of(left)
            yield Moved(month, int(left == 0), taken, lost)


def net_lines(state: State) -> list[tuple[Line, int]]:
    """What was really paid for each line after refunds, in fen; sums to the order's net.

    The total is shared out over the lines by their amounts; where these come to less, or there are
    none, the rest stands on a line without an item. A refund takes from the lines of the items that
    it names; of what it names no item for, each line bears by what is left of it.
    """
    if state.body is None:
        return []
    lines = list(state.body.lines)
    rest = state.total - sum(line.amount for line in lines)
    if rest > 0 or not lines:
        lines.append(Line("", "", "", 1, max(0, rest)))
    left = share_out(state.total, [line.amount for line in lines])
    for refund in state.refunds.values():
        for named in refund.lines:
            _take(left, lines, named)
    return list(zip(lines, share_out(state.total - state.refunded, left), strict=True))


def _take(left: list[int], lines: Sequence[Line], named: RefundLine) -> None:
    """Take what was refunded of an item from its lines, the first one first."""
    amount = named.amount
    for n, line in enumerate(lines):
        if line.item_id == named.item_id:
            taken = min(left[n], amount)
            left[n], amount = left[n] - taken, amount - taken


class Seen(Protocol):
    """What of an order decides who sees it."""

    @property
    def member_id(self) -> str | None: ...
    @property
    def store_id(self) -> str | None: ...
    @property
    def guide_id(self) -> str | None: ...
    @property
    def exclusive_guide_id(self) -> str | None: ...


def reaches(viewer: Viewer, order: Seen) -> bool:
    """One's own orders; those a guide sold or looks after; those of stores within reach."""
    match viewer.role:
        case Role.MEMBER:
            return viewer.id == order.member_id
        case Role.GUIDE:
            return viewer.id in {order.guide_id, order.exclusive_guide_id}
        case Role.STORE_MANAGER | Role.OPERATOR:
            return viewer.reaches_store(order.store_id)
        case Role.INTEGRATION:
            return viewer.holds(READ_ORDERS)
        case Role.SYSTEM:
            return True
        case _:
            return False
