"""Coupons over the API: keys, rights, what members see, what a page reads."""

from typing import Any

from graphql_api import auth
from graphql_api.coupons import repository
from graphql_api.kit.time import Clock
from graphql_api.members.models import Member
from graphql_api.stores.models import Store
from graphql_api.viewer import READ_COUPONS, WRITE_COUPONS, Role
from tests.calls import counted
from tests.conftest import Client
from tests.coupons.factories import claim, make_template, make_terms
from tests.coupons.storage import everything, stock
from tests.factories import make_guide, make_member, make_store

CLAIM = """
    mutation ($id: ID!, $key: String!) {
      couponClaim(input: {by: {templateId: $id}}) @idempotent(key: $key) {
        coupon { id code state member { id } } userErrors { code field }
      }
    }
"""
MINE = """
    query ($states: [CouponState!]) {
      me { member { coupons(states: $states) { nodes { id state template { name } } }
                    claimableCoupons { nodes { id } } } }
    }
"""


def token_of(member: Member) -> str:
    return auth.issue(Role.MEMBER, member.id)


def nodes(data: dict[str, Any], name: str) -> list[str]:
    return [node["id"] for node in data["me"]["member"][name]["nodes"]]


def test_claim_needs_a_key_and_is_done_once_under_it(
    member: Member, send: Client, store: Store
) -> None:
    template, token = make_template(stock=8, per_member=5), token_of(member)
    before = everything()
    refused = send(
        "mutation ($id: ID!) { couponClaim(input: {by: {templateId: $id}})"
        " { coupon { id } userErrors { code } } }",
        token=token,
        id=template.id,
    )
    assert refused["couponClaim"] == {"coupon": None, "userErrors": [{"code": "REQUIRED"}]}
    assert everything() == before
    one = send(CLAIM, token=token, id=template.id, key="claim-0001")["couponClaim"]
    assert one["userErrors"] == []
    assert one["coupon"]["member"] == {"id": member.id}
    assert send(CLAIM, token=token, id=template.id, key="claim-0001")["couponClaim"] == one
    assert stock(template) == (7, 1, 0)


def test_refusal_names_its_field_and_gives_the_key_back(member: Member, send: Client) -> None:
    template, token = make_template(stock=0), token_of(member)
    answer = send(CLAIM, token=token, id=template.id, key="claim-0001")["couponClaim"]
    assert answer["userErrors"][0]["code"] == "LIMIT_EXCEEDED"
    answer = send(CLAIM, token=token, id="ctp_nothing", key="claim-0002")["couponClaim"]
    assert answer["userErrors"] == [{"code": "NOT_FOUND", "field": ["input", "templateId"]}]


def test_members_see_their_coupons_and_what_they_can_claim(member: Member, send: Client) -> None:
    template, full = make_template(per_member=1), make_template(stock=0)
    other_tier = make_template(make_terms(tiers=["V6"]))
    token = token_of(member)
    assert nodes(send(MINE, token=token), "claimableCoupons") == [template.id]
    coupon = claim(member, template, clock=Clock())
    data = send(MINE, token=token, states=["ISSUED"])
    assert nodes(data, "coupons") == [coupon.coupon_id]
    assert nodes(data, "claimableCoupons") == []
    assert nodes(send(MINE, token=token, states=["REDEEMED"]), "coupons") == []
    assert {full.id, other_tier.id}.isdisjoint(nodes(data, "claimableCoupons"))


def test_page_of_coupons_reads_no_more_than_it_shows(member: Member, send: Client) -> None:
    template = make_template()
    for _ in range(3):
        claim(member, template)
    document = (
        "{ me { member { coupons(states: [REDEEMED]) { nodes { id template { name } } } } } }"
    )
    send(document, token=token_of(member))
    with counted() as calls:
        send(
            "{ me { member { coupons { nodes { id template { name } } } } } }",
            token=token_of(member),
        )
    assert calls == {"BatchGetItem": 3, "Query": 1}


def test_guide_verifies_what_is_shown_and_sees_no_member_out_of_reach(
    store: Store, member: Member, send: Client
) -> None:
    guide = make_guide(store, "李芳")
    token = auth.issue(Role.GUIDE, guide.id, unit_id=store.id)
    elsewhere = make_member(make_store("S2"))
    coupon = claim(elsewhere, make_template())
    document = "query ($code: String!) { coupon(by: {code: $code}) { id member { id } } }"
    shown = send(document, token=token, code=coupon.code)
    assert shown["coupon"] == {"id": coupon.coupon_id, "member": None}
    theirs = send(document, token=token_of(elsewhere), code=coupon.code)
    assert theirs["coupon"] == {"id": coupon.coupon_id, "member": {"id": elsewhere.id}}
    assert send(document, token=token_of(member), code=coupon.code)["coupon"] is None


def test_key_reads_or_writes_as_its_scopes_say(member: Member, send: Client) -> None:
    template = make_template()
    reads = auth.issue(Role.INTEGRATION, "key_1", scopes=frozenset({READ_COUPONS}))
    writes = auth.issue(Role.INTEGRATION, "key_1", scopes=frozenset({READ_COUPONS, WRITE_COUPONS}))
    document = """
        mutation ($member: ID!, $template: ID!) {
          couponIssue(input: {memberId: $member, templateId: $template})
            @idempotent(key: "issue-0001") { coupon { code } userErrors { code } }
        }
    """
    given = {"member": member.id, "template": template.id}
    before = everything()
    denied = send.post(document, token=reads, **given)
    assert denied["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert everything() == before
    code = send(document, token=writes, **given)["couponIssue"]["coupon"]["code"]
    [coupon] = repository.find([code])
    assert coupon is not None
    assert (coupon.by_role, coupon.by_id) == (Role.INTEGRATION, "key_1")


def test_ids_of_coupons_and_templates_lead_to_them(member: Member, send: Client) -> None:
    template = make_template()
    coupon = claim(member, template)
    document = "query ($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }"
    found = send(document, token=token_of(member), ids=[coupon.coupon_id, template.id])
    assert found["nodes"] == [
        {"id": coupon.coupon_id, "__typename": "Coupon"},
        {"id": template.id, "__typename": "CouponTemplate"},
    ]
