"""What vendors and platforms push: POST /vendors/youzan, /weimob, /wecom and /wechat.

The last two are asked by GET too, when their address is entered. A function of its own, for an
answer within a second: it loads nothing of GraphQL, and of the slices this one's storage only.
"""

import base64
import binascii
from typing import Any

import orjson

from graphql_api.connectors import receiving
from graphql_api.connectors.receiving import Answer
from graphql_api.connectors.rules import Vendor
from graphql_api.connectors.wechat import receiving as wechat
from graphql_api.connectors.wecom import receiving as wecom
from graphql_api.kit.time import real_now
from graphql_api.observability import invocation

PATHS = {f"/vendors/{vendor.value.lower()}": vendor for vendor in Vendor}
PLATFORMS = {
    wechat.PATH: (wechat.check_address, wechat.receive),
    wecom.PATH: (wecom.check_address, wecom.receive),
}


@invocation
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """One request of API Gateway (payload 2.0), whose body may be told in base64."""
    path = event.get("rawPath", "").removeprefix(_stage(event))
    if path in PLATFORMS:
        return _of_platform(path, event)
    vendor = PATHS.get(path)
    if vendor is None:
        return _told(Answer(404, {"message": "there is nothing here"}))
    try:
        raw = _raw(event)
    except binascii.Error:
        return _told(Answer(400, {"message": "the body is not what it says"}))
    headers = {name.lower(): value for name, value in event.get("headers", {}).items()}
    return _told(receiving.receive(vendor, headers, raw, at=real_now()))


def _of_platform(path: str, event: dict[str, Any]) -> dict[str, Any]:
    """A push, or by GET the check of the address."""
    check_address, receive = PLATFORMS[path]
    query = event.get("queryStringParameters") or {}
    try:
        if event["requestContext"]["http"]["method"] == "GET":
            answer = check_address(query, at=real_now())
        else:
            answer = receive(query, _raw(event), at=real_now())
    except binascii.Error:
        answer = wecom.Answer(400)
    headers = {
        "content-type": "text/plain; charset=utf-8",
        "x-content-type-options": "nosniff",  # an echo is nothing that a browser should look into
    }
    return {"statusCode": answer.status, "headers": headers, "body": answer.text}


def _raw(event: dict[str, Any]) -> bytes:
    body = event.get("body") or ""
    return base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()


def _stage(event: dict[str, Any]) -> str:
    stage = event.get("requestContext", {}).get("stage", "$default")
    return "" if stage == "$default" else f"/{stage}"


def _told(answer: Answer) -> dict[str, Any]:
    return {
        "statusCode": answer.status,
        "headers": {"content-type": "application/json"},
        "body": orjson.dumps(answer.body).decode(),
    }
