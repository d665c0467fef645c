"""Whole numbers divided so that the parts sum to the whole: fen over lines, pieces over a stock."""

from collections.abc import Sequence


def share_out(total: int, weights: Sequence[int]) -> list[int]:
    """A sum of 0 or more divided by weights of 0 or more in whole parts, by the largest remainder.

    The shares sum to the total and none is above its weight's due by one; of equal remainders the
    first comes first. Weights that are all 0 count as equal.
    """
    whole = sum(weights)
    if not whole:
        weights, whole = [1] * len(weights), len(weights)
    shares = [total * weight // whole for weight in weights]
    missing = total - sum(shares)
    order = sorted(range(len(weights)), key=lambda n: -(total * weights[n] % whole))
    for n in order[:missing]:
        shares[n] += 1
    return shares


def evenly(total: int, parts: int) -> list[int]:
    """A sum of 0 or more in so many parts that differ by one at most, the greater ones first."""
    return share_out(total, [1] * parts)
