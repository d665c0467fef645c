"""Messages of Weimob as they are documented, with invented values."""

import hashlib
import json
from typing import Any

CLIENT_ID = "E0B3C4D5F6A70819"
SECRET = "9A8B7C6D5E4F30211203F4E5D6C7B8A9"
MESSAGE_ID = "7f6a1d3e-1c2b-4a5d-9e8f-000000000001"
CONTENT = (
    '{"orderNo":7310002451000112,"parentOrderNo":7310002451000112,"wid":11223344556,'
    '"vid":6000089123,"bosId":4020000000001,"orderStatus":2,"paymentStatus":2,'
    '"updateTime":1795140303000}'
)
SIGN = "ba4e945e274dc4771d6620087bcbcc97"
BOS_ID = "4020000000001"

POINTS = {
    "productId": 1,
    "wid": 11223344556,
    "transType": 0,
    "bizType": "104_1",
    "bizUniqueId": 8800112233,
    "changPoint": "100",
    "totalPoint": "1350",
    "changeTime": 1795140303000,
}
TAG = {
    "wid": 11223344556,
    "tagId": 301,
    "tagName": "肤质",
    "attId": 3011,
    "attValue": "油性",
    "tagVersion": 5,
    "event": "INSERT",
}
RELATION = {
    "bosId": BOS_ID,
    "customWid": "11223344556",
    "beforeGuiderWid": "11223348888",
    "afterGuiderWid": "11223349999",
    "eventType": "3",
    "time": 1795140303000,
}


def sign(content: str, message_id: str = MESSAGE_ID) -> str:
    """What Weimob would sign a content with; written here anew."""
    return hashlib.md5(f"{CLIENT_ID}{message_id}{content}{SECRET}".encode()).hexdigest()


def body(topic: str, event: str, content: Any, message_id: str = MESSAGE_ID, **more: Any) -> bytes:
    """A whole message, signed; a content that is no text is written as one."""
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    told = {
        "id": message_id,
        "topic": topic,
        "event": event,
        "bosId": int(BOS_ID),
        "sign": sign(text, message_id),
        "msgBody": text,
        "test": False,
        **more,
    }
    return json.dumps(told, ensure_ascii=False).encode()


def order(**changes: Any) -> dict[str, Any]:
    """What `order/detail/get` answers of an order of 128.50 yuan, in two lines."""
    base = {
        "orderNo": 7310002451000112,
        "orderStatus": 2,
        "payStatus": 2,
        "payTime": 1795140300000,
        "createTime": 1795140290000,
        "updateTime": 1795140303000,
        **changes.pop("base", {}),
    }
    return {
        "orderInfo": {
            "orderBaseInfo": base,
            "buyerInfo": {"wid": 11223344556, "userNickName": "示例"},
            "items": [
                {
                    "itemId": 1,
                    "goodsTitle": "面霜",
                    "skuNum": "2",
                    "payInfo": {"payAmount": "100.00"},
                },
                {
                    "itemId": 2,
                    "goodsTitle": "口红",
                    "skuNum": "1",
                    "payInfo": {"payAmount": "28.50"},
                },
            ],
            "merchantInfo": {"bosId": int(BOS_ID), "vid": 6000089123, "vidType": 10},
            "orderBizExt": {"saleChannelType": 10002},
            "payInfo": {"payAmount": "128.50"},
            "guideInfo": {"guiderWid": 11223349999},
            **changes.pop("info", {}),
        },
        "rightsInfos": [],
        **changes,
    }


def rights(status: int = 6, **changes: Any) -> dict[str, Any]:
    """What `rights/detail/get` answers of a refund of 28.50 yuan, of the second line."""
    return {
        "rightsOrder": {
            "rightsId": 99001,
            "rightsStatus": status,
            "createTime": 1795140400000,
            "updateTime": 1795140500000,
        },
        "originOrder": {"orderNo": 7310002451000112},
        "rightsItems": [{"orderItemId": 2, "refundDetail": {"refundAmount": "28.50"}}],
        "refundDetail": {"refundAmount": "28.50"},
        **changes,
    }
