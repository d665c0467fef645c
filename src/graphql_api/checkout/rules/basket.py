"""What is priced: lines, and where and when they are bought."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from graphql_api.kit.shares import share_out

Amounts = tuple[int, ...]
"""Fen of each line, in the sequence of the lines."""


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """So many of an item at a price, in fen; in the sequence of its fields lines are priced."""

    item_id: str
    category: str
    unit_price: int
    quantity: int

    @property
    def amount(self) -> int:
        """Fen of the whole line at its list price."""
        return self.unit_price * self.quantity


@dataclass(frozen=True, slots=True)
class Basket:
    """Lines, when and where they are bought, by a member of which tier.

    `day` is the business day of the instant in the chain's zone; `places` are the store and every
    unit above it; `shipping` is the fee in fen, before anything takes it off.
    """

    lines: tuple[Line, ...]
    at: datetime
    zone: str
    day: date
    channel: str
    places: frozenset[str]
    tier: str
    shipping: int = 0

    @property
    def amounts(self) -> Amounts:
        """Fen of each line at its list price."""
        return tuple(line.amount for line in self.lines)


def shares(amount: int, weights: Sequence[int]) -> Amounts:
    """An amount divided by weights; one up to their sum gives no share above its weight.

    Where nothing weighs anything there is nothing to take from.
    """
    return tuple(share_out(amount, weights)) if any(weights) else (0,) * len(weights)


def shares_within(amount: int, amounts: Amounts, covered: Sequence[bool]) -> Amounts:
    """An amount divided over the lines that are covered, by what they come to."""
    return shares(
        amount, [fen if within else 0 for fen, within in zip(amounts, covered, strict=True)]
    )


def less(amounts: Amounts, taken: Amounts) -> Amounts:
    """What is left of each line."""
    return tuple(fen - off for fen, off in zip(amounts, taken, strict=True))
