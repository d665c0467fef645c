"""Execution of mutations that carry a key: done at most once, answered as often as asked."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeAlias

import orjson
from graphql import FieldNode, GraphQLObjectType, Node, VariableNode, Visitor, print_ast, visit
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from graphql.execution.values import get_directive_values
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from graphql_api.errors import AppError, Invalid
from graphql_api.kit.dynamo.transactions import companion
from graphql_api.kit.graphql.keys import IDEMPOTENT, GivenKey, given_key
from graphql_api.kit.time import real_now
from graphql_api.requests import service as requests

Fields: TypeAlias = dict[str, Any]
Run: TypeAlias = Callable[[GroupedFieldSet], Fields | Awaitable[Fields]]
Key: TypeAlias = str | AppError | None


class Execution(StrawberryGraphQLCoreExecutionContext):
    """Executes operations; a mutation field that has a key, as requests.service says."""

    def execute_fields_serially(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: Any,
    ) -> Fields | Awaitable[Fields]:
        """The fields of a mutation, one after the other."""
        inherited = super().execute_fields_serially

        def run(fields: GroupedFieldSet) -> Fields | Awaitable[Fields]:
            return inherited(parent_type, source_value, path, fields, position_context)

        keys = {name: self._named(details) for name, details in grouped_field_set.items()}
        if header := self.context_value.key:
            keys = _with_header(keys, header)
        if all(key is None for key in keys.values()):
            return run(grouped_field_set)
        return self._one_by_one(run, grouped_field_set, keys)

    def _named(self, details: FieldDetailsList) -> Key:
        """The key that `@idempotent` names on a field."""
        given = (get_directive_values(IDEMPOTENT, d.node, self.variable_values) for d in details)
        keys = {found["key"] for found in given if found}
        return Invalid("A field has one key") if len(keys) > 1 else next(iter(keys), None)

    async def _one_by_one(self, run: Run, fields: GroupedFieldSet, keys: dict[str, Key]) -> Fields:
        results: Fields = {}
        for name, details in fields.items():
            only = {name: details}
            key = keys[name]
            done = _awaited(run(only)) if key is None else self._once(run, only, key)
            results |= await done
        return results

    async def _once(self, run: Run, only: GroupedFieldSet, key: str | AppError) -> Fields:
        """One field, unless it was done before."""
        [(name, details)] = only.items()
        given = GivenKey()
        attempt = None
        try:
            attempt = await self._begin(details, key)
        except AppError as refusal:
            given.refusal = refusal
        if isinstance(attempt, str):
            return {name: self._as_before(attempt)}
        failures, shown = len(self.collected_errors.errors), self._shown()
        given_token, companion_token = given_key.set(given), companion.set(attempt)
        try:
            fields = await _awaited(run(only))
        except Exception:
            await self._finish(attempt, None, refused=True)
            raise
        finally:
            given_key.reset(given_token)
            companion.reset(companion_token)
        whole = given.kept and len(self.collected_errors.errors) == failures
        answer = self._to_keep(fields[name], shown) if whole else None
        await self._finish(attempt, answer, refused=given.refused)
        return fields

    def _shown(self) -> dict[str, set[str]]:
        """What this request has shown in full so far, for the audit log."""
        notes = self.context_value.viewer.request
        return {member: set(names) for member, names in notes.shown.items()} if notes else {}

    def _to_keep(self, answer: Any, before: dict[str, set[str]]) -> str:
        """An answer, with what it showed in full that was not shown before it."""
        shown = {m: sorted(names - before.get(m, set())) for m, names in self._shown().items()}
        return orjson.dumps({"answer": answer, "shown": shown}).decode()

    def _as_before(self, kept: str) -> Any:
        """A kept answer; what it shows in full is recorded again."""
        known = orjson.loads(kept)
        if notes := self.context_value.viewer.request:
            for member, names in known["shown"].items():
                notes.shown.setdefault(member, set()).update(names)
        return known["answer"]

    async def _finish(
        self, attempt: requests.Attempt | None, answer: str | None, *, refused: bool
    ) -> None:
        if attempt:
            await asyncio.to_thread(attempt.finish, answer, refused=refused, at=real_now())

    async def _begin(
        self, details: FieldDetailsList, key: str | AppError
    ) -> requests.Attempt | str:
        if isinstance(key, AppError):
            raise key
        return await asyncio.to_thread(
            requests.begin,
            key,
            self._fingerprint(details),
            viewer=self.context_value.viewer,
            at=real_now(),
        )

    def _fingerprint(self, details: FieldDetailsList) -> str:
        """What is asked of a field, with the values of variables, and by whom with which rights."""
        fields = [_bare(d.node) for d in details]
        fragments = [self.fragment_definitions[name] for name in sorted(self.fragment_definitions)]
        sources = self.variable_values.sources
        named = _variables([*fields, *fragments])
        values = {name: sources[name].value for name in named if name in sources}
        texts = [print_ast(node) for node in (*fields, *fragments)]
        viewer = self.context_value.viewer
        asked = [texts, values, viewer.unit_id, sorted(viewer.scopes)]
        return orjson.dumps(asked, default=str, option=orjson.OPT_SORT_KEYS).decode()


def _with_header(keys: dict[str, Key], header: str) -> dict[str, Key]:
    """The keys with `Idempotency-Key`, which stands for the directive on a document's one field."""
    if len(keys) > 1:
        each = Invalid("`Idempotency-Key` is for one mutation; give each `@idempotent(key:)`")
        return {name: key or each for name, key in keys.items()}
    two = Invalid("`Idempotency-Key` and `@idempotent(key:)` differ")
    return {name: header if key in {None, header} else two for name, key in keys.items()}


async def _awaited(fields: Fields | Awaitable[Fields]) -> Fields:
    return await fields if isinstance(fields, Awaitable) else fields


def _bare(node: FieldNode) -> FieldNode:
    """A field without its alias and without its key."""
    others = tuple(d for d in node.directives or () if d.name.value != IDEMPOTENT.name)
    parts = {name: getattr(node, name) for name in node.keys}
    return FieldNode(**{**parts, "alias": None, "directives": others})


class _Names(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.names.add(node.name.value)


def _variables(nodes: Iterable[Node]) -> set[str]:
    found = _Names()
    for node in nodes:
        visit(node, found)
    return found.names
