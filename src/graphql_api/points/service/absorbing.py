"""What becomes of the points of two members who are one person."""

from graphql_api.kit.dynamo import Transaction
from graphql_api.kit.time import Clock
from graphql_api.members.models import Member
from graphql_api.points import repository, rules
from graphql_api.points.models import Account
from graphql_api.points.rules import Figures


def absorb(tx: Transaction, survivor: Member, loser: Member, *, clock: Clock) -> int:
    """Have the survivor hold the lots, holds and debts of both; how many lots came.

    The caller writes both members. Ledgers stay under the id that they happened to, and together
    say what the survivor has.
    """
    theirs = repository.get(loser.id)
    if theirs is None:
        return 0
    mine = repository.get(survivor.id) or Account(survivor.id)
    _, policy = repository.in_force()
    both = rules.united(mine.held, theirs.held, policy, clock.today())
    mine.hold(both, due_on=rules.next_day_of(both, policy.notice_days))
    repository.save(tx, mine)
    repository.delete(tx, theirs)
    survivor.points, survivor.points_pending, survivor.points_frozen = both.figures
    loser.points, loser.points_pending, loser.points_frozen = Figures()
    return len(theirs.held.lots)
