"""Items made of answers are those that PynamoDB makes, for every model that there is."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pynamodb.attributes import (
    Attribute,
    AttributeContainer,
    BooleanAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    VersionAttribute,
)
from pynamodb.exceptions import AttributeDeserializationError
from pynamodb_attributes import UnicodeEnumAttribute

from graphql_api import tables
from graphql_api.kit.dynamo import DayAttribute, InstantAttribute, Item, JsonAttribute

INTEGERS = st.integers(-(10**12), 10**12).map(str)
TEXTS = st.text(max_size=5)
WIRE: dict[type[Attribute[Any]], st.SearchStrategy[dict[str, Any]]] = {
    UnicodeAttribute: st.fixed_dictionaries({"S": TEXTS}),
    NumberAttribute: st.fixed_dictionaries({"N": INTEGERS | st.sampled_from(["1.5", "-0", "1E3"])}),
    VersionAttribute: st.fixed_dictionaries({"N": INTEGERS}),
    TTLAttribute: st.fixed_dictionaries({"N": st.integers(0, 2**31).map(str)}),
    BooleanAttribute: st.fixed_dictionaries({"BOOL": st.booleans()}),
    ListAttribute: st.fixed_dictionaries({"L": st.lists(st.builds(dict, S=TEXTS), max_size=3)}),
    UnicodeSetAttribute: st.fixed_dictionaries({"SS": st.lists(TEXTS, min_size=1, max_size=3)}),
    MapAttribute: st.fixed_dictionaries({"M": st.just({"a": {"S": "b"}})}),
    InstantAttribute: st.sampled_from([{"S": "2017-01-01T11:53:26.000Z"}]),
    DayAttribute: st.sampled_from([{"S": "2017-01-01"}, {"S": "2016-02-29"}]),
    JsonAttribute: st.sampled_from([{"S": "{}"}, {"S": '{"a":[1,null,"中"]}'}]),
}


def models(base: type[Item] = Item) -> Iterator[type[Item]]:
    """Every stored model of the product."""
    for model in base.__subclasses__():
        if model.__module__.startswith("graphql_api."):
            yield model
        yield from models(model)


def wire_of(attribute: Attribute[Any]) -> st.SearchStrategy[dict[str, Any]]:
    if isinstance(attribute, UnicodeEnumAttribute):
        members: Any = attribute.enum_type
        return st.sampled_from([{"S": one.value} for one in members])
    return WIRE[type(attribute)]


@st.composite
def answers(draw: st.DrawFn) -> tuple[type[Item], dict[str, Any]]:
    """A model, and an item of its table with some attributes, some of them null, and others."""
    model = draw(st.sampled_from(MODELS))
    attributes = list(model.get_attributes().values())
    there = draw(st.lists(st.sampled_from(attributes), unique_by=lambda a: a.attr_name))
    null = st.just({"NULL": True})
    item = {a.attr_name: draw(wire_of(a) | null) for a in there}
    return model, item | draw(st.sampled_from([{}, {"of_another_model": {"S": "x"}}]))


MODELS = sorted(models(), key=lambda model: (model.__module__, model.__name__))


def test_every_table_is_among_the_models() -> None:
    assert set(tables.TABLES) <= set(MODELS)


@settings(max_examples=200, deadline=None)
@given(answers())
def test_item_is_the_one_that_pynamodb_makes(answer: tuple[type[Item], dict[str, Any]]) -> None:
    model, data = answer
    theirs = model._instantiate(data)
    ours = model.from_raw_data(data)
    assert type(ours) is type(theirs) is model
    assert vars(ours) == vars(theirs)
    assert {k: type(v) for k, v in ours.attribute_values.items()} == {
        k: type(v) for k, v in theirs.attribute_values.items()
    }


def test_defaults_are_made_anew_for_each_item() -> None:
    class Kept(Item):
        class Meta:
            table_name = "kept"

        id = UnicodeAttribute(hash_key=True)
        names: ListAttribute[str] = ListAttribute(default=list)
        colour = UnicodeAttribute(default="red")

    one, other = (Kept.from_raw_data({"id": {"S": "1"}}) for _ in range(2))
    one.names.append("x")
    assert (other.names, other.colour, one.names) == ([], "red", ["x"])
    assert issubclass(Kept, AttributeContainer)


def test_value_of_another_type_is_refused_as_pynamodb_refuses_it() -> None:
    model = next(model for model in MODELS if model.__name__ == "Member")
    with pytest.raises(AttributeDeserializationError, match="number"):
        model.from_raw_data({"number": {"S": "7"}})
