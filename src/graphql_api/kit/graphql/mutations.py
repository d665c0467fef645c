"""Mutations: input → pydantic command → service, and refusals as `userErrors`."""

import asyncio
import dataclasses
import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import strawberry
from pydantic import BaseModel, ValidationError
from strawberry.types.base import has_object_definition
from strawberry.utils.str_converters import to_camel_case

from graphql_api.errors import AppError, ErrorCode, Refused, Required
from graphql_api.kit.graphql import access
from graphql_api.kit.graphql.access import INHERITED, Rule
from graphql_api.kit.graphql.costs import MUTATION
from graphql_api.kit.graphql.enums import describe_enum
from graphql_api.kit.graphql.keys import GivenKey, KeyUse, given_key

Command = TypeVar("Command", bound=BaseModel)
Resolver = Callable[..., Any]

describe_enum(
    ErrorCode,
    name="UserErrorCode",
    description="Why a command was refused. 拒绝原因",
    values={
        "INVALID": "A value cannot be right. 值无效",
        "REQUIRED": "A value is missing. 缺少必填值",
        "NOT_FOUND": "It does not exist, or is outside your scope. 不存在或无权查看",
        "TAKEN": "A value that must be unique is in use. 已被占用",
        "CONFLICT": "Somebody else changed it first; read it again. 版本冲突",
        "FORBIDDEN": "You may see this, but not do this to it. 无权操作",
        "FORBIDDEN_TRANSITION": "Its present state does not allow this. 当前状态不允许",
        "LIMIT_EXCEEDED": "A limit of the service would be passed. 超出限制",
        "INSUFFICIENT_POINTS": "Fewer points can be spent than this takes. 积分不足",
        "UNAVAILABLE": "Another system does not answer; try again later. 外部服务不可用",
        "SESSION_ENDED": "The session is over; log in again. 会话已失效",
        "TOKEN_REUSED": "A refresh token came twice, its session was ended. 刷新令牌被重复使用",
        "IDEMPOTENCY_CONCURRENT_REQUEST": "A request with this key is in progress. 处理中",
        "IDEMPOTENCY_KEY_PARAMETER_MISMATCH": "The key came with another request. 幂等键冲突",
        "IDEMPOTENCY_ANSWER_LOST": "It was done, its answer is not known. 结果已丢失",
    },
)


@strawberry.type(description="A refusal that names the field it is about. 业务错误")
class UserError:
    """What a client can show to its user or correct."""

    message: str = access.field(rule=INHERITED, description="What is wrong, in English. 说明")
    field: list[str] | None = access.field(
        rule=INHERITED, description="Path into the arguments of the mutation. 出错的字段路径"
    )
    code: ErrorCode = access.field(rule=INHERITED, description="The reason, to switch on. 错误码")


def user_errors(refusal: AppError) -> list[UserError]:
    """Every problem of a refusal, with the names that clients use."""
    problems = refusal.problems if isinstance(refusal, Refused) else [refusal]
    return [
        UserError(
            message=problem.message,
            field=[to_camel_case(part) for part in problem.field] or None,
            code=problem.code,
        )
        for problem in problems
    ]


def mutation(
    payload: type[Any],
    *,
    rule: Rule,
    description: str,
    key: KeyUse = KeyUse.OFFERED,
    cost: int = MUTATION,
) -> Callable[[Resolver], Any]:
    """A mutation field over a synchronous resolver that returns the item it changed.

    The item becomes the first field of the payload; a resolver that has more to show returns the
    payload itself. The resolver runs off the event loop; a refusal becomes a payload that holds
    only `userErrors`. Every mutation may carry a key; one that moves points, coupons, money or
    messages requires it.
    """
    if key is KeyUse.REQUIRED:
        description = f"{description}. Needs `@idempotent`. 须带幂等键"

    def wrap(resolver: Resolver) -> Any:
        signature = inspect.signature(resolver)
        changed = dataclasses.fields(payload)[0].name

        @functools.wraps(resolver)
        async def resolve(*args: Any, **kwargs: Any) -> Any:
            given = given_key.get()
            try:
                _admit(given, key)
                item = await asyncio.to_thread(resolver, *args, **kwargs)
            except AppError as refusal:
                if given:
                    given.refused = True
                return payload(user_errors=user_errors(refusal), **refusal.beside)
            return item if isinstance(item, payload) else payload(**{changed: item})

        shown: Any = resolve
        shown.__signature__ = signature.replace(return_annotation=payload)
        shown.key_use = key
        return access.field(rule=rule, description=description, resolver=shown, cost=cost)

    return wrap


def _admit(given: GivenKey | None, use: KeyUse) -> None:
    """Raise where a key is missing or refused."""
    if given is None:
        if use is KeyUse.REQUIRED:
            raise Required("Give this mutation a key: `@idempotent(key:)`, or `Idempotency-Key`")
        return
    given.kept = use is not KeyUse.SHOWN_ONCE
    if given.refusal:
        raise given.refusal


def errors_field() -> Any:
    """The `userErrors` of a payload."""
    return access.field(
        rule=INHERITED,
        description="Why it was refused; empty when done. 业务错误",
        default_factory=list,
        cost=0,
    )


def changed_field(description: str) -> Any:
    """The item of a payload; null when the command was refused."""
    return access.field(rule=INHERITED, description=description, default=None)


def _plain(value: Any) -> Any:
    """A Strawberry input as plain data; fields that were not given are left out."""
    if has_object_definition(type(value)):
        return {
            f.name: _plain(given.value if isinstance(given, strawberry.Some) else given)
            for f in dataclasses.fields(value)
            if (given := getattr(value, f.name)) is not None and given is not strawberry.UNSET
        }
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def command(model: type[Command], given: Any, **more: Any) -> Command:
    """The input as a validated command; Refused names every field that is wrong."""
    try:
        return model.model_validate({**_plain(given), **more})
    except ValidationError as error:
        raise Refused([_problem(e["msg"], e["loc"]) for e in error.errors()]) from None


def _problem(message: str, location: tuple[int | str, ...]) -> AppError:
    path = ("input", *(str(part) for part in location))
    return AppError(message.removeprefix("Value error, "), field=path)
