"""Commands on guides."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from graphql_api.errors import Conflict, Forbidden, ForbiddenTransition, Invalid, NotFound, Taken
from graphql_api.guides import repository, service
from graphql_api.guides.models import Guide, GuidesItem
from graphql_api.guides.rules import GuideStatus
from graphql_api.guides.service import GuideCreate, GuideStatusSet, GuideUpdate
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock
from graphql_api.policies.rules import PolicyKind
from graphql_api.stores import repository as store_repository
from graphql_api.stores import service as stores
from graphql_api.stores.models import HEADQUARTERS_ID, Store
from graphql_api.viewer import SYSTEM, Role, Viewer
from tests.factories import CLOCK
from tests.guides.factories import make_guide
from tests.policies.factories import make_draft, publish
from tests.stores.factories import make_store

UNKNOWN_STORE = ids.derived_id("sto", "nowhere")
UNKNOWN_GUIDE = ids.derived_id("gde", "nobody")


@pytest.fixture
def store(chain: str) -> Store:
    return make_store("S1")


@pytest.fixture
def elsewhere(store: Store) -> Viewer:
    """The manager of another store."""
    return Viewer(Role.STORE_MANAGER, id="mgr_2", store_ids=frozenset({make_store("S2").id}))


def manager_of(store: Store) -> Viewer:
    return Viewer(Role.STORE_MANAGER, id="mgr_1", store_ids=frozenset({store.id}))


def everything_stored() -> list[dict[str, Any]]:
    found = [item.serialize() for item in GuidesItem.scan()]
    return sorted(found, key=lambda item: str(item["id"]))


def stored(guide_id: str) -> Guide:
    guide = repository.get(guide_id)
    assert guide is not None
    return guide


def names_in(store: Store) -> list[str]:
    page = repository.page_of_store(store.id, first=100, after=None, reverse=False)
    return [guide.name for guide in page.items]


def set_status(guide: Guide, status: str, clock: Clock, viewer: Viewer = SYSTEM) -> Guide:
    change = GuideStatusSet(id=guide.id, status=GuideStatus(status))
    return service.set_status(change, viewer=viewer, clock=clock)


def test_guide_is_stored_as_given(store: Store, clock: Clock) -> None:
    new = GuideCreate(
        store_id=store.id, name=" 王芳 ", wecom_user_id="WangFang", employed_on=date(2017, 6, 1)
    )
    made = service.create(new, viewer=manager_of(store), clock=clock)
    guide = stored(made.id)
    assert ids.prefix_of(guide.id) == "gde"
    assert (guide.name, guide.store_id, guide.wecom_user_id) == ("王芳", store.id, "WangFang")
    assert (guide.status, guide.employed_on) == ("ACTIVE", date(2017, 6, 1))
    assert (guide.created_at, guide.left_at, guide.version) == (clock.now(), None, 1)
    assert repository.id_by_wecom_user_id("WangFang") == guide.id


def test_guides_of_a_store_come_by_name_in_both_directions(store: Store) -> None:
    for name in ("丙", "乙", "丁"):
        make_guide(store, name)
    assert names_in(store) == ["丁", "丙", "乙"]
    first = repository.page_of_store(store.id, first=2, after=None, reverse=True)
    assert ([g.name for g in first.items], first.more) == (["乙", "丙"], True)
    rest = repository.page_of_store(store.id, first=2, after=first.places[-1], reverse=True)
    assert ([g.name for g in rest.items], rest.more) == (["丁"], False)


def test_guides_of_the_same_name_are_two(store: Store) -> None:
    make_guide(store, "王芳", wecom_user_id="wf1")
    make_guide(store, "王芳", wecom_user_id="wf2")
    assert names_in(store) == ["王芳", "王芳"]


@pytest.mark.parametrize("user_id", ["WangFang", "wangfang"])
def test_wecom_user_id_in_use_is_refused_whatever_its_case(store: Store, user_id: str) -> None:
    make_guide(store, "王芳", wecom_user_id="WangFang")
    before = everything_stored()
    with pytest.raises(Taken) as refusal:
        make_guide(store, "王方", wecom_user_id=user_id)
    assert refusal.value.field == ("input", "wecom_user_id")
    assert everything_stored() == before


@pytest.mark.parametrize("store_id", [UNKNOWN_STORE, HEADQUARTERS_ID, "chain", ""])
def test_guide_of_no_store_is_refused(store: Store, clock: Clock, store_id: str) -> None:
    new = GuideCreate(store_id=store_id, name="王芳", wecom_user_id="wf")
    with pytest.raises(NotFound) as refusal:
        service.create(new, viewer=SYSTEM, clock=clock)
    assert refusal.value.field == ("input", "store_id")
    assert everything_stored() == []


def test_guide_of_an_archived_store_is_refused(store: Store, clock: Clock) -> None:
    stores.archive_store(store.id, viewer=SYSTEM, clock=clock)
    with pytest.raises(ForbiddenTransition) as refusal:
        make_guide(store)
    assert refusal.value.field == ("input", "store_id")
    assert everything_stored() == []


def test_store_archived_while_a_guide_is_hired_refuses_the_guide(
    store: Store, clock: Clock
) -> None:
    gone = ForbiddenTransition("gone")

    def attempt(tx: Transaction) -> None:
        store_repository.require_live_store(tx, store.id, gone=gone)
        guide = Guide(UNKNOWN_GUIDE, store_id=store.id, name="王芳", wecom_user_id="wf")
        guide.status = GuideStatus.ACTIVE
        guide.created_at = clock.now()
        repository.create(tx, guide, wecom_taken=Taken("taken"))
        stores.archive_store(store.id, viewer=SYSTEM, clock=clock)

    with pytest.raises(ForbiddenTransition, match="gone"):
        transact(attempt)
    assert everything_stored() == []


def test_guide_is_not_hired_for_a_store_out_of_reach(
    store: Store, elsewhere: Viewer, clock: Clock
) -> None:
    new = GuideCreate(store_id=store.id, name="王芳", wecom_user_id="wf")
    with pytest.raises(NotFound) as refusal:
        service.create(new, viewer=elsewhere, clock=clock)
    assert refusal.value.field == ("input", "store_id")
    assert everything_stored() == []


@pytest.mark.parametrize("user_id", ["", "-wf", "w f", "王芳", "w" * 65])
def test_wecom_user_id_is_what_wecom_allows(user_id: str) -> None:
    with pytest.raises(ValidationError):
        GuideCreate(store_id=UNKNOWN_STORE, name="王芳", wecom_user_id=user_id)


def test_guide_keeps_what_a_change_does_not_name(store: Store) -> None:
    guide = make_guide(store, "王芳", wecom_user_id="wf", employed_on=date(2017, 6, 1))
    renamed = service.update(GuideUpdate(id=guide.id, name="王方"), viewer=manager_of(store))
    assert (renamed.name, renamed.wecom_user_id) == ("王方", "wf")
    assert (renamed.employed_on, renamed.version) == (date(2017, 6, 1), 2)
    cleared = service.update(GuideUpdate(id=guide.id, employed_on=None), viewer=SYSTEM)
    assert (cleared.name, cleared.employed_on, cleared.version) == ("王方", None, 3)
    assert stored(guide.id).serialize() == cleared.serialize()


def test_renamed_guide_moves_in_the_list(store: Store) -> None:
    guide = make_guide(store, "A")
    make_guide(store, "B")
    service.update(GuideUpdate(id=guide.id, name="C"), viewer=SYSTEM)
    assert names_in(store) == ["B", "C"]


@pytest.mark.parametrize("name", ["name", "wecom_user_id"])
def test_what_a_guide_must_have_cannot_be_null(store: Store, name: str) -> None:
    guide = make_guide(store)
    before = everything_stored()
    with pytest.raises(Invalid) as refusal:
        service.update(GuideUpdate.model_validate({"id": guide.id, name: None}), viewer=SYSTEM)
    assert refusal.value.field == ("input", name)
    assert everything_stored() == before


def test_new_wecom_user_id_frees_the_old_one(store: Store) -> None:
    guide = make_guide(store, "王芳", wecom_user_id="wf")
    service.update(GuideUpdate(id=guide.id, wecom_user_id="wang.fang"), viewer=SYSTEM)
    assert repository.id_by_wecom_user_id("wf") is None
    assert repository.id_by_wecom_user_id("wang.fang") == guide.id


def test_wecom_user_id_changes_its_case(store: Store) -> None:
    guide = make_guide(store, "王芳", wecom_user_id="wf")
    changed = service.update(GuideUpdate(id=guide.id, wecom_user_id="WF"), viewer=SYSTEM)
    assert (changed.wecom_user_id, changed.version) == ("WF", 2)
    assert repository.id_by_wecom_user_id("wf") == guide.id


def test_wecom_user_id_of_another_guide_is_refused(store: Store) -> None:
    make_guide(store, "王芳", wecom_user_id="wf")
    other = make_guide(store, "李雷", wecom_user_id="ll")
    before = everything_stored()
    with pytest.raises(Taken) as refusal:
        service.update(GuideUpdate(id=other.id, name="改", wecom_user_id="wf"), viewer=SYSTEM)
    assert refusal.value.field == ("input", "wecom_user_id")
    assert everything_stored() == before


def test_passed_version_is_a_conflict(store: Store) -> None:
    guide = make_guide(store)
    service.update(GuideUpdate(id=guide.id, name="王方", expected_version=1), viewer=SYSTEM)
    before = everything_stored()
    with pytest.raises(Conflict) as refusal:
        service.update(GuideUpdate(id=guide.id, name="王圆", expected_version=1), viewer=SYSTEM)
    assert refusal.value.field == ("input", "expected_version")
    assert everything_stored() == before


@pytest.mark.parametrize("guide_id", [UNKNOWN_GUIDE, UNKNOWN_STORE, "wecom#wf", ""])
def test_unknown_guide_is_not_found(store: Store, clock: Clock, guide_id: str) -> None:
    make_guide(store, "王芳", wecom_user_id="wf")
    before = everything_stored()
    with pytest.raises(NotFound) as refusal:
        service.update(GuideUpdate(id=guide_id, name="改"), viewer=SYSTEM)
    assert refusal.value.field == ("input", "id")
    leaving = GuideStatusSet(id=guide_id, status=GuideStatus.LEFT)
    with pytest.raises(NotFound):
        service.set_status(leaving, viewer=SYSTEM, clock=clock)
    assert everything_stored() == before


def test_guide_of_another_store_is_not_found(store: Store, elsewhere: Viewer, clock: Clock) -> None:
    guide = make_guide(store)
    before = everything_stored()
    with pytest.raises(NotFound):
        service.update(GuideUpdate(id=guide.id, name="改"), viewer=elsewhere)
    with pytest.raises(NotFound):
        set_status(guide, "LEFT", clock, elsewhere)
    assert everything_stored() == before


def test_stopped_guide_stays_in_the_list_and_returns(store: Store, clock: Clock) -> None:
    guide = make_guide(store, "王芳")
    stopped = set_status(guide, "STOPPED", clock, manager_of(store))
    assert (stopped.status, stopped.left_at, stopped.version) == ("STOPPED", None, 2)
    assert names_in(store) == ["王芳"]
    returned = set_status(guide, "ACTIVE", clock)
    assert (returned.status, returned.version) == ("ACTIVE", 3)


def test_guide_does_not_return_to_an_archived_store(store: Store, clock: Clock) -> None:
    guide = make_guide(store)
    set_status(guide, "STOPPED", clock)
    stores.archive_store(store.id, viewer=SYSTEM, clock=clock)
    before = everything_stored()
    with pytest.raises(ForbiddenTransition) as refusal:
        set_status(guide, "ACTIVE", clock)
    assert refusal.value.field == ("input", "status")
    assert everything_stored() == before


def test_who_leaves_is_out_of_the_list_and_frees_the_wecom_user_id(
    store: Store, clock: Clock
) -> None:
    guide = make_guide(store, "王芳", wecom_user_id="wf")
    left = set_status(guide, "LEFT", clock)
    assert (left.status, left.left_at, left.version) == ("LEFT", clock.now(), 2)
    assert stored(guide.id).wecom_user_id == "wf"
    assert names_in(store) == []
    assert repository.id_by_wecom_user_id("wf") is None
    again = make_guide(store, "王芳", wecom_user_id="wf")
    assert repository.id_by_wecom_user_id("wf") == again.id


@pytest.mark.parametrize("status", ["ACTIVE", "STOPPED"])
def test_who_left_does_not_come_back(store: Store, clock: Clock, status: str) -> None:
    guide = make_guide(store)
    set_status(guide, "LEFT", clock)
    before = everything_stored()
    with pytest.raises(ForbiddenTransition) as refusal:
        set_status(guide, status, clock)
    assert refusal.value.field == ("input", "status")
    assert everything_stored() == before


def test_who_left_is_not_changed(store: Store, clock: Clock) -> None:
    guide = make_guide(store, "王芳", wecom_user_id="wf")
    set_status(guide, "LEFT", clock)
    successor = make_guide(store, "李雷", wecom_user_id="wf")
    before = everything_stored()
    with pytest.raises(ForbiddenTransition):
        service.update(GuideUpdate(id=guide.id, wecom_user_id="other"), viewer=SYSTEM)
    assert everything_stored() == before
    assert repository.id_by_wecom_user_id("wf") == successor.id


@pytest.mark.parametrize("status", GuideStatus)
def test_same_status_again_changes_nothing(store: Store, clock: Clock, status: str) -> None:
    guide = make_guide(store)
    set_status(guide, status, clock)
    before = everything_stored()
    later = Clock(wall=clock.wall, offset_days=1)
    set_status(guide, status, later)
    assert everything_stored() == before


def test_headquarters_give_a_level_and_a_manager_does_not(store: Store) -> None:
    guide = make_guide(store, level=3)
    assert stored(guide.id).level == 3
    raised = service.update(GuideUpdate(id=guide.id, level=12), viewer=SYSTEM)
    assert (raised.level, raised.version) == (12, 2)
    before = everything_stored()
    for level in (4, None):
        with pytest.raises(Forbidden) as refusal:
            service.update(GuideUpdate(id=guide.id, level=level), viewer=manager_of(store))
        assert refusal.value.field == ("input", "level")
    with pytest.raises(Forbidden):
        service.create(
            GuideCreate(store_id=store.id, name="王方", wecom_user_id="wf", level=2),
            viewer=manager_of(store),
            clock=CLOCK,
        )
    assert everything_stored() == before
    assert service.update(GuideUpdate(id=guide.id, level=None), viewer=SYSTEM).level is None


def test_level_is_one_of_the_policy_in_force(store: Store) -> None:
    guide = make_guide(store)
    before = everything_stored()
    with pytest.raises(Invalid) as refusal:
        service.update(GuideUpdate(id=guide.id, level=13), viewer=SYSTEM)
    assert refusal.value.field == ("input", "level")
    assert everything_stored() == before
    document = {"growthFrom": 4, "professionalFrom": 9, "highest": 15}
    publish(make_draft(PolicyKind.GUIDE_LEVELS, document))
    assert service.update(GuideUpdate(id=guide.id, level=13), viewer=SYSTEM).level == 13
