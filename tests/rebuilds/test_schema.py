"""Where members stand, and runs over all of them, over GraphQL."""

import pytest

from graphql_api import auth
from graphql_api.edge.execution import chain_clock
from graphql_api.kit.time import Clock
from graphql_api.rebuilds import tasks
from graphql_api.standing import repository as standings
from graphql_api.viewer import MANAGE_POLICIES, READ_MEMBERS, Role
from tests.conftest import Client
from tests.factories import numbered
from tests.rebuilds.conftest import TODAY
from tests.rebuilds.storage import LADDER, members_stored, published
from tests.standing.storage import on

OPERATOR = auth.issue(Role.OPERATOR, "opr_1")
CLOCK = on(TODAY)

PREVIEW = """mutation ($input: PolicyPreviewInput!) { policyPreview(input: $input) {
  run { id kind state policyVersion } userErrors { code field } } }"""
RUN = """query ($id: ID!) { policyRun(id: $id) {
  state members changed failed progress { done total }
  moves { part old new members samples { id } } } }"""


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    """The API answers at noon of the day."""

    async def read() -> Clock:
        return CLOCK

    monkeypatch.setattr(chain_clock, "read", read)


def test_operator_previews_and_looks_at_the_matrix(send: Client, people: list[str]) -> None:
    given = {"kind": "TIER_LADDER", "document": LADDER}
    begun = send(PREVIEW, token=OPERATOR, input=given)["policyPreview"]
    assert begun["userErrors"] == []
    run_id = begun["run"].pop("id")
    assert begun["run"] == {"kind": "PREVIEW", "state": "WAITING", "policyVersion": 1}
    tasks.run_all(run_id, clock=CLOCK)
    run = send(RUN, token=OPERATOR, id=run_id)["policyRun"]
    assert run == {
        "state": "DONE",
        "members": 6,
        "changed": 2,
        "failed": 0,
        "progress": {"done": 2, "total": 2},
        "moves": [
            {
                "part": "TIER",
                "old": "V1",
                "new": "V2",
                "members": 1,
                "samples": [{"id": numbered(2100)}],
            },
            {
                "part": "TIER",
                "old": "V4",
                "new": "V3",
                "members": 1,
                "samples": [{"id": numbered(6)}],
            },
        ],
    }
    listed = send("{ policyRuns { nodes { id } } }", token=OPERATOR)["policyRuns"]["nodes"]
    assert listed == [{"id": run_id}]


def test_wrong_document_is_refused_with_its_path(send: Client, chain: str) -> None:
    given = {"kind": "TIER_LADDER", "document": {"windowMonths": 0}}
    refused = send(PREVIEW, token=OPERATOR, input=given)["policyPreview"]
    assert refused["run"] is None
    [error] = refused["userErrors"]
    assert (error["code"], error["field"]) == ("INVALID", ["input", "document", "windowMonths"])


def test_measuring_cancelling_and_going_on(send: Client, people: list[str]) -> None:
    document = """mutation ($input: PolicyMeasureInput!) { policyMeasure(input: $input) {
      run { id kind state } userErrors { code field } } }"""
    run = send(document, token=OPERATOR, input={})["policyMeasure"]["run"]
    assert (run["kind"], run["state"]) == ("MEASURE", "WAITING")
    cancel = "mutation ($id: ID!) { policyRunCancel(id: $id) { run { state endedAt } } }"
    cancelled = send(cancel, token=OPERATOR, id=run["id"])["policyRunCancel"]["run"]
    assert cancelled == {"state": "CANCELLED", "endedAt": "2018-01-10T04:00:00.000Z"}
    refused = send(document, token=OPERATOR, input={"kind": "GROWTH"})["policyMeasure"]
    assert refused["userErrors"] == [{"code": "INVALID", "field": ["input", "kind"]}]
    retry = "mutation ($id: ID!) { policyRunRetry(id: $id) { run { state } userErrors { code } } }"
    again = send(retry, token=OPERATOR, id=run["id"])["policyRunRetry"]
    assert again == {"run": {"state": "WAITING"}, "userErrors": []}
    tasks.run_all(run["id"], clock=CLOCK)
    drafted = "query ($id: ID!) { policyRun(id: $id) { state draftedVersion } }"
    done = send(drafted, token=OPERATOR, id=run["id"])["policyRun"]
    assert done == {"state": "DONE", "draftedVersion": 1}
    refused = send(retry, token=OPERATOR, id=run["id"])["policyRunRetry"]
    assert refused == {"run": None, "userErrors": [{"code": "FORBIDDEN_TRANSITION"}]}


def test_runs_are_not_for_keys_without_the_scope(send: Client, chain: str) -> None:
    key = auth.issue(Role.INTEGRATION, "key_1", scopes=frozenset({READ_MEMBERS}))
    answer = send.post("{ policyRuns { nodes { id } } }", token=key)
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    manages = auth.issue(Role.INTEGRATION, "key_2", scopes=frozenset({MANAGE_POLICIES}))
    assert send("{ policyRuns { nodes { id } } }", token=manages)["policyRuns"]["nodes"] == []


STANDING = """query ($id: ID!) { member(by: {id: $id}) {
  tier { current since until progress { toNext { tier needed counted missing }
    toKeep { tier needed by } } nextChange { on to why }
    explanation { metric value windowMonths policyVersion } }
  lifecycle { state since reactivations nextTransition { on state } }
  phase rfm { recency frequency monetary class policyVersion } quadrant
  standingHistory(part: TIER) { nodes { on old new reason decidedOn policyVersion } } } }"""


def test_member_is_shown_where_they_stand_and_what_comes(send: Client, people: list[str]) -> None:
    before = members_stored()
    assert send(STANDING, token=OPERATOR, id=numbered(5))["member"] == {
        "tier": {
            "current": "V3",
            "since": "2018-01-10",
            "until": "2018-07-09",
            "progress": {
                "toNext": {"tier": "V4", "needed": 1500, "counted": 700, "missing": 800},
                "toKeep": {"tier": "V3", "needed": 600, "by": "2018-07-09"},
            },
            "nextChange": {"on": "2018-07-10", "to": "V1", "why": "EXPIRED"},
            "explanation": {
                "metric": "GROWTH",
                "value": 700,
                "windowMonths": 6,
                "policyVersion": 0,
            },
        },
        "lifecycle": {
            "state": "ONBOARDING",
            "since": "2018-01-09",
            "reactivations": 0,
            "nextTransition": {"on": "2018-04-09", "state": "AWAKENING"},
        },
        "phase": "STARTING",
        "rfm": {
            "recency": 5,
            "frequency": 1,
            "monetary": 3,
            "class": "HLH",
            "policyVersion": 0,
        },
        "quadrant": None,
        "standingHistory": {
            "nodes": [
                {
                    "on": "2018-01-10",
                    "old": None,
                    "new": "V3",
                    "reason": "FIRST",
                    "decidedOn": "2018-01-10",
                    "policyVersion": 0,
                }
            ]
        },
    }
    assert members_stored() == before


def test_answer_after_midnight_is_right_before_the_run_of_the_day(
    send: Client, people: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read() -> Clock:
        return on("2018-07-10")

    before = members_stored()
    monkeypatch.setattr(chain_clock, "read", read)
    member = send(STANDING, token=OPERATOR, id=numbered(5))["member"]
    assert (member["tier"]["current"], member["tier"]["since"]) == ("V1", "2018-07-10")
    assert (member["lifecycle"]["state"], member["lifecycle"]["since"]) == (
        "WIN_BACK",
        "2018-07-09",
    )
    assert member["rfm"]["recency"] == 1
    assert members_stored() == before


def test_spend_is_shown_in_yuan(send: Client, people: list[str]) -> None:
    published(document={"metric": "SPEND", "tiers": [{"name": "V1", "threshold": 0}]})
    standings.forget()
    document = """query ($id: ID!) { member(by: {id: $id}) {
      tier { explanation { metric value } progress { toNext { tier } } } } }"""
    tier = send(document, token=OPERATOR, id=numbered(5))["member"]["tier"]
    assert tier == {
        "explanation": {"metric": "SPEND", "value": 700.0},
        "progress": {"toNext": None},
    }


def test_members_own_tier_is_theirs_to_see_and_their_scores_are_not(
    send: Client, people: list[str]
) -> None:
    token = auth.issue(Role.MEMBER, numbered(4))
    seen = send("{ me { member { tier { current } } } }", token=token)
    assert seen["me"]["member"]["tier"]["current"] == "V2"
    answer = send.post("{ me { member { rfm { class } lifecycle { state } } } }", token=token)
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
