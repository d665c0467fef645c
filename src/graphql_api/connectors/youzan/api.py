"""Youzan's API, as far as it is asked: one function for each question, with a typed answer.

Times in questions are Youzan's own: local times of China for trades, seconds for refunds.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import Field

from graphql_api.connectors import rates
from graphql_api.connectors.errors import VendorRefused
from graphql_api.connectors.models import Shop
from graphql_api.connectors.told import Id, Told, Unreadable, read
from graphql_api.connectors.youzan.asking import ask
from graphql_api.connectors.youzan.fields import CHINA, Instant
from graphql_api.connectors.youzan.payloads import BuyerInfo, Refund, Trade

_REPEATED = 142100106
_YZ_OPEN_ID = 5
_TAGS_PER_SECOND = 5
_POINTS_PER_SECOND = 100
_OTHERS_PER_SECOND = 50

TRADES_AT_ONCE = 20
MOST_TRADES = 2_000
"""A hundred pages, which are short: asking for each trade and buyer of one fits a function."""
REFUNDS_AT_ONCE = 20
MOST_REFUNDS = 3_000
CUSTOMERS_AT_ONCE = 20
MOST_CUSTOMERS = 10_000
_NOBODY = frozenset({141001107, 144100000, 144100001})
_MILLISECONDS_FROM = 10**11


class _ListedInfo(Told):
    tid: Id
    pay_time: str | None = None
    update_time: Instant | None = None
    refund_state: int = 0


class _ListedOrder(Told):
    order_info: _ListedInfo
    buyer_info: BuyerInfo = Field(default_factory=BuyerInfo)


class ListedTrade(Told):
    """What of a listed trade is needed to know whether to ask for it: little, so that none that
    cannot be read is in the way of the others.
    """

    full_order_info: _ListedOrder
    refund_order: list[Any] = Field(default_factory=list)


class Listed(Told):
    """Trades of a window, as many as a page holds."""

    total_results: int = 0
    full_order_info_list: list[ListedTrade] = Field(default_factory=list)


class ListedRefund(Told):
    """A refund of a window; which trade it is of."""

    refund_id: Id
    tid: Id


class ListedRefunds(Told):
    """Refunds of a window, as many as a page holds."""

    total: int = 0
    refunds: list[ListedRefund] = Field(default_factory=list)


class Customer(Told):
    """A customer as the shop knows them."""

    yz_open_id: str | None = None
    name: str | None = None
    gender: int | None = None
    birthday: str | None = None
    mobile: str | None = None
    is_member: bool | None = None
    member_created_at: int | None = None
    ascription_kdt_id: Id | None = None

    @property
    def is_one(self) -> bool:
        """Whether they are a member 会员, which not every answer says in so many words."""
        return bool(self.member_created_at) if self.is_member is None else self.is_member

    @property
    def joined_at(self) -> datetime | None:
        """Since when they are a member; told in seconds or milliseconds."""
        told = self.member_created_at
        if not told or told < 0 or told >= 10**14:
            return None
        return datetime.fromtimestamp(told / (1000 if told >= _MILLISECONDS_FROM else 1), UTC)


class ListedCustomer(Told):
    """A customer of a list."""

    yz_open_id: str


class ListedCustomers(Told):
    """Customers of a window, as many as a page holds."""

    total: int = 0
    record_list: list[ListedCustomer] = Field(default_factory=list)


class _Tag(Told):
    name: str


class _Tags(Told):
    tags: list[_Tag] = Field(default_factory=list)


class _Points(Told):
    point: int


class _Done(Told):
    is_success: bool = True


class GuideOf(Told):
    """Who looks after a customer."""

    guide_yz_open_id: str | None = None
    is_valid: bool = False
    bind_at: int | None = None


class _Given(Told):
    verify_code: str | None = None
    promocard_id: Id | None = None
    promocode_id: Id | None = None


class _GivenCoupon(Told):
    promocard: _Given | None = None
    promocode: _Given | None = None


def trade(shop: Shop, tid: str) -> Trade:
    """A trade as it is now."""
    return read(Trade, ask(shop, "youzan.trade.get", "4.0.2", {"tid": tid}))


def trades_changed(shop: Shop, since: datetime, until: datetime, page: int) -> Listed:
    """A page, from 1, of the trades that changed in a window of at most three months."""
    asked = {
        "start_update": _local(since),
        "end_update": _local(until),
        "page_no": page,
        "page_size": TRADES_AT_ONCE,
    }
    return read(Listed, ask(shop, "youzan.trades.sold.get", "4.0.4", asked))


def refunds_changed(shop: Shop, since: datetime, until: datetime, page: int) -> ListedRefunds:
    """A page, from 1, of the refunds that changed in a window."""
    asked = {
        "update_time_start": _seconds(since),
        "update_time_end": _seconds(until),
        "page_no": page,
        "page_size": REFUNDS_AT_ONCE,
    }
    return read(ListedRefunds, ask(shop, "youzan.trade.refund.search", "3.0.1", asked))


def refund(shop: Shop, refund_id: str) -> Refund:
    """A refund as it is now."""
    asked = {"refund_id": refund_id}
    return read(Refund, ask(shop, "youzan.trade.refund.get", "3.0.1", asked))


def customer(shop: Shop, key: str) -> Customer | None:
    """Who a customer is; None for somebody who is not the shop's, or is gone."""
    asked = {
        "yz_open_id": key,
        "account_info": _user(key),
        "fields": "user_base",
        "is_do_ext_point": False,
    }
    told = ask(shop, "youzan.scrm.customer.detail.get", "1.0.1", asked, fine=_NOBODY)
    return read(Customer, told) if told else None


def customers_since(shop: Shop, since: datetime, until: datetime, page: int) -> ListedCustomers:
    """A page, from 1, of the customers who became such in a window."""
    asked = {
        "created_at_start": _seconds(since),
        "created_at_end": _seconds(until),
        "page_no": page,
        "page_size": CUSTOMERS_AT_ONCE,
    }
    return read(ListedCustomers, ask(shop, "youzan.scrm.customer.list", "1.0.0", asked))


def tags_of(shop: Shop, customer: str) -> list[str]:
    """The names of a customer's tags."""
    rates.take(shop.id, "tags", _TAGS_PER_SECOND)
    asked = {"account_type": "YzOpenId", "account_id": customer}
    told = read(_Tags, ask(shop, "youzan.scrm.tagrelation.query", "1.0.0", asked))
    return [tag.name for tag in told.tags]


def points_of(shop: Shop, customer: str) -> int:
    """What a customer has."""
    asked = {"user": _user(customer)}
    rates.take(shop.id, "points", _POINTS_PER_SECOND)
    return read(_Points, ask(shop, "youzan.crm.customer.points.get", "1.0.0", asked)).point


def change_points(shop: Shop, customer: str, points: int, *, key: str, reason: str) -> None:
    """Give points, or take them where they are less than none, once for a key.

    The vendor wants never two at once for one customer: the caller sees to that.
    """
    what = "increase" if points > 0 else "decrease"
    params = {
        "user": _user(customer),
        "points": abs(points),
        "reason": reason,
        "biz_value": key,
        "biz_token": key,
        "check_customer": False,
        "is_do_ext_point": True,
    }
    rates.take(shop.id, "points", _POINTS_PER_SECOND)
    name = f"youzan.crm.customer.points.{what}"
    told = ask(shop, name, "4.0.0", {"params": params}, fine={_REPEATED})
    if told is not None and not read(_Done, told).is_success:
        raise VendorRefused("is_success false")


def change_tags(shop: Shop, customer: str, names: Sequence[str], *, give: bool) -> None:
    """Give tags by name, or take them; at most 20 at once, of at most 32 characters."""
    rates.take(shop.id, "tags", _TAGS_PER_SECOND)
    asked = {
        "account_type": "YzOpenId",
        "account_id": customer,
        "tags": [{"tag_name": name} for name in names],
    }
    ask(shop, f"youzan.scrm.tag.relation.{'add' if give else 'delete'}", "4.0.0", asked)


def guide_of(shop: Shop, customer: str) -> GuideOf | None:
    """Who looks after a customer; None where nobody does."""
    asked = {"request": {"cust_yz_open_id": customer}}
    told = ask(shop, "youzan.guide.relation.query.userId", "2.0.0", asked)
    found = read(GuideOf, told) if told else None
    return found if found and found.is_valid else None


def bind_guide(shop: Shop, customer: str, guide: str) -> None:
    """Have a guide look after a customer. Unverified: no source shows the question's fields."""
    asked = {"request": {"ctYzOpenId": customer, "dsYzOpenId": guide, "kdtId": shop.vendor_key}}
    ask(shop, "youzan.guide.relation.bind", "2.0.0", asked)


def unbind_guide(shop: Shop, customer: str, guide: str) -> None:
    """Have nobody look after a customer. Unverified, as is binding."""
    asked = {"request": {"ctYzOpenId": customer, "dsYzOpenId": guide, "kdtId": shop.vendor_key}}
    ask(shop, "youzan.guide.relation.invalid", "2.0.0", asked)


def give_coupon(shop: Shop, mobile: str, group_id: str) -> str:
    """Give a coupon of a group to who has this phone; the coupon's id there."""
    rates.take(shop.id, "coupons", _OTHERS_PER_SECOND)
    asked = {"coupon_group_id": group_id, "mobile": mobile}
    told = read(_GivenCoupon, ask(shop, "youzan.ump.coupon.take", "3.0.0", asked))
    given = told.promocard or told.promocode
    code = given and (given.promocard_id or given.promocode_id or given.verify_code)
    if not code:
        raise Unreadable("a coupon without an id")
    return code


def _user(customer: str) -> dict[str, Any]:
    return {"account_id": customer, "account_type": _YZ_OPEN_ID}


def _local(instant: datetime) -> str:
    return instant.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")


def _seconds(instant: datetime) -> int:
    return int(instant.timestamp())
