"""Weimob's API (WOS), as far as it is asked: one function for each question, with a typed answer.

Ids are 64-bit numbers there, and text here. Questions follow the vendor's own client.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from graphql_api.connectors.errors import VendorRefused
from graphql_api.connectors.models import Shop
from graphql_api.connectors.told import Id, Told, read
from graphql_api.connectors.weimob.asking import ask
from graphql_api.connectors.weimob.details import Customer, OrderDetail, Rights
from graphql_api.connectors.weimob.fields import milliseconds

ORDERS_AT_ONCE = 20
MOST_ORDERS = 10_000
_BY_UPDATE = 2
_GROUP = 1
"""The vidType of the whole group 集团."""
_SCENE = 945000


class ListedOrders(Told):
    """Orders of a window, as many as a page holds."""

    total: int = Field(default=0, alias="totalCount")
    orders: list[OrderDetail] = Field(default_factory=list, alias="pageList")


class _RightsAnswer(Told):
    info: Rights = Field(alias="rightsInfo")


class _Customers(Told):
    found: list[Customer] = Field(default_factory=list, alias="userBaseInfoList")


class _Points(Told):
    available: int = Field(default=0, alias="availablePoint")


class _Adjusted(Told):
    result: bool = True


class _Guide(Told):
    wid: Id | None = Field(default=None, alias="guiderWid")


class _TagValue(Told):
    id: Id = Field(alias="attrId")


class _Tag(Told):
    id: Id = Field(alias="tagId")
    values: list[_TagValue] = Field(default_factory=list, alias="customerTagAttrVoList")


class _Coupon(Told):
    code: Id | None = None


class _Given(Told):
    coupons: list[_Coupon] = Field(default_factory=list, alias="couponList")


# --- orders ----------------------------------------------------------------------------------


def order(shop: Shop, order_no: str) -> OrderDetail:
    """An order as it is now."""
    asked = {"orderNo": int(order_no), "orderDomains": [1, 2, 3, 4]}
    return read(OrderDetail, ask(shop, "weimob_shop", "order/detail/get", asked))


def orders_changed(shop: Shop, since: datetime, until: datetime, page: int) -> ListedOrders:
    """A page, from 1, of the orders that changed in a window."""
    window = {
        "type": _BY_UPDATE,
        "startTime": milliseconds(since),
        "endTime": milliseconds(until),
    }
    asked = {
        "queryParameter": {"queryTime": window},
        "pageNum": page,
        "pageSize": ORDERS_AT_ONCE,
    }
    return read(ListedOrders, ask(shop, "weimob_shop", "order/list/search", asked))


def rights(shop: Shop, rights_id: str) -> Rights:
    """A return or refund as it is now."""
    asked = {"rightsId": int(rights_id)}
    return read(_RightsAnswer, ask(shop, "weimob_shop", "rights/detail/get", asked)).info


# --- customers -------------------------------------------------------------------------------


def customer(shop: Shop, wid: str) -> Customer | None:
    """Who a customer is; None for nobody."""
    asked = {"vid": int(shop.vendor_key), "widList": [int(wid)], "resultType": [1, 2]}
    found = read(_Customers, ask(shop, "weimob_crm", "customer/getList", asked) or {}).found
    return next((one for one in found if one.wid == wid), None)


def points_of(shop: Shop, wid: str) -> int:
    """What a customer has."""
    asked = {"vid": int(shop.vendor_key), "wid": int(wid)}
    return read(_Points, ask(shop, "weimob_crm", "point/get", asked)).available


def change_points(shop: Shop, wid: str, points: int, *, key: str, reason: str) -> None:
    """Give points, or take them where they are less than none, once for a key."""
    whose = {"vid": int(shop.vendor_key), "wid": int(wid)}
    asked = {
        "adjustPointInfoList": [whose],
        "requestId": key,
        "outTransNo": key,
        "changePoint": abs(points),
        "adjustType": "1" if points > 0 else "2",
        "changeReason": reason,
    }
    told = read(_Adjusted, ask(shop, "weimob_crm", "point/adjust", asked) or {})
    if not told.result:
        raise VendorRefused("result false")


def tags_of(shop: Shop, wid: str) -> list[str]:
    """A customer's tags, as they are linked: `tag`, or `tag:value`."""
    asked = {"widList": [int(wid)], "vid": int(shop.vendor_key), "vidType": _GROUP}
    answer = ask(shop, "weimob_cdp", "customer/tag/getList", asked) or {}
    found = [read(_Tag, told) for told in _listed(answer, wid)]
    return [
        key
        for tag in found
        for key in ([f"{tag.id}:{value.id}" for value in tag.values] or [tag.id])
    ]


def _listed(answer: dict[str, Any], wid: str) -> list[Any]:
    """The tags of a customer: told as a map by wid, or a list of such maps."""
    told = answer.get("customerTagListMap") or {}
    maps = told if isinstance(told, list) else [told]
    for one in maps:
        for name in (wid, "wid"):
            if isinstance(one, dict) and isinstance(one.get(name), list):
                return list(one[name])
    return []


def change_tags(shop: Shop, wid: str, keys: Sequence[str], *, give: bool) -> None:
    """Give tags, or take them."""
    parts = [key.partition(":") for key in keys]
    told = [
        {"tagId": int(tag)} | ({"attrIdList": [int(value)]} if value else {})
        for tag, _, value in parts
    ]
    asked = {
        "tagList": told,
        "widList": [int(wid)],
        "vid": int(shop.vendor_key),
        "vidType": _GROUP,
        "bosId": int(shop.vendor_key),
    }
    ask(shop, "weimob_cdp", f"customer/tag/{'bind' if give else 'unbind'}", asked)


def guide_of(shop: Shop, wid: str) -> str | None:
    """The wid of who looks after a customer; None where nobody does."""
    asked = {"wid": int(wid), "bizVid": int(shop.vendor_key)}
    return read(_Guide, ask(shop, "weimob_guide", "customer/guider/get", asked) or {}).wid


def set_guide(shop: Shop, wid: str, guide: str | None, *, before: str | None) -> None:
    """Have a guide look after a customer, or nobody."""
    asked: dict[str, Any] = {"wid": int(wid), "bizVid": int(shop.vendor_key)}
    if guide is None:
        if before is not None:
            ask(
                shop,
                "weimob_guide",
                "customer/guider/unbind",
                asked | {"guiderWid": int(before)},
            )
        return
    action = "changeBind" if before else "bind"
    ask(shop, "weimob_guide", f"customer/guider/{action}", asked | {"guiderWid": int(guide)})


def give_coupon(shop: Shop, wid: str, template: str, *, key: str) -> str:
    """Give a coupon of a template, once for a key; its code there."""
    asked = {
        "couponNums": [{"couponTemplateId": int(template), "num": 1, "requestId": key}],
        "wid": int(wid),
        "scene": _SCENE,
        "vid": int(shop.vendor_key),
        "vidType": _GROUP,
    }
    told = read(_Given, ask(shop, "weimob_crm", "coupon/receive", asked) or {})
    code = next((coupon.code for coupon in told.coupons if coupon.code), None)
    if code is None:
        raise VendorRefused("no coupon")
    return code
