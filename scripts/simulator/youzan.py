"""Youzan's side of the wire: its pushes, and what its API answers.

As documented: money in yuan as text (refunds by line in fen), times of China without a zone, HTTP
200 for everything, two envelopes of errors.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote, quote_plus

from scripts.simulator.faults import Faults
from scripts.simulator.pushes import Push
from scripts.simulator.world import Customer, Event, Order, World

CHINA = timezone(timedelta(hours=8))
_STALE, _UNKNOWN_TOKEN, _TOO_OFTEN = 4202, 4203, 4101
_TAGS_PER_SECOND = 5

Answer = dict[str, Any]


def _time(instant: datetime | None) -> str:
    return instant.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S") if instant else ""


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


class Youzan:
    """One app with one shop."""

    name = "youzan"

    def __init__(
        self, world: World, faults: Faults, *, client_id: str, secret: str, shop: str
    ) -> None:
        self.world, self.faults = world, faults
        self.client_id, self.secret, self.shop = client_id, secret, shop
        self.asked: list[str] = []
        self._tokens = 0
        self._token: tuple[str, datetime] | None = None
        self._tagged: list[datetime] = []

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
                    self._trade(self.world.orders[event.subject]),
                )
            case "settled":
                yield self._push(
                    "trade_TradeSuccess",
                    event.subject,
                    "TRADE_SUCCESS",
                    event.at,
                    {"tid": event.subject, "update_time": _time(event.at)},
                )
            case "refund":
                refund_id = event.more["refund_id"]
                told = {
                    "tid": event.subject,
                    "refund_id": refund_id,
                    "refund_type": "REFUND_ONLY",
                    "version": _milliseconds(event.at),
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
                told = {"merge_time": _time(event.at), "merge_info": info}
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
            "create_time": _time(event.at),
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
            "version": _milliseconds(at) * 1000 + number % 1000,
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

    def _trade(self, order: Order) -> Answer:
        guide = order.guide and {
            "order_sales_name": "导购",
            "order_sales_staff": order.guide,
            "order_sales_shop_no": order.store,
        }
        is_whole = order.refunded == order.paid
        info = {
            "tid": order.no,
            "type": 0,
            "created": _time(order.paid_at - timedelta(seconds=30)),
            "status": "TRADE_CLOSED"
            if is_whole
            else "TRADE_SUCCESS"
            if order.settled_at
            else "WAIT_SELLER_SEND_GOODS",
            "pay_time": _time(order.paid_at),
            "update_time": _time(order.updated_at),
            "success_time": _time(order.settled_at),
            "consign_time": "",
            "refund_state": 0 if not order.refunds else 12 if is_whole else 2,
            "close_type": 2 if is_whole else 0,
            "is_retail_order": order.at_the_till,
            "node_kdt_id": int(order.store),
            "root_kdt_id": int(self.shop),
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
                "price": _yuan(line.paid),
                "total_fee": _yuan(line.paid),
                "payment": _yuan(line.paid),
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
                "payment": _yuan(order.paid),
                "real_payment": _yuan(order.paid),
                "total_fee": _yuan(order.paid),
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
                "refund_fee": _yuan(refund.amount),
            }
            for refund in order.refunds
        ]
        return {
            "full_order_info": whole,
            "order_promotion": {"order": [], "item": None},
            "refund_order": refunds,
            "delivery_order": [],
        }

    # --- the API -------------------------------------------------------------------------

    def answer(self, path: str, query: dict[str, str], body: Answer, at: datetime) -> Answer | None:
        """What a POST is answered; None where there is nothing."""
        if path == "/auth/token":
            return self._new_token(body, at)
        if not path.startswith("/api/"):
            return None
        self.asked.append(path.removeprefix("/api/"))
        if refused := self._refused(query.get("access_token", ""), at):
            return {"gw_err_resp": {"err_code": refused, "err_msg": "token", "trace_id": "yz7-1"}}
        name, _, _version = path.removeprefix("/api/").rpartition("/")
        found = getattr(
            self, "_api_" + name.removeprefix("youzan.").replace(".", "_").lower(), None
        )
        if found is None:
            return {"gw_err_resp": {"err_code": 4005, "err_msg": "no such api", "trace_id": "1"}}
        answer: Answer = found(body, at)
        return answer

    def _new_token(self, body: Answer, at: datetime) -> Answer:
        known = body.get("client_id") == self.client_id and body.get("client_secret") == self.secret
        if not known:
            return {"success": False, "code": 1000, "message": "应用信息错误", "data": None}
        if body.get("authorize_type") != "silent" or str(body.get("grant_id")) != self.shop:
            return {"success": False, "code": 1103, "message": "授权关系不存在", "data": None}
        if self._token is None or at >= self._token[1] or body.get("refresh"):
            self._tokens += 1
            seconds = self.faults.tokens_last or 7 * 24 * 3600
            self._token = f"token-{self._tokens}", at + timedelta(seconds=seconds)
        text, until = self._token
        data = {
            "access_token": text,
            "expires": _milliseconds(until),
            "scope": "x",
            "authority_id": self.shop,
        }
        return {"success": True, "code": 200, "data": data, "message": None}

    def _refused(self, token: str, at: datetime) -> int | None:
        if self._token is None or token != self._token[0]:
            return _UNKNOWN_TOKEN
        return _STALE if at >= self._token[1] else None

    def withdraw_token(self) -> None:
        """Know no token any more, as after somebody else asked for one."""
        self._token = None

    def _api_trade_get(self, body: Answer, _at: datetime) -> Answer:
        order = self.world.orders.get(str(body.get("tid")))
        return _done(self._trade(order)) if order else _no(5000, "trade not found")

    def _api_trades_sold_get(self, body: Answer, _at: datetime) -> Answer:
        since, until = _instant(body["start_update"]), _instant(body["end_update"])
        found = self.world.changed(since, until)
        page = _page(found, body)
        told = [self._trade(order) for order in page]
        return _done({"total_results": len(found), "full_order_info_list": told})

    def _api_trade_refund_search(self, body: Answer, _at: datetime) -> Answer:
        found = [
            (order, refund) for order in self.world.orders.values() for refund in order.refunds
        ]
        if "update_time_start" in body:
            since, until = int(body["update_time_start"]), int(body["update_time_end"])
            found = [p for p in found if since <= p[1].at.timestamp() < until]
        if "tid" in body:
            found = [pair for pair in found if pair[0].no == body["tid"]]
        told = [{"refund_id": refund.id, "tid": order.no} for order, refund in _page(found, body)]
        return _done({"total": len(found), "refunds": told})

    def _api_trade_refund_get(self, body: Answer, _at: datetime) -> Answer:
        for order in self.world.orders.values():
            for refund in order.refunds:
                if refund.id == body.get("refund_id"):
                    item = {"oid": refund.line_id, "refund_fee": refund.amount}
                    return _done(
                        {
                            "refund_id": refund.id,
                            "tid": order.no,
                            "refund_fee": _yuan(refund.amount),
                            "status": "SUCCESS",
                            "created": _time(refund.at),
                            "modified": _time(refund.at),
                            "refund_order_item": [item],
                        }
                    )
        return _no(5000, "refund not found")

    def _api_scrm_customer_detail_get(self, body: Answer, _at: datetime) -> Answer:
        customer = self.world.whoever(str(body.get("yz_open_id")))
        if customer is None:
            return _no(144100001, "客户不存在")
        return _done(
            {
                "yz_open_id": customer.key,
                "name": customer.name,
                "gender": customer.gender,
                "birthday": str(customer.birthday or ""),
                "mobile": "138****0000",
                "is_member": customer.is_member,
                "ascription_kdt_id": int(self.shop),
                "created_at": _milliseconds(customer.joined_at),
            }
        )

    def _api_scrm_customer_list(self, body: Answer, _at: datetime) -> Answer:
        since, until = int(body["created_at_start"]), int(body["created_at_end"])
        found = [
            c
            for c in self.world.customers.values()
            if since <= c.joined_at.timestamp() < until and not c.became and not c.is_closed
        ]
        told = [{"yz_open_id": customer.key} for customer in _page(found, body)]
        return _done({"total": len(found), "record_list": told})

    def _api_crm_customer_points_get(self, body: Answer, _at: datetime) -> Answer:
        customer = self._user(body["user"])
        return _done({"point": customer.points}) if customer else _no(142100001, "no customer")

    def _api_crm_customer_points_increase(self, body: Answer, at: datetime) -> Answer:
        return self._move_points(body["params"], 1, at)

    def _api_crm_customer_points_decrease(self, body: Answer, at: datetime) -> Answer:
        return self._move_points(body["params"], -1, at)

    def _move_points(self, params: Answer, sign: int, at: datetime) -> Answer:
        customer = self._user(params["user"])
        if customer is None:
            return _no(142100001, "no customer")
        once = f"{customer.key}|{params['biz_value']}|{params['biz_token']}"
        if once in self.world.keys_used:
            return _no(142100106, "重复操作")
        self.world.keys_used[once] = at
        customer.points = max(0, customer.points + sign * int(params["points"]))
        return _done({"is_success": "true"})

    def _api_scrm_tag_relation_add(self, body: Answer, at: datetime) -> Answer:
        return self._tag(body, True, at)

    def _api_scrm_tag_relation_delete(self, body: Answer, at: datetime) -> Answer:
        return self._tag(body, False, at)

    def _tag(self, body: Answer, is_on: bool, at: datetime) -> Answer:
        self._tagged = [t for t in self._tagged if at - t < timedelta(seconds=1)]
        if len(self._tagged) >= _TAGS_PER_SECOND:
            return {
                "gw_err_resp": {"err_code": _TOO_OFTEN, "err_msg": "too often", "trace_id": "1"}
            }
        self._tagged.append(at)
        customer = self.world.whoever(str(body["account_id"]))
        if customer is None or body.get("account_type") != "YzOpenId" or len(body["tags"]) > 20:
            return _no(141500100, "参数错误")
        names = {tag["tag_name"] for tag in body["tags"]}
        customer.tags = customer.tags | names if is_on else customer.tags - names
        return _done({})

    def _api_scrm_tagrelation_query(self, body: Answer, _at: datetime) -> Answer:
        customer = self.world.whoever(str(body["account_id"]))
        names = sorted(customer.tags) if customer else []
        return _done({"tags": [{"tag_id": n, "name": name} for n, name in enumerate(names, 1)]})

    def _api_guide_relation_query_userid(self, body: Answer, _at: datetime) -> Answer:
        customer = self.world.whoever(str(body["request"]["cust_yz_open_id"]))
        if customer is None or customer.guide is None:
            return _done(None)
        return _done(
            {
                "guide_yz_open_id": customer.guide,
                "cust_yz_open_id": customer.key,
                "is_valid": True,
                "bind_at": _milliseconds(customer.joined_at),
            }
        )

    def _api_guide_relation_bind(self, body: Answer, _at: datetime) -> Answer:
        return self._relate(body["request"], body["request"]["dsYzOpenId"])

    def _api_guide_relation_invalid(self, body: Answer, _at: datetime) -> Answer:
        return self._relate(body["request"], None)

    def _relate(self, request: Answer, guide: str | None) -> Answer:
        customer = self.world.whoever(str(request["ctYzOpenId"]))
        if customer is None:
            return _no(160100001, "no customer")
        customer.guide = guide
        return _done(True)

    def _api_ump_coupon_take(self, body: Answer, _at: datetime) -> Answer:
        code = str(10_887_000 + self.world.next_number())
        self.world.coupons[code] = {"group": str(body["coupon_group_id"]), "to": body["mobile"]}
        return _done({"promocard": {"promocard_id": code, "verify_code": f"ZAN{code}"}})

    def _user(self, user: Answer) -> Customer | None:
        return self.world.whoever(str(user["account_id"])) if user["account_type"] == 5 else None


def _done(data: Any) -> Answer:
    return {
        "trace_id": "yz7-1",
        "code": 200,
        "success": True,
        "message": "successful",
        "data": data,
    }


def _no(code: int, text: str) -> Answer:
    return {"trace_id": "yz7-1", "code": code, "success": False, "message": text, "data": None}


def _page(found: list[Any], body: Answer) -> list[Any]:
    size = int(body["page_size"])
    start = (int(body["page_no"]) - 1) * size
    return found[start : start + size]


def _instant(local: str) -> datetime:
    return datetime.strptime(local, "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA).astimezone(UTC)


def _milliseconds(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)
