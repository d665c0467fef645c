"""A new deployment becomes a chain, by whoever logs in first."""

import pytest
from pydantic import ValidationError

from graphql_api import auth
from graphql_api.errors import Forbidden, ForbiddenTransition
from graphql_api.kit.time import Clock
from graphql_api.stores import repository, service
from graphql_api.stores.models import HEADQUARTERS_ID, StoresItem
from graphql_api.stores.service import ChainSetUp
from graphql_api.viewer import Role, Viewer
from tests.conftest import Client
from tests.factories import CLOCK

pytestmark = pytest.mark.usefixtures("database")

FIRST = Viewer(Role.OPERATOR, id="stf_1")
SET_UP = """mutation ($input: ChainSetUpInput!) { chainSetUp(input: $input) {
  unit { id kind name } userErrors { code field } } }"""


def everything_stored() -> list[str]:
    return sorted(str(item.serialize()) for item in StoresItem.scan(consistent_read=True))


def test_new_deployment_gets_its_chain_once(send: Client) -> None:
    token = auth.issue(Role.OPERATOR, "stf_1")
    assert send("{ organisation { name } }", token=token) == {"organisation": None}
    given = {"name": "一号连锁", "zone": "Asia/Urumqi"}
    begun = {"unit": {"id": HEADQUARTERS_ID, "kind": "HQ", "name": "一号连锁"}, "userErrors": []}
    assert send(SET_UP, token=token, input=given)["chainSetUp"] == begun
    assert send("{ organisation { name } }", token=token) == {"organisation": {"name": "一号连锁"}}
    assert service.clock() == Clock(zone="Asia/Urumqi")
    before = everything_stored()
    assert send(SET_UP, token=token, input=given)["chainSetUp"] == begun
    assert everything_stored() == before


@pytest.mark.parametrize("other", [{"name": "二号连锁"}, {"zone": "Asia/Shanghai"}])
def test_chain_that_stands_takes_no_other_name_or_zone(other: dict[str, str]) -> None:
    given = {"name": "一号连锁", "zone": "Asia/Urumqi"}
    service.begin(ChainSetUp.model_validate(given), viewer=FIRST, clock=CLOCK)
    before = everything_stored()
    with pytest.raises(ForbiddenTransition):
        service.begin(ChainSetUp.model_validate(given | other), viewer=FIRST, clock=CLOCK)
    assert everything_stored() == before


def test_region_sets_no_chain_up() -> None:
    region = Viewer(Role.OPERATOR, id="stf_2", unit_id="org_1", store_ids=frozenset())
    with pytest.raises(Forbidden):
        service.begin(ChainSetUp(name="一号连锁"), viewer=region, clock=CLOCK)
    assert repository.chain() is None


def test_zone_is_one_that_there_is() -> None:
    with pytest.raises(ValidationError, match="no time zone"):
        ChainSetUp(name="一号连锁", zone="Asia/Peking")
    assert ChainSetUp(name="一号连锁").zone == "Asia/Shanghai"
