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
