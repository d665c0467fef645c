"""Points as payment: how many may pay, and what they pay."""

from dataclasses import dataclass

from graphql_api.checkout.rules.basket import Amounts, shares
from graphql_api.checkout.rules.results import Reason, Step, StepKind


@dataclass(frozen=True, slots=True)
class PointsTerms:
    """What a yuan costs in points, the greatest share of the goods in percent, the least at once.

    `balance` are the points that the member can spend.
    """

    per_yuan: int
    greatest_share: int
    least: int
    balance: int


def payable_points(amount: int, terms: PointsTerms) -> int:
    """The most points that may pay a part of goods, whatever the member has."""
    allowed = amount * terms.greatest_share // 100
    return ((allowed + 1) * terms.per_yuan - 1) // 100


def pay(asked: int, amounts: Amounts, terms: PointsTerms) -> Step:
    """So many points at most pay a part of what the lines come to, and no point pays nothing."""
    most = payable_points(sum(amounts), terms)
    used = max(0, min(asked, terms.balance, most))
    fen = used * 100 // terms.per_yuan
    used = _points_of(fen, terms.per_yuan)
    kind, reason = StepKind.POINTS, None
    if terms.balance < min(asked, most):
        reason = Reason.POINTS_SHORT
    elif most < asked:
        reason = Reason.POINTS_CAPPED
    if not fen or used < terms.least:
        return Step(kind, reason=reason or Reason.TOO_FEW_POINTS)
    return Step(kind, fen, shares(fen, amounts), reason, points=used)


def _points_of(fen: int, per_yuan: int) -> int:
    """The fewest points that pay so many fen."""
    return -(-fen * per_yuan // 100)
