"""Points of a vendor's customer changed."""

from graphql_api.connectors.doors import people
from graphql_api.connectors.models import Shop
from graphql_api.connectors.rules import CopyKind, Outcome, PointsMaster
from graphql_api.connectors.service import copies, masters
from graphql_api.kit.time import Clock
from graphql_api.points import service as points
from graphql_api.points.service import Cause


def told(shop: Shop, key: str, total: int, *, event_id: str, clock: Clock) -> Outcome:
    """Have the balance be the total, if the vendor is the points master 积分主账; once an event.

    Otherwise ours is right: the vendor's copy is compared, and put right. The caller gives one
    customer's totals in the vendor's order.
    """
    member_id = people.member_id_of(shop, key)
    if member_id is None:
        return Outcome.IGNORED
    if masters.master() is not PointsMaster(shop.vendor.value):
        is_due = copies.due(shop, CopyKind.POINTS, [member_id])
        return Outcome.APPLIED if is_due else Outcome.IGNORED
    cause = Cause(clock, reason=shop.vendor.value)
    applied = points.have_balance(member_id, total, key=f"{shop.id}:{event_id}", cause=cause)
    return Outcome.APPLIED if applied else Outcome.UNCHANGED
