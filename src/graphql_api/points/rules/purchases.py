"""What an order gives in points and what it was paid with, followed through all its versions.

The terms are decided when an order first comes to a member, and stay. What an order *nominally*
gives is a function of its state, so that its versions end the same in whatever sequence they come;
what a cap kept back or a claw-back could not take is noted beside it, and evens out first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from graphql_api.kit.time import month_of
from graphql_api.points.rules.accounts import Draw, Lot, Source, few
from graphql_api.points.rules.books import Book, EntryKind
from graphql_api.policies.rules import ClawBack, PointsPolicy

MONTHS_KEPT = 13


@dataclass(frozen=True, slots=True)
class Purchase:
    """An order as points see it: fen after refunds, and the points that it was paid with.

    `lines` are category and net amount; `share_refunded` is what was refunded of how much.
    """

    order_id: str
    day: date
    net: int
    channel: str
    lines: tuple[tuple[str, int], ...] = ()
    used: int = 0
    share_refunded: tuple[int, int] = (0, 0)
    settled_on: date | None = None


@dataclass(frozen=True, slots=True)
class OrderPoints:
    """What points and an order have to do with each other; it stands on the order.

    `version`, `day`, `percent` and `tier` are the terms. `earned` is nominal: of it `capped` was
    never given, and `waived` stands above it, which a refund could not take back. `counted` is what
    the program's cap was charged with. Of `used` points `restored` came back; `draws` are the rest.
    `exempt` orders came with a back-fill and have nothing to do with points.
    """

    version: int
    order_id: str
    day: date
    percent: int = 100
    tier: str | None = None
    earned: int = 0
    waived: int = 0
    capped: int = 0
    counted: int = 0
    used: int = 0
    restored: int = 0
    draws: tuple[Draw, ...] = ()
    settled_on: date | None = None
    exempt: bool = False

    @property
    def given(self) -> int:
        """What the account had from it in fact."""
        return self.earned + self.waived - self.capped

    @property
    def row(self) -> dict[str, Any]:
        """As the order stores it; what is nothing is left out."""
        numbers = ("earned", "waived", "capped", "counted", "used", "restored")
        row: dict[str, Any] = {"version": self.version, "percent": self.percent}
        row |= {"order_id": self.order_id, "day": self.day.isoformat()}
        row |= {name: value for name in numbers if (value := getattr(self, name))}
        row |= {"tier": self.tier} if self.tier is not None else {}
        row |= {"draws": [draw.row for draw in self.draws]} if self.draws else {}
        row |= {"settled_on": self.settled_on.isoformat()} if self.settled_on else {}
        return row | ({"exempt": True} if self.exempt else {})

    @classmethod
    def of_row(cls, row: dict[str, Any]) -> "OrderPoints":
        """Of what an order stores."""
        draws = tuple(Draw.of_row(one) for one in row.get("draws", ()))
        settled = row.get("settled_on")
        days = {
            "day": date.fromisoformat(row["day"]),
            "settled_on": date.fromisoformat(settled) if settled else None,
        }
        return cls(**{**row, **days, "draws": draws})


def target(purchase: Purchase, policy: PointsPolicy, percent: int) -> int:
    """What an order in this state nominally earns; nothing where that is more than it may."""
    if purchase.channel in policy.excluded_channels:
        return 0
    excluded = sum(net for name, net in purchase.lines if name in policy.excluded_categories)
    points = policy.points_of(max(0, purchase.net - excluded), percent)
    limit = policy.most_per_order
    return 0 if limit is not None and points > limit else points


def came_back(used: int, share_refunded: tuple[int, int]) -> int:
    """How many of the points that an order was paid with a refund gives back; all for all."""
    refunded, total = share_refunded
    return used if refunded >= total > 0 else used * max(0, refunded) // max(1, total)


def is_as_it_was(purchase: Purchase, kept: OrderPoints, policy: PointsPolicy) -> bool:
    """Whether a version of an order moves no points."""
    same = target(purchase, policy, kept.percent) == kept.earned and purchase.used == kept.used
    back = came_back(purchase.used, purchase.share_refunded) == kept.restored
    return same and back and purchase.settled_on == kept.settled_on


def follow(
    book: Book, purchase: Purchase, kept: OrderPoints, *, room: int | None = None
) -> OrderPoints:
    """Have an account follow an order into a new state; what stands on the order from then on.

    The book is settled, and has the policy of the order's terms. `room` is how much the program
    may still give, None where it is not capped.
    """
    if purchase.settled_on != kept.settled_on:
        _settle_order(book, purchase)
        kept = replace(kept, settled_on=purchase.settled_on)
    book.touch(purchase.day)
    kept = _follow_payment(book, purchase, kept)
    wanted = target(purchase, book.policy, kept.percent)
    if wanted > kept.earned:
        kept = _earn(book, purchase, kept, wanted, room)
    elif wanted < kept.earned:
        kept = _reverse(book, kept, wanted)
    book.expire(book.as_of)
    return kept


def leave(book: Book, kept: OrderPoints) -> OrderPoints:
    """Take back all that an order gave, and give back what it was paid with: it is another's."""
    kept = _restore(book, kept, sum(draw.points for draw in kept.draws))
    kept = _reverse(book, kept, 0)
    book.expire(book.as_of)
    return kept


# --- earning ---------------------------------------------------------------------------------


def _earn(
    book: Book, purchase: Purchase, kept: OrderPoints, wanted: int, room: int | None
) -> OrderPoints:
    more = wanted - kept.earned
    evened = min(more, kept.waived)
    asked = more - evened
    points = min(asked, _room_of_month(book, kept.day), asked if room is None else room)
    if points:
        active_on = book.policy.active_from(purchase.day, purchase.settled_on)
        name, day = purchase.order_id, purchase.day
        lot = book.new_lot(name, points, Source.ORDER, active_on=active_on, earned_on=day)
        _count_month(book, kept.day, points)
        drawn = [Draw(points, replace(lot, points=0))]
        book.note(EntryKind.EARN, draws=drawn, ref=purchase.order_id)
    return replace(
        kept,
        earned=wanted,
        waived=kept.waived - evened,
        capped=kept.capped + asked - points,
        counted=kept.counted + (points if room is not None else 0),
    )


def _room_of_month(book: Book, day: date) -> int:
    most = book.policy.most_per_month
    had = book.account.earned.get(month_of(day), 0)
    return 10**15 if most is None else max(0, most - had)


def _count_month(book: Book, day: date, points: int) -> None:
    """Count what purchases of a month brought; the newest thirteen months are kept."""
    earned = dict(book.account.earned)
    month = month_of(day)
    earned[month] = max(0, earned.get(month, 0) + points)
    kept = sorted(earned)[-MONTHS_KEPT:]
    book.account = replace(book.account, earned={name: earned[name] for name in kept})


def _settle_order(book: Book, purchase: Purchase) -> None:
    """Points that waited for this settlement are active from its day on."""
    active_on = book.policy.active_from(purchase.day, purchase.settled_on)
    waiting = [lot for lot in _own(book, purchase.order_id) if lot.activates_on is None]
    draws: list[Draw] = []
    for lot in waiting:
        if lot.active or active_on is None:
            continue
        known = replace(lot, activates_on=active_on, expires_on=book.policy.last_day(active_on))
        book.lots[lot.id] = known
        if active_on <= book.as_of:
            draws.append(book.activate(known, active_on))
    book.note(EntryKind.ACTIVATE, draws=draws, ref=purchase.order_id)


# --- taking back -----------------------------------------------------------------------------


def _own(book: Book, order_id: str) -> list[Lot]:
    """The lots that an order brought, by id."""
    own = [lot for lot in book.lots.values() if lot.order_id == order_id]
    return sorted(own, key=lambda lot: lot.id)


def _reverse(book: Book, kept: OrderPoints, wanted: int) -> OrderPoints:
    """Take back from the order's own lots first, then as the policy of claw-backs says."""
    less = kept.earned - wanted
    evened = min(less, kept.capped)
    asked = less - evened
    own = _own(book, kept.order_id)
    waiting = [lot for lot in own if not lot.active]
    draws, missing = book.take(asked, waiting)
    if missing and book.policy.claw_back is not ClawBack.ONLY_PENDING:
        more, missing = book.take(missing, [lot for lot in own if lot.active])
        rest, missing = book.draw(missing, into_debt=book.policy.claw_back is ClawBack.UNLIMITED)
        draws = [*draws, *more, *rest]
    taken = asked - missing
    _count_month(book, kept.day, -taken)
    book.note(EntryKind.REVERSE, draws=draws, ref=kept.order_id)
    return replace(
        kept,
        earned=wanted,
        waived=kept.waived + missing,
        capped=kept.capped - evened,
        counted=max(0, kept.counted - taken),
    )


# --- paying with points ----------------------------------------------------------------------


def _follow_payment(book: Book, purchase: Purchase, kept: OrderPoints) -> OrderPoints:
    """Points that an order is paid with, and those that its refunds give back.

    An order is a fact: what is frozen under it is taken first, then what is there, then a debt.
    """
    back = came_back(purchase.used, purchase.share_refunded)
    spent, wanted = sum(draw.points for draw in kept.draws), purchase.used - back
    if wanted > spent:
        draws = _pay(book, purchase.order_id, wanted - spent)
        kept = replace(kept, draws=few((*kept.draws, *draws), book.account.active_on))
    elif wanted < spent:
        kept = _restore(book, kept, spent - wanted)
    return replace(kept, used=purchase.used, restored=back)


def _pay(book: Book, order_id: str, points: int) -> Sequence[Draw]:
    draws: list[Draw] = []
    if order_id in book.holds:
        draws = consume(book, order_id, at_most=points)
        points -= sum(draw.points for draw in draws)
    rest, _ = book.draw(points, into_debt=True)
    book.note(EntryKind.SPEND, draws=rest, ref=order_id)
    return [*draws, *rest]


def consume(book: Book, key: str, *, at_most: int | None = None) -> list[Draw]:
    """Spend what is frozen under a key, or so much of it; the rest goes back to its lots."""
    hold = book.holds[key]
    points = hold.points if at_most is None else min(at_most, hold.points)
    spent, rest = split(hold.draws, points)
    book.holds[key] = replace(hold, draws=rest)
    book.note(EntryKind.CONSUME, draws=spent, ref=key)
    book.release(key)
    return list(spent)


def _restore(book: Book, kept: OrderPoints, points: int) -> OrderPoints:
    """Give points back, those that were drawn last first: they hold the longest."""
    spent = sum(draw.points for draw in kept.draws)
    left, back = split(kept.draws, spent - points)
    book.give_back(reversed(back), name=kept.order_id, on=book.as_of)
    book.note(EntryKind.RESTORE, draws=back, ref=kept.order_id)
    return replace(kept, draws=left)


def split(draws: Sequence[Draw], points: int) -> tuple[tuple[Draw, ...], tuple[Draw, ...]]:
    """The draws that come to so many points, and the rest of them."""
    first: list[Draw] = []
    rest: list[Draw] = []
    for draw in draws:
        taken = min(points, draw.points)
        points -= taken
        if taken:
            first.append(replace(draw, points=taken))
        if draw.points > taken:
            rest.append(replace(draw, points=draw.points - taken))
    return tuple(first), tuple(rest)
