"""A day at a shop, by a seed: who joins, buys, returns, is tagged, merges and leaves, and when."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from scripts.simulator.world import Event, Line, Order, World

_FAMILY, _GIVEN = "王李张刘陈杨赵黄", ["芳", "伟", "娜", "敏", "静", "丽", "强", "磊"]
_GOODS = ["精华液", "面霜", "洁面乳", "口红", "防晒霜"]

Happening = Callable[[World], Iterator[Event]]


@dataclass(frozen=True)
class Plan:
    """How much happens, and where."""

    stores: Sequence[str]
    guides: Sequence[str]
    orders: int = 60
    customers: int = 20
    tags: Sequence[str] = ("高价值", "油性皮肤")
    names: Sequence[str] = ()
    prefix: str = ""
    is_numeric: bool = False
    """Whether ids are numbers, as Weimob has them; the prefix is digits then."""
    goes: bool = True
    """Whether some merge, and some close their account."""

    def customer(self, number: int) -> str:
        """The key of a customer."""
        return f"{self.prefix}{number:06d}" if self.is_numeric else f"{self.prefix}c{number:04d}"

    def order(self, number: int, day: date) -> str:
        """The number of an order."""
        if self.is_numeric:
            return f"{self.prefix}{day:%m%d}{number:05d}"
        return f"{self.prefix}E{day:%Y%m%d}{number:06d}"


def happenings(plan: Plan, begin: datetime, seed: int) -> list[tuple[datetime, Happening]]:
    """What happens in the twelve hours from `begin`, in the order of its time."""
    chance = random.Random(seed)  # noqa: S311 - repeatable
    keys = [plan.customer(n) for n in range(plan.customers)]
    day: list[tuple[datetime, Happening]] = []
    joined: dict[str, datetime] = {}
    for key in keys:
        at = begin + timedelta(minutes=chance.randrange(120))
        joined[key] = at
        day.append((at, _joins(key, _name(plan, chance), chance, at)))
    for n in range(plan.orders):
        buyer = keys[n] if n < len(keys) else chance.choice(keys)  # everybody buys
        day += _order(plan, chance, plan.order(n, begin.date()), buyer, begin)
    for key in chance.sample(keys, len(keys) // 2):
        at = begin + timedelta(minutes=130 + chance.randrange(580))
        day.append((at, _tagged(key, chance.choice(plan.tags), at)))
        day.append((at + timedelta(minutes=1), _looked_after(key, chance.choice(plan.guides), at)))
    for key in chance.sample(keys, len(keys) // 4):
        at = begin + timedelta(minutes=130 + chance.randrange(580))
        day.append((at, _renamed(key, _name(plan, chance), at)))
    if plan.goes:
        one, other, third = chance.sample(keys, 3)
        at = begin + timedelta(minutes=730)
        day.append((at, _merges(one, other, at)))
        day.append((at + timedelta(minutes=5), _closes(third, at + timedelta(minutes=5))))
    return sorted(day, key=lambda pair: pair[0])


def _order(
    plan: Plan, chance: random.Random, no: str, buyer: str, begin: datetime
) -> Iterator[tuple[datetime, Happening]]:
    paid_at = begin + timedelta(minutes=125 + chance.randrange(400), seconds=chance.randrange(60))
    lines = [
        Line(f"{no}{n}", chance.choice(_GOODS), chance.randint(1, 3), chance.randrange(990, 49_990))
        for n in range(1, chance.randint(2, 4))
    ]
    order = Order(
        no,
        buyer,
        chance.choice(plan.stores),
        chance.choice([*plan.guides, None]),
        lines,
        paid_at,
        paid_at,
        at_the_till=chance.random() < 0.5,
    )
    yield paid_at, lambda world: world.buy(order)
    if chance.random() < 0.25:
        at = paid_at + timedelta(minutes=chance.randint(5, 150))
        amount = chance.choice([lines[0].paid, lines[0].paid // 3])
        yield at, lambda world: world.refund(no, 0, amount, at)
    if chance.random() < 0.3:
        settled_at = paid_at + timedelta(minutes=160)
        yield settled_at, lambda world: world.settle(no, settled_at)


def _joins(key: str, name: str, chance: random.Random, at: datetime) -> Happening:
    gender = chance.randrange(3)
    birthday = date(chance.randint(1960, 2005), chance.randint(1, 12), chance.randint(1, 28))
    return lambda world: world.join(key, name, at, gender=gender, birthday=birthday)


def _renamed(key: str, name: str, at: datetime) -> Happening:
    return lambda world: world.rename(key, name, at)


def _tagged(key: str, tag: str, at: datetime) -> Happening:
    return lambda world: world.tag(key, tag, is_on=True, at=at)


def _looked_after(key: str, guide: str, at: datetime) -> Happening:
    return lambda world: world.look_after(key, guide, at)


def _merges(from_key: str, to_key: str, at: datetime) -> Happening:
    return lambda world: world.merge(from_key, to_key, at)


def _closes(key: str, at: datetime) -> Happening:
    return lambda world: world.close(key, at)


def _name(plan: Plan, chance: random.Random) -> str:
    if plan.names:
        return chance.choice(plan.names)
    return chance.choice(_FAMILY) + chance.choice(_GIVEN)
