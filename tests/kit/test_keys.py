"""Mutations that require a key, and those whose answer is not kept under one."""

import asyncio
from typing import Any

import strawberry
from graphql import GraphQLObjectType, get_named_type

from graphql_api.errors import Conflict, ErrorCode
from graphql_api.kit.graphql import UserError, changed_field, errors_field, mutation
from graphql_api.kit.graphql.keys import GivenKey, KeyUse, given_key
from graphql_api.permissions import ANYONE
from graphql_api.schema import schema as api

done: list[str] = []


@strawberry.type
class Payload:
    points: int | None = changed_field("-")
    user_errors: list[UserError] = errors_field()


@strawberry.type
class Mutation:
    @mutation(Payload, rule=ANYONE, description="Give points. 赠送积分", key=KeyUse.REQUIRED)
    def points_give(self) -> int:
        done.append("given")
        return 5


def send(key: GivenKey | None) -> Any:
    """The payload of a mutation that comes with or without a key."""
    schema = strawberry.Schema(query=Payload, mutation=Mutation)
    done.clear()

    async def execute() -> Any:
        given_key.set(key)
        return await schema.execute("mutation { pointsGive { points userErrors { code } } }")

    result = asyncio.run(execute())
    assert result.errors is None
    return result.data["pointsGive"]


def test_without_its_key_it_does_nothing() -> None:
    assert send(None) == {"points": None, "userErrors": [{"code": ErrorCode.REQUIRED.value}]}
    assert done == []


def test_with_a_key_it_is_done() -> None:
    given = GivenKey()
    assert send(given) == {"points": 5, "userErrors": []}
    assert (done, given.refused, given.kept) == (["given"], False, True)


def test_a_refused_key_does_nothing() -> None:
    given = GivenKey(refusal=Conflict("-"))
    assert send(given) == {"points": None, "userErrors": [{"code": "CONFLICT"}]}
    assert (done, given.refused) == ([], True)


def test_its_description_says_so() -> None:
    sdl = strawberry.Schema(query=Payload, mutation=Mutation).as_str()
    assert '"""Give points. 赠送积分. Needs `@idempotent`. 须带幂等键"""' in sdl


SECRETS = {"key", "secret", "tokens", "accessToken", "refreshToken", "enrolmentToken"}
# They share the payload of those that show a secret, and leave it out.
LEAVE_IT_OUT = {
    "apiKeyRevoke",
    "webhookEndpointDisable",
    "webhookEndpointEnable",
    "webhookEndpointReplay",
    "webhookEndpointUpdate",
}


def secrets_of(named: GraphQLObjectType, depth: int = 3) -> set[str]:
    """The fields of a payload, and of what stands in it, that hold a secret."""
    found = SECRETS & set(named.fields)
    for field in named.fields.values():
        inner = get_named_type(field.type)
        if depth and isinstance(inner, GraphQLObjectType) and not inner.interfaces:
            found |= secrets_of(inner, depth - 1)
    return found


def test_answers_with_secrets_are_not_kept() -> None:
    root = api._schema.mutation_type
    assert root is not None
    uses = {
        name: field.extensions["strawberry-definition"].base_resolver.wrapped_func.key_use
        for name, field in root.fields.items()
    }
    holding = {
        name for name, field in root.fields.items() if secrets_of(get_named_type(field.type))
    }
    shown_once = {name for name, use in uses.items() if use is KeyUse.SHOWN_ONCE}
    assert holding - shown_once == LEAVE_IT_OUT
    assert {"apiKeyCreate", "tokenRefresh", "webhookEndpointCreate"} <= shown_once
