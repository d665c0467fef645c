"""What coupons take off together, said once more and slowly, to compare the search with."""

from collections.abc import Sequence
from dataclasses import dataclass

from graphql_api.coupons import rules
from graphql_api.coupons.rules import Basket, Candidate, CouponKind
from graphql_api.kit.shares import share_out


@dataclass(frozen=True)
class _Line:
    item_id: str
    category: str
    quantity: int
    amount: int


def off_together(candidates: Sequence[Candidate], basket: Basket) -> int:
    """What coupons that apply take off one after the other, each from what those before it left."""
    left = [line.amount for line in basket.lines]
    shipping, off = basket.shipping or 0, 0
    for one in rules.in_sequence(candidates):
        lines = [
            _Line(line.item_id, line.category, line.quantity, amount)
            for line, amount in zip(basket.lines, left, strict=True)
        ]
        taken = rules.discount_of(one.terms, lines, shipping=shipping)
        off += taken
        if one.terms.kind is CouponKind.FREE_SHIPPING:
            shipping -= taken
            continue
        places = rules.discount_lines(one.terms, lines)
        shares = share_out(taken, [left[n] for n in places]) if places else []
        for n, share in zip(places, shares, strict=True):
            left[n] -= share
    return off
