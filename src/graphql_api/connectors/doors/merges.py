"""Two customers of a vendor who turned out to be one person."""

from collections.abc import Sequence

from graphql_api.connectors import repository
from graphql_api.connectors.doors import people
from graphql_api.connectors.errors import Later
from graphql_api.connectors.models import Shop
from graphql_api.connectors.rules import LinkKind, Outcome, Vendor
from graphql_api.errors import Taken
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.members import service as member_service
from graphql_api.members.service import IdentityChange
from graphql_api.merges import service as merges
from graphql_api.merges.rules import MergeSource
from graphql_api.merges.service import MembersMerge
from graphql_api.viewer import SYSTEM

_SOON = 2.0
_BEGUN, _ENDED = "begun:", "ended:"
_SOURCES = {Vendor.YOUZAN: MergeSource.YOUZAN, Vendor.WEIMOB: MergeSource.WEIMOB}


def merged(shop: Shop, from_key: str, to_key: str, *, event_id: str, clock: Clock) -> Outcome:
    """Have `from` be `to`, for ever: what is told of either is of the same person from now on.

    Both here are merged; one here answers to both; where none is here it is noted for later. Who
    was erased is not brought back by it. Raises Later where somebody just came by the other key.
    """
    noted = _note(shop, from_key, to_key, clock)
    loser_id = people.find_member_id(shop, from_key)
    survivor_id = people.find_member_id(shop, to_key)
    if loser_id is None and survivor_id is None:
        return Outcome.APPLIED if noted else Outcome.UNCHANGED
    if loser_id is None or survivor_id is None:
        member_id, missing = (loser_id, to_key) if survivor_id is None else (survivor_id, from_key)
        identity = people.identity_of(shop, missing)
        if people.is_erased(identity):
            return Outcome.IGNORED
        given = IdentityChange(member_id=str(member_id), identity=identity)
        try:
            member_service.add_identity(given, viewer=SYSTEM)
        except Taken:
            raise Later(_SOON) from None
        return Outcome.APPLIED
    if survivor_id == loser_id:
        return Outcome.UNCHANGED
    merges.merge(
        MembersMerge(survivor_id=survivor_id, loser_id=loser_id),
        viewer=SYSTEM,
        clock=clock,
        source=_SOURCES[shop.vendor],
        source_ref=event_id,
    )
    return Outcome.APPLIED


def begun(shop: Shop, keys: Sequence[str], *, event_id: str, clock: Clock) -> Outcome:
    """Note that these are about to be one, where who they are from then on is told apart.

    If that was told before, they are one now.
    """
    together = ",".join(sorted(keys))
    news = [_note(shop, f"{_BEGUN}{key}", together, clock) for key in keys]
    for key in keys:
        if repository.our_id(shop.id, LinkKind.CUSTOMER, f"{_ENDED}{key}") is not None:
            return _all_merged(shop, keys, key, event_id, clock)
    return Outcome.APPLIED if any(news) else Outcome.UNCHANGED


def ended(shop: Shop, key: str, *, event_id: str, clock: Clock) -> Outcome:
    """Have all that were about to be one be this one, or note it until they are told."""
    news = _note(shop, f"{_ENDED}{key}", key, clock)
    together = repository.our_id(shop.id, LinkKind.CUSTOMER, f"{_BEGUN}{key}")
    if together is None:
        return Outcome.APPLIED if news else Outcome.UNCHANGED
    return _all_merged(shop, together.split(","), key, event_id, clock)


def _all_merged(
    shop: Shop, keys: Sequence[str], survivor: str, event_id: str, clock: Clock
) -> Outcome:
    done = [
        merged(shop, key, survivor, event_id=event_id, clock=clock)
        for key in keys
        if key != survivor
    ]
    return Outcome.APPLIED if Outcome.APPLIED in done else Outcome.UNCHANGED


def _note(shop: Shop, from_key: str, to_key: str, clock: Clock) -> bool:
    """Whether it was news that one became the other."""
    if repository.our_id(shop.id, LinkKind.CUSTOMER, from_key) == to_key:
        return False

    def attempt(tx: Transaction) -> None:
        repository.put_link(tx, shop.id, LinkKind.CUSTOMER, from_key, to_key, at=clock.now())

    transact(attempt)
    return True
