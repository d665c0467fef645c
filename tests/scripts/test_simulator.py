"""The simulated vendors: what they push and answer is what is documented, the same by a seed."""

import hashlib
import http.client
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote, unquote_plus

import pytest

from scripts import simulate
from scripts.simulator import control, laptops, pushes
from scripts.simulator.couriers import SCHEDULES, Courier
from scripts.simulator.days import Plan, happenings
from scripts.simulator.faults import Faults
from scripts.simulator.pushes import Push, Sent
from scripts.simulator.server import Simulator
from scripts.simulator.world import Line, Order, World
from scripts.simulator.youzan import Youzan

AT = datetime(2026, 11, 20, 2, 5, 3, tzinfo=UTC)
DONE, FAILED = Sent(200, b'{"code":0,"msg":"success"}', 3.0), Sent(503, b"", 1.0)


def youzan(**faults: Any) -> Youzan:
    return Youzan(World(), Faults(1, **faults), client_id="app", secret="s3", shop="160")


def with_order(peer: Youzan) -> list[Push]:
    """A member who bought two things and sent a part of one back."""
    lines = [Line("1", "面霜", 1, 12_850), Line("2", "口红", 2, 5_000)]
    order = Order("E1", "c1", "52323", "xiaohua", lines, AT, AT)
    events = [
        *peer.world.join("c1", "王芳", AT),
        *peer.world.buy(order),
        *peer.world.refund("E1", 1, 1_001, AT + timedelta(minutes=1)),
    ]
    return [push for event in events for push in peer.pushes(event)]


def asked(peer: Youzan, api: str, body: dict[str, Any], at: datetime = AT) -> Any:
    query = {"access_token": token(peer, at)["access_token"]}
    return peer.answer(f"/api/{api}", query, body, at)


def token(peer: Youzan, at: datetime = AT, **more: Any) -> Any:
    given = {
        "client_id": "app",
        "client_secret": "s3",
        "authorize_type": "silent",
        "grant_id": "160",
    }
    answer = peer.answer("/auth/token", {}, {**given, **more}, at)
    assert answer is not None
    return answer["data"] or answer["code"]


# --- pushes ------------------------------------------------------------------------------


def test_pushes_are_signed_over_their_bytes() -> None:
    for push in with_order(youzan()):
        expected = hashlib.md5(b"app" + push.raw + b"s3").hexdigest()
        assert push.headers["Event-Sign"] == expected
        assert push.headers["Client-Id"] == "app"
        assert push.headers["Event-Type"] == json.loads(push.raw)["type"] == push.kind
        changed = push.forged()
        assert sum(a != b for a, b in zip(push.raw, changed.raw, strict=True)) == 1
        assert changed.headers == push.headers


def test_messages_have_each_of_their_forms() -> None:
    bodies = {push.kind: json.loads(push.raw) for push in with_order(youzan())}
    paid = bodies["trade_TradePaid"]["msg"]
    assert "%20" in paid
    assert "+" not in paid
    info = json.loads(unquote(paid))["full_order_info"]
    assert info["pay_info"]["payment"] == "178.50"
    assert info["order_info"]["pay_time"] == "2026-11-20 10:05:03"
    customer = bodies["SCRM_CUSTOMER_EVENT"]["msg"]
    assert json.loads(unquote_plus(customer))["name"] == "王芳"
    assert bodies["youzan_trade_RefundSuccess"]["msg"]["refund_id"] == "RE11"
    peer = youzan()
    events = [*peer.world.join("a", "甲", AT), *peer.world.join("b", "乙", AT)]
    events += peer.world.merge("a", "b", AT)
    merge = json.loads([push for event in events for push in peer.pushes(event)][-1].raw)
    assert "msg" not in merge
    assert merge["merge_info"] == {"kdt_id": 160, "from_yz_open_id": "a", "to_yz_open_id": "b"}


def test_a_seed_decides_the_day_and_its_faults() -> None:
    def pushed(seed: int) -> list[bytes]:
        peer = youzan(lost=0.1, doubled=0.2, reach=8)
        plan = Plan(["52323"], ["xiaohua"], orders=20, customers=8)
        day = happenings(plan, AT, seed)
        events = [event for _, happens in day for event in happens(peer.world)]
        made = [push for event in events for push in peer.pushes(event)]
        return [push.raw for push in peer.faults.delivered(made)]

    assert pushed(1) == pushed(1)
    assert pushed(1) != pushed(2)


def test_faults_lose_double_and_reorder_and_none_changes_nothing() -> None:
    sent = list(range(1000))
    assert Faults(1).delivered(sent) == sent
    lost = Faults(1, lost=0.1).delivered(sent)
    assert 850 < len(lost) < 950
    assert lost == sorted(lost)
    assert 1150 < len(Faults(1, doubled=0.2).delivered(sent)) < 1250
    late = Faults(1, reach=8).delivered(sent)
    assert late != sent
    assert sorted(late) == sent
    assert max(abs(place - push) for place, push in enumerate(late)) <= 8


# --- the courier -------------------------------------------------------------------------


class Receiver:
    """Answers as told, one after the other, then with success; notes when what came."""

    def __init__(self, *answers: Sent) -> None:
        self.answers = list(answers)
        self.now = 0.0
        self.came: list[tuple[float, Push]] = []

    def __call__(self, push: Push) -> Sent:
        self.came.append((self.now, push))
        return self.answers.pop(0) if self.answers else DONE

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def courier(self, schedule: Sequence[float], pace: float = 1.0, **faults: Any) -> Courier:
        made = Faults(1, **faults)
        return Courier(self, made, schedule, pace, clock=lambda: self.now, sleep=self.sleep)


def test_what_is_not_acknowledged_comes_again_by_the_schedule_until_it_is_given_up() -> None:
    [push, *_] = with_order(youzan())
    receiver = Receiver(*[FAILED] * 99)
    courier = receiver.courier(SCHEDULES["weimob"], pace=0.1)
    courier.deliver([push])
    courier.finish()
    assert [at for at, _ in receiver.came] == [0, 1, 4, 10, 40, 130]
    report = courier.report()
    assert (report["sent"], report["acknowledged"], report["given_up"]) == (6, 0, 1)


@pytest.mark.parametrize("answer", [Sent(200, b'{"code":0,"msg":"failed"}', 1.0), FAILED])
def test_an_answer_without_success_is_none(answer: Sent) -> None:
    [push, *_] = with_order(youzan())
    receiver = Receiver(answer)
    courier = receiver.courier(SCHEDULES["youzan"])
    courier.deliver([push])
    courier.finish()
    assert [at for at, _ in receiver.came] == [0, 10]
    assert courier.report()["p50_ms"] == 0.0
    assert (courier.acknowledged, courier.given_up) == (1, 0)


def test_a_forged_push_comes_again_as_it_was_signed() -> None:
    [push, *_] = with_order(youzan())
    receiver = Receiver(Sent(401, b"{}", 1.0))
    courier = receiver.courier((10,), forged=1.0)
    courier.deliver([push])
    courier.finish()
    assert [came.raw == push.raw for _, came in receiver.came] == [False, True]


# --- what Youzan answers -----------------------------------------------------------------


def test_there_is_one_living_token() -> None:
    peer = youzan(tokens_last=60)
    first = token(peer)
    assert first == token(peer, AT + timedelta(seconds=59))
    assert first["expires"] == int((AT + timedelta(seconds=60)).timestamp() * 1000)
    path, query = "/api/youzan.trade.get/4.0.0", {"access_token": first["access_token"]}
    stale = peer.answer(path, query, {"tid": "E1"}, AT + timedelta(seconds=60))
    assert stale is not None
    assert stale["gw_err_resp"]["err_code"] == 4202
    second = token(peer, refresh=True)
    assert second["access_token"] != first["access_token"]
    replaced = peer.answer(path, query, {"tid": "E1"}, AT)
    assert replaced is not None
    assert replaced["gw_err_resp"]["err_code"] == 4203
    assert token(peer, client_secret="wrong") == 1000
    assert token(peer, grant_id="161") == 1103


def test_trades_and_refunds_are_told_whole_and_by_window() -> None:
    peer = youzan()
    with_order(peer)
    trade = asked(peer, "youzan.trade.get/4.0.0", {"tid": "E1"})["data"]
    lines = trade["full_order_info"]["orders"]
    assert [line["payment"] for line in lines] == ["128.50", "50.00"]
    assert trade["refund_order"][0]["refund_fee"] == "10.01"
    refund = asked(peer, "youzan.trade.refund.get/3.0.0", {"refund_id": "RE11"})["data"]
    assert refund["refund_order_item"] == [{"oid": "2", "refund_fee": 1_001}]
    window = {"start_update": "2026-11-20 10:06:03", "end_update": "2026-11-20 10:06:04"}
    page = {"page_no": 1, "page_size": 20}
    sold = asked(peer, "youzan.trades.sold.get/4.0.0", window | page)["data"]
    assert sold["total_results"] == 1
    later = {"start_update": "2026-11-20 10:06:04", "end_update": "2026-11-20 10:06:05"}
    assert asked(peer, "youzan.trades.sold.get/4.0.0", later | page)["data"]["total_results"] == 0
    assert asked(peer, "youzan.trade.get/4.0.0", {"tid": "E2"})["success"] is False


def test_points_move_once_for_a_key() -> None:
    peer = youzan()
    list(peer.world.join("c1", "王芳", AT))
    user = {"account_type": 5, "account_id": "c1"}
    params = {"user": user, "points": 30, "biz_value": "k1", "biz_token": "t"}
    increase = "youzan.crm.customer.points.increase/4.0.0"
    assert asked(peer, increase, {"params": params})["code"] == 200
    assert asked(peer, increase, {"params": params})["code"] == 142100106
    decrease = {**params, "points": 10, "biz_value": "k2"}
    asked(peer, "youzan.crm.customer.points.decrease/4.0.0", {"params": decrease})
    told = asked(peer, "youzan.crm.customer.points.get/1.0.0", {"user": user})
    assert told["data"] == {"point": 20}


def test_tags_change_five_times_a_second() -> None:
    peer = youzan()
    list(peer.world.join("c1", "王芳", AT))
    add = {"account_type": "YzOpenId", "account_id": "c1", "tags": [{"tag_name": "高价值"}]}
    name = "youzan.scrm.tag.relation.add/4.0.0"
    answers = [asked(peer, name, add) for _ in range(6)]
    assert [answer.get("code") for answer in answers] == [200] * 5 + [None]
    assert answers[5]["gw_err_resp"]["err_code"] == 4101
    assert asked(peer, name, add, AT + timedelta(seconds=1))["code"] == 200
    assert peer.world.customers["c1"].tags == {"高价值"}


# --- over HTTP ---------------------------------------------------------------------------


def post(server: Simulator, path: str, body: dict[str, Any]) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], 5)
    connection.request("POST", path, json.dumps(body))
    answer = connection.getresponse()
    told = answer.status, json.loads(answer.read())
    connection.close()
    return told


def test_a_day_is_loaded_pushed_and_summed_over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    receiver = Receiver()
    monkeypatch.setattr(pushes.Sender, "send", lambda _self, push: receiver(push))
    day = {
        "begin": AT.isoformat(),
        "orders": 12,
        "customers": 6,
        "stores": ["52323"],
        "guides": ["g"],
    }
    with laptops.serve() as server:
        assert post(server, "/control/youzan/faults", {"lost": 0.2})[0] == 200
        assert post(server, "/control/youzan/day", day)[0] == 200
        _, report = post(server, "/control/youzan/push", {"url": "http://127.0.0.1:9/vendors"})
        assert report["made"] == len(receiver.came) + report["lost"] > 12
        assert report["acknowledged"] == len(receiver.came)
        _, totals = post(server, "/control/youzan/totals", {})
        assert len(totals["orders"]) == 12
        assert len(totals["customers"]) == 4
        net = sum(order["paid"] - order["refunded"] for order in totals["orders"].values())
        gone = net - sum(customer["net"] for customer in totals["customers"].values())
        assert gone >= 0
        assert post(server, "/control/youzan/faults", {"is_down": True}) == (
            400,
            {"error": "no such faults: is_down"},
        )
        assert post(server, "/control/nobody/day", {})[0] == 404
        assert post(server, "/control/youzan/day", {"orders": 1})[0] == 400


def test_a_vendor_that_is_down_or_fails_answers_503() -> None:
    peer = youzan()
    given = {"client_id": "app", "client_secret": "s3", "authorize_type": "silent"}
    with control.serve(peer) as server:
        assert post(server, "/auth/token", given)[0] == 200
        peer.faults.is_down = True
        assert post(server, "/auth/token", given) == (503, {})
        peer.faults = Faults(1, failing=1.0)
        assert post(server, "/auth/token", given) == (503, {})
        assert post(server, "/elsewhere", {}) == (404, {})
        assert server.refused == 2


def test_an_outage_is_in_the_midst_of_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    peer = youzan()
    seen: list[bool] = []

    def send(_self: Any, _push: Push) -> Sent:
        seen.append(peer.faults.is_down)
        return DONE

    monkeypatch.setattr(pushes.Sender, "send", send)
    day = {"begin": AT.isoformat(), "orders": 60, "stores": ["1"], "guides": ["g"]}
    with control.serve(peer) as server:
        post(server, "/control/youzan/faults", {"outage": True})
        post(server, "/control/youzan/day", day)
        post(server, "/control/youzan/push", {"url": "http://127.0.0.1:9/"})
    assert [seen[0], seen[len(seen) // 2], seen[-1]] == [False, True, False]
    assert peer.faults.is_down is False


# --- both sides against each other -------------------------------------------------------


def test_differences_are_named() -> None:
    expected = {
        "a": {"paid": 1_000, "refunded": 0},
        "b": {"paid": 500, "refunded": 500},
        "c": {"paid": 700, "refunded": 0},
    }
    member = {"id": "mbr_1", "purchases": {"orders": 1, "paid": "15.00", "refunded": "5.00"}}

    def ask(_query: str, *, ids: Sequence[str]) -> dict[str, Any]:
        assert len(ids) == 3
        whole = {"externalId": "a", "total": "10.00", "refunded": "0.00", "member": member}
        other = {"externalId": "b", "total": "5.00", "refunded": "4.99", "member": member}
        return {"nodes": [whole, other, None]}

    here, differences = simulate._compared(ask, "youzan", expected)
    assert here == 2
    assert differences == [
        "order b: {'paid': 500, 'refunded': 499} here, {'paid': 500, 'refunded': 500} expected",
        "order c is missing",
    ]
    del expected["c"]
    expected["b"]["refunded"] = 499
    member["purchases"] = {"orders": 1, "paid": "15.00", "refunded": "4.99"}

    def two(_query: str, *, ids: Sequence[str]) -> dict[str, Any]:
        return {"nodes": ask("", ids=[*ids, ""])["nodes"][:2]}

    assert simulate._compared(two, "youzan", expected) == (
        2,
        ["member mbr_1: 1 orders and 1001 fen here, 2 and 1001 expected"],
    )


def test_faults_are_read_from_the_command_line() -> None:
    assert simulate.faults_of("lost=0.1,reach=8,outage") == {
        "lost": 0.1,
        "reach": 8,
        "outage": True,
    }
    assert simulate.faults_of("") == {}
