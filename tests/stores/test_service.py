"""Commands on the chain, its organisation tree and its stores."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from graphql_api.errors import (
    AppError,
    Conflict,
    Forbidden,
    ForbiddenTransition,
    Invalid,
    NotFound,
    Taken,
)
from graphql_api.kit import ids
from graphql_api.kit.positions import Position
from graphql_api.kit.time import Clock
from graphql_api.stores import repository, service
from graphql_api.stores.models import HEADQUARTERS_ID, OrgUnit, Store, StoresItem
from graphql_api.stores.rules import Opening, OperatingStage, StoreFormat, StoreGrade, UnitKind
from graphql_api.viewer import SYSTEM, Role, Viewer
from tests.calls import counted
from tests.stores.factories import CREATED, make_store, make_unit

pytestmark = pytest.mark.usefixtures("chain")

UNKNOWN_UNIT = ids.derived_id("org", "nowhere")
UNKNOWN_STORE = ids.derived_id("sto", "nowhere")
ELSEWHERE = Viewer(Role.OPERATOR, id="opr_2", store_ids=frozenset())


def manager_of(store_id: str) -> Viewer:
    return Viewer(Role.STORE_MANAGER, id="mgr_1", store_ids=frozenset({store_id}))


def everything_stored() -> list[dict[str, Any]]:
    found = [item.serialize() for item in StoresItem.scan()]
    return sorted(found, key=lambda item: str(item["id"]))


def names_of_all() -> list[str]:
    page = repository.page_of_all(first=100, after=None, reverse=False)
    return [store.name for store in page.items]


def test_second_set_up_gives_the_chain_that_is_there(clock: Clock) -> None:
    before = everything_stored()
    chain = service.set_up_chain("另一个", zone="UTC", offset_days=7, clock=clock)
    assert (chain.name, chain.zone, chain.clock_offset_days) == ("测试连锁", "Asia/Shanghai", 0)
    assert everything_stored() == before


def test_clock_is_that_of_the_chain() -> None:
    stored = repository.chain()
    assert stored is not None
    stored.zone = "America/New_York"
    stored.clock_offset_days = -3000
    assert repository.save_chain(stored)
    assert service.clock() == Clock(zone="America/New_York", offset_days=-3000)


def test_chain_is_not_saved_over_a_newer_version() -> None:
    mine, theirs = repository.chain(), repository.chain()
    assert mine is not None
    assert theirs is not None
    theirs.name = "先到"
    assert repository.save_chain(theirs)
    mine.name = "后到"
    assert not repository.save_chain(mine)
    kept = repository.chain()
    assert kept is not None
    assert kept.name == "先到"


def test_unit_is_stored_as_given(clock: Clock) -> None:
    new = service.UnitCreate(
        kind=UnitKind.AGENT,
        name=" 苏州代理 ",
        parent_id=HEADQUARTERS_ID,
        partner_level=2,
        partner_growth=300,
    )
    unit = service.create_unit(new, viewer=SYSTEM, clock=clock)
    stored = repository.get_unit(unit.id)
    assert stored is not None
    assert (stored.kind, stored.name, stored.parent_id) == ("AGENT", "苏州代理", HEADQUARTERS_ID)
    assert (stored.partner_level, stored.partner_growth) == (2, 300)
    assert (stored.created_at, stored.archived_at, stored.version) == (clock.now(), None, 1)


@pytest.mark.parametrize("parent_id", [UNKNOWN_UNIT, UNKNOWN_STORE, "chain", ""])
def test_unit_under_nothing_is_refused(clock: Clock, parent_id: str) -> None:
    before = everything_stored()
    new = service.UnitCreate(kind=UnitKind.REGION, name="华东", parent_id=parent_id)
    with pytest.raises(NotFound) as refusal:
        service.create_unit(new, viewer=SYSTEM, clock=clock)
    assert refusal.value.field == ("input", "parent_id")
    assert everything_stored() == before


def test_region_under_an_agent_is_refused(clock: Clock) -> None:
    agent = make_unit("代理", kind=UnitKind.AGENT)
    before = everything_stored()
    new = service.UnitCreate(kind=UnitKind.REGION, name="区", parent_id=agent.id)
    with pytest.raises(Invalid) as refusal:
        service.create_unit(new, viewer=SYSTEM, clock=clock)
    assert refusal.value.field == ("input", "kind")
    assert everything_stored() == before


def test_tree_is_at_most_eight_units_deep() -> None:
    at = HEADQUARTERS_ID
    for depth in range(2, 9):
        at = make_unit(f"第{depth}层", under=at).id
    with pytest.raises(Invalid) as refusal:
        make_unit("第9层", under=at)
    assert refusal.value.field == ("input", "parent_id")
    assert len(repository.inner_tree()) == 8


def test_lineage_is_the_units_above_nearest_first_and_takes_a_batch_a_level() -> None:
    east, north = make_unit("华东"), make_unit("华北")
    shanghai = make_unit("上海", under=east.id)
    deep, flat = make_store("S1", under=shanghai.id), make_store("S2")
    wanted = [flat.id, deep.id, north.id, HEADQUARTERS_ID, UNKNOWN_STORE, deep.id]
    with counted() as calls:
        found = repository.lineages(wanted)
    above = (shanghai.id, east.id, HEADQUARTERS_ID)
    assert found == [(HEADQUARTERS_ID,), above, (HEADQUARTERS_ID,), (), (), above]
    # The places asked for; Shanghai; the east. Headquarters were asked for.
    assert calls == {"BatchGetItem": 3}
    assert repository.lineages([]) == []


def test_unit_keeps_what_a_change_does_not_name() -> None:
    unit = make_unit("华东")
    service.update_unit(service.UnitUpdate(id=unit.id, partner_level=3), viewer=SYSTEM)
    changed = service.update_unit(service.UnitUpdate(id=unit.id, name="华中"), viewer=SYSTEM)
    assert (changed.name, changed.partner_level, changed.version) == ("华中", 3, 3)
    cleared = service.update_unit(service.UnitUpdate(id=unit.id, partner_level=None), viewer=SYSTEM)
    assert (cleared.name, cleared.partner_level) == ("华中", None)


def test_unit_without_a_name_is_refused() -> None:
    unit = make_unit("华东")
    before = everything_stored()
    with pytest.raises(Invalid) as refusal:
        service.update_unit(service.UnitUpdate(id=unit.id, name=None), viewer=SYSTEM)
    assert refusal.value.field == ("input", "name")
    assert everything_stored() == before


def test_unit_renamed_moves_in_the_list() -> None:
    first, second = make_unit("A"), make_unit("B")
    service.update_unit(service.UnitUpdate(id=first.id, name="C"), viewer=SYSTEM)
    page = repository.units_under(HEADQUARTERS_ID, first=5, after=None, reverse=False)
    assert [(u.id, u.name) for u in page.items] == [(second.id, "B"), (first.id, "C")]


def test_unit_with_anything_under_it_is_not_archived(clock: Clock) -> None:
    region = make_unit()
    make_store(under=region.id)
    before = everything_stored()
    with pytest.raises(ForbiddenTransition) as refusal:
        service.archive_unit(region.id, viewer=SYSTEM, clock=clock)
    assert refusal.value.field == ("id",)
    assert everything_stored() == before


def test_headquarters_are_not_archived(clock: Clock) -> None:
    with pytest.raises(ForbiddenTransition):
        service.archive_unit(HEADQUARTERS_ID, viewer=SYSTEM, clock=clock)


def test_archived_unit_leaves_the_tree_and_a_second_time_changes_nothing(clock: Clock) -> None:
    region = make_unit()
    archived = service.archive_unit(region.id, viewer=SYSTEM, clock=clock)
    assert (archived.archived_at, archived.version) == (clock.now(), 2)
    assert repository.inner_tree() == {HEADQUARTERS_ID: None}
    later = Clock(wall=clock.wall, offset_days=1)
    again = service.archive_unit(region.id, viewer=SYSTEM, clock=later)
    assert (again.archived_at, again.version) == (clock.now(), 2)


def test_store_is_stored_as_given(clock: Clock) -> None:
    new = service.StoreCreate(
        code="SH-001",
        name=" 人民广场店 ",
        parent_id=HEADQUARTERS_ID,
        format=StoreFormat.MALL,
        city="上海",
        address="南京西路 1 号",
        phone="+862112345678",
        position=service.Position(latitude=31.2304, longitude=121.4737),
        hours=[
            service.Hours(weekday=2, opens="10:00", closes="22:00"),
            service.Hours(weekday=1, opens="10:00", closes="22:00"),
        ],
        pickup=True,
        opened_on=date(2017, 5, 1),
    )
    made = service.create_store(new, viewer=SYSTEM, clock=clock)
    stored = repository.get(made.id)
    assert stored is not None
    assert (stored.code, stored.name, stored.number) == ("SH-001", "人民广场店", 1)
    assert (stored.format, stored.city, stored.address) == ("MALL", "上海", "南京西路 1 号")
    assert (stored.phone, stored.pickup, stored.opened_on) == (
        "+862112345678",
        True,
        date(2017, 5, 1),
    )
    assert (stored.latitude, stored.longitude) == (31.2304, 121.4737)
    assert stored.hours == [Opening(1, "10:00", "22:00"), Opening(2, "10:00", "22:00")]
    assert (stored.created_at, stored.archived_at, stored.version) == (clock.now(), None, 1)


def test_store_with_little_said_has_the_defaults() -> None:
    store = repository.get(make_store().id)
    assert store is not None
    assert (store.format, store.pickup, store.hours, store.position) == ("STREET", False, [], None)
    assert store.created_at == CREATED


def test_stores_are_numbered_in_the_order_of_creation() -> None:
    assert [make_store(code).number for code in ("C", "A", "B")] == [1, 2, 3]
    assert names_of_all() == ["C 店", "A 店", "B 店"]


def test_code_in_use_is_refused_before_a_number_is_taken() -> None:
    make_store("S1")
    before = everything_stored()
    with pytest.raises(Taken) as refusal:
        make_store("S1")
    assert refusal.value.field == ("input", "code")
    assert everything_stored() == before


def test_store_under_an_archived_unit_is_refused(clock: Clock) -> None:
    region = make_unit()
    service.archive_unit(region.id, viewer=SYSTEM, clock=clock)
    with pytest.raises(ForbiddenTransition) as refusal:
        make_store(under=region.id)
    assert refusal.value.field == ("input", "parent_id")
    assert names_of_all() == []
    assert repository.id_by_code("S1") is None


def test_store_keeps_what_a_change_does_not_name() -> None:
    store = make_store(city="上海", address="南京西路 1 号", pickup=True)
    change = service.StoreUpdate(id=store.id, name="新名", city=None)
    changed = service.update_store(change, viewer=SYSTEM)
    assert (changed.name, changed.city, changed.address) == ("新名", None, "南京西路 1 号")
    assert (changed.pickup, changed.version) == (True, 2)
    stored = repository.get(store.id)
    assert stored is not None
    assert stored.serialize() == changed.serialize()


def test_new_code_frees_the_old_one() -> None:
    store = make_store("S1")
    service.update_store(service.StoreUpdate(id=store.id, code="S2"), viewer=SYSTEM)
    assert (repository.id_by_code("S1"), repository.id_by_code("S2")) == (None, store.id)
    assert make_store("S1").number == 2


def test_code_of_another_store_is_refused() -> None:
    make_store("S1")
    other = make_store("S2")
    before = everything_stored()
    with pytest.raises(Taken):
        service.update_store(service.StoreUpdate(id=other.id, code="S1", name="改"), viewer=SYSTEM)
    assert everything_stored() == before


def test_passed_version_is_a_conflict() -> None:
    store = make_store()
    service.update_store(service.StoreUpdate(id=store.id, city="上海"), viewer=SYSTEM)
    before = everything_stored()
    stale = service.StoreUpdate(id=store.id, city="北京", expected_version=1)
    with pytest.raises(Conflict) as refusal:
        service.update_store(stale, viewer=SYSTEM)
    assert refusal.value.field == ("input", "expected_version")
    assert everything_stored() == before


def test_store_moves_to_another_unit() -> None:
    east, north = make_unit("华东"), make_unit("华北")
    store = make_store(under=east.id)
    change = service.StoreUpdate(id=store.id, parent_id=north.id)
    assert service.update_store(change, viewer=SYSTEM).parent_id == north.id
    assert repository.store_ids_under([east.id]) == frozenset()
    assert repository.store_ids_under([north.id]) == frozenset({store.id})


def test_manager_changes_phone_hours_and_pick_up_of_their_store() -> None:
    store = make_store()
    change = service.StoreUpdate(
        id=store.id,
        phone="+862112345678",
        pickup=True,
        hours=[service.Hours(weekday=7, opens="00:00", closes="24:00")],
        expected_version=1,
    )
    changed = service.update_store(change, viewer=manager_of(store.id))
    assert (changed.phone, changed.pickup) == ("+862112345678", True)
    assert changed.hours == [Opening(7, "00:00", "24:00")]


def test_manager_does_not_rename_their_store() -> None:
    store = make_store()
    before = everything_stored()
    change = service.StoreUpdate(id=store.id, name="我的店", pickup=True)
    with pytest.raises(Forbidden) as refusal:
        service.update_store(change, viewer=manager_of(store.id))
    assert refusal.value.field == ("input", "name")
    assert everything_stored() == before


def test_store_of_another_manager_is_not_found() -> None:
    mine, theirs = make_store("S1"), make_store("S2")
    before = everything_stored()
    change = service.StoreUpdate(id=theirs.id, pickup=True)
    with pytest.raises(NotFound):
        service.update_store(change, viewer=manager_of(mine.id))
    assert everything_stored() == before


def test_operator_of_a_region_does_not_change_the_organisation(clock: Clock) -> None:
    region, store = make_unit(), make_store()
    before = everything_stored()
    unit = service.UnitCreate(kind=UnitKind.REGION, name="区", parent_id=region.id)
    new = service.StoreCreate(code="S2", name="店", parent_id=region.id)
    with pytest.raises(Forbidden):
        service.create_unit(unit, viewer=ELSEWHERE, clock=clock)
    with pytest.raises(Forbidden):
        service.update_unit(service.UnitUpdate(id=region.id, name="区"), viewer=ELSEWHERE)
    with pytest.raises(Forbidden):
        service.archive_unit(region.id, viewer=ELSEWHERE, clock=clock)
    with pytest.raises(Forbidden):
        service.create_store(new, viewer=ELSEWHERE, clock=clock)
    with pytest.raises(Forbidden):
        service.archive_store(store.id, viewer=ELSEWHERE, clock=clock)
    with pytest.raises(NotFound):
        service.update_store(service.StoreUpdate(id=store.id, name="店"), viewer=ELSEWHERE)
    assert everything_stored() == before


def test_archived_store_leaves_every_list_and_keeps_its_code(clock: Clock) -> None:
    region = make_unit()
    store = make_store(under=region.id)
    archived = service.archive_store(store.id, viewer=SYSTEM, clock=clock)
    assert (archived.archived_at, archived.version) == (clock.now(), 2)
    assert names_of_all() == []
    assert repository.store_ids_under([region.id]) == frozenset()
    assert repository.id_by_code("S1") == store.id


def test_archive_and_restore_change_nothing_the_second_time(clock: Clock) -> None:
    store = make_store()
    for _ in range(2):
        assert service.archive_store(store.id, viewer=SYSTEM, clock=clock).version == 2
    for _ in range(2):
        restored = service.restore_store(store.id, viewer=SYSTEM, clock=clock)
        assert (restored.archived_at, restored.version) == (None, 3)
    assert names_of_all() == ["S1 店"]


def test_store_is_not_restored_under_an_archived_unit(clock: Clock) -> None:
    region = make_unit()
    store = make_store(under=region.id)
    service.archive_store(store.id, viewer=SYSTEM, clock=clock)
    service.archive_unit(region.id, viewer=SYSTEM, clock=clock)
    before = everything_stored()
    with pytest.raises(ForbiddenTransition):
        service.restore_store(store.id, viewer=SYSTEM, clock=clock)
    assert everything_stored() == before


def test_opening_after_closing_is_refused() -> None:
    with pytest.raises(ValidationError, match="split an interval at midnight"):
        service.Hours(weekday=1, opens="20:00", closes="02:00")


def test_overlapping_hours_are_refused() -> None:
    first = service.Hours(weekday=3, opens="09:00", closes="12:00")
    second = service.Hours(weekday=3, opens="11:00", closes="13:00")
    with pytest.raises(ValidationError, match="weekday 3 overlap at 11:00"):
        service.StoreUpdate(id=UNKNOWN_STORE, hours=[first, second])


def test_reach_of_a_region_follows_the_tree_at_once_where_it_is_changed(
    chain: str, clock: Clock
) -> None:
    region, other = make_unit("华东"), make_unit("华南")
    first = make_store("S1", under=region.id)
    assert service.reach(Role.OPERATOR, region.id) == {first.id}
    second = make_store("S2", under=region.id)
    assert service.reach(Role.OPERATOR, region.id) == {first.id, second.id}
    service.update_store(service.StoreUpdate(id=first.id, parent_id=other.id), viewer=SYSTEM)
    assert service.reach(Role.OPERATOR, region.id) == {second.id}
    service.archive_store(second.id, viewer=SYSTEM, clock=clock)
    assert service.reach(Role.OPERATOR, region.id) == set()
    service.restore_store(second.id, viewer=SYSTEM, clock=clock)
    assert service.reach(Role.OPERATOR, region.id) == {second.id}


# --- moving and reopening units ---------------------------------------------------------------


def move(unit_id: str, parent_id: str | None) -> OrgUnit:
    return service.update_unit(service.UnitUpdate(id=unit_id, parent_id=parent_id), viewer=SYSTEM)


def test_unit_moves_with_all_that_stands_under_it() -> None:
    east, north = make_unit("华东"), make_unit("华北")
    shanghai = make_unit("上海", under=east.id)
    store = make_store(under=shanghai.id)
    assert service.reach(Role.OPERATOR, north.id) == set()
    moved = move(shanghai.id, north.id)
    assert (moved.parent_id, moved.version) == (north.id, 2)
    assert repository.lineages([store.id]) == [(shanghai.id, north.id, HEADQUARTERS_ID)]
    assert service.reach(Role.OPERATOR, north.id) == {store.id}
    assert service.reach(Role.OPERATOR, east.id) == set()
    assert repository.units_under(east.id, first=5, after=None, reverse=False).items == []


@pytest.mark.parametrize(
    ("which", "under", "error", "field"),
    [
        ("east", "east", ForbiddenTransition, "parent_id"),
        ("east", "shanghai", ForbiddenTransition, "parent_id"),
        ("hq", "east", ForbiddenTransition, "parent_id"),
        ("east", "agent", Invalid, "kind"),
        ("east", "closed", ForbiddenTransition, "parent_id"),
        ("east", "nowhere", NotFound, "parent_id"),
        ("east", "deep", Invalid, "parent_id"),
        ("east", None, Invalid, "parent_id"),
    ],
)
def test_unit_is_not_moved_to_where_it_cannot_stand(
    which: str, under: str | None, error: type[AppError], field: str, clock: Clock
) -> None:
    east = make_unit("华东")
    closed = make_unit("旧区")
    service.archive_unit(closed.id, viewer=SYSTEM, clock=clock)
    deep = HEADQUARTERS_ID
    for n in range(6):
        deep = make_unit(f"{n}", under=deep).id
    known = {
        "hq": HEADQUARTERS_ID,
        "east": east.id,
        "shanghai": make_unit("上海", under=east.id).id,
        "agent": make_unit("代理", kind=UnitKind.AGENT).id,
        "closed": closed.id,
        "deep": deep,
        "nowhere": UNKNOWN_UNIT,
    }
    before = everything_stored()
    with pytest.raises(error) as refusal:
        move(known[which], under and known[under])
    assert refusal.value.field == ("input", field)
    assert everything_stored() == before


def test_two_moves_at_once_do_not_put_each_unit_under_the_other() -> None:
    east, north = make_unit("华东"), make_unit("华北")

    def moved(pair: tuple[str, str]) -> bool:
        try:
            move(*pair)
        except ForbiddenTransition:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(moved, [(east.id, north.id), (north.id, east.id)]))
    assert sorted(done) == [False, True]
    assert len(repository.inner_tree()) == 3


def test_closed_unit_is_reopened_under_a_unit_that_works(clock: Clock) -> None:
    east = make_unit("华东")
    shanghai = make_unit("上海", under=east.id)
    service.archive_unit(shanghai.id, viewer=SYSTEM, clock=clock)
    service.archive_unit(east.id, viewer=SYSTEM, clock=clock)
    before = everything_stored()
    with pytest.raises(ForbiddenTransition) as refusal:
        service.restore_unit(shanghai.id, viewer=SYSTEM)
    assert (refusal.value.field, everything_stored()) == (("id",), before)
    service.restore_unit(east.id, viewer=SYSTEM)
    restored = service.restore_unit(shanghai.id, viewer=SYSTEM)
    assert (restored.archived_at, restored.version) == (None, 3)
    assert shanghai.id in repository.inner_tree()
    assert service.restore_unit(shanghai.id, viewer=SYSTEM).version == 3
    with pytest.raises(Forbidden):
        service.restore_unit(shanghai.id, viewer=ELSEWHERE)


# --- grade, stage, position -------------------------------------------------------------------


def test_headquarters_grade_a_store_and_its_manager_does_not() -> None:
    store = make_store()
    assert (store.grade, store.stage) == (None, OperatingStage.ACQUIRING)
    change = service.StoreUpdate(id=store.id, grade=StoreGrade.S, stage=OperatingStage.REFINED)
    changed = service.update_store(change, viewer=SYSTEM)
    assert (changed.grade, changed.stage) == (StoreGrade.S, OperatingStage.REFINED)
    cleared = service.StoreUpdate(id=store.id, grade=None, stage=None)
    changed = service.update_store(cleared, viewer=SYSTEM)
    assert (changed.grade, changed.stage) == (None, OperatingStage.REFINED)
    with pytest.raises(Forbidden) as refusal:
        service.update_store(change, viewer=manager_of(store.id))
    assert refusal.value.field == ("input", "grade")


BUND = Position(31.2397, 121.4998)


def test_stores_near_a_position_are_the_nearest_first(clock: Clock) -> None:
    def at(code: str, latitude: float, longitude: float) -> Store:
        return make_store(code, position={"latitude": latitude, "longitude": longitude})

    people_square, bund, hongqiao = (
        at("S1", 31.2304, 121.4737),
        at("S2", 31.2400, 121.4900),
        at("S3", 31.1979, 121.3363),
    )
    closed = at("S4", 31.2397, 121.4998)
    make_store("S5")
    service.archive_store(closed.id, viewer=SYSTEM, clock=clock)

    with counted() as calls:
        near = repository.nearest(BUND, within_metres=5_000, first=10)
    assert [(one.store.id, one.metres) for one in near] == [
        (bund.id, 932),
        (people_square.id, 2_688),
    ]
    assert calls == {"Query": 4, "BatchGetItem": 1}
    far = repository.nearest(BUND, within_metres=20_000, first=10)
    assert [one.store.id for one in far] == [bund.id, people_square.id, hongqiao.id]
    assert len(repository.nearest(BUND, within_metres=20_000, first=1)) == 1
    gone = service.StoreUpdate(id=bund.id, position=None)
    service.update_store(gone, viewer=SYSTEM)
    near = repository.nearest(BUND, within_metres=5_000, first=10)
    assert [one.store.id for one in near] == [people_square.id]
