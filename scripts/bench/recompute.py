"""From DynamoDB's answer to what changed: each member of the year read, decided on, and compared.

The naive way is what a tutorial would write: botocore's parser, PynamoDB's objects, pydantic models
in and out, and the whole result compared with the one that was stored.
"""

from collections.abc import Callable
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
from graphql_api.standing.rules import Policies, Standing, decide, facts_of
from scripts import complete_journey
from scripts.bench import measure, policies, report, year
from scripts.bench.lives import Counts, Life, evenings
from scripts.bench.measure import Lane

EVENING = date(2017, 12, 31)
AS_OF = EVENING + timedelta(days=1)
CLOCK = Clock()
_BATCH = 100
_TABLE = "members"


def run(say: Callable[[str], None]) -> str:
    """The table; rates, which are those of this machine, are only said."""
    chosen = policies.shipped()
    batches = _batches(chosen)
    whole = [_answer(batch) for batch in batches]
    answers = [_answer([_only(item) for item in batch]) for batch in batches]
    say(f"{len(answers)} answers of up to {_BATCH} members, as of {AS_OF}")
    measured = [
        Lane("the answer parsed, and nothing else", _each(answers, _parsed)),
        Lane("as the daily run does it", _each(answers, partial(_read, chosen))),
        Lane("over whole items", _each(whole, partial(_items, chosen))),
        Lane("the naive way", _each(whole, partial(_naively, chosen))),
    ]
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


def _answer(items: list[dict[str, Any]]) -> bytes:
    """What BatchGetItem sends for these."""
    return orjson.dumps({"Responses": {_TABLE: items}, "UnprocessedKeys": {}})


def _only(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name in wire.ATTRIBUTES}


def _parsed(answer: bytes) -> int:
    return len(orjson.loads(answer)["Responses"][_TABLE])


def _read(chosen: Policies, answer: bytes) -> int:
    raws = orjson.loads(answer)["Responses"][_TABLE]
    for raw in raws:
        member = wire.read(raw, CLOCK, for_rules=False)
        decision = decide(member.facts, member.held, chosen, AS_OF)
        assert decision.changed or decision.next_on != EVENING
    return len(raws)


def _items(chosen: Policies, answer: bytes) -> int:
    raws = orjson.loads(answer)["Responses"][_TABLE]
    for raw in raws:
        member = Member.from_raw_data(raw)
        joined = CLOCK.day_of(member.joined_at)
        facts, held = models.facts(member, joined), models.standing(member, joined)
        decision = decide(facts, held, chosen, AS_OF)
        assert decision.changed or decision.next_on != EVENING
    return len(raws)


def _each(answers: list[bytes], work: Callable[[bytes], int]) -> Callable[[], int]:
    return lambda: sum(map(work, answers))


def _batches(chosen: Policies) -> list[list[dict[str, Any]]]:
    items = [_item(life) for life in _lives(chosen)]
    return [items[start : start + _BATCH] for start in range(0, len(items), _BATCH)]


def _lives(chosen: Policies) -> list[Life]:
    lives = []
    for history in year.histories(complete_journey.open_dataset()):
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
    raws = _parser.parse(response, _shape)["Responses"][_TABLE]
    for raw in raws:
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
        changed = _document(decision.standing) != _document(held)
        assert changed or decision.next_on != EVENING
    return len(raws)


def _document(standing: Standing) -> dict[str, Any]:
    return _Decided.model_validate(asdict(standing)).model_dump(mode="json")
