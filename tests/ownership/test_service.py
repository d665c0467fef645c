"""Commands on who looks after whom, one member at a time."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from graphql_api.errors import (
    AppError,
    Conflict,
    Forbidden,
    ForbiddenTransition,
    Invalid,
    NotFound,
    Required,
)
from graphql_api.guides.models import Guide
from graphql_api.guides.rules import GuideStatus
from graphql_api.kit import ids
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members import service as member_service
from graphql_api.members.models import Member
from graphql_api.members.rules import Origin, OwnershipSource
from graphql_api.members.service import Enrol, Update
from graphql_api.orders import service as orders
from graphql_api.ownership import service
from graphql_api.ownership.models import OwnershipItem
from graphql_api.ownership.service import Assign, Protected, Release, TakeOver
from graphql_api.policies import service as policies
from graphql_api.policies.rules import PolicyKind
from graphql_api.policies.service import PolicyDraft, PolicyPublish
from graphql_api.stores.models import Store
from graphql_api.viewer import READ_MEMBERS, SYSTEM, WRITE_MEMBERS, Role, Viewer
from tests.factories import CLOCK, NOW, make_guide, make_identity, make_member, make_snapshot
from tests.ownership.storage import everything, history, leave, member_now, on_day, told

HEADQUARTERS = Viewer(Role.OPERATOR, "stf_9")
PROTECTED_UNTIL = date(2018, 2, 9)
NOBODY = ids.derived_id("mbr", "nobody")


def manager_of(*stores: Store) -> Viewer:
    return Viewer(Role.STORE_MANAGER, "stf_1", store_ids=frozenset(s.id for s in stores))


def as_guide(guide: Guide) -> Viewer:
    return Viewer(Role.GUIDE, guide.id, store_ids=frozenset({guide.store_id}))


def assign(member: Member, guide: Guide, viewer: Viewer = SYSTEM, **more: Any) -> Member:
    given = Assign(member_id=member.id, guide_id=guide.id, **more)
    return service.assign(given, viewer=viewer, clock=CLOCK)


def take(member: Member, viewer: Viewer, clock: Clock = CLOCK, **more: Any) -> Member:
    return service.take_over(TakeOver(member_id=member.id, **more), viewer=viewer, clock=clock)


def release(member: Member, viewer: Viewer = SYSTEM, clock: Clock = CLOCK) -> Member:
    return service.release(Release(member_id=member.id), viewer=viewer, clock=clock)


# --- the first ownership ---------------------------------------------------------------------


def test_enrolment_by_a_guide_begins_an_ownership_without_a_row_of_its_own(
    store: Store, ann: Guide
) -> None:
    member = make_member(store, viewer=as_guide(ann))
    [term] = history(member.id)
    assert (term.guide_id, term.since, term.source) == (ann.id, NOW, "REGISTRATION")
    assert (term.protected_until, term.valid_until) == (PROTECTED_UNTIL, None)
    assert (term.policy_version, term.ended_at) == (0, None)
    assert list(OwnershipItem.scan()) == []
    assert member_now(member.id).version == 1


def test_protection_of_an_enrolment_counts_from_the_day_of_joining(
    store: Store, ann: Guide
) -> None:
    joined_at = datetime(2017, 12, 31, 16, 30, tzinfo=UTC)  # 1 January in Shanghai
    member = make_member(store, guide_id=ann.id, joined_at=joined_at)
    assert member.guide_since == joined_at
    assert member.guide_protected_until == date(2018, 1, 31)


def test_imported_member_came_with_the_import(store: Store, ann: Guide) -> None:
    new = Enrol(identities=[make_identity()], store_id=store.id, guide_id=ann.id)
    member = member_service.enrol(new, viewer=SYSTEM, clock=CLOCK, origin=Origin.BACKFILL)
    assert [term.source for term in history(member.id)] == ["IMPORT"]


def test_member_enrolled_without_a_guide_has_no_history(store: Store) -> None:
    member = make_member(store)
    assert (member.ownership, member.terms, history(member.id)) == (None, 0, [])


def test_item_that_only_names_a_guide_tells_of_an_ownership_since_the_joining(
    store: Store, ann: Guide
) -> None:
    member = make_member(store)
    member.guide_id = ann.id
    member.save()
    assert told(member.id) == [(ann.id, None)]
    release(member)
    [term] = history(member.id)
    assert (term.since, term.source, term.ended_at) == (NOW, "REGISTRATION", NOW)


# --- assign ----------------------------------------------------------------------------------


def test_member_without_a_guide_is_assigned_to_one(store: Store, ann: Guide) -> None:
    key = Viewer(Role.INTEGRATION, scopes=frozenset({READ_MEMBERS, WRITE_MEMBERS}))
    sources = {
        manager_of(store): "ASSIGNED_BY_MANAGER",
        HEADQUARTERS: "ASSIGNED_BY_MANAGER",
        key: "ASSIGNED_BY_SYSTEM",
        SYSTEM: "ASSIGNED_BY_SYSTEM",
    }
    for viewer, source in sources.items():
        member = make_member(store)
        given = assign(member, ann, viewer)
        [term] = history(member.id)
        assert (term.guide_id, term.source, term.since) == (ann.id, source, NOW)
        assert (term.valid_until, term.protected_until) == (None, PROTECTED_UNTIL)
        assert member_now(member.id).serialize() == given.serialize()
    page = members.page_of_guide(ann.id, first=5, after=None, reverse=False)
    assert len(page.items) == 4


def test_last_day_of_an_assignment_may_be_given(store: Store, ann: Guide) -> None:
    given = assign(make_member(store), ann, valid_until=date(2018, 1, 10))
    assert given.guide_valid_until == date(2018, 1, 10)
    assert given.guide_due_key == f"2018-01-10#{given.id}"
    with pytest.raises(Invalid) as refusal:
        assign(make_member(store), ann, valid_until=date(2018, 1, 9))
    assert refusal.value.field == ("input", "valid_until")


def test_member_of_a_guide_is_not_assigned_to_another(store: Store, ann: Guide, bob: Guide) -> None:
    member = make_member(store, guide_id=bob.id)
    before = everything()
    with pytest.raises(ForbiddenTransition) as refusal:
        assign(member, ann, manager_of(store))
    assert refusal.value.field == ("input", "member_id")
    assert everything() == before


def test_member_of_a_guide_who_left_is_free(store: Store, ann: Guide, bob: Guide) -> None:
    member = make_member(store, guide_id=bob.id)
    leave(bob)
    assert told(member.id) == [(bob.id, None)]  # not orphaned in silence: it still says whose
    assign(member, ann, manager_of(store))
    assert told(member.id) == [(bob.id, "LEFT"), (ann.id, None)]


def test_member_of_a_guide_who_stopped_is_not_free(store: Store, ann: Guide, bob: Guide) -> None:
    member = make_member(store, guide_id=bob.id)
    leave(bob, GuideStatus.STOPPED)
    with pytest.raises(ForbiddenTransition):
        assign(member, ann, manager_of(store))


def test_same_guide_again_changes_nothing(store: Store, ann: Guide) -> None:
    member = make_member(store, guide_id=ann.id)
    before = everything()
    assign(member, ann)
    take(member, as_guide(ann), on_day(90))
    assert everything() == before


# --- refusals that assigning and taking over share -------------------------------------------


def refused(error: type[AppError], field: str, do: Any) -> None:
    """Refused with this field, and nothing is written."""
    before = everything()
    with pytest.raises(error) as refusal:
        do()
    assert refusal.value.field == ("input", field)
    assert everything() == before


def test_unknown_members_and_guides_are_refused(
    store: Store, other_store: Store, ann: Guide
) -> None:
    member, elsewhere = make_member(store), make_guide(other_store, "卡")
    unknown = ids.derived_id("gde", "nobody")
    for member_id in (NOBODY, ann.id, "", "claim#x"):
        given = Assign(member_id=member_id, guide_id=ann.id)
        refused(
            NotFound, "member_id", lambda g=given: service.assign(g, viewer=SYSTEM, clock=CLOCK)
        )
        wanted = TakeOver(member_id=member_id, guide_id=ann.id)
        refused(
            NotFound, "member", lambda g=wanted: service.take_over(g, viewer=SYSTEM, clock=CLOCK)
        )
    for guide_id in (unknown, elsewhere.id, member.id, ""):
        refused(NotFound, "guide_id", lambda g=guide_id: take(member, SYSTEM, guide_id=g))
        given = Assign(member_id=member.id, guide_id=guide_id)
        refused(NotFound, "guide_id", lambda g=given: service.assign(g, viewer=SYSTEM, clock=CLOCK))


def test_guide_who_is_not_at_work_takes_nobody(store: Store, ann: Guide) -> None:
    member = make_member(store)
    for status in (GuideStatus.STOPPED, GuideStatus.LEFT):
        leave(ann, status)
        refused(ForbiddenTransition, "guide_id", lambda: assign(member, ann))
        refused(ForbiddenTransition, "guide_id", lambda: take(member, as_guide(ann)))


def test_archived_member_is_left_alone(store: Store, ann: Guide) -> None:
    member = make_member(store)
    member_service.archive(member.id, viewer=SYSTEM, clock=CLOCK)
    refused(ForbiddenTransition, "member_id", lambda: assign(member, ann))
    refused(ForbiddenTransition, "member", lambda: take(member, as_guide(ann)))


def test_members_out_of_reach_are_not_found(store: Store, other_store: Store, ann: Guide) -> None:
    member = make_member(store, guide_id=ann.id)
    there = make_guide(other_store, "卡")
    reader = Viewer(Role.INTEGRATION, scopes=frozenset({READ_MEMBERS}))
    for viewer in (manager_of(other_store), reader, Viewer(Role.MEMBER, member.id)):
        refused(NotFound, "member_id", lambda v=viewer: assign(member, ann, v))
        refused(NotFound, "member", lambda v=viewer: take(member, v, guide_id=ann.id))
        refused(NotFound, "member_id", lambda v=viewer: release(member, v))
    refused(NotFound, "member", lambda: take(member, as_guide(there), on_day(90)))
    refused(NotFound, "member_id", lambda: release(member, as_guide(ann)))


def test_source_that_a_viewer_cannot_know_is_refused(store: Store, ann: Guide, bob: Guide) -> None:
    member = make_member(store)
    for source in (OwnershipSource.REGISTRATION, OwnershipSource.ASSIGNED_BY_MANAGER):
        refused(Forbidden, "source", lambda s=source: take(member, as_guide(ann), source=s))
    imported = OwnershipSource.IMPORT
    refused(Forbidden, "source", lambda: assign(member, bob, manager_of(store), source=imported))
    take(member, as_guide(ann), source=OwnershipSource.WECOM_FRIEND)
    assert [term.source for term in history(member.id)] == ["WECOM_FRIEND"]


# --- take over -------------------------------------------------------------------------------


def test_guide_takes_a_member_of_the_store_whom_nobody_has(store: Store, ann: Guide) -> None:
    member = make_member(store)
    taken = take(member, as_guide(ann))
    assert (taken.guide_id, taken.guide_source) == (ann.id, "TRANSACTION")
    assert told(member.id) == [(ann.id, None)]


def test_member_is_taken_over_on_the_day_after_the_protection(
    store: Store, ann: Guide, bob: Guide
) -> None:
    member = make_member(store, guide_id=bob.id)
    before = everything()
    for days in (0, 29, 30):
        with pytest.raises(Protected, match="until 2018-02-09") as refusal:
            take(member, as_guide(ann), on_day(days))
        assert (refusal.value.until, refusal.value.field) == (PROTECTED_UNTIL, ("input", "member"))
    assert everything() == before
    take(member, as_guide(ann), on_day(31))
    assert told(member.id) == [(bob.id, "TAKEN_OVER"), (ann.id, None)]
    [old, new] = history(member.id)
    assert old.ended_at == new.since == NOW + timedelta(days=31)
    assert new.protected_until == date(2018, 3, 12)


def test_protection_ends_at_midnight_in_the_zone_of_the_chain(
    store: Store, ann: Guide, bob: Guide
) -> None:
    member = make_member(store, guide_id=bob.id)
    midnight = datetime(2018, 2, 9, 16, 0, tzinfo=UTC)  # 10 February in Shanghai
    with pytest.raises(Protected):
        take(member, as_guide(ann), Clock(wall=lambda: midnight - timedelta(milliseconds=1)))
    take(member, as_guide(ann), Clock(wall=lambda: midnight))
    assert told(member.id) == [(bob.id, "TAKEN_OVER"), (ann.id, None)]


def test_headquarters_alone_force_a_take_over(store: Store, ann: Guide, bob: Guide) -> None:
    member = make_member(store, guide_id=bob.id)
    region = Viewer(Role.OPERATOR, "stf_2", store_ids=frozenset({store.id}))
    for viewer in (as_guide(ann), manager_of(store), region):
        named = {} if viewer.role is Role.GUIDE else {"guide_id": ann.id}
        refused(Forbidden, "force", lambda v=viewer, n=named: take(member, v, force=True, **n))
    refused(ForbiddenTransition, "member", lambda: take(member, HEADQUARTERS, guide_id=ann.id))
    take(member, HEADQUARTERS, guide_id=ann.id, force=True)
    assert told(member.id) == [(bob.id, "TAKEN_OVER"), (ann.id, None)]


def test_guide_who_left_protects_nobody(store: Store, ann: Guide, bob: Guide) -> None:
    member = make_member(store, guide_id=bob.id)
    leave(bob, GuideStatus.STOPPED)
    with pytest.raises(Protected):
        take(member, as_guide(ann))
    leave(bob)
    take(member, as_guide(ann))
    assert told(member.id) == [(bob.id, "LEFT"), (ann.id, None)]


def test_guide_takes_for_nobody_else_and_others_name_the_guide(
    store: Store, ann: Guide, bob: Guide
) -> None:
    member = make_member(store)
    refused(Forbidden, "guide_id", lambda: take(member, as_guide(ann), guide_id=bob.id))
    refused(Required, "guide_id", lambda: take(member, manager_of(store)))
    take(member, manager_of(store), guide_id=bob.id)
    assert told(member.id) == [(bob.id, None)]


def test_guide_with_a_token_of_an_old_store_takes_nobody_there(
    store: Store, other_store: Store, ann: Guide
) -> None:
    member, token = make_member(store), as_guide(ann)
    moved = service.GuideMove(guide_id=ann.id, store_id=other_store.id)
    service.move_guide(moved, viewer=HEADQUARTERS, clock=CLOCK)
    refused(NotFound, "guide_id", lambda: take(member, token))


def test_member_who_moved_is_of_the_store_they_moved_to(
    store: Store, other_store: Store, ann: Guide
) -> None:
    member, there = make_member(store, guide_id=ann.id), make_guide(other_store, "卡")
    member_service.update(Update(id=member.id, store_id=other_store.id), viewer=SYSTEM)
    bob = make_guide(store, "波")
    refused(NotFound, "member", lambda: take(member, as_guide(bob), on_day(90)))
    take(member, as_guide(there), on_day(90))
    assert told(member.id) == [(ann.id, "TAKEN_OVER"), (there.id, None)]


# --- release and expiry ----------------------------------------------------------------------


def test_released_member_has_no_guide_and_stays_in_the_store(store: Store, ann: Guide) -> None:
    member = make_member(store, guide_id=ann.id)
    released = release(member, manager_of(store), on_day(1))
    assert (released.guide_id, released.guide_since, released.guide_source) == (None, None, None)
    assert (released.guide_protected_until, released.store_id) == (None, store.id)
    [term] = history(member.id)
    assert (term.end_reason, term.ended_at) == ("BY_HAND", NOW + timedelta(days=1))
    before = everything()
    release(member, manager_of(store), on_day(2))
    assert everything() == before


def test_ownership_that_ran_out_is_over_before_it_is_ended(
    store: Store, ann: Guide, bob: Guide
) -> None:
    member = make_member(store)
    assign(member, ann, valid_until=date(2018, 1, 15))
    assert member_now(member.id).owned_on(date(2018, 1, 15)) is not None
    assert member_now(member.id).owned_on(date(2018, 1, 16)) is None
    before = everything()
    release(member, SYSTEM, on_day(6))
    assert everything() == before
    take(member, as_guide(bob), on_day(6))  # protected to February, had it not run out
    assert told(member.id) == [(ann.id, "EXPIRED"), (bob.id, None)]
    assert history(member.id)[0].ended_at == datetime(2018, 1, 15, 16, 0, tzinfo=UTC)


def test_guide_gets_back_a_member_whose_time_ran_out(store: Store, ann: Guide) -> None:
    member = make_member(store)
    assign(member, ann, valid_until=date(2018, 1, 15))
    take(member, as_guide(ann), on_day(6))
    assert told(member.id) == [(ann.id, "EXPIRED"), (ann.id, None)]


# --- what else follows -----------------------------------------------------------------------


def test_policy_in_force_decides_and_its_version_is_recorded(store: Store, ann: Guide) -> None:
    document = {"protectionDays": 2, "validDays": 10}
    draft = PolicyDraft(kind=PolicyKind.OWNERSHIP, document=document)
    policies.draft(draft, viewer=SYSTEM, clock=CLOCK)
    publish = PolicyPublish(kind=PolicyKind.OWNERSHIP, draft_version=1)
    policies.publish(publish, viewer=SYSTEM, clock=CLOCK)
    assigned = assign(make_member(store), ann)
    enrolled = make_member(store, guide_id=ann.id)
    for member in (assigned, enrolled):
        assert member.guide_protected_until == date(2018, 1, 12)
        assert member.guide_valid_until == date(2018, 1, 20)
        assert [term.policy_version for term in history(member.id)] == [1]


def test_order_has_the_guide_who_looked_after_the_member_when_it_was_recorded(
    store: Store, ann: Guide, bob: Guide
) -> None:
    member = make_member(store)

    def exclusive_guide(days: int) -> str | None:
        snapshot = make_snapshot(store, member_id=member.id)
        return orders.apply(snapshot, clock=on_day(days)).order.exclusive_guide_id

    assert exclusive_guide(0) is None
    assign(member, ann, valid_until=date(2018, 1, 15))
    assert [exclusive_guide(days) for days in (0, 5, 6)] == [ann.id, ann.id, None]
    take(member, as_guide(bob), on_day(6))
    assert exclusive_guide(6) == bob.id


def test_busy_member_is_a_conflict_and_nothing_is_written(
    store: Store, ann: Guide, impatient: None
) -> None:
    member = make_member(store)
    member_service.lock(member.id, "job", clock=CLOCK)
    before = everything()
    with pytest.raises(Conflict):
        assign(member, ann)
    with pytest.raises(Conflict):
        take(member, as_guide(ann))
    assert everything() == before
    take(member, as_guide(ann), Clock(wall=lambda: NOW + member_service.LOCK))
    assert told(member.id) == [(ann.id, None)]
