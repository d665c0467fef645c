"""Every function of every repository is asked of the engine, over a chain that is filled in.

AWS's engine refuses what the embedded AWS lets pass, so this is about the requests, not about the
answers. What a function needs is found by the names and types of its parameters: a new one is
asked without a line here. One that asks the engine nothing fails, and wants a value in GIVEN.
"""

import dataclasses
import importlib
import inspect
import re
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import suppress
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any

import pytest
from pynamodb.attributes import Attribute, NumberAttribute, TTLAttribute, VersionAttribute
from pynamodb_attributes import UnicodeEnumAttribute

import graphql_api
from graphql_api import tables
from graphql_api.errors import AppError, Taken
from graphql_api.friends.models import CorpTagLink
from graphql_api.kit import ids
from graphql_api.kit.dynamo import DayAttribute, InstantAttribute, Item, Page, Stale, transact
from graphql_api.kit.dynamo.connection import shared_client
from graphql_api.kit.positions import Position
from graphql_api.kit.time import real_now
from graphql_api.mall.models import Redemption
from graphql_api.members.models import Member
from graphql_api.policies.models import Policy
from graphql_api.policies.rules import (
    Condition,
    Fact,
    Operator,
    PolicyKind,
    TagRule,
    TagRulesPolicy,
)
from graphql_api.tags.models import Tag
from tests.calls import counted
from tests.factories import NOW

ROOT = Path(str(graphql_api.__file__)).parent
SLICES = sorted(path.parent.name for path in ROOT.glob("*/repository*"))

ZONE = "Asia/Shanghai"

# By function and parameter, or by parameter wherever it stands.
GIVEN: dict[str, Callable[[], Any]] = {
    "campaigns.carried_out.keys": lambda: [(id_of("store", "stores"), real_now(), ZONE)],
    "campaigns.move_participation.new": lambda: None,
    "campaigns.credits_of.order_id": lambda: ids.derived_id("ord", "nobody"),
    "commissions.ledger_of.order_id": lambda: ids.derived_id("ord", "nobody"),
    "commissions.ledgers_of.order_ids": lambda: [ids.derived_id("ord", "nobody")],
    "campaigns.all_credits_of.order_ids": lambda: [ids.derived_id("ord", "nobody")],
    "commissions.rows_of.keys": lambda: [(id_of("guide", "guides"), "row#2018-01")],
    "coupons.count.differences": lambda: {f"{id_of('template', 'coupons')}#ISSUED": 1},
    "coupons.forget.member_id": lambda: ids.derived_id("mbr", "another"),
    "coupons.move.member_id": lambda: ids.derived_id("mbr", "another"),
    "friends.replace_corp_link.new": lambda: CorpTagLink(
        "corptag#y", corp_tag_id="y", tag_id="x", linked_at=NOW
    ),
    "mall.add.new": lambda: redeemed(),
    "mall.set_stock.was": lambda: [1],
    "mall.set_stock.now": lambda: [2],
    "members.forget_aliases.member_ids": lambda: [
        member.id for member in Member.scan(Member.merged_into.exists())
    ],
    "members.remove.member": lambda: invented(Member),
    "orders.save.was_at": lambda: ("mbr_nobody", "-"),
    "standing.made_ready.documents": lambda: {PolicyKind.TAG_RULES: (1, ruled(one(Tag).id))},
    "policies.document_of.kind": lambda: one(Policy).kind,
    "policies.document_of.version": lambda: int(one(Policy).version),
    "policies.version_of.kind": lambda: one(Policy).kind,
    "policies.version_of.version": lambda: int(one(Policy).version),
    "told": lambda: ["x"],
    "after": lambda: None,
    "centre": lambda: Position(31.23, 121.47),
    "first": lambda: 2,
    "last4": lambda: "8000",
    "document": lambda: {"x": 1},
    "month": lambda: "2018-01",
    "redemption_id": lambda: ids.derived_id("mrd", "nobody"),
    "redemption_ids": lambda: [ids.derived_id("mrd", "nobody")],
    "reverse": lambda: False,
    "zone": lambda: ZONE,
}


def ruled(tag_id: str) -> TagRulesPolicy:
    """A rule that gives a tag."""
    when = Condition(fact=Fact.CITY, op=Operator.KNOWN)
    return TagRulesPolicy(rules=(TagRule(name="x", tag=tag_id, when=when),))


def redeemed() -> Item:
    """What a member had for points, under the member's id."""
    new = invented(Redemption)
    assert isinstance(new, Redemption)
    new.redemption_id, new.sort = ids.derived_id("mrd", "new"), "redemption#new"
    return new


# Decide without the database, or by what was read from it before, or forget that.
PURE = {
    "benefits.in_force",
    "benefits.points_in_force",
    "campaigns.units_above",
    "members.followed",
    "members.indexed_again",
    "points.in_force",
    "policies.forget",
    "standing.forget",
}


def test_every_access_path_of_every_repository_is_taken(seeded: Any) -> None:
    for _, name, function in sorted(one for slice_ in SLICES for one in functions(slice_)):
        hints = typing.get_type_hints(function)
        parameters = inspect.signature(function).parameters.values()
        named = [p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        wanted = [p for p in named if p != "tx"]
        arguments = {p: argument(f"{name}.{p}", hints[p]) for p in wanted}
        with counted() as calls:
            ask(function, arguments, writes="tx" in hints)
        assert calls or name in PURE, f"{name} asked nothing, given {arguments}"


def functions(slice_: str) -> Iterator[tuple[bool, str, Callable[..., Any]]]:
    """Those that take a transaction sort behind those that do not, then by name."""
    module = importlib.import_module(f"graphql_api.{slice_}.repository")
    for name, function in inspect.getmembers(module, inspect.isfunction):
        if function.__module__.startswith(module.__name__) and not name.startswith("_"):
            yield "tx" in inspect.signature(function).parameters, f"{slice_}.{name}", function


def ask(function: Callable[..., Any], arguments: dict[str, Any], *, writes: bool) -> None:
    """Call it, a page also from its other end and from its middle; a refusal of ours is fine."""
    with suppress(AppError, Stale):
        if writes:
            transact(lambda tx: function(tx, **arguments), seconds=0)
            return
        answer = function(**arguments)
        if isinstance(answer, Iterator):
            list(answer)
        if isinstance(answer, Page) and "reverse" in arguments:
            function(**arguments | {"reverse": True})
        if isinstance(answer, Page) and answer.places:
            function(**arguments | {"after": answer.places[0]})


def argument(name: str, kind: Any) -> Any:
    """A value for `slice.function.parameter`."""
    parameter = name.rpartition(".")[2]
    for known in (name, parameter):
        if known in GIVEN:
            return GIVEN[known]()
    noun, _, ending = parameter.rpartition("_")
    if ending in ("id", "ids"):
        value = id_of(noun, name.partition(".")[0])
        return [value] if ending == "ids" else value
    return of_type(kind, name)


def models() -> dict[str, type[Item]]:
    """The stored models by slice and name, as `tags.tag_group`."""
    found: dict[str, type[Item]] = {}
    waiting: list[type[Item]] = list(tables.TABLES)
    while waiting:
        model = waiting.pop()
        waiting += model.__subclasses__()
        slice_ = model.__module__.split(".")[1]
        found[f"{slice_}.{re.sub('(?<=[a-z])(?=[A-Z])', '_', model.__name__).lower()}"] = model
    return found


def id_of(noun: str, slice_: str) -> str:
    """The id of something stored that is called so, in this slice or else in another."""
    named = [
        (name, model) for name, model in models().items() if name.endswith((f".{noun}", f"_{noun}"))
    ]
    named.sort(key=lambda pair: (not pair[0].startswith(f"{slice_}."), not pair[1].id_prefix))
    for _, model in named:
        if item := stored(model):
            return str(getattr(item, "id", item.key[0]))
        if model.id_prefix:
            return ids.derived_id(model.id_prefix, "nobody")
    return f"{noun}-nobody"


def stored(model: type[Item]) -> Item | None:
    """The fullest item of a model."""
    attributes = {a.attr_name: a for a in model.get_attributes().values()}
    needed = {name for name, attribute in attributes.items() if not attribute.null}
    key = model.hash_attribute().attr_name
    client: Any = shared_client()
    fitting = [
        raw
        for raw in client.scan(TableName=model.Meta.table_name)["Items"]
        if needed <= set(raw) <= set(attributes)
        and (model.id_prefix is None or raw[key]["S"].startswith(model.id_prefix))
    ]
    for raw in sorted(fitting, key=len, reverse=True):
        with suppress(ValueError):  # another model's enum
            return model.from_raw_data(raw)
    return None


def one(model: type[Item]) -> Any:
    """An item of a model, stored or else made up."""
    return stored(model) or invented(model)


def invented(model: type[Item]) -> Item:
    """An item that has what a model must have."""
    attributes = model.get_attributes().items()
    needed = {name: a for name, a in attributes if not a.null and a.default is None}
    known = {n: sample(a) for n, a in needed.items() if not isinstance(a, VersionAttribute)}
    if model.id_prefix:
        known["id"] = ids.derived_id(model.id_prefix, "invented")
    return model(**known)


def sample(attribute: Attribute[Any]) -> Any:
    if isinstance(attribute, UnicodeEnumAttribute):
        return of_class(attribute.enum_type, attribute.attr_name)
    kinds = {
        NumberAttribute: 1,
        InstantAttribute: NOW,
        TTLAttribute: NOW,
        DayAttribute: NOW.date(),
    }
    return next((value for kind, value in kinds.items() if isinstance(attribute, kind)), "x")


def of_type(kind: Any, what: str) -> Any:
    """A value of a type."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if isinstance(kind, typing.TypeVar):
        return of_type(kind.__constraints__[0], what)
    if origin in (typing.Union, UnionType):
        return of_type(arguments[0], what)
    if origin is tuple:
        return tuple(of_type(each, what) for each in arguments if each is not ...)
    if inspect.isclass(origin) and issubclass(origin, Mapping):
        return {of_type(arguments[0], what): of_type(arguments[1], what)}
    if inspect.isclass(origin) and issubclass(origin, Iterable):
        return (frozenset if issubclass(origin, Set) else list)([of_type(arguments[0], what)])
    return of_class(kind, what)


def of_class(kind: Any, what: str) -> Any:
    simple = {bool: False, int: 1, str: "x", datetime: NOW, date: NOW.date()}
    if kind in simple:
        return simple[kind]
    if issubclass(kind, AppError):
        return Taken("x")
    if issubclass(kind, Enum):
        return next(iter(kind))
    if issubclass(kind, Item):
        return one(kind)
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        values = {f.name: of_type(hints[f.name], what) for f in dataclasses.fields(kind)}
        return typing.cast("Any", kind)(**values)
    pytest.fail(f"GIVEN lacks a value for {what}: {kind}")
