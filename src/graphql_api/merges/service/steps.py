"""What follows the members' own items, one transaction after the other, until nothing is left.

Each step takes some of what still stands under the loser to the survivor, adds that to the
transaction and says what it did; None where nothing is left, and then it has added nothing. A step
asks what is left and remembers nothing, so whoever comes after a kill goes on where it stopped.
"""

from collections.abc import Callable

from graphql_api.access import repository as access
from graphql_api.access.service import sessions as access_sessions
from graphql_api.campaigns import service as campaigns
from graphql_api.coupons import service as coupons
from graphql_api.kit.dynamo import Transaction
from graphql_api.members import repository as members
from graphql_api.members.rules import TagSource
from graphql_api.merges.rules import MergePart
from graphql_api.merges.service.two import Done, Two
from graphql_api.merges.service.uniting import MARKED_AT_ONCE, missing_effects
from graphql_api.orders import service as orders
from graphql_api.tags import service as tags

Step = Callable[[Transaction, Two], Done | None]


def effects(tx: Transaction, two: Two) -> Done | None:
    """The marks for which the first transaction had no room."""
    missing = missing_effects(two)[:MARKED_AT_ONCE]
    for effect in missing:
        members.mark_effect(tx, two.survivor.id, effect)
    return Done(len(missing), [effect.sort for effect in missing]) if missing else None


def sessions(tx: Transaction, two: Two) -> Done | None:
    """Who is logged in as the loser is logged out; their tokens stopped with the alias."""
    if not access.standing(two.loser.id).sessions:
        return None
    return Done(access_sessions.end_all(tx, two.loser.id, two.clock.wall()), [])


def bought(tx: Transaction, two: Two) -> Done | None:
    """Orders go to the survivor, who has had their facts since the first transaction."""
    moved = orders.absorb(tx, two.survivor.id, two.loser.id)
    return Done(len(moved), moved) if moved else None


def tagged(tx: Transaction, two: Two) -> Done | None:
    """Tags go to the survivor, then the rows of both to their place by the joining time."""
    cause = tags.Cause(
        two.by,
        TagSource.IMPORTED,
        two.clock.now(),
        two.clock.today(),
        reason=two.job.reason,
        source_ref=two.job.id,
    )
    held = len(two.loser.tags)
    if rows := tags.absorb(tx, two.survivor, two.loser, cause):
        return Done(held - len(two.loser.tags), rows, saves=True)
    return Done(0, []) if tags.rekey(tx, two.survivor) else None


def coupons_moved(tx: Transaction, two: Two) -> Done | None:
    """Coupons go to the survivor as they are, then what was taken under limits adds up."""
    rows = coupons.absorb(tx, two.survivor.id, two.loser.id)
    moved = sum(1 for row in rows if "coupon_id" in row)
    return Done(moved, rows) if rows else None


def took_part(tx: Transaction, two: Two) -> Done | None:
    """Parts in campaigns go to the survivor; of two in one campaign the further stays."""
    rows = campaigns.absorb(tx, two.survivor.id, two.loser.id)
    moved = sum(1 for row in rows if row["sort"] == {"S": two.loser.id})
    return Done(moved, rows) if rows else None


STEPS: tuple[tuple[MergePart, Step], ...] = (
    (MergePart.EFFECTS, effects),
    (MergePart.SESSIONS, sessions),
    (MergePart.ORDERS, bought),
    (MergePart.TAGS, tagged),
    (MergePart.COUPONS, coupons_moved),
    (MergePart.PARTICIPATIONS, took_part),
)
