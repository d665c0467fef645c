"""What AWS refuses and the embedded AWS lets pass, shown on AWS's engine against our tables.

It is why the storage tests run on this engine too: a repository that did one of these things would
be green on the embedded AWS, and would fail in the cloud.
"""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pynamodb.exceptions import QueryError

from graphql_api.kit.dynamo import batch_get, batch_write, key_page
from graphql_api.kit.dynamo.connection import shared_client
from graphql_api.members.models import Claim, Counter, Member, MembersItem
from graphql_api.orders.models import OrdersItem, Waiting
from tests.calls import counted

pytestmark = pytest.mark.engine("dynamodb-local", "what AWS refuses and ministack lets pass")

TABLE = MembersItem.Meta.table_name
KEY = {"id": {"S": "mbr_1"}, "sort": {"S": "@"}}
TEXT = {"S": "x"}

Answer = dict[str, Any]
Ask = Callable[..., Answer]


@pytest.fixture
def ask(database: str) -> Ask:
    """One request as it is, in our tables."""
    client: Any = shared_client()

    def one(operation: str, **request: Any) -> Answer:
        table = {} if "RequestItems" in request else {"TableName": TABLE}
        answer: Answer = client._make_api_call(operation, table | request)
        return answer

    return one


def query(*, names: str = "", **request: Any) -> Answer:
    """A Query of the members of a store; `names` are values that its expressions name."""
    values = {f":{name}": TEXT for name in ("store", *names)}
    base = {"IndexName": "store", "KeyConditionExpression": "at_store = :store"}
    return {"ExpressionAttributeValues": values} | base | request


def update(expression: str, *names: str) -> Answer:
    """An UpdateItem of one member."""
    values = {f":{name}": TEXT for name in names}
    return {"Key": KEY, "UpdateExpression": expression, "ExpressionAttributeValues": values}


MANY = [f"v{n}" for n in range(101)]
LISTED = "sort IN (" + ",".join(f":{name}" for name in MANY) + ")"

REFUSED: dict[str, tuple[str, Answer, str]] = {
    "filter on what the index does not hold": (
        "Query",
        query(FilterExpression="city = :a", names="a"),
        "does not project one or more filter attributes: [city]",
    ),
    "reading what the index does not hold": (
        "Query",
        query(ProjectionExpression="city"),
        "does not project [city]",
    ),
    "all attributes of an index that holds keys": (
        "Query",
        query(Select="ALL_ATTRIBUTES"),
        "Select type ALL_ATTRIBUTES is not supported",
    ),
    "strongly consistent read of an index": (
        "Query",
        query(ConsistentRead=True),
        "Consistent reads are not supported on global secondary indexes",
    ),
    "or in a key condition": (
        "Query",
        query(KeyConditionExpression="at_store = :store OR joined_key = :a", names="a"),
        "Invalid operator used in KeyConditionExpression: OR",
    ),
    "filter on a key of the index": (
        "Query",
        query(FilterExpression="joined_key = :a", names="a"),
        "can only contain non-primary key attributes",
    ),
    "filter on a key of the table": (
        "Query",
        {
            "KeyConditionExpression": "id = :id",
            "FilterExpression": "sort = :a",
            "ExpressionAttributeValues": {":id": TEXT, ":a": TEXT},
        },
        "can only contain non-primary key attributes",
    ),
    "place longer than a key": (
        "Query",
        query(
            KeyConditionExpression="at_store = :store AND joined_key > :a",
            ExpressionAttributeValues={":store": TEXT, ":a": {"S": "x" * 1025}},
        ),
        "exceeded the size limit of 1024 bytes",
    ),
    "more than a hundred operands": (
        "Scan",
        {
            "FilterExpression": LISTED,
            "ExpressionAttributeValues": {f":{name}": {"S": name} for name in MANY},
        },
        "too many operands; number of operands: 101",
    ),
    "unknown type": (
        "Scan",
        {
            "FilterExpression": "attribute_type(city, :a)",
            "ExpressionAttributeValues": {":a": {"S": "ZZ"}},
        },
        "Invalid attribute type name found",
    ),
    "two sections of one kind": (
        "UpdateItem",
        update("SET city = :a SET nickname = :b", "a", "b"),
        'The "SET" section can only be used once',
    ),
    "one attribute set twice": (
        "UpdateItem",
        update("SET city = :a, city = :b", "a", "b"),
        "Two document paths overlap",
    ),
    "comparison instead of an assignment": (
        "UpdateItem",
        update("SET city == :a", "a"),
        "Syntax error",
    ),
    "index key longer than a key": (
        "PutItem",
        {"Item": {**KEY, "at_store": TEXT, "joined_key": {"S": "x" * 1025}}},
        "Size limit exceeded",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_engine_refuses(ask: Ask, case: str) -> None:
    operation, request, reason = REFUSED[case]
    with pytest.raises(ClientError) as refusal:
        ask(operation, **request)
    assert refusal.value.response["Error"]["Code"] == "ValidationException"
    assert reason in refusal.value.response["Error"]["Message"]


def test_repository_that_filtered_by_what_an_index_does_not_hold_would_fail(ask: Ask) -> None:
    with pytest.raises(QueryError, match="does not project one or more filter attributes"):
        list(MembersItem.by_store.query("sto_1", filter_condition=Member.city == "上海"))


def test_numbers_are_exact_to_38_digits(ask: Ask) -> None:
    digits = "12345678901234567890123456789012345677"
    ask("PutItem", Item={**KEY, "last": {"N": digits}})
    counter = Counter("mbr_1")
    counter.update(actions=[Counter.last.add(1)])
    assert ask("GetItem", Key=KEY)["Item"]["last"] == {"N": str(int(digits) + 1)}


def test_keys_that_are_left_unprocessed_are_asked_again(ask: Ask) -> None:
    keys = [(f"claim#{n}", "@") for n in range(50)]
    for id_, _ in keys:
        batch_write(MembersItem, [Claim(id_, member_id="x" * 390_000)])
    raw = {"Keys": [Claim.raw_key(key) for key in keys]}
    first = ask("BatchGetItem", RequestItems={TABLE: raw})
    assert 0 < len(first["UnprocessedKeys"][TABLE]["Keys"]) < 25

    with counted() as calls:
        found = batch_get(Claim, keys)
    assert calls == {"BatchGetItem": 2}
    assert [claim and claim.id for claim in found] == [id_ for id_, _ in keys]


def test_page_of_big_items_takes_several_answers(ask: Ask) -> None:
    for n in range(7):
        big = {"owner": TEXT, "place": {"S": str(n)}, "lines": {"S": "x" * 390_000}}
        ask("PutItem", TableName=OrdersItem.Meta.table_name, Item=big)
    with counted() as calls:
        page = key_page(Waiting, "x", Waiting.place, first=5)
    assert (page.places, page.more) == (["0", "1", "2", "3", "4"], True)
    assert calls["Query"] > 1
