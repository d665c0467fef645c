"""Access paths of shops, and of what of theirs is linked."""

from collections.abc import Sequence
from datetime import datetime

from graphql_api.connectors import models
from graphql_api.connectors.models import (
    ALL_SHOPS,
    SOLE,
    BackLink,
    Link,
    Shop,
)
from graphql_api.connectors.repository.ways import listed
from graphql_api.connectors.rules import (
    LinkKind,
)
from graphql_api.kit.dynamo import Page, Transaction, batch_get, key_page

_ALL_AT_ONCE = 100


def get_shops(shop_ids: Sequence[str]) -> list[Shop | None]:
    """Shops by id."""
    return batch_get(Shop, [(id_, SOLE) for id_ in shop_ids])


def get_shop(shop_id: str) -> Shop | None:
    """One shop as it is now (strongly consistent), to decide on."""
    return batch_get(Shop, [(shop_id, SOLE)], consistent=True)[0]


def page_of_shops(*, first: int, after: str | None, reverse: bool) -> Page[Shop]:
    """All shops by time of linking: one Query, one BatchGetItem."""
    return listed(Shop, ALL_SHOPS, first=first, after=after, reverse=reverse)


def all_shops() -> list[Shop]:
    """Every shop; they are few."""
    found: list[Shop] = []
    after: str | None = None
    while True:
        page = page_of_shops(first=_ALL_AT_ONCE, after=after, reverse=False)
        found += page.items
        if not page.more:
            return found
        after = page.last


def create_shop(tx: Transaction, shop: Shop) -> None:
    """Add a shop that is not there."""
    shop.listed, shop.place = ALL_SHOPS, models.place_of(shop.created_at, shop.id)
    tx.create(shop)


def save_shop(tx: Transaction, shop: Shop) -> None:
    """Write a shop over the version that was read."""
    tx.save(shop)


def delete_shop(tx: Transaction, shop: Shop) -> None:
    """Remove a shop in the version that was read."""
    tx.delete(shop)


def our_ids(shop_id: str, kind: LinkKind, vendor_keys: Sequence[str]) -> list[str | None]:
    """What things of the vendor are here; None where nobody said so."""
    found = batch_get(Link, [(shop_id, models.link_sort(kind, key)) for key in vendor_keys])
    return [link.our_id if link else None for link in found]


def our_id(shop_id: str, kind: LinkKind, vendor_key: str) -> str | None:
    """What a thing of the vendor is here."""
    return our_ids(shop_id, kind, [vendor_key])[0]


def vendor_keys(shop_id: str, kind: LinkKind, our_ids: Sequence[str]) -> list[str | None]:
    """What things of ours are at the vendor; None where nobody said so."""
    found = batch_get(BackLink, [(shop_id, models.back_sort(kind, id_)) for id_ in our_ids])
    return [link.vendor_key if link else None for link in found]


def vendor_key(shop_id: str, kind: LinkKind, our_id: str) -> str | None:
    """What a thing of ours is at the vendor."""
    return vendor_keys(shop_id, kind, [our_id])[0]


def page_of_links(
    shop_id: str, kind: LinkKind, *, first: int, after: str | None, reverse: bool
) -> Page[Link]:
    """The links of a shop's things of a kind, by the vendor's key: one Query."""
    return key_page(
        Link,
        shop_id,
        Link.sort,
        first=first,
        after=after,
        reverse=reverse,
        starts_with=models.link_sort(kind, ""),
    )


def has_link(shop_id: str, kind: LinkKind) -> bool:
    """Whether anything of a kind is linked: one Query."""
    return bool(page_of_links(shop_id, kind, first=1, after=None, reverse=False).items)


def linked_tags(shop_id: str) -> list[str]:
    """The vendor's keys of all tags that are linked; a chain has a few hundred at most."""
    found: list[str] = []
    after: str | None = None
    while True:
        page = page_of_links(shop_id, LinkKind.TAG, first=_ALL_AT_ONCE, after=after, reverse=False)
        found += [link.vendor_key for link in page.items]
        if not page.more:
            return found
        after = page.last


def put_link(
    tx: Transaction, shop_id: str, kind: LinkKind, vendor_key: str, our_id: str, *, at: datetime
) -> None:
    """Say what a thing of the vendor is here, both ways, whatever was said before."""
    sort, back = models.link_sort(kind, vendor_key), models.back_sort(kind, our_id)
    tx.put(Link(shop_id, sort, kind=kind, vendor_key=vendor_key, our_id=our_id, created_at=at))
    tx.put(BackLink(shop_id, back, kind=kind, vendor_key=vendor_key))


def take_link(tx: Transaction, link: Link, *, keep: bool = False) -> None:
    """Unsay it, both ways; the way back stays where another key of the vendor has it by now.

    With `keep` only the way back goes: the way there is written anew.
    """
    if not keep:
        tx.delete(Link(link.id, link.sort), condition=Link.our_id == link.our_id)
    back = models.back_sort(link.kind, link.our_id)
    if vendor_key(link.id, link.kind, link.our_id) == link.vendor_key:
        tx.delete(BackLink(link.id, back), condition=BackLink.vendor_key == link.vendor_key)


def get_link(shop_id: str, kind: LinkKind, vendor_key: str) -> Link | None:
    """A link as it is now (strongly consistent), to decide on."""
    key = (shop_id, models.link_sort(kind, vendor_key))
    return batch_get(Link, [key], consistent=True)[0]
