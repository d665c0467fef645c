"""Standings as they are stored: decided on the spot, with history and effects, once."""

import time
from datetime import date
from typing import Any

import pytest

from graphql_api.kit.dynamo import JsonAttribute, transact
from graphql_api.members import repository as members
from graphql_api.members.models import DUE_AT_ONCE, Member
from graphql_api.members.rules import HeldTag, Origin, TagSource
from graphql_api.orders import service as orders
from graphql_api.policies import service as policies
from graphql_api.policies.rules import PolicyKind
from graphql_api.standing import models, repository, service, tasks, wire
from graphql_api.standing.rules import (
    ChangeKind,
    InQuadrant,
    Lifecycle,
    LifecycleState,
    Lock,
    LockKind,
    Phase,
    Quadrant,
    Reason,
    Relationship,
    Rfm,
    RfmClass,
    Standing,
    Tier,
    explain_tier,
)
from graphql_api.standing.service import Cause
from graphql_api.stores.models import Store
from graphql_api.tags import repository as tag_repository
from graphql_api.viewer import SYSTEM
from tests.calls import counted
from tests.factories import make_member
from tests.standing.storage import (
    buy,
    effects,
    everything,
    give_back,
    history,
    member_now,
    on,
    standing_now,
)
from tests.tags.factories import make_group, make_tag


def joined(store: Store, day: str, **more: Any) -> Member:
    """A member who joined on a day and was decided on at once."""
    member = make_member(store, clock=on(day), **more)
    tasks.follow(member.id, clock=on(day))
    return member


def publish(kind: PolicyKind, document: dict[str, Any]) -> None:
    """Put a policy in force, known at once."""
    drafted = policies.draft(
        policies.PolicyDraft(kind=kind, document=document), viewer=SYSTEM, clock=on("2018-01-10")
    )
    given = policies.PolicyPublish(kind=kind, draft_version=int(drafted.version))
    policies.publish(given, viewer=SYSTEM, clock=on("2018-01-10"))
    repository.forget()


def test_new_member_is_due_at_once_and_begins_in_the_lowest_tier(store: Store) -> None:
    member = make_member(store, clock=on("2018-01-10"))
    assert (member.due_on, member.standing_document) == (DUE_AT_ONCE, None)
    assert tasks.follow(member.id, clock=on("2018-01-10"))
    held = standing_now(member)
    assert (held.tier.name, held.lifecycle.state) == ("V1", LifecycleState.ONBOARDING)
    assert (held.relationship.phase, held.rfm, held.quadrant) == (Phase.STARTING, None, None)
    now = member_now(member)
    assert now.next_on == now.due_on == date(2018, 4, 10)
    assert [history(member, kind) for kind in ChangeKind] == [[]] * len(ChangeKind)
    assert effects(member) == {}


def test_deciding_again_writes_nothing(store: Store) -> None:
    member = joined(store, "2018-01-10")
    before = everything()
    assert not tasks.follow(member.id, clock=on("2018-01-10"))
    assert everything() == before


def test_purchase_lifts_a_tier_in_its_own_transaction(store: Store) -> None:
    member = joined(store, "2018-01-10")
    buy(store, member, "2018-01-12", 60_000)
    assert standing_now(member).tier.name == "V3"
    assert history(member, ChangeKind.TIER) == [("2018-01-12", "V3", "PURCHASES")]
    assert history(member, ChangeKind.RFM) == [("2018-01-12", "HLH 5-1-3", "PURCHASES")]
    assert effects(member) == {"TIER_UPGRADED": ["V2", "V3"]}
    page = repository.history_of_member(
        member.id, ChangeKind.TIER, first=1, after=None, reverse=False
    )
    [row] = page.items
    assert (row.old, row.policy_version, row.origin, row.decided_on) == (
        "V1",
        0,
        Origin.LIVE,
        date(2018, 1, 12),
    )
    assert row.numbers == {"metric": 600, "threshold": 600, "kept_from": 0, "window_months": 6}


def test_purchase_before_the_first_decision_is_decided_on_with_it(store: Store) -> None:
    member = make_member(store, clock=on("2018-01-10"))
    buy(store, member, "2018-01-10", 20_000)
    assert history(member, ChangeKind.TIER) == [("2018-01-10", "V2", "PURCHASES")]
    before = everything()
    assert not tasks.follow(member.id, clock=on("2018-01-10"))
    assert everything() == before


def test_gift_of_a_tier_is_caused_once_however_often_it_is_reached(store: Store) -> None:
    member = joined(store, "2018-01-10")
    buy(store, member, "2018-01-10", 20_000)
    tasks.run(date(2018, 7, 10), clock=on("2018-07-10"))
    assert standing_now(member).tier.name == "V1"
    buy(store, member, "2018-08-01", 20_000)
    assert standing_now(member).tier.name == "V2"
    assert effects(member)["TIER_UPGRADED"] == ["V2"]
    assert effects(member)["TIER_DOWNGRADED"] == ["2018-07-10#V1"]


def test_what_was_due_is_settled_before_a_purchase_counts(store: Store) -> None:
    member = joined(store, "2018-01-10")
    buy(store, member, "2018-01-10", 20_000)
    # No run came by: the tier ended on 10 July, the state in April, July and October.
    buy(store, member, "2018-10-20", 20_000)
    assert history(member, ChangeKind.TIER) == [
        ("2018-01-10", "V2", "PURCHASES"),
        ("2018-07-10", "V1", "EXPIRED"),
        ("2018-10-20", "V2", "PURCHASES"),
    ]
    assert history(member, ChangeKind.LIFECYCLE) == [
        ("2018-10-10", "DORMANT", "PURCHASES"),
        ("2018-10-20", "ONBOARDING", "PURCHASES"),
    ]
    assert standing_now(member).lifecycle.reactivations == 1


def test_purchase_leaves_an_earlier_day_in_the_index_and_the_run_puts_it_off(store: Store) -> None:
    member = joined(store, "2018-01-10")
    buy(store, member, "2018-03-01", 100)
    now = member_now(member)
    assert (now.due_on, now.next_on) == (date(2018, 4, 1), date(2018, 4, 1))
    buy(store, member, "2018-03-20", 100)
    now = member_now(member)
    assert (now.due_on, now.next_on) == (date(2018, 4, 1), date(2018, 4, 20))
    assert tasks.run(date(2018, 4, 1), clock=on("2018-04-01")).changed == 0
    now = member_now(member)
    assert (now.due_on, now.next_on) == (date(2018, 4, 20), date(2018, 4, 20))


def test_refund_takes_back_what_the_order_gave_but_no_tier_before_its_end(store: Store) -> None:
    member = joined(store, "2018-01-10")
    order = buy(store, member, "2018-01-12", 60_000)
    give_back(order, "2018-01-20", 60_000)
    held = standing_now(member)
    assert (held.tier.name, held.rfm) == ("V3", None)
    tasks.run(date(2018, 7, 12), clock=on("2018-07-12"))
    assert standing_now(member).tier.name == "V1"


def test_backfill_decides_once_from_the_whole_history_and_gives_no_gifts(store: Store) -> None:
    member = make_member(store, clock=on("2018-01-10"), joined_at=on("2017-09-01").now())
    snapshots = [
        orders.Snapshot(
            source="pos",
            external_id=f"H{n}",
            body=orders.SnapshotBody(
                revision=1, paid_at=on(day).now(), total=20_000, store_id=store.id
            ),
        )
        for n, day in enumerate(("2017-09-01", "2017-10-01", "2017-12-31"))
    ]
    orders.backfill(member.id, snapshots, clock=on("2018-01-10"), job="import")
    assert history(member, ChangeKind.TIER) == [("2018-01-10", "V3", "FIRST")]
    assert effects(member) == {"TIER_UPGRADED": ["V2", "V3"]}
    page = repository.history_of_member(
        member.id, ChangeKind.TIER, first=1, after=None, reverse=False
    )
    assert page.items[0].origin is Origin.BACKFILL


def test_published_policies_decide_and_are_named(store: Store) -> None:
    steps = [{"name": "A", "threshold": 0}, {"name": "B", "threshold": 1}]
    publish(PolicyKind.TIER_LADDER, {"metric": "ORDERS", "tiers": steps})
    member = joined(store, "2018-01-10")
    buy(store, member, "2018-01-12", 0)
    tier = standing_now(member).tier
    assert (tier.name, tier.version) == ("B", 1)


def test_policies_are_read_once_a_minute(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.forget()
    repository.in_force()
    with counted() as calls:
        repository.in_force()
    assert calls == {}
    passed = time.monotonic() + repository.REMEMBERED_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: passed)
    with counted() as calls:
        repository.in_force()
    assert calls == {"BatchGetItem": 1}


def test_rule_gives_and_takes_its_tag_with_the_version_that_said_so(store: Store) -> None:
    tag = make_tag(make_group())
    when = {"fact": "DAYS_SINCE_PURCHASE", "op": "AT_LEAST", "number": 30}
    publish(PolicyKind.TAG_RULES, {"rules": [{"name": "睡了", "tag": tag.id, "when": when}]})
    member = joined(store, "2018-01-10")
    buy(store, member, "2018-01-10", 100)
    assert member_now(member).next_on == date(2018, 2, 9)
    tasks.run(date(2018, 2, 9), clock=on("2018-02-09"))
    assert member_now(member).tags == {tag.id: HeldTag(TagSource.RULE)}
    [row] = tag_repository.assignments(member.id)
    assert (row.source, row.source_ref) == (TagSource.RULE, "睡了@1")
    buy(store, member, "2018-02-10", 100)
    assert member_now(member).tags == {}


def test_edit_of_a_tag_is_followed_by_the_rules_that_hang_on_it(store: Store) -> None:
    from graphql_api.tags import service as tags

    group = make_group()
    cause, follows = make_tag(group, "甲"), make_tag(group, "乙")
    when = {"fact": "TAG", "op": "IS", "values": [cause.id]}
    publish(PolicyKind.TAG_RULES, {"rules": [{"name": "R", "tag": follows.id, "when": when}]})
    member = joined(store, "2018-01-10")
    given = tags.TagsSet(member_id=member.id, add=[cause.id], expires_on=date(2018, 1, 20))
    tags.set_tags(given, viewer=SYSTEM, clock=on("2018-01-10"))
    assert member_now(member).due_on == DUE_AT_ONCE
    tasks.follow(member.id, clock=on("2018-01-10"))
    assert set(member_now(member).tags) == {cause.id, follows.id}
    assert member_now(member).next_on == date(2018, 1, 21)
    tasks.run(date(2018, 1, 21), clock=on("2018-01-21"))
    assert member_now(member).tags == {}


def test_archived_tag_of_a_rule_is_left_out(store: Store) -> None:
    from graphql_api.tags import service as tags

    tag = make_tag(make_group())
    always = {"fact": "DAYS_SINCE_JOINING", "op": "AT_LEAST", "number": 0}
    publish(PolicyKind.TAG_RULES, {"rules": [{"name": "R", "tag": tag.id, "when": always}]})
    tags.archive_tag(tag.id, viewer=SYSTEM, clock=on("2018-01-10"))
    repository.forget()
    assert member_now(joined(store, "2018-01-10")).tags == {}


@pytest.mark.parametrize("how", ["lock", "archive"])
def test_who_is_not_free_is_left_alone(store: Store, how: str) -> None:
    from graphql_api.members import service as members

    member = make_member(store, clock=on("2018-01-10"))
    if how == "lock":
        members.lock(member.id, "job", clock=on("2018-01-10"))
    else:
        members.archive(member.id, viewer=SYSTEM, clock=on("2018-01-10"))
    before = everything()
    assert not tasks.follow(member.id, clock=on("2018-01-10"))
    assert everything() == before


def test_what_is_due_is_shown_before_the_run_of_the_day(store: Store) -> None:
    member = joined(store, "2018-01-10")
    before = everything()
    shown = service.current(
        member_now(member),
        date(2018, 4, 10),
        clock=on("2018-04-10"),
        policies=repository.in_force(),
    )
    assert shown.standing.lifecycle.state is LifecycleState.AWAKENING
    assert everything() == before


LOCK = Lock(LockKind.PIN, "V2", 736_000, 736_100)
EARNED = Tier("V3", 2, 736_000, 736_180, 7, 736_200, noticed=True)


@pytest.mark.parametrize(
    "decided",
    [
        Standing(
            Tier("V1", 0, 736_000, None, 0),
            Lifecycle(LifecycleState.LOST, 736_001, 3, 2),
            Relationship(Phase.STABLE, 4),
            Rfm(5, 4, 3, RfmClass.HHH, 9),
            InQuadrant(Quadrant.LOW_HIGH, 9),
            736_696,
        ),
        Standing(
            Tier("V2", 1, 736_000, 736_100, 7, lock=LOCK, earned=EARNED),
            Lifecycle(LifecycleState.ONBOARDING, 736_001, 0, 0),
            Relationship(Phase.GROWING, 0),
            None,
            None,
            736_696,
        ),
    ],
)
def test_standing_is_read_as_it_was_held(decided: Standing) -> None:
    member = Member("mbr_1")
    models.hold(member, decided)
    kept = Member("mbr_1")
    text = JsonAttribute().serialize(member.standing_document)
    kept.standing_document = JsonAttribute().deserialize(text)
    read = models.standing(kept, date.fromordinal(736_696))
    assert (read, read.active if read else 0) == (decided, decided.active)


def test_settling_for_another_reason_names_it(store: Store) -> None:
    member = joined(store, "2018-01-10")
    cause = Cause(on("2018-04-10"), date(2018, 4, 10), Reason.POLICY)
    assert service.settle(member.id, cause)
    assert history(member, ChangeKind.LIFECYCLE) == [("2018-04-10", "AWAKENING", "POLICY")]


def test_of_two_who_were_one_the_better_tier_stands_and_is_decided_on_anew(store: Store) -> None:
    from graphql_api.merges import service as merges

    one, other = joined(store, "2018-01-10"), joined(store, "2018-01-10")
    buy(store, other, "2018-01-12", 60_000)
    buy(store, one, "2018-02-01", 90_000)
    buy(store, other, "2018-02-02", 60_000)
    given = merges.MembersMerge(survivor_id=one.id, loser_id=other.id)
    merges.merge(given, viewer=SYSTEM, clock=on("2018-02-03"))
    assert member_now(one).due_on == DUE_AT_ONCE
    tasks.follow(one.id, clock=on("2018-02-03"))
    held = standing_now(one)
    assert (held.tier.name, held.rfm and held.rfm.monetary) == ("V4", 4)


def test_order_gives_growth_by_the_policy_that_was_in_force_when_it_came(store: Store) -> None:
    member = joined(store, "2018-01-10")
    old = buy(store, member, "2018-01-12", 60_000)
    publish(PolicyKind.GROWTH, {"fenPerPoint": 1_000})
    buy(store, member, "2018-01-13", 60_000)
    assert member_now(member).facts.growth == 600 + 60
    give_back(old, "2018-01-14", 30_000)
    assert member_now(member).facts.growth == 300 + 60


@pytest.mark.parametrize(
    ("across", "february", "march"),
    [("REOPEN", 300, 400), ("FLOOR_AT_ZERO", 0, 400), ("CARRY_DEBT", 0, 100)],
)
def test_refund_in_a_later_month_counts_where_the_policy_says(
    store: Store, across: str, february: int, march: int
) -> None:
    publish(PolicyKind.TIER_LADDER, {"refundAcross": across, "windowMonths": 1})
    member = joined(store, "2018-01-10")
    order = buy(store, member, "2018-01-12", 60_000)
    buy(store, member, "2018-02-10", 30_000)
    give_back(order, "2018-02-11", 60_000)
    now = member_now(member)
    assert now.month_document == {
        "2018-01": [0, 0, 0, 1, 60_000, 600],
        "2018-02": [1, 30_000, 300, -1, -60_000, -600],
    }
    assert metric(member, "2018-02-11") == february
    buy(store, member, "2018-03-01", 40_000)
    assert metric(member, "2018-03-01") == march


def metric(member: Member, day: str) -> int:
    """What the ladder counts of a member on a day."""
    facts = models.facts(member_now(member), date(2018, 1, 10))
    ready, as_of = repository.in_force(), date.fromisoformat(day)
    return explain_tier(facts, standing_now(member), ready, as_of).metric


def test_nobody_is_decided_back_by_an_older_version(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that does not know a publication yet meets a member whom it has reached."""
    member = joined(store, "2018-01-10")
    buy(store, member, "2018-01-10", 70_000)
    old = repository.in_force()
    names = [{"name": "V1", "threshold": 0}, {"name": "Gold", "threshold": 600}]
    publish(PolicyKind.TIER_LADDER, {"tiers": names})
    clock = on("2018-01-10")
    cause = Cause(clock, clock.today(), Reason.POLICY)
    transact(lambda tx: service.decide_in(tx, member_now(member), cause))
    assert standing_now(member).tier.name == "Gold"
    known = [old]
    read = repository._remembered
    monkeypatch.setattr(repository, "_remembered", lambda: known.pop() if known else read())
    buy(store, member, "2018-01-10", 10_000)
    assert standing_now(member).tier.name == "Gold"
    assert known == []


def test_run_that_began_before_a_publication_puts_nobody_off(store: Store) -> None:
    member = joined(store, "2018-01-10")
    old = repository.in_force()
    days = ((5, 20), (4, 60), (3, 90), (2, 180), (1, None))
    publish(PolicyKind.RFM, {"recency": [{"score": s, "maxDays": most} for s, most in days]})
    buy(store, member, "2018-01-10", 70_000)
    assert member_now(member).next_on == date(2018, 1, 31)
    [raw] = members.get_raw([member.id], only=wire.attributes(for_rules=False))
    later = on("2018-01-15")
    assert not service.settle_read(raw, Cause(later, later.today(), Reason.TIME), old)
    assert member_now(member).next_on == date(2018, 1, 31)
