"""What time does to points: settled in a transaction by the run of a day, or in memory."""

from dataclasses import replace
from datetime import date

from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.members.rules import EffectKind, Origin
from graphql_api.points import models, repository, rules
from graphql_api.points.rules import Account
from graphql_api.points.service.opening import Cause, Opened, close, is_held, open_, require_free


def current(account: models.Account | None, as_of: date) -> Account:
    """An account on a business day: as written, and what is due by then on top. Writes nothing."""
    if account is None:
        return rules.NOTHING
    return rules.settled(account.held, repository.in_force()[1], as_of)


def spendable(member: Member, clock: Clock) -> int:
    """How many points a member can spend now (strongly consistent); less than 0 is a debt."""
    return current(repository.get(member.id), clock.today()).figures.balance


def settle(member_id: str, cause: Cause, *, expiring: bool = True) -> bool:
    """Write what time brought to a member's points by the day of the cause; whether anything did.

    Without `expiring` points become active only, and nothing is announced. Again changes nothing.
    Whose history is being settled by a job stays as they are.
    """

    def attempt(tx: Transaction) -> bool:
        member = members.get(member_id)
        if member is None or is_held(member, cause):
            return False
        require_free(member, cause)
        opened = open_(member, cause, expiring=expiring)
        if expiring:
            _announce(tx, opened, cause)
        if not close(tx, opened, cause):
            return False
        members.save(tx, member)
        return True

    return transact(attempt)


def _announce(tx: Transaction, opened: Opened, cause: Cause) -> None:
    """Tell of points that run out soon, once: it is an effect, with the last of their days."""
    book, member = opened.book, opened.member
    told = rules.announcement(book.close(), book.policy, cause.day)
    if told is None:
        return
    book.account = replace(book.account, noticed_until=told.last_day)
    kind, level = EffectKind.POINTS_EXPIRING, told.last_day.isoformat()
    if not members.has_effect(member.id, kind, level):
        members.put_effect(tx, member.id, kind, level, origin=Origin.LIVE, day=cause.day)
