"""What is stored of points, and doing things to a member in transactions of their own."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.members.rules import Origin
from graphql_api.points import repository, rules, service
from graphql_api.points.models import figures_of as figures_shown
from graphql_api.points.rules import Account, Figures, OrderPoints, Purchase
from graphql_api.points.service import Cause
from graphql_api.policies import repository as policies
from graphql_api.policies.rules import PolicyKind
from tests.factories import CLOCK, NOW
from tests.policies.factories import make_draft, publish

T = TypeVar("T")
CAUSE = Cause(CLOCK)


def on_day(days: int) -> Clock:
    """Noon in Shanghai, so many days after the others."""
    return Clock(wall=lambda: NOW + timedelta(days=days))


def publish_points(**document: object) -> None:
    """Have a policy of points in force that differs so from what is shipped."""
    publish(make_draft(PolicyKind.POINTS, document))
    policies.forget()


def with_member(member_id: str, do: Callable[[Transaction, Member], T]) -> T:
    """Do something in a transaction that writes the member."""

    def attempt(tx: Transaction) -> T:
        member = members.get(member_id)
        assert member is not None
        done = do(tx, member)
        members.save(tx, member)
        return done

    return transact(attempt)


def follow(
    member_id: str,
    purchase: Purchase | None,
    kept: OrderPoints | None = None,
    *,
    tier: str | None = None,
    clock: Clock = CLOCK,
    origin: Origin = Origin.LIVE,
) -> OrderPoints | None:
    """An order comes to a member, in a transaction of its own."""
    return with_member(
        member_id,
        lambda tx, member: service.follow_order(
            tx, member, purchase, kept, tier=tier, clock=clock, origin=origin
        ),
    )


def account_of(member_id: str) -> Account:
    """The account as it is stored."""
    item = repository.get(member_id)
    return rules.NOTHING if item is None else item.held


def figures_of(member_id: str) -> Figures:
    """The figures on the member, which lots and ledger agree with."""
    member = members.get(member_id)
    assert member is not None
    shown = figures_shown(member)
    moved = [e.moved for life in member.lives for e in repository.all_entries(life)]
    assert rules.differences(shown, account_of(member.id), moved) == []
    return shown


def ledger_of(member_id: str) -> list[tuple[str, int, int, int]]:
    """Kind and what moved, of each line in the order in which they were written."""
    return [(e.kind.value, *e.moved) for e in repository.all_entries(member_id)]
