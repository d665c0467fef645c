"""Tags over GraphQL: listed, given, refused, and read once for each level."""

from collections import Counter
from typing import Any

import pytest

from graphql_api import auth
from graphql_api.kit import ids
from graphql_api.kit.dynamo.tallies import Told
from graphql_api.members.models import Member
from graphql_api.stores.models import Store
from graphql_api.tags import service, tasks
from graphql_api.tags.models import Tag
from graphql_api.tags.rules import TagKind
from graphql_api.viewer import READ_MEMBERS, READ_TAGS, SYSTEM, WRITE_TAGS, Role
from tests.calls import counted
from tests.conftest import Client
from tests.factories import make_guide, make_member, make_store, make_unit
from tests.tags.factories import CLOCK, make_group, make_tag, make_tags, set_tags
from tests.tags.storage import everything, held
from tests.test_reads import asked

OPERATOR = auth.issue(Role.OPERATOR, "opr_1")

SET = """mutation ($input: MemberTagsSetInput!) {
  memberTagsSet(input: $input) {
    member { id tags { name } }
    changes { tag { name } action replacedBy { name } }
    userErrors { code field }
  }
}"""
BULK = """mutation ($input: MemberTagsAddBulkInput!) {
  memberTagsAddBulk(input: $input) {
    results { memberId member { id } changes { action } error { code field message } }
    userErrors { code field }
  }
}"""
MEMBERS = """query ($id: ID!, $first: Int, $after: String) {
  tag(by: {id: $id}) {
    members(first: $first, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }
  }
}"""


def reads(send: Client, document: str) -> tuple[Counter[str], dict[str, Any]]:
    """What a document has read beyond what every request of the viewer does, and its answer."""
    send("{ me { role } }", token=OPERATOR)  # the clock of the chain is read once a minute
    with asked() as every_time:
        send("{ me { role } }", token=OPERATOR)
    with asked() as seen:
        answer = send(document, token=OPERATOR)
    return seen - every_time, answer


def coded(answer: dict[str, Any]) -> tuple[str, list[str] | None]:
    """Code and field of the one error of an answer, on top or in the payload."""
    if "errors" in answer:
        [error] = answer["errors"]
        return error["extensions"]["code"], error["extensions"].get("field")
    [payload] = answer["data"].values()
    [error] = payload["userErrors"]
    assert [value for name, value in payload.items() if name != "userErrors" and value] == []
    return error["code"], error["field"]


# --- lists and levels ------------------------------------------------------------------------


def test_tags_of_a_page_of_members_are_one_batch(send: Client, store: Store) -> None:
    tags = make_tags(4)
    people = [make_member(store) for _ in range(6)]
    for n, member in enumerate(people):
        set_tags(member, *tags[: n % 4 + 1])
    seen, page = reads(send, "{ members(first: 5) { nodes { memberNo tags { name } } } }")
    assert seen == {"Query members.block": 1, "get 5 members": 1, "get 4 tags": 1}
    names = [tag.name for tag in tags]
    shown = [[tag["name"] for tag in node["tags"]] for node in page["members"]["nodes"]]
    assert shown == [names[:1], names[:2], names[:3], names[:4], names[:1]]


def test_groups_and_counts_are_one_batch_each(send: Client, store: Store) -> None:
    tags = [make_tag() for _ in range(3)]
    for _ in range(3):
        set_tags(make_member(store), *tags)
    tasks.count_members([Told("e1", {tags[0].id: 1})])
    document = "{ members(first: 2) { nodes { tags { group { name } memberCount } } } }"
    seen, page = reads(send, document)
    assert seen == {
        "Query members.block": 1,
        "get 2 members": 1,
        "get 3 tags": 2,  # the tags, and their groups
        "get 24 tags": 1,  # eight parts of each count
    }
    [one, _] = page["members"]["nodes"]
    assert [tag["memberCount"] for tag in one["tags"]] == [1, 0, 0]


def test_lists_of_tags_and_groups(send: Client, chain: str) -> None:
    life = make_group("饮食")
    work = make_group("职业", kind=TagKind.ATTRIBUTE, exclusive=True)
    make_tags(2, life)
    make_tag(work, "教师")
    data = send(
        """query ($group: ID!) {
          all: tags { nodes { kind } }
          some: tags(kind: ATTRIBUTE) { nodes { name group { name exclusive } } }
          few: tags(groupId: $group, first: 1) { nodes { name } pageInfo { hasNextPage } }
          tagGroups { nodes { name kind tags { nodes { name } } } }
        }""",
        token=OPERATOR,
        group=life.id,
    )
    assert [tag["kind"] for tag in data["all"]["nodes"]] == ["ATTRIBUTE", "LIFE", "LIFE"]
    assert data["some"]["nodes"] == [{"name": "教师", "group": {"name": "职业", "exclusive": True}}]
    assert (len(data["few"]["nodes"]), data["few"]["pageInfo"]) == (1, {"hasNextPage": True})
    assert [group["kind"] for group in data["tagGroups"]["nodes"]] == ["ATTRIBUTE", "LIFE"]
    assert [len(group["tags"]["nodes"]) for group in data["tagGroups"]["nodes"]] == [1, 2]
    both = send.post(
        "query ($group: ID!) { tags(groupId: $group, kind: LIFE) { nodes { id } } }",
        token=OPERATOR,
        group=life.id,
    )
    assert coded(both) == ("BAD_USER_INPUT", ["groupId"])


def test_tag_is_found_by_id_and_by_name(send: Client, chain: str) -> None:
    group = make_group()
    tag = make_tag(group, "VIP")
    service.archive_tag(tag.id, viewer=SYSTEM, clock=CLOCK)
    find = "query ($by: TagSelector!) { tag(by: $by) { id } }"
    named = {"groupId": group.id, "name": " vip "}
    for by in ({"id": tag.id}, {"named": named}):
        assert send(find, token=OPERATOR, by=by) == {"tag": {"id": tag.id}}
    for by in ({"id": group.id}, {"id": ""}, {"named": {**named, "name": "x"}}):
        assert send(find, token=OPERATOR, by=by) == {"tag": None}


def test_tags_that_ran_out_are_not_shown(send: Client, store: Store) -> None:
    """The chain's clock is that of today; the tag ran out in 2018."""
    member = make_member(store)
    lasting, over = make_tags(2)
    set_tags(member, lasting)
    set_tags(member, over, expires_on=CLOCK.today())
    data = send(
        """query ($id: ID!, $tag: ID!) {
          member(by: {id: $id}) {
            tags { id } tagAssignments { nodes { tag { id } holds } }
          }
          tag(by: {id: $tag}) { members { nodes { id } } }
        }""",
        token=OPERATOR,
        id=member.id,
        tag=over.id,
    )
    assert data["member"]["tags"] == [{"id": lasting.id}]
    rows = {row["tag"]["id"]: row["holds"] for row in data["member"]["tagAssignments"]["nodes"]}
    assert rows == {lasting.id: True, over.id: False}
    assert data["tag"]["members"]["nodes"] == []


def test_member_sees_own_tags_and_no_others(send: Client, store: Store) -> None:
    member = make_member(store)
    own, other = make_tags(2)
    set_tags(member, own)
    token = auth.issue(Role.MEMBER, member.id)
    data = send(
        """query ($ids: [ID!]!) {
          me { member { tags { name kind group { name } } } } nodes(ids: $ids) { id }
        }""",
        token=token,
        ids=[own.id, other.id, own.group_id],
    )
    assert [tag["name"] for tag in data["me"]["member"]["tags"]] == [own.name]
    assert data["nodes"] == [None, None, None]
    assert coded(send.post("{ tags { nodes { id } } }", token=token)) == ("FORBIDDEN", None)


# --- who has a tag ---------------------------------------------------------------------------


def test_members_of_a_tag_are_for_the_whole_chain_and_for_keys(send: Client, store: Store) -> None:
    tag = make_tag()
    people = [make_member(store) for _ in range(3)]
    for member in people:
        set_tags(member, tag)
    seen: list[str] = []
    after = None
    while True:
        found = send(MEMBERS, token=OPERATOR, id=tag.id, first=1, after=after)["tag"]["members"]
        seen += [node["id"] for node in found["nodes"]]
        if not found["pageInfo"]["hasNextPage"]:
            break
        after = found["pageInfo"]["endCursor"]
    assert sorted(seen) == sorted(member.id for member in people)
    key = auth.issue(Role.INTEGRATION, "key_1", scopes=frozenset({READ_MEMBERS, READ_TAGS}))
    assert len(send(MEMBERS, token=key, id=tag.id)["tag"]["members"]["nodes"]) == 3


def test_members_of_a_tag_are_for_nobody_else(send: Client, store: Store) -> None:
    tag = make_tag()
    region = make_unit("华东")
    guide = make_guide(store)
    tokens = [
        auth.issue(Role.GUIDE, guide.id, unit_id=store.id),
        auth.issue(Role.STORE_MANAGER, "stm_1", unit_id=store.id),
        auth.issue(Role.INTEGRATION, "key_1", scopes=frozenset({READ_TAGS})),
        auth.issue(Role.OPERATOR, "opr_2", unit_id=region.id),
    ]
    for token in tokens:
        assert coded(send.post(MEMBERS, token=token, id=tag.id))[0] == "FORBIDDEN"


# --- commands --------------------------------------------------------------------------------


def test_guide_tags_customers_of_their_own(send: Client, store: Store) -> None:
    guide = make_guide(store)
    own, beside = make_member(store, guide_id=guide.id), make_member(store)
    group = make_group(exclusive=True)
    young, old = make_tag(group, "青年"), make_tag(group, "中年")
    token = auth.issue(Role.GUIDE, guide.id, unit_id=store.id)
    set_tags(own, young)
    given = {"memberId": own.id, "add": [old.id], "reason": "聊天得知"}
    answer = send(SET, token=token, input=given)["memberTagsSet"]
    assert answer == {
        "member": {"id": own.id, "tags": [{"name": "中年"}]},
        "changes": [
            {"tag": {"name": "青年"}, "action": "REPLACED", "replacedBy": {"name": "中年"}},
            {"tag": {"name": "中年"}, "action": "ADDED", "replacedBy": None},
        ],
        "userErrors": [],
    }
    before = everything()
    refused = send.post(SET, token=token, input={**given, "memberId": beside.id})
    assert coded(refused) == ("NOT_FOUND", ["input", "memberId"])
    assert everything() == before


def test_refusals_name_their_fields(send: Client, store: Store) -> None:
    member, tag = make_member(store), make_tag()
    before = everything()
    for given, code, field in (
        ({"add": [ids.numbered_id("tag", 77)]}, "NOT_FOUND", ["input", "add", "0"]),
        ({"add": [tag.id], "expiresOn": "2017-01-01"}, "INVALID", ["input", "expiresOn"]),
        ({"add": [tag.id], "remove": [tag.id]}, "INVALID", ["input"]),
        ({}, "INVALID", ["input"]),
        ({"add": [tag.id], "reason": "长" * 201}, "INVALID", ["input", "reason"]),
    ):
        answer = send.post(SET, token=OPERATOR, input={"memberId": member.id, **given})
        assert coded(answer) == (code, field)
    assert everything() == before


def test_bulk_names_each_tag_once(send: Client, store: Store) -> None:
    tag, member = make_tag(), make_member(store)
    twice = {"memberIds": [member.id], "tagIds": [tag.id, tag.id]}
    before = everything()
    answer = send(BULK, token=OPERATOR, input=twice)["memberTagsAddBulk"]
    [error] = answer["userErrors"]
    assert (error["code"], error["field"]) == ("INVALID", ["input", "tagIds"])
    assert everything() == before


def test_bulk_answers_member_by_member(send: Client, store: Store) -> None:
    tag = make_tag()
    member = make_member(store)
    wanted = {"memberIds": ["nobody", member.id], "tagIds": [tag.id]}
    stopped = send(BULK, token=OPERATOR, input=wanted)["memberTagsAddBulk"]
    assert [result["memberId"] for result in stopped["results"]] == ["nobody"]
    going = {**wanted, "errorPolicy": "CONTINUE"}
    answer = send(BULK, token=OPERATOR, input=going)["memberTagsAddBulk"]
    assert answer["userErrors"] == []
    refused, done = answer["results"]
    message = "There is no such member"
    assert refused == {
        "memberId": "nobody",
        "member": None,
        "changes": [],
        "error": {"code": "NOT_FOUND", "field": ["input", "memberId"], "message": message},
    }
    assert done == {
        "memberId": member.id,
        "member": {"id": member.id},
        "changes": [{"action": "ADDED"}],
        "error": None,
    }
    too_many = {**wanted, "memberIds": [str(n) for n in range(101)]}
    assert coded(send.post(BULK, token=OPERATOR, input=too_many)) == (
        "INVALID",
        ["input", "memberIds"],
    )


def test_key_imports_with_both_scopes_only(send: Client, store: Store) -> None:
    member, tag = make_member(store), make_tag()
    given = {"memberId": member.id, "add": [tag.id]}
    tokens = {
        scopes: auth.issue(Role.INTEGRATION, "key_1", scopes=frozenset(scopes))
        for scopes in ((WRITE_TAGS, READ_MEMBERS, READ_TAGS), (WRITE_TAGS, READ_TAGS), (READ_TAGS,))
    }
    short = """mutation ($input: MemberTagsSetInput!) {
      memberTagsSet(input: $input) { userErrors { code field } }
    }"""
    answers = [coded_or_done(send.post(short, token=t, input=given)) for t in tokens.values()]
    assert answers == ["done", "NOT_FOUND", "FORBIDDEN"]
    assert held(member.id)[tag.id].source == "IMPORTED"


def coded_or_done(answer: dict[str, Any]) -> str:
    if "data" in answer and not answer["data"]["memberTagsSet"]["userErrors"]:
        return "done"
    return coded(answer)[0]


# --- jobs ------------------------------------------------------------------------------------

CREATE_JOB = """mutation ($input: TagJobCreateInput!) {
  tagJobCreate(input: $input) { job { id state total } userErrors { code field } }
}"""
JOB = """query ($id: ID!) {
  tagJob(id: $id) { state done failed add { id } remove { id } guide { id } store { id } }
}"""
CANCEL = """mutation ($id: ID!) {
  tagJobCancel(id: $id) { job { state } userErrors { code field } }
}"""


@pytest.fixture
def tag(chain: str) -> Tag:
    """A tag."""
    return make_tag()


def test_job_is_made_watched_and_cancelled(send: Client, store: Store, tag: Tag) -> None:
    guide = make_guide(store)
    member: Member = make_member(store, guide_id=guide.id)
    token = auth.issue(Role.GUIDE, guide.id, unit_id=store.id)
    wanted = {"members": {"guideId": guide.id}, "add": [tag.id]}
    made = send(CREATE_JOB, token=token, input=wanted)["tagJobCreate"]
    assert (made["job"]["state"], made["job"]["total"]) == ("WAITING", None)
    job_id = made["job"]["id"]
    shown = {"add": [{"id": tag.id}], "remove": [], "guide": {"id": guide.id}}
    shown["store"] = {"id": store.id}
    assert send(JOB, token=token, id=job_id)["tagJob"] == {
        "state": "WAITING",
        "done": 0,
        "failed": 0,
        **shown,
    }
    other = make_guide(store, "赵敏")
    stranger = auth.issue(Role.GUIDE, other.id, unit_id=store.id)
    assert send(JOB, token=stranger, id=job_id) == {"tagJob": None}
    assert coded(send.post(CANCEL, token=stranger, id=job_id)) == ("NOT_FOUND", ["id"])
    cancelled = send(CANCEL, token=token, id=job_id)["tagJobCancel"]["job"]
    assert cancelled == {"state": "CANCELLED"}
    assert send(CANCEL, token=token, id=job_id)["tagJobCancel"]["userErrors"] == []
    tasks.run_job(job_id, clock=CLOCK)
    assert held(member.id) == {}


def test_job_that_is_over_is_not_cancelled(send: Client, store: Store, tag: Tag) -> None:
    wanted = {"members": {"storeId": store.id}, "add": [tag.id]}
    job_id = send(CREATE_JOB, token=OPERATOR, input=wanted)["tagJobCreate"]["job"]["id"]
    tasks.run_job(job_id, clock=CLOCK)
    assert coded(send.post(CANCEL, token=OPERATOR, id=job_id)) == ("FORBIDDEN_TRANSITION", ["id"])
    find = "query ($id: ID!) { node(id: $id) { ... on TagJob { state } } }"
    node = send(find, token=OPERATOR, id=job_id)
    assert node == {"node": {"state": "DONE"}}


def test_job_names_members_within_reach(send: Client, store: Store, tag: Tag) -> None:
    guide, other_store = make_guide(store), make_store("S2")
    other_guide = make_guide(other_store, "赵敏")
    token = auth.issue(Role.GUIDE, guide.id, unit_id=store.id)
    manager = auth.issue(Role.STORE_MANAGER, "stm_1", unit_id=store.id)
    before = everything()
    at = ["input", "members"]
    for asker, members, code, field in (
        (token, {"storeId": store.id}, "FORBIDDEN", [*at, "storeId"]),
        (token, {"guideId": other_guide.id}, "NOT_FOUND", [*at, "guideId"]),
        (manager, {"storeId": other_store.id}, "NOT_FOUND", [*at, "storeId"]),
        (manager, {"guideId": other_guide.id}, "NOT_FOUND", [*at, "guideId"]),
        (OPERATOR, {"storeId": "sto_1"}, "NOT_FOUND", [*at, "storeId"]),
        (OPERATOR, {"guideId": store.id}, "NOT_FOUND", [*at, "guideId"]),
        (OPERATOR, {"ids": [ids.new_id("mbr"), store.id]}, "INVALID", [*at, "ids", "1"]),
        (OPERATOR, {"ids": []}, "INVALID", [*at, "ids"]),
    ):
        answer = send.post(CREATE_JOB, token=asker, input={"members": members, "add": [tag.id]})
        assert coded(answer) == (code, field)
    no_tag = {"members": {"storeId": store.id}, "remove": [], "add": []}
    assert coded(send.post(CREATE_JOB, token=OPERATOR, input=no_tag)) == ("INVALID", ["input"])
    assert everything() == before


def test_jobs_are_listed_for_who_made_them(send: Client, store: Store, tag: Tag) -> None:
    create = """mutation ($input: TagJobCreateInput!) {
      tagJobCreate(input: $input) { job { id } userErrors { code } }
    }"""
    listed = "{ tagJobs(first: 2, reverse: true) { nodes { id } pageInfo { hasNextPage } } }"
    mine, other = (auth.issue(Role.OPERATOR, f"opr_{n}") for n in (1, 2))
    given = {"members": {"storeId": store.id}, "add": [tag.id]}
    made = [send(create, token=mine, input=given)["tagJobCreate"]["job"]["id"] for _ in range(3)]
    with counted() as calls:
        page = send(listed, token=mine)["tagJobs"]
    assert page == {
        "nodes": [{"id": made[2]}, {"id": made[1]}],
        "pageInfo": {"hasNextPage": True},
    }
    assert calls["Query"] == 1
    assert send(listed, token=other)["tagJobs"]["nodes"] == []
