"""Orders of Weimob asked for: one with its returns, and those that changed in a window."""

from collections.abc import Sequence
from datetime import datetime

from graphql_api.connectors import repository
from graphql_api.connectors.adapters import OrderRef, OrdersPage
from graphql_api.connectors.errors import NotLinked
from graphql_api.connectors.models import Shop
from graphql_api.connectors.rules import LinkKind
from graphql_api.connectors.walks import Walk
from graphql_api.connectors.weimob import api, mapping
from graphql_api.connectors.weimob.details import OrderDetail, Rights
from graphql_api.orders.service import Snapshot


def snapshot(shop: Shop, order_no: str) -> Snapshot | None:
    """An order as it is now; None if it was never paid. Raises NotLinked for a store."""
    detail = api.order(shop, order_no)
    if not mapping.is_paid(detail):
        return None
    return of_detail(shop, detail, [api.rights(shop, each.rights_id) for each in detail.rights])


def of_detail(shop: Shop, detail: OrderDetail, rights: Sequence[Rights]) -> Snapshot | None:
    """An order with its returns, of our store and guide; a guide who is not linked is none."""
    guide = mapping.guide_key(detail)
    return mapping.snapshot_of(
        detail,
        store_id=_store_id(shop, detail),
        guide_id=repository.our_id(shop.id, LinkKind.GUIDE, guide) if guide else None,
        rights=rights,
    )


def changed(shop: Shop, since: datetime, until: datetime, cursor: str | None) -> OrdersPage:
    """Orders that changed in a window, a page a call; a window with too many is halved."""
    walk = Walk.at(cursor, since, until)
    listed = api.orders_changed(shop, walk.since, walk.until, walk.page)
    if listed.total > api.MOST_ORDERS and walk.can_halve:
        return OrdersPage([], walk.halved().text)
    after = walk.on(walk.page * api.ORDERS_AT_ONCE >= listed.total)
    orders = [_ref(detail) for detail in listed.orders]
    return OrdersPage(orders, after.text if after.part == 0 else None)


def _ref(detail: OrderDetail) -> OrderRef:
    # A return that goes on does not always move the order's own time.
    known = None if detail.rights else mapping.revision_of(detail)
    return OrderRef(detail.info.base.order_no, known, detail.info.buyer.wid)


def _store_id(shop: Shop, detail: OrderDetail) -> str:
    vid = mapping.store_key(detail)
    found = repository.our_id(shop.id, LinkKind.STORE, vid) if vid else None
    store_id = found or shop.default_store_id
    if store_id is None:
        raise NotLinked(LinkKind.STORE, vid or shop.vendor_key)
    return str(store_id)
