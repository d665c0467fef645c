"""Items made of DynamoDB's answers: the objects that PynamoDB makes, several times as fast.

PynamoDB asks every attribute of a model whether it is there, through descriptors; this goes through
what is there, with what there is to know of a model worked out once.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from pynamodb.attributes import Attribute, NumberAttribute
from pynamodb.constants import NULL
from pynamodb.models import Model

Read = Callable[[Any], Any]


class _Stored(NamedTuple):
    """Where a value goes, the type that holds it, and how it is read, None where it is as it is."""

    name: str
    type: str
    read: Read | None


class _Plan(NamedTuple):
    attributes: Mapping[str, _Stored]
    defaults: tuple[tuple[str, Any], ...]


_plans: dict[type[Model], _Plan] = {}


def values_of(model: type[Model], data: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The attribute values of an item as DynamoDB answers it; KeyError for one of another type."""
    plan = _plans.get(model) or _planned(model)
    attributes = plan.attributes
    values = {name: default() if callable(default) else default for name, default in plan.defaults}
    for stored, value in data.items():
        known = attributes.get(stored)
        if known is not None and value and NULL not in value:
            name, type_, read = known
            values[name] = value[type_] if read is None else read(value[type_])
    return values


def _planned(model: type[Model]) -> _Plan:
    known: Mapping[str, Attribute[Any]] = model.get_attributes()
    plan = _Plan(
        {a.attr_name: _Stored(name, a.attr_type, _reader(a)) for name, a in known.items()},
        tuple((name, a.default) for name, a in known.items() if a.default is not None),
    )
    _plans[model] = plan
    return plan


def _reader(attribute: Attribute[Any]) -> Read | None:
    if type(attribute).deserialize is Attribute.deserialize:
        return None
    if type(attribute).deserialize is NumberAttribute.deserialize:
        return _number
    return attribute.deserialize


def _number(text: str) -> int | float:
    return int(text) if text.isdigit() else json.loads(text)
