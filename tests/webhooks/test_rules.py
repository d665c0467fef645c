"""What is told, when it is tried again, and which hosts may be asked."""

from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.coupons.rules import CouponState
from graphql_api.viewer import (
    MANAGE_WEBHOOKS,
    READ_COUPONS,
    READ_MEMBERS,
    READ_ORDERS,
    Role,
    Viewer,
)
from graphql_api.webhooks import rules
from graphql_api.webhooks.rules import Answer, DeliveryState, Health, Problem, Topic

AT = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
FAILED = rules.answered(500, 12, "")
DONE = rules.answered(204, 12, "")


def thing(**known: Any) -> Any:
    names = {
        name for table in (rules.OF_MEMBERS, rules.OF_ORDERS) for t in table.values() for name in t
    }
    return SimpleNamespace(**(dict.fromkeys(names) | known))


def test_every_topic_of_a_change_comes_from_one_table() -> None:
    tables: list[Any] = [*rules.OF_EFFECTS.values(), *rules.OF_MEMBERS, *rules.OF_ORDERS]
    tables += [*rules.OF_STANDINGS, *rules.OF_COUPONS.values(), Topic.COUPON_RETURNED]
    tables += rules.OF_POINTS
    assert sorted(tables) == sorted(set(Topic) - {Topic.TEST, Topic.MEMBER_ERASED})


def test_coupon_is_told_when_it_is_new_used_back_or_over() -> None:
    def coupon(state: str, version: int = 2) -> Any:
        return SimpleNamespace(state=CouponState(state), version=version)

    assert rules.coupon_topic(None, coupon("ISSUED", 1)) is Topic.COUPON_ISSUED
    assert rules.coupon_topic(None, coupon("ISSUED", 4)) is None
    told = {
        ("ISSUED", "REDEEMED"): Topic.COUPON_REDEEMED,
        ("LOCKED", "REDEEMED"): Topic.COUPON_REDEEMED,
        ("REDEEMED", "ISSUED"): Topic.COUPON_RETURNED,
        ("REDEEMED", "EXPIRED"): Topic.COUPON_RETURNED,
        ("ISSUED", "EXPIRED"): Topic.COUPON_EXPIRED,
        ("ISSUED", "RECYCLED"): Topic.COUPON_RECYCLED,
        ("LOCKED", "GIFTED"): Topic.COUPON_GIFTED,
        ("ISSUED", "LOCKED"): None,
        ("LOCKED", "ISSUED"): None,
        ("ISSUED", "ISSUED"): None,
    }
    found = {pair: rules.coupon_topic(*(coupon(state) for state in pair)) for pair in told}
    assert found == told


def test_change_of_a_profile_names_the_fields_as_the_schema_does() -> None:
    old = thing(name="a", birth_year=1990, identity_claims=["PHONE#x"])
    new = thing(name="b", birth_year=1991, identity_claims=[])
    told = {Topic.MEMBER_UPDATED: ["name", "birthYear", "identities"]}
    assert rules.member_topics(old, new) == told


def test_what_a_purchase_changes_of_a_member_is_not_told() -> None:
    assert rules.member_topics(thing(paid=1, version=1), thing(paid=2, version=2)) == {}


def test_archiving_and_restoring_are_two_topics() -> None:
    free, archived = thing(), thing(archived_at=AT)
    assert list(rules.member_topics(free, archived)) == [Topic.MEMBER_ARCHIVED]
    assert list(rules.member_topics(archived, free)) == [Topic.MEMBER_RESTORED]


def test_of_a_member_who_became_an_alias_that_is_told_and_nothing_else() -> None:
    old = thing(name="a", guide_id="gde_1", tag_document={"7": "H"})
    alias = thing(merged_into="mbr_1", archived_at=AT, tag_document={"7": "H"})
    emptied = thing(merged_into="mbr_1", archived_at=AT, tag_document={})
    assert rules.member_topics(old, alias) == {Topic.MEMBER_MERGED: ["id"]}
    assert rules.member_topics(alias, emptied) == {}


def test_new_guide_and_new_tags_are_told_once_each() -> None:
    old = thing(guide_id="gde_1", guide_since=AT, tag_document={"7": "H"})
    new = thing(guide_id="gde_2", guide_since=AT + timedelta(1), tag_document={"7": "H20260401"})
    assert rules.member_topics(old, new) == {
        Topic.MEMBER_GUIDE_CHANGED: ["guide"],
        Topic.MEMBER_TAGS_CHANGED: ["tags"],
    }


def test_tier_and_lifecycle_are_told_when_they_change_and_not_when_they_begin() -> None:
    new, active = ("V1", "NEW"), ("V2", "ACTIVE")
    assert rules.standing_topics(new, active) == {
        Topic.MEMBER_TIER_CHANGED: ["tier"],
        Topic.MEMBER_LIFECYCLE_CHANGED: ["lifecycle"],
    }
    assert rules.standing_topics(new, ("V1", "ACTIVE")) == {
        Topic.MEMBER_LIFECYCLE_CHANGED: ["lifecycle"]
    }
    assert rules.standing_topics(None, new) == rules.standing_topics(new, None) == {}


def test_points_are_told_however_they_moved_and_not_of_an_alias() -> None:
    old = thing(points=5, points_pending=0, points_frozen=0, merged_into=None)
    new = thing(points=3, points_pending=0, points_frozen=2, merged_into=None)
    assert rules.points_topics(old, new) == {Topic.MEMBER_POINTS_CHANGED: ["points"]}
    assert rules.points_topics(old, old) == {}
    alias = thing(points=0, points_pending=0, points_frozen=0, merged_into="mbr_2")
    assert rules.points_topics(old, alias) == {}


def test_order_tells_of_its_body_and_of_its_refunds_apart() -> None:
    paid = thing(revision_number=1, total=100, line_document=[], refund_document=[])
    refunded = thing(revision_number=1, total=100, line_document=[], refund_document=[["r1"]])
    assert rules.order_topics(None, paid) == {Topic.ORDER_APPLIED: ["revision", "total", "lines"]}
    assert rules.order_topics(paid, refunded) == {Topic.ORDER_REFUNDED: ["refunds"]}
    assert set(rules.order_topics(None, refunded)) == {Topic.ORDER_APPLIED, Topic.ORDER_REFUNDED}
    assert rules.order_topics(refunded, refunded) == {}
    settled = thing(**vars(refunded) | {"settled_at": AT})
    assert rules.order_topics(refunded, settled) == {Topic.ORDER_APPLIED: ["settledAt"]}


# --- retries ---------------------------------------------------------------------------------


def schedule(jitter: float) -> list[float]:
    """Seconds from the beginning to each attempt of a delivery that always fails at once."""
    at, times = AT, [0.0]
    for attempts in count(1):
        state, next_at = rules.after_attempt(FAILED, attempts, AT, at, jitter, once=False)
        if next_at is None:
            assert state is DeliveryState.DEAD
            return times
        assert state is DeliveryState.PENDING
        at = next_at
        times.append((at - AT).total_seconds())
    raise AssertionError


def test_delivery_is_tried_for_a_day_ever_more_seldom() -> None:
    assert schedule(0) == [
        *(0, 10, 40, 130, 400, 1_210, 3_640, 10_930),
        *(21_730, 32_530, 43_330, 54_130, 64_930, 75_730),
    ]


@given(st.floats(0, 1))
def test_jitter_only_puts_off_and_never_beyond_a_day(jitter: float) -> None:
    times = schedule(jitter)
    assert all(later - one >= 10 for one, later in pairwise(times))
    assert all(put_off >= at for put_off, at in zip(times, schedule(0), strict=False))
    assert times[-1] <= 24 * 3600


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_is_delivered(status: int) -> None:
    answer = rules.answered(status, 1, "")
    assert rules.after_attempt(answer, 1, AT, AT, 0, once=False) == (DeliveryState.DELIVERED, None)


@pytest.mark.parametrize("status", [199, 301, 302, 400, 404, 429, 500, 503])
def test_anything_else_is_tried_again(status: int) -> None:
    answer = rules.answered(status, 1, "")
    assert answer.problem is Problem.STATUS
    state, next_at = rules.after_attempt(answer, 1, AT, AT, 0, once=False)
    assert (state, next_at) == (DeliveryState.PENDING, AT + timedelta(seconds=10))


def test_what_is_gone_and_what_is_a_test_is_not_tried_again() -> None:
    dead = (DeliveryState.DEAD, None)
    assert rules.after_attempt(rules.answered(410, 1, ""), 1, AT, AT, 0, once=False) == dead
    assert rules.after_attempt(FAILED, 1, AT, AT, 0, once=True) == dead


def test_endpoint_rests_after_a_failure_at_most_five_minutes() -> None:
    health = Health()
    rests = []
    for _ in range(8):
        health = rules.health_after(health, FAILED, AT, 0)
        assert health.rests_until is not None
        rests.append((health.rests_until - AT).total_seconds())
    assert rests == [10, 30, 90, 270, 300, 300, 300, 300]
    assert rules.health_after(health, DONE, AT, 0) == Health()


def test_endpoint_is_given_up_after_a_day_without_one_success() -> None:
    health = rules.health_after(Health(), FAILED, AT, 0)
    later = AT + timedelta(hours=24)
    assert not health.given_up(later - timedelta(seconds=1))
    assert health.given_up(later)
    assert rules.health_after(health, FAILED, later, 0).given_up(later)
    assert not rules.health_after(health, DONE, later, 0).given_up(later)
    assert not rules.health_after(health, Answer(problem=Problem.TIMEOUT), AT, 0).given_up(AT)


def test_answer_is_shown_short_and_in_one_line() -> None:
    assert rules.shown("\x00 no\nsuch \t thing\x1b[31m") == "no such thing [31m"
    assert rules.shown("x" * 5_000) == "x" * 500


# --- hosts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "127.0.0.1",
        "127.1.2.3",
        "0.0.0.0",
        "169.254.169.254",
        "100.100.100.200",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fc00::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "64:ff9b::a00:1",
        "64:ff9b::7f00:1",
        "2002:a00:1::",
        "2002:7f00:1::1",
        "fe80::1%eth0",
        "no address",
        "",
    ],
)
def test_address_of_no_public_host_is_found(address: str) -> None:
    assert not rules.is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "203.119.1.1", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_address_of_a_public_host_is_public(address: str) -> None:
    assert rules.is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/",
        "ftp://hooks.example/",
        "https://",
        "https://user:word@hooks.example/",
        "https://hooks.example/#part",
    ],
)
def test_endpoint_is_plain_https(url: str) -> None:
    assert rules.problem_of(url, laptop=False) is not None


def test_laptop_may_use_http() -> None:
    assert rules.problem_of("http://127.0.0.1:9/x?y=1", laptop=True) is None
    assert rules.problem_of("https://hooks.example:8443/x", laptop=False) is None


# --- who manages -----------------------------------------------------------------------------

SCOPE = frozenset({MANAGE_WEBHOOKS})


@pytest.mark.parametrize(
    ("viewer", "own", "others"),
    [
        (Viewer(Role.OPERATOR, "opr_1", scopes=SCOPE), True, True),
        (Viewer(Role.OPERATOR, "opr_1"), False, False),
        (
            Viewer(Role.OPERATOR, "opr_1", store_ids=frozenset({"sto_1"}), scopes=SCOPE),
            False,
            False,
        ),
        (Viewer(Role.INTEGRATION, "key_1", scopes=SCOPE), True, False),
        (Viewer(Role.INTEGRATION, "key_1"), False, False),
        (Viewer(Role.STORE_MANAGER, "stf_1", scopes=SCOPE), False, False),
        (Viewer(Role.SYSTEM, "system"), True, True),
    ],
)
def test_headquarters_see_every_endpoint_and_a_key_its_own(
    viewer: Viewer, own: bool, others: bool
) -> None:
    assert rules.sees(viewer, viewer.id) is own
    assert rules.sees(viewer, "key_2") is others


def test_key_must_be_allowed_to_read_what_it_is_told_of() -> None:
    assert rules.scope_of(Topic.ORDER_REFUNDED) == READ_ORDERS
    assert rules.scope_of(Topic.MEMBER_ENROLLED) == READ_MEMBERS
    assert rules.scope_of(Topic.COUPON_ISSUED) == READ_COUPONS
    assert rules.scope_of(Topic.COUPON_RETURNED) == READ_COUPONS
