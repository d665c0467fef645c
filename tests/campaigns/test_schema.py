"""Campaigns over GraphQL: planned, listed, on the calendar, taken up, refused."""

from datetime import timedelta
from typing import Any

import pytest

from graphql_api import auth
from graphql_api.campaigns import tasks
from graphql_api.kit import ids
from graphql_api.kit.time import Clock
from graphql_api.members.models import Member
from graphql_api.orders import service as orders
from graphql_api.stores.models import OrgUnit, Store
from graphql_api.viewer import Role
from tests.calls import counted
from tests.campaigns.factories import (
    adopt,
    make_campaign,
    make_offer,
    make_running,
    member_of_shard,
    set_state,
    take_part,
)
from tests.campaigns.storage import everything, stored
from tests.conftest import Client
from tests.factories import (
    CLOCK,
    PAID_AT,
    make_guide,
    make_member,
    make_snapshot,
    make_store,
    make_unit,
)

TODAY = Clock()
"""The clock that requests see: real time in the chain's zone."""
DAY = timedelta(days=1)
ERRORS = "userErrors { code field }"

CREATE = f"""mutation ($input: CampaignCreateInput!) {{
  campaignCreate(input: $input) {{
    campaign {{
      kind grade name state startsAt endsAt externalId goals {{ metric target }} path controlMode
      units {{ name }} stores {{ code }} audience channels holdoutPercent version
      budget {{ amount period perPeriod perStore }}
    }}
    {ERRORS}
  }}
}}"""
UPDATE = f"""mutation ($input: CampaignUpdateInput!) {{
  campaignUpdate(input: $input) {{ campaign {{ name audience version }} {ERRORS} }}
}}"""
STATE_SET = f"""mutation ($input: CampaignStateSetInput!) {{
  campaignStateSet(input: $input) {{ campaign {{ state version }} {ERRORS} }}
}}"""
ARCHIVE = f"""mutation ($id: ID!) {{
  campaignArchive(id: $id) {{ campaign {{ archivedAt version }} {ERRORS} }}
}}"""
ADOPT = f"""mutation ($input: CampaignAdoptInput!) {{
  campaignAdopt(input: $input) {{
    adoption {{ name note takenUpBy store {{ code }} campaign {{ name }} version }} {ERRORS}
  }}
}}"""
ADOPTION_UPDATE = f"""mutation ($input: CampaignAdoptionUpdateInput!) {{
  campaignAdoptionUpdate(input: $input) {{ adoption {{ name note version }} {ERRORS} }}
}}"""
WITHDRAW = f"""mutation ($input: CampaignAdoptionWithdrawInput!) {{
  campaignAdoptionWithdraw(input: $input) {{ adoption {{ withdrawnBy version }} {ERRORS} }}
}}"""
ADD = f"""mutation ($input: CampaignParticipationAddInput!) {{
  campaignParticipationAdd(input: $input) {{
    results {{ memberId added participation {{ state }} error {{ code field }} }} {ERRORS}
  }}
}}"""
LIST = """query ($first: Int! = 20, $after: String, $reverse: Boolean! = false) {
  campaigns(first: $first, after: $after, reverse: $reverse) {
    nodes { name } pageInfo { hasNextPage endCursor }
  }
}"""
ONE = "query ($by: CampaignSelector!) { campaign(by: $by) { name state } }"
NODE = "query ($id: ID!) { node(id: $id) { ... on Campaign { name state } } }"
CALENDAR = """query ($from: Date!, $to: Date!) {
  campaignCalendar(from: $from, to: $to) {
    campaigns { name } overlaps { first { name } second { name } startsAt endsAt }
  }
}"""
IN_STORES = """{ stores { nodes { code campaigns {
  name startsAt endsAt campaign { name state } adoption { note }
} } } }"""


def of_guide(store: Store) -> str:
    return auth.issue(Role.GUIDE, make_guide(store).id, unit_id=store.id)


def of_manager(store: Store) -> str:
    return auth.issue(Role.STORE_MANAGER, "stm_1", unit_id=store.id)


def of_region(region: OrgUnit) -> str:
    return auth.issue(Role.OPERATOR, "opr_2", unit_id=region.id)


def of_member(member: Member) -> str:
    return auth.issue(Role.MEMBER, member.id)


def nodes(data: dict[str, Any]) -> list[str]:
    return [node["name"] for node in data["campaigns"]["nodes"]]


# --- plan ------------------------------------------------------------------------------------


def test_campaign_is_planned_and_shown(
    send: Client, operator: str, store: Store, region: OrgUnit
) -> None:
    given = {
        "kind": "FESTIVAL",
        "grade": "S",
        "name": "春茶节",
        "startsAt": "2018-03-01T00:00:00+08:00",
        "endsAt": "2018-03-08T00:00:00+08:00",
        "externalId": "mall-7",
        "goals": [{"metric": "SALES", "target": 100000}],
        "path": ["KNOW", "BUY"],
        "controlMode": "OPT_IN",
        "unitIds": [region.id],
        "storeIds": [store.id],
        "audience": {"any": [{"birthdayMonth": {"in": [3]}}, {"tag": {"in": ["tag_1"]}}]},
        "budget": {"amount": "500.00", "period": "DAY", "perPeriod": "50.5", "perStore": "5"},
        "channels": ["SMS"],
        "holdoutPercent": 5,
    }
    payload = send(CREATE, token=operator, input=given)["campaignCreate"]
    shown = {k: v for k, v in given.items() if k not in {"unitIds", "storeIds"}}
    budget = {"amount": "500.00", "period": "DAY", "perPeriod": "50.50", "perStore": "5.00"}
    assert payload == {
        "campaign": shown
        | {
            "state": "DRAFT",
            "version": 1,
            "startsAt": "2018-02-28T16:00:00.000Z",
            "endsAt": "2018-03-07T16:00:00.000Z",
            "units": [{"name": "华东"}],
            "stores": [{"code": "S1"}],
            "budget": budget,
        },
        "userErrors": [],
    }


@pytest.mark.usefixtures("chain")
def test_every_wrong_field_is_named_and_nothing_is_written(send: Client, operator: str) -> None:
    given = {
        "kind": "SCENE",
        "name": " ",
        "startsAt": "2018-03-01T00:00:00Z",
        "endsAt": "2018-03-02T00:00:00Z",
        "path": ["KNOW", "REVENUE"],
        "audience": {"all": [{"birthdayMonth": {"in": [13]}}]},
        "budget": {"amount": "1.00", "perStore": "2.00"},
        "holdoutPercent": 60,
    }
    payload = send(CREATE, token=operator, input=given)["campaignCreate"]
    assert payload["campaign"] is None
    assert {(e["code"], ".".join(e["field"])) for e in payload["userErrors"]} == {
        ("INVALID", "input.name"),
        ("INVALID", "input.path"),
        ("INVALID", "input.audience.all.0.birthdayMonth.in.0"),
        ("INVALID", "input.budget"),
        ("INVALID", "input.holdoutPercent"),
    }
    assert everything() == []


@pytest.mark.usefixtures("chain")
def test_campaign_goes_its_way_by_commands(send: Client, operator: str) -> None:
    made = make_campaign(clock=TODAY)
    told = [
        send(STATE_SET, token=operator, input={"id": made.id, "state": state})["campaignStateSet"]
        for state in ("SCHEDULED", "PAUSED", "RUNNING", "ENDED", "RUNNING")
    ]
    # It runs as soon as it is scheduled, as its time has begun.
    assert [one["campaign"] and one["campaign"]["state"] for one in told] == [
        "RUNNING",
        "PAUSED",
        "RUNNING",
        "ENDED",
        None,
    ]
    assert told[-1]["userErrors"] == [{"code": "FORBIDDEN_TRANSITION", "field": ["input", "state"]}]
    assert stored(made.id).version == 5


@pytest.mark.usefixtures("chain")
def test_draft_is_changed_and_archived(send: Client, operator: str) -> None:
    made = make_campaign(audience={"gender": {"in": ["MALE"]}})
    given = {"id": made.id, "name": "夏茶节", "audience": None, "expectedVersion": 1}
    assert send(UPDATE, token=operator, input=given)["campaignUpdate"] == {
        "campaign": {"name": "夏茶节", "audience": None, "version": 2},
        "userErrors": [],
    }
    assert send(UPDATE, token=operator, input=given)["campaignUpdate"]["userErrors"] == [
        {"code": "CONFLICT", "field": ["input", "expectedVersion"]}
    ]
    payload = send(ARCHIVE, token=operator, id=made.id)["campaignArchive"]
    assert (payload["campaign"]["version"], payload["userErrors"]) == (3, [])
    assert nodes(send(LIST, token=operator)) == []
    shown = send(ONE, token=operator, by={"id": made.id})["campaign"]
    assert shown == {"name": "夏茶节", "state": "DRAFT"}


def test_those_who_may_not_plan_write_nothing(send: Client, store: Store, region: OrgUnit) -> None:
    made = make_running(clock=TODAY)
    member = make_member(store)
    reader = auth.issue(Role.INTEGRATION, "key_2", scopes=frozenset({"campaigns:read"}))
    before = everything()
    new = {"kind": "SCENE", "name": "x"}
    new |= {"startsAt": "2018-03-01T00:00:00Z", "endsAt": "2018-03-02T00:00:00Z"}
    part = {"campaignId": made.id, "participations": [{"memberId": member.id}]}
    commands: list[tuple[str, dict[str, Any]]] = [
        (CREATE, {"input": new}),
        (UPDATE, {"input": {"id": made.id, "name": "x"}}),
        (STATE_SET, {"input": {"id": made.id, "state": "ENDED"}}),
        (ARCHIVE, {"id": made.id}),
        (ADD, {"input": part}),
    ]
    for token, status in (
        (of_manager(store), 403),
        (of_guide(store), 403),
        (of_member(member), 403),
        (reader, 403),
        (None, 401),
    ):
        for document, variables in commands:
            assert "data" not in send.post(document, token=token, **variables)
            assert send.status == status
    for document, variables in commands[:4]:
        [payload] = send(document, token=of_region(region), **variables).values()
        assert [e["code"] for e in payload["userErrors"]] == ["FORBIDDEN"]
    assert everything() == before


# --- found and listed ------------------------------------------------------------------------


def test_who_finds_which_campaign(
    send: Client, operator: str, store: Store, elsewhere: Store, region: OrgUnit
) -> None:
    campaigns = {
        "running": make_running(clock=TODAY, external_id="a"),
        "of the region": make_running(clock=TODAY, unit_ids=[region.id]),
        "of elsewhere": make_running(clock=TODAY, store_ids=[elsewhere.id]),
        "ahead": make_running(clock=TODAY, starts_at=TODAY.now() + DAY),
        "over": set_state(make_running(clock=TODAY), "ENDED", clock=TODAY),
        "draft": make_campaign(clock=TODAY),
    }
    viewers = {
        "headquarters": operator,
        "region": of_region(region),
        "guide": of_guide(store),
        "manager elsewhere": of_manager(elsewhere),
        "member": of_member(make_member(store)),
    }
    found: dict[str, set[str]] = {}
    for name, token in viewers.items():
        by_id = {
            k for k, c in campaigns.items() if send(ONE, token=token, by={"id": c.id})["campaign"]
        }
        by_node = {k for k, c in campaigns.items() if send(NODE, token=token, id=c.id)["node"]}
        assert by_id == by_node
        found[name] = by_id
    everybody = {"running", "ahead", "over"}
    assert found == {
        "headquarters": set(campaigns),
        "region": everybody | {"of the region"},
        "guide": everybody | {"of the region"},
        "manager elsewhere": everybody | {"of elsewhere"},
        "member": {"running", "of the region", "of elsewhere"},
    }
    external = {"by": {"externalId": "a"}}
    assert send(ONE, token=operator, **external)["campaign"]["state"] == "RUNNING"
    assert send(ONE, token=viewers["member"], **external)["campaign"] is None


def test_list_keeps_to_the_viewers_stores_page_by_page(
    send: Client, operator: str, store: Store, elsewhere: Store, region: OrgUnit
) -> None:
    for n in range(3):
        make_running(f"全店 {n}", clock=TODAY)
        make_running(f"本区 {n}", clock=TODAY, unit_ids=[region.id])
        make_running(f"外店 {n}", clock=TODAY, store_ids=[elsewhere.id])
    make_campaign("草稿", clock=TODAY)
    assert len(nodes(send(LIST, token=operator))) == 10
    assert nodes(send(LIST, token=operator, first=2, reverse=True)) == ["草稿", "外店 2"]
    own = [f"{what} {n}" for n in range(3) for what in ("全店", "本区")]
    for token in (of_manager(store), of_guide(store), of_region(region)):
        seen: list[str] = []
        after = None
        while True:
            data = send(LIST, token=token, first=4, after=after)
            seen += nodes(data)
            info = data["campaigns"]["pageInfo"]
            if not info["hasNextPage"]:
                break
            after = info["endCursor"]
        assert seen == own
        assert nodes(send(LIST, token=token, reverse=True)) == own[::-1]


def test_page_of_campaigns_with_members_takes_a_query_for_each_and_a_batch_for_all(
    send: Client, operator: str, store: Store
) -> None:
    people = [member_of_shard(store, 0) for _ in range(3)]
    for n in range(4):
        campaign = make_running(f"活动 {n}", clock=TODAY)
        for member in people:
            take_part(campaign, member, clock=TODAY)
    document = """{ campaigns(first: 3) {
      nodes { name kind state participations(first: 2) { nodes { member { memberNo } } } }
    } }"""
    with counted() as calls:
        data = send(document, token=operator)
    shown = data["campaigns"]["nodes"]
    assert [(one["name"], one["kind"], one["state"]) for one in shown] == [
        (f"活动 {n}", "PROMOTION", "RUNNING") for n in range(3)
    ]
    parts = [one["participations"]["nodes"] for one in shown]
    assert [len(one) for one in parts] == [2, 2, 2]
    assert all(part["member"]["memberNo"] for one in parts for part in one)
    # The list, and one shard of each campaign; viewer, clock, the campaigns, their members.
    assert calls == {"Query": 4, "BatchGetItem": 4}


# --- the calendar ----------------------------------------------------------------------------


@pytest.fixture
def calendar(chain: str) -> None:
    """Campaigns around the beginning of February 2018, in Shanghai."""
    east, north = make_unit("华东"), make_unit("华北")
    shop = make_store("E1", under=east.id)

    def plan(name: str, first: str, last: str, **more: Any) -> None:
        times: dict[str, Any] = {
            "starts_at": f"{first}T00:00:00+08:00",
            "ends_at": f"{last}T00:00:00+08:00",
        }
        make_campaign(name, **times, **more)

    plan("一月", "2018-01-01", "2018-02-01")
    plan("跨月", "2018-01-20", "2018-02-10", unit_ids=[east.id])
    plan("华北", "2018-02-01", "2018-02-05", unit_ids=[north.id])
    plan("一店", "2018-02-05", "2018-02-20", store_ids=[shop.id])
    plan("三月", "2018-03-01", "2018-03-02")


@pytest.mark.usefixtures("calendar")
def test_calendar_shows_the_campaigns_of_its_days_and_what_overlaps(
    send: Client, operator: str
) -> None:
    given = {"from": "2018-02-01", "to": "2018-02-28"}
    with counted() as calls:
        shown = send(CALENDAR, token=operator, **given)["campaignCalendar"]
    assert shown == {
        "campaigns": [{"name": "跨月"}, {"name": "华北"}, {"name": "一店"}],
        "overlaps": [
            {
                "first": {"name": "跨月"},
                "second": {"name": "一店"},
                "startsAt": "2018-02-04T16:00:00.000Z",
                "endsAt": "2018-02-09T16:00:00.000Z",
            }
        ],
    }
    # February; viewer, clock, its campaigns, their places with the level above them.
    assert calls == {"Query": 1, "BatchGetItem": 5}


@pytest.mark.usefixtures("calendar")
def test_window_takes_its_first_and_last_day_whole(send: Client, operator: str) -> None:
    def on(first: str, last: str) -> tuple[list[str], int]:
        data = send(CALENDAR, token=operator, **{"from": first, "to": last})["campaignCalendar"]
        return [one["name"] for one in data["campaigns"]], len(data["overlaps"])

    assert on("2018-01-31", "2018-01-31") == (["一月", "跨月"], 1)
    assert on("2018-02-28", "2018-02-28") == ([], 0)
    assert on("2018-02-28", "2018-03-01") == (["三月"], 0)
    assert on("2018-01-01", "2018-12-31") == (["一月", "跨月", "华北", "一店", "三月"], 2)


@pytest.mark.usefixtures("chain")
def test_window_that_is_no_window_is_refused(send: Client, operator: str) -> None:
    for first, last in (
        ("2018-02-02", "2018-02-01"),
        ("2018-01-01", "2019-01-02"),
        ("1969-12-31", "1970-01-01"),
        ("2199-12-30", "9999-12-31"),
    ):
        answer = send.post(CALENDAR, token=operator, **{"from": first, "to": last})
        [error] = answer["errors"]
        assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": ["to"]}
        assert answer["data"] == {"campaignCalendar": None}


def test_staff_see_the_calendar_of_their_stores_without_drafts(
    send: Client, store: Store, elsewhere: Store
) -> None:
    make_running("全店", clock=TODAY)
    make_running("外店", clock=TODAY, store_ids=[elsewhere.id])
    make_campaign("草稿", clock=TODAY)
    today = TODAY.today().isoformat()
    given = {"from": today, "to": today}
    shown = send(CALENDAR, token=of_guide(store), **given)["campaignCalendar"]
    assert shown == {"campaigns": [{"name": "全店"}], "overlaps": []}
    assert "data" not in send.post(CALENDAR, token=of_member(make_member(store)), **given)


# --- stores ----------------------------------------------------------------------------------


def test_manager_takes_up_adapts_and_withdraws(send: Client, store: Store) -> None:
    offer = make_offer(clock=TODAY)
    token = of_manager(store)
    key = {"campaignId": offer.id, "storeId": store.id}
    taken = send(ADOPT, token=token, input={**key, "name": "本店会员日", "note": "二楼"})
    assert taken["campaignAdopt"] == {
        "adoption": {
            "name": "本店会员日",
            "note": "二楼",
            "takenUpBy": "stm_1",
            "store": {"code": "S1"},
            "campaign": {"name": "会员日"},
            "version": 1,
        },
        "userErrors": [],
    }
    changed = send(ADOPTION_UPDATE, token=token, input={**key, "note": None, "expectedVersion": 1})
    assert changed["campaignAdoptionUpdate"]["adoption"] == {
        "name": "本店会员日",
        "note": None,
        "version": 2,
    }
    left = send(WITHDRAW, token=token, input=key)["campaignAdoptionWithdraw"]
    assert left["adoption"] == {"withdrawnBy": "stm_1", "version": 3}


def test_only_a_manager_takes_up_and_only_for_the_own_store(
    send: Client, operator: str, integration: str, store: Store, elsewhere: Store
) -> None:
    offer = make_offer(clock=TODAY)
    adopt(offer, store, clock=TODAY)
    key = {"campaignId": offer.id, "storeId": store.id}
    before = everything()
    for token in (operator, integration, of_guide(store), of_member(make_member(store)), None):
        for document in (ADOPT, ADOPTION_UPDATE, WITHDRAW):
            assert "data" not in send.post(document, token=token, input=key)
            assert send.status == (403 if token else 401)
    for document in (ADOPT, ADOPTION_UPDATE, WITHDRAW):
        [payload] = send(document, token=of_manager(elsewhere), input=key).values()
        assert payload["userErrors"] == [{"code": "NOT_FOUND", "field": ["input", "storeId"]}]
    assert everything() == before


def test_adoptions_are_those_of_stores_within_reach(
    send: Client, operator: str, store: Store, elsewhere: Store, region: OrgUnit
) -> None:
    offer = make_offer(clock=TODAY)
    for shop in (store, elsewhere):
        adopt(offer, shop, clock=TODAY)
    document = """query ($id: ID!, $first: Int! = 9, $after: String, $reverse: Boolean! = false) {
      campaign(by: {id: $id}) {
        adoptions(first: $first, after: $after, reverse: $reverse) {
          nodes { store { code } } pageInfo { hasNextPage endCursor }
        }
      }
    }"""

    def shown(token: str, **page: Any) -> tuple[list[str], bool, str]:
        found = send(document, token=token, id=offer.id, **page)["campaign"]["adoptions"]
        info = found["pageInfo"]
        codes = [one["store"]["code"] for one in found["nodes"]]
        return codes, info["hasNextPage"], info["endCursor"]

    by_id = ["S1", "S2"] if store.id < elsewhere.id else ["S2", "S1"]
    assert shown(operator)[0] == by_id
    assert shown(operator, reverse=True)[0] == by_id[::-1]
    first, more, cursor = shown(operator, first=1)
    assert (first, more, shown(operator, after=cursor)[0]) == (by_id[:1], True, by_id[1:])
    for token in (of_manager(store), of_guide(store), of_region(region)):
        assert shown(token)[:2] == (["S1"], False)
        assert shown(token, first=1, reverse=True)[0] == ["S1"]
    assert shown(of_manager(elsewhere))[0] == ["S2"]


def test_store_shows_what_it_carries_out_to_its_staff_and_to_members(
    send: Client, operator: str, store: Store, elsewhere: Store
) -> None:
    make_running("全店", clock=TODAY)
    offer = make_offer("会员日", clock=TODAY)
    adopt(offer, store, clock=TODAY, name="本店会员日", note="二楼")

    def shown(token: str, selection: str = IN_STORES) -> dict[str, list[tuple[str, str]]]:
        data = send(selection, token=token)
        return {
            one["code"]: [(c["name"], c["campaign"]["name"]) for c in one["campaigns"]]
            for one in data["stores"]["nodes"]
        }

    everywhere = {"S1": [("全店", "全店"), ("本店会员日", "会员日")], "S2": [("全店", "全店")]}
    assert shown(operator) == everywhere
    assert shown(of_manager(store)) == {"S1": everywhere["S1"], "S2": []}
    for_members = IN_STORES.replace("adoption { note }", "")
    assert shown(of_member(make_member(store)), for_members) == everywhere
    with counted() as calls:
        send(IN_STORES, token=operator)
    # The list of stores and the month; viewer, the last number, stores, campaigns, adoptions.
    assert calls == {"Query": 2, "BatchGetItem": 5}


# --- members ---------------------------------------------------------------------------------


def test_members_are_added_with_a_result_for_each(
    send: Client, integration: str, store: Store
) -> None:
    campaign, member = make_running(clock=TODAY), make_member(store)
    nobody = ids.derived_id("mbr", "nobody")
    parts = [{"memberId": member.id}, {"memberId": nobody}, {"memberId": member.id}]
    given = {"campaignId": campaign.id, "participations": parts}
    payload = send(ADD, token=integration, input=given)["campaignParticipationAdd"]
    there = {"memberId": member.id, "participation": {"state": "JOINED"}, "error": None}
    field = ["input", "participations", "1", "memberId"]
    assert payload == {
        "results": [
            there | {"added": True},
            {
                "memberId": nobody,
                "added": False,
                "participation": None,
                "error": {"code": "NOT_FOUND", "field": field},
            },
            there | {"added": False},
        ],
        "userErrors": [],
    }


def test_whole_list_is_refused_for_a_draft_and_for_more_than_a_hundred(
    send: Client, operator: str, store: Store
) -> None:
    draft, member = make_campaign(clock=TODAY), make_member(store)
    before = everything()
    for count, code, field in (
        (1, "FORBIDDEN_TRANSITION", ["input", "campaignId"]),
        (101, "INVALID", ["input", "participations"]),
    ):
        given = {"campaignId": draft.id, "participations": [{"memberId": member.id}] * count}
        payload = send(ADD, token=operator, input=given)["campaignParticipationAdd"]
        assert payload == {"results": None, "userErrors": [{"code": code, "field": field}]}
    assert everything() == before


def test_member_sees_the_own_participations_and_those_campaigns_even_when_over(
    send: Client, store: Store
) -> None:
    member, other = make_member(store), make_member(store)
    over = make_running("冬茶节", clock=TODAY)
    running = make_running("春茶节", clock=TODAY)
    for campaign in (over, running):
        take_part(campaign, member, clock=TODAY)
    take_part(running, other, clock=TODAY)
    set_state(over, "ENDED", clock=TODAY)
    document = """{ me { member { participations { nodes {
      state at channel campaign { name state }
    } } } } }"""
    data = send(document, token=of_member(member))
    shown = data["me"]["member"]["participations"]["nodes"]
    assert [one["campaign"] for one in shown] == [
        {"name": "冬茶节", "state": "ENDED"},
        {"name": "春茶节", "state": "RUNNING"},
    ]
    closed = "query ($id: ID!) { campaign(by: {id: $id}) { participations { nodes { state } } } }"
    assert "data" not in send.post(closed, token=of_member(member), id=running.id)
    assert "data" not in send.post(closed, token=of_manager(store), id=running.id)


def test_participation_of_a_member_out_of_reach_shows_no_member(
    send: Client, store: Store, elsewhere: Store, region: OrgUnit
) -> None:
    campaign = make_running(clock=TODAY)
    own, other = make_member(store), make_member(elsewhere)
    for member in (own, other):
        take_part(campaign, member, clock=TODAY)
    document = """query ($id: ID!) { campaign(by: {id: $id}) {
      participations { nodes { state member { id } } }
    } }"""
    data = send(document, token=of_region(region), id=campaign.id)
    shown = [one["member"] for one in data["campaign"]["participations"]["nodes"]]
    assert sorted(shown, key=bool) == [None, {"id": own.id}]


def test_state_on_read_is_that_of_the_clock_not_of_the_last_run(
    send: Client, operator: str, chain: str
) -> None:
    now = TODAY.now()
    past = Clock(wall=lambda: now - 20 * DAY)
    first, last = now - 10 * DAY, now + 10 * DAY
    over = make_running("过期", clock=past, starts_at=first, ends_at=now - DAY)
    begun = make_running("开始", clock=past, starts_at=first, ends_at=last)
    ahead = make_running("未到", clock=past, starts_at=now + DAY, ends_at=last)
    kept = [stored(campaign.id).state for campaign in (over, begun, ahead)]
    assert kept == ["SCHEDULED", "SCHEDULED", "SCHEDULED"]
    shown = [
        send(ONE, token=operator, by={"id": campaign.id})["campaign"]["state"]
        for campaign in (over, begun, ahead)
    ]
    assert shown == ["ENDED", "RUNNING", "SCHEDULED"]


ATTRIBUTED = """query ($id: ID!) { campaign(by: {id: $id}) { name
  attributed { orders amount rows { nodes { orders amount day order { id } } } } } }"""


def test_headquarters_see_the_orders_that_a_campaign_brought(
    send: Client, store: Store, operator: str
) -> None:
    campaign = make_running(starts_at=PAID_AT - DAY)
    member = make_member(store)
    take_part(campaign, member, at=PAID_AT - DAY / 2)
    order = orders.apply(make_snapshot(store, member_id=member.id), clock=CLOCK).order
    tasks.credit(order, clock=CLOCK)
    send(ATTRIBUTED, token=operator, id=campaign.id)  # reads the chain's clock too
    with counted() as calls:
        data = send(ATTRIBUTED, token=operator, id=campaign.id)
    row = {"orders": 1, "amount": "100.00", "day": "2018-01-05", "order": {"id": order.id}}
    assert data["campaign"]["attributed"] == {
        "orders": 1,
        "amount": "100.00",
        "rows": {"nodes": [row]},
    }
    # Whether the token holds, the campaign, its sums, pointer and order; a Query a shard.
    assert calls == {"BatchGetItem": 5, "Query": 8}
    manager = auth.issue(Role.STORE_MANAGER, "stm_1", unit_id=store.id)
    answer = send.post(ATTRIBUTED, token=manager, id=campaign.id)
    assert {e["extensions"]["code"] for e in answer["errors"]} == {"FORBIDDEN"}
