"""The schema as a whole: everything described in two languages, guarded, and shaped alike."""

import re
from collections.abc import Iterator

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    get_named_type,
    get_nullable_type,
    is_introspection_type,
    is_specified_directive,
    is_specified_scalar_type,
)

from graphql_api.kit.graphql import rule_of
from graphql_api.schema import schema
from scripts import export_schema

GRAPH = schema._schema
TYPES: list[GraphQLNamedType] = [
    named
    for named in GRAPH.type_map.values()
    if not is_introspection_type(named) and not is_specified_scalar_type(named)
]

MAY_HOLD_NULLS = {"Query.nodes"}
"""Lists with a null in the place of each id that was not found."""

OF_THE_CALLER = {"loginWithWeChat", "loginWithWeCom", "tokenRefresh", "logout", "logoutEverywhere"}
"""Mutations about whoever sends them: no node stands for a login, and a logout needs no input."""

OF_THE_CHAIN = {"chainSetUp", "pointsMasterSet"}
"""The chain itself is no node: there is one, and everything is its."""

OF_NO_NODE = {
    *("checkoutReserve", "checkoutRelease"),
    *("noticeTemplateSet", "noticeTemplateRetire", "noticeAnswersAdd", "noticeSend"),
}
"""What has no id of its own: an order, or a template of WeChat's and a reason, names it."""

CANNOT_FAIL = {"me"}
"""Root fields that show the token and read nothing."""

Typed = GraphQLField | GraphQLArgument | GraphQLInputField


def output_fields() -> Iterator[tuple[str, GraphQLField]]:
    """Every field of every object type and interface, by coordinate."""
    for named in TYPES:
        if isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
            for name, field in named.fields.items():
                yield f"{named.name}.{name}", field


def inputs() -> Iterator[tuple[str, GraphQLArgument | GraphQLInputField]]:
    """Every argument of a field or directive, and every input field."""
    for coordinate, field in output_fields():
        for name, argument in field.args.items():
            yield f"{coordinate}({name}:)", argument
    for named in TYPES:
        if isinstance(named, GraphQLInputObjectType):
            for name, given in named.fields.items():
                yield f"{named.name}.{name}", given
    for directive in GRAPH.directives:
        if not is_specified_directive(directive):
            for name, argument in directive.args.items():
                yield f"@{directive.name}({name}:)", argument


def typed() -> Iterator[tuple[str, Typed]]:
    """Everything that has a type."""
    yield from output_fields()
    yield from inputs()


def described() -> Iterator[tuple[str, str | None]]:
    """Everything that has a description."""
    for named in TYPES:
        yield named.name, named.description
        if isinstance(named, GraphQLEnumType):
            for name, value in named.values.items():
                yield f"{named.name}.{name}", value.description
    for coordinate, element in typed():
        yield coordinate, element.description
    for directive in GRAPH.directives:
        if not is_specified_directive(directive):
            yield f"@{directive.name}", directive.description


def mutations() -> dict[str, GraphQLField]:
    """The fields of the mutation type."""
    assert GRAPH.mutation_type is not None
    fields: dict[str, GraphQLField] = GRAPH.mutation_type.fields
    return fields


def payload(field: GraphQLField) -> GraphQLObjectType:
    """What a mutation returns."""
    named = get_named_type(field.type)
    assert isinstance(named, GraphQLObjectType)
    return named


def test_everything_is_described_in_english_and_chinese() -> None:
    bare = [
        coordinate
        for coordinate, text in described()
        if not re.search(r"[A-Za-z]{2}", text or "") or not re.search(r"[一-鿿]", text or "")
    ]
    assert bare == []


def test_every_field_of_an_object_type_has_a_rule() -> None:
    open_fields = [
        coordinate
        for coordinate, field in output_fields()
        if isinstance(GRAPH.type_map[coordinate.partition(".")[0]], GraphQLObjectType)
        and rule_of(field) is None
    ]
    assert open_fields == []


def test_items_of_lists_are_never_null() -> None:
    holed = [
        coordinate
        for coordinate, element in typed()
        if isinstance(wrapped := get_nullable_type(element.type), GraphQLList)
        and not isinstance(wrapped.of_type, GraphQLNonNull)
    ]
    assert set(holed) == MAY_HOLD_NULLS


def test_connections_are_never_null() -> None:
    nullable = [
        coordinate
        for coordinate, field in output_fields()
        if get_named_type(field.type).name.endswith("Connection")
        and not isinstance(field.type, GraphQLNonNull)
    ]
    assert nullable == []


def test_root_queries_may_fail_alone() -> None:
    """Only lists are non-null at the root, so that one failed branch does not blank a page."""
    assert GRAPH.query_type is not None
    rigid = [
        name
        for name, field in GRAPH.query_type.fields.items()
        if isinstance(field.type, GraphQLNonNull)
        and not isinstance(field.type.of_type, GraphQLList)
        and not get_named_type(field.type).name.endswith("Connection")
    ]
    assert set(rigid) == CANNOT_FAIL


def test_ids_are_no_numbers() -> None:
    numeric = [
        coordinate
        for coordinate, element in typed()
        if re.search(r"(\b[Ii]d|Id)s?(:\))?$", coordinate)
        and get_named_type(element.type).name not in {"ID", "String"}
    ]
    assert numeric == []


def test_scalars_of_ours_say_where_they_are_specified() -> None:
    vague = [
        named.name
        for named in TYPES
        if isinstance(named, GraphQLScalarType) and not named.specified_by_url
    ]
    assert vague == []


def test_values_of_enums_are_upper_case() -> None:
    enums = [named for named in TYPES if isinstance(named, GraphQLEnumType)]
    names = [name for enum in enums for name in enum.values]
    assert [name for name in names if not re.fullmatch(r"[A-Z][A-Z0-9_]*", name)] == []


@pytest.mark.parametrize("name", mutations())
def test_mutation_is_named_object_first(name: str) -> None:
    nouns = [
        named.name[0].lower() + named.name[1:]
        for named in TYPES
        if isinstance(named, GraphQLObjectType) and named.interfaces
    ]
    no_node = OF_THE_CALLER | OF_THE_CHAIN | OF_NO_NODE
    assert name in no_node or any(re.match(rf"{noun}[A-Z]", name) for noun in nouns)


@pytest.mark.parametrize("name", mutations())
def test_mutation_takes_one_input_or_names_its_object(name: str) -> None:
    arguments = {key: str(given.type) for key, given in mutations()[name].args.items()}
    if "input" in arguments:
        assert len(arguments) == 1
        assert arguments["input"].endswith("Input!")
    elif arguments or name not in OF_THE_CALLER:
        assert arguments["id"] == "ID!"


@pytest.mark.parametrize(("name", "field"), mutations().items())
def test_payload_holds_the_nullable_object_and_the_user_errors(
    name: str, field: GraphQLField
) -> None:
    assert str(field.type) == f"{payload(field).name}!"
    assert payload(field).name.endswith("Payload")
    shown = {name: str(f.type) for name, f in payload(field).fields.items()}
    assert shown.pop("userErrors") == "[UserError!]!"
    assert shown
    assert [kind for kind in shown.values() if kind.endswith("!")] == []


def test_input_types_serve_inputs_only() -> None:
    """An input ends in Input, a way to name one thing in Selector and takes exactly one."""
    text = export_schema.exported(schema)
    for named in TYPES:
        if isinstance(named, GraphQLInputObjectType):
            assert re.search("(Input|Selector|Filter)$", named.name)
            one_of = f"input {named.name} @oneOf" in text
            assert one_of == named.name.endswith("Selector")


OLD = '''
"""What can be asked. 查询"""
type Query {
  """A number. 数"""
  number: Int
}
'''


def test_stale_export_shows_the_difference_and_what_breaks(
    capsys: pytest.CaptureFixture[str],
) -> None:
    new = OLD.replace("number: Int", "text: String")
    assert export_schema.check(OLD, new) == 1
    said = capsys.readouterr().out
    assert "-  number: Int\n+  text: String\n" in said
    assert "Breaking for clients:\n  Field Query.number was removed.\n" in said


def test_added_field_breaks_nobody() -> None:
    assert export_schema.breaking_changes(OLD, OLD.replace("Int", "Int more: Int")) == []


def test_fresh_export_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert export_schema.check(OLD, OLD) == 0
    assert capsys.readouterr().out == ""


def test_export_keeps_one_of_and_specified_by_in_alphabetical_order() -> None:
    text = export_schema.exported(schema)
    assert "input StoreSelector @oneOf {" in text
    assert 'scalar Date @specifiedBy(url: "https://' in text
    names = re.findall(r"^(?:type|input|enum|scalar|interface|union) (\w+)", text, re.MULTILINE)
    assert names == sorted(names)
    assert len(names) == len(TYPES)
