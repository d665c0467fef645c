"""What a shop lacked comes: messages that were given up for want of it are followed again."""

from typing import Any

import pytest

from graphql_api.connectors import queueing, repository, service
from graphql_api.connectors.models import Shop
from graphql_api.connectors.queueing import Follow, Wake
from graphql_api.connectors.rules import LinkKind, MessageState, Problem, Vendor
from graphql_api.connectors.service import ShopChange
from graphql_api.connectors.tasks.handling import handle, wake
from graphql_api.stores.models import Store
from graphql_api.viewer import SYSTEM
from tests.connectors.youzan.conftest import link
from tests.connectors.youzan.samples import PAID, trade
from tests.connectors.youzan.vendor import Youzan, headers
from tests.factories import CLOCK, NOW, make_store

GET = "youzan.trade.get"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was queued."""
    bodies: list[Any] = []
    monkeypatch.setattr(queueing, "_send", lambda _, wanted, *__: bodies.extend(wanted))
    return bodies


def follow_all(sent: list[Any]) -> None:
    """Do what the queue says until it says nothing, some time after the push."""
    while sent:
        wanted = sent.pop(0)
        if isinstance(wanted, Follow):
            handle(wanted, now=lambda: NOW, clock=lambda: CLOCK)
        elif isinstance(wanted, Wake):
            wake(wanted, now=lambda: NOW)


def given_up(shop: Shop, sent: list[Any], youzan: Youzan) -> str:
    """A message of a store that is not linked, given up; its id."""
    told = trade()
    info = told["full_order_info"]["order_info"]
    info |= dict.fromkeys(["created", "pay_time", "update_time"], "2018-01-10 11:00:00")
    info["node_kdt_id"] = 777
    youzan.answers[GET] = told
    service.receive(Vendor.YOUZAN, headers(PAID), PAID, at=NOW)
    message_id: str = sent[-1].message
    follow_all(sent)
    assert state(message_id) == (MessageState.DEAD, Problem.NOT_LINKED, "STORE 777")
    return message_id


def state(message_id: str) -> tuple[MessageState, Problem | None, str | None]:
    message = repository.get_message(message_id)
    assert message is not None
    return message.state, message.problem, message.detail


HANDLED = (MessageState.HANDLED, None, None)


@pytest.fixture
def known_here(shop: Shop, youzan: Youzan) -> Shop:
    """The root of the messages of the samples is linked."""
    youzan.root = "74234"
    root = service.ShopLink(
        vendor=Vendor.YOUZAN, vendor_key="74234", client_id=shop.client_id, name="总部"
    )
    return service.link(root, viewer=SYSTEM, at=NOW)


@pytest.mark.parametrize("key", ["777", "777#offline001"])
def test_link_of_a_store_wakes_what_lacked_it(
    known_here: Shop, sent: list[Any], youzan: Youzan, key: str
) -> None:
    message_id = given_up(known_here, sent, youzan)
    link(known_here, LinkKind.STORE, "778", make_store("S8").id)
    follow_all(sent)
    assert state(message_id)[0] is MessageState.DEAD
    link(known_here, LinkKind.STORE, key, make_store("S9").id)
    follow_all(sent)
    assert state(message_id) == HANDLED


def test_default_store_wakes_what_lacked_a_store(
    known_here: Shop, store: Store, sent: list[Any], youzan: Youzan
) -> None:
    message_id = given_up(known_here, sent, youzan)
    service.change(ShopChange(id=known_here.id, name="新"), viewer=SYSTEM, at=NOW)
    assert sent == []
    change = ShopChange(id=known_here.id, default_store_id=store.id)
    service.change(change, viewer=SYSTEM, at=NOW)
    follow_all(sent)
    assert state(message_id) == HANDLED
