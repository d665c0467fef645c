"""One at a time, and the newest stays."""

from datetime import timedelta

import pytest

from graphql_api import tables
from graphql_api.connectors import models, repository, turns
from graphql_api.connectors.errors import Later
from graphql_api.connectors.models import ConnectorsItem
from graphql_api.connectors.turns import turn_of
from graphql_api.kit.time import real_now


@pytest.fixture(autouse=True)
def table(aws_account: str) -> None:
    tables.create_all([ConnectorsItem])


def test_older_is_stale_once_newer_was_applied() -> None:
    seen = []
    for version in (5, 4, 5, 6, None):
        with turn_of("vsh_x", "CUSTOMER", "c1", version) as turn:
            seen.append(turn.is_stale)
    assert seen == [False, True, False, False, False]
    with turn_of("vsh_x", "CUSTOMER", "c2", 4) as turn:
        assert not turn.is_stale
    with turn_of("vsh_x", "POINTS", "c1", 4) as turn:
        assert not turn.is_stale


def test_what_failed_leaves_the_version_and_lets_go() -> None:
    with pytest.raises(ZeroDivisionError), turn_of("vsh_x", "CUSTOMER", "c1", 7):
        raise ZeroDivisionError
    with turn_of("vsh_x", "CUSTOMER", "c1", 6) as turn:
        assert not turn.is_stale


def test_second_waits_while_the_first_is_at_it_and_no_longer_than_its_lease(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = real_now()
    with turn_of("vsh_x", "CUSTOMER", "c1", 1):
        with pytest.raises(Later), turn_of("vsh_x", "CUSTOMER", "c1", 2):
            pass
        monkeypatch.setattr(turns, "real_now", lambda: now + timedelta(minutes=5))
        with turn_of("vsh_x", "CUSTOMER", "c1", 3):
            pass
    # The first was too late: what the second applied stays.
    position = models.position_id("vsh_x", "CUSTOMER", "c1")
    taken = repository.hold(position, "me", at=now + timedelta(hours=1), until=now)
    assert taken is not None
    assert taken.applied == 3
