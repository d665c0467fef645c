"""From DynamoDB's answer to what changed: each member of the year read, decided on, and compared.

The naive way is what a tutorial would write: botocore's parser, PynamoDB's objects, pydantic models
in and out, and the whole result compared with the one that was stored.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import botocore.loaders
import botocore.model
import botocore.parsers
import orjson
from pydantic import BaseModel

from graphql_api.kit.time import Clock, month_number, start_of
from graphql_api.members.models import Member
from graphql_api.members.rules import SourceChannel
from graphql_api.standing import models, wire
from graphql_api.standing.rules import Decision, Policies, Standing, decide, facts_of
from scripts import complete_journey
from scripts.bench import measure, policies, report, year
from scripts.bench.lives import Counts, Life, evenings
from scripts.bench.measure import Lane
from scripts.bench.year import History

EVENING = date(2017, 12, 31)
AS_OF = EVENING + timedelta(days=1)
CLOCK = Clock()
_BATCH = 100
_TABLE = "members"

Batches = list[list[dict[str, Any]]]
Way = Callable[[bytes], int]


def run(say: Callable[[str], None]) -> str:
    """The table; rates, which are those of this machine, are only said."""
    chosen = policies.shipped()
    histories = list(year.histories(complete_journey.open_dataset()))
    batches = batches_of(histories, chosen)
    found = ways(batches, chosen)
    changed = {sum(map(work, answers)) for answers, work in list(found.values())[1:]}
    assert len(changed) == 1, "the ways decide alike"
    say(f"{sum(map(len, batches)):,} members as of {AS_OF}, of whom {changed.pop():,} change")
    members = sum(map(len, batches))
    measured = [Lane(name, _all(*way, members)) for name, way in found.items()]
    measure.interleave(measured, rounds=5)
    for lane in measured:
        say(f"{lane.name}: {lane.rate:,.0f} members a second and core")
    floor, naive = measured[0], measured[-1]
    rows = [
        [lane.name, report.ratio(1 / lane.times(floor)), report.ratio(lane.times(naive))]
        for lane in measured
    ]
    head = ["read, decide, compare", "times the floor", "times as fast as naive"]
    return report.table(head, rows)


def ways(batches: Batches, chosen: Policies) -> dict[str, tuple[list[bytes], Way]]:
    """Answers and how to go through each: how many of its members change, but for the first."""
    whole = [_answer(batch) for batch in batches]
    asked = [_answer([_only(item) for item in batch]) for batch in batches]
    return {
        "the answer parsed, and nothing else": (asked, _parsed),
        "as the daily run does it": (asked, partial(_read, chosen)),
        "over whole items": (whole, partial(_items, chosen)),
        "the naive way": (whole, partial(_naively, chosen)),
    }


def _all(answers: list[bytes], way: Way, members: int) -> Callable[[], int]:
    def work() -> int:
        for answer in answers:
            way(answer)
        return members

    return work


def _answer(items: list[dict[str, Any]]) -> bytes:
    """What BatchGetItem sends for these."""
    return orjson.dumps({"Responses": {_TABLE: items}, "UnprocessedKeys": {}})


def _only(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name in wire.ATTRIBUTES}


def _parsed(answer: bytes) -> int:
    return len(orjson.loads(answer)["Responses"][_TABLE])


def _read(chosen: Policies, answer: bytes) -> int:
    changed = 0
    for raw in orjson.loads(answer)["Responses"][_TABLE]:
        member = wire.read(raw, CLOCK, for_rules=False)
        changed += _told(decide(member.facts, member.held, chosen, AS_OF))
    return changed


def _items(chosen: Policies, answer: bytes) -> int:
    changed = 0
    for raw in orjson.loads(answer)["Responses"][_TABLE]:
        member = Member.from_raw_data(raw)
        joined = CLOCK.day_of(member.joined_at)
        facts, held = models.facts(member, joined), models.standing(member, joined)
        changed += _told(decide(facts, held, chosen, AS_OF))
    return changed


def _told(decision: Decision) -> bool:
    assert decision.next_on != EVENING
    return decision.changed


def batches_of(histories: Sequence[History], chosen: Policies) -> Batches:
    """The members as stored on the evening before, a hundred to a batch."""
    items = [_item(life) for life in _lives(histories, chosen)]
    return [items[start : start + _BATCH] for start in range(0, len(items), _BATCH)]


def _lives(histories: Sequence[History], chosen: Policies) -> list[Life]:
    lives = []
    for history in histories:
        if history.joined_on <= EVENING:
            life = Life(history.joined_on, chosen)
            life.begin(history.joined_on)
            arrivals = [arrival for arrival in history.arrivals if arrival.on <= EVENING]
            lives += [life for _ in evenings(life, arrivals, [EVENING], Counts())]
    return lives


def _item(life: Life) -> dict[str, Any]:
    """The member as stored, with the profile of an imported household."""
    number = len(life.purchases.orders)
    member = Member(
        f"mbr_{number:026d}",
        number=number,
        identity_claims=["OPENID#demo-openid-1", "UNIONID#demo-unionid-1", "POS_CARD#POS00000001"],
        sealed_phone="k1:" + "x" * 60,
        phone_last4="0011",
        name="王静",
        nickname="小满静",
        birthday="05-17",
        city="上海市",
        source=SourceChannel.STORE,
        joined_at=start_of(life.joined_on, CLOCK.zone),
        joining_store_id="sto_00000000000000000000000001",
        store_id="sto_00000000000000000000000001",
        guide_id="gde_00000000000000000000000001",
        created_at=datetime(2017, 1, 1, tzinfo=UTC),
        version=number,
        next_on=life.due_on,
        due_on=life.due_on,
    )
    member.facts = life.purchases.facts
    assert life.standing is not None
    models.hold(member, life.standing)
    return member.serialize()


# --- the naive way ---------------------------------------------------------------------------


class _Month(BaseModel):
    orders: int
    spend: int
    growth: int


class _Bought(BaseModel):
    months: dict[str, _Month]
    joined_at: datetime
    last_purchase_on: date | None


class _Decided(BaseModel):
    """All that is held of a member, as a document that is compared whole."""

    tier: dict[str, Any]
    lifecycle: dict[str, Any]
    relationship: dict[str, Any]
    rfm: dict[str, Any] | None
    quadrant: dict[str, Any] | None


_description = botocore.loaders.create_loader().load_service_model("dynamodb", "service-2")
_service = botocore.model.ServiceModel(_description)
_shape: Any = _service.operation_model("BatchGetItem").output_shape
_parser = botocore.parsers.create_parser("json")


def _naively(chosen: Policies, answer: bytes) -> int:
    response = {"body": answer, "headers": {}, "status_code": 200}
    changed = 0
    for raw in _parser.parse(response, _shape)["Responses"][_TABLE]:
        member = Member._instantiate(raw)  # noqa: SLF001 - how PynamoDB itself makes an item
        given = _Bought(
            months={
                month: _Month(orders=row[0], spend=row[1], growth=row[2])
                for month, row in member.month_document.items()
            },
            joined_at=member.joined_at,
            last_purchase_on=member.last_purchase_on,
        )
        joined = CLOCK.day_of(given.joined_at)
        facts = facts_of(
            {month_number(m): (b.orders, b.spend, b.growth) for m, b in given.months.items()},
            joined=joined,
            last=given.last_purchase_on,
        )
        held = models.standing(member, joined)
        decision = decide(facts, held, chosen, AS_OF)
        assert held is not None
        _told(decision)
        changed += _document(decision.standing) != _document(held)
    return changed


def _document(standing: Standing) -> dict[str, Any]:
    return _Decided.model_validate(asdict(standing)).model_dump(mode="json")
