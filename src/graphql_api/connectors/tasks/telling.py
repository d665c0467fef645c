"""From copies that are due to vendors that have what we have.

A vendor is told the difference between what they have and what is here now, whatever led to it: so
attempts may come twice, late and in any order.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from graphql_api.connectors import models, queueing, repository
from graphql_api.connectors.adapters import Adapter, adapter_of
from graphql_api.connectors.doors import people
from graphql_api.connectors.errors import Later, Unclear
from graphql_api.connectors.models import Copy, Shop
from graphql_api.connectors.queueing import Compare, Tell
from graphql_api.connectors.rules import CopyKind, CopyState, LinkKind, PointsMaster
from graphql_api.connectors.service import copies, masters
from graphql_api.connectors.tasks.attempts import Attempt, attempted
from graphql_api.connectors.tasks.handling import FORGOTTEN_AFTER, Early, next_of
from graphql_api.connectors.turns import turn_of
from graphql_api.coupons import repository as coupons
from graphql_api.coupons.rules import CouponState
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock, real_now
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.observability import count, logger
from graphql_api.stores import service as stores

COMPARED_AT_ONCE = 100
_LOCKED_SECONDS = 600.0


def tell(
    wanted: Tell,
    *,
    now: Callable[[], datetime] = real_now,
    clock: Callable[[], Clock] = stores.clock,
) -> None:
    """Have a vendor have what is here, if the copy is still at this turn.

    Raises Early for a turn that is not noted yet.
    """
    [copy] = repository.get_copies([wanted.copy_id])
    if copy is None or wanted.turn < copy.turn:
        return
    if wanted.turn > copy.turn:
        raise Early
    shop = repository.get_shop(copy.shop_id)
    if copy.state is not CopyState.DUE or shop is None or shop.paused:
        return
    if copy.next_at is not None and now() < copy.next_at:
        queueing.tell_later(wanted, (copy.next_at - now()).total_seconds(), turn=wanted.turn)
        return
    told: Any = None
    with (
        attempted("copy not told", copy=copy.id, kind=copy.kind.value) as attempt,
        turn_of(shop.id, f"tell {copy.kind.value}", copy.subject_id),
    ):
        told = _told(shop, copy, clock())
    if attempt.problem is None:
        repository.note_told(copy, told, at=now())
        count(f"COPY_{copy.kind.value}_TOLD")
    else:
        _fail(wanted, copy, attempt, now())


def _fail(wanted: Tell, copy: Copy, attempt: Attempt, at: datetime) -> None:
    next_at = next_of(attempt, int(copy.attempts) + 1, copy.begun_at, at)
    if next_at is not None:
        wait = (next_at - at).total_seconds()
        queueing.tell_later(wanted, wait, turn=wanted.turn + 1)
    assert attempt.problem is not None
    repository.note_untold(copy, attempt.problem, attempt.detail, next_at=next_at)
    count("COPY_FAILED" if next_at else "COPY_DEAD")
    logger.warning(
        "vendor not told",
        copy=copy.id,
        kind=copy.kind.value,
        problem=attempt.problem.value,
        detail=attempt.detail,
        again=next_at is not None,
    )


def _told(shop: Shop, copy: Copy, clock: Clock) -> Any:
    """What the vendor has now, after being told what it lacked."""
    adapter = adapter_of(shop.vendor)
    if copy.kind is CopyKind.COUPON:
        return _coupon(adapter, shop, copy, clock)
    member = members.get(copy.subject_id)
    key = people.told_as(shop, member) if member and member.archived_at is None else None
    if member is None or key is None:
        return None if member is None else copy.told  # of whom there is nobody to be told
    match copy.kind:
        case CopyKind.POINTS:
            return _points(adapter, shop, member, key, copy)
        case CopyKind.TAGS:
            return _tags(adapter, shop, member, key, copy, clock)
        case CopyKind.GUIDE:
            return _guide(adapter, shop, member, key, copy, clock)


def _points(adapter: Adapter, shop: Shop, member: Member, key: str, copy: Copy) -> int | None:
    """The vendor is asked what there is: so their count is put right, whoever moved it.

    The key lasts from when it became due until it is told: a repeat gives nothing twice, and the
    same difference on another day is given.
    """
    if masters.master() is PointsMaster(shop.vendor.value):
        return None
    wanted = max(int(member.points), 0)
    have = adapter.points_of(shop, key)
    if wanted != have:
        begun = int(copy.begun_at.timestamp() * 1000)
        once = f"{member.id}.{begun}.{member.version}.{have}"
        adapter.change_points(shop, key, wanted - have, key=once, reason="会员积分")
    return wanted


def _tags(
    adapter: Adapter, shop: Shop, member: Member, key: str, copy: Copy, clock: Clock
) -> list[str]:
    """A tag whose link ended is of no concern any more, and stays there."""
    held = member.tags_on(clock.today())
    linked = repository.vendor_keys(shop.id, LinkKind.TAG, held)
    wanted = sorted({name for name in linked if name})
    have = list(copy.told or ())
    add = [name for name in wanted if name not in have]
    gone = [name for name in have if name not in wanted]
    known = repository.our_ids(shop.id, LinkKind.TAG, gone)
    remove = [name for name, our_id in zip(gone, known, strict=True) if our_id]
    if add or remove:
        adapter.change_tags(shop, key, add, remove)
    return wanted


def _guide(
    adapter: Adapter, shop: Shop, member: Member, key: str, copy: Copy, clock: Clock
) -> str | None:
    owned = member.owned_on(clock.today())
    wanted = repository.vendor_key(shop.id, LinkKind.GUIDE, owned.guide_id) if owned else None
    if wanted != copy.told:
        adapter.set_guide(shop, key, wanted)
    return wanted


def _coupon(adapter: Adapter, shop: Shop, copy: Copy, clock: Clock) -> Any:
    """A coupon given here is given there too, once, while it can be used.

    Where the vendor takes no key, a question without an answer is not asked again: it waits for
    somebody to look.
    """
    [coupon] = coupons.find([copy.subject_id])
    if copy.told == models.ASKED:
        raise Unclear
    if coupon is not None and coupon.state is CouponState.LOCKED:
        raise Later(_LOCKED_SECONDS)
    if coupon is None or coupon.state is not CouponState.ISSUED:
        return copy.told
    if repository.vendor_key(shop.id, LinkKind.COUPON, coupon.coupon_id):
        return copy.told
    template = repository.vendor_key(shop.id, LinkKind.COUPON_TEMPLATE, coupon.template_id)
    member = members.get(coupon.member_id)
    key = people.told_as(shop, member) if member else None
    if template is None or member is None or key is None:
        return copy.told
    code = _given(adapter, shop, copy, key, template, member.phone)

    def attempt(tx: Transaction) -> None:
        repository.put_link(tx, shop.id, LinkKind.COUPON, code, coupon.coupon_id, at=clock.now())

    transact(attempt)
    return {"code": code}


def _given(
    adapter: Adapter, shop: Shop, copy: Copy, key: str, template: str, phone: str | None
) -> str:
    if not adapter.gives_once:
        repository.note_asked(copy, models.ASKED)
    try:
        return adapter.give_coupon(shop, key, template, phone=phone, key=copy.subject_id)
    except Later as later:
        if not later.is_unsure:
            repository.note_asked(copy, None)
        raise


def compare(wanted: Compare) -> None:
    """Have the points of a page of members told, and leave the next page to another message."""
    shop = repository.get_shop(wanted.compare)
    if shop is None:
        return
    page = members.page_of_all(first=COMPARED_AT_ONCE, after=wanted.after, reverse=False)
    known = [member.id for member in page.items if people.key_of(shop, member)]
    copies.due(shop, CopyKind.POINTS, known)
    if page.more:
        queueing.compare(wanted.model_copy(update={"after": page.last}))


def sweep_copies(*, now: Callable[[], datetime] = real_now) -> int:
    """Have copies told that are due and that no queue knows of any more; how many."""
    swept = 0
    for shop in repository.all_shops():
        after: str | None = None
        while not shop.paused:
            page = repository.page_of_open_copies(
                shop.id, CopyState.DUE, first=COMPARED_AT_ONCE, after=after, reverse=False
            )
            lost = [c for c in page.items if now() - (c.next_at or c.begun_at) > FORGOTTEN_AFTER]
            queueing.tell_soon(lost)
            swept += len(lost)
            if not page.more:
                break
            after = page.last
    return swept
