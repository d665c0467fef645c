"""What is done to an account but for orders: grants, spends, holds, merges, notices."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from graphql_api.points.rules.accounts import (
    Account,
    Draw,
    Figures,
    Hold,
    Lot,
    Source,
    few,
    is_unannounced,
)
from graphql_api.points.rules.books import Book, EntryKind
from graphql_api.policies.rules import PointsPolicy

_KINDS = {
    Source.GRANT: EntryKind.GRANT,
    Source.ADJUSTMENT: EntryKind.ADJUST,
    Source.OPENING: EntryKind.OPEN,
}


@dataclass(frozen=True, slots=True)
class Announcement:
    """Points that run out soon: how many, and the first and the last day on which they hold."""

    points: int
    first_day: date
    last_day: date


def give(
    book: Book, points: int, source: Source, *, key: str, expires_on: date | None = None
) -> None:
    """Points from nowhere, active at once; by the terms of the policy but for a given last day."""
    day = book.as_of
    lot = book.new_lot(_name(source, key), points, source, active_on=day, earned_on=day)
    if expires_on is not None and lot.id in book.lots:
        known = book.lots[lot.id]
        book.lots[lot.id] = replace(known, expires_on=expires_on, idle_months=0)
    book.note(_KINDS[source], draws=[Draw(points, replace(lot, points=0))], ref=key)
    book.expire(day)


def _name(source: Source, key: str) -> str:
    return f"{source.lower()}:{key}"


def take(
    book: Book, points: int, *, key: str | None, kind: EntryKind = EntryKind.SPEND
) -> tuple[Draw, ...]:
    """Take points that are there (see `is_short`); the draws, 40 at most, to give them back."""
    draws, _ = book.draw(points)
    if kind is EntryKind.SPEND:
        book.touch(book.as_of)
    book.note(kind, draws=draws, ref=key)
    return few(draws, book.account.active_on)


def is_short(book: Book, points: int) -> bool:
    """Whether less can be spent than so many points."""
    return sum(lot.points for lot in book.spendable()) < points


def back(book: Book, draws: Iterable[Draw], *, key: str) -> None:
    """Give back what was taken under a key."""
    given = tuple(draws)
    book.give_back(given, name=key, on=book.as_of)
    book.note(EntryKind.RESTORE, draws=given, ref=key)
    book.expire(book.as_of)


def freeze(book: Book, points: int, *, key: str, until: date | None) -> Hold:
    """Put points aside under a key, to the end of a day; they are there: see `is_short`."""
    draws, _ = book.draw(points)
    hold = book.holds[key] = Hold(key, few(draws, book.account.active_on), until)
    book.note(EntryKind.FREEZE, draws=draws, ref=key)
    return hold


def announcement(account: Account, policy: PointsPolicy, as_of: date) -> Announcement | None:
    """What is to be told on a day of points that run out within the days of the policy."""
    if not policy.notice_days:
        return None
    soon: list[tuple[date, int]] = []
    for lot in account.lots:
        last = account.last_day(lot) if lot.active else None
        if last is None or last < as_of or not is_unannounced(account, last):
            continue
        if (last - as_of).days <= policy.notice_days:
            soon.append((last, lot.points))
    if not soon:
        return None
    days = [day for day, _ in soon]
    return Announcement(sum(points for _, points in soon), min(days), max(days))


def united(mine: Account, theirs: Account, policy: PointsPolicy, as_of: date) -> Account:
    """What one person has who had two accounts: all of both, a debt paid by what is there."""
    lots = {lot.id: lot for lot in mine.lots}
    for lot in theirs.lots:
        lots[_free(lot.id, lots)] = replace(lot, id=_free(lot.id, lots))
    holds = {hold.key: hold for hold in mine.holds}
    for hold in theirs.holds:
        holds[_free(hold.key, holds)] = replace(hold, key=_free(hold.key, holds))
    earned = {
        month: mine.earned.get(month, 0) + theirs.earned.get(month, 0)
        for month in {*mine.earned, *theirs.earned}
    }
    both = Account(
        lots=tuple(lots.values()),
        holds=tuple(holds.values()),
        debt=mine.debt + theirs.debt,
        earned=earned,
        active_on=_later(mine.active_on, theirs.active_on),
        noticed_until=_later(mine.noticed_until, theirs.noticed_until),
    )
    book = Book(both, policy, as_of)
    book.pay_debt()
    return book.close()


def _free(name: str, taken: Iterable[str]) -> str:
    known = set(taken)
    while name in known:
        name += "~m"
    return name


def _later(one: date | None, other: date | None) -> date | None:
    return max((day for day in (one, other) if day is not None), default=None)


def differences(figures: Figures, account: Account, moved: Iterable[Figures]) -> list[str]:
    """What is wrong with a member's points: their figures, lots and ledger say the same.

    `moved` is what the entries of all their lives say.
    """
    ledger = Figures(*map(sum, zip(Figures(), *moved, strict=True)))
    lots = account.figures
    found = [
        f"{name}: {shown} on the member, {held} in lots, {told} in the ledger"
        for name, shown, held, told in zip(Figures._fields, figures, lots, ledger, strict=True)
        if not shown == held == told
    ]
    found += [f"lot {lot.id} has {lot.points} points" for lot in account.lots if lot.points <= 0]
    found += [f"hold {hold.key} is empty" for hold in account.holds if hold.points <= 0]
    if account.debt < 0 or (account.debt and _has_active(account.lots)):
        found.append(f"a debt of {account.debt} beside points that can be spent")
    return found


def _has_active(lots: Iterable[Lot]) -> bool:
    return any(lot.active for lot in lots)
