"""What lowers the price without a coupon: member price, spend-and-save, member day.

Each takes what the lines come to so far and says its steps. None takes off more from less: a quote
relies on it when it looks for the best coupons.
"""

from calendar import monthrange
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from graphql_api.checkout.rules.basket import Amounts, Basket, less, shares_within
from graphql_api.checkout.rules.results import Reason, Step, StepKind
from graphql_api.policies.rules import PriceScope, PriceStep, PricingPolicy, SpendAndSave


@dataclass(frozen=True, slots=True)
class MemberTerms:
    """What the member's tier brings: percent off, and the fen from which shipping is free."""

    discount_percent: int = 0
    free_shipping_over: int | None = None


def reduce(
    kind: PriceStep, basket: Basket, amounts: Amounts, policy: PricingPolicy, terms: MemberTerms
) -> tuple[Step, ...]:
    """The steps of a kind of reduction on what the lines come to."""
    return _KINDS[kind](basket, amounts, policy, terms)


def most(
    kind: PriceStep, basket: Basket, amounts: Amounts, policy: PricingPolicy, terms: MemberTerms
) -> int:
    """What a kind of reduction takes off at most, of these amounts or of less."""
    if kind is not PriceStep.SPEND_AND_SAVE:
        return sum(step.amount for step in reduce(kind, basket, amounts, policy, terms))
    found = (_looked_at(offer, basket, amounts) for offer in policy.spend_and_save)
    return sum(offer.off for offer in _best_of_groups(found).values())


def scope_reason(scope: PriceScope, basket: Basket) -> Reason | None:
    """Why a basket is outside a scope, whatever is in it."""
    if scope.units and basket.places.isdisjoint(scope.units):
        return Reason.NOT_HERE
    if scope.channels and basket.channel not in scope.channels:
        return Reason.NOT_IN_CHANNEL
    if scope.tiers and basket.tier not in scope.tiers:
        return Reason.NOT_FOR_TIER
    return None


def lines_within(scope: PriceScope, basket: Basket) -> tuple[bool, ...]:
    """Which lines a scope covers."""
    return tuple(not scope.categories or line.category in scope.categories for line in basket.lines)


def _member_price(
    _basket: Basket, amounts: Amounts, _policy: PricingPolicy, terms: MemberTerms
) -> tuple[Step, ...]:
    kind = StepKind.MEMBER_PRICE
    if not terms.discount_percent:
        return (Step(kind, reason=Reason.NOT_FOR_TIER),)
    return (_taken(kind, sum(amounts) * terms.discount_percent // 100, amounts, _all(amounts)),)


def _member_day(
    basket: Basket, amounts: Amounts, policy: PricingPolicy, _terms: MemberTerms
) -> tuple[Step, ...]:
    kind, day = StepKind.MEMBER_DAY, policy.member_day
    covered = lines_within(day.scope, basket)
    there = _sum_of(amounts, covered)
    last = monthrange(basket.day.year, basket.day.month)[1]
    if basket.day.day not in {min(one, last) for one in day.days}:
        return (Step(kind, reason=Reason.NOT_TODAY),)
    if reason := scope_reason(day.scope, basket) or (
        None if any(covered) else Reason.NO_SUCH_ITEMS
    ):
        return (Step(kind, reason=reason),)
    if there < day.least:
        return (Step(kind, reason=Reason.BELOW_LEAST, missing=day.least - there),)
    return (_taken(kind, min(day.off, there), amounts, covered),)


@dataclass(frozen=True, slots=True)
class _Looked:
    """An offer as it meets a basket: what it covers and takes off, or why it does not."""

    offer: SpendAndSave
    covered: tuple[bool, ...]
    off: int = 0
    reason: Reason | None = None
    missing: int = 0


def _spend_and_save(
    basket: Basket, amounts: Amounts, policy: PricingPolicy, _terms: MemberTerms
) -> tuple[Step, ...]:
    """Each offer looks at what the lines came to before all of them."""
    looked = [_looked_at(offer, basket, amounts) for offer in policy.spend_and_save]
    best = _best_of_groups(looked)
    left, steps = amounts, []
    for one in looked:
        if one.reason or one is not best[one.offer.group]:
            reason = one.reason or Reason.ANOTHER_SAVES_MORE
            step = Step(
                StepKind.SPEND_AND_SAVE, reason=reason, name=one.offer.name, missing=one.missing
            )
        else:
            off = min(one.off, _sum_of(left, one.covered))
            step = _taken(StepKind.SPEND_AND_SAVE, off, left, one.covered, one.offer.name)
            left = less(left, step.shares) if step.shares else left
        steps.append(step)
    return tuple(steps)


def _looked_at(offer: SpendAndSave, basket: Basket, amounts: Amounts) -> _Looked:
    covered = lines_within(offer.scope, basket)
    reason = None if offer.holds(basket.day) else Reason.NOT_TODAY
    reason = reason or scope_reason(offer.scope, basket)
    if reason is None and not any(covered):
        reason = Reason.NO_SUCH_ITEMS
    if reason:
        return _Looked(offer, covered, reason=reason)
    there = _sum_of(amounts, covered)
    reached = [step for step in offer.steps if step.from_fen <= there]
    if not reached:
        missing = offer.steps[0].from_fen - there
        return _Looked(offer, covered, reason=Reason.BELOW_LEAST, missing=missing)
    times = there // reached[-1].from_fen if offer.repeats else 1
    return _Looked(offer, covered, off=reached[-1].off * times)


def _best_of_groups(found: Iterable[_Looked]) -> Mapping[str, _Looked]:
    """Of each group the offer that saves most, of equals the first."""
    best: dict[str, _Looked] = {}
    for one in found:
        if one.reason is None and one.off > getattr(best.get(one.offer.group), "off", 0):
            best[one.offer.group] = one
    return best


def _taken(
    kind: StepKind, off: int, amounts: Amounts, covered: Sequence[bool], name: str | None = None
) -> Step:
    if not off:
        return Step(kind, reason=Reason.SAVES_NOTHING, name=name)
    return Step(kind, off, shares_within(off, amounts, covered), name=name)


def _sum_of(amounts: Amounts, covered: Sequence[bool]) -> int:
    return sum(fen for fen, within in zip(amounts, covered, strict=True) if within)


def _all(amounts: Amounts) -> tuple[bool, ...]:
    return (True,) * len(amounts)


_Reduction = Callable[[Basket, Amounts, PricingPolicy, MemberTerms], tuple[Step, ...]]
_KINDS: Mapping[PriceStep, _Reduction] = {
    PriceStep.MEMBER_PRICE: _member_price,
    PriceStep.SPEND_AND_SAVE: _spend_and_save,
    PriceStep.MEMBER_DAY: _member_day,
}
