"""Which of some coupons make a basket cheapest.

Coupons apply in the sequence of `coupons.rules`, each to what those before it left. The search goes
through sets of them depth first and leaves out what cannot beat the best that it has; it looks at
1,024 sets at most, all that ten coupons have, so that the best of up to ten is always found.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from graphql_api.checkout.rules.basket import Amounts, Basket, shares
from graphql_api.checkout.rules.results import Step, StepKind
from graphql_api.coupons import rules as coupons
from graphql_api.coupons.rules import Candidate, CouponKind, CouponReason, Days

MAX_SETS = 1_024


@dataclass(frozen=True, slots=True)
class Choice:
    """A coupon that could be used, the days on which it holds, and why it is out of the question.

    `coupon` has no terms worth reading where it is out of the question.
    """

    id: str
    coupon: Candidate | None = None
    days: Days | None = None
    unfit: tuple[CouponReason, ...] = ()


@dataclass(slots=True)
class _Line:
    item_id: str
    category: str
    quantity: int
    amount: int


@dataclass(frozen=True, slots=True)
class Left:
    """What coupons leave: of each line, of the sending, and what they gave, one by one."""

    amounts: Amounts
    shipping: int
    steps: tuple[Step, ...] = ()
    gifts: int = 0

    @property
    def used(self) -> int:
        """How many coupons led to it."""
        return len(self.steps)


@dataclass(frozen=True, slots=True)
class Course:
    """What comes after the coupons: what it comes to in the end, and what that is at least."""

    total: Callable[[Left], int]
    at_least: Callable[[Left], int]


def lines_of(basket: Basket, amounts: Amounts) -> list[_Line]:
    """The lines of a basket as coupons see them, at what they come to so far."""
    return [
        _Line(line.item_id, line.category, line.quantity, amount)
        for line, amount in zip(basket.lines, amounts, strict=True)
    ]


def after(left: Left, one: Candidate, basket: Basket) -> Left:
    """What is left once one more coupon has applied."""
    lines = lines_of(basket, left.amounts)
    off = coupons.discount_of(one.terms, lines, shipping=left.shipping)
    gifts = left.gifts + (one.terms.kind is CouponKind.GIFT)
    if one.terms.kind is CouponKind.FREE_SHIPPING:
        step = Step(StepKind.COUPON, off, name=one.id, shipping=off)
        return Left(left.amounts, left.shipping - off, (*left.steps, step), gifts)
    places = coupons.discount_lines(one.terms, lines)
    parts = dict(zip(places, shares(off, [lines[n].amount for n in places]), strict=True))
    taken = tuple(parts.get(n, 0) for n in range(len(lines)))
    amounts = tuple(line.amount - fen for line, fen in zip(lines, taken, strict=True))
    step = Step(StepKind.COUPON, off, taken if off else (), name=one.id)
    return Left(amounts, left.shipping, (*left.steps, step), gifts)


def seen_by_coupons(basket: Basket, amounts: Amounts) -> coupons.Basket:
    """A basket as coupons see it, at what its lines come to before any coupon."""
    return coupons.Basket(
        lines_of(basket, amounts),
        basket.at,
        basket.zone,
        basket.places,
        basket.channel,
        basket.tier,
        basket.shipping or None,
    )


def reasons(choice: Choice, seen: coupons.Basket) -> tuple[CouponReason, ...]:
    """Why a coupon gives nothing on a basket; empty where it gives something.

    Its threshold is looked at here, before any coupon: none undoes another.
    """
    if choice.unfit or choice.coupon is None or choice.days is None:
        return choice.unfit or (CouponReason.NOT_FOUND,)
    return tuple(coupons.applicable(choice.coupon.terms, choice.days, seen))


def best(choices: Iterable[Candidate], basket: Basket, start: Left, course: Course) -> Left:
    """Where the coupons lead that make it cheapest; of equals more gifts, then fewer coupons.

    All of them apply to the basket by themselves.
    """
    return _Search(basket, coupons.in_sequence(choices), course).from_(start)


class _Search:
    """Depth first over sets of coupons, with the best so far and a bound on what could beat it."""

    def __init__(self, basket: Basket, choices: Sequence[Candidate], course: Course) -> None:
        self.basket, self.choices, self.course = basket, choices, course
        self.looked_at = 0

    def from_(self, start: Left) -> Left:
        """The best that can be reached from here."""
        alone = [self._off(after(start, one, self.basket)) for one in self.choices]
        most = coupons.MAX_OF_ORDER
        self.rest = [sum(sorted(alone[n:], reverse=True)[:most]) for n in range(len(alone) + 1)]
        self.gifts = [
            sum(one.terms.kind is CouponKind.GIFT for one in self.choices[n:])
            for n in range(len(self.choices) + 1)
        ]
        self.best, self.worth = start, self._worth(start)
        if len(alone) > most:
            self._seed(start, sorted(range(len(alone)), key=lambda n: -alone[n]))
        self._go_on(start, (), 0)
        return self.best

    def _seed(self, start: Left, sequence: Sequence[int]) -> None:
        """Of more than the search can go through: add them one by one, the greatest first."""
        chosen: list[int] = []
        for n in sequence:
            if self._fits([self.choices[c] for c in chosen], self.choices[n]):
                found = start
                for c in sorted([*chosen, n]):
                    found = after(found, self.choices[c], self.basket)
                if self._look_at(found):
                    chosen.append(n)

    def _go_on(self, left: Left, taken: tuple[Candidate, ...], first: int) -> None:
        for n in range(first, len(self.choices)):
            if self.looked_at >= MAX_SETS or not self._may_win(left, n):
                return
            if not self._fits(taken, self.choices[n]):
                continue
            found = after(left, self.choices[n], self.basket)
            self.looked_at += 1
            self._look_at(found)
            self._go_on(found, (*taken, self.choices[n]), n + 1)

    def _look_at(self, found: Left) -> bool:
        """Whether this is the best so far."""
        worth = self._worth(found)
        if worth >= self.worth:
            return False
        self.best, self.worth = found, worth
        return True

    def _worth(self, left: Left) -> tuple[int, int, int, list[str]]:
        names = [str(step.name) for step in left.steps]
        return self.course.total(left), -left.gifts, left.used, names

    def _may_win(self, left: Left, first: int) -> bool:
        """Whether the coupons from here on could lead to something better than the best."""
        least = self.course.at_least(left) - self.rest[first]
        gifts = left.gifts + self.gifts[first]
        return (least, -gifts, left.used + 1) <= self.worth[:3]

    @staticmethod
    def _fits(taken: Sequence[Candidate], one: Candidate) -> bool:
        return one.id not in coupons.clashes([*taken, one])

    @staticmethod
    def _off(left: Left) -> int:
        return left.steps[-1].amount
