"""RFM: days since the last purchase, orders and spend in the window, scored 1 to 5 (domain: §5)."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from graphql_api.policies.rules import NOBODY
from graphql_api.standing.rules.prepared import Cuts
from graphql_api.standing.rules.records import Facts, Rfm, RfmClass

_CLASSES = {
    (r, f, m): RfmClass("".join("LH"[high] for high in (r, f, m)))
    for r in (False, True)
    for f in (False, True)
    for m in (False, True)
}


def rfm_on(
    cuts: Cuts, facts: Facts, old: Rfm | None, orders: int, spend: int, day: int
) -> Rfm | None:
    """Scores with so many orders and fen in the window of a day; the old ones where they are so.

    Who never bought, or returned everything, has none.
    """
    if facts.last is None:
        return None
    recency = 5 - bisect_left(cuts.recency, day - facts.last)
    frequency = bisect_right(cuts.frequency, orders) + 1
    monetary = bisect_right(cuts.monetary, spend) + 1
    high = cuts.high_from
    if (
        old is not None
        and old.version == cuts.version
        and old.recency == recency
        and old.frequency == frequency
        and old.monetary == monetary
    ):
        return old
    value_class = _CLASSES[recency >= high, frequency >= high, monetary >= high]
    if old is not None:
        before = old.recency, old.frequency, old.monetary, old.value_class
        if before == (recency, frequency, monetary, value_class):
            return old
    return Rfm(recency, frequency, monetary, value_class, cuts.version)


def keeps(cuts: Cuts, scores: Rfm, orders: int, spend: int) -> bool:
    """Whether so many orders and fen in the window have the scores that a member has."""
    return (
        bisect_right(cuts.frequency, orders) + 1 == scores.frequency
        and bisect_right(cuts.monetary, spend) + 1 == scores.monetary
    )


def next_recency_day(cuts: Cuts, facts: Facts, day: int) -> int | None:
    """The first day after `day` on which the score for recency falls by time alone."""
    if facts.last is None:
        return None
    days = day - facts.last
    at = bisect_left(cuts.recency, days)
    return facts.last + cuts.recency[at] + 1 if at < len(cuts.recency) else None


# --- cut points of the base ------------------------------------------------------------------


def least_of_quintiles(values: Sequence[int]) -> list[int]:
    """The least value of the upper four quintiles, lowest first: cut points for scores 2 to 5.

    A value's place is its mid-rank, so that equal values share a score; where no value is in a
    quintile or above, its cut point is one more than the greatest.
    """
    ordered = sorted(values)
    if not ordered:
        return [0, 0, 0, 0]
    quintiles = {value: _quintile(ordered, value) for value in dict.fromkeys(ordered)}
    nobody = ordered[-1] + 1
    return [
        next((value for value, fifth in quintiles.items() if fifth >= score), nobody)
        for score in range(2, 6)
    ]


def most_of_quintiles(values: Sequence[int]) -> list[int]:
    """The greatest value of the lower four quintiles, lowest first: cut points where less is more.

    The lowest quintile scores 5. Where no value is that low, its cut point is below them all.
    """
    cuts = least_of_quintiles([-value for value in values])
    return [max(NOBODY, -cut) for cut in reversed(cuts)]


def _quintile(ordered: Sequence[int], value: int) -> int:
    """1 to 5: the fifth in which the middle of the equals of a value lies."""
    below, up_to = bisect_left(ordered, value), bisect_right(ordered, value)
    return 1 + 5 * (below + up_to) // (2 * len(ordered))
