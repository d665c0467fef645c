"""An account that is being changed, and what the ledger will say of it.

A book is opened for one change, settled first, and closed into a new account; nothing in it knows
storage or a clock. Each entry is the difference between the figures before and after, so that the
entries of an account always add up to what it has.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum

from graphql_api.points.rules.accounts import (
    MAX_PENDING,
    Account,
    Draw,
    Figures,
    Hold,
    Lot,
    Source,
    consolidated,
    in_spend_order,
    last_day,
    next_day_of,
)
from graphql_api.policies.rules import PointsPolicy


class EntryKind(StrEnum):
    """What happened to points (积分流水类型)."""

    EARN = "EARN"
    ACTIVATE = "ACTIVATE"
    SPEND = "SPEND"
    RESTORE = "RESTORE"
    REVERSE = "REVERSE"
    EXPIRE = "EXPIRE"
    FREEZE = "FREEZE"
    CONSUME = "CONSUME"
    UNFREEZE = "UNFREEZE"
    GRANT = "GRANT"
    ADJUST = "ADJUST"
    OPEN = "OPEN"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger: by how much each figure moved, and from or to which lots."""

    kind: EntryKind
    on: date
    moved: Figures
    balance: int
    draws: tuple[Draw, ...] = ()
    ref: str | None = None


@dataclass(slots=True)
class Book:
    """A member's account as of a business day, under a policy."""

    account: Account
    policy: PointsPolicy
    as_of: date
    lots: dict[str, Lot] = field(init=False)
    holds: dict[str, Hold] = field(init=False)
    debt: int = field(init=False)
    entries: list[Entry] = field(init=False, default_factory=list)
    _seen: Figures = field(init=False)

    def __post_init__(self) -> None:
        self.lots = {lot.id: lot for lot in self.account.lots}
        self.holds = {hold.key: hold for hold in self.account.holds}
        self.debt = self.account.debt
        self._seen = self.account.figures

    @property
    def figures(self) -> Figures:
        """The figures as they are by now."""
        return self._closed().figures

    def close(self) -> Account:
        """The account as it is by now, with no more active lots than an item should have."""
        lots = consolidated(self.lots.values(), self.account.active_on)
        return replace(self._closed(), lots=tuple(lots))

    def _closed(self) -> Account:
        lots, holds = tuple(self.lots.values()), tuple(self.holds.values())
        return replace(self.account, lots=lots, holds=holds, debt=self.debt)

    def note(
        self,
        kind: EntryKind,
        *,
        draws: Iterable[Draw] = (),
        ref: str | None = None,
        on: date | None = None,
    ) -> None:
        """Write down what moved since the last entry; nothing where nothing did."""
        now = self.figures
        moved = Figures(*(new - old for new, old in zip(now, self._seen, strict=True)))
        if any(moved):
            entry = Entry(kind, on or self.as_of, moved, now.balance, tuple(draws), ref)
            self.entries.append(entry)
            self._seen = now

    # --- lots --------------------------------------------------------------------------------

    def last_day(self, lot: Lot) -> date | None:
        """The last day of a lot as things are."""
        return last_day(lot, self.account.active_on)

    def spendable(self, on: date | None = None) -> list[Lot]:
        """Active lots that have not run out, in the order in which they are spent."""
        day = on or self.as_of
        active = in_spend_order(self.lots.values(), self.account.active_on)
        return [lot for lot in active if (self.last_day(lot) or day) >= day]

    def new_lot(
        self, name: str, points: int, source: Source, *, active_on: date | None, earned_on: date
    ) -> Lot:
        """A lot by the terms of the policy; what is active already pays a debt first."""
        active = active_on is not None and active_on <= self.as_of
        lot = Lot(
            self._free_id(name),
            points,
            source,
            earned_on,
            active=active,
            activates_on=active_on,
            expires_on=self.policy.last_day(active_on) if active_on else None,
            idle_months=self.policy.idle_months,
        )
        self.put(lot)
        return lot

    def put(self, lot: Lot, on: date | None = None) -> None:
        """Have a lot; an active one pays a debt first."""
        self.lots[lot.id] = lot
        if lot.active:
            self.pay_debt(on)

    def _free_id(self, name: str) -> str:
        taken = [name, *(f"{name}~{n}" for n in range(1, len(self.lots) + 1))]
        return next(id_ for id_ in taken if id_ not in self.lots)

    def activate(self, lot: Lot, on: date) -> Draw:
        """Have a lot be active from a day on; one that waited for no day gets its last day now."""
        waited = lot.activates_on is not None
        last = lot.expires_on if waited else self.policy.last_day(on)
        self.put(replace(lot, active=True, activates_on=on, expires_on=last), on)
        return Draw(lot.points, replace(lot, points=0))

    def take(self, points: int, lots: Sequence[Lot]) -> tuple[list[Draw], int]:
        """Take points from some lots, one after the other; what was taken, and what is missing."""
        draws: list[Draw] = []
        for lot in lots:
            taken = min(points, lot.points)
            if taken:
                draws.append(Draw(taken, replace(lot, points=0)))
                self._lower(lot, taken)
                points -= taken
        return draws, points

    def _lower(self, lot: Lot, points: int) -> None:
        if points == lot.points:
            del self.lots[lot.id]
        else:
            self.lots[lot.id] = replace(lot, points=lot.points - points)

    def draw(self, points: int, *, into_debt: bool = False) -> tuple[list[Draw], int]:
        """Take points in the order in which they are spent; the rest is a debt where that may be.

        Gives what was taken, a debt included, and what is missing.
        """
        draws, missing = self.take(points, self.spendable())
        if missing and into_debt:
            self.debt += missing
            return [*draws, Draw(missing)], 0
        return draws, missing

    def pay_debt(self, on: date | None = None) -> None:
        """A debt takes what is there to spend."""
        if self.debt:
            _, self.debt = self.take(self.debt, self.spendable(on))

    def touch(self, day: date) -> None:
        """Something was bought or spent on a day: points that run out by inactivity hold on."""
        known = self.account.active_on
        self.account = replace(self.account, active_on=max(day, known or day))

    # --- giving back -------------------------------------------------------------------------

    def give_back(self, draws: Iterable[Draw], *, name: str, on: date) -> None:
        """Put points back into the lots that they came from, and into a debt what was one.

        A lot whose last day is over has it still, or a grace from the day of giving back on. What
        was a debt and is paid by now comes back as a lot of its own.
        """
        for draw in draws:
            if draw.lot is None:
                self._forgive(draw.points, name, on)
            elif draw.points:
                self._return(draw.lot, draw.points, on)
        self.pay_debt(on)

    def _forgive(self, points: int, name: str, on: date) -> None:
        forgiven = min(self.debt, points)
        self.debt -= forgiven
        if rest := points - forgiven:
            self.new_lot(f"{name}~back", rest, Source.GRANT, active_on=on, earned_on=on)

    def _return(self, lot: Lot, points: int, on: date) -> None:
        known, last = self.lots.get(lot.id), self.last_day(lot)
        if known is not None and known.active and _as_long(self.last_day(known), last):
            self.lots[lot.id] = replace(known, points=known.points + points)
            return
        expires_on = lot.expires_on
        if last is not None and last < on and self.policy.grace_days:
            expires_on = on + timedelta(days=self.policy.grace_days)
        idle = 0 if expires_on is not lot.expires_on else lot.idle_months
        id_ = lot.id if known is None else self._free_id(lot.id)
        back = replace(
            lot, id=id_, points=points, active=True, expires_on=expires_on, idle_months=idle
        )
        self.lots[id_] = back

    def expire(self, on: date) -> None:
        """Have what ran out before a day no more."""
        active = in_spend_order(self.lots.values(), self.account.active_on)
        over = [lot for lot in active if (self.last_day(lot) or on) < on]
        draws, _ = self.take(sum(lot.points for lot in over), over)
        self.note(EntryKind.EXPIRE, draws=draws, on=on)

    # --- time --------------------------------------------------------------------------------

    def settle(self, *, expiring: bool = True) -> None:
        """Have happen what time brings up to this business day, day after day.

        On each day points become active, then holds end, then points run out; without `expiring`
        points become active only. The ledger has an entry for each kind of thing.
        """
        written = len(self.entries)
        while (day := self._next_day(expiring)) is not None and day <= self.as_of:
            self._activate_due(day)
            if expiring:
                for hold in [h for h in self.holds.values() if h.until and h.until < day]:
                    self.release(hold.key, on=day)
                self.expire(day)
        self.entries[written:] = together(self.entries[written:])
        if expiring:
            self._make_room()

    def _next_day(self, expiring: bool) -> date | None:
        if expiring:
            return next_day_of(self._closed(), 0)
        waiting = [lot.activates_on for lot in self.lots.values() if not lot.active]
        return min((day for day in waiting if day is not None), default=None)

    def _activate_due(self, day: date) -> None:
        due = [
            lot
            for lot in self.lots.values()
            if not lot.active and lot.activates_on is not None and lot.activates_on <= day
        ]
        due.sort(key=lambda lot: (lot.activates_on or day, lot.earned_on, lot.id))
        draws = [self.activate(lot, lot.activates_on or day) for lot in due]
        self.note(EntryKind.ACTIVATE, draws=draws, on=day)

    def _make_room(self) -> None:
        """More than so many lots do not wait: those that came first become active at once."""
        waiting = [lot for lot in self.lots.values() if not lot.active]
        waiting.sort(key=lambda lot: (lot.earned_on, lot.id))
        first = waiting[: max(0, len(waiting) - MAX_PENDING)]
        draws = [self.activate(lot, self.as_of) for lot in first]
        self.note(EntryKind.ACTIVATE, draws=draws)

    def release(self, key: str, *, on: date | None = None) -> None:
        """End a hold: what was frozen goes back to its lots."""
        hold = self.holds.pop(key)
        self.give_back(hold.draws, name=key, on=on or self.as_of)
        self.note(EntryKind.UNFREEZE, draws=hold.draws, ref=key, on=on)


def _as_long(one: date | None, other: date | None) -> bool:
    """Whether a last day is no earlier than another; none is the latest."""
    return one is None or (other is not None and one >= other)


def settled(account: Account, policy: PointsPolicy, as_of: date) -> Account:
    """An account on a business day: as written, with what is due by then on top."""
    book = Book(account, policy, as_of)
    book.settle()
    return book.close()


def together(entries: Sequence[Entry]) -> list[Entry]:
    """Entries of the same kind and reference as one, of the last day; they come to the same."""
    found: dict[tuple[EntryKind, str | None], Entry] = {}
    for entry in entries:
        key = entry.kind, entry.ref
        known = found.get(key)
        moved = entry.moved if known is None else _sum(known.moved, entry.moved)
        draws = (*(known.draws if known else ()), *entry.draws)
        found[key] = replace(entry, moved=moved, draws=draws)
    balance = entries[0].balance - entries[0].moved.balance if entries else 0
    united: list[Entry] = []
    for entry in found.values():
        balance += entry.moved.balance
        united.append(replace(entry, balance=balance))
    return united


def _sum(one: Figures, other: Figures) -> Figures:
    return Figures(*(a + b for a, b in zip(one, other, strict=True)))
