"""Access paths of members' coupons."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from graphql_api.coupons import models, rules
from graphql_api.coupons.models import (
    COUPON,
    SHARDS,
    SOLE,
    STOCK_PARTS,
    Claims,
    Coupon,
    CouponPointer,
    CouponsItem,
    Stock,
)
from graphql_api.coupons.rules import CouponState
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Page, Transaction, batch_get, get_together, key_page
from graphql_api.kit.dynamo.blocks import key_walk, one_after_another
from graphql_api.kit.dynamo.partitions import delete_all

_READ_ON = 5


@dataclass(frozen=True, slots=True)
class Before:
    """What issuing decides on: where the coupon stands already, a part of the stock, limits."""

    pointer: CouponPointer | None
    part: Stock | None
    claims: Claims


def before_issue(member_id: str, template_id: str, coupon_id: str) -> Before:
    """All that one more coupon hangs on, as it is now (strongly consistent): one call."""
    claims_key = (member_id, models.claims_sort(template_id))
    pointer, part, claims = get_together(
        [
            (CouponPointer, (coupon_id, SOLE), None),
            (Stock, (template_id, _any_part()), None),
            (Claims, claims_key, None),
        ]
    )
    return Before(pointer, part, claims or Claims(*claims_key))


def get_many(coupon_ids: Sequence[str]) -> list[Coupon | None]:
    """Coupons by id or code, to be shown: pointers, then items."""
    keys = [(_pointer_id(id_), SOLE) for id_ in coupon_ids]
    return _behind(batch_get(CouponPointer, keys), consistent=False)


def find(named: Sequence[str]) -> list[Coupon | None]:
    """Coupons by id or code as they are now (strongly consistent), to decide on."""
    keys = [(_pointer_id(name), SOLE) for name in named]
    return _behind(batch_get(CouponPointer, keys, consistent=True), consistent=True)


def are_issued(coupon_ids: Sequence[str]) -> bool:
    """Whether a coupon with any of these ids was issued (strongly consistent)."""
    found = batch_get(CouponPointer, [(id_, SOLE) for id_ in coupon_ids], consistent=True)
    return any(pointer is not None for pointer in found)


def get_at(keys: Sequence[tuple[str, str]]) -> list[Coupon | None]:
    """Coupons by their base keys as they are now (strongly consistent), to decide on."""
    return batch_get(Coupon, keys, consistent=True)


def add(tx: Transaction, coupon: Coupon) -> None:
    """Add a new coupon with the pointers of its id and its code."""
    _index(coupon)
    tx.create(coupon)
    for id_ in (coupon.coupon_id, models.code_id(coupon.code)):
        tx.create(CouponPointer(id_, member_id=coupon.member_id, place=coupon.sort))


def save(tx: Transaction, coupon: Coupon) -> None:
    """Write a coupon over the version that was read."""
    _index(coupon)
    tx.save(coupon)


def move(tx: Transaction, coupon: Coupon, member_id: str) -> None:
    """Have a coupon stand under another member, over the version that was read."""
    was_at = coupon.key
    coupon.id = member_id
    _index(coupon)
    tx.move(coupon, was_at=was_at)
    for id_ in (coupon.coupon_id, models.code_id(coupon.code)):
        tx.put(CouponPointer(id_, member_id=member_id, place=coupon.sort))


def some_of_member(member_id: str, *, at_most: int) -> list[Coupon]:
    """Some coupons of a member as they are now (strongly consistent)."""
    mine = Coupon.sort.startswith(COUPON)
    return list(Coupon.query(member_id, mine, consistent_read=True, limit=at_most))


def forget(member_id: str, *, at_most: int) -> int:
    """Delete some coupons of a member with their pointers; how many there were.

    Unconditional, and again for what is left: of somebody to whom nothing is given any more.
    """
    found = some_of_member(member_id, at_most=at_most)
    pointers = [(id_, SOLE) for c in found for id_ in (c.coupon_id, models.code_id(c.code))]
    delete_all(CouponsItem, [*pointers, *(coupon.key for coupon in found)])
    return len(found)


def page_of_member(member_id: str, *, first: int, after: str | None, reverse: bool) -> Page[Coupon]:
    """Every coupon of a member, by time: one Query."""
    return key_page(
        Coupon,
        member_id,
        Coupon.sort,
        first=first,
        after=after,
        reverse=reverse,
        starts_with=COUPON,
    )


def page_of_lives(
    member_ids: tuple[str, ...], *, first: int, after: str | None, reverse: bool
) -> Page[Coupon]:
    """The same of a member who was several: id after id."""
    return one_after_another(page_of_member, member_ids, first=first, after=after, reverse=reverse)


def page_in_states(
    member_ids: Sequence[str],
    states: tuple[CouponState, ...],
    at: datetime,
    as_of: date,
    *,
    first: int,
    after: str | None,
    reverse: bool,
) -> Page[Coupon]:
    """Coupons of a member that stand in one of these states by now: state by state, by last day.

    Under each of the member's ids. Reads on where some stand otherwise than they are stored; after
    five times a page may be short although more follow.
    """
    stored = {was for state in states for was in rules.stored_as(state)}
    found: list[Coupon] = []
    places: list[str] = []
    for _ in range(_READ_ON):
        keys: Page[CouponsItem] = key_walk(
            lambda key, **page: key_page(CouponsItem.by_held, key, CouponsItem.held_place, **page),
            [models.held_as(id_, state) for id_ in member_ids for state in stored],
            first=first - len(found),
            after=after,
            reverse=reverse,
        )
        coupons = batch_get(Coupon, [key.key for key in keys.items])
        for coupon, place in zip(coupons, keys.places, strict=True):
            if coupon is not None and rules.state_at(coupon, at, as_of) in states:
                found.append(coupon)
                places.append(place)
        if not keys.more or len(found) == first:
            return Page(found, places, keys.more, keys.last)
        after = keys.last
    return Page(found, places, more=True, end=after)


def page_of_template(
    template_id: str, *, first: int, after: str | None, reverse: bool
) -> Page[Coupon]:
    """Coupons of a template: shard after shard, each by time."""
    keys: Page[CouponsItem] = key_walk(
        lambda key, **page: key_page(
            CouponsItem.by_template, key, CouponsItem.template_place, **page
        ),
        [models.of_template(template_id, shard) for shard in SHARDS],
        first=first,
        after=after,
        reverse=reverse,
    )
    return keys.showing(batch_get(Coupon, [key.key for key in keys.items]))


def due_in(shard: str, as_of: date, *, first: int, after: str | None) -> Page[CouponsItem]:
    """Keys of the coupons of a shard that time may have changed before a day, longest ago first."""
    due_place, day = CouponsItem.due_place, as_of.isoformat()
    return key_page(CouponsItem.by_due, shard, due_place, first=first, after=after, up_to=day)


def _pointer_id(name: str) -> str:
    """The key of the pointer of a coupon that is named by its id or its code."""
    if ids.prefix_of(name) == "cpn":
        return name
    return models.code_id(rules.read_code(name) or "-")


def _behind(pointers: Sequence[CouponPointer | None], *, consistent: bool) -> list[Coupon | None]:
    keys = [(p.member_id, p.place) for p in pointers if p is not None]
    found = dict(zip(keys, batch_get(Coupon, keys, consistent=consistent), strict=True))
    return [None if p is None else found[p.member_id, p.place] for p in pointers]


def _index(coupon: Coupon) -> None:
    """Set the keys of the lists; what time does not change any more is due no more."""
    last = coupon.valid_until.isoformat()
    coupon.held = models.held_as(coupon.member_id, coupon.state)
    coupon.held_place = f"{last}#{coupon.coupon_id}"
    coupon.of_template = models.of_template(coupon.template_id, models.shard_of(coupon.coupon_id))
    coupon.template_place = coupon.sort.removeprefix(COUPON)
    day = models.due_on(coupon)
    coupon.due_shard = models.shard_of(coupon.coupon_id) if day else None
    coupon.due_place = f"{day.isoformat()}#{coupon.coupon_id}" if day else None


def _any_part() -> str:
    """A part of a stock by chance, so that no part is hot."""
    return models.stock_sort(random.randrange(STOCK_PARTS))  # noqa: S311 - no secret
