"""What is handed out: sealed tokens, secrets and their hashes, and the shape of API keys."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from graphql_api.access import tokens
from graphql_api.access.rules import WeChatPerson
from graphql_api.access.tokens import Refresh
from graphql_api.config import settings
from graphql_api.kit import ids
from graphql_api.viewer import Role

NOW = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
PERSON = WeChatPerson("openid-1", "union-1", "+8613800138000")
TOKEN = Refresh("mbr_1", "ses_1", 3, "secret")
LOCAL = settings().access_keys["local"].get_secret_value()


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """For tests that change the ring of keys by `use`."""
    yield monkeypatch
    settings.cache_clear()


def use(ring: pytest.MonkeyPatch, text: str) -> None:
    ring.setenv("APP_ACCESS_KEYS", text)
    settings.cache_clear()


def test_refresh_token_says_what_was_put_in() -> None:
    assert tokens.read_refresh(tokens.refresh_text(TOKEN)) == TOKEN


def test_enrolment_token_says_who_until_its_end() -> None:
    text = tokens.enrolment_text(PERSON, NOW)
    assert tokens.read_enrolment(text, NOW - timedelta(seconds=1)) == PERSON
    assert tokens.read_enrolment(text, NOW) is None


def test_sealed_tokens_show_nothing() -> None:
    text = tokens.refresh_text(TOKEN) + tokens.enrolment_text(PERSON, NOW)
    for part in ("mbr_1", "ses_1", "openid", "13800138000"):
        assert part not in text
    assert "13800138000" not in repr(PERSON)
    assert "secret" not in repr(TOKEN).partition("generation")[2]


def test_one_kind_of_token_is_not_taken_for_the_other() -> None:
    assert tokens.read_refresh(tokens.enrolment_text(PERSON, NOW)) is None
    assert tokens.read_enrolment(tokens.refresh_text(TOKEN), NOW) is None


def changed(text: str, at: int) -> str:
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


def test_changed_token_is_refused_wherever_it_was_changed() -> None:
    text = tokens.refresh_text(TOKEN)
    bare = len(text.rstrip("="))
    wrong = [changed(text, at) for at in range(0, bare - 1, 7)]
    assert [tokens.read_refresh(one) for one in wrong] == [None] * len(wrong)


@pytest.mark.parametrize("text", ["", "x", ".", "local.", "local.AAAA", "local.令牌", "x" * 5_000])
def test_anything_else_is_no_token(text: str) -> None:
    assert tokens.read_refresh(text) is None
    assert tokens.read_enrolment(text, NOW) is None


def test_token_is_read_while_its_key_is_in_the_ring(ring: pytest.MonkeyPatch) -> None:
    text = tokens.refresh_text(TOKEN)
    use(ring, f"new:{'ab' * 32},local:{LOCAL}")
    assert tokens.read_refresh(text) == TOKEN
    assert tokens.refresh_text(TOKEN).startswith("new.")
    use(ring, f"new:{'ab' * 32}")
    assert tokens.read_refresh(text) is None


def test_hash_is_known_under_every_key_of_the_ring(ring: pytest.MonkeyPatch) -> None:
    secret = tokens.new_secret()
    old = tokens.hash_of(secret)
    assert secret not in old
    use(ring, f"new:{'ab' * 32},local:{LOCAL}")
    new = tokens.hash_of(secret)
    assert new.startswith("new.")
    assert tokens.matches(secret, old)
    assert tokens.matches(secret, None, new)
    assert not tokens.matches(tokens.new_secret(), old, new)
    assert not tokens.matches(secret, None)
    use(ring, f"new:{'ab' * 32}")
    assert not tokens.matches(secret, old)


def test_secrets_are_43_characters_and_differ() -> None:
    made = {tokens.new_secret() for _ in range(100)}
    assert len(made) == 100
    assert {len(secret) for secret in made} == {43}


def test_key_is_its_id_and_its_secret() -> None:
    id_, secret = ids.new_id("key"), tokens.new_secret()
    assert tokens.read_key(tokens.key_text(id_, secret)) == (id_, secret)


def test_other_text_is_no_key() -> None:
    from graphql_api import auth

    whole = tokens.key_text(ids.new_id("key"), tokens.new_secret())
    others = [auth.issue(Role.OPERATOR, "opr_1"), "", whole[1:], f"{whole}x", f"{whole}\n", "key_."]
    assert [tokens.read_key(text) for text in others] == [None] * len(others)
