"""Youzan's side of the wire: its pushes, and what its API answers.

As documented: money in yuan as text (refunds by line in fen), times of China without a zone, HTTP
200 for everything, two envelopes of errors.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from scripts.simulator.faults import Faults
from scripts.simulator.world import Customer, World
from scripts.simulator.youzan_pushes import Pushing
from scripts.simulator.youzan_trades import CHINA, Answer, milliseconds, time_of, trade, yuan

_STALE, _UNKNOWN_TOKEN, _TOO_OFTEN = 4202, 4203, 4101
_TAGS_PER_SECOND = 5


class Youzan(Pushing):
    """One app with one shop, as it is asked."""

    paths: tuple[str, ...] = ("/auth/token", "/api/")

    def __init__(
        self, world: World, faults: Faults, *, client_id: str, secret: str, shop: str
    ) -> None:
        super().__init__(world, faults, client_id=client_id, secret=secret, shop=shop)
        self.asked: list[str] = []
        self._tokens = 0
        self._token: tuple[str, datetime] | None = None
        self._tagged: list[datetime] = []

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
            "expires": milliseconds(until),
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
        return _done(trade(order, self.shop)) if order else _no(5000, "trade not found")

    def _api_trades_sold_get(self, body: Answer, _at: datetime) -> Answer:
        since, until = _instant(body["start_update"]), _instant(body["end_update"])
        found = self.world.changed(since, until)
        page = _page(found, body)
        told = [trade(order, self.shop) for order in page]
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
                            "refund_fee": yuan(refund.amount),
                            "status": "SUCCESS",
                            "created": time_of(refund.at),
                            "modified": time_of(refund.at),
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
                "created_at": milliseconds(customer.joined_at),
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
                "bind_at": milliseconds(customer.joined_at),
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
