"""What WeChat pushes, from the sealed body to what it changes."""

import json
from types import SimpleNamespace
from typing import Any

from graphql_api.connectors.wechat import receiving
from graphql_api.connectors.weixin_door import TAKEN
from graphql_api.handlers import wechat_events
from graphql_api.members.models import Member
from graphql_api.notices.rules import NoticeAnswer
from tests.connectors import test_wechat_pushes as pushing
from tests.notices import test_service as noticing

queued = pushing.queued
store, member, wechat = noticing.store, noticing.member, noticing.wechat

CONTEXT: Any = SimpleNamespace(
    function_name="wechat_events",
    memory_limit_in_mb=128,
    invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:wechat_events",
    aws_request_id="1",
)
TURNED_OFF = {
    "FromUserName": "openid-1",
    "CreateTime": 1610969440,
    "MsgType": "event",
    "Event": "subscribe_msg_change_event",
    "List": {"TemplateId": noticing.TEMPLATE, "SubscribeStatusString": "reject"},
}


def delivered(*bodies: str) -> list[str]:
    """Handle messages of the queue; gives those that come again."""
    records = [
        {"messageId": f"m-{n}", "body": body, "eventSource": "aws:sqs"}
        for n, body in enumerate(bodies)
    ]
    answer = wechat_events.handler({"Records": records}, CONTEXT)
    return [str(one["itemIdentifier"]) for one in answer["batchItemFailures"]]


def test_sealed_push_takes_the_messages_that_were_left(
    member: Member, wechat: object, queued: list[dict[str, Any]]
) -> None:
    noticing.answer(member, NoticeAnswer.ACCEPT, "asking-1")
    assert noticing.left(member) == 1
    query, body = pushing.pushed(json.dumps(TURNED_OFF).encode())
    assert receiving.receive(query, body, at=pushing.AT) == TAKEN
    [told] = queued
    assert delivered(json.dumps(told), json.dumps(told)) == []
    assert noticing.left(member) == 0


def test_message_that_is_no_push_fails_by_itself(
    member: Member, wechat: object, queued: list[dict[str, Any]]
) -> None:
    noticing.answer(member, NoticeAnswer.ACCEPT, "asking-1")
    receiving.receive(*pushing.pushed(json.dumps(TURNED_OFF).encode()), at=pushing.AT)
    assert delivered("{}", json.dumps(queued[0])) == ["m-0"]
    assert noticing.left(member) == 0
