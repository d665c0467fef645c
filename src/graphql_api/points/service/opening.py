"""An account opened inside a transaction, settled, changed by rules, and written back.

The caller's transaction writes the member, whose version serialises everything about points: so an
account is opened once in a transaction for each member.
"""

from dataclasses import dataclass
from datetime import date

from graphql_api.kit.dynamo import Stale, Transaction
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members import rules as member_rules
from graphql_api.members.models import Member
from graphql_api.members.rules import Origin
from graphql_api.points import models, repository, rules
from graphql_api.points.models import Account
from graphql_api.points.rules import Book
from graphql_api.viewer import SYSTEM, Viewer

_NO_JOB = ""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why points change: who does it, and whether it is told to others."""

    clock: Clock
    by: Viewer = SYSTEM
    origin: Origin = Origin.LIVE
    reason: str | None = None
    as_of: date | None = None

    @property
    def day(self) -> date:
        """The business day that counts: today, or that of a run."""
        return self.as_of or self.clock.today()


@dataclass(frozen=True, slots=True)
class Opened:
    """A member's account in a transaction, settled up to the business day."""

    member: Member
    item: Account
    book: Book
    version: int


def free(member_id: str, cause: Cause) -> Member | None:
    """A member as they are now, to be written; stale while a job settles their history."""
    member = members.get(member_id)
    if member is not None:
        require_free(member, cause)
    return member


def is_held(member: Member, cause: Cause) -> bool:
    """Whether a job settles the history of a member."""
    now = cause.clock.now()
    return member_rules.held_by_another(member.lock_owner, member.locked_until, _NO_JOB, now)


def require_free(member: Member, cause: Cause) -> None:
    """Be stale while a job settles the history of a member who was just read, to be written."""
    if is_held(member, cause):
        raise Stale
    # A lock that ran out is gone, or its job would settle facts that it read before this change.
    member.lock_owner = member.locked_until = None


def open_(
    member: Member, cause: Cause, *, version: int | None = None, expiring: bool = True
) -> Opened:
    """The account of a member as it is now, with all that time brought by today.

    By the policy in force, or by that of a version.
    """
    number, policy = repository.in_force()
    if version is not None:
        number, policy = version, repository.policy_of(version)
    item = repository.get(member.id) or Account(member.id)
    book = Book(item.held, policy, cause.day)
    book.settle(expiring=expiring)
    return Opened(member, item, book, number)


def close(tx: Transaction, opened: Opened, cause: Cause) -> bool:
    """Add account and ledger to the transaction and have the member hold the figures.

    Whether there is anything to write; then the caller writes the member.
    """
    member, item, book = opened.member, opened.item, opened.book
    account = book.close()
    _, policy = repository.in_force()
    due_on = rules.next_day_of(account, policy.notice_days)
    if account == item.held and item.is_due(due_on):
        return False
    item.hold(account, due_on=due_on)
    repository.save(tx, item)
    for number, entry in enumerate(book.entries):
        line = models.entry_of(
            member,
            number,
            entry,
            at=cause.clock.now(),
            reason=cause.reason,
            policy_version=opened.version,
            origin=cause.origin,
            by_role=cause.by.role,
            by_id=cause.by.id or None,
        )
        repository.put_entry(tx, line)
    member.points, member.points_pending, member.points_frozen = account.figures
    if book.entries:
        # What a back-fill brought is told to nobody; nothing stands here for what is live.
        member.points_origin = None if cause.origin is Origin.LIVE else cause.origin
    return True
