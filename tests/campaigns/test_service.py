"""Commands of headquarters: plan, change, schedule, run, archive."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from graphql_api.campaigns import repository, rules, service
from graphql_api.campaigns.rules import CampaignState, GoalMetric, PathStep
from graphql_api.campaigns.service import CampaignCreate, CampaignUpdate, NewBudget, NewGoal
from graphql_api.errors import (
    Conflict,
    Forbidden,
    ForbiddenTransition,
    Invalid,
    NotFound,
    Required,
    Taken,
)
from graphql_api.kit import ids
from graphql_api.kit.time import Clock
from graphql_api.stores import service as stores
from graphql_api.stores.models import OrgUnit, Store
from graphql_api.viewer import SYSTEM, Role, Viewer
from tests.campaigns.factories import DAY, make_campaign, make_running, set_state
from tests.campaigns.storage import everything, months_of, names, stored
from tests.factories import CLOCK, NOW
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("chain")

UNKNOWN = ids.derived_id("cmp", "unknown")
MOMENT = timedelta(milliseconds=1)
OF_REGION = Viewer(Role.OPERATOR, id="opr_2", unit_id="org_x", store_ids=frozenset({"sto_x"}))


def at(instant: datetime) -> Clock:
    return Clock(wall=lambda: instant)


def update(campaign_id: str, *, clock: Clock = CLOCK, **more: Any) -> Any:
    change = CampaignUpdate(id=campaign_id, **more)
    return service.update(change, viewer=SYSTEM, clock=clock)


# --- plan ------------------------------------------------------------------------------------


def test_campaign_is_stored_as_given(store: Store, region: OrgUnit) -> None:
    made = make_campaign(
        " 春茶节 ",
        kind="FESTIVAL",
        external_id="mall-7",
        grade="S",
        goals=[NewGoal(metric="SALES", target=100_000), NewGoal(metric="ORDERS", target=7)],
        path=["KNOW", "BUY"],
        control_mode="OPT_IN",
        unit_ids=[region.id],
        store_ids=[store.id],
        audience={"consent": {"purpose": "MARKETING"}},
        budget=NewBudget(amount=500, period="DAY", per_period=50, per_store=5),
        channels=["SMS", "STORE"],
        holdout_percent=10,
        starts_at=datetime(2018, 1, 31, 16, 0, 0, 1999, tzinfo=UTC),
        ends_at=datetime(2018, 3, 1, 0, 0, tzinfo=UTC),
    )
    kept = stored(made.id)
    assert (ids.prefix_of(kept.id), kept.number, kept.version) == ("cmp", 1, 1)
    assert (kept.name, kept.kind, kept.grade, kept.state) == ("春茶节", "FESTIVAL", "S", "DRAFT")
    assert kept.starts_at == datetime(2018, 1, 31, 16, 0, 0, 1000, tzinfo=UTC)
    assert [(goal.metric, goal.target) for goal in kept.goals] == [
        (GoalMetric.SALES, 100_000),
        (GoalMetric.ORDERS, 7),
    ]
    assert kept.path == [PathStep.KNOW, PathStep.BUY]
    assert (kept.scope.units, kept.scope.stores) == ({region.id}, {store.id})
    assert kept.audience == {"consent": {"purpose": "MARKETING"}}
    assert kept.budget is not None
    assert (kept.budget.amount, kept.budget.per_store) == (500, 5)
    assert (kept.budget.period, kept.budget.per_period) == ("DAY", 50)
    assert (kept.channels, kept.holdout_percent, kept.created_at) == (["SMS", "STORE"], 10, NOW)
    assert months_of(kept) == ["2018-02", "2018-03"]
    assert repository.id_by_external_id("mall-7") == kept.id


def test_campaign_of_few_words_is_for_everybody_everywhere() -> None:
    kept = stored(make_campaign().id)
    assert (kept.control_mode, kept.scope.places, kept.audience) == ("MANDATED", frozenset(), None)
    assert (kept.budget, kept.grade, kept.external_id) == (None, None, None)
    assert (kept.goals, kept.path, kept.channels, kept.holdout_percent) == ([], [], [], 0)


def test_campaigns_planned_at_once_have_numbers_of_their_own() -> None:
    at_once([lambda n=n: make_campaign(f"活动 {n}") for n in range(6)])  # type: ignore[misc]
    page = repository.page_of_all(first=100, after=None, reverse=False)
    assert [int(campaign.number) for campaign in page.items] == [1, 2, 3, 4, 5, 6]


def test_external_id_in_use_is_refused() -> None:
    make_campaign(external_id="mall-7")
    before = everything()
    with pytest.raises(Taken) as refusal:
        make_campaign(external_id="mall-7")
    assert refusal.value.field == ("input", "external_id")
    assert everything() == before


WRONG: list[tuple[dict[str, Any], tuple[str | int, ...]]] = [
    ({"name": " "}, ("name",)),
    ({"goals": [{"metric": "SALES", "target": 0}]}, ("goals", 0, "target")),
    ({"goals": [{"metric": "SALES", "target": 1}] * 2}, ("goals",)),
    ({"path": ["BUY", "REVENUE"]}, ("path",)),
    ({"unit_ids": ["org_1", "org_1"]}, ("unit_ids",)),
    ({"store_ids": ["sto_1"] * 201}, ("store_ids",)),
    ({"audience": {"tier": 3}}, ("audience", "tier")),
    ({"budget": {"amount": 5, "per_store": 6}}, ("budget",)),
    ({"budget": {"amount": 5, "per_period": 5}}, ("budget",)),
    ({"budget": {"amount": -1}}, ("budget", "amount")),
    ({"holdout_percent": 51}, ("holdout_percent",)),
    ({"external_id": "a b"}, ("external_id",)),
    ({"starts_at": datetime(2018, 1, 1)}, ("starts_at",)),  # noqa: DTZ001 - that is the point
    ({"ends_at": datetime(2200, 1, 1, tzinfo=UTC)}, ("ends_at",)),
]


def test_every_wrong_value_is_named() -> None:
    right = {"kind": "SCENE", "name": "x", "starts_at": NOW, "ends_at": NOW + DAY}
    for given, path in WRONG:
        with pytest.raises(ValidationError) as refusal:
            CampaignCreate(**right | given)
        assert path in [error["loc"] for error in refusal.value.errors()]


def test_campaign_ends_after_it_starts_and_within_366_days() -> None:
    for lasts in (timedelta(0), -DAY, timedelta(days=366) + MOMENT):
        with pytest.raises(Invalid) as refusal:
            make_campaign(starts_at=NOW, ends_at=NOW + lasts)
        assert refusal.value.field == ("input", "ends_at")
    assert everything() == []
    make_campaign(starts_at=NOW, ends_at=NOW + timedelta(days=366))


@pytest.mark.parametrize("name", ["unit_ids", "store_ids"])
def test_place_that_is_not_there_is_refused(store: Store, name: str) -> None:
    known = store.parent_id if name == "unit_ids" else store.id
    for place in ("nowhere", ids.derived_id("sto", "x"), UNKNOWN):
        places: dict[str, Any] = {name: [known, place]}
        with pytest.raises(NotFound) as refusal:
            make_campaign(**places)
        assert refusal.value.field == ("input", name, "1")
    assert everything() == []


def test_archived_store_is_refused(store: Store) -> None:
    stores.archive_store(store.id, viewer=SYSTEM, clock=CLOCK)
    with pytest.raises(NotFound):
        make_campaign(store_ids=[store.id])
    assert everything() == []


# --- change ----------------------------------------------------------------------------------


def test_draft_keeps_what_a_change_does_not_name_and_null_clears(store: Store) -> None:
    made = make_campaign(grade="A", audience={"gender": {"in": ["MALE"]}}, store_ids=[store.id])
    update(made.id, name="夏茶节", audience=None, grade=None)
    kept = stored(made.id)
    assert (kept.name, kept.audience, kept.grade, kept.version) == ("夏茶节", None, None, 2)
    assert (kept.kind, kept.store_ids) == ("PROMOTION", [store.id])


def test_what_is_so_already_is_not_written(store: Store) -> None:
    made = make_campaign(grade="A", goals=[NewGoal(metric="SALES", target=5)])
    before = everything()
    same = update(made.id, name="春茶节", grade="A", goals=[NewGoal(metric="SALES", target=5)])
    assert same.version == 1
    assert everything() == before


def test_new_schedule_moves_a_campaign_to_its_new_months() -> None:
    made = make_campaign(
        starts_at=datetime(2018, 1, 15, tzinfo=UTC), ends_at=datetime(2018, 3, 15, tzinfo=UTC)
    )
    assert months_of(made) == ["2018-01", "2018-02", "2018-03"]
    update(
        made.id,
        starts_at=datetime(2018, 3, 1, tzinfo=UTC),
        ends_at=datetime(2018, 4, 30, 15, 59, tzinfo=UTC),
    )
    assert months_of(made) == ["2018-03", "2018-04"]
    assert [[c.id for c in found] for found in repository.in_months(["2018-02", "2018-03"])] == [
        [],
        [made.id],
    ]


def test_what_a_campaign_must_have_cannot_be_null() -> None:
    made = make_campaign()
    before = everything()
    for name in ("name", "goals", "store_ids", "starts_at", "holdout_percent"):
        change: dict[str, Any] = {name: None}
        with pytest.raises(Required) as refusal:
            update(made.id, **change)
        assert refusal.value.field == ("input", name)
    assert everything() == before


FIXED: list[dict[str, Any]] = [
    {"kind": "SCENE"},
    {"starts_at": NOW},
    {"ends_at": NOW + DAY},
    {"control_mode": "OPT_IN"},
    {"unit_ids": []},
    {"store_ids": []},
    {"audience": None},
    {"holdout_percent": 1},
]


def test_what_was_promised_is_fixed_once_scheduled() -> None:
    made = make_running()
    before = everything()
    for change in FIXED:
        with pytest.raises(ForbiddenTransition) as refusal:
            update(made.id, **change)
        assert refusal.value.field == ("input", *change)
    assert everything() == before


def test_running_campaign_may_still_be_renamed_and_budgeted() -> None:
    made = make_running()
    update(made.id, name="春茶节（加场）", budget=NewBudget(amount=1), goals=[], channels=["SMS"])
    kept = stored(made.id)
    assert (kept.name, kept.channels, kept.version) == ("春茶节（加场）", ["SMS"], 3)


def test_ended_campaign_is_not_changed_even_before_its_end_is_stored() -> None:
    made = make_running()
    before = everything()
    with pytest.raises(ForbiddenTransition):
        update(made.id, name="x", clock=at(made.ends_at))
    assert everything() == before


def test_passed_version_is_a_conflict() -> None:
    made = make_campaign()
    update(made.id, name="夏茶节", expected_version=1)
    before = everything()
    with pytest.raises(Conflict) as refusal:
        update(made.id, name="秋茶节", expected_version=1)
    assert refusal.value.field == ("input", "expected_version")
    given = service.CampaignStateSet(id=made.id, state="SCHEDULED", expected_version=1)
    with pytest.raises(Conflict):
        service.set_state(given, viewer=SYSTEM, clock=CLOCK)
    assert everything() == before


# --- states ----------------------------------------------------------------------------------

WAYS = {
    "DRAFT": [],
    "SCHEDULED": ["SCHEDULED"],
    "RUNNING": ["SCHEDULED", "RUNNING"],
    "PAUSED": ["SCHEDULED", "RUNNING", "PAUSED"],
    "ENDED": ["SCHEDULED", "RUNNING", "ENDED"],
}


@pytest.mark.parametrize("old", CampaignState)
def test_state_changes_as_the_table_allows_and_otherwise_nothing_is_written(
    old: CampaignState,
) -> None:
    for new in CampaignState:
        made = make_campaign(starts_at=NOW + DAY, ends_at=NOW + 3 * DAY)
        for state in WAYS[old]:
            set_state(made, state)
        before = everything()
        if new in rules.TRANSITIONS[old]:
            assert set_state(made, new).state is new
            assert stored(made.id).state is new
        elif new is old:
            assert set_state(made, new).state is old
            assert everything() == before
        else:
            with pytest.raises(ForbiddenTransition) as refusal:
                set_state(made, new)
            assert refusal.value.field == ("input", "state")
            assert everything() == before


def test_start_before_its_time_moves_the_start_and_the_months() -> None:
    made = make_running(
        starts_at=datetime(2018, 2, 10, tzinfo=UTC), ends_at=datetime(2018, 2, 20, tzinfo=UTC)
    )
    started = set_state(made, "RUNNING")
    assert (started.starts_at, months_of(started)) == (NOW, ["2018-01", "2018-02"])


def test_start_too_long_before_its_time_is_refused() -> None:
    far = datetime(2100, 1, 1, tzinfo=UTC)
    made = make_running(starts_at=far, ends_at=far + DAY)
    before = everything()
    with pytest.raises(Invalid) as refusal:
        set_state(made, "RUNNING")
    assert refusal.value.field == ("input", "state")
    assert everything() == before


def test_end_before_its_time_moves_the_end_and_the_months() -> None:
    made = make_running(ends_at=datetime(2018, 3, 20, tzinfo=UTC))
    ended = set_state(made, "ENDED")
    assert (ended.ends_at, months_of(ended)) == (NOW, ["2018-01"])


def test_what_is_due_holds_before_it_is_stored() -> None:
    made = make_running(starts_at=NOW + DAY, ends_at=NOW + 2 * DAY)
    with pytest.raises(ForbiddenTransition):
        set_state(made, "PAUSED")
    with pytest.raises(ForbiddenTransition, match="from RUNNING to DRAFT"):
        set_state(made, "DRAFT", clock=at(NOW + DAY))
    assert set_state(made, "PAUSED", clock=at(NOW + DAY)).state == "PAUSED"
    with pytest.raises(ForbiddenTransition, match="from ENDED to RUNNING"):
        set_state(made, "RUNNING", clock=at(NOW + 2 * DAY))


def test_schedule_whose_time_is_over_is_refused() -> None:
    made = make_campaign(starts_at=NOW - 2 * DAY, ends_at=NOW)
    with pytest.raises(ForbiddenTransition) as refusal:
        set_state(made, "SCHEDULED")
    assert refusal.value.field == ("input", "state")


def test_one_of_two_who_decide_at_once_has_to_decide_again() -> None:
    made = make_running()
    told = at_once(
        [
            lambda: _or_refusal(lambda: set_state(made, "PAUSED")),
            lambda: _or_refusal(lambda: set_state(made, "ENDED")),
        ]
    )
    # Paused and then ended, or ended and then no longer paused.
    assert stored(made.id).state == "ENDED"
    assert told.count("refused") <= 1
    assert stored(made.id).version == 4 - told.count("refused")


def _or_refusal(do: Any) -> str:
    try:
        do()
    except ForbiddenTransition:
        return "refused"
    return "done"


# --- archive, and who may --------------------------------------------------------------------


def test_archived_draft_leaves_the_list_and_the_calendar_but_not_its_id() -> None:
    made, other = make_campaign("春茶节", external_id="a"), make_campaign("夏茶节")
    archived = service.archive(made.id, viewer=SYSTEM, clock=CLOCK)
    assert (archived.archived_at, archived.version) == (NOW, 2)
    assert (names(), months_of(made)) == (["夏茶节"], [])
    assert repository.in_months(["2018-01"])[0][0].id == other.id
    assert repository.id_by_external_id("a") == made.id
    before = everything()
    service.archive(made.id, viewer=SYSTEM, clock=at(NOW + DAY))
    assert everything() == before


def test_what_was_scheduled_is_not_archived() -> None:
    made = make_running()
    before = everything()
    with pytest.raises(ForbiddenTransition) as refusal:
        service.archive(made.id, viewer=SYSTEM, clock=CLOCK)
    assert refusal.value.field == ("id",)
    assert everything() == before


def test_archived_draft_is_neither_changed_nor_scheduled() -> None:
    made = make_campaign()
    service.archive(made.id, viewer=SYSTEM, clock=CLOCK)
    before = everything()
    with pytest.raises(ForbiddenTransition):
        update(made.id, name="x")
    with pytest.raises(ForbiddenTransition):
        set_state(made, "SCHEDULED")
    assert everything() == before


def test_unknown_campaign_is_not_found() -> None:
    make_campaign()
    before = everything()
    for campaign_id in (UNKNOWN, "", "month#2018-01", ids.derived_id("sto", "1")):
        with pytest.raises(NotFound) as refusal:
            update(campaign_id, name="x")
        assert refusal.value.field == ("input", "id")
        with pytest.raises(NotFound) as refusal:
            service.archive(campaign_id, viewer=SYSTEM, clock=CLOCK)
        assert refusal.value.field == ("id",)
    assert everything() == before


def test_region_plans_nothing() -> None:
    made = make_campaign()
    before = everything()
    with pytest.raises(Forbidden):
        service.update(CampaignUpdate(id=made.id, name="x"), viewer=OF_REGION, clock=CLOCK)
    with pytest.raises(Forbidden):
        set_state(made, "SCHEDULED", viewer=OF_REGION)
    with pytest.raises(Forbidden):
        service.archive(made.id, viewer=OF_REGION, clock=CLOCK)
    new = CampaignCreate(kind="SCENE", name="x", starts_at=NOW, ends_at=NOW + DAY)
    with pytest.raises(Forbidden):
        service.create(new, viewer=OF_REGION, clock=CLOCK)
    assert everything() == before


def test_campaign_that_was_recorded_before_stays() -> None:
    new = CampaignCreate(kind="SCENE", name="旧活动", starts_at=NOW - 2 * DAY, ends_at=NOW - DAY)
    times: dict[str, Any] = {"created_at": NOW - 9 * DAY, "as_of": NOW, "clock": CLOCK}
    first = service.record(new, campaign_id=UNKNOWN, **times)
    assert (first.state, first.number, first.created_at) == ("ENDED", 1, NOW - 9 * DAY)
    before = everything()
    again = service.record(new.model_copy(update={"name": "x"}), campaign_id=UNKNOWN, **times)
    assert again.name == "旧活动"
    assert everything() == before
