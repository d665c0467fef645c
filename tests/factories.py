"""What tests build: each names only what it is about; the chain is set up already."""

import itertools
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from graphql_api.kit import ids
from graphql_api.kit.dynamo import batch_write
from graphql_api.kit.time import Clock
from graphql_api.members import repository as member_repository
from graphql_api.members import service as members
from graphql_api.members.models import Counter, Member, MembersItem
from graphql_api.members.rules import IdentityKind, SourceChannel
from graphql_api.members.service import NewIdentity
from graphql_api.orders import service as orders
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM, Viewer
from tests.guides.factories import make_guide
from tests.stores.factories import make_store, make_unit

__all__ = [
    "CLOCK",
    "NOW",
    "PAID_AT",
    "fresh",
    "make_guide",
    "make_identity",
    "make_member",
    "make_refund",
    "make_settled",
    "make_shell",
    "make_snapshot",
    "make_store",
    "make_unit",
    "numbered",
    "put_numbered",
]

NOW = datetime(2018, 1, 10, 4, 0, tzinfo=UTC)
PAID_AT = datetime(2018, 1, 5, 4, 0, tzinfo=UTC)
CLOCK = Clock(wall=lambda: NOW)

_numbers = itertools.count(1)


def fresh(stem: str) -> str:
    """A name that no other thing of this process has."""
    return f"{stem}-{next(_numbers):06d}"


def make_identity(
    value: str | None = None, kind: IdentityKind = IdentityKind.OPENID
) -> NewIdentity:
    """An identity, which nobody has unless its value is given."""
    return NewIdentity(kind=kind, value=value or fresh("openid"))


def make_member(
    store: Store,
    *identities: NewIdentity,
    viewer: Viewer = SYSTEM,
    clock: Clock = CLOCK,
    **more: Any,
) -> Member:
    """A stored member of a store, with an openid of its own unless identities are given."""
    held = list(identities) or [make_identity()]
    new = members.Enrol(**{"identities": held, "store_id": store.id, **more})
    return members.enrol(new, viewer=viewer, clock=clock)


def make_refund(
    id: str = "r1", *, amount: int = 1_000, revision: int = 1, **more: Any
) -> orders.SnapshotRefund:
    """A refund of 10 yuan, not applied."""
    given = {"id": id, "revision": revision, "at": NOW, "amount": amount, **more}
    return orders.SnapshotRefund(**given)


def make_snapshot(
    store: Store, *refunds: orders.SnapshotRefund, external_id: str | None = None, **body: Any
) -> orders.Snapshot:
    """What a till knows of an order of 100 yuan that nobody bought, not applied."""
    given = {"revision": 1, "paid_at": PAID_AT, "total": 10_000, "store_id": store.id, **body}
    return orders.Snapshot(
        source="pos",
        external_id=external_id or fresh("W"),
        body=orders.SnapshotBody(**given),
        refunds=list(refunds),
    )


def make_shell(*refunds: orders.SnapshotRefund, external_id: str | None = None) -> orders.Snapshot:
    """What a till knows of an order whose body it does not tell, not applied."""
    given = list(refunds) or [make_refund()]
    return orders.Snapshot(source="pos", external_id=external_id or fresh("W"), refunds=given)


def make_settled(external_id: str, at: datetime = NOW) -> orders.Snapshot:
    """What a till says when an order can come back no more, not applied."""
    return orders.Snapshot(source="pos", external_id=external_id, settled_at=at)


def numbered(number: int) -> str:
    """The id of a member put by `put_numbered`."""
    return ids.derived_id("mbr", str(number))


def put_numbered(
    numbers: Iterable[int], *, newest: int, given: Callable[[int], dict[str, Any]] = lambda _: {}
) -> None:
    """Bare members with these numbers, in bulk, in a chain that has given `newest` of them.

    `given` says more of each.
    """
    found = []
    for number in numbers:
        known: dict[str, Any] = {"source": SourceChannel.IMPORT, "joined_at": NOW, "version": 1}
        known |= {"created_at": NOW, "joining_store_id": "sto_1", "store_id": "sto_1"}
        member = Member(numbered(number), number=number, **known | given(number))
        member_repository._index(member)
        found.append(member)
    batch_write(MembersItem, [*found, Counter("counter", last=newest)])
