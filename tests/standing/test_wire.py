"""Members read straight from an answer are those that the whole items tell of."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from graphql_api.kit import ids
from graphql_api.kit.time import Clock, business_day
from graphql_api.members import rules as members
from graphql_api.members.models import Member
from graphql_api.members.rules import Bucket, Gender, HeldTag, SourceChannel, TagSource
from graphql_api.standing import models, wire
from graphql_api.standing.rules import Lock, LockKind, decide, locked
from tests.standing.factories import SHIPPED, policies

CLOCK = Clock()
FIRST = datetime(2014, 12, 31, tzinfo=UTC)
AS_OF = date(2018, 3, 1)
AVERAGES = {"averages": {"ordersPercent": 300, "orderFen": 5_000}}
RICH = policies(rfm=AVERAGES)
LOCK = Lock(LockKind.FLOOR, "V3", AS_OF.toordinal(), None)

moved = st.sampled_from([0, 0, 0, 7, -7])
buckets = st.builds(
    Bucket,
    st.integers(0, 20),
    st.integers(0, 900_000),
    st.integers(0, 9_000),
    moved_orders=moved,
    moved_spend=moved,
    moved_growth=moved,
)
months = st.dictionaries(
    st.integers(0, 38).map(lambda n: f"{2015 + n // 12}-{n % 12 + 1:02d}"), buckets, max_size=30
)
days = st.dates(date(2015, 1, 1), date(2018, 2, 28))
tags = st.dictionaries(
    st.integers(1, 10**9).map(lambda n: ids.numbered_id("tag", n)),
    st.builds(HeldTag, st.sampled_from(TagSource), st.none() | days),
    max_size=3,
)
instants = st.integers(0, 3 * 366 * 86_400).map(lambda s: FIRST + timedelta(seconds=s))


@st.composite
def stored(draw: st.DrawFn) -> Member:
    """A member as stored: decided on before or not, with a lock or a quadrant, tags, a profile."""
    bought = draw(months)
    member = Member(
        "mbr_1",
        number=draw(st.integers(1, 10**7)),
        source=draw(st.sampled_from(SourceChannel)),
        gender=draw(st.sampled_from(Gender)),
        city=draw(st.none() | st.just("上海市")),
        birthday=draw(st.none() | st.just("02-29")),
        birth_year=draw(st.none() | st.just(1980)),
        joined_at=draw(instants),
        joining_store_id="sto_1",
        store_id="sto_2",
        created_at=datetime(2014, 1, 1, tzinfo=UTC),
        version=3,
    )
    member.facts = members.Facts(
        months=bought,
        newest_month=max(bought, default=None),
        orders=sum(bucket.orders for bucket in bought.values()),
        paid=draw(st.integers(0, 10**8)),
        refunded=draw(st.integers(0, 10**4)),
        growth=sum(bucket.growth for bucket in bought.values()),
        last_on=draw(days) if bought else None,
    )
    member.tags = draw(tags)
    if draw(st.booleans()):
        joined = business_day(member.joined_at, CLOCK.zone)
        chosen = draw(st.sampled_from([SHIPPED, RICH]))
        decided = decide(models.facts(member, joined), None, chosen, AS_OF).standing
        if draw(st.booleans()):
            decided.tier = locked(chosen.ladder, decided.tier, LOCK, AS_OF.toordinal())
        models.hold(member, decided)
    return member


def answered(member: Member, *, for_rules: bool) -> dict[str, dict[str, Any]]:
    """What DynamoDB answers when these attributes are asked for."""
    wanted = wire.attributes(for_rules=for_rules)
    item: Mapping[str, dict[str, Any]] = member.serialize()
    return {name: value for name, value in item.items() if name in wanted}


@settings(max_examples=150, deadline=None)
@given(stored(), st.booleans())
def test_facts_and_standing_are_those_of_the_whole_item(member: Member, for_rules: bool) -> None:
    joined = business_day(member.joined_at, CLOCK.zone)
    facts, held = models.facts(member, joined), models.standing(member, joined)
    read = wire.read(answered(member, for_rules=for_rules), CLOCK, for_rules=for_rules)
    if not for_rules:
        facts.person, facts.totals = read.facts.person, read.facts.totals
    assert (read.id, read.facts, read.held) == (member.id, facts, held)
