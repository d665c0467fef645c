"""One token for a shop, got by one at a time; and so many calls in a second, whoever calls."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from graphql_api import tables
from graphql_api.connectors import rates, repository, tokens
from graphql_api.connectors.errors import Later, NotSetUp
from graphql_api.connectors.models import ConnectorsItem, Shop, shop_id
from graphql_api.connectors.rules import Vendor
from graphql_api.connectors.tokens import Fresh, StaleToken, Tokens
from graphql_api.kit.time import real_now

SHOP = Shop(shop_id(Vendor.YOUZAN, "1001"))
LIFE = timedelta(hours=10)


@pytest.fixture(autouse=True)
def table(aws_account: str) -> None:
    tables.create_all([ConnectorsItem])


class Peer:
    """Gives tokens, and knows the last one."""

    def __init__(self, life: timedelta = LIFE) -> None:
        self.asked = 0
        self.life = life
        self.known: str | None = None

    def ask(self) -> Fresh:
        self.asked += 1
        self.known = f"secret-{self.asked}"
        return Fresh(self.known, real_now() + self.life)

    def call(self, token: str) -> str:
        if token != self.known:
            raise StaleToken
        return token


def test_token_is_asked_for_once_by_all_processes() -> None:
    vendor = Peer()
    one, other = Tokens(), Tokens()
    assert [each.use(SHOP, vendor.ask, vendor.call) for each in (one, other, one)] == [
        "secret-1"
    ] * 3
    assert vendor.asked == 1
    kept = repository.get_token(SHOP.id)
    assert kept is not None
    assert "secret-1" not in str(kept.attribute_values)


def test_two_at_once_ask_once() -> None:
    vendor = Peer()
    begun, told = threading.Event(), []

    def slowly() -> Fresh:
        begun.set()
        return vendor.ask()

    threads = [
        threading.Thread(target=lambda: told.append(Tokens().use(SHOP, slowly, vendor.call)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (told, vendor.asked, begun.is_set()) == (["secret-1"] * 4, 1, True)


def test_token_is_replaced_at_four_fifths_of_its_life(monkeypatch: pytest.MonkeyPatch) -> None:
    vendor, now = Peer(), real_now()
    holder = Tokens()
    for hours, asked in [(0, 1), (7.9, 1), (8.1, 2), (15, 2)]:
        monkeypatch.setattr(tokens, "real_now", lambda h=hours: now + timedelta(hours=h))
        vendor.life = LIFE + timedelta(hours=hours)
        holder.use(SHOP, vendor.ask, vendor.call)
        assert vendor.asked == asked


def test_old_one_is_used_while_somebody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    vendor, now = Peer(), real_now()
    Tokens().use(SHOP, vendor.ask, vendor.call)
    kept = repository.get_token(SHOP.id)
    assert kept is not None
    later = now + timedelta(hours=9)
    monkeypatch.setattr(tokens, "real_now", lambda: later)
    until = later + timedelta(seconds=20)
    assert repository.ask_token(SHOP.id, "other", seen=kept.got_at, at=later, until=until)
    assert Tokens().use(SHOP, vendor.ask, vendor.call) == "secret-1"
    assert vendor.asked == 1


def test_who_asked_and_died_is_waited_for_no_longer_than_its_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vendor, now = Peer(), real_now()
    monkeypatch.setattr(tokens, "_LOOKED_AGAIN", 0)
    until = now + tokens.ASKED_FOR
    assert repository.ask_token(SHOP.id, "dead", seen=None, at=now, until=until)
    with pytest.raises(Later):
        Tokens().use(SHOP, vendor.ask, vendor.call)
    monkeypatch.setattr(tokens, "real_now", lambda: until + timedelta(seconds=1))
    assert Tokens().use(SHOP, vendor.ask, vendor.call) == "secret-1"


def test_failure_to_ask_lets_the_next_one_try_at_once() -> None:
    vendor = Peer()

    def fails() -> Fresh:
        raise NotSetUp("token 1000")

    with pytest.raises(NotSetUp):
        Tokens().use(SHOP, fails, vendor.call)
    assert Tokens().use(SHOP, vendor.ask, vendor.call) == "secret-1"


def test_token_that_the_vendor_forgot_is_replaced_once() -> None:
    vendor, holder = Peer(), Tokens()
    holder.use(SHOP, vendor.ask, vendor.call)
    vendor.known = "another"
    assert holder.use(SHOP, vendor.ask, vendor.call) == "secret-2"

    def never(_: str) -> Any:
        raise StaleToken

    with pytest.raises(NotSetUp):
        holder.use(SHOP, vendor.ask, never)


def test_withdrawing_an_old_token_leaves_the_new_one() -> None:
    vendor, one, other = Peer(), Tokens(), Tokens()
    one.use(SHOP, vendor.ask, vendor.call)
    other.use(SHOP, vendor.ask, vendor.call)
    vendor.known = None
    assert one.use(SHOP, vendor.ask, vendor.call) == "secret-2"
    assert other.use(SHOP, vendor.ask, vendor.call) == "secret-2"
    assert vendor.asked == 2


# --- rates -----------------------------------------------------------------------------------


class Wall:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.at = datetime(2018, 6, 1, 12, 0, 0, 250_000, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def test_call_beyond_the_second_waits_for_the_next_and_beyond_that_comes_later() -> None:
    wall = Wall()

    def take(api: str = "tags") -> None:
        rates.take(SHOP.id, api, 5, now=wall.now, sleep=wall.sleep)

    begun = wall.at
    for _ in range(5):
        take()
    assert wall.at == begun
    take()
    assert wall.at == begun + timedelta(seconds=0.75)
    take("points")
    assert wall.at == begun + timedelta(seconds=0.75)
    wall.at = begun
    for _ in range(4):
        take()
        wall.at = begun
    with pytest.raises(Later):
        take()


def test_shops_and_seconds_are_counted_apart() -> None:
    at = datetime(2018, 6, 1, 12, tzinfo=UTC)
    assert [repository.count_call("vsh_a", "tags", at, at_most=2) for _ in range(3)] == [
        True,
        True,
        False,
    ]
    assert repository.count_call("vsh_b", "tags", at, at_most=2)
    assert repository.count_call("vsh_a", "tags", at + timedelta(seconds=1), at_most=2)
