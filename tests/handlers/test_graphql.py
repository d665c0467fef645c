"""Behind API Gateway: events of its HTTP API go in, and what comes out is text."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from graphql_api.edge.negotiation import GRAPHQL, JSON


@pytest.fixture(autouse=True)
def loop() -> Iterator[None]:
    """Mangum runs on the loop that is current, as the main thread of a fresh process has one."""
    fresh = asyncio.new_event_loop()
    asyncio.set_event_loop(fresh)
    yield
    asyncio.set_event_loop(None)
    fresh.close()


def event(method: str, *, query: str = "", body: str | None = None, **headers: str) -> Any:
    """An event in the payload format 2.0."""
    return {
        "version": "2.0",
        "routeKey": f"{method} /graphql",
        "rawPath": "/graphql",
        "rawQueryString": query,
        "headers": {"host": "api.example.com", **headers},
        "requestContext": {
            "http": {
                "method": method,
                "path": "/graphql",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
            },
            "stage": "$default",
        },
        "body": body,
        "isBase64Encoded": False,
    }


def answered(given: Any) -> dict[str, Any]:
    """What API Gateway is given; never base64."""
    from graphql_api.handlers import graphql  # Mangum makes a loop where there is none yet

    handler: Any = graphql.handler
    answer: dict[str, Any] = handler(given, object())
    assert answer["isBase64Encoded"] is False
    return answer


@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
def test_answer_is_text(chain: str, operator: str, accept: str) -> None:
    headers = {"content-type": JSON, "accept": accept, "authorization": f"Bearer {operator}"}
    body = json.dumps({"query": "{ organisation { name } }"})
    answer = answered(event("POST", body=body, **headers))
    assert answer["statusCode"] == 200
    assert answer["headers"]["content-type"] == f"{accept}; charset=utf-8"
    assert json.loads(answer["body"]) == {"data": {"organisation": {"name": "测试连锁"}}}


def test_long_answer_is_text_for_who_takes_gzip_too(chain: str, operator: str) -> None:
    headers = {
        "content-type": JSON,
        "accept": GRAPHQL,
        "accept-encoding": "gzip, deflate, br",
        "authorization": f"Bearer {operator}",
    }
    body = json.dumps({"query": "{ __schema { types { name description } } }"})
    answer = answered(event("POST", body=body, **headers))
    assert "content-encoding" not in answer["headers"]
    assert len(answer["body"]) > 20_000
    assert json.loads(answer["body"])["data"]["__schema"]["types"]


def test_query_by_get_arrives_whole(database: str) -> None:
    answer = answered(event("GET", query="query=%7B__typename%7D", accept=GRAPHQL))
    assert json.loads(answer["body"]) == {"data": {"__typename": "Query"}}


def test_fault_is_text(database: str) -> None:
    answer = answered(event("POST", body="1", **{"content-type": JSON, "accept": GRAPHQL}))
    assert answer["statusCode"] == 400
    [error] = json.loads(answer["body"])["errors"]
    assert error["extensions"]["code"] == "BAD_REQUEST"


def test_body_that_arrives_as_base64_is_read(database: str) -> None:
    given = event("POST", body="eyJxdWVyeSI6ICJ7IF9fdHlwZW5hbWUgfSJ9", **{"content-type": JSON})
    answer = answered({**given, "isBase64Encoded": True})
    assert json.loads(answer["body"]) == {"data": {"__typename": "Query"}}
