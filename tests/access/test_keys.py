"""API keys: shown once, kept as hashes, rotated with a grace, revoked, and noted when used."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from graphql_api import auth
from graphql_api.access import repository, tokens
from graphql_api.access.models import ApiKey
from graphql_api.access.service import keys
from graphql_api.access.service.keys import ApiKeyCreate, ApiKeyRotate, IssuedKey
from graphql_api.config import settings
from graphql_api.errors import Forbidden, ForbiddenTransition, Invalid, NotFound
from graphql_api.kit import ids
from graphql_api.kit.time import real_now
from graphql_api.viewer import MANAGE_KEYS, READ_MEMBERS, SCOPES, SYSTEM, Role, Viewer
from tests.access.factories import CLOCK, make_key, stored_access
from tests.calls import counted

HEAD = Viewer(Role.OPERATOR, id="opr_1", scopes=frozenset({MANAGE_KEYS}))
HOUR = timedelta(hours=1)
STRANGERS = [
    Viewer(Role.OPERATOR, id="opr_2", scopes=SCOPES - {MANAGE_KEYS}),
    Viewer(Role.OPERATOR, id="opr_3", store_ids=frozenset(), scopes=SCOPES),
    Viewer(Role.STORE_MANAGER, id="stf_1", scopes=SCOPES),
    Viewer(Role.INTEGRATION, id="key_1", scopes=SCOPES),
]


class Wall:
    """The real clock as authentication reads it, moved at will."""

    def __init__(self) -> None:
        self.now = real_now()

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    moved = Wall()
    monkeypatch.setattr(auth, "real_now", moved)
    return moved


def stored(key_id: str) -> ApiKey:
    key = repository.get_key(key_id)
    assert key is not None
    return key


def works(text: str) -> bool:
    try:
        auth.viewer_of(text)
    except auth.BadToken:
        return False
    return True


def rotate(issued: IssuedKey, hours: int = 0, at: datetime | None = None) -> IssuedKey:
    given = ApiKeyRotate(id=issued.api_key.id, grace_hours=hours)
    return keys.rotate(given, viewer=HEAD, at=at or real_now())


def test_key_is_stored_as_given_and_opens_its_scopes(chain: str, at: datetime) -> None:
    new = ApiKeyCreate(name=" 收银系统 ", scopes=frozenset({READ_MEMBERS, MANAGE_KEYS}))
    issued = keys.create(new, viewer=HEAD, clock=CLOCK, at=at)
    key = stored(issued.api_key.id)
    assert (key.name, key.created_by) == ("收银系统", "opr_1")
    assert key.scopes == sorted([READ_MEMBERS, MANAGE_KEYS])
    assert (key.expires_on, key.last_used_at, key.revoked_at) == (None, None, None)
    assert abs(key.created_at - at) < timedelta(milliseconds=1)
    assert auth.viewer_of(issued.key) == Viewer(
        Role.INTEGRATION, id=key.id, scopes=frozenset({READ_MEMBERS, MANAGE_KEYS})
    )


def test_secrets_are_nowhere_in_the_table(chain: str) -> None:
    issued = make_key()
    rotated = rotate(issued, 24)
    assert works(issued.key)
    assert works(rotated.key)
    text = str(stored_access())
    for key in (issued, rotated):
        secret = key.key.partition(".")[2]
        assert len(secret) == 43
        assert secret not in text
        assert secret not in repr(key)


def test_other_secrets_do_not_open_a_key(chain: str) -> None:
    issued, other = make_key(), make_key("别的")
    id_, _, secret = issued.key.partition(".")
    wrong = [
        tokens.key_text(id_, tokens.new_secret()),
        tokens.key_text(other.api_key.id, secret),
        tokens.key_text(ids.new_id("key"), secret),
        tokens.key_text(id_, issued.api_key.secret_hash.partition(".")[2][:43]),
        issued.key[:-1],
        f"{issued.key}x",
        issued.key.upper(),
    ]
    before = stored_access()
    assert [works(text) for text in wrong] == [False] * len(wrong)
    assert stored_access() == before


def test_rotated_key_opens_by_both_secrets_until_the_grace_is_over(chain: str, wall: Wall) -> None:
    issued = make_key()
    new = rotate(issued, 24, wall.now)
    assert new.api_key.id == issued.api_key.id
    assert new.api_key.old_secret_until == wall.now + 24 * HOUR
    wall.now += 24 * HOUR - timedelta(seconds=1)
    assert (works(issued.key), works(new.key)) == (True, True)
    wall.now += timedelta(seconds=1)
    assert (works(issued.key), works(new.key)) == (False, True)


def test_rotation_without_a_grace_voids_the_old_secret_at_once(chain: str) -> None:
    issued = make_key()
    new = rotate(issued)
    assert (works(issued.key), works(new.key)) == (False, True)
    assert new.api_key.old_secret_until is None


def test_second_rotation_voids_the_secret_before_the_last(chain: str) -> None:
    first = make_key()
    second = rotate(first, 72)
    third = rotate(first, 72)
    assert [works(key.key) for key in (first, second, third)] == [False, True, True]


@pytest.mark.parametrize("hours", [-1, 73])
def test_grace_is_three_days_at_most(hours: int) -> None:
    with pytest.raises(ValidationError):
        ApiKeyRotate(id="key_1", grace_hours=hours)


def test_revoked_key_opens_nothing_and_is_not_rotated(chain: str, at: datetime) -> None:
    issued = make_key()
    old = issued.key
    new = rotate(issued, 72)
    keys.revoke(issued.api_key.id, viewer=HEAD, at=at)
    assert (works(old), works(new.key)) == (False, False)
    before = stored_access()
    keys.revoke(issued.api_key.id, viewer=HEAD, at=at + HOUR)
    with pytest.raises(ForbiddenTransition):
        rotate(issued)
    assert stored_access() == before


def test_key_works_to_the_end_of_its_last_day_in_the_chains_zone(chain: str, wall: Wall) -> None:
    wall.now = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
    issued = make_key(at=wall.now, expires_on=date(2026, 5, 1))
    assert works(issued.key)
    wall.now = datetime(2026, 5, 1, 15, 59, 59, tzinfo=UTC)
    assert works(issued.key)
    wall.now = datetime(2026, 5, 1, 16, 0, tzinfo=UTC)
    assert not works(issued.key)


def test_last_day_is_not_in_the_past(chain: str) -> None:
    at = datetime(2026, 5, 1, 16, 0, tzinfo=UTC)
    with pytest.raises(Invalid) as refusal:
        make_key(at=at, expires_on=date(2026, 5, 1))
    assert refusal.value.field == ("input", "expires_on")
    assert stored_access() == []


@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"name": "x" * 81}, {"scopes": []}, {"scopes": ["everything"]}], ids=str
)
def test_wrong_key_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ApiKeyCreate.model_validate({"name": "x", "scopes": [READ_MEMBERS], **wrong})


def test_use_is_noted_once_an_hour(chain: str, wall: Wall) -> None:
    issued = make_key()
    noted = []
    for _ in range(3):
        wall.now += timedelta(minutes=30)
        assert works(issued.key)
        noted.append(stored(issued.api_key.id).last_used_at)
    first = noted[0]
    assert first is not None
    assert [at - first for at in noted if at] == [timedelta(), timedelta(), HOUR]


def test_key_in_use_costs_one_read(chain: str) -> None:
    issued = make_key()
    with counted() as first:
        auth.viewer_of(issued.key)
    with counted() as second:
        auth.viewer_of(issued.key)
    assert first == {"BatchGetItem": 1, "UpdateItem": 1}
    assert second == {"BatchGetItem": 1}


def test_noting_loses_to_a_rotation(chain: str, at: datetime) -> None:
    issued = make_key()
    read = stored(issued.api_key.id)
    new = rotate(issued)
    before = stored_access()
    assert not repository.note_use(read, at, new_hash=None)
    assert stored_access() == before
    assert works(new.key)


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    yield monkeypatch
    settings.cache_clear()


def test_key_in_use_outlives_the_key_that_hashes_it(
    chain: str, wall: Wall, ring: pytest.MonkeyPatch
) -> None:
    used, unused = make_key("常用"), make_key("不用")
    local = settings().access_keys["local"].get_secret_value()
    ring.setenv("APP_ACCESS_KEYS", f"new:{'ab' * 32},local:{local}")
    settings.cache_clear()
    assert works(used.key)
    assert stored(used.api_key.id).secret_hash.startswith("new.")
    ring.setenv("APP_ACCESS_KEYS", f"new:{'ab' * 32}")
    settings.cache_clear()
    assert (works(used.key), works(unused.key)) == (True, False)


def test_keys_are_listed_by_time_revoked_ones_too(chain: str, at: datetime) -> None:
    made = [make_key(name).api_key for name in ("甲", "乙", "丙")]
    keys.revoke(made[1].id, viewer=SYSTEM, at=at)
    order = [key.name for key in sorted(made, key=lambda key: key.id)]
    page = repository.page_of_keys(first=2, after=None, reverse=False)
    rest = repository.page_of_keys(first=2, after=page.places[-1], reverse=False)
    assert [key.name for key in (*page.items, *rest.items)] == order
    assert (page.more, rest.more) == (True, False)


def test_unknown_key_is_not_found(chain: str, at: datetime) -> None:
    for key_id in (ids.derived_id("key", "none"), "", "key_1", "counter"):
        with pytest.raises(NotFound):
            keys.revoke(key_id, viewer=HEAD, at=at)
        with pytest.raises(NotFound):
            keys.rotate(ApiKeyRotate(id=key_id), viewer=HEAD, at=at)


def test_others_manage_no_keys(chain: str, at: datetime) -> None:
    issued = make_key()
    before = stored_access()
    new = ApiKeyCreate(name="x", scopes=frozenset({READ_MEMBERS}))
    for viewer in STRANGERS:
        with pytest.raises(Forbidden):
            keys.create(new, viewer=viewer, clock=CLOCK, at=at)
        with pytest.raises(Forbidden):
            keys.rotate(ApiKeyRotate(id=issued.api_key.id), viewer=viewer, at=at)
        with pytest.raises(Forbidden):
            keys.revoke(issued.api_key.id, viewer=viewer, at=at)
    assert stored_access() == before
