"""Links: what a thing of a vendor's shop is here, as people say it or as services find out."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from graphql_api.connectors import queueing, repository
from graphql_api.connectors.models import Link
from graphql_api.connectors.queueing import Wake
from graphql_api.connectors.rules import LinkKind, MessageState, Problem
from graphql_api.connectors.service.shops import require_manager, shop_of
from graphql_api.coupons import repository as coupons
from graphql_api.errors import Invalid, NotFound
from graphql_api.guides import repository as guides
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.stores import repository as stores
from graphql_api.tags import repository as tags
from graphql_api.viewer import Viewer

BY_PEOPLE = frozenset(LinkKind) - {LinkKind.COUPON, LinkKind.CUSTOMER}
_KEY = r"^[^\x00-\x1f]{1,128}$"


class LinkSet(BaseModel):
    """What a thing of a vendor's shop is here; without our id, nothing any more."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    shop_id: str
    kind: LinkKind
    vendor_key: str = Field(pattern=_KEY)
    our_id: str | None = None


def set_link(given: LinkSet, *, viewer: Viewer, at: datetime) -> Link | None:
    """The link as it is now, None where there is none. What waited for it is followed again.

    Links of coupons and customers make themselves.
    """
    require_manager(viewer)
    shop = shop_of(given.shop_id, ("input", "shop_id"))
    if given.kind not in BY_PEOPLE:
        raise Invalid("These links make themselves", field=("input", "kind"))
    our_id = given.our_id
    if our_id is None:
        _unset(shop.id, given)
        return None
    if not _is_here(given.kind, our_id):
        raise NotFound("There is no such thing here", field=("input", "our_id"))

    def attempt(tx: Transaction) -> None:
        known = repository.get_link(shop.id, given.kind, given.vendor_key)
        if known is not None and known.our_id != our_id:
            repository.take_link(tx, known, keep=True)
        repository.put_link(tx, shop.id, given.kind, given.vendor_key, our_id, at=at)

    transact(attempt)
    for key in dict.fromkeys((given.vendor_key, given.vendor_key.partition("#")[0])):
        wake_for(shop.id, given.kind, key, at=at)  # what lacks `a#b` says that it lacks `a`
    return repository.get_link(shop.id, given.kind, given.vendor_key)


def wake_for(shop_id: str, kind: LinkKind, vendor_key: str, *, at: datetime) -> None:
    """Have messages followed that were given up for want of this link."""
    detail = detail_of(kind, vendor_key)
    dead = MessageState.DEAD
    queueing.wake(
        Wake(wake=shop_id, state=dead, until=at, problem=Problem.NOT_LINKED, detail=detail)
    )


def detail_of(kind: LinkKind, vendor_key: str) -> str:
    """What a message says that lacks a link."""
    return f"{kind.value} {vendor_key}"


def _unset(shop_id: str, given: LinkSet) -> None:
    def attempt(tx: Transaction) -> None:
        known = repository.get_link(shop_id, given.kind, given.vendor_key)
        if known is not None:
            repository.take_link(tx, known)

    transact(attempt)


def _is_here(kind: LinkKind, our_id: str) -> bool:
    match kind:
        case LinkKind.STORE:
            return stores.get(our_id) is not None
        case LinkKind.GUIDE:
            return guides.get(our_id) is not None
        case LinkKind.TAG:
            return tags.get(our_id) is not None
        case LinkKind.COUPON_TEMPLATE:
            return coupons.get_template(our_id) is not None
        case LinkKind.COUPON | LinkKind.CUSTOMER:
            return False
