"""Rules of commissions: what guides earn by an order, and the rows that bring the books there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum

from graphql_api.orders.rules import State, net_lines
from graphql_api.policies.rules import CommissionPolicy
from graphql_api.viewer import READ_COMMISSIONS, Role, Viewer

_WHOLE = 10_000 * 100  # basis points of percents


class CommissionKind(StrEnum):
    """What a guide earns by: the two performances of an order, and two bonuses (domain: §14)."""

    SELLING = "SELLING"
    EXCLUSIVE = "EXCLUSIVE"
    NEW_MEMBER = "NEW_MEMBER"
    HOT_PRODUCT = "HOT_PRODUCT"


class CommissionState(StrEnum):
    """Whether a row waits for the end of the refund period, is settled, or takes settled back."""

    PENDING = "PENDING"
    SETTLED = "SETTLED"
    REVERSED = "REVERSED"


@dataclass(frozen=True, slots=True)
class Sold:
    """A line of an order: what was paid for it, and what of that is left after refunds, in fen."""

    item_id: str
    category: str
    quantity: int
    paid: int
    net: int


@dataclass(frozen=True, slots=True)
class Sale:
    """What of an order commission hangs on; `refunded_on` is the day of its last refund."""

    lines: tuple[Sold, ...] = ()
    selling: str | None = None
    exclusive: str | None = None
    refunded_on: date | None = None

    @property
    def net(self) -> int:
        """Fen really paid."""
        return sum(line.net for line in self.lines)

    @property
    def guides(self) -> list[str]:
        """The guide who sold it and the member's own, each once."""
        return list(dict.fromkeys(id_ for id_ in (self.selling, self.exclusive) if id_))


def sale_of(state: State, exclusive: str | None) -> Sale:
    """What commission hangs on of a state of an order, and whose member bought."""
    days = [refund.day for refund in state.refunds.values() if refund.day and refund.amount]
    pairs = zip(net_lines(State(state.body)), net_lines(state), strict=True)
    return Sale(
        tuple(
            Sold(line.item_id, line.category, line.quantity, paid, net)
            for (line, paid), (_, net) in pairs
        ),
        state.body.guide_id if state.body else None,
        exclusive,
        max(days, default=None),
    )


# --- how much --------------------------------------------------------------------------------


Earned = tuple[str, CommissionKind]
Amounts = Mapping[Earned, int]
"""Fen by guide and kind; 0 is left out."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What was decided when an order first counted and is kept: the policy, where and when it is.

    The level of a guide is that on the day they first had a part in it. `first` says whether it was
    the member's first purchase, None while nobody is known to have bought it.
    """

    policy_version: int
    store_id: str
    day: date
    settles_on: date
    levels: Mapping[str, int | None] = field(default_factory=dict)
    first: bool | None = None


def terms_of(store_id: str, day: date, version: int, policy: CommissionPolicy) -> Terms:
    """The terms of an order that was paid in a store on a day, under the policy in force."""
    return Terms(version, store_id, day, day + timedelta(days=policy.settle_days))


def commission_of(
    sale: Sale, policy: CommissionPolicy, levels: Mapping[str, int | None], *, first: bool
) -> Amounts:
    """What each guide earns by an order as it stands, by kind; nothing where nothing was paid."""
    if not sale.guides or not sale.net:
        return {}
    found: dict[Earned, int] = {}
    for guide_id, kind, percent in _shares(sale, policy):
        rate = policy.rate_of(levels.get(guide_id))
        found[guide_id, kind] = _by_lines(sale, policy, rate) * percent // _WHOLE
    seller = sale.guides[0]
    hot = {item.item_id: item.fen for item in policy.hot_items}
    found[seller, CommissionKind.HOT_PRODUCT] = sum(
        _fixed(line, hot[line.item_id]) for line in sale.lines if line.item_id in hot
    )
    if first:
        found[seller, CommissionKind.NEW_MEMBER] = policy.new_member_fen
    return {earned: fen for earned, fen in found.items() if fen}


def _shares(sale: Sale, policy: CommissionPolicy) -> Iterator[tuple[str, CommissionKind, int]]:
    """Who has which share of an order, in percent."""
    both = {
        CommissionKind.SELLING: (sale.selling, policy.selling_percent),
        CommissionKind.EXCLUSIVE: (sale.exclusive, policy.exclusive_percent),
    }
    alone = len(sale.guides) == 1
    for kind, (guide_id, percent) in both.items():
        if guide_id is not None:
            yield guide_id, kind, policy.alone_percent if alone else percent
            if alone:
                return


def _by_lines(sale: Sale, policy: CommissionPolicy, rate: int) -> int:
    """What the lines bring in ten-thousandths of a fen: a fixed amount, or else a rate of what was
    really paid, that of the category before that of the guide."""
    fixed = {item.item_id: item.fen for item in policy.items}
    rates = {one.category: one.basis_points for one in policy.categories}
    return sum(
        _fixed(line, fixed[line.item_id]) * 10_000
        if line.item_id in fixed
        else line.net * rates.get(line.category, rate)
        for line in sale.lines
    )


def _fixed(line: Sold, fen: int) -> int:
    """A fixed amount for each piece, for the part of the line that was not refunded.

    Never more than was really paid for it.
    """
    if not line.paid:
        return 0
    return min(line.net, fen * line.quantity * line.net // line.paid)


# --- the books -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ledger:
    """The books of one order: which version they follow, its terms, and what its rows sum to."""

    terms: Terms
    followed: int = 0
    amounts: Amounts = field(default_factory=dict)
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """What a row says: by how much what a guide earns moved, on which day, and how it stands."""

    guide_id: str
    kind: CommissionKind
    amount: int
    day: date
    state: CommissionState


def follow(
    ledger: Ledger, version: int, sale: Sale, policy: CommissionPolicy, as_of: date
) -> tuple[Ledger, list[Difference]]:
    """The books at a version of their order, and the rows that bring them there.

    A version that is not newer than the one followed brings nothing, so whatever is delivered again
    or late changes nothing.
    """
    if version <= ledger.followed:
        return ledger, []
    terms = ledger.terms
    amounts = commission_of(sale, policy, terms.levels, first=bool(terms.first))
    rows = [
        Difference(*earned, moved, _day(ledger, moved, sale, as_of), _state(ledger, moved))
        for earned, moved in differences(ledger.amounts, amounts).items()
    ]
    return replace(ledger, followed=version, amounts=amounts), rows


def differences(before: Amounts, after: Amounts) -> Amounts:
    """By how much each amount moved."""
    moved = {key: after.get(key, 0) - before.get(key, 0) for key in sorted({*before, *after})}
    return {key: fen for key, fen in moved.items() if fen}


def _day(ledger: Ledger, moved: int, sale: Sale, as_of: date) -> date:
    """On which day a row counts: that of payment until it is settled, then that of the refund.

    A refund from before the settlement that comes to be known after it counts on its day.
    """
    if not ledger.settled:
        return ledger.terms.day
    if moved > 0 or sale.refunded_on is None:
        return as_of
    return max(sale.refunded_on, ledger.terms.settles_on)


def _state(ledger: Ledger, moved: int) -> CommissionState:
    if not ledger.settled:
        return CommissionState.PENDING
    return CommissionState.REVERSED if moved < 0 else CommissionState.SETTLED


# --- who sees it -----------------------------------------------------------------------------


def reaches(viewer: Viewer, guide_id: str, store_id: str | None) -> bool:
    """Whether a viewer sees what a guide earns: themselves, who leads their store, headquarters."""
    match viewer.role:
        case Role.GUIDE:
            return viewer.id == guide_id
        case Role.STORE_MANAGER | Role.OPERATOR:
            return viewer.reaches_store(store_id)
        case Role.INTEGRATION:
            return viewer.holds(READ_COMMISSIONS)
        case Role.SYSTEM:
            return True
        case _:
            return False
