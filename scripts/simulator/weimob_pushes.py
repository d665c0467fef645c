"""What Weimob pushes: one envelope, signed in the body over its content alone."""

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime

from scripts.simulator.faults import Faults
from scripts.simulator.pushes import Push
from scripts.simulator.weimob_orders import (
    RETURNED,
    Answer,
    local_time,
    number_of,
    status_of,
    time_of,
)
from scripts.simulator.world import Event, World

_BOUND, _REBOUND, _UNBOUND, _LEFT = "2", "3", "6", "7"


class Pushing:
    """What one app with one shop pushes."""

    name = "weimob"

    def __init__(
        self, world: World, faults: Faults, *, client_id: str, secret: str, shop: str
    ) -> None:
        self.world, self.faults = world, faults
        self.client_id, self.secret, self.shop = client_id, secret, shop

    def pushes(self, event: Event) -> Iterator[Push]:
        """What it pushes when something happened."""
        match event.what:
            case "order" | "settled":
                yield self._order(event)
            case "refund":
                yield self._rights(event)
            case "customer" if event.more.get("is_new"):
                told = {
                    "membershipCreateSceneType": 1,
                    "membershipPlanId": 10021,
                    "membershipType": 1,
                    "widList": [int(event.subject)],
                }
                yield self._push("weimob_crm.customer", "create", event.at, told)
            case "customer":
                told = {"wid": int(event.subject)}
                yield self._push("weimob_crm.customer", "update", event.at, told)
            case "closed":
                told = {"wid": int(event.subject), "time": time_of(event.at), **self._here()}
                yield self._push("bos.user", "accountCancellationEvent", event.at, told)
            case "points":
                yield self._points(event)
            case "tag":
                yield self._tag(event)
            case "guide":
                yield from self._guide(event)
            case "merge":
                both = [int(event.more["from"]), int(event.subject)]
                began = {"widList": both, "time": time_of(event.at)}
                yield self._push("bos.user", "beginMerge", event.at, began)
                ended = {"wid": int(event.subject), **self._here()}
                yield self._push("bos.user", "widMerge", event.at, ended)

    def _here(self) -> Answer:
        return {"bosId": int(self.shop)}

    def _order(self, event: Event) -> Push:
        order = self.world.orders[event.subject]
        told = {
            **self._here(),
            "vid": int(order.store),
            "wid": int(order.customer),
            "orderNo": int(order.no),
            "parentOrderNo": int(order.no),
            "orderStatus": status_of(order),
            "paymentStatus": 2,
            "createTime": time_of(order.paid_at),
            "updateTime": time_of(event.at),
        }
        return self._push("weimob_shop.order", "statusUpdate", event.at, told)

    def _rights(self, event: Event) -> Push:
        order = self.world.orders[event.subject]
        [refund] = [r for r in order.refunds if r.id == event.more["refund_id"]]
        told = {
            "rightsId": number_of(refund),
            "orderNo": int(order.no),
            "statusBefore": 5,
            "status": RETURNED,
            "rightsInfo": {"vid": int(order.store), "rightsType": 2, "rightsStatus": RETURNED},
        }
        return self._push("weimob_shop.rights", "statusUpdate", event.at, told)

    def _points(self, event: Event) -> Push:
        change = event.more["change"]
        told = {
            **self._here(),
            "wid": int(event.subject),
            "transType": 0 if change >= 0 else 1,
            "bizType": "100" if change >= 0 else "101",
            "bizUniqueId": self.world.next_number(),
            "changPoint": str(abs(change)),
            "totalPoint": str(event.more["total"]),
            "changeTime": time_of(event.at),
        }
        return self._push("weimob_crm.point.change", "pointChange", event.at, told)

    def _tag(self, event: Event) -> Push:
        tag, _, value = event.more["tag"].partition(":")
        told = {
            **self._here(),
            "vid": int(self.shop),
            "vidType": 1,
            "wid": int(event.subject),
            "tagId": int(tag),
            "tagType": 2,
            "attId": int(value) if value else None,
            "tagVersion": self.world.next_number(),
            "updateTime": local_time(event.at),
            "event": "INSERT" if event.more["is_on"] else "DELETE",
        }
        return self._push("weimob_cdp.customer.tag", "update", event.at, told, as_object=True)

    def _guide(self, event: Event) -> Iterator[Push]:
        before, after = event.more["before"], event.more["after"]
        told = {
            "bosId": self.shop,
            "customWid": event.subject,
            "beforeGuiderWid": before,
            "afterGuiderWid": after,
            "time": time_of(event.at),
        }
        kinds = [_UNBOUND] if after is None else [_BOUND] if before is None else [_LEFT, _REBOUND]
        for kind in kinds:
            yield self._push(
                "weimob_guide.guider.relationship",
                "relationshipChange",
                event.at,
                told | {"eventType": kind},
            )

    def _push(
        self, topic: str, event: str, at: datetime, told: Answer, *, as_object: bool = False
    ) -> Push:
        number = self.world.next_number()
        content = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
        id_ = hashlib.sha256(f"{self.shop}{number}".encode()).hexdigest()[:36]
        text = f"{self.client_id}{id_}{content}{self.secret}"
        sign = hashlib.md5(text.encode()).hexdigest()  # noqa: S324
        body = {
            "id": id_,
            "topic": topic,
            "event": event,
            "bosId": int(self.shop),
            "sign": sign,
            "msgBody": told if as_object else content,
            "saasChannel": "weimob-saas",
            "specsType": 2,
            "test": False,
        }
        raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        begin = raw.index(sign.encode())
        headers = {"Content-Type": "application/json"}
        # The envelope is not signed: a change of it would be believed.
        signed = (begin, begin + len(sign))
        return Push(self.name, f"{topic}/{event}", at, headers, raw, signed)
