"""Members read for a decision and nothing else, straight from DynamoDB's answer.

Facts and standing are those that `models` finds in the whole item, at a third of the cost; a test
holds the two against each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import orjson

from graphql_api.kit.dynamo import Raw
from graphql_api.kit.time import Clock, month_number
from graphql_api.members.models import Member
from graphql_api.standing import models
from graphql_api.standing.rules import NO_MONTH, NOBODY, Facts, Standing, facts_by_month

ATTRIBUTES = (
    "id",
    "number",
    "version",
    "joined_at",
    "months",
    "last_purchase_on",
    "tags",
    "standing",
    "archived_at",
    "merged_into",
    "merge_id",
    "locked_until",
)
"""What is read of every member."""
_FOR_RULES = (
    "order_count",
    "paid",
    "refunded",
    "growth",
    "gender",
    "city",
    "occupation",
    "income_band",
    "store_id",
    "source",
    "birth_year",
    "birthday",
)
_NONE = {"S": "{}"}
_NO_MONTHS = ((0, 0, 0),)
_NO_TAGS: Mapping[str, int] = {}
_NO_RULES: frozenset[str] = frozenset()


@dataclass(slots=True)
class Read:
    """A member as a decision takes them."""

    id: str
    facts: Facts
    held: Standing | None


def attributes(*, for_rules: bool) -> tuple[str, ...]:
    """What is to be read of a member; what only rules for tags may ask for where there are any."""
    return ATTRIBUTES + _FOR_RULES if for_rules else ATTRIBUTES


def is_free(raw: Raw, clock: Clock) -> bool:
    """What `service.is_free` says of the whole item."""
    until = raw.get("locked_until")
    if until is not None and clock.now() < datetime.fromisoformat(until["S"]):
        return False
    return not ("archived_at" in raw or "merged_into" in raw or "merge_id" in raw)


def stub(raw: Raw) -> Member:
    """As much of the item as it takes to put the member off."""
    return Member.from_raw_data(raw)


def read(raw: Raw, clock: Clock, *, for_rules: bool) -> Read:
    """What an answer with these attributes tells of a member."""
    joined = clock.day_of(datetime.fromisoformat(raw["joined_at"]["S"]))
    last = raw.get("last_purchase_on")
    rows, newest = _rows(orjson.loads(raw["months"]["S"]))
    totals, by_hand, by_rule, person = (0, 0, 0), _NO_TAGS, _NO_RULES, NOBODY
    if for_rules or raw.get("tags", _NONE) != _NONE:
        member = Member.from_raw_data(raw)
        by_hand, by_rule = models.tags_by_hand(member), models.tags_by_rule(member)
        if for_rules:
            totals, person = models.totals(member), models.person(member)
    facts = facts_by_month(
        rows,
        newest,
        joined=joined,
        last=date.fromisoformat(last["S"]) if last else None,
        totals=totals,
        tags=by_hand,
        person=person,
    )
    document = raw.get("standing")
    held = None
    if document is not None:
        held = models.standing_of(orjson.loads(document["S"]), facts.active, by_rule)
    return Read(raw["id"]["S"], facts, held)


def _rows(document: Mapping[str, Sequence[int]]) -> tuple[Sequence[Sequence[int]], int]:
    """A row for each month from the newest backwards; they are stored from the oldest on."""
    if not document:
        return _NO_MONTHS, NO_MONTH
    months = list(document)
    oldest, newest = month_number(months[0]), month_number(months[-1])
    if newest - oldest + 1 == len(months):
        return list(document.values())[::-1], newest
    numbered = {month_number(month): row for month, row in document.items()}
    return [numbered.get(n, _NO_MONTHS[0]) for n in range(newest, oldest - 1, -1)], newest
