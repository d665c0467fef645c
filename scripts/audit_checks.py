"""What `make audit` asks of a member: each check derives something anew and says what differs."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from graphql_api.kit.dynamo import Item
from graphql_api.members import repository as members
from graphql_api.members.rules import Facts
from graphql_api.orders import repository as orders
from graphql_api.orders import service as order_service
from graphql_api.orders.models import Order
from graphql_api.standing import models as standing_models
from graphql_api.standing import service as standing
from scripts import audit_credits, audit_mall, audit_rewards
from scripts.audit_subject import Check, Difference, Subject


def facts(subject: Subject) -> Iterator[Difference]:
    """Purchase facts are what all orders give, each by the growth policy that it came under."""
    stored = _by_name(subject.member.facts)
    derived = _by_name(order_service.facts_of(subject.orders))
    for name in sorted({*stored, *derived}):
        if stored.get(name) != derived.get(name):
            where = subject.member.id
            yield Difference(f"facts.{name}", where, stored.get(name), derived.get(name))


def _by_name(given: Facts) -> dict[str, Any]:
    months = {f"months.{month}": bucket.row for month, bucket in given.months.items()}
    rest = {one.name: getattr(given, one.name) for one in fields(given) if one.name != "months"}
    return months | rest


def order_items(subject: Subject) -> Iterator[Difference]:
    """Totals, status and keys of an order follow from its state, and its pointer leads to it."""
    places = orders.places_of([order.id for order in subject.orders])
    for order, place in zip(subject.orders, places, strict=True):
        if place != order.key:
            yield Difference("order.pointer", order.id, place, order.key)
        again = Order.from_raw_data(order.serialize())
        again.hold(order.state, order.member_id)
        for name, stored, derived in _unlike(order, again):
            yield Difference(f"order.{name}", order.id, stored, derived)


def member_item(subject: Subject) -> Iterator[Difference]:
    """The keys by which lists find a member follow from the member; they hold names."""
    for name, _stored, _derived in _unlike(subject.member, members.indexed_again(subject.member)):
        yield Difference(f"member.{name}", subject.member.id, "…", "…")


def _unlike(one: Item, other: Item) -> Iterator[tuple[str, Any, Any]]:
    stored, derived = one.serialize(), other.serialize()
    for name in sorted({*stored, *derived}):
        if stored.get(name) != derived.get(name):
            yield name, stored.get(name), derived.get(name)


def identities(subject: Subject) -> Iterator[Difference]:
    """Whatever a member can be found by leads to them."""
    claims = list(subject.member.identity_claims)
    for claim, holder in zip(claims, members.holders(claims), strict=True):
        if holder != subject.member.id:
            kind = claim.partition("#")[0]
            yield Difference(f"identity.{kind}", subject.member.id, holder, subject.member.id)


def standings(subject: Subject) -> Iterator[Difference]:
    """Of a member who is not due, to decide again changes nothing, and foresees the same."""
    member, today = subject.member, subject.clock.today()
    if subject.policies is None or not standing.is_free(member, subject.clock):
        return
    if standing.is_due(member, today):
        return
    decision = standing.current(member, today, clock=subject.clock, policies=subject.policies)
    if decision.changed:
        joined = subject.clock.day_of(member.joined_at)
        held = standing_models.standing(member, joined)
        yield Difference("standing", member.id, held, decision.standing)
    pairs: Mapping[str, tuple[Any, Any]] = {
        "next_on": (member.next_on, decision.next_on),
        "foreseen": (member.foreseen, standing_models.foreseen(decision)),
    }
    for name, (stored, derived) in pairs.items():
        if stored != derived:
            yield Difference(name, member.id, stored, derived)


AT_ONCE: tuple[Check, ...] = (
    facts,
    order_items,
    member_item,
    identities,
    standings,
    audit_rewards.account,
    audit_rewards.order_points,
    audit_rewards.coupons_of_member,
    audit_mall.gifts,
    audit_mall.redemptions,
)
"""What holds whenever nobody is writing."""

CHECKS: tuple[Check, ...] = (
    *AT_ONCE,
    audit_credits.order_commission,
    audit_credits.order_credit,
)
"""With what holds once the streams were followed to their end."""
