"""Messages as Youzan sends them; credentials, ids and phones are invented or masked."""

from typing import Any

import orjson

CLIENT_ID = "0123456789abcdef01"
SECRET = "fedcba9876543210fedcba9876543210"

PAID = (
    '{"client_id":"0123456789abcdef01","id":"E20261120100500012345678","kdt_id":56232,'
    '"kdt_name":"测试旗舰店","root_kdt_id":74234,"mode":1,"msg":"%7B%22update_time%22%3A%22'
    "2026-11-20%2010%3A05%3A03%22%2C%22payment%22%3A%22128.50%22%2C%22tid%22%3A%22"
    'E20261120100500012345678%22%2C%22status%22%3A%22TRADE_PAID%22%7D",'
    '"msg_id":"6dc15f0b-8682-4812-b635-ab66e199f330","sendCount":0,"status":"TRADE_PAID",'
    '"test":false,"type":"trade_TradePaid","version":1795140303}'
).encode()
PAID_SIGN = "9815ce75f6f594ce80c9f8fa737b88f4"

CARD = (
    "%7B%22fans_id%22%3A0%2C%22fans_type%22%3A0%2C%22mobile%22%3A%22186****7408%22%2C%22"
    "card_alias%22%3A%222flg1h77ias9yA%22%2C%22card_no%22%3A%22230597762487315507%22%2C%22"
    "event_time%22%3A%222018-01-28+16%3A00%3A29%22%7D"
)

COUPON = {
    "id": "10887216",
    "type": "COUPON_CUSTOMER_PROMOTION",
    "status": "CARD_TAKE",
    "fans_id": 0,
    "fans_type": 0,
    "mobile": "136****7533",
    "event_time": "2026-10-05 11:56:08",
    "verify_code": "ZAN3466537296698",
    "order_no": None,
}


def envelope(msg: object, **changed: object) -> bytes:
    """A body with this content."""
    told: dict[str, Any] = {
        "client_id": CLIENT_ID,
        "kdt_id": 56232,
        "id": "230597762487315507",
        "type": "SCRM_CUSTOMER_CARD",
        "status": "CUSTOMER_CARD_GIVEN",
        "version": 1517126429,
        "msg": msg,
        "sendCount": 0,
    }
    return orjson.dumps(told | changed)


def trade() -> dict[str, Any]:
    """The answer about a trade of one line, as it was given, with fields that are not read."""
    return {
        "full_order_info": {
            "order_info": {
                "tid": "E20190326101702000600011",
                "status": "WAIT_SELLER_SEND_GOODS",
                "status_str": "待发货",
                "type": 0,
                "created": "2019-03-26 10:17:02",
                "pay_time": "2019-03-26 10:17:08",
                "update_time": "2019-03-26 10:17:11",
                "expired_time": "2019-03-26 11:17:02",
                "consign_time": "",
                "confirm_time": "",
                "success_time": "",
                "pay_type": 10,
                "refund_state": 0,
                "close_type": 0,
                "is_retail_order": False,
                "is_multi_store": True,
                "offline_id": 57694718,
                "node_kdt_id": 52323,
                "root_kdt_id": 435462,
                "shop_name": "西湖店",
                "shop_display_no": "offline001",
                "order_tags": {"is_member": True, "is_payed": True, "is_use_coupon": None},
                "order_extra": {
                    "is_member": "true",
                    "is_points_order": "0",
                    "is_offline": "0",
                    "buyer_name": "示例用户",
                    "cashier_id": None,
                    "service_guide": {
                        "service_guide_name": "小花",
                        "service_guide_shop_no": "offline001",
                        "service_guide_staff": '["xiaohua"]',
                    },
                    "sales_guide": {
                        "order_sales_name": "小花",
                        "order_sales_shop_no": "offline001",
                        "order_sales_staff": "xiaohua",
                    },
                    "daogou": '{"ch":"offline","id":"13574500955","name":"小暖",'
                    '"storeKdtId":"42655549","serviceSalesmanId":"13574500956",'
                    '"serviceSalesmanKdtId":"42655549","serviceSalesmanName":"专属导购-1"}',
                },
            },
            "buyer_info": {
                "yz_open_id": "LnhGm4rh576452722916618240",
                "outer_user_id": "oEXAMPLE0n0oxoyfTskwyP6EXMP",
                "buyer_phone": "136****9324",
                "buyer_id": 1200000001,
                "fans_nickname": "示例用户",
            },
            "pay_info": {
                "payment": "1.00",
                "real_payment": "1.00",
                "total_fee": "1.20",
                "post_fee": "0.00",
                "deduction_pay": 0,
                "deduction_real_pay": 0,
                "transaction": ["190326000000000046"],
                "phase_payments": [],
            },
            "orders": [
                {
                    "oid": "1507387350277163963",
                    "item_id": 457846930,
                    "sku_id": 0,
                    "outer_item_id": "8002",
                    "outer_sku_id": "8002",
                    "title": "测试002",
                    "num": 2,
                    "price": "0.30",
                    "discount_price": "0.30",
                    "total_fee": "0.60",
                    "payment": "0.50",
                    "points_price": "0",
                    "is_present": False,
                    "item_sales_staff": ["xiaohua"],
                    "sku_properties_name": "[]",
                }
            ],
            "remark_info": {"buyer_message": "", "trade_memo": None, "star": None},
            "source_info": {"is_offline_order": False, "source": {"platform": "wx"}},
            "child_info": None,
        },
        "order_promotion": {
            "adjust_fee": "0.00",
            "order_discount_fee": "0.20",
            "order": [
                {
                    "promotion_id": 4295457682,
                    "promotion_type": "meetReduce",
                    "discount_fee": "0.20",
                    "coupon_id": "",
                }
            ],
            "item": None,
        },
        "refund_order": [],
        "delivery_order": [],
        "qr_info": None,
    }


POINTS = {
    "amount": "20",
    "total": "132",
    "event_type": "4",
    "description": "消费得积分",
    "biz_value": "E20261005120000000000001",
    "unique_id": "u-1",
    "create_time": "2026-10-05 12:00:00",
    "mobile": "137****5678",
    "yz_open_id": "LnhGm4rh576452722916618240",
    "client_hash": "",
}
MERGE = {
    "merge_time": "2020-09-30 12:04:36",
    "merge_info": {"kdt_id": 41916907, "from_yz_open_id": "aaa", "to_yz_open_id": "bbb"},
}
REFUND = {
    "tid": "E20211123144258072900153",
    "refund_id": "202111231450000000010001",
    "version": 1637650930123,
    "refunded_fee": "0.50",
    "refund_type": "REFUND_ONLY",
}
