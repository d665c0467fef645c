"""How Weimob tells orders and returns: money in yuan as text, times in milliseconds."""

from datetime import datetime, timedelta, timezone
from typing import Any

from scripts.simulator.world import Customer, Line, Order, Refund

CHINA = timezone(timedelta(hours=8))
_TO_SHIP, _DONE, _CANCELLED = 3, 8, 9
_ONLINE, _IN_STORE = 10001, 10002
RETURNED = 6

Answer = dict[str, Any]


def time_of(instant: datetime | None) -> int:
    """Milliseconds since 1970; 0 for none."""
    return int(instant.timestamp() * 1000) if instant else 0


def local_time(instant: datetime) -> str:
    """A time of China without a zone."""
    return instant.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")


def yuan(fen: int) -> str:
    """Money in yuan, as text."""
    return f"{fen // 100}.{fen % 100:02d}"


def number_of(refund: Refund) -> int:
    """The id of a return: a number here."""
    return int(refund.id.removeprefix("R"))


def status_of(order: Order) -> int:
    """Where an order is."""
    if order.refunded == order.paid:
        return _CANCELLED
    return _DONE if order.settled_at else _TO_SHIP


def detail(order: Order, shop: str) -> Answer:
    """An order with its returns, as it is told and listed."""
    base = {
        "orderNo": int(order.no),
        "parentOrderNo": int(order.no),
        "orderStatus": status_of(order),
        "payStatus": 2,
        "createTime": time_of(order.paid_at - timedelta(seconds=30)),
        "payTime": time_of(order.paid_at),
        "updateTime": time_of(order.updated_at),
        "finishTime": time_of(order.settled_at),
    }
    info: Answer = {
        "orderBaseInfo": base,
        "buyerInfo": {"wid": int(order.customer), "userNickName": "微信用户"},
        "items": [_item(line) for line in order.lines],
        "merchantInfo": {"bosId": int(shop), "vid": int(order.store), "vidType": 10},
        "orderBizExt": {"saleChannelType": _IN_STORE if order.at_the_till else _ONLINE},
        "payInfo": {"payAmount": yuan(order.paid), "totalAmount": yuan(order.paid)},
    }
    if order.guide:
        info["guideInfo"] = {"guiderWid": int(order.guide)}
    rights = [{"rightsId": number_of(r), "rightsStatus": RETURNED} for r in order.refunds]
    return {"orderInfo": info, "rightsInfos": rights}


def _item(line: Line) -> Answer:
    return {
        "itemId": int(line.id),
        "goodsTitle": line.title,
        "skuNum": str(line.quantity),
        "payInfo": {"payAmount": yuan(line.paid), "totalAmount": yuan(line.paid)},
    }


def rights(order: Order, refund: Refund) -> Answer:
    """A return, as it is asked for."""
    amount = {"applyAmount": yuan(refund.amount), "refundAmount": yuan(refund.amount)}
    return {
        "rightsOrder": {
            "rightsId": number_of(refund),
            "rightsStatus": RETURNED,
            "rightsType": 2,
            "createTime": time_of(refund.at),
            "updateTime": time_of(refund.at),
        },
        "originOrder": {"orderNo": int(order.no)},
        "buyerInfo": {"wid": int(order.customer)},
        "rightsItems": [{"orderItemId": int(refund.line_id), "refundDetail": amount}],
        "refundDetail": amount,
    }


def profile(customer: Customer, shop: str) -> Answer:
    """A customer, as they are asked for."""
    born = customer.birthday
    birthday = datetime(born.year, born.month, born.day, tzinfo=CHINA) if born else None
    return {
        "wid": int(customer.key),
        "name": customer.name,
        "nickname": "微信用户",
        "phone": "138****0000",
        "birthday": time_of(birthday) or None,
        "gender": customer.gender,
        "belongVid": int(shop),
        "becomeMemberTime": time_of(customer.joined_at),
        "isCustomer": True,
        "hasValidMemberCard": customer.is_member,
    }
