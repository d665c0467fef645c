"""Who bought: the member behind an order's identities, and nobody where the person was erased."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.members import repository as members
from graphql_api.members import service as member_service
from graphql_api.orders import repository, rules
from graphql_api.orders.models import Order
from graphql_api.orders.rules import State

ANONYMISED_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Buyer:
    """What may be kept of an order, whose it is, and whether that person was erased."""

    state: State
    member_id: str | None = None
    erased: bool = False


def find(state: State) -> Buyer:
    """The member that a body names, or who holds one of its buyer's identities: one read for them.

    Identities of who was erased are left out; where nobody else is known it is nobody's order.
    """
    body = state.body
    if body is None or not body.buyer:
        return Buyer(state, body.member_id if body else None)
    known = member_service.look_up(body.buyer)
    member_id = body.member_id or known.member_id
    if not known.gone:
        return Buyer(state, member_id)
    if member_id is None:
        return Buyer(rules.anonymous(state), erased=True)
    return Buyer(rules.without(state, known.gone), member_id)


def gone_of(states: Iterable[State]) -> Collection[str]:
    """The identities of who was erased among those of the buyers of some orders."""
    named = {claim for state in states if state.body for claim in state.body.buyer}
    return member_service.look_up(sorted(named)).gone if named else ()


def forgotten(order_id: str, incoming: State, *, at: datetime) -> bool:
    """Whether the member who has an order, or whom its body names, was erased.

    An order that the erasure has not come to yet is anonymised here.
    """
    [order] = repository.get_now([order_id])
    if order is not None and _was_erased(order.member_id):
        anonymise([order_id], at=at)
        return True
    return incoming.body is not None and _was_erased(incoming.body.member_id)


def _was_erased(member_id: str | None) -> bool:
    return member_id is not None and members.erasure_of(member_id) is not None


def anonymise(order_ids: Sequence[str], *, at: datetime) -> int:
    """Take the buyer off up to 16 orders, which the books keep; again changes nothing. How many."""

    def attempt(tx: Transaction) -> int:
        found = [order for order in repository.get_now(order_ids) if order is not None]
        named = [order for order in found if order.erased_at is None]
        for order in named:
            _anonymise(tx, order, at)
        return len(named)

    return transact(attempt)


def _anonymise(tx: Transaction, order: Order, at: datetime) -> None:
    was_at, body = order.key, order.state.body
    if order.member_id is None and body is not None:
        for claim in body.buyer:
            repository.stop_waiting(tx, claim, order.id)
    order.hold(rules.anonymous(order.state), None)
    order.named_member_id, order.erased_at = None, at
    order.points = order.coupons = None
    repository.save(tx, order, was_at=was_at)
