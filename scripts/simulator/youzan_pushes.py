"""What Youzan pushes: four forms of message, signed over the bytes of the body."""

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import quote, quote_plus

from scripts.simulator.faults import Faults
from scripts.simulator.pushes import Push
from scripts.simulator.world import Event, World
from scripts.simulator.youzan_trades import Answer, milliseconds, time_of, trade


class Pushing:
    """What one app with one shop pushes."""

    name = "youzan"

    def __init__(
        self, world: World, faults: Faults, *, client_id: str, secret: str, shop: str
    ) -> None:
        self.world, self.faults = world, faults
        self.client_id, self.secret, self.shop = client_id, secret, shop

    # --- pushes --------------------------------------------------------------------------

    def pushes(self, event: Event) -> Iterator[Push]:
        """What it pushes when something happened."""
        match event.what:
            case "order":
                yield self._push(
                    "trade_TradePaid",
                    event.subject,
                    "TRADE_PAID",
                    event.at,
                    trade(self.world.orders[event.subject], self.shop),
                )
            case "settled":
                yield self._push(
                    "trade_TradeSuccess",
                    event.subject,
                    "TRADE_SUCCESS",
                    event.at,
                    {"tid": event.subject, "update_time": time_of(event.at)},
                )
            case "refund":
                refund_id = event.more["refund_id"]
                told = {
                    "tid": event.subject,
                    "refund_id": refund_id,
                    "refund_type": "REFUND_ONLY",
                    "version": milliseconds(event.at),
                }
                yield self._push(
                    "youzan_trade_RefundSuccess",
                    event.subject,
                    "REFUND_SUCCESS",
                    event.at,
                    told,
                    form="object",
                )
            case "customer":
                yield self._customer(event)
            case "closed":
                yield self._customer(event, is_log_off=True)
            case "points":
                yield self._points(event)
            case "merge":
                info = {
                    "kdt_id": int(self.shop),
                    "from_yz_open_id": event.more["from"],
                    "to_yz_open_id": event.subject,
                }
                told = {"merge_time": time_of(event.at), "merge_info": info}
                yield self._push(
                    "OPEN_PUSH_SCRM_MEMBER_MERGE", event.subject, "", event.at, told, form="beside"
                )

    def _customer(self, event: Event, *, is_log_off: bool = False) -> Push:
        customer = self.world.customers[event.subject]
        told = {
            "account_id": customer.key,
            "account_type": "YouZanAccount",
            "yz_open_id": customer.key,
            "name": customer.name,
            "gender": customer.gender,
            "birthday": str(customer.birthday or ""),
            "mobile": "138****0000",
            "is_member": customer.is_member,
            "is_log_off": is_log_off,
            "src": 400,
        }
        status = "CUSTOMER_CREATED" if event.more.get("is_new") else "CUSTOMER_UPDATED"
        return self._push("SCRM_CUSTOMER_EVENT", customer.key, status, event.at, told, form="plus")

    def _points(self, event: Event) -> Push:
        mine = event.more.get("client_hash", "")
        told = {
            "amount": str(event.more["change"]),
            "total": str(event.more["total"]),
            "event_type": "4",
            "description": "消费得积分",
            "biz_value": event.more["why"],
            "unique_id": f"u-{self.world.next_number()}",
            "create_time": time_of(event.at),
            "mobile": "137****5678",
            "yz_open_id": event.subject,
            "client_hash": mine,
        }
        return self._push("POINTS", f"yuser_{event.subject}", "", event.at, told, form="plus")

    def _push(
        self,
        type_: str,
        subject: str,
        status: str,
        at: datetime,
        told: Answer,
        form: str = "percent",
    ) -> Push:
        text = json.dumps(told, ensure_ascii=False)
        number = self.world.next_number()
        body: Answer = {
            "client_id": self.client_id,
            "id": subject,
            "kdt_id": int(self.shop),
            "kdt_name": "测试旗舰店",
            "root_kdt_id": int(self.shop),
            "mode": 1,
            "sendCount": 0,
            "status": status,
            "test": False,
            "type": type_,
            "version": milliseconds(at) * 1000 + number % 1000,
            "msg_id": hashlib.sha256(f"{self.shop}{number}".encode()).hexdigest()[:36],
        }
        match form:
            case "percent":
                body["msg"] = quote(text, safe=":,")
            case "plus":
                body["msg"] = quote_plus(text)
            case "object":
                body["msg"] = told
            case "beside":
                body |= told
        raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        return Push(self.name, type_, at, self._headers(type_, raw), raw)

    def _headers(self, type_: str, raw: bytes) -> dict[str, str]:
        sign = hashlib.md5(self.client_id.encode() + raw + self.secret.encode()).hexdigest()  # noqa: S324
        return {
            "Content-Type": "application/json",
            "Event-Sign": sign,
            "Event-Type": type_,
            "Client-Id": self.client_id,
        }
