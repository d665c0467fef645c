"""Merges that are killed, that meet each other, and that meet orders and imports on their way."""

from collections.abc import Callable
from typing import Any

import pytest

from graphql_api.campaigns.service import participations
from graphql_api.errors import AppError, Conflict, Invalid
from graphql_api.members import repository as members
from graphql_api.members import service as member_service
from graphql_api.members.models import Member
from graphql_api.merges import repository, service
from graphql_api.merges.models import Merge, merge_id
from graphql_api.merges.rules import MergePart, MergeState
from graphql_api.merges.service import MembersMerge, jobs, steps
from graphql_api.orders import repository as orders
from graphql_api.orders import service as order_service
from graphql_api.orders.service import applying
from graphql_api.ownership import service as ownership
from graphql_api.ownership import tasks
from graphql_api.ownership.models import Skips
from graphql_api.ownership.rules import Outcome
from graphql_api.ownership.service import HandOverCreate
from graphql_api.stores.models import Store
from graphql_api.tags.service import absorbing
from graphql_api.viewer import SYSTEM
from tests.calls import counted
from tests.factories import CLOCK, make_guide, make_member, make_refund, make_shell, make_snapshot
from tests.merges.storage import (
    PowerCut,
    Scene,
    dump,
    everything,
    facts_of_all_orders,
    power_cut,
    restore,
)
from tests.orders.storage import facts_of, member_now, order_of
from tests.ownership.storage import job_now
from tests.tags.factories import make_tag, set_tags
from tests.threads import at_once


def merge(survivor: Member, loser: Member) -> Merge:
    given = MembersMerge(survivor_id=survivor.id, loser_id=loser.id)
    return service.merge(given, viewer=SYSTEM, clock=CLOCK)


def begun(survivor: Member, loser: Member) -> Merge:
    """A merge whose process died after the first transaction."""
    with pytest.raises(PowerCut), power_cut(0, answered=True):
        merge(survivor, loser)
    job = repository.get(merge_id(loser.id))
    assert job is not None
    return job


def finished(job: Merge) -> Merge:
    return service.go_on(job.id, clock=CLOCK)


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step that can takes two transactions."""
    monkeypatch.setattr(applying, "ABSORBED_AT_ONCE", 3)
    monkeypatch.setattr(absorbing, "ABSORBED_AT_ONCE", 4)
    monkeypatch.setattr(absorbing, "_REKEYED_AT_ONCE", 1)
    monkeypatch.setattr(participations, "ABSORBED_AT_ONCE", 2)


# --- kills -----------------------------------------------------------------------------------


def test_merge_killed_between_any_two_transactions_ends_as_one_that_was_not(
    scene: Scene, small_steps: None
) -> None:
    before = dump()
    with counted() as calls:
        assert scene.merge().state is MergeState.DONE
    after, transactions = dump(), calls["TransactWriteItems"]
    whole = everything(after)
    assert transactions == 13
    for n in range(transactions):
        restore(before, found=after)
        with pytest.raises(PowerCut), power_cut(n, answered=True):
            scene.merge()
        assert scene.merge().state is MergeState.DONE
        after = dump()
        assert everything(after) == whole, n


def test_merge_killed_before_its_first_transaction_has_not_begun(scene: Scene) -> None:
    before = everything()
    with pytest.raises(PowerCut), power_cut(0, answered=False):
        scene.merge()
    assert everything() == before


def test_both_are_one_as_soon_as_a_merge_has_begun(scene: Scene) -> None:
    job = begun(scene.survivor, scene.loser)
    assert (job.state, job.part) == (MergeState.IN_PROGRESS, MergePart.EFFECTS)
    survivor = member_now(scene.loser.id)
    assert (survivor.id, survivor.name, survivor.merge_id) == (
        scene.survivor.id,
        "王小明",
        job.id,
    )
    assert survivor.facts.paid == 31_000
    assert finished(job).state is MergeState.DONE


# --- what comes while a merge is under way ---------------------------------------------------


def test_orders_that_come_while_a_merge_is_under_way_count_once(scene: Scene) -> None:
    job = begun(scene.survivor, scene.loser)
    refund = make_shell(make_refund(amount=10_000), external_id=scene.orders["newest"].external_id)
    named = make_snapshot(scene.store, member_id=scene.loser.id, total=500)
    for snapshot in (refund, named, refund):
        order_service.apply(snapshot, clock=CLOCK)
    facts = facts_of(scene.survivor.id)
    assert (facts.orders, facts.paid, facts.refunded) == (4, 31_500, 24_000)
    assert order_of(refund).owner == order_of(named).owner == scene.survivor.id
    assert finished(job).state is MergeState.DONE
    survivor = member_now(scene.survivor.id)
    assert survivor.facts == facts == facts_of_all_orders(survivor)


def test_orders_at_the_same_time_as_a_merge_count_once(store: Store, patient: None) -> None:
    survivor, loser = make_member(store), make_member(store)
    known = [make_snapshot(store, member_id=loser.id) for _ in range(3)]
    for snapshot in known:
        order_service.apply(snapshot, clock=CLOCK)
    new = [make_snapshot(store, member_id=one.id) for one in (survivor, loser)]
    refunds = [make_shell(external_id=snapshot.external_id) for snapshot in known]
    work: list[Callable[[], object]] = [
        lambda one=one: order_service.apply(one, clock=CLOCK)  # type: ignore[misc]
        for one in (*new, *refunds)
    ]
    at_once([lambda: merge(survivor, loser), *work])
    assert finished(merge(survivor, loser)).state is MergeState.DONE
    now = member_now(loser.id)
    assert now.id == survivor.id
    assert now.facts == facts_of_all_orders(now)
    assert (now.facts.orders, now.facts.paid, now.facts.refunded) == (5, 50_000, 3_000)


def test_tag_given_to_the_loser_while_a_merge_is_under_way_is_the_survivors(scene: Scene) -> None:
    tag = make_tag()
    job = begun(scene.survivor, scene.loser)
    assert set_tags(scene.loser, tag).member.id == scene.survivor.id
    assert finished(job).state is MergeState.DONE
    assert {tag.id, scene.tags["theirs"].id} <= member_now(scene.survivor.id).tags.keys()


def test_hand_over_that_listed_both_moves_the_one_they_are_once(scene: Scene) -> None:
    colleague = make_guide(scene.other_store, "芳")
    both = make_member(scene.other_store, guide_id=scene.bob.id)
    given = HandOverCreate(from_guide_id=scene.bob.id, target_ids=[colleague.id])
    job = ownership.hand_over(given, viewer=SYSTEM, clock=CLOCK)
    tasks.run_hand_over(job.id, clock=CLOCK, steps=1)
    merge(both, scene.loser)
    tasks.run_hand_over(job.id, clock=CLOCK)
    over = job_now(job.id)
    assert (over.state, over.total, over.moved) == ("DONE", 2, 1)
    assert over.skipped == [Skips(Outcome.NO_LONGER_THEIRS, 1)]
    assert member_now(scene.loser.id).guide_id == colleague.id


def test_import_waits_for_a_merge(scene: Scene, impatient: None) -> None:
    job = begun(scene.survivor, scene.loser)
    for member in (scene.survivor, scene.loser):
        with pytest.raises(Conflict):
            member_service.lock(member.id, "import-1", clock=CLOCK)
    assert finished(job).state is MergeState.DONE
    assert member_service.lock(scene.loser.id, "import-1", clock=CLOCK).id == scene.survivor.id


def test_member_who_is_being_merged_is_not_merged_with_another(
    store: Store, impatient: None
) -> None:
    first, second, third = (make_member(store) for _ in range(3))
    set_tags(first, make_tag())
    job = begun(second, first)
    before = everything()
    for survivor, loser, at in (
        (third, second, "loser_id"),
        (second, third, "survivor_id"),
        (third, first, "loser_id"),
    ):
        with pytest.raises(Conflict) as refusal:
            merge(survivor, loser)
        assert refusal.value.field == ("input", at)
    assert everything() == before
    assert finished(job).state is MergeState.DONE
    assert merge(third, first).loser_id == second.id


# --- two at once -----------------------------------------------------------------------------


def test_the_same_merge_four_times_at_once_is_done_once(scene: Scene, patient: None) -> None:
    done = at_once([lambda: scene.merge()] * 4)
    assert {job.id for job in done} == {merge_id(scene.loser.id)}
    job = finished(done[0])
    survivor = member_now(scene.survivor.id)
    assert (job.state, survivor.alias_ids) == (MergeState.DONE, [scene.loser.id])
    assert survivor.facts == facts_of_all_orders(survivor)
    counts = {moved.part: moved.count for moved in job.moved}
    assert (counts[MergePart.ORDERS], counts[MergePart.TAGS]) == (4, 7)
    assert [row.number for row in repository.records(job.id)] == [1, 2, 3, 4, 5, 6, 7, 8]


def test_two_who_are_merged_into_each_other_at_once_are_one(store: Store, patient: None) -> None:
    ann, bob = make_member(store), make_member(store)
    for member in (ann, bob):
        order_service.apply(make_snapshot(store, member_id=member.id), clock=CLOCK)
    one, other = at_once([lambda: merge(ann, bob), lambda: merge(bob, ann)])
    assert one.id == other.id
    assert finished(one).state is MergeState.DONE
    now = members.get_now([ann.id, bob.id])
    assert [member and member.id for member in now] == [one.survivor_id] * 2
    assert facts_of(ann.id).orders == 2
    held = orders.some_of_member(one.survivor_id, at_most=9)
    assert len(held) == 2


def test_one_who_is_merged_into_two_at_once_comes_to_one_of_them_at_least(
    store: Store, patient: None
) -> None:
    ann, bob, loser = (make_member(store) for _ in range(3))
    order_service.apply(make_snapshot(store, member_id=loser.id), clock=CLOCK)

    def into(survivor: Member) -> Merge | AppError:
        try:
            return merge(survivor, loser)
        except Conflict as refusal:
            return refusal

    done = at_once([lambda: into(ann), lambda: into(bob)])
    assert any(isinstance(one, Merge) for one in done)
    for one in done:
        if isinstance(one, Merge):
            finished(one)
    for survivor in (ann, bob):
        merge(survivor, loser)
    now = member_now(loser.id)
    assert {member_now(one.id).id for one in (ann, bob)} == {now.id}
    assert now.facts == facts_of_all_orders(now)
    assert now.facts.orders == 1


# --- steps that are refused ------------------------------------------------------------------


def test_merge_whose_step_is_refused_says_why_and_goes_on_when_asked_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = steps.STEPS

    def refuse(*_: Any) -> None:
        raise Invalid("no room")

    broken = tuple((p, refuse if p is MergePart.TAGS else step) for p, step in whole)
    monkeypatch.setattr(jobs, "STEPS", broken)
    job = scene.merge()
    assert (job.state, job.problem, job.ended_at) == (MergeState.FAILED, "no room", None)
    assert orders.some_of_member(scene.loser.id, at_most=1) == []
    monkeypatch.setattr(jobs, "STEPS", whole)
    again = scene.merge()
    assert (again.state, again.problem) == (MergeState.DONE, None)
    assert member_now(scene.survivor.id).merge_id is None


def test_merge_of_a_member_who_stays_busy_is_answered_as_under_way(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: Any, **__: Any) -> Merge:
        raise Conflict("busy")

    step = jobs._step
    monkeypatch.setattr(jobs, "_step", busy)
    job = scene.merge()
    assert job.state is MergeState.IN_PROGRESS
    monkeypatch.setattr(jobs, "_step", step)
    assert finished(job).state is MergeState.DONE
