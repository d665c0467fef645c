"""Rules of campaigns: states and time, scopes in the tree, overlaps, who sees, audiences."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from graphql_api.campaigns import rules
from graphql_api.campaigns.rules import Audience, CampaignState, PathStep, Schedule, Scope
from graphql_api.viewer import ANONYMOUS, SYSTEM, Role, Viewer

SHANGHAI = "Asia/Shanghai"
MIDNIGHT = datetime(2018, 1, 31, 16, 0, tzinfo=UTC)
"""1 February 2018, 00:00 in Shanghai."""
MOMENT = timedelta(milliseconds=1)
HOUR = timedelta(hours=1)
FEBRUARY = Schedule(MIDNIGHT, MIDNIGHT + timedelta(days=28))

TREE = {"hq": None, "east": "hq", "north": "hq", "shanghai": "east", "s1": "shanghai"}
TREE |= {"s2": "east", "s3": "north", "s4": "hq"}
STORES = ("s1", "s2", "s3", "s4")
WHOLE = Scope()
UNITS = tuple(place for place in TREE if place not in STORES)
ABOVE = {
    "hq": (),
    "east": ("hq",),
    "north": ("hq",),
    "shanghai": ("east", "hq"),
    "s1": ("shanghai", "east", "hq"),
    "s2": ("east", "hq"),
    "s3": ("north", "hq"),
    "s4": ("hq",),
}


def scope(*places: str) -> Scope:
    return Scope(frozenset(places) - set(STORES), frozenset(places) & set(STORES))


@dataclass(frozen=True)
class Planned:
    """A campaign, as rules see one."""

    id: str = "cmp_1"
    schedule: Schedule = FEBRUARY
    scope: Scope = WHOLE
    state: CampaignState = CampaignState.RUNNING
    archived_at: datetime | None = None


# --- states ----------------------------------------------------------------------------------


ALLOWED = """
DRAFT      SCHEDULED
SCHEDULED  DRAFT RUNNING
RUNNING    PAUSED ENDED
PAUSED     RUNNING ENDED
ENDED
"""


def test_every_change_of_state_is_as_the_table_says() -> None:
    told = {line.split()[0]: set(line.split()[1:]) for line in ALLOWED.strip().splitlines()}
    assert list(told) == list(CampaignState)
    for old, new in product(CampaignState, CampaignState):
        assert (new in rules.TRANSITIONS[old]) is (new in told[old]), (old, new)


@pytest.mark.parametrize(
    ("at", "states"),
    [
        (MIDNIGHT - MOMENT, "DRAFT SCHEDULED RUNNING PAUSED ENDED"),
        (MIDNIGHT, "DRAFT RUNNING RUNNING PAUSED ENDED"),
        (FEBRUARY.ends_at - MOMENT, "DRAFT RUNNING RUNNING PAUSED ENDED"),
        (FEBRUARY.ends_at, "DRAFT ENDED ENDED ENDED ENDED"),
        (FEBRUARY.ends_at + timedelta(days=400), "DRAFT ENDED ENDED ENDED ENDED"),
    ],
)
def test_time_starts_and_ends_to_the_millisecond_and_moves_no_draft(
    at: datetime, states: str
) -> None:
    assert [rules.state_at(s, FEBRUARY, at) for s in CampaignState] == states.split()


def test_time_changes_a_state_at_the_next_instant_and_not_before() -> None:
    expected = [None, FEBRUARY.starts_at, FEBRUARY.ends_at, FEBRUARY.ends_at, None]
    assert [rules.next_at(state, FEBRUARY) for state in CampaignState] == expected
    for state in CampaignState:
        at = rules.next_at(state, FEBRUARY)
        if at is not None:
            assert rules.state_at(state, FEBRUARY, at - MOMENT) is state
            assert rules.state_at(state, FEBRUARY, at) is not state


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "months"),
    [
        (MIDNIGHT, MIDNIGHT + HOUR, ["2018-02"]),
        (MIDNIGHT - HOUR, MIDNIGHT, ["2018-01"]),
        (MIDNIGHT - MOMENT, MIDNIGHT + MOMENT, ["2018-01", "2018-02"]),
        (MIDNIGHT, FEBRUARY.ends_at, ["2018-02"]),
        (MIDNIGHT, FEBRUARY.ends_at + MOMENT, ["2018-02", "2018-03"]),
        (
            datetime(2017, 11, 30, 16, tzinfo=UTC),
            datetime(2018, 1, 31, 16, tzinfo=UTC),
            ["2017-12", "2018-01"],
        ),
        (MIDNIGHT, MIDNIGHT, ["2018-02"]),
    ],
)
def test_months_are_those_of_the_zone_and_midnight_ends_the_month_before(
    starts_at: datetime, ends_at: datetime, months: list[str]
) -> None:
    assert Schedule(starts_at, ends_at).months(SHANGHAI) == months


def test_months_depend_on_the_zone() -> None:
    night = Schedule(MIDNIGHT, MIDNIGHT + HOUR)
    assert (night.months(SHANGHAI), night.months("UTC")) == (["2018-02"], ["2018-01"])


@pytest.mark.parametrize(
    ("steps", "of_one_model"),
    [
        ([], True),
        (["ACQUISITION", "REFERRAL"], True),
        (["KNOW", "LIKE", "BELIEVE", "BUY", "RECOMMEND"], True),
        (["ACQUISITION", "BUY"], False),
        (["BUY", "BUY"], False),
    ],
)
def test_path_takes_different_steps_of_one_model(steps: list[str], of_one_model: bool) -> None:
    assert rules.is_one_path([PathStep(step) for step in steps]) is of_one_model


def test_news_of_a_participation_counts_if_it_was_before_the_end() -> None:
    last = FEBRUARY.ends_at - MOMENT
    taken = [rules.may_take_part(state, FEBRUARY, last) for state in CampaignState]
    assert taken == [False, True, True, True, True]
    assert not rules.may_take_part(CampaignState.ENDED, FEBRUARY, FEBRUARY.ends_at)


# --- scopes and overlaps ---------------------------------------------------------------------


def stores_of(one: Scope) -> set[str]:
    """The stores of a scope, found by walking up from each store of the tree."""
    if not one.units and not one.stores:
        return set(STORES)
    found = set()
    for store in STORES:
        at: str | None = store
        while at is not None:
            if at in one.units | one.stores:
                found.add(store)
            at = TREE[at]
    return found


scopes = st.builds(
    Scope,
    units=st.frozensets(st.sampled_from(UNITS), max_size=2),
    stores=st.frozensets(st.sampled_from(STORES), max_size=2),
)


@given(scopes, scopes)
def test_scopes_meet_where_they_have_a_store_in_common(one: Scope, other: Scope) -> None:
    """Every unit of this tree has a store; `above` holds no more than what is looked up."""
    known = {place: ABOVE[place] for place in rules.looked_up(one, other)}
    assert rules.meets(one, other, known) is bool(stores_of(one) & stores_of(other))
    assert rules.meets(other, one, known) is rules.meets(one, other, known)


@pytest.mark.parametrize(
    ("one", "other", "read"),
    [
        (Scope(), scope("s1"), set()),
        (scope("s1"), scope("s2"), set()),
        (scope("s1"), scope("east"), {"s1"}),
        (scope("north"), scope("east", "s3"), {"north", "east", "s3"}),
    ],
)
def test_only_what_may_lie_below_a_unit_is_looked_up(
    one: Scope, other: Scope, read: set[str]
) -> None:
    assert rules.looked_up(one, other) == rules.looked_up(other, one) == read


hours = st.integers(0, 12)
plans = st.lists(st.tuples(hours, st.integers(1, 6), scopes), max_size=6)


@given(plans, hours, st.integers(1, 6))
def test_overlaps_are_the_pairs_with_an_hour_and_a_store_in_common(
    told: list[tuple[int, int, Scope]], first: int, lasts: int
) -> None:
    def at(hour: int) -> datetime:
        return MIDNIGHT + hour * HOUR

    campaigns = [
        Planned(f"cmp_{n}", Schedule(at(start), at(start + length)), place)
        for n, (start, length, place) in enumerate(told)
    ]
    window = Schedule(at(first), at(first + lasts))
    found = rules.overlaps(campaigns, window, ABOVE)

    def on(n: int) -> set[int]:
        return set(range(told[n][0], told[n][0] + told[n][1]))

    expected = {
        (f"cmp_{a}", f"cmp_{b}"): on(a) & on(b)
        for a, b in product(range(len(told)), repeat=2)
        if (told[a][0], a) < (told[b][0], b)
        and on(a) & on(b) & set(range(first, first + lasts))
        and stores_of(told[a][2]) & stores_of(told[b][2])
    }
    assert {(o.first.id, o.second.id) for o in found} == set(expected)
    assert len(found) == len(expected)
    for one in found:
        shared = sorted(expected[one.first.id, one.second.id])
        assert one.schedule == Schedule(at(shared[0]), at(shared[-1] + 1))


# --- who sees a campaign ---------------------------------------------------------------------


def store_staff(role: Role, store: str) -> Viewer:
    return Viewer(role, id="x", unit_id=store, store_ids=frozenset({store}))


OF_EAST = Viewer(Role.OPERATOR, id="opr_2", unit_id="east", store_ids=frozenset({"s1", "s2"}))
KEY = Viewer(Role.INTEGRATION, id="key_1", scopes=frozenset({"campaigns:read"}))
SEES = {
    "headquarters": Viewer(Role.OPERATOR, id="opr_1"),
    "system": SYSTEM,
    "key": KEY,
    "key without scope": Viewer(Role.INTEGRATION, id="key_2"),
    "region": OF_EAST,
    "manager of s1": store_staff(Role.STORE_MANAGER, "s1"),
    "guide of s3": store_staff(Role.GUIDE, "s3"),
    "member": Viewer(Role.MEMBER, id="mbr_1"),
    "nobody": ANONYMOUS,
}
PLANNERS = {"headquarters", "system", "key"}


@pytest.mark.parametrize(
    ("campaign", "seen_by"),
    [
        (Planned(), {"region", "manager of s1", "guide of s3", "member"}),
        (Planned(state=CampaignState.SCHEDULED), {"region", "manager of s1", "guide of s3"}),
        (Planned(state=CampaignState.PAUSED), {"region", "manager of s1", "guide of s3"}),
        (Planned(state=CampaignState.DRAFT), set()),
        (Planned(archived_at=MIDNIGHT, state=CampaignState.DRAFT), set()),
        (Planned(scope=scope("shanghai")), {"region", "manager of s1", "member"}),
        (Planned(scope=scope("s2")), {"region", "member"}),
        (Planned(scope=scope("hq")), {"region", "manager of s1", "guide of s3", "member"}),
        (Planned(scope=scope("north", "s4")), {"guide of s3", "member"}),
    ],
)
def test_campaign_is_seen_by_planners_by_staff_of_its_stores_and_by_members_while_it_runs(
    campaign: Planned, seen_by: set[str]
) -> None:
    before = FEBRUARY.starts_at - MOMENT
    found = {n for n, v in SEES.items() if rules.is_visible(v, campaign, before, ABOVE)}
    assert found == PLANNERS | seen_by


def test_member_sees_a_scheduled_campaign_from_its_start_to_its_end() -> None:
    campaign = Planned(state=CampaignState.SCHEDULED)
    times = (MIDNIGHT - MOMENT, MIDNIGHT, FEBRUARY.ends_at - MOMENT, FEBRUARY.ends_at)
    seen = [rules.is_visible(SEES["member"], campaign, at, {}) for at in times]
    assert seen == [False, True, True, False]


# --- audiences -------------------------------------------------------------------------------


DOCUMENTS: list[dict[str, Any]] = [
    {"tag": {"in": ["tag_1", "tag_2"]}},
    {"store": {"in": ["sto_1"]}},
    {"joined": {"from": "2017-01-01"}},
    {"joined": {"from": "2017-01-01", "to": "2017-01-01"}},
    {"joined": {"from": None, "to": "2017-12-31"}},
    {"gender": {"in": ["FEMALE", "UNKNOWN"]}},
    {"birthdayMonth": {"in": [1, 12]}},
    {"consent": {"purpose": "MARKETING"}},
    {"consent": {"purpose": "MARKETING", "channel": "SMS"}},
    {
        "all": [
            {"any": [{"gender": {"in": ["MALE"]}}, {"birthdayMonth": {"in": [5]}}]},
            {"none": [{"tag": {"in": ["tag_9"]}}]},
        ]
    },
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_audience_comes_back_as_it_came(document: dict[str, Any]) -> None:
    assert Audience.model_validate(document).document() == document


WRONG = [
    ({}, ()),
    ({"all": []}, ("all",)),
    ({"all": None}, ()),
    ({"tag": {"in": ["x"]}, "store": {"in": ["y"]}}, ()),
    ({"tag": {"in": []}}, ("tag", "in")),
    ({"tag": {"in": ["x"] * 101}}, ("tag", "in")),
    ({"tag": "x"}, ("tag",)),
    ({"tier": {"in": ["V3"]}}, ("tier",)),
    ({"gender": {"in": ["OTHER"]}}, ("gender", "in", 0)),
    ({"birthdayMonth": {"in": [13]}}, ("birthdayMonth", "in", 0)),
    ({"joined": {}}, ("joined",)),
    ({"joined": {"from": "2018-02-01", "to": "2018-01-01"}}, ("joined",)),
    ({"joined": {"from": "February"}}, ("joined", "from")),
    ({"consent": {"purpose": "SPAM"}}, ("consent", "purpose")),
    ({"all": [{"any": [{"gender": {"in": ["X"]}}]}]}, ("all", 0, "any", 0, "gender", "in", 0)),
]


@pytest.mark.parametrize(("document", "path"), WRONG, ids=lambda part: str(part)[:60])
def test_what_is_wrong_with_an_audience_is_named_by_its_path(
    document: dict[str, Any], path: tuple[str | int, ...]
) -> None:
    with pytest.raises(ValidationError) as refusal:
        Audience.model_validate(document)
    assert path in [error["loc"] for error in refusal.value.errors()]


def nested(depth: int) -> dict[str, Any]:
    document: dict[str, Any] = {"gender": {"in": ["MALE"]}}
    for _ in range(depth - 1):
        document = {"none": [document]}
    return document


def test_audience_is_at_most_five_levels_deep_and_has_at_most_fifty_conditions() -> None:
    fact = {"gender": {"in": ["MALE"]}}
    Audience.model_validate(nested(5))
    Audience.model_validate({"any": [fact] * 49})
    for document in (nested(6), {"any": [fact] * 50}, nested(200)):
        with pytest.raises(ValidationError, match="at most 50 conditions, 5 levels deep"):
            Audience.model_validate(document)
