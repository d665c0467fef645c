"""What a basket costs: the steps in the sequence of the policy, coupons chosen, points last."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from graphql_api.checkout.rules import coupons
from graphql_api.checkout.rules.basket import Amounts, Basket, less
from graphql_api.checkout.rules.coupons import Choice, Course, Left
from graphql_api.checkout.rules.payment import PointsTerms, pay
from graphql_api.checkout.rules.reductions import MemberTerms, most, reduce
from graphql_api.checkout.rules.results import PricedLine, Quote, Reason, Step, StepKind
from graphql_api.coupons.rules import Candidate, CouponReason, clashes
from graphql_api.policies.rules import REDUCTIONS, PriceStep, PricingPolicy

_OF_KIND = {
    StepKind.MEMBER_PRICE: PriceStep.MEMBER_PRICE,
    StepKind.SPEND_AND_SAVE: PriceStep.SPEND_AND_SAVE,
    StepKind.MEMBER_DAY: PriceStep.MEMBER_DAY,
    StepKind.COUPON: PriceStep.COUPONS,
}


@dataclass(frozen=True, slots=True)
class Terms:
    """By what a basket is priced: policy and its version, what the tier brings, coupons, points.

    `asked` is how many points are to pay at most.
    """

    pricing: PricingPolicy
    version: int
    member: MemberTerms
    choices: tuple[Choice, ...] = ()
    points: PointsTerms | None = None
    asked: int = 0


def quote(basket: Basket, terms: Terms) -> Quote:
    """The cheapest that the basket can be under the terms, with all that leads there.

    Of steps that exclude each other, and of the coupons given, those are taken that make the total
    least; points pay a part of that. Lines are priced in a sequence of their own, so that the one
    in which they come decides on nothing.
    """
    sequence = sorted(range(len(basket.lines)), key=lambda n: basket.lines[n])
    sorted_ = replace(basket, lines=tuple(basket.lines[n] for n in sequence))
    found = min(
        (_Way(sorted_, terms, kinds) for kinds in _combinations(sorted_, terms)),
        key=lambda way: way.worth,
    )
    place = {n: at for at, n in enumerate(sequence)}
    back = tuple(place[n] for n in range(len(sequence)))
    steps = [*found.steps, *([found.paid_by(terms.asked)] if terms.points and terms.asked else [])]
    usable = found.paid_by(terms.points.balance).points if terms.points else None
    steps = [step.in_sequence(back) for step in steps]
    return Quote(_lines(basket, steps), tuple(steps), basket.shipping, terms.version, usable)


def _lines(basket: Basket, steps: Sequence[Step]) -> tuple[PricedLine, ...]:
    off, by_points = ([0] * len(basket.lines) for _ in range(2))
    for step in steps:
        for n, share in enumerate(step.shares):
            (by_points if step.kind is StepKind.POINTS else off)[n] += share
    return tuple(map(PricedLine, basket.amounts, off, by_points))


def _combinations(basket: Basket, terms: Terms) -> Iterator[frozenset[PriceStep]]:
    """The kinds of steps that may stand together, as many as can: all, where none is excluded.

    What takes nothing off excludes nothing.
    """
    pricing = terms.pricing
    live = [kind for kind in pricing.sequence if _is_live(kind, basket, terms)]
    idle = frozenset(REDUCTIONS) - frozenset(live)
    allowed: list[frozenset[PriceStep]] = []
    for size in range(len(live), -1, -1):
        for some in combinations(live, size):
            if any(pricing.exclude(one, other) for one, other in combinations(some, 2)):
                continue
            if not any(frozenset(some) <= more for more in allowed):
                allowed.append(frozenset(some))
    return (some | idle for some in allowed)


def _is_live(kind: PriceStep, basket: Basket, terms: Terms) -> bool:
    if kind is PriceStep.COUPONS:
        return any(not choice.unfit for choice in terms.choices)
    return most(kind, basket, basket.amounts, terms.pricing, terms.member) > 0


class _Way:
    """A basket under some kinds of steps; the others are left out."""

    def __init__(self, basket: Basket, terms: Terms, kinds: frozenset[PriceStep]) -> None:
        self.basket, self.terms, self.kinds = basket, terms, kinds
        sequence = terms.pricing.sequence
        at = sequence.index(PriceStep.COUPONS)
        self.before, self.behind = sequence[:at], sequence[at + 1 :]
        self.steps, amounts = self._reduced(self.before, basket.amounts)
        self.left = self._with_coupons(Left(amounts, basket.shipping))
        more, self.amounts = self._reduced(self.behind, self.left.amounts)
        self.steps += [*more, *self._shipped(self.left.shipping, self.amounts)]

    @property
    def worth(self) -> tuple[int, int, int]:
        """The less, the better: the total, then more gifts, then fewer coupons."""
        return self._total(self.left), -self.left.gifts, self.left.used

    def paid_by(self, asked: int) -> Step:
        """What so many points pay at most, unless something that took off excludes them."""
        points, pricing = self.terms.points, self.terms.pricing
        took_off = {_OF_KIND[s.kind] for s in self.steps if s.amount and s.kind in _OF_KIND}
        if points is None or any(pricing.exclude(kind, PriceStep.POINTS) for kind in took_off):
            return Step(StepKind.POINTS, reason=Reason.NOT_COMBINED)
        return pay(asked, self.amounts, points)

    def _reduced(self, kinds: Sequence[PriceStep], amounts: Amounts) -> tuple[list[Step], Amounts]:
        """The steps of some kinds one after the other, and what they leave of each line."""
        steps: list[Step] = []
        for kind in kinds:
            for step in reduce(kind, self.basket, amounts, self.terms.pricing, self.terms.member):
                if kind not in self.kinds:
                    steps.append(Step(step.kind, reason=Reason.NOT_COMBINED, name=step.name))
                    continue
                steps.append(step)
                if step.shares:
                    amounts = less(amounts, step.shares)
        return steps, amounts

    def _with_coupons(self, start: Left) -> Left:
        """What the best of the coupons leave; every other says why it is not among them."""
        if PriceStep.COUPONS not in self.kinds:
            self.steps += [_unused(c, Reason.NOT_COMBINED) for c in self.terms.choices]
            return start
        fitting: list[Candidate] = []
        unfit: list[Step] = []
        seen = coupons.seen_by_coupons(self.basket, start.amounts)
        for choice in self.terms.choices:
            found = coupons.reasons(choice, seen)
            if found or choice.coupon is None:
                unfit.append(_unused(choice, Reason.COUPON_UNFIT, *found))
            else:
                fitting.append(choice.coupon)
        left = coupons.best(fitting, self.basket, start, Course(self._total, self._at_least))
        used = [one for one in fitting if one.id in {step.name for step in left.steps}]
        for one in fitting:
            if one not in used:
                why = clashes([*used, one]).get(one.id, CouponReason.NO_GAIN)
                unfit.append(_unused(Choice(one.id), Reason.COUPON_UNFIT, why))
        self.steps += [*left.steps, *unfit]
        return left

    def _total(self, left: Left) -> int:
        """What it comes to in the end, before points."""
        _, amounts = self._reduced(self.behind, left.amounts)
        return sum(amounts) + left.shipping - self._free(left.shipping, amounts)

    def _at_least(self, left: Left) -> int:
        """What it comes to at least, without what further coupons take off themselves."""
        goods = sum(left.amounts)
        for kind in self.behind:
            if kind in self.kinds:
                goods -= most(
                    kind, self.basket, left.amounts, self.terms.pricing, self.terms.member
                )
        return goods + left.shipping - self._free(left.shipping, left.amounts)

    def _free(self, shipping: int, amounts: Amounts) -> int:
        """What the tier takes off the sending of goods of these amounts."""
        over = self.terms.member.free_shipping_over
        return shipping if over is not None and sum(amounts) >= over else 0

    def _shipped(self, shipping: int, amounts: Amounts) -> Iterator[Step]:
        if not self.basket.shipping:
            return
        over, kind = self.terms.member.free_shipping_over, StepKind.FREE_SHIPPING
        off = self._free(shipping, amounts)
        if over is None:
            yield Step(kind, reason=Reason.NOT_FOR_TIER)
        elif sum(amounts) < over:
            yield Step(kind, reason=Reason.BELOW_LEAST, missing=over - sum(amounts))
        else:
            yield Step(kind, off, shipping=off, reason=None if off else Reason.SAVES_NOTHING)


def _unused(choice: Choice, reason: Reason, *details: CouponReason) -> Step:
    return Step(StepKind.COUPON, reason=reason, name=choice.id, coupon_reasons=details)
