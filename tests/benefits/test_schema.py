"""Benefits over GraphQL: what each tier brings, and what a member has of it."""

from datetime import date
from typing import Any

import pytest

from graphql_api import auth
from graphql_api.benefits import service
from graphql_api.benefits.rules import JOINED
from graphql_api.members import repository as members
from graphql_api.members import service as member_service
from graphql_api.members.models import BIRTHDAY_SHARDS, Member
from graphql_api.members.service import Update
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM, Role
from tests.benefits.factories import put_in_force
from tests.conftest import Client
from tests.coupons.factories import make_template
from tests.factories import CLOCK, make_member, make_unit

BENEFITS = """
query Benefits($id: ID!) {
  member(by: {id: $id}) {
    benefits {
      nextBirthday
      current {
        tier
        joiningGift { points couponTemplates { name } }
        upgradeGift { points }
        discountPercent
        freeShippingOver
        partnerOffers { partner }
      }
      next { tier upgradeGift { points } freeShippingOver }
    }
  }
}
"""


def born(store: Store, month_day: str | None) -> Member:
    return make_member(store, birthday=month_day)


def listed(month_day: str) -> list[str]:
    """Who stands under a birthday, shard after shard."""
    pages = [members.born_on(month_day, s, first=9, after=None) for s in BIRTHDAY_SHARDS]
    return sorted(key.id for page in pages for key in page.items)


def test_member_sees_what_the_tier_brings_and_what_the_next_would(
    send: Client, store: Store
) -> None:
    member = born(store, "05-01")
    data: Any = send(BENEFITS, token=auth.issue(Role.MEMBER, member.id), id=member.id)
    assert data["member"]["benefits"].pop("nextBirthday").endswith("-05-01")
    assert data["member"]["benefits"] == {
        "current": {
            "tier": "V1",
            "joiningGift": {"points": 20, "couponTemplates": []},
            "upgradeGift": None,
            "discountPercent": 0,
            "freeShippingOver": None,
            "partnerOffers": [],
        },
        "next": {"tier": "V2", "upgradeGift": {"points": 50}, "freeShippingOver": "99.00"},
    }


def test_tiers_are_listed_from_the_lowest_up(send: Client, store: Store) -> None:
    member = born(store, None)
    data: Any = send(
        "{ tierBenefits { tier discountPercent pointsPercent } }",
        token=auth.issue(Role.MEMBER, member.id),
    )
    assert [tuple(one.values()) for one in data["tierBenefits"]] == [
        ("V1", 0, 100),
        ("V2", 0, 100),
        ("V3", 2, 110),
        ("V4", 3, 120),
        ("V5", 5, 130),
        ("V6", 8, 150),
    ]


def test_nobody_sees_benefits_without_a_login(send: Client, chain: str) -> None:
    answer = send.post("{ tierBenefits { tier } }", token=None)
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.usefixtures("chain")
def test_members_are_listed_by_birthday_while_they_have_one_and_are_members(store: Store) -> None:
    one, other = born(store, "05-01"), born(store, "05-01")
    born(store, None)
    assert listed("05-01") == sorted([one.id, other.id])
    moved = Update(id=one.id, birthday="02-29")
    member_service.update(moved, viewer=SYSTEM)
    member_service.archive(other.id, viewer=SYSTEM, clock=CLOCK)
    assert (listed("05-01"), listed("02-29")) == ([], [one.id])
    member_service.restore(other.id, viewer=SYSTEM)
    member_service.update(Update(id=one.id, birthday=None), viewer=SYSTEM)
    assert (listed("05-01"), listed("02-29")) == ([other.id], [])


GIFTS = """
query Gifts($id: ID!) {
  member(by: {id: $id}) {
    gifts { nodes { kind level state points coupons { source } } }
  }
}
"""
FAILED = "{ giftsFailed { nodes { problem couponTemplateIds member { id } } } }"
RETRY = """
mutation Retry($input: MemberGiftRetryInput!) {
  memberGiftRetry(input: $input) @idempotent(key: "retry-01") {
    gift { state points }
    userErrors { field code }
  }
}
"""


def test_member_sees_the_gifts_with_their_coupons(send: Client, store: Store) -> None:
    template = make_template(stock=1)
    put_in_force({"V1": {"joiningGift": {"points": 30, "coupons": [template.id]}}})
    member = born(store, None)
    service.give(member.id, JOINED, date(2018, 1, 10), clock=CLOCK)
    data: Any = send(GIFTS, token=auth.issue(Role.MEMBER, member.id), id=member.id)
    [gift] = data["member"]["gifts"]["nodes"]
    assert gift == {
        "kind": "JOINING",
        "level": "-",
        "state": "GIVEN",
        "points": 30,
        "coupons": [{"source": "BENEFIT"}],
    }


def test_headquarters_see_what_failed_and_try_again(
    send: Client, store: Store, integration: str, operator: str
) -> None:
    template = make_template(stock=0)
    put_in_force({"V1": {"joiningGift": {"points": 30, "coupons": [template.id]}}})
    member = born(store, None)
    service.give(member.id, JOINED, date(2018, 1, 10), clock=CLOCK)
    failed: Any = send(FAILED, token=operator)
    assert failed["giftsFailed"]["nodes"] == [
        {
            "problem": "OUT_OF_STOCK",
            "couponTemplateIds": [template.id],
            "member": {"id": member.id},
        }
    ]
    given = {"memberId": member.id, "kind": "JOINING"}
    refused: Any = send(RETRY, token=integration, input=given)
    assert refused["memberGiftRetry"] == {
        "gift": None,
        "userErrors": [{"field": ["input", "level"], "code": "LIMIT_EXCEEDED"}],
    }
    put_in_force({"V1": {"joiningGift": {"points": 45}}})
    again = RETRY.replace("retry-01", "retry-02")
    done: Any = send(again, token=integration, input=given)
    assert done["memberGiftRetry"]["gift"] == {"state": "GIVEN", "points": 45}
    nothing: Any = send(FAILED, token=operator)
    assert nothing["giftsFailed"]["nodes"] == []


def test_region_does_not_see_what_failed_in_the_chain(send: Client, store: Store) -> None:
    region = auth.issue(Role.OPERATOR, "opr_2", unit_id=make_unit("华北").id)
    answer = send.post(FAILED, token=region)
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


def test_member_neither_sees_what_failed_nor_tries_again(send: Client, store: Store) -> None:
    token = auth.issue(Role.MEMBER, born(store, None).id)
    given = {"memberId": "mbr_1", "kind": "JOINING"}
    for document, variables in ((FAILED, {}), (RETRY, {"input": given})):
        answer = send.post(document, token=token, **variables)
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
