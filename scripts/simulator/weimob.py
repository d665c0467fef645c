"""Weimob's side of the wire (WOS): its pushes, and what its API answers.

As the vendor's own client has it: ids are numbers, money is yuan in text, the parameters of a
token stand in the query, and every answer has a code in a text.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from scripts.simulator.faults import Faults
from scripts.simulator.weimob_orders import Answer, detail, number_of, profile, rights, time_of
from scripts.simulator.weimob_pushes import Pushing
from scripts.simulator.world import Customer, World

_LIFE = 604_799


class Weimob(Pushing):
    """One app with one shop, as it is asked."""

    paths: tuple[str, ...] = ("/fuwu/", "/apigw/")

    def __init__(
        self, world: World, faults: Faults, *, client_id: str, secret: str, shop: str
    ) -> None:
        super().__init__(world, faults, client_id=client_id, secret=secret, shop=shop)
        self.asked: list[str] = []
        self._tokens = 0
        self._token: tuple[str, datetime] | None = None

    def answer(self, path: str, query: dict[str, str], body: Answer, at: datetime) -> Answer | None:
        """What a POST is answered; None where there is nothing."""
        if path == "/fuwu/b/oauth2/token":
            return self._new_token(query, at)
        if not path.startswith("/apigw/"):
            return None
        product, _, rest = path.removeprefix("/apigw/").partition("/v2.0/")
        self.asked.append(f"{product}/{rest}")
        if not self._is_known(query.get("accesstoken", ""), at):
            return _no("80001001000119", "accesstoken无效或已过期")
        words = f"{product}/{rest}".replace("/", "_").lower()
        found = getattr(self, f"_api_{words}", None)
        if found is None:
            return _no("80001001000100", "接口不存在")
        told: Answer = found(body)
        return told

    def _new_token(self, query: dict[str, str], at: datetime) -> Answer:
        wanted = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.secret,
            "shop_id": self.shop,
            "shop_type": "business_operation_system_id",
        }
        if query != wanted:
            return {"error": "invalid_client", "error_description": "应用信息错误"}
        seconds = self.faults.tokens_last or _LIFE
        if self._token is None or at >= self._token[1]:
            self._tokens += 1
            self._token = f"token-{self._tokens}", at + timedelta(seconds=seconds)
        text, until = self._token
        return {
            "access_token": text,
            "token_type": "bearer",
            "expires_in": int((until - at).total_seconds()),
            "scope": "default",
            "business_operation_system_id": self.shop,
        }

    def _is_known(self, token: str, at: datetime) -> bool:
        return self._token is not None and token == self._token[0] and at < self._token[1]

    def withdraw_token(self) -> None:
        """Know no token any more."""
        self._token = None

    # --- orders --------------------------------------------------------------------------

    def _api_weimob_shop_order_detail_get(self, body: Answer) -> Answer:
        order = self.world.orders.get(str(body["orderNo"]))
        return _done(detail(order, self.shop)) if order else _no("1041015000001", "订单不存在")

    def _api_weimob_shop_order_list_search(self, body: Answer) -> Answer:
        window = body["queryParameter"]["queryTime"]
        since, until = _instant(window["startTime"]), _instant(window["endTime"])
        found = self.world.changed(since, until)
        begin = (int(body["pageNum"]) - 1) * int(body["pageSize"])
        page = found[begin : begin + int(body["pageSize"])]
        told = [detail(order, self.shop) for order in page]
        return _done({"pageList": told, "totalCount": len(found)})

    def _api_weimob_shop_rights_detail_get(self, body: Answer) -> Answer:
        for order in self.world.orders.values():
            for refund in order.refunds:
                if number_of(refund) == body["rightsId"]:
                    return _done({"rightsInfo": rights(order, refund)})
        return _no("1041015000002", "售后单不存在")

    # --- customers -----------------------------------------------------------------------

    def _api_weimob_crm_customer_getlist(self, body: Answer) -> Answer:
        asked = [self.world.whoever(str(wid)) for wid in body["widList"]]
        told = [
            profile(customer, self.shop)
            for customer, wid in zip(asked, body["widList"], strict=True)
            if customer and customer.key == str(wid)
        ]
        return _done({"userBaseInfoList": told})

    def _api_bos_user_info_get(self, body: Answer) -> Answer:
        customer = self._whose(body)
        return _done({"wid": int(customer.key), "phone": "138****0000"}) if customer else _nobody()

    def _api_weimob_crm_point_get(self, body: Answer) -> Answer:
        customer = self._whose(body)
        if customer is None:
            return _nobody()
        return _done({"availablePoint": str(customer.points), "totalPoint": str(customer.points)})

    def _api_weimob_crm_point_adjust(self, body: Answer) -> Answer:
        customer = self._whose(body["adjustPointInfoList"][0])
        if customer is None:
            return _nobody()
        if self._is_new("points", body["requestId"]):
            sign = 1 if str(body["adjustType"]) == "1" else -1
            customer.points = max(0, customer.points + sign * int(body["changePoint"]))
        return _done({"result": True})

    def _api_weimob_cdp_customer_tag_bind(self, body: Answer) -> Answer:
        return self._tagged(body, is_on=True)

    def _api_weimob_cdp_customer_tag_unbind(self, body: Answer) -> Answer:
        return self._tagged(body, is_on=False)

    def _tagged(self, body: Answer, *, is_on: bool) -> Answer:
        keys = {
            f"{tag['tagId']}:{value}" if value else str(tag["tagId"])
            for tag in body["tagList"]
            for value in tag.get("attrIdList") or [None]
        }
        for wid in body["widList"]:
            if customer := self.world.whoever(str(wid)):
                customer.tags = customer.tags | keys if is_on else customer.tags - keys
        return _done({})

    def _api_weimob_cdp_customer_tag_getlist(self, body: Answer) -> Answer:
        told = {str(wid): self._tags(self.world.whoever(str(wid))) for wid in body["widList"]}
        return _done({"customerTagListMap": told})

    def _tags(self, customer: Customer | None) -> list[Answer]:
        pairs = [key.partition(":") for key in sorted(customer.tags if customer else ())]
        return [
            {
                "tagId": int(tag),
                "customerTagAttrVoList": [{"attrId": int(value)}] if value else [],
            }
            for tag, _, value in pairs
        ]

    # --- guides and coupons --------------------------------------------------------------

    def _api_weimob_guide_customer_guider_get(self, body: Answer) -> Answer:
        customer = self._whose(body)
        if customer is None or customer.guide is None:
            return _done(None)
        return _done(
            {
                "guiderWid": int(customer.guide),
                "customerWid": int(customer.key),
                "bindTime": str(time_of(customer.joined_at)),
            }
        )

    def _api_weimob_guide_customer_guider_bind(self, body: Answer) -> Answer:
        customer = self._whose(body)
        if customer is not None and customer.guide is not None:
            return _no("1050900000001", "客户已绑定导购")
        return self._relate(customer, str(body["guiderWid"]))

    def _api_weimob_guide_customer_guider_changebind(self, body: Answer) -> Answer:
        return self._relate(self._whose(body), str(body["guiderWid"]))

    def _api_weimob_guide_customer_guider_unbind(self, body: Answer) -> Answer:
        return self._relate(self._whose(body), None)

    def _relate(self, customer: Customer | None, guide: str | None) -> Answer:
        if customer is None:
            return _nobody()
        customer.guide = guide
        return _done({"result": True})

    def _api_weimob_crm_coupon_receive(self, body: Answer) -> Answer:
        customer = self._whose(body)
        if customer is None:
            return _nobody()
        given = []
        for wanted in body["couponNums"]:
            key = f"coupon|{wanted['requestId']}"
            if key not in self.world.keys_used:
                code = str(880_000_000_000 + self.world.next_number())
                template = str(wanted["couponTemplateId"])
                self.world.coupons[code] = {"group": template, "to": customer.key}
                self.world.keys_used[key] = code
            given.append({"code": self.world.keys_used[key]})
        return _done({"couponList": given})

    def _whose(self, body: Answer) -> Customer | None:
        return self.world.whoever(str(body.get("wid")))

    def _is_new(self, what: str, key: str) -> bool:
        """Whether a request has not been made before; it has been from now on."""
        once = f"{what}|{key}"
        is_new = once not in self.world.keys_used
        self.world.keys_used[once] = True
        return is_new


def _done(data: Any) -> Answer:
    code = {"errcode": "0", "errmsg": "success"}
    return {"code": code, "globalTicket": "20231213-1", "data": data}


def _no(code: str, text: str) -> Answer:
    told = {"errcode": code, "errmsg": text}
    return {"code": told, "globalTicket": "20231213-1", "data": None}


def _nobody() -> Answer:
    return _no("1030900000001", "客户不存在")


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
