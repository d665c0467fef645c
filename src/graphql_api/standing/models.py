"""What is stored of standings: short on the member item; histories and runs in an own table.

On the member a standing is a small document of days and numbers as the rules take them; what can be
read from the rest of the item, the last purchase and the tags, stands there only.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb_attributes import UnicodeEnumAttribute

from graphql_api.kit.dynamo import DayAttribute, InstantAttribute, Item, JsonAttribute, table_name
from graphql_api.kit.time import month_number
from graphql_api.members import rules as members
from graphql_api.members.models import Member
from graphql_api.members.rules import Origin, TagSource
from graphql_api.standing import rules
from graphql_api.standing.rules import (
    ChangeKind,
    Decision,
    Facts,
    InQuadrant,
    Lifecycle,
    LifecycleState,
    Lock,
    LockKind,
    Person,
    Phase,
    Quadrant,
    Reason,
    Relationship,
    Rfm,
    RfmClass,
    Standing,
    Tier,
    facts_of,
)
from graphql_api.viewer import Role

HISTORY = "history#"
_STATES, _PHASES, _QUADRANTS = tuple(LifecycleState), tuple(Phase), tuple(Quadrant)


class StandingItem(Item):
    """The table of this slice; every item has the base key (id, sort)."""

    class Meta:
        table_name = table_name("standing")
        billing_mode = "PAY_PER_REQUEST"

    id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True)


class HistoryRow(StandingItem):
    """One change of a part of a member's standing, with why and by what; never changed."""

    id_prefix = "mbr"

    kind = UnicodeEnumAttribute(ChangeKind)
    on = DayAttribute()
    old = UnicodeAttribute(null=True)
    new = UnicodeAttribute(null=True)
    reason = UnicodeEnumAttribute(Reason)
    numbers = JsonAttribute(default=dict)
    policy_version = NumberAttribute()
    origin = UnicodeEnumAttribute(Origin)
    decided_on = DayAttribute()
    by_role = UnicodeEnumAttribute(Role)
    by_id = UnicodeAttribute(null=True)
    note = UnicodeAttribute(null=True)


class ShardRun(StandingItem):
    """What the run of a day has done with the members of a shard, counted as it goes."""

    members = NumberAttribute(default=0)
    changed = NumberAttribute(default=0)
    failed = NumberAttribute(default=0)


class Failure(StandingItem):
    """A member whom a run could not decide on, and why; the others went on."""

    member_id = UnicodeAttribute()
    problem = UnicodeAttribute()
    at = InstantAttribute()


def history_start(kind: ChangeKind) -> str:
    """What the places of a kind of change begin with."""
    return f"{HISTORY}{kind}#"


def history_sort(member: Member, kind: ChangeKind, number: int) -> str:
    """By the version of the member that the change makes: the order in which things happened."""
    return f"{history_start(kind)}{int(member.version or 0) + 1:010d}#{number:02d}"


def run_id(as_of: date) -> str:
    """The partition of a day's run."""
    return f"run#{as_of.isoformat()}"


def shard_sort(shard: str) -> str:
    """The place of a shard in its run."""
    return f"shard#{shard}"


def failure_sort(member_id: str) -> str:
    """The place of a member who failed in a run."""
    return f"failed#{member_id}"


# --- the member item -------------------------------------------------------------------------


def facts(member: Member, joined: date, bought: members.Facts | None = None) -> Facts:
    """What decisions are taken from: as stored, or with these purchases in their place.

    `joined` is the business day of joining.
    """
    last: date | None
    if bought is None:
        rows, last, all_time = member.month_document, member.last_purchase_on, totals(member)
    else:
        rows, last = {month: b.row for month, b in bought.months.items()}, bought.last_on
        all_time = bought.orders, bought.paid - bought.refunded, bought.growth
    return facts_of(
        {month_number(month): row for month, row in rows.items()},
        joined=joined,
        last=last,
        totals=all_time,
        tags=tags_by_hand(member),
        person=person(member),
    )


def totals(member: Member) -> tuple[int, int, int]:
    """Orders, spend net of refunds and growth of all time."""
    spend = int(member.paid) - int(member.refunded)
    return int(member.order_count), spend, int(member.growth)


def tags_by_hand(member: Member) -> dict[str, int]:
    """Tags by hand and imported ones, with the last day of each, 0 for none."""
    return {
        id_: tag.expires_on.toordinal() if tag.expires_on else 0
        for id_, tag in (member.tags.items() if member.tag_document else ())
        if tag.source is not TagSource.RULE
    }


def tags_by_rule(member: Member) -> frozenset[str]:
    """Tags that rules gave."""
    given = member.tags.items() if member.tag_document else ()
    return frozenset(id_ for id_, tag in given if tag.source is TagSource.RULE)


def person(member: Member) -> Person:
    """What rules for tags may ask of the profile."""
    gender = member.gender
    birthday = member.birthday
    return Person(
        gender=None if gender is members.Gender.UNKNOWN else gender,
        city=member.city,
        occupation=member.occupation,
        income_band=member.income_band,
        store=member.store_id,
        channel=member.source,
        birth_year=None if member.birth_year is None else int(member.birth_year),
        birthday=(int(birthday[:2]), int(birthday[3:])) if birthday else None,
    )


def standing(member: Member, joined: date) -> Standing | None:
    """What was decided of a member; None before the first decision."""
    document: Mapping[str, Any] | None = member.standing_document
    if document is None:
        return None
    active = (member.last_purchase_on or joined).toordinal()
    return standing_of(document, active, tags_by_rule(member))


def standing_of(document: Mapping[str, Any], active: int, tags: frozenset[str]) -> Standing:
    """A standing of its document, and of what stands elsewhere on the member."""
    state, since, returns, version = document["l"]
    phase, phase_version = document["p"]
    return Standing(
        tier=_tier(document["t"]),
        lifecycle=Lifecycle(_STATES[state], since, returns, version),
        relationship=Relationship(_PHASES[phase], phase_version),
        rfm=_rfm(document.get("r")),
        quadrant=_quadrant(document.get("q")),
        active=active,
        tags=tags,
    )


def tier_and_state(member: Member) -> tuple[str, LifecycleState] | None:
    """What others are told of a standing, as it is held; None before the first decision."""
    document: Mapping[str, Any] | None = member.standing_document
    if document is None:
        return None
    return str(document["t"][0]), _STATES[document["l"][0]]


def hold(member: Member, decided: Standing) -> None:
    """Have a member hold what was decided, but for tags, which have a place of their own."""
    lifecycle, phase = decided.lifecycle, decided.relationship
    document: dict[str, Any] = {
        "t": _tier_row(decided.tier),
        "l": [
            _STATES.index(lifecycle.state),
            lifecycle.since,
            lifecycle.reactivations,
            lifecycle.version,
        ],
        "p": [_PHASES.index(phase.phase), phase.version],
    }
    if (rfm := decided.rfm) is not None:
        scores = [rfm.recency, rfm.frequency, rfm.monetary]
        document["r"] = [*scores, rfm.value_class, rfm.version]
    if (place := decided.quadrant) is not None:
        document["q"] = [_QUADRANTS.index(place.quadrant), place.version]
    member.standing_document = document


def foreseen(decision: Decision) -> list[str] | None:
    """What time would bring to a member of whom this was decided, as the item holds it.

    Each is the place at which the forecast counts it: day, part, and what the member becomes.
    """
    found = rules.foreseen(decision.facts, decision.standing, decision.policies)
    return [f"{one.on.isoformat()}#{kind}#{one.to}" for kind, one in found.items()] or None


def told(member: Member, joined: date) -> dict[str, Any] | None:
    """What was decided of a member in plain words and days, for a person to read."""
    held = standing(member, joined)
    if held is None:
        return None
    tier, lifecycle, rfm = held.tier, held.lifecycle, held.rfm
    return {
        "tier": tier.name,
        "tierSince": _day(tier.since),
        "tierUntil": _day(tier.grace_until or tier.until),
        "tierLock": tier.lock and {"kind": tier.lock.kind, "until": _day(tier.lock.until)},
        "lifecycle": lifecycle.state,
        "lifecycleSince": _day(lifecycle.since),
        "reactivations": lifecycle.reactivations,
        "phase": held.relationship.phase,
        "rfm": rfm and [rfm.recency, rfm.frequency, rfm.monetary],
        "rfmClass": rfm and rfm.value_class,
        "quadrant": held.quadrant and held.quadrant.quadrant,
    }


def _day(ordinal: int | None) -> str | None:
    return date.fromordinal(ordinal).isoformat() if ordinal else None


def _tier_row(tier: Tier) -> list[Any]:
    row: list[Any] = [tier.name, tier.rank, tier.since, tier.until, tier.version]
    row += [tier.grace_until, int(tier.noticed)]
    if tier.lock is not None:
        lock = tier.lock
        row += [[lock.kind, lock.tier, lock.since, lock.until]]
        row += [_tier_row(tier.earned)] if tier.earned else []
    return row


def _tier(row: list[Any]) -> Tier:
    name, rank, since, until, version, grace, noticed, *locked = row
    tier = Tier(name, rank, since, until, version, grace, bool(noticed))
    if locked:
        kind, below, began, ends = locked[0]
        tier.lock = Lock(LockKind(kind), below, began, ends)
        tier.earned = _tier(locked[1]) if len(locked) > 1 else None
    return tier


def _rfm(row: list[Any] | None) -> Rfm | None:
    if row is None:
        return None
    recency, frequency, monetary, value_class, version = row
    return Rfm(recency, frequency, monetary, RfmClass(value_class), version)


def _quadrant(row: list[Any] | None) -> InQuadrant | None:
    return None if row is None else InQuadrant(_QUADRANTS[row[0]], row[1])
