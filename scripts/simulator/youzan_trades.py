"""How Youzan tells a trade: money in yuan as text, times of China without a zone."""

from datetime import datetime, timedelta, timezone
from typing import Any

from scripts.simulator.world import Order

CHINA = timezone(timedelta(hours=8))

Answer = dict[str, Any]


def time_of(instant: datetime | None) -> str:
    """A time of China without a zone; empty for none."""
    return instant.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S") if instant else ""


def yuan(fen: int) -> str:
    """Money in yuan, as text."""
    return f"{fen // 100}.{fen % 100:02d}"


def milliseconds(instant: datetime) -> int:
    """Since 1970."""
    return int(instant.timestamp() * 1000)


def trade(order: Order, shop: str) -> Answer:
    """The whole of an order, as it is told and listed."""
    guide = order.guide and {
        "order_sales_name": "导购",
        "order_sales_staff": order.guide,
        "order_sales_shop_no": order.store,
    }
    is_whole = order.refunded == order.paid
    info = {
        "tid": order.no,
        "type": 0,
        "created": time_of(order.paid_at - timedelta(seconds=30)),
        "status": "TRADE_CLOSED"
        if is_whole
        else "TRADE_SUCCESS"
        if order.settled_at
        else "WAIT_SELLER_SEND_GOODS",
        "pay_time": time_of(order.paid_at),
        "update_time": time_of(order.updated_at),
        "success_time": time_of(order.settled_at),
        "consign_time": "",
        "refund_state": 0 if not order.refunds else 12 if is_whole else 2,
        "close_type": 2 if is_whole else 0,
        "is_retail_order": order.at_the_till,
        "node_kdt_id": int(order.store),
        "root_kdt_id": int(shop),
        "shop_name": "门店",
        "order_extra": {
            "is_member": "true",
            "is_points_order": "0",
            "cashier_id": None,
            "is_offline": "1" if order.at_the_till else "0",
        }
        | ({"sales_guide": guide} if guide else {}),
    }
    lines = [
        {
            "oid": line.id,
            "item_id": 457846930,
            "title": line.title,
            "num": line.quantity,
            "price": yuan(line.paid),
            "total_fee": yuan(line.paid),
            "payment": yuan(line.paid),
            "is_present": False,
            "item_sales_staff": [],
        }
        for line in order.lines
    ]
    whole = {
        "order_info": info,
        "orders": lines,
        "buyer_info": {
            "yz_open_id": order.customer,
            "buyer_phone": "136****9324",
            "outer_user_id": "oEXAMPLE",
            "buyer_id": 1200000001,
        },
        "pay_info": {
            "payment": yuan(order.paid),
            "real_payment": yuan(order.paid),
            "total_fee": yuan(order.paid),
            "post_fee": "0.00",
            "deduction_pay": 0,
            "deduction_real_pay": 0,
        },
        "source_info": {"is_offline_order": order.at_the_till},
    }
    refunds = [
        {
            "refund_id": refund.id,
            "refund_state": 60,
            "refund_type": 1,
            "refund_fee": yuan(refund.amount),
        }
        for refund in order.refunds
    ]
    return {
        "full_order_info": whole,
        "order_promotion": {"order": [], "item": None},
        "refund_order": refunds,
        "delivery_order": [],
    }
