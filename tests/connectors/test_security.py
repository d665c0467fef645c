"""What members write is checked by WeChat, where it can be."""

from collections.abc import Iterator
from typing import Any

import pytest

from graphql_api.config import settings
from graphql_api.connectors.errors import Later, NotSetUp
from graphql_api.connectors.wechat import api, security
from graphql_api.connectors.weixin_errors import Refused
from graphql_api.errors import Invalid

FIELD = ("input", "nickname")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """What WeChat was asked; it finds fault with one word."""
    bodies: list[dict[str, Any]] = []

    def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
        assert path == "/wxa/msg_sec_check"
        bodies.append(body)
        suggest = {"坏": "risky", "疑": "review"}.get(body["content"], "pass")
        return {"errcode": 0, "result": {"suggest": suggest, "label": 100}}

    monkeypatch.setattr(api, "post", post)
    monkeypatch.setenv("APP_WECHAT_APP_ID", "wx1")
    settings.cache_clear()
    yield bodies
    settings.cache_clear()


def test_risky_text_is_refused_with_its_field(asked: list[dict[str, Any]]) -> None:
    with pytest.raises(Invalid) as refused:
        security.require_decent("openid-1", "坏", FIELD)
    assert refused.value.field == FIELD
    assert asked == [{"openid": "openid-1", "version": 2, "scene": 1, "content": "坏"}]


@pytest.mark.parametrize("text", ["小雨", "疑"])
def test_other_text_passes(asked: list[dict[str, Any]], text: str) -> None:
    security.require_decent("openid-1", text, FIELD)
    assert len(asked) == 1


@pytest.mark.parametrize("failure", [Later(3, is_unsure=True), NotSetUp("40001"), Refused(61010)])
def test_while_wechat_does_not_check_everything_passes(
    asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def post(*_: Any) -> dict[str, Any]:
        raise failure

    monkeypatch.setattr(api, "post", post)
    security.require_decent("openid-1", "坏", FIELD)


def test_old_number_of_risky_content_is_refused_too(
    asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def post(*_: Any) -> dict[str, Any]:
        raise Refused(87014)

    monkeypatch.setattr(api, "post", post)
    with pytest.raises(Invalid):
        security.require_decent("openid-1", "坏", FIELD)


def test_nobody_is_asked_without_text_person_or_program(
    asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    security.require_decent("openid-1", None, FIELD)
    security.require_decent("openid-1", "", FIELD)
    security.require_decent(None, "坏", FIELD)
    monkeypatch.setenv("APP_WECHAT_APP_ID", "")
    settings.cache_clear()
    security.require_decent("openid-1", "坏", FIELD)
    assert asked == []
