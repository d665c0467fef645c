"""What a till knows of a member at a moment: orders by their number, and every refund so far.

    {"orders": {"A1": {"day": date(2017, 3, 5), "amount": 12_050}},
     "refunds": [{"order": "A1", "day": date(2017, 4, 1), "amount": 2_000}]}

Amounts are fen. A refund of an order that has not arrived waits for it.
"""

from datetime import date
from typing import Any


def nothing() -> dict[str, Any]:
    return {"orders": {}, "refunds": []}


def learn(known: dict[str, Any], event: dict[str, Any]) -> None:
    """Take in what has just arrived: a purchase, or money given back for one."""
    if "refund_of" in event:
        refund = {"order": event["refund_of"], "day": event["on"], "amount": event["amount"]}
        known["refunds"].append(refund)
    else:
        known["orders"][event["order"]] = {"day": event["day"], "amount": event["amount"]}


def refunded(known: dict[str, Any], number: str) -> int:
    """Fen given back for an order, never more than was paid."""
    paid: int = known["orders"][number]["amount"]
    given_back = 0
    for refund in known["refunds"]:
        if refund["order"] == number:
            given_back += refund["amount"]
    return min(given_back, paid)


def standing(known: dict[str, Any]) -> list[dict[str, Any]]:
    """The orders that were not fully refunded; one of amount zero counts as a purchase.

    `net` is what is left of the amount; `growth` 1 for each whole yuan of it.
    """
    found = []
    for number, order in known["orders"].items():
        back = refunded(known, number)
        if back > 0 and back == order["amount"]:
            continue
        net = order["amount"] - back
        found.append({"day": order["day"], "net": net, "growth": net // 100})
    return found


def since(known: dict[str, Any], first: date, as_of: date) -> list[dict[str, Any]]:
    """Those of them from a day through today."""
    return [order for order in standing(known) if first <= order["day"] <= as_of]


def last_day(known: dict[str, Any]) -> date | None:
    """The day of the last of them, whenever it became known."""
    days = [order["day"] for order in standing(known)]
    return max(days) if days else None


def growth_by_month(known: dict[str, Any]) -> dict[tuple[int, int], int]:
    """Growth by month where a refund takes from the month in which it is made, even below zero."""
    months: dict[tuple[int, int], int] = {}
    for number, order in known["orders"].items():
        bought_in = (order["day"].year, order["day"].month)
        left = order["amount"]
        months[bought_in] = months.get(bought_in, 0) + left // 100
        for refund in known["refunds"]:
            if refund["order"] == number:
                before = left
                left = max(0, left - refund["amount"])
                takes_from = max(bought_in, (refund["day"].year, refund["day"].month))
                lost = before // 100 - left // 100
                months[takes_from] = months.get(takes_from, 0) - lost
    return months
