"""Trades of Youzan asked for: one with its refunds, and those that changed in a window."""

from collections.abc import Sequence
from datetime import datetime

from graphql_api.connectors import repository
from graphql_api.connectors.adapters import OrderRef, OrdersPage
from graphql_api.connectors.errors import Later, NotLinked
from graphql_api.connectors.models import Shop
from graphql_api.connectors.rules import LinkKind
from graphql_api.connectors.walks import Walk
from graphql_api.connectors.youzan import api, mapping
from graphql_api.connectors.youzan.payloads import Refund, Trade
from graphql_api.orders.service import Snapshot

_MOMENTARY = frozenset({1, 11})
_SOON = 10.0
_PARTS = 2
"""Trades, then refunds."""


def snapshot(shop: Shop, tid: str) -> Snapshot | None:
    """The order that a trade is now; None if it was never paid.

    Raises NotLinked for a store that nobody linked, and Later while a refund is being booked.
    """
    trade = api.trade(shop, tid)
    info = trade.full_order_info.order_info
    if info.pay_time is None:
        return None
    if info.refund_state in _MOMENTARY:
        raise Later(_SOON)
    return of_trade(shop, trade, _refunds(shop, trade))


def of_trade(shop: Shop, trade: Trade, refunds: Sequence[Refund]) -> Snapshot | None:
    """A trade with what was asked of its refunds, as an order of our store and guide.

    A guide who is not linked is none; coupons are those that are linked.
    """
    guide_key = mapping.guide_key(trade)
    found = mapping.snapshot_of(
        trade,
        store_id=_store_id(shop, trade),
        guide_id=repository.our_id(shop.id, LinkKind.GUIDE, guide_key) if guide_key else None,
        refunds=refunds,
    )
    if found is None or found.body is None or not found.body.coupons:
        return found
    ours = repository.our_ids(shop.id, LinkKind.COUPON, found.body.coupons)
    body = found.body.model_copy(update={"coupons": [id_ for id_ in ours if id_]})
    return found.model_copy(update={"body": body})


def changed(shop: Shop, since: datetime, until: datetime, cursor: str | None) -> OrdersPage:
    """Trades that changed in a window, then those of refunds that did: a page a call.

    Youzan shows a hundred pages of trades at most, three thousand refunds: a window with
    more is asked for in halves.
    """
    walk = Walk.at(cursor, since, until)
    return _trades(shop, walk) if walk.part == 0 else _refunded(shop, walk)


def _trades(shop: Shop, walk: Walk) -> OrdersPage:
    listed = api.trades_changed(shop, walk.since, walk.until, walk.page)
    if listed.total_results > api.MOST_TRADES and walk.can_halve:
        return OrdersPage([], walk.halved().text)
    is_last = walk.page * api.TRADES_AT_ONCE >= listed.total_results
    paid = [
        each for each in listed.full_order_info_list if each.full_order_info.order_info.pay_time
    ]
    return OrdersPage([_ref(trade) for trade in paid], walk.on(is_last).text)


def _refunded(shop: Shop, walk: Walk) -> OrdersPage:
    listed = api.refunds_changed(shop, walk.since, walk.until, walk.page)
    if listed.total > api.MOST_REFUNDS and walk.can_halve:
        return OrdersPage([], walk.halved().text)
    is_last = walk.page * api.REFUNDS_AT_ONCE >= listed.total
    after = walk.on(is_last)
    orders = [OrderRef(tid) for tid in dict.fromkeys(refund.tid for refund in listed.refunds)]
    return OrdersPage(orders, after.text if after.part < _PARTS else None)


def _ref(trade: api.ListedTrade) -> OrderRef:
    whole = trade.full_order_info
    info = whole.order_info
    # A refund that goes on does not always move the trade's own time.
    known = info.update_time if not trade.refund_order and not info.refund_state else None
    return OrderRef(
        info.tid, mapping.milliseconds(known) if known else None, whole.buyer_info.yz_open_id
    )


def _refunds(shop: Shop, trade: Trade) -> list[Refund]:
    return [api.refund(shop, told.refund_id) for told in trade.refund_order]


def _store_id(shop: Shop, trade: Trade) -> str:
    key = mapping.store_key(trade)
    names = [f"{key.kdt_id}#{key.display_no}", key.kdt_id or "", key.display_no or ""]
    found = repository.our_ids(shop.id, LinkKind.STORE, [name for name in names if name])
    store_id = next((id_ for id_ in found if id_), None) or shop.default_store_id
    if store_id is None:
        raise NotLinked(LinkKind.STORE, key.kdt_id or key.display_no or shop.vendor_key)
    return str(store_id)
