"""Cut points and averages of the base: what an RFM policy that measures is measured to be."""

from collections.abc import Iterable
from datetime import date

from graphql_api.policies.rules import (
    BaseAverages,
    CutMethod,
    FrequencyBand,
    MonetaryBand,
    RecencyBand,
    RfmPolicy,
)
from graphql_api.standing.rules.records import ORDERS, SPEND, Facts
from graphql_api.standing.rules.rfm import least_of_quintiles, most_of_quintiles

_SCORES = (5, 4, 3, 2)


def measured(policy: RfmPolicy, base: Iterable[Facts], as_of: date) -> RfmPolicy:
    """The policy with the averages of its base, and the cut points of what it does not fix.

    The base are members who ever bought; the averages are of those with an order in the window.
    Of a base in which nobody is, everything stays as it was.
    """
    month, day = as_of.year * 12 + as_of.month - 1, as_of.toordinal()
    days, orders, spend = [], [], []
    for facts in base:
        if facts.last is not None:
            days.append(day - facts.last)
            orders.append(facts.window(ORDERS, month, policy.window_months))
            spend.append(facts.window(SPEND, month, policy.window_months))
    if not days:
        return policy
    changes: dict[str, object] = {
        "measured_on": as_of,
        "averages": _averages(orders, spend) or policy.averages,
    }
    if policy.recency_method is CutMethod.QUANTILE:
        changes["recency"] = _recency(most_of_quintiles(days))
    if policy.frequency_method is CutMethod.QUANTILE:
        cuts = zip(_SCORES, reversed(least_of_quintiles(orders)), strict=True)
        bands = [FrequencyBand(score=score, min_orders=cut) for score, cut in cuts]
        changes["frequency"] = (*bands, FrequencyBand(score=1, min_orders=0))
    if policy.monetary_method is CutMethod.QUANTILE:
        cuts = zip(_SCORES, reversed(least_of_quintiles(spend)), strict=True)
        amounts = [MonetaryBand(score=score, min_fen=cut) for score, cut in cuts]
        changes["monetary"] = (*amounts, MonetaryBand(score=1, min_fen=0))
    return policy.model_copy(update=changes)


def _recency(cuts: list[int]) -> tuple[RecencyBand, ...]:
    bands = [RecencyBand(score=s, max_days=cut) for s, cut in zip(_SCORES, cuts, strict=True)]
    return (*bands, RecencyBand(score=1, max_days=None))


def _averages(orders: list[int], spend: list[int]) -> BaseAverages | None:
    bought = [(count, fen) for count, fen in zip(orders, spend, strict=True) if count > 0]
    if not bought:
        return None
    total = sum(count for count, _ in bought)
    return BaseAverages(
        orders_percent=total * 100 // len(bought),
        order_fen=sum(fen for _, fen in bought) // total,
    )
