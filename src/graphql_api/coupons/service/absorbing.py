"""The coupons of two members who are one: the survivor has them all, limits count both."""

from typing import Any

from graphql_api.coupons import repository
from graphql_api.kit.dynamo import Transaction

ABSORBED_AT_ONCE = 12  # four writes for each coupon, two for each limit


def absorb(tx: Transaction, survivor_id: str, loser_id: str) -> list[Any]:
    """Put the next coupons of a member under the one they are; the rows as they were.

    What was taken under the limits of a template adds up, and no coupon is lost where that is more
    than they allow. None are left when there are no rows.
    """
    rows: list[Any] = []
    for coupon in repository.some_of_member(loser_id, at_most=ABSORBED_AT_ONCE):
        rows.append(coupon.serialize())
        repository.move(tx, coupon, survivor_id)
    if rows:
        return rows
    for theirs in repository.claims_of_member(loser_id, at_most=ABSORBED_AT_ONCE):
        mine = repository.get_claims(survivor_id, theirs.template_id)
        rows.append(theirs.serialize())
        mine.taken = mine.taken.and_also(theirs.taken)
        repository.save_claims(tx, mine)
        repository.drop_claims(tx, theirs)
    return rows
