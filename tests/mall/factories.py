"""The mall to test with: things to be had, members with points, and what stands of it."""

import itertools
import json
from typing import Any

from graphql_api.coupons.models import CouponsItem
from graphql_api.kit.time import Clock
from graphql_api.mall import repository, service
from graphql_api.mall.models import MallItem, MallTableItem, Redemption
from graphql_api.mall.rules import ItemKind, ItemState
from graphql_api.mall.service import ItemCreate, ItemStateSet, Redeem, RedemptionEnd
from graphql_api.members import repository as members
from graphql_api.members.models import Member, MembersItem
from graphql_api.points import service as points
from graphql_api.points.models import PointsItem
from graphql_api.points.service import Cause
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM, Role, Viewer
from tests.factories import CLOCK, make_member

_numbers = itertools.count(1)


def make_rich(store: Store, balance: int = 1_000, *, clock: Clock = CLOCK) -> Member:
    """A member with so many points."""
    member = make_member(store)
    return points.grant(member.id, balance, key="rich", cause=Cause(clock))


def draft(**more: Any) -> MallItem:
    """Goods for 100 points that are not offered yet, two of them unless told otherwise."""
    given = {"kind": ItemKind.GOODS, "name": f"茶杯{next(_numbers)}", "points": 100, "stock": 2}
    return service.create(ItemCreate(**{**given, **more}), viewer=SYSTEM, clock=CLOCK)


def make_item(**more: Any) -> MallItem:
    """The same, offered."""
    item = draft(**more)
    return service.set_state(ItemStateSet(id=item.id, state=ItemState.ACTIVE), viewer=SYSTEM)


def viewer_of(member: Member) -> Viewer:
    """The member who is logged in."""
    return Viewer(Role.MEMBER, id=member.id)


def works_in(store: Store) -> Viewer:
    """A guide of a store."""
    return Viewer(Role.GUIDE, id="gde_1", unit_id=store.id, store_ids=frozenset({store.id}))


def redeem(
    member: Member,
    item: MallItem,
    store: Store | None = None,
    *,
    viewer: Viewer | None = None,
    clock: Clock = CLOCK,
) -> Redemption:
    """What a member has for points."""
    given = Redeem(member_id=member.id, item_id=item.id, store_id=store.id if store else None)
    return service.redeem(given, viewer=viewer or viewer_of(member), clock=clock)


def cancel(one: Redemption, viewer: Viewer = SYSTEM) -> Redemption:
    """A redemption that is taken back."""
    given = RedemptionEnd(id=one.redemption_id)
    return service.cancel(given, viewer=viewer, clock=CLOCK)


def hand_over(one: Redemption, viewer: Viewer = SYSTEM, **more: Any) -> Redemption:
    """Goods that the member has now."""
    given = RedemptionEnd(id=one.redemption_id, **more)
    return service.hand_over(given, viewer=viewer, clock=CLOCK)


def points_of(member: Member) -> int:
    """How many points a member can spend, as stored."""
    now = members.get(member.id)
    assert now is not None
    return int(now.points)


def left(item: MallItem) -> int:
    """How many are left of an item."""
    return sum(repository.stock_of(item.id))


def had(member: Member) -> list[tuple[str, int, str]]:
    """What a member had: name, points and state, under all ids."""
    now = members.get(member.id)
    assert now is not None
    page = repository.page_of_lives(now.lives, first=100, after=None, reverse=False)
    return [(one.item_name, int(one.points), str(one.state)) for one in page.items]


def everything() -> list[str]:
    """Every item of members, points, coupons and the mall, as text."""
    tables = (MembersItem, PointsItem, CouponsItem, MallTableItem)
    return sorted(json.dumps(i.serialize(), sort_keys=True) for t in tables for i in t.scan())
