"""From stream records to copies that are due: what changed here that a vendor has too."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from graphql_api.connectors import repository
from graphql_api.connectors.doors import people
from graphql_api.connectors.known import known_shops
from graphql_api.connectors.models import Shop
from graphql_api.connectors.rules import CopyKind, LinkKind
from graphql_api.connectors.service import copies
from graphql_api.coupons.models import Coupon, coupon_of
from graphql_api.members.models import SOLE, Member
from graphql_api.webhooks.tasks import Change

Due = dict[CopyKind, set[str]]
_OF_MEMBERS = (CopyKind.POINTS, CopyKind.TAGS, CopyKind.GUIDE)


def notice(changes: Sequence[Change]) -> int:
    """Have vendors told of what changed; how many copies are due. Again, they are compared again.

    Without a shop that is told anything nothing is read or written. Whatever wrote it here, a
    back-fill too, the vendor is told what there is now: a state, not an event. What vendors have of
    somebody who was erased is forgotten here.
    """
    shops = known_shops.told()
    gone = _gone(changes)
    if gone:
        copies.forget(shops, gone)
    due = 0
    for shop in shops:
        for kind, subjects in _due_at(shop, changes).items():
            copies.due(shop, kind, sorted(subjects))
            due += len(subjects)
    return due


def _gone(changes: Sequence[Change]) -> list[str]:
    """Members who were erased, and coupons that went with them."""
    found: list[str] = []
    for change in changes:
        if change.new is not None or change.old is None:
            continue
        id_, sort = change.old["id"]["S"], change.old["sort"]["S"]
        if Member.owns((id_, sort)) and sort == SOLE:
            found.append(id_)
        elif coupon_of(sort) is not None:
            found.append(Coupon.from_raw_data(change.old).coupon_id)
    return found


def _due_at(shop: Shop, changes: Sequence[Change]) -> Due:
    due: Due = defaultdict(set)
    given: dict[str, str] = {}
    for change in changes:
        key = (change.new or {}).get("id", {}).get("S"), (change.new or {}).get("sort", {}).get("S")
        if change.new is None or key[0] is None or key[1] is None:
            continue
        if Member.owns(key) and key[1] == SOLE:
            for kind in _moved(shop, change):
                due[kind].add(key[0])
        elif change.old is None and coupon_of(key[1]) is not None:
            coupon = Coupon.from_raw_data(change.new)
            given[coupon.coupon_id] = coupon.template_id
    if given and CopyKind.COUPON in shop.tells:
        due[CopyKind.COUPON] |= _linked(shop, given)
    return {kind: subjects for kind, subjects in due.items() if subjects}


def _moved(shop: Shop, change: Change) -> Iterator[CopyKind]:
    """What of a member moved that the shop is told; all of it once they are known there."""
    new = Member.from_raw_data(change.new or {})
    key = people.key_of(shop, new)
    if key is None:
        return
    old = Member.from_raw_data(change.old) if change.old else None
    if old is None or people.key_of(shop, old) != key:
        yield from (kind for kind in _OF_MEMBERS if kind in shop.tells)
        return
    moved = {
        CopyKind.POINTS: old.points != new.points,
        CopyKind.TAGS: old.tag_document != new.tag_document,
        CopyKind.GUIDE: _guide(old) != _guide(new),
    }
    yield from (kind for kind, is_so in moved.items() if is_so and kind in shop.tells)


def _guide(member: Member) -> str | None:
    owned = member.ownership
    return owned.guide_id if owned else None


def _linked(shop: Shop, given: dict[str, str]) -> set[str]:
    """The coupons whose templates are linked there."""
    templates = sorted(set(given.values()))
    found = repository.vendor_keys(shop.id, LinkKind.COUPON_TEMPLATE, templates)
    linked = {template for template, key in zip(templates, found, strict=True) if key}
    return {coupon_id for coupon_id, template in given.items() if template in linked}
