"""The refunds: the data has none, so that a seeded share of the baskets comes back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from scripts.complete_journey.draws import draw, pick
from scripts.complete_journey.records import Basket, Refund, RefundLine

LAST_MOMENT = datetime(2018, 1, 1, 4, 1, 20, tzinfo=UTC)
REFUNDED_PERCENT = 2


def refund_of(basket: Basket) -> Refund | None:
    """The refund of a basket: none for 98 in 100; else whole, of one line, or of an amount.

    Never more than was paid, never before it was paid, never after the data ends.
    """
    basket_id = basket.basket_id
    paid = [RefundLine(line.product_id, line.amount) for line in basket.lines if line.amount > 0]
    if not paid or not is_refunded(basket_id):
        return None
    amount = basket.amount
    lines = tuple(paid)
    if draw(2, "refunded in part", basket_id) and amount > 1:
        if len(paid) > 1 and draw(2, "refunded by line", basket_id):
            lines = (pick(paid, "refunded line", basket_id),)
            amount = lines[0].amount
        else:
            lines = ()
            amount = max(1, amount * (10 + draw(51, "refunded share", basket_id)) // 100)
    return Refund(basket_id, f"R{basket_id}", refund_time(basket), amount, lines)


def is_refunded(basket_id: int) -> bool:
    return draw(100, "refunded", basket_id) < REFUNDED_PERCENT


def refund_time(basket: Basket) -> datetime:
    """Within two weeks for seven in ten, else a month or two later; folded into the data's year."""
    soon = draw(10, "refunded soon", basket.basket_id) < 7
    first, days = (1, 14) if soon else (20, 45)
    seconds = draw(days * 86_400, "refunded after", basket.basket_id)
    delay = timedelta(days=first, seconds=seconds)
    room = LAST_MOMENT - basket.paid_at + timedelta(seconds=1)
    return basket.paid_at + delay % room
