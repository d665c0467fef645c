"""What time does to points: settled in a transaction, or in memory for an answer."""

from datetime import date

from graphql_api.kit.time import Clock
from graphql_api.members.models import Member
from graphql_api.points import models, repository, rules
from graphql_api.points.rules import Account, Book
from graphql_api.points.service.opening import in_force


def current(account: models.Account | None, as_of: date) -> Account:
    """An account on a business day: as written, and what is due by then on top. Writes nothing."""
    if account is None:
        return rules.NOTHING
    book = Book(account.held, in_force()[1], as_of)
    book.settle()
    return book.close()


def spendable(member: Member, clock: Clock) -> int:
    """How many points a member can spend now (strongly consistent); less than 0 is a debt."""
    return current(repository.get(member.id), clock.today()).figures.balance
