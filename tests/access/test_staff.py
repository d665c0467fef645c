"""Staff accounts: made, changed, disabled, by headquarters only."""

from datetime import datetime
from typing import Any

import pytest
from pydantic import ValidationError

from graphql_api.access import repository
from graphql_api.access.models import StaffAccount
from graphql_api.access.service import staff
from graphql_api.access.service.staff import StaffAccountCreate, StaffAccountUpdate
from graphql_api.errors import Conflict, Forbidden, ForbiddenTransition, Invalid, NotFound, Taken
from graphql_api.kit import ids
from graphql_api.kit.time import Clock
from graphql_api.stores import service as stores
from graphql_api.stores.models import HEADQUARTERS_ID, Store
from graphql_api.viewer import MANAGE_STAFF, SCOPES, SEE_PERSONAL_DATA, SYSTEM, Role, Viewer
from tests.access.factories import CLOCK, make_account, stored_access
from tests.factories import make_store, make_unit

HEAD = Viewer(Role.OPERATOR, id="opr_1", scopes=frozenset({MANAGE_STAFF}))
STRANGERS = [
    Viewer(Role.OPERATOR, id="opr_2", scopes=SCOPES - {MANAGE_STAFF}),
    Viewer(Role.OPERATOR, id="opr_3", store_ids=frozenset(), scopes=SCOPES),
    Viewer(Role.STORE_MANAGER, id="stf_1", scopes=SCOPES),
    Viewer(Role.INTEGRATION, id="key_1", scopes=SCOPES),
]


def stored(account_id: str) -> StaffAccount:
    account = repository.get_account(account_id)
    assert account is not None
    return account


def update(account: StaffAccount, **given: Any) -> StaffAccount:
    return staff.update(StaffAccountUpdate(id=account.id, **given), viewer=HEAD)


def disable(account: StaffAccount, at: datetime, viewer: Viewer = HEAD) -> StaffAccount:
    return staff.disable(account.id, viewer=viewer, clock=CLOCK, at=at)


def test_account_is_stored_as_given(store: Store, clock: Clock) -> None:
    new = StaffAccountCreate(
        name=" 周总 ",
        wecom_user_id="ZhouZong",
        role=Role.STORE_MANAGER,
        unit_id=store.id,
        scopes=frozenset({SEE_PERSONAL_DATA}),
    )
    account = stored(staff.create(new, viewer=HEAD, clock=clock).id)
    assert ids.prefix_of(account.id) == "stf"
    assert (account.name, account.wecom_user_id, account.number) == ("周总", "ZhouZong", 1)
    assert (account.role, account.unit_id) == (Role.STORE_MANAGER, store.id)
    assert (account.store_id, account.org_unit_id) == (store.id, None)
    assert account.scopes == [SEE_PERSONAL_DATA]
    assert (account.created_at, account.disabled_at, account.version) == (clock.now(), None, 1)
    assert repository.account_id_by_wecom_user_id("zhouzong") == account.id


def test_accounts_are_listed_by_number_disabled_ones_too(chain: str, at: datetime) -> None:
    accounts = [make_account(name) for name in ("丙", "甲", "乙")]
    disable(accounts[1], at)
    page = repository.page_of_accounts(first=2, after=None, reverse=False)
    assert ([a.name for a in page.items], page.more) == (["丙", "甲"], True)
    rest = repository.page_of_accounts(first=2, after=page.places[-1], reverse=False)
    assert ([a.name for a in rest.items], rest.more) == (["乙"], False)
    back = repository.page_of_accounts(first=100, after=None, reverse=True)
    assert [a.name for a in back.items] == ["乙", "甲", "丙"]


def test_wecom_user_id_in_use_is_refused_whatever_its_case(chain: str) -> None:
    make_account(wecom_user_id="ZhouZong")
    before = [i for i in stored_access() if i["id"]["S"] != "counter"]
    for user_id in ("ZhouZong", "zhouzong"):
        with pytest.raises(Taken) as refusal:
            make_account("别人", wecom_user_id=user_id)
        assert refusal.value.field == ("input", "wecom_user_id")
    assert [i for i in stored_access() if i["id"]["S"] != "counter"] == before


def test_unit_fits_the_role_and_works(store: Store, clock: Clock) -> None:
    closed, region = make_store("S2"), make_unit("华东")
    stores.archive_store(closed.id, viewer=SYSTEM, clock=clock)
    stores.archive_unit(region.id, viewer=SYSTEM, clock=clock)
    manager, operator = Role.STORE_MANAGER, Role.OPERATOR
    for role, unit_id in ((manager, HEADQUARTERS_ID), (operator, store.id), (manager, "nowhere")):
        with pytest.raises(NotFound) as refusal:
            make_account(role=role, unit_id=unit_id)
        assert refusal.value.field == ("input", "unit_id")
    for role, unit_id in ((manager, closed.id), (operator, region.id)):
        with pytest.raises(ForbiddenTransition) as refusal_:
            make_account(role=role, unit_id=unit_id)
        assert refusal_.value.field == ("input", "unit_id")
    assert [i["id"]["S"] for i in stored_access()] == ["counter"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " "},
        {"wecom_user_id": "王"},
        {"role": Role.GUIDE},
        {"role": Role.INTEGRATION},
        {"scopes": {"everything"}},
        {"unit_id": None},
    ],
    ids=str,
)
def test_wrong_account_is_refused(wrong: dict[str, Any]) -> None:
    given = {
        "name": "周总",
        "wecom_user_id": "zz",
        "role": Role.OPERATOR,
        "unit_id": "org",
        **wrong,
    }
    with pytest.raises(ValidationError):
        StaffAccountCreate.model_validate(given)


def test_account_keeps_what_a_change_does_not_name(store: Store) -> None:
    account = make_account("周总", wecom_user_id="ZhouZong", scopes={SEE_PERSONAL_DATA})
    changed = update(account, name="周董")
    assert (changed.name, changed.wecom_user_id, changed.version) == ("周董", "ZhouZong", 2)
    assert (changed.scopes, changed.unit_id) == ([SEE_PERSONAL_DATA], HEADQUARTERS_ID)
    emptied = update(account, scopes=frozenset())
    assert (emptied.name, emptied.scopes) == ("周董", [])
    assert stored(account.id).serialize() == emptied.serialize()


def test_role_and_unit_move_together(store: Store) -> None:
    account = make_account()
    before = stored_access()
    with pytest.raises(NotFound):
        update(account, role=Role.STORE_MANAGER)
    assert stored_access() == before
    moved = update(account, role=Role.STORE_MANAGER, unit_id=store.id)
    assert (moved.role, moved.store_id) == (Role.STORE_MANAGER, store.id)


def test_account_of_a_store_that_closed_can_still_be_renamed(store: Store, clock: Clock) -> None:
    account = make_account(role=Role.STORE_MANAGER, unit_id=store.id)
    stores.archive_store(store.id, viewer=SYSTEM, clock=clock)
    assert update(account, name="改").name == "改"


def test_new_wecom_user_id_frees_the_old_one(chain: str) -> None:
    account = make_account(wecom_user_id="ZhouZong")
    update(account, wecom_user_id="zhou")
    assert repository.account_id_by_wecom_user_id("ZhouZong") is None
    assert repository.account_id_by_wecom_user_id("ZHOU") == account.id
    assert update(account, wecom_user_id="Zhou").wecom_user_id == "Zhou"


def test_what_an_account_must_have_cannot_be_null(chain: str) -> None:
    account = make_account()
    before = stored_access()
    for name in ("name", "wecom_user_id", "role", "unit_id", "scopes"):
        with pytest.raises(Invalid) as refusal:
            update(account, **{name: None})
        assert refusal.value.field == ("input", name)
    assert stored_access() == before


def test_passed_version_is_a_conflict(chain: str) -> None:
    account = make_account()
    update(account, name="改", expected_version=1)
    before = stored_access()
    with pytest.raises(Conflict) as refusal:
        update(account, name="又", expected_version=1)
    assert refusal.value.field == ("input", "expected_version")
    assert stored_access() == before


def test_unknown_account_is_not_found(chain: str, at: datetime) -> None:
    make_account(wecom_user_id="zz")
    before = stored_access()
    for account_id in (ids.derived_id("stf", "nobody"), "wecom#zz", "", "stf_1"):
        with pytest.raises(NotFound):
            staff.update(StaffAccountUpdate(id=account_id, name="改"), viewer=HEAD)
        with pytest.raises(NotFound):
            staff.disable(account_id, viewer=HEAD, clock=CLOCK, at=at)
        with pytest.raises(NotFound):
            staff.enable(account_id, viewer=HEAD)
    assert stored_access() == before


def test_disabling_and_enabling_twice_changes_nothing(chain: str, at: datetime) -> None:
    account = make_account(wecom_user_id="ZhouZong")
    assert disable(account, at).disabled_at == CLOCK.now()
    before = stored_access()
    disable(account, at)
    assert stored_access() == before
    assert repository.account_id_by_wecom_user_id("ZhouZong") == account.id
    assert staff.enable(account.id, viewer=HEAD).disabled_at is None
    before = stored_access()
    staff.enable(account.id, viewer=HEAD)
    assert stored_access() == before


def test_nobody_disables_themselves(chain: str, at: datetime) -> None:
    account = make_account()
    before = stored_access()
    myself = Viewer(Role.OPERATOR, id=account.id, scopes=frozenset({MANAGE_STAFF}))
    with pytest.raises(ForbiddenTransition):
        disable(account, at, myself)
    assert stored_access() == before


def test_manager_of_a_closed_store_is_not_enabled(store: Store, at: datetime, clock: Clock) -> None:
    account = make_account(role=Role.STORE_MANAGER, unit_id=store.id)
    disable(account, at)
    stores.archive_store(store.id, viewer=SYSTEM, clock=clock)
    before = stored_access()
    with pytest.raises(ForbiddenTransition) as refusal:
        staff.enable(account.id, viewer=HEAD)
    assert refusal.value.field == ("id",)
    assert stored_access() == before


def test_others_manage_no_accounts(chain: str, at: datetime) -> None:
    account = make_account()
    before = stored_access()
    new = StaffAccountCreate(
        name="x", wecom_user_id="x", role=Role.OPERATOR, unit_id=HEADQUARTERS_ID
    )
    for viewer in STRANGERS:
        with pytest.raises(Forbidden):
            staff.create(new, viewer=viewer, clock=CLOCK)
        with pytest.raises(Forbidden):
            staff.update(StaffAccountUpdate(id=account.id, name="x"), viewer=viewer)
        with pytest.raises(Forbidden):
            disable(account, at, viewer)
        with pytest.raises(Forbidden):
            staff.enable(account.id, viewer=viewer)
    assert stored_access() == before
