"""Merging two members: what the survivor has in the end, what leads there, and what is refused."""

from datetime import date

import pytest

from graphql_api import auth
from graphql_api.campaigns import repository as campaigns
from graphql_api.coupons import repository as coupons
from graphql_api.errors import (
    AppError,
    Conflict,
    ForbiddenTransition,
    Invalid,
    LimitExceeded,
    NotFound,
)
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members import service as member_service
from graphql_api.members.models import Member
from graphql_api.members.rules import (
    Bucket,
    ConsentChannel,
    EffectKind,
    Facts,
    Gender,
    HeldTag,
    IdentityKind,
    Origin,
    TagSource,
)
from graphql_api.merges import repository, service
from graphql_api.merges.models import Merge, Moved, merge_id
from graphql_api.merges.rules import MergePart, MergeSource, MergeState
from graphql_api.merges.service import MembersMerge, jobs, steps, uniting
from graphql_api.orders import repository as orders
from graphql_api.orders import service as order_service
from graphql_api.orders import tasks as order_tasks
from graphql_api.ownership import repository as ownership
from graphql_api.points import service as points
from graphql_api.stores.models import Store
from graphql_api.tags import repository as tags
from graphql_api.tags.rules import TagAction
from graphql_api.viewer import READ_MEMBERS, SYSTEM, WRITE_MEMBERS, Role, Viewer
from tests.calls import counted
from tests.campaigns.factories import make_running, take_part
from tests.factories import (
    CLOCK,
    NOW,
    make_identity,
    make_member,
    make_shell,
    make_snapshot,
)
from tests.merges.storage import (
    DAY,
    LOSERS_PHONE,
    SURVIVORS_PHONE,
    Scene,
    everything,
    facts_of_all_orders,
    text,
)
from tests.orders.storage import first_purchases, member_now, order_of
from tests.points.storage import account_of, figures_of

HEADQUARTERS = Viewer(Role.OPERATOR, id="opr_1")


def merge(survivor: Member, loser: Member, viewer: Viewer = SYSTEM, clock: Clock = CLOCK) -> Merge:
    given = MembersMerge(survivor_id=survivor.id, loser_id=loser.id)
    return service.merge(given, viewer=viewer, clock=clock)


def refused(
    error: type[AppError],
    field: tuple[str, ...],
    survivor: Member,
    loser: Member,
    viewer: Viewer = SYSTEM,
) -> None:
    with counted() as calls, pytest.raises(error) as refusal:
        merge(survivor, loser, viewer)
    assert refusal.value.field == field
    assert calls.keys() <= {"BatchGetItem", "Query"}


# --- what the survivor has -------------------------------------------------------------------


def test_merge_of_two_lives_is_whole_in_the_answer_and_says_what_it_moved(scene: Scene) -> None:
    job = scene.merge(viewer=HEADQUARTERS)
    assert (job.id, job.state) == (merge_id(scene.loser.id), MergeState.DONE)
    assert (job.survivor_id, job.loser_id) == (scene.survivor.id, scene.loser.id)
    assert (job.source, job.by_role, job.by_id) == ("BY_HAND", "OPERATOR", "opr_1")
    assert (job.created_at, job.ended_at) == (NOW, NOW)
    assert job.store_id == scene.other_store.id
    assert job.moved == [
        Moved(MergePart.IDENTITIES, 3),
        Moved(MergePart.EFFECTS, 1),
        Moved(MergePart.FACTS, 1),
        Moved(MergePart.POINTS, 4),
        Moved(MergePart.PROFILE, 4),
        Moved(MergePart.JOINING, 1),
        Moved(MergePart.CONSENTS, 2),
        Moved(MergePart.OWNERSHIP, 1),
        Moved(MergePart.SESSIONS, 1),
        Moved(MergePart.ORDERS, 4),
        Moved(MergePart.TAGS, 7),
        Moved(MergePart.COUPONS, 1),
        Moved(MergePart.PARTICIPATIONS, 3),
    ]
    assert member_now(scene.survivor.id).merge_id is None


def test_points_of_both_are_the_survivors_and_a_key_was_used_by_either(scene: Scene) -> None:
    scene.merge()
    survivor = member_now(scene.survivor.id)
    # Granted 80 and 20 that are frozen; earned 3 + 60 + 7, and 100 within the hold.
    assert figures_of(survivor.id) == (150, 100, 20)
    lots = {lot.id: lot.points for lot in account_of(survivor.id).lots}
    assert (lots.pop("grant:welcome"), lots.pop("grant:welcome~m")) == (30, 50)
    assert sorted(lots.values()) == [3, 7, 60, 100]
    assert account_of(scene.loser.id) == account_of("mbr_nobody")
    points.grant(scene.loser.id, 70, key="welcome", cause=points.Cause(CLOCK))
    released = points.PointsRelease(member_id=scene.loser.id, key="cart")
    points.unfreeze(released, viewer=SYSTEM, clock=CLOCK)
    assert figures_of(survivor.id) == (170, 100, 0)


def test_orders_are_the_survivors_and_the_facts_are_those_of_all_orders(scene: Scene) -> None:
    scene.merge()
    survivor = member_now(scene.survivor.id)
    page = orders.page_of_member(survivor.id, first=10, after=None, reverse=False)
    names = ("oldest", "refunded", "own", "gone", "newest")
    assert [order.id for order in page.items] == [scene.orders[n].order_id for n in names]
    assert {order.member_id for order in page.items} == {survivor.id}
    assert {order_of(scene.orders[name]).owner for name in names} == {survivor.id}
    assert survivor.facts == facts_of_all_orders(survivor)
    assert survivor.facts == Facts(
        months={
            "2017-11": Bucket(1, 300, 3),
            "2017-12": Bucket(2, 6_700, 67, 0, 4_000, 40),
            "2018-01": Bucket(1, 10_000, 100, 0, -4_000, -40),
        },
        newest_month="2018-01",
        orders=4,
        paid=31_000,
        refunded=14_000,
        growth=170,
        first_on=date(2017, 11, 26),
        last_on=date(2018, 1, 5),
    )
    [loser] = members.get_items([scene.loser.id])
    assert loser is not None
    assert loser.facts == Facts()
    assert orders.some_of_member(scene.loser.id, at_most=9) == []


def test_order_keeps_who_sold_and_who_had_the_member_then(scene: Scene) -> None:
    before = order_of(scene.orders["newest"])
    scene.merge()
    after = order_of(scene.orders["newest"])
    assert (after.exclusive_guide_id, after.recorded_at) == (
        before.exclusive_guide_id,
        before.recorded_at,
    )
    assert after.exclusive_guide_id == scene.bob.id
    assert after.state == before.state
    sold = orders.page_of_store_month(scene.store.id, "2018-01", first=9, after=None, reverse=False)
    assert [order.id for order in sold.items] == [
        scene.orders[name].order_id for name in ("gone", "newest")
    ]


def test_tags_are_united_and_the_stronger_stays(scene: Scene) -> None:
    scene.merge(viewer=HEADQUARTERS)
    survivor, tag = member_now(scene.survivor.id), scene.tags
    by_hand = HeldTag(TagSource.BY_HAND)
    assert survivor.tags == {
        tag["mine"].id: by_hand,
        tag["shared"].id: by_hand,
        tag["theirs"].id: by_hand,
        tag["timed"].id: HeldTag(TagSource.BY_HAND, CLOCK.today() + 3 * DAY),
        tag["stronger"].id: by_hand,
        **{tag[f"more{n}"].id: by_hand for n in range(3)},
    }
    rows = {row.tag_id: row for row in tags.assignments(survivor.id)}
    assert {id_: (r.source, r.expires_on) for id_, r in rows.items()} == {
        id_: (held.source, held.expires_on) for id_, held in survivor.tags.items()
    }
    assert rows[tag["timed"].id].reason == "到期"
    assert {row.joined_key for row in rows.values()} == {survivor.joined_key}
    page = tags.history_of_member(survivor.id, first=50, after=None, reverse=False)
    told = {e.tag_id: e.action for e in page.items if e.source_ref == merge_id(scene.loser.id)}
    assert told == {
        tag["weaker"].id: TagAction.REPLACED,
        **{tag[name].id: TagAction.ADDED for name in ("theirs", "timed", "stronger")},
        **{tag[f"more{n}"].id: TagAction.ADDED for n in range(3)},
    }
    assert tags.assignments(scene.loser.id) == []
    found = tags.members_of_tag(tag["theirs"].id, CLOCK.today(), first=9, after=None, reverse=False)
    assert [member.id for member in found.items] == [survivor.id]


def test_withdrawn_under_one_id_is_withdrawn(scene: Scene) -> None:
    scene.merge()
    consents = {c.channel: c for c in member_now(scene.survivor.id).consents}
    granted = {channel: consent.granted for channel, consent in consents.items()}
    assert granted == {
        ConsentChannel.SMS: False,
        ConsentChannel.WECOM: True,
        ConsentChannel.PHONE: True,
    }
    assert consents[ConsentChannel.SMS].withdrawn_at == NOW


def test_gaps_of_the_profile_are_filled_and_the_earlier_joining_stands(scene: Scene) -> None:
    scene.merge()
    survivor = member_now(scene.survivor.id)
    assert (survivor.name, survivor.nickname, survivor.gender) == ("王小明", "明", Gender.MALE)
    assert (survivor.birthday, survivor.birth_year) == ("02-29", 1988)
    assert (survivor.joined_at, survivor.joining_store_id) == (
        NOW - 100 * DAY,
        scene.other_store.id,
    )
    assert survivor.number == scene.survivor.number


def test_guide_with_the_stronger_relation_takes_the_member_into_their_store(scene: Scene) -> None:
    scene.merge()
    survivor = member_now(scene.survivor.id)
    assert survivor.ownership == scene.loser.ownership
    assert (survivor.guide_id, survivor.store_id) == (scene.bob.id, scene.other_store.id)
    for member, ended in ((scene.survivor, scene.ann), (scene.loser, scene.bob)):
        page = ownership.page_of_member(member.id, first=9, after=None, reverse=False)
        first = page.items[0]
        assert (first.guide_id, first.ended_at, first.end_reason) == (ended.id, NOW, "MERGED")
    page = ownership.page_of_member(survivor.id, first=9, after=None, reverse=False)
    assert [(term.guide_id, term.ended_at) for term in page.items[1:]] == [(scene.bob.id, None)]
    listed = members.page_of_guide(scene.bob.id, first=9, after=None, reverse=False)
    assert [member.id for member in listed.items] == [survivor.id]


def test_weaker_relation_ends_and_nothing_changes_for_the_survivor(scene: Scene) -> None:
    given = MembersMerge(survivor_id=scene.loser.id, loser_id=scene.survivor.id)
    service.merge(given, viewer=SYSTEM, clock=CLOCK)
    survivor = member_now(scene.loser.id)
    assert survivor.ownership == scene.loser.ownership
    assert survivor.store_id == scene.loser.store_id
    page = ownership.page_of_member(scene.survivor.id, first=9, after=None, reverse=False)
    assert [(t.guide_id, t.end_reason) for t in page.items] == [(scene.ann.id, "MERGED")]


def test_parts_in_campaigns_are_the_survivors_and_the_further_stays(scene: Scene) -> None:
    scene.merge()
    page = campaigns.page_of_member(scene.survivor.id, first=9, after=None, reverse=False)
    states = {part.campaign_id: part.state for part in page.items}
    assert states == {
        scene.campaigns["theirs"].id: "JOINED",
        scene.campaigns["further"].id: "CONVERTED",
        scene.campaigns["behind"].id: "JOINED",
    }
    assert {part.member_id for part in page.items} == {scene.survivor.id}
    assert campaigns.some_of_member(scene.loser.id, at_most=9) == []
    assert campaigns.count_participations(scene.campaigns["further"].id) == 1


# --- what leads to the survivor --------------------------------------------------------------


def test_every_identity_id_and_number_of_both_leads_to_the_survivor(scene: Scene) -> None:
    scene.merge()
    survivor = member_now(scene.survivor.id)
    identities = [
        make_identity(SURVIVORS_PHONE, IdentityKind.PHONE),
        make_identity(LOSERS_PHONE, IdentityKind.PHONE),
        make_identity("openid-new"),
        make_identity("openid-old"),
        make_identity("union-1", IdentityKind.UNIONID),
    ]
    assert [member_service.find([one]) for one in identities] == [survivor.id] * 5
    assert survivor.phone == SURVIVORS_PHONE
    assert sorted(survivor.identity_claims) == sorted(
        claim for one in identities for claim in member_service.claims_of(one)
    )
    by_number = members.id_by_number(int(scene.loser.number))
    found = members.get_many([scene.loser.id, str(by_number)])
    assert [member and member.id for member in found] == [survivor.id] * 2


def test_survivor_without_a_phone_gets_the_losers(store: Store) -> None:
    survivor = make_member(store)
    loser = make_member(store, make_identity(LOSERS_PHONE, IdentityKind.PHONE))
    merge(survivor, loser)
    now = member_now(survivor.id)
    assert (now.phone, now.phone_last4) == (LOSERS_PHONE, "9000")


def test_chain_of_merges_leads_to_the_last_from_every_id(store: Store) -> None:
    first, second, third = (make_member(store) for _ in range(3))
    for one in (first, second, third):
        order_service.apply(make_snapshot(store, member_id=one.id), clock=CLOCK)
    merge(second, first)
    merge(third, second)
    people = [first, second, third]
    assert [m and m.id for m in members.get_now([p.id for p in people])] == [third.id] * 3
    survivor = member_now(third.id)
    assert survivor.alias_ids == [second.id, first.id]
    assert survivor.facts == facts_of_all_orders(survivor)
    assert survivor.facts.orders == 3
    assert len(members.holders(survivor.identity_claims)) == 3
    assert set(members.holders(survivor.identity_claims)) == {third.id}


def test_ids_that_are_aliases_stand_for_their_survivors(store: Store) -> None:
    """What was said of an alias is said of who has its place."""
    first, second, third, fourth = (make_member(store) for _ in range(4))
    merge(second, first)
    merge(fourth, third)
    job = merge(third, first)
    assert (job.survivor_id, job.loser_id) == (fourth.id, second.id)
    assert member_now(first.id).id == fourth.id


def test_later_order_that_names_the_loser_lands_on_the_survivor(scene: Scene) -> None:
    scene.merge()
    by_id = make_snapshot(scene.store, member_id=scene.loser.id)
    by_identity = make_snapshot(scene.store, buyer=[make_identity("openid-old")])
    for snapshot in (by_id, by_identity):
        applied = order_service.apply(snapshot, clock=CLOCK)
        assert applied.order.member_id == scene.survivor.id
    refund = make_shell(external_id=scene.orders["newest"].external_id)
    assert order_service.apply(refund, clock=CLOCK).order.member_id == scene.survivor.id
    survivor = member_now(scene.survivor.id)
    assert survivor.facts == facts_of_all_orders(survivor)
    assert survivor.facts.orders == 6


def test_order_that_waited_for_an_identity_of_the_loser_comes_to_the_survivor(
    store: Store,
) -> None:
    buyer = make_identity()
    waiting = make_snapshot(store, buyer=[buyer])
    order_service.apply(waiting, clock=CLOCK)
    survivor, loser = make_member(store), make_member(store, buyer)
    merge(survivor, loser)
    [claim] = member_service.claims_of(buyer)
    assert order_tasks.attach_waiting(claim, clock=CLOCK) == 1
    assert order_of(waiting).member_id == survivor.id


def test_part_in_a_campaign_that_names_the_loser_is_the_survivors(scene: Scene) -> None:
    scene.merge()
    campaign = make_running("new")
    for member in (scene.loser, scene.survivor):
        assert take_part(campaign, member).member_id == scene.survivor.id
    assert campaigns.count_participations(campaign.id) == 1


def test_losers_tokens_end_and_nothing_can_write_the_loser(scene: Scene) -> None:
    token = auth.issue(Role.MEMBER, scene.loser.id)
    assert auth.viewer_of(token).id == scene.loser.id
    scene.merge()
    with pytest.raises(auth.BadToken):
        auth.viewer_of(token)
    before = [text(m.serialize()) for m in members.get_items([scene.loser.id]) if m]
    restored = member_service.restore(scene.loser.id, viewer=SYSTEM)
    assert restored.id == scene.survivor.id
    assert [text(m.serialize()) for m in members.get_items([scene.loser.id]) if m] == before
    shown = everything_about_the_loser(scene)
    assert "王小明" not in shown
    assert "openid-old" not in shown


def everything_about_the_loser(scene: Scene) -> str:
    """The loser's own item as text."""
    [loser] = members.get_items([scene.loser.id])
    assert loser is not None
    return text(loser.serialize())


# --- what happens once -----------------------------------------------------------------------


def test_marks_are_united_so_that_nothing_is_given_twice(store: Store) -> None:
    survivor, loser = make_member(store), make_member(store)
    order_service.apply(make_snapshot(store, member_id=loser.id), clock=CLOCK)
    job = merge(survivor, loser)
    assert Moved(MergePart.EFFECTS, 1) in job.moved
    [mark] = first_purchases(survivor.id)
    assert (mark.origin, mark.decided_on) == (Origin.BACKFILL, CLOCK.today())
    order_service.apply(make_snapshot(store, member_id=survivor.id), clock=CLOCK)
    assert len(first_purchases(survivor.id)) == 1


def test_more_marks_than_a_transaction_holds_are_all_united(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (steps, uniting):
        monkeypatch.setattr(module, "MARKED_AT_ONCE", 2)
    survivor, loser = make_member(store), make_member(store)

    def some(tx: Transaction) -> None:
        for n in range(5):
            members.put_effect(
                tx,
                loser.id,
                EffectKind.FIRST_PURCHASE,
                str(n),
                origin=Origin.LIVE,
                day=CLOCK.today() - n * DAY,
            )

    transact(some)
    job = merge(survivor, loser)
    assert (job.state, Moved(MergePart.EFFECTS, 5) in job.moved) == (MergeState.DONE, True)
    assert [effect.level for effect in first_purchases(survivor.id)] == list("01234")


def test_the_same_merge_again_gives_the_same_merge_and_changes_nothing(scene: Scene) -> None:
    job = scene.merge()
    before = everything()
    again = scene.merge(viewer=HEADQUARTERS)
    backwards = MembersMerge(survivor_id=scene.loser.id, loser_id=scene.survivor.id)
    other = service.merge(backwards, viewer=SYSTEM, clock=CLOCK)
    assert again.id == other.id == job.id
    assert everything() == before


def test_connector_says_where_it_comes_from(scene: Scene) -> None:
    job = scene.merge(source=MergeSource.YOUZAN, source_ref="event-1")
    assert (job.source, job.source_ref, job.by_role) == ("YOUZAN", "event-1", "SYSTEM")


# --- refusals --------------------------------------------------------------------------------


def test_member_is_not_merged_with_themselves(store: Store) -> None:
    member = make_member(store)
    refused(Invalid, ("input", "loser_id"), member, member)


def test_alias_is_not_merged_with_itself(store: Store) -> None:
    survivor, loser = make_member(store), make_member(store)
    merge(survivor, loser)
    refused(Invalid, ("input", "loser_id"), loser, loser)


def test_who_is_out_of_reach_is_not_found(store: Store, other_store: Store) -> None:
    here, there = make_member(store), make_member(other_store)
    region = Viewer(Role.OPERATOR, id="opr_2", store_ids=frozenset({store.id}))
    refused(NotFound, ("input", "loser_id"), here, there, region)
    refused(NotFound, ("input", "survivor_id"), there, here, region)
    for scopes in (frozenset({READ_MEMBERS}), frozenset({WRITE_MEMBERS})):
        key = Viewer(Role.INTEGRATION, id="key_1", scopes=scopes)
        refused(NotFound, ("input", "survivor_id"), here, there, key)
    for role in (Role.GUIDE, Role.STORE_MANAGER):
        refused(
            NotFound, ("input", "survivor_id"), here, there, Viewer(role, id=here.guide_id or "")
        )


def test_who_is_not_there_is_not_found(store: Store) -> None:
    member = make_member(store)
    for id_ in ("nobody", merge_id("x"), ""):
        given = MembersMerge(survivor_id=member.id, loser_id=id_)
        with pytest.raises(NotFound) as refusal:
            service.merge(given, viewer=SYSTEM, clock=CLOCK)
        assert refusal.value.field == ("input", "loser_id")


def test_survivor_who_has_left_is_refused_and_a_loser_who_has_left_is_not(store: Store) -> None:
    gone, here = make_member(store), make_member(store)
    member_service.archive(gone.id, viewer=SYSTEM, clock=CLOCK)
    refused(ForbiddenTransition, ("input", "survivor_id"), gone, here)
    assert merge(here, gone).state is MergeState.DONE
    assert member_now(gone.id).id == here.id
    assert member_now(here.id).archived_at is None


def test_member_who_is_locked_by_an_import_is_a_conflict(store: Store, impatient: None) -> None:
    free, locked = make_member(store), make_member(store)
    member_service.lock(locked.id, "import-1", clock=CLOCK)
    refused(Conflict, ("input", "loser_id"), free, locked)
    refused(Conflict, ("input", "survivor_id"), locked, free)


def test_lock_that_ran_out_is_gone_with_the_merge(store: Store) -> None:
    survivor, loser = make_member(store), make_member(store)
    member_service.lock(loser.id, "import-1", clock=Clock(wall=lambda: NOW - DAY))
    assert merge(survivor, loser).state is MergeState.DONE
    [ended] = members.get_items([loser.id])
    assert ended is not None
    assert (ended.lock_owner, member_now(survivor.id).lock_owner) == (None, None)


def test_more_identities_than_a_member_has_are_refused(store: Store) -> None:
    eleven = [[make_identity() for _ in range(11)] for _ in range(2)]
    survivor, loser = (make_member(store, *identities) for identities in eleven)
    refused(LimitExceeded, ("input", "loser_id"), survivor, loser)


def test_more_aliases_than_a_member_has_are_refused(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "MAX_ALIASES", 1)
    survivor, first, second = (make_member(store) for _ in range(3))
    merge(survivor, first)
    refused(LimitExceeded, ("input", "loser_id"), survivor, second)


def test_coupons_are_the_survivors_as_they_were_and_limits_count_both(scene: Scene) -> None:
    scene.merge()
    survivor = member_now(scene.survivor.id)
    page = coupons.page_of_member(survivor.id, first=10, after=None, reverse=False)
    theirs = scene.coupons["theirs"]
    assert {c.coupon_id for c in page.items} == {c.coupon_id for c in scene.coupons.values()}
    for name in (theirs.coupon_id, theirs.code):
        [found] = coupons.find([name])
        assert found is not None
        assert (found.member_id, found.state, found.lock_key) == (survivor.id, "LOCKED", "ord_1")
    assert int(coupons.get_claims(survivor.id, theirs.template_id).total) == 2
    assert coupons.claims_of_member(scene.loser.id, at_most=9) == []
    assert coupons.some_of_member(scene.loser.id, at_most=9) == []


# --- the undo record -------------------------------------------------------------------------


def test_record_holds_both_members_as_they_were_and_all_that_was_moved(scene: Scene) -> None:
    items = members.get_items([scene.survivor.id, scene.loser.id])
    survivor, loser = (member.serialize() for member in items if member)
    job = scene.merge()
    rows = repository.records(job.id)
    assert [row.number for row in rows] == list(range(1, int(job.records) + 1))
    assert [row.part for row in rows] == [
        MergePart.IDENTITIES,
        MergePart.SESSIONS,
        MergePart.ORDERS,
        MergePart.TAGS,
        MergePart.TAGS,
        MergePart.COUPONS,
        MergePart.COUPONS,
        MergePart.PARTICIPATIONS,
    ]
    assert rows[0].document == {"survivor": survivor, "loser": loser}
    moved = {scene.orders[name].order_id for name in ("oldest", "refunded", "gone", "newest")}
    assert set(rows[2].document) == moved
    of_loser = {row["tag_id"]["S"] for row in rows[3].document if row["id"]["S"] == scene.loser.id}
    assert of_loser == {scene.tags[name].id for name in scene.tags} - {
        scene.tags["mine"].id,
        scene.tags["weaker"].id,
    }
