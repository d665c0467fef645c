"""The quadrant: repurchases and the value of an order against the averages of the base (§5)."""

from graphql_api.standing.rules.prepared import Cuts
from graphql_api.standing.rules.records import InQuadrant, Quadrant

_QUADRANTS = {
    (True, True): Quadrant.HIGH_HIGH,
    (True, False): Quadrant.HIGH_LOW,
    (False, True): Quadrant.LOW_HIGH,
    (False, False): Quadrant.LOW_LOW,
}


def quadrant_on(cuts: Cuts, old: InQuadrant | None, orders: int, spend: int) -> InQuadrant | None:
    """The quadrant with so many orders and fen in the window; the old one where it is that.

    None without an order in the window, and while no averages were measured. High is the average
    or more.
    """
    average = cuts.average_orders_percent
    if average is None or orders <= 0:
        return None
    often, dear = orders * 100 >= average, spend >= cuts.average_order_fen * orders
    quadrant = _QUADRANTS[often, dear]
    if old is not None and old.quadrant is quadrant:
        return old
    return InQuadrant(quadrant, cuts.version)
