"""Rules of the organisation tree and of opening hours; arithmetic on arguments."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

MAX_DEPTH = 8


class UnitKind(StrEnum):
    """Kinds of org unit above a store (domain glossary: 总部, 区域, 代理)."""

    HQ = "HQ"
    REGION = "REGION"
    AGENT = "AGENT"


class StoreFormat(StrEnum):
    """Where a store stands (业态)."""

    STREET = "STREET"
    MALL = "MALL"
    COMMUNITY = "COMMUNITY"
    TRANSPORT = "TRANSPORT"
    OFFICE = "OFFICE"
    CAMPUS = "CAMPUS"
    ONLINE = "ONLINE"


class StoreGrade(StrEnum):
    """How well a store is run, by its metrics (门店等级)."""

    S = "S"
    A = "A"
    B = "B"
    C = "C"


class OperatingStage(StrEnum):
    """How far a store has come in looking after members (运营阶段: 拉新, 精准, 精细)."""

    ACQUIRING = "ACQUIRING"
    PRECISE = "PRECISE"
    REFINED = "REFINED"


@dataclass(frozen=True, slots=True)
class Opening:
    """One interval of one weekday (1 = Monday), as HH:MM; 24:00 is the end of the day."""

    weekday: int
    opens: str
    closes: str


def overlapping(openings: Iterable[Opening]) -> Opening | None:
    """The first interval that starts before the one ahead of it ends, None when all are apart."""
    ordered = sorted(openings, key=lambda o: (o.weekday, o.opens))
    for earlier, later in pairwise(ordered):
        if earlier.weekday == later.weekday and later.opens < earlier.closes:
            return later
    return None


def is_open(openings: Iterable[Opening], at: datetime, zone: str) -> bool:
    """Whether a store with these hours is open at an instant; the closing minute is closed."""
    local = at.astimezone(ZoneInfo(zone))
    now = f"{local:%H:%M}"
    return any(o.weekday == local.isoweekday() and o.opens <= now < o.closes for o in openings)


def may_stand_under(child: UnitKind, parent: UnitKind) -> bool:
    """Whether the tree allows it: headquarters on top, an agent's units are agents of its own."""
    if child is UnitKind.HQ:
        return False
    return parent is not UnitKind.AGENT or child is UnitKind.AGENT


def ancestors(unit_id: str, parents: Mapping[str, str | None]) -> list[str]:
    """The units above one, nearest first; a tree deeper than 8 or with a loop is cut there."""
    above: list[str] = []
    at = parents.get(unit_id)
    while at is not None and len(above) < MAX_DEPTH:
        above.append(at)
        at = parents.get(at)
    return above


def subtree(unit_id: str, parents: Mapping[str, str | None]) -> Sequence[str]:
    """A unit and every unit below it, in the order of `parents`."""
    return [u for u in parents if u == unit_id or unit_id in ancestors(u, parents)]


def height(unit_id: str, parents: Mapping[str, str | None]) -> int:
    """How many levels a unit has with what stands under it; 1 where nothing does."""
    below = subtree(unit_id, parents)
    depths = (ancestors(unit, parents).index(unit_id) + 1 for unit in below if unit != unit_id)
    return 1 + max(depths, default=0)
