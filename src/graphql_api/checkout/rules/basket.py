"""What is priced: lines, and where and when they are bought."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

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
    """An amount divided by weights to the fen, by largest remainder; of equals the first has it.

    An amount up to the sum of the weights gives no share above its weight.
    """
    whole = sum(weights)
    if not whole:
        return (0,) * len(weights)
    parts = [divmod(amount * weight, whole) for weight in weights]
    missing = amount - sum(part for part, _ in parts)
    first = sorted(range(len(parts)), key=lambda n: -parts[n][1])[:missing]
    more = set(first)
    return tuple(part + (n in more) for n, (part, _) in enumerate(parts))


def shares_within(amount: int, amounts: Amounts, covered: Sequence[bool]) -> Amounts:
    """An amount divided over the lines that are covered, by what they come to."""
    return shares(
        amount, [fen if within else 0 for fen, within in zip(amounts, covered, strict=True)]
    )


def less(amounts: Amounts, taken: Amounts) -> Amounts:
    """What is left of each line."""
    return tuple(fen - off for fen, off in zip(amounts, taken, strict=True))
