"""Who looks after whom, over GraphQL."""

from datetime import date
from typing import Any

from graphql_api import auth
from graphql_api.guides.models import Guide
from graphql_api.kit import ids
from graphql_api.members import service as member_service
from graphql_api.members.rules import IdentityKind
from graphql_api.members.service import NewIdentity, Update
from graphql_api.ownership import service, tasks
from graphql_api.ownership.service import Assign, HandOverCreate, Release
from graphql_api.stores.models import Store
from graphql_api.viewer import SEE_PERSONAL_DATA, SYSTEM, Role
from tests.conftest import Client
from tests.factories import CLOCK, make_guide, make_member
from tests.ownership.conftest import SetDay
from tests.ownership.storage import everything, leave, told
from tests.ownership.viewers import OPERATOR, READER, as_guide, manager_of
from tests.test_reads import asked, warm

ASSIGN = """mutation ($input: MemberGuideAssignInput!) {
  memberGuideAssign(input: $input) {
    member { id guide { name } ownership { validUntil source } version }
    userErrors { code field message }
  }
}"""
TAKE = """mutation ($input: MemberGuideTakeOverInput!) {
  memberGuideTakeOver(input: $input) {
    member { id name guide { name } ownership { source protectedUntil } }
    userErrors { code field message }
  }
}"""
RELEASE = """mutation ($input: MemberGuideReleaseInput!) {
  memberGuideRelease(input: $input) {
    member { id guide { name } ownership { since } }
    userErrors { code field message }
  }
}"""
CREATE = """mutation ($input: HandOverCreateInput!) {
  handOverCreate(input: $input) {
    handOver {
      id state total moved reason failure fromGuide { name } targets { name } store { code }
    }
    userErrors { code field message }
  }
}"""
CANCEL = """mutation ($id: ID!) {
  handOverCancel(id: $id) { handOver { state } userErrors { code field message } }
}"""
MOVE = """mutation ($input: GuideMoveInput!) {
  guideMove(input: $input) {
    guide { name store { code } version }
    handOver { state reason targets { name } store { code } }
    userErrors { code field message }
  }
}"""


# --- shown -----------------------------------------------------------------------------------


def test_ownership_is_shown_as_of_today(
    send: Client, store: Store, ann: Guide, set_day: SetDay
) -> None:
    member = make_member(store)
    given = Assign(member_id=member.id, guide_id=ann.id, valid_until=date(2018, 1, 15))
    service.assign(given, viewer=SYSTEM, clock=CLOCK)
    document = """query ($id: ID!) { member(by: {id: $id}) {
      guide { name }
      ownership { guide { name } since validUntil protectedUntil source endedAt endReason }
      ownershipHistory { nodes { guide { name } endedAt endReason } }
    } }"""
    owned = {
        "guide": {"name": "安"},
        "since": "2018-01-10T04:00:00.000Z",
        "validUntil": "2018-01-15",
        "protectedUntil": "2018-02-09",
        "source": "ASSIGNED_BY_SYSTEM",
        "endedAt": None,
        "endReason": None,
    }
    running = {"guide": {"name": "安"}, "endedAt": None, "endReason": None}
    before = everything()
    set_day(5)
    assert send(document, token=OPERATOR, id=member.id)["member"] == {
        "guide": {"name": "安"},
        "ownership": owned,
        "ownershipHistory": {"nodes": [running]},
    }
    set_day(6)
    over = running | {"endedAt": "2018-01-15T16:00:00.000Z", "endReason": "EXPIRED"}
    assert send(document, token=OPERATOR, id=member.id)["member"] == {
        "guide": None,
        "ownership": None,
        "ownershipHistory": {"nodes": [over]},
    }
    assert everything() == before


def test_guide_who_left_is_nobodys_guide_but_still_the_owner(
    send: Client, store: Store, ann: Guide
) -> None:
    member = make_member(store, guide_id=ann.id)
    leave(ann)
    document = """query ($id: ID!) { member(by: {id: $id}) {
      guide { name } ownership { guide { name status } }
    } }"""
    for token in (OPERATOR, auth.issue(Role.MEMBER, member.id)):
        assert send(document, token=token, id=member.id)["member"] == {
            "guide": None,
            "ownership": {"guide": {"name": "安", "status": "LEFT"}},
        }


def test_member_sees_who_and_since_when_but_not_why(send: Client, store: Store, ann: Guide) -> None:
    member = make_member(store, guide_id=ann.id)
    token = auth.issue(Role.MEMBER, member.id)
    shown = send("{ me { member { ownership { guide { name } since validUntil } } } }", token=token)
    assert shown["me"]["member"]["ownership"]["guide"] == {"name": "安"}
    document = """{ me { member {
      ownership { protectedUntil source } ownershipHistory { nodes { since } }
    } } }"""
    answer = send.post(document, token=token)
    assert sorted(error["message"].partition(" ")[0] for error in answer["errors"]) == [
        "Member.ownershipHistory",
        "Ownership.protectedUntil",
        "Ownership.source",
    ]


def test_history_is_paged_in_both_directions(send: Client, store: Store, ann: Guide) -> None:
    bob = make_guide(store, "波")
    member = make_member(store)
    for guide in (ann, bob, ann):
        given = Assign(member_id=member.id, guide_id=guide.id)
        service.assign(given, viewer=SYSTEM, clock=CLOCK)
        service.release(Release(member_id=member.id), viewer=SYSTEM, clock=CLOCK)
    document = """query ($id: ID!, $after: String, $reverse: Boolean!) { member(by: {id: $id}) {
      ownershipHistory(first: 2, after: $after, reverse: $reverse) {
        nodes { guide { name } endReason } pageInfo { hasNextPage endCursor }
      }
    } }"""
    for reverse in (False, True):
        names: list[str] = []
        after = None
        while True:
            asked_for = {"id": member.id, "after": after, "reverse": reverse}
            page = send(document, token=OPERATOR, **asked_for)["member"]["ownershipHistory"]
            names += [node["guide"]["name"] for node in page["nodes"]]
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = page["pageInfo"]["endCursor"]
        assert names == ["安", "波", "安"]


def test_page_of_members_with_their_ownership_costs_no_more_than_with_their_guide(
    send: Client, store: Store, other_store: Store
) -> None:
    guides = [make_guide(store, f"导购{n}") for n in range(3)]
    for n in range(6):
        make_member(store, guide_id=guides[n % 3].id)
    document = """{ members(first: 5) { nodes {
      memberNo guide { name store { name } } ownership { since }
    } } }"""
    warm(send)
    with asked() as seen:
        nodes = send(document, token=OPERATOR)["members"]["nodes"]
    assert "".join(node["guide"]["name"][-1] for node in nodes) == "01201"
    assert all(node["ownership"] and node["guide"]["store"] for node in nodes)
    assert seen == {
        "Query members.block": 1,
        "get 5 members": 1,
        "get 3 guides": 1,
        "get 1 stores": 1,
    }


def test_customers_of_a_guide_are_shown_to_those_who_may_see_them(
    send: Client, store: Store, other_store: Store, ann: Guide
) -> None:
    mine = make_member(store, guide_id=ann.id, name="王小明")
    away = make_member(store, guide_id=ann.id, name="孙丽")
    member_service.update(Update(id=away.id, store_id=other_store.id), viewer=SYSTEM)
    document = """query ($id: ID!) { guide(by: {id: $id}) { members { nodes { id name } } } }"""

    def seen(token: str) -> list[tuple[str, str]]:
        nodes = send(document, token=token, id=ann.id)["guide"]["members"]["nodes"]
        return [(node["id"], node["name"]) for node in nodes]

    both = [(mine.id, "王**"), (away.id, "孙*")]
    assert sorted(seen(as_guide(ann))) == sorted(seen(OPERATOR)) == sorted(both)
    assert seen(manager_of(store)) == [(mine.id, "王**")]
    assert seen(as_guide(make_guide(store, "波"))) == []
    assert sorted(name for _, name in seen(as_guide(ann, SEE_PERSONAL_DATA))) == ["孙丽", "王小明"]
    answer = send.post(document, token=auth.issue(Role.MEMBER, mine.id), id=ann.id)
    assert [e["message"].partition(" ")[0] for e in answer["errors"]] == ["Guide.members"]


# --- commands --------------------------------------------------------------------------------


def test_manager_assigns_and_releases(
    send: Client, set_day: SetDay, store: Store, ann: Guide
) -> None:
    member = make_member(store)
    given = {"memberId": member.id, "guideId": ann.id, "validUntil": "2018-06-30"}
    assert send(ASSIGN, token=manager_of(store), input=given)["memberGuideAssign"] == {
        "member": {
            "id": member.id,
            "guide": {"name": "安"},
            "ownership": {"validUntil": "2018-06-30", "source": "ASSIGNED_BY_MANAGER"},
            "version": 2,
        },
        "userErrors": [],
    }
    released = send(RELEASE, token=manager_of(store), input={"memberId": member.id})
    assert released["memberGuideRelease"] == {
        "member": {"id": member.id, "guide": None, "ownership": None},
        "userErrors": [],
    }


def test_guide_takes_over_a_member_who_stands_before_them(
    send: Client, store: Store, ann: Guide, set_day: SetDay
) -> None:
    people = [
        make_member(
            store, NewIdentity(kind=IdentityKind.PHONE, value=f"+861380013800{n}"), name="王小明"
        )
        for n in range(4)
    ]
    selectors: list[dict[str, Any]] = [
        {"id": people[0].id},
        {"memberNo": people[1].member_no},
        {"phone": "13800138002"},
        {"identity": {"kind": "PHONE", "value": "138 0013 8003"}},
    ]
    for member, selector in zip(people, selectors, strict=True):
        given = {"member": selector, "source": "WECOM_FRIEND"}
        assert send(TAKE, token=as_guide(ann), input=given)["memberGuideTakeOver"] == {
            "member": {
                "id": member.id,
                "name": "王**",
                "guide": {"name": "安"},
                "ownership": {"source": "WECOM_FRIEND", "protectedUntil": "2018-02-09"},
            },
            "userErrors": [],
        }


def test_refused_guide_is_told_until_when(
    send: Client, set_day: SetDay, store: Store, ann: Guide, bob: Guide
) -> None:
    member = make_member(store, guide_id=bob.id)
    before = everything()
    refused = send(TAKE, token=as_guide(ann), input={"member": {"id": member.id}})
    assert refused["memberGuideTakeOver"] == {
        "member": None,
        "userErrors": [
            {
                "code": "FORBIDDEN_TRANSITION",
                "field": ["input", "member"],
                "message": "Another guide's member, who is protected until 2018-02-09",
            }
        ],
    }
    assert everything() == before
    forced = {"member": {"id": member.id}, "guideId": ann.id, "force": True}
    send(TAKE, token=OPERATOR, input=forced)
    assert told(member.id) == [(bob.id, "TAKEN_OVER"), (ann.id, None)]


def test_wrong_take_over_names_its_field(send: Client, store: Store, ann: Guide) -> None:
    member = make_member(store)
    wrong: list[tuple[dict[str, Any], str, list[str]]] = [
        ({"member": {"memberNo": "12345"}}, "NOT_FOUND", ["member"]),
        ({"member": {"phone": "13800138000"}}, "NOT_FOUND", ["member"]),
        ({"member": {"unionId": "王"}}, "INVALID", ["member", "unionId"]),
        (
            {"member": {"identity": {"kind": "PHONE", "value": "1"}}},
            "INVALID",
            ["member", "identity", "value"],
        ),
        ({"source": "IMPORT"}, "FORBIDDEN", ["source"]),
        ({"force": True}, "FORBIDDEN", ["force"]),
        ({"guideId": "gde_x"}, "FORBIDDEN", ["guideId"]),
    ]
    before = everything()
    for more, code, field in wrong:
        payload = send(TAKE, token=as_guide(ann), input={"member": {"id": member.id}} | more)
        [error] = payload["memberGuideTakeOver"]["userErrors"]
        assert (error["code"], error["field"]) == (code, ["input", *field])
    assert everything() == before


def test_hand_over_is_asked_for_followed_and_cancelled(
    send: Client, set_day: SetDay, store: Store, ann: Guide, bob: Guide
) -> None:
    skipped = make_member(store, guide_id=ann.id, name="王小明")
    make_member(store, guide_id=ann.id)
    given = {"fromGuideId": ann.id, "targetIds": [bob.id]}
    payload = send(CREATE, token=manager_of(store), input=given)["handOverCreate"]
    job_id = payload["handOver"].pop("id")
    assert payload == {
        "handOver": {
            "state": "WAITING",
            "total": None,
            "moved": 0,
            "reason": "HANDED_OVER",
            "failure": None,
            "fromGuide": {"name": "安"},
            "targets": [{"name": "波"}],
            "store": {"code": "S1"},
        },
        "userErrors": [],
    }
    tasks.run_hand_over(job_id, clock=CLOCK, steps=1)
    service.release(Release(member_id=skipped.id), viewer=SYSTEM, clock=CLOCK)
    tasks.run_hand_over(job_id, clock=CLOCK)
    document = """query ($id: ID!) {
      handOver(id: $id) {
        state total moved skipped { reason members } startedAt endedAt
        skippedMembers { nodes { reason member { id name } } }
      }
      node(id: $id) { __typename ... on HandOver { moved } }
    }"""
    shown = send(document, token=manager_of(store), id=job_id)
    assert shown["node"] == {"__typename": "HandOver", "moved": 1}
    assert shown["handOver"] == {
        "state": "DONE",
        "total": 2,
        "moved": 1,
        "skipped": [{"reason": "NO_LONGER_THEIRS", "members": 1}],
        "startedAt": "2018-01-10T04:00:00.000Z",
        "endedAt": "2018-01-10T04:00:00.000Z",
        "skippedMembers": {
            "nodes": [{"reason": "NO_LONGER_THEIRS", "member": {"id": skipped.id, "name": "王**"}}]
        },
    }
    [error] = send(CANCEL, token=OPERATOR, id=job_id)["handOverCancel"]["userErrors"]
    assert (error["code"], error["field"]) == ("FORBIDDEN_TRANSITION", ["id"])
    again = send(CREATE, token=OPERATOR, input=given)["handOverCreate"]["handOver"]["id"]
    cancelled = send(CANCEL, token=manager_of(store), id=again)["handOverCancel"]
    assert cancelled == {"handOver": {"state": "CANCELLED"}, "userErrors": []}


def test_hand_over_of_another_store_is_not_shown(
    send: Client, store: Store, other_store: Store, ann: Guide, bob: Guide
) -> None:
    given = HandOverCreate(from_guide_id=ann.id, target_ids=[bob.id])
    job = service.hand_over(given, viewer=SYSTEM, clock=CLOCK)
    document = "query ($id: ID!) { handOver(id: $id) { state } node(id: $id) { id } }"
    nothing = {"handOver": None, "node": None}
    assert send(document, token=manager_of(other_store), id=job.id) == nothing
    assert send(document, token=OPERATOR, id=ids.derived_id("hov", "x")) == nothing
    assert send("query ($id: ID!) { node(id: $id) { id } }", token=as_guide(ann), id=job.id) == {
        "node": None
    }
    assert send(document, token=READER, id=job.id)["handOver"] == {"state": "WAITING"}


def test_wrong_hand_over_names_its_field(
    send: Client, store: Store, ann: Guide, bob: Guide
) -> None:
    wrong: list[tuple[dict[str, Any], list[str]]] = [
        ({"targetIds": []}, ["targetIds"]),
        ({"targetIds": ["gde_a", "gde_a"]}, ["targetIds"]),
        ({"reason": "EXPIRED"}, ["reason"]),
        ({"targetIds": ["gde_a"]}, ["targetIds", "0"]),
        ({"fromGuideId": "gde_a"}, ["fromGuideId"]),
    ]
    before = everything()
    for more, field in wrong:
        given = {"fromGuideId": ann.id, "targetIds": [bob.id]} | more
        payload = send(CREATE, token=OPERATOR, input=given)["handOverCreate"]
        assert payload["handOver"] is None
        assert [error["field"] for error in payload["userErrors"]] == [["input", *field]]
    assert everything() == before


def test_headquarters_move_a_guide_and_both_changes_are_shown(
    send: Client, store: Store, other_store: Store, ann: Guide, bob: Guide
) -> None:
    given = {"guideId": ann.id, "storeId": other_store.id, "handOverTo": [bob.id]}
    assert send(MOVE, token=OPERATOR, input=given)["guideMove"] == {
        "guide": {"name": "安", "store": {"code": "S2"}, "version": 2},
        "handOver": {
            "state": "WAITING",
            "reason": "MOVED_STORE",
            "targets": [{"name": "波"}],
            "store": {"code": "S1"},
        },
        "userErrors": [],
    }
    again = send(MOVE, token=OPERATOR, input=given | {"handOverTo": None})["guideMove"]
    assert (again["guide"]["version"], again["handOver"], again["userErrors"]) == (2, None, [])


def test_wrong_move_names_its_field(
    send: Client, store: Store, other_store: Store, ann: Guide
) -> None:
    before = everything()
    given = {"guideId": ann.id, "storeId": other_store.id, "handOverTo": [ann.id]}
    payload = send(MOVE, token=OPERATOR, input=given)["guideMove"]
    assert (payload["guide"], payload["handOver"]) == (None, None)
    assert [error["field"] for error in payload["userErrors"]] == [["input", "handOverTo", "0"]]
    assert everything() == before


def test_who_may_not_command_writes_nothing(
    send: Client, store: Store, other_store: Store, ann: Guide, bob: Guide
) -> None:
    member = make_member(store)
    one = {"memberId": member.id}
    commands: dict[str, dict[str, Any]] = {
        ASSIGN: {"input": one | {"guideId": ann.id}},
        RELEASE: {"input": one},
        CREATE: {"input": {"fromGuideId": ann.id, "targetIds": [bob.id]}},
        CANCEL: {"id": ids.derived_id("hov", "x")},
        MOVE: {"input": {"guideId": ann.id, "storeId": other_store.id}},
        TAKE: {"input": {"member": {"id": member.id}}},
    }
    denied = {
        "guide": (as_guide(ann), [ASSIGN, RELEASE, CREATE, CANCEL, MOVE]),
        "manager": (manager_of(store), [MOVE]),
        "member": (auth.issue(Role.MEMBER, member.id), list(commands)),
        "key that reads": (READER, list(commands)),
    }
    before = everything()
    for token, documents in denied.values():
        for document in documents:
            answer = send.post(document, token=token, **commands[document])
            assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    for document, given in commands.items():
        assert "data" not in send.post(document, token=None, **given)
    assert everything() == before


def test_hand_overs_of_a_guide_are_listed_by_time(
    send: Client, operator: str, store: Store, ann: Guide, bob: Guide
) -> None:
    given = HandOverCreate(from_guide_id=ann.id, target_ids=[bob.id])
    jobs = [service.hand_over(given, viewer=SYSTEM, clock=CLOCK).id for _ in range(2)]
    document = """query ($id: ID!) {
      guide(by: {id: $id}) { handOvers { nodes { id state } } }
    }"""
    manager = auth.issue(Role.STORE_MANAGER, "stm_1", unit_id=store.id)
    for token in (operator, manager):
        shown = send(document, token=token, id=ann.id)["guide"]["handOvers"]["nodes"]
        assert shown == [{"id": id_, "state": "WAITING"} for id_ in jobs]
    assert send(document, token=operator, id=bob.id)["guide"]["handOvers"]["nodes"] == []
    refused = send.post(document, token=auth.issue(Role.GUIDE, ann.id, unit_id=store.id), id=ann.id)
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
