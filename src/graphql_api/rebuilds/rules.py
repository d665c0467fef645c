"""Rules of runs over all members: what a policy moves, counted, and cut points measured."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from graphql_api.policies.rules import (
    BaseAverages,
    CutMethod,
    FrequencyBand,
    MonetaryBand,
    RecencyBand,
    RfmPolicy,
)
from graphql_api.standing.rules import (
    ChangeKind,
    Decision,
    Facts,
    Standing,
    least_of_quintiles,
    most_of_quintiles,
)
from graphql_api.standing.rules.records import ORDERS, SPEND
from graphql_api.viewer import MANAGE_POLICIES, STAFF, Role, Viewer

SAMPLES = 5
"""How many members a move names."""

BLOCKS = 8
"""How many blocks of 256 numbers a piece of a run holds."""

_YUAN = 100
_PERCENT = 100


class RunKind(StrEnum):
    """What a run is for (预览, 重算, 测算)."""

    PREVIEW = "PREVIEW"
    REBUILD = "REBUILD"
    MEASURE = "MEASURE"


class RunState(StrEnum):
    """Where a run stands (等待, 进行中, 完成, 失败, 已取消)."""

    WAITING = "WAITING"
    IN_PROGRESS = "IN_PROGRESS"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


OVER = frozenset({RunState.DONE, RunState.FAILED, RunState.CANCELLED})


@dataclass(frozen=True, slots=True)
class Move:
    """Members go from one state of a part to another; None for a tag that they had not, or lose."""

    part: ChangeKind
    old: str | None
    new: str | None


@dataclass(slots=True)
class Tally:
    """What was seen of some members: how many, how many move, whereto, and a few of each move."""

    members: int = 0
    changed: int = 0
    moves: Counter[Move] = field(default_factory=Counter)
    samples: dict[Move, list[str]] = field(default_factory=dict)

    def add(self, member_id: str, moved: Sequence[Move]) -> None:
        """Count a member."""
        self.members += 1
        self.changed += bool(moved)
        self.moves.update(moved)
        for move in moved:
            named = self.samples.setdefault(move, [])
            if len(named) < SAMPLES:
                named.append(member_id)

    def plus(self, other: "Tally") -> "Tally":
        """Both together; of a move the first members stay named."""
        samples = {move: list(named) for move, named in self.samples.items()}
        for move, named in other.samples.items():
            known = samples.setdefault(move, [])
            known += named[: SAMPLES - len(known)]
        return Tally(
            self.members + other.members,
            self.changed + other.changed,
            self.moves + other.moves,
            samples,
        )

    def rows(self) -> list[list[Any]]:
        """The moves as they are stored: part, old, new, how many, members."""
        ordered = sorted(self.moves.items(), key=lambda one: (one[0].part, -one[1], str(one[0])))
        return [[m.part, m.old, m.new, n, self.samples.get(m, [])] for m, n in ordered]

    @classmethod
    def of(cls, members: int, changed: int, rows: Sequence[Sequence[Any]]) -> "Tally":
        """What `rows` were made of."""
        moves = {Move(ChangeKind(part), old, new): n for part, old, new, n, _ in rows}
        samples = {Move(ChangeKind(part), old, new): list(m) for part, old, new, _, m in rows}
        return cls(members, changed, Counter(moves), samples)


def moved(before: Standing | None, decision: Decision) -> list[Move]:
    """The parts of a member's standing that a decision moves, tags one by one."""
    after = decision.standing
    old, new = _named(before), _named(after)
    parts = [Move(part, old.get(part), new[part]) for part in new if old.get(part) != new[part]]
    tags = before.tags if before else frozenset[str]()
    taken = [Move(ChangeKind.TAG, tag, None) for tag in sorted(tags - after.tags)]
    given = [Move(ChangeKind.TAG, None, tag) for tag in sorted(after.tags - tags)]
    return [*parts, *taken, *given]


def _named(standing: Standing | None) -> dict[ChangeKind, str | None]:
    if standing is None:
        return {}
    return {
        ChangeKind.TIER: standing.tier.name,
        ChangeKind.LIFECYCLE: standing.lifecycle.state,
        ChangeKind.PHASE: standing.relationship.phase,
        ChangeKind.RFM: standing.rfm.value_class if standing.rfm else None,
        ChangeKind.QUADRANT: standing.quadrant.quadrant if standing.quadrant else None,
    }


# --- pieces ----------------------------------------------------------------------------------


def pieces_of(newest_number: int, block_size: int) -> int:
    """How many pieces hold every number that was given."""
    return newest_number // (block_size * BLOCKS) + 1


def blocks_of(piece: int) -> Iterator[int]:
    """The blocks of a piece, by number."""
    yield from range(piece * BLOCKS, (piece + 1) * BLOCKS)


# --- cut points ------------------------------------------------------------------------------


@dataclass(slots=True)
class Measured:
    """What members with a purchase have: how many of each number of days, orders and whole yuan."""

    days: Counter[int] = field(default_factory=Counter)
    orders: Counter[int] = field(default_factory=Counter)
    yuan: Counter[int] = field(default_factory=Counter)
    fen: int = 0

    def add(self, facts: Facts, day: int, month: int, window: int) -> None:
        """Count a member; who never bought is not of the base."""
        if facts.last is None:
            return
        spend = facts.window(SPEND, month, window)
        self.days[day - facts.last] += 1
        self.orders[facts.window(ORDERS, month, window)] += 1
        self.yuan[spend // _YUAN] += 1
        self.fen += spend

    def plus(self, other: "Measured") -> "Measured":
        """Both together."""
        return Measured(
            self.days + other.days,
            self.orders + other.orders,
            self.yuan + other.yuan,
            self.fen + other.fen,
        )

    def document(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            "days": sorted(self.days.items()),
            "orders": sorted(self.orders.items()),
            "yuan": sorted(self.yuan.items()),
            "fen": self.fen,
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Measured":
        """What `document` was made of."""
        days, orders, yuan = (Counter(dict(document[n])) for n in ("days", "orders", "yuan"))
        return cls(days, orders, yuan, int(document["fen"]))


def with_cut_points(policy: RfmPolicy, base: Measured, measured_on: Any) -> RfmPolicy:
    """A policy with the quintiles of the base where it asks for them, and its averages.

    The base are members who ever bought; the averages are of those with an order in the window.
    Limits that are written down stay. Spend is cut at whole yuan. Of a base in which nobody is,
    everything stays as it was (domain: §5, §14).
    """
    if not base.days:
        return policy
    averages = _averages(base) or policy.averages
    given: dict[str, Any] = {"measured_on": measured_on, "averages": averages}
    if policy.recency_method is CutMethod.QUANTILE:
        limits: list[int | None] = [*most_of_quintiles(list(base.days.elements())), None]
        bands = zip(range(5, 0, -1), limits, strict=True)
        given["recency"] = tuple(RecencyBand(score=s, max_days=d) for s, d in bands)
    if policy.frequency_method is CutMethod.QUANTILE:
        least = [0, *least_of_quintiles(list(base.orders.elements()))]
        given["frequency"] = tuple(
            FrequencyBand(score=score, min_orders=least[score - 1]) for score in range(5, 0, -1)
        )
    if policy.monetary_method is CutMethod.QUANTILE:
        least = [0, *least_of_quintiles(list(base.yuan.elements()))]
        given["monetary"] = tuple(
            MonetaryBand(score=score, min_fen=least[score - 1] * _YUAN) for score in range(5, 0, -1)
        )
    return RfmPolicy.model_validate({**policy.model_dump(), **given})


def _averages(base: Measured) -> BaseAverages | None:
    """Over members with an order in the window; None where nobody has one."""
    members = sum(n for orders, n in base.orders.items() if orders > 0)
    orders = sum(orders * n for orders, n in base.orders.items() if orders > 0)
    if not members:
        return None
    return BaseAverages(orders_percent=orders * _PERCENT // members, order_fen=base.fen // orders)


def is_visible(viewer: Viewer) -> bool:
    """Runs are for headquarters, and for keys that manage policies."""
    if viewer.role is Role.INTEGRATION:
        return viewer.holds(MANAGE_POLICIES)
    return viewer.role in STAFF and viewer.store_ids is None
