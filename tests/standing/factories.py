"""Facts and policies for tests of standings, told by what the test is about."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from graphql_api.kit.time import month_number
from graphql_api.policies import rules as documents
from graphql_api.policies.rules import PolicyDocument, PolicyKind
from graphql_api.standing.rules import Decision, Facts, Person, Policies, facts_of, prepare

Row = tuple[int, ...]
SHIPPED = prepare({})


def day(text: str) -> date:
    """A day as people write it."""
    return date.fromisoformat(text)


def policies(
    groups: Mapping[str, str] | None = None, version: int = 1, **written: dict[str, Any]
) -> Policies:
    """Policies with these documents, the others as shipped: `policies(tier_ladder={…})`."""
    read: dict[PolicyKind, tuple[int, PolicyDocument]] = {}
    for name, document in written.items():
        kind = PolicyKind[name.upper()]
        found = documents.read(kind, document)
        assert isinstance(found, PolicyDocument), found
        read[kind] = (version, found)
    return prepare(read, groups)


def make_facts(
    months: Mapping[str, Row] | None = None,
    *,
    joined: str = "2017-01-01",
    last: str | None = None,
    tags: Mapping[str, str | None] | None = None,
    **person: Any,
) -> Facts:
    """Facts with rows (orders, fen, growth) by month; without `last`, the 1st of the newest one."""
    buckets = {month_number(month): row for month, row in (months or {}).items()}
    if last is None and buckets:
        last = f"{max(months or {})}-01"
    rows = list(buckets.values())
    return facts_of(
        buckets,
        joined=day(joined),
        last=day(last) if last else None,
        totals=(sum(r[0] for r in rows), sum(r[1] for r in rows), sum(r[2] for r in rows)),
        tags={tag: day(ends).toordinal() if ends else 0 for tag, ends in (tags or {}).items()},
        person=Person(**person),
    )


def growth(**by_month: int) -> dict[str, Row]:
    """Months with so much growth, an order each: `growth(m2017_03=200)`."""
    return {name[1:].replace("_", "-"): (1, 0, got) for name, got in by_month.items()}


def told(decision: Decision) -> dict[str, Any]:
    """A standing in plain words and days."""
    s = decision.standing
    until = s.tier.until
    return {
        "tier": s.tier.name,
        "since": date.fromordinal(s.tier.since).isoformat(),
        "until": date.fromordinal(until).isoformat() if until else None,
        "lifecycle": str(s.lifecycle.state),
        "phase": str(s.relationship.phase),
        "rfm": (s.rfm.recency, s.rfm.frequency, s.rfm.monetary) if s.rfm else None,
        "class": str(s.rfm.value_class) if s.rfm else None,
        "quadrant": str(s.quadrant.quadrant) if s.quadrant else None,
        "tags": sorted(s.tags),
    }
