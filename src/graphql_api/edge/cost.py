"""What an operation costs: asked for, before it runs; and in fact, by its answer.

An object costs its field's weight, 1 unless `@cost` says otherwise; a list as often as it has
items; scalars nothing. A document is priced once. What depends on variables stays open: a plan.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

AT_MOST = 1_000_000_000
"""Where counting stops: nested lists multiply without end."""

Variables = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Count:
    """How many items a list may have: a number, or what a variable says."""

    number: int
    variable: str | None = None
    most: int = 100

    def of(self, variables: Variables) -> int:
        """The number; what makes no sense is refused later, and counts as if it were left out."""
        value = variables.get(self.variable) if self.variable else None
        if isinstance(value, list):
            value = len(value)
        sensible = isinstance(value, int) and not isinstance(value, bool)
        return min(max(value if sensible and value is not None else self.number, 0), self.most)


@dataclass(frozen=True, slots=True)
class Extra:
    """What a variable adds by the inputs that it gives."""

    variable: str
    weights: Mapping[str, int]

    def of(self, variables: Variables) -> int:
        """The weights of the inputs that are there."""
        given = variables.get(self.variable)
        if not isinstance(given, dict):
            return 0
        return sum(weight for name, weight in self.weights.items() if given.get(name) is not None)


@dataclass(frozen=True, slots=True)
class Selection:
    """The fields that cost something, and the fragments, of one selection set."""

    fields: tuple["Priced", ...] = ()
    spreads: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.fields or self.spreads)


NOTHING = Selection()
_ABSENT: Any = object()


@dataclass(frozen=True, slots=True)
class Priced:
    """A field that costs something, under the key that it has in the answer.

    `size` is for lists; of a connection it is `page`, which its `nodes` and `edges` have as often:
    they are `paged`.
    """

    key: str
    weight: int
    extras: tuple[Extra, ...] = ()
    size: Count | None = None
    page: Count | None = None
    paged: bool = False
    children: Selection = NOTHING


@dataclass(frozen=True, slots=True)
class _Sum:
    """A cost: so much, and so much for each item of the page around it."""

    fixed: int = 0
    each: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """A priced operation: its selection, its fragments, each after those it spreads, defaults."""

    selection: Selection
    fragments: Mapping[str, Selection]
    defaults: Variables

    def requested(self, variables: Variables | None) -> int:
        """The most that the operation can cost, 1 at least."""
        given = {**self.defaults, **(variables or {})}
        known: dict[str, _Sum] = {}
        for name, selection in self.fragments.items():
            known[name] = _sum(selection, given, known)
        return max(_sum(self.selection, given, known).fixed, 1)

    def actual(self, data: Any, variables: Variables | None) -> int:
        """What the objects of an answer cost, 1 at least and never more than was requested."""
        given = {**self.defaults, **(variables or {})}
        return max(self._of(self.selection, data, given), 1)

    def _of(self, selection: Selection, data: Mapping[str, Any], given: Variables) -> int:
        total = 0
        for priced in selection.fields:
            value = data.get(priced.key, _ABSENT)
            if value is not _ABSENT:
                total += self._of_field(priced, value, given)
        for name in selection.spreads:
            total += self._of(self.fragments[name], data, given)
        return total

    def _of_field(self, priced: Priced, value: Any, given: Variables) -> int:
        items = value if isinstance(value, list) else (value,)
        if priced.size is not None:
            items = items[: priced.size.of(given)]
        total = _own(priced, given) * len(items)
        if priced.children is not NOTHING:
            for item in items:
                if item is not None:
                    total += self._of(priced.children, item, given)
        return total


def _own(priced: Priced, given: Variables) -> int:
    """What one object costs by itself."""
    if not priced.extras:
        return priced.weight
    return priced.weight + sum(extra.of(given) for extra in priced.extras)


def _sum(selection: Selection, given: Variables, known: Mapping[str, _Sum]) -> _Sum:
    parts = [_of_field(priced, given, known) for priced in selection.fields]
    return _total([*parts, *(known[name] for name in selection.spreads)])


def _of_field(priced: Priced, given: Variables, known: Mapping[str, _Sum]) -> _Sum:
    inside = _sum(priced.children, given, known)
    one = _own(priced, given) + inside.fixed
    if priced.paged:
        return _Sum(each=one)
    if priced.page is not None:
        return _Sum(one + priced.page.of(given) * inside.each)
    return _Sum(one if priced.size is None else one * priced.size.of(given))


def _total(parts: Iterable[_Sum]) -> _Sum:
    fixed = each = 0
    for part in parts:
        fixed, each = min(fixed + part.fixed, AT_MOST), min(each + part.each, AT_MOST)
    return _Sum(fixed, each)
