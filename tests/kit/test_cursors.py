"""Cursors."""

import base64
from collections.abc import Iterator

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.config import settings
from graphql_api.errors import Invalid
from graphql_api.kit.graphql import cursors

KEY = "ab" * 32


@pytest.fixture
def fresh_settings() -> Iterator[None]:
    """Settings are read again, before and after."""
    settings.cache_clear()
    yield
    settings.cache_clear()


@given(st.text(), st.text(max_size=100))
def test_place_comes_back_from_its_own_list(list_name: str, place: str) -> None:
    assert cursors.decode(list_name, cursors.encode(list_name, place)) == place


def test_cursor_is_url_safe() -> None:
    assert set(cursors.encode("list", "¿?" * 50)) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    )


def test_cursor_of_another_list_is_refused() -> None:
    cursor = cursors.encode("stores()False", "0000000001")
    with pytest.raises(Invalid) as refusal:
        cursors.decode("stores()True", cursor)
    assert refusal.value.field == ("after",)


@given(st.integers(0, 10_000))
def test_cursor_with_one_changed_letter_is_refused(at: int) -> None:
    cursor = cursors.encode("list", "0000000001")
    at %= len(cursor) - 1
    spoilt = cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :]
    with pytest.raises(Invalid, match="does not belong to this list"):
        cursors.decode("list", spoilt)


@given(st.text())
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        cursors.decode("list", text)


@pytest.mark.parametrize(
    "body",
    [b"", b"1", b"null", b"[]", b'[1,["local"],"x","p"]', b'[1,"gone","x","p"]', b'{"a":1,"b":2}'],
)
def test_unsigned_body_is_refused(body: bytes) -> None:
    cursor = base64.urlsafe_b64encode(bytes(16) + body).rstrip(b"=").decode()
    with pytest.raises(Invalid):
        cursors.decode("list", cursor)


def test_long_cursor_is_refused() -> None:
    with pytest.raises(Invalid):
        cursors.decode("list", "A" * 2000)


@pytest.mark.usefixtures("fresh_settings")
def test_cursor_outlives_a_rotation_of_the_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_CURSOR_KEYS", f"2025:{KEY}")
    cursor = cursors.encode("list", "place")
    monkeypatch.setenv("APP_CURSOR_KEYS", f"2026:{'cd' * 32},2025:{KEY}")
    settings.cache_clear()
    assert cursors.decode("list", cursor) == "place"
    raw = base64.urlsafe_b64decode(cursors.encode("list", "place") + "===")
    assert orjson.loads(raw[16:])[1] == "2026"
    monkeypatch.setenv("APP_CURSOR_KEYS", f"2026:{'cd' * 32}")
    settings.cache_clear()
    with pytest.raises(Invalid):
        cursors.decode("list", cursor)
