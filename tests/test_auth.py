"""Tokens, and how far their holders reach."""

import pytest

from graphql_api import auth
from graphql_api.kit.time import Clock
from graphql_api.stores import service
from graphql_api.stores.models import HEADQUARTERS_ID
from graphql_api.stores.rules import UnitKind
from graphql_api.viewer import ANONYMOUS, SCOPES, SYSTEM, Role, Viewer
from tests.stores.factories import make_store, make_unit

pytestmark = pytest.mark.usefixtures("database")


def viewer(role: Role, unit_id: str | None = None) -> Viewer:
    return auth.viewer_of(auth.issue(role, "p_1", unit_id=unit_id))


def test_no_token_is_nobody() -> None:
    assert auth.viewer_of(None) == ANONYMOUS


def test_token_says_who_holds_it() -> None:
    token = auth.issue(Role.INTEGRATION, "key_1", scopes=frozenset({"orders:write"}))
    assert auth.viewer_of(token) == Viewer(
        Role.INTEGRATION, id="key_1", scopes=frozenset({"orders:write"})
    )


def test_unknown_scope_is_not_issued() -> None:
    with pytest.raises(ValueError, match="everything"):
        auth.issue(Role.INTEGRATION, "key_1", scopes=SCOPES | {"everything"})


@pytest.mark.parametrize("role", [Role.GUIDE, Role.STORE_MANAGER])
def test_store_staff_need_a_store(role: Role) -> None:
    with pytest.raises(ValueError, match="belongs to a store"):
        auth.issue(role, "p_1")


@pytest.mark.parametrize("role", [Role.GUIDE, Role.STORE_MANAGER])
def test_store_staff_reach_their_own_store(role: Role) -> None:
    found = viewer(role, "sto_1")
    assert (found.store_ids, found.unit_id) == (frozenset({"sto_1"}), "sto_1")
    assert found.reaches_store("sto_1")
    assert not found.reaches_store("sto_2")
    assert not found.reaches_store(None)


@pytest.mark.parametrize("role", [Role.MEMBER, Role.INTEGRATION, Role.OPERATOR])
def test_others_are_not_bound_to_stores(role: Role) -> None:
    assert viewer(role).store_ids is None


def test_headquarters_reach_the_whole_chain() -> None:
    assert viewer(Role.OPERATOR, HEADQUARTERS_ID).store_ids is None


@pytest.mark.usefixtures("chain")
def test_region_operator_reaches_the_stores_of_the_subtree() -> None:
    east, north = make_unit("华东"), make_unit("华北")
    agent = make_unit("苏州代理", under=east.id, kind=UnitKind.AGENT)
    below = make_unit("昆山代理", under=agent.id, kind=UnitKind.AGENT)
    make_store("HQ")
    make_store("N1", under=north.id)
    inside = [make_store(f"E{n}", under=u.id).id for n, u in enumerate((east, agent, below))]
    assert viewer(Role.OPERATOR, east.id).store_ids == frozenset(inside)
    assert viewer(Role.OPERATOR, agent.id).store_ids == frozenset(inside[1:])


@pytest.mark.usefixtures("chain")
def test_archived_store_is_out_of_reach_of_its_region(clock: Clock) -> None:
    region = make_unit("华东")
    kept, closed = make_store("E1", under=region.id), make_store("E2", under=region.id)
    service.archive_store(closed.id, viewer=SYSTEM, clock=clock)
    assert viewer(Role.OPERATOR, region.id).store_ids == frozenset({kept.id})


@pytest.mark.usefixtures("chain")
@pytest.mark.parametrize("unit_id", ["org_unknown", "", "sto_1"])
def test_operator_of_no_unit_reaches_nothing(unit_id: str) -> None:
    make_store("S1")
    assert viewer(Role.OPERATOR, unit_id).store_ids == frozenset()
