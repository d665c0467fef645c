"""Automatic tags: conditions over a member's facts, and when time alone turns them (domain: §6)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from graphql_api.kit.calendar import month_start
from graphql_api.policies.rules import WINDOWED, Condition, Fact, Operator, TagRulesPolicy
from graphql_api.standing.rules.records import GROWTH, ORDERS, SPEND, Facts, Person, Standing

_LEAP_CYCLE_YEARS = 9
_YEARLY = Fact.DAYS_TO_BIRTHDAY
_OLDEST = 200
_LONGEST_YEAR = 366
_ROWS = {Fact.ORDERS: ORDERS, Fact.SPEND: SPEND, Fact.GROWTH: GROWTH}


@dataclass(slots=True)
class TagRule:
    """A tag, the condition under which members have it, and its group where that allows one."""

    name: str
    tag: str
    group: str | None
    when: Condition


@dataclass(slots=True)
class Rules:
    """The rules of a version, and every comparison in them."""

    version: int
    rules: Sequence[TagRule]
    groups: Mapping[str, str]
    leaves: Sequence[Condition]

    def rule_of(self, tag: str) -> TagRule | None:
        """The rule that gives a tag."""
        return next((rule for rule in self.rules if rule.tag == tag), None)


def compiled(version: int, policy: TagRulesPolicy, groups: Mapping[str, str]) -> Rules:
    """The rules of a policy; `groups` names the group of each tag whose group allows one only."""
    rules = [TagRule(r.name, r.tag, groups.get(r.tag), r.when) for r in policy.rules]
    leaves = list(dict.fromkeys(leaf for rule in rules for leaf in _leaves(rule.when)))
    return Rules(version, rules, groups, leaves)


def _leaves(condition: Condition) -> Iterator[Condition]:
    if not condition.branches:
        yield condition
    for branch in condition.branches:
        yield from _leaves(branch)


def tags_on(rules: Rules, facts: Facts, standing: Standing, day: int, month: int) -> frozenset[str]:
    """The tags that rules give on a day, beside those that stronger sources gave.

    `standing` says what was decided for that day but for the tags. A tag by hand or imported is
    left alone, and so is its group where that allows one; of rules for one group the first wins.
    """
    held = {tag for tag, last in facts.tags.items() if not last or day <= last}
    taken = {group for tag in held if (group := rules.groups.get(tag)) is not None}
    given = []
    for rule in rules.rules:
        if rule.tag in held or rule.group in taken:
            continue
        if holds(rule.when, facts, standing, day, month):
            given.append(rule.tag)
            if rule.group is not None:
                taken.add(rule.group)
    return frozenset(given)


def holds(when: Condition, facts: Facts, standing: Standing, day: int, month: int) -> bool:
    """Whether a condition is true of a member on a day."""
    if when.all_of is not None:
        return all(holds(one, facts, standing, day, month) for one in when.all_of)
    if when.any_of is not None:
        return any(holds(one, facts, standing, day, month) for one in when.any_of)
    if when.none_of is not None:
        return not any(holds(one, facts, standing, day, month) for one in when.none_of)
    return _compares(when, facts, standing, day, month)


def _compares(leaf: Condition, facts: Facts, standing: Standing, day: int, month: int) -> bool:
    assert leaf.fact is not None
    if leaf.fact is Fact.TAG:
        return _compares_tags(leaf, facts, day)
    if leaf.fact in WINDOWED:
        value: int | str | None = _windowed(leaf, facts, month)
    elif leaf.fact in _BY_DAY:
        value = _BY_DAY[leaf.fact](facts, day)
    elif leaf.fact in _STATED:
        value = _STATED[leaf.fact](facts.person)
    else:
        value = _SETTLED[leaf.fact](standing)
    return _compared(leaf, value)


def _compared(leaf: Condition, value: int | str | None) -> bool:
    match leaf.op:
        case Operator.KNOWN:
            return value is not None
        case Operator.IS:
            return value in (leaf.values or ())
        case Operator.IS_NOT:
            return value not in (leaf.values or ())
    if value is None:
        return False
    number, limit = int(value), leaf.number or 0
    if leaf.op is Operator.EQUALS:
        return number == limit
    return number >= limit if leaf.op is Operator.AT_LEAST else number <= limit


def _compares_tags(leaf: Condition, facts: Facts, day: int) -> bool:
    held = [tag for tag, last in facts.tags.items() if not last or day <= last]
    if leaf.op is Operator.KNOWN:
        return bool(held)
    has_one = any(tag in (leaf.values or ()) for tag in held)
    return has_one if leaf.op is Operator.IS else not has_one


# --- facts -----------------------------------------------------------------------------------


def _windowed(leaf: Condition, facts: Facts, month: int) -> int | None:
    def total(row: int) -> int:
        if leaf.months is None:
            return facts.totals[row]
        return facts.window(row, month, leaf.months)

    if leaf.fact is Fact.AVERAGE_ORDER:
        orders = total(ORDERS)
        return total(SPEND) // orders if orders > 0 else None
    return total(_ROWS[leaf.fact]) if leaf.fact else None


def _birthday_in(facts: Facts, year: int) -> int | None:
    """The birthday in a year; 29 February is the 28th where there is none."""
    if facts.person.birthday is None:
        return None
    month, dom = facts.person.birthday
    try:
        return date(year, month, dom).toordinal()
    except ValueError:
        return date(year, month, 28).toordinal()


def _age(facts: Facts, day: int) -> int | None:
    born = facts.person.birth_year
    year = date.fromordinal(day).year
    birthday = _birthday_in(facts, year)
    if born is None or birthday is None:
        return None
    return year - born - (day < birthday)


def _days_to_birthday(facts: Facts, day: int) -> int | None:
    year = date.fromordinal(day).year
    birthday = _birthday_in(facts, year)
    if birthday is not None and birthday < day:
        birthday = _birthday_in(facts, year + 1)
    return None if birthday is None else birthday - day


_BY_DAY: Mapping[Fact, Callable[[Facts, int], int | None]] = {
    Fact.AGE: _age,
    Fact.DAYS_TO_BIRTHDAY: _days_to_birthday,
    Fact.DAYS_SINCE_PURCHASE: lambda f, day: None if f.last is None else day - f.last,
    Fact.DAYS_SINCE_JOINING: lambda f, day: day - f.joined,
}

_SETTLED: Mapping[Fact, Callable[[Standing], int | str | None]] = {
    Fact.TIER: lambda s: s.tier.name,
    Fact.LIFECYCLE: lambda s: s.lifecycle.state,
    Fact.PHASE: lambda s: s.relationship.phase,
    Fact.RFM_CLASS: lambda s: s.rfm.value_class if s.rfm else None,
    Fact.QUADRANT: lambda s: s.quadrant.quadrant if s.quadrant else None,
    Fact.RECENCY: lambda s: s.rfm.recency if s.rfm else None,
    Fact.FREQUENCY: lambda s: s.rfm.frequency if s.rfm else None,
    Fact.MONETARY: lambda s: s.rfm.monetary if s.rfm else None,
    Fact.REACTIVATIONS: lambda s: s.lifecycle.reactivations,
}

_STATED: Mapping[Fact, Callable[[Person], str | None]] = {
    Fact.GENDER: lambda p: p.gender,
    Fact.CITY: lambda p: p.city,
    Fact.OCCUPATION: lambda p: p.occupation,
    Fact.INCOME_BAND: lambda p: p.income_band,
    Fact.STORE: lambda p: p.store,
    Fact.CHANNEL: lambda p: p.channel,
}


# --- what time will do -----------------------------------------------------------------------


def next_day(
    rules: Rules, facts: Facts, standing: Standing, day: int, month: int, before: int | None
) -> int | None:
    """The first day after `day` and before `before` on which time alone turns a rule.

    Up to `before` everything else of the standing stays as it is.
    """
    for at in _turning_days(rules, facts, day, month, before):
        on = date.fromordinal(at)
        if tags_on(rules, facts, standing, at, on.year * 12 + on.month - 1) != standing.tags:
            return at
    return None


def _turning_days(
    rules: Rules, facts: Facts, day: int, month: int, before: int | None
) -> list[int]:
    """The days on which a comparison may turn, in order; those that come each year, long enough."""
    found = {d for leaf in rules.leaves for d in _once(leaf, facts, month)}
    if any(leaf.fact is _YEARLY for leaf in rules.leaves):
        first = date.fromordinal(day).year
        last = date.fromordinal(max([day, *found])).year + _LEAP_CYCLE_YEARS
        end = last if before is None else min(last, date.fromordinal(before).year + 1)
        for year in range(first, end + 1):
            found |= {d for leaf in rules.leaves for d in _each_year(leaf, facts, year)}
    return sorted(d for d in found if day < d and (before is None or d < before))


def _once(leaf: Condition, facts: Facts, month: int) -> Iterator[int]:
    if leaf.months is not None:
        last = facts.newest + leaf.months
        yield from (month_start(later) for later in range(month + 1, last + 1))
    limit = leaf.number
    if limit is None:
        return
    if leaf.fact is Fact.DAYS_SINCE_PURCHASE and facts.last is not None:
        yield from (facts.last + limit, facts.last + limit + 1)
    elif leaf.fact is Fact.DAYS_SINCE_JOINING:
        yield from (facts.joined + limit, facts.joined + limit + 1)
    elif leaf.fact is Fact.AGE and facts.person.birth_year is not None and limit <= _OLDEST:
        for age in (limit, limit + 1):
            birthday = _birthday_in(facts, facts.person.birth_year + age)
            if birthday is not None:
                yield birthday


def _each_year(leaf: Condition, facts: Facts, year: int) -> Iterator[int]:
    birthday = _birthday_in(facts, year) if leaf.fact is _YEARLY else None
    if birthday is not None and leaf.number is not None and leaf.number <= _LONGEST_YEAR:
        yield from (birthday - leaf.number, birthday - leaf.number + 1, birthday + 1)
