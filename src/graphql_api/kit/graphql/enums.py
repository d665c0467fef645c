"""Enums of the core half, shown in the schema with a description for every value."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

import strawberry


def describe_enum(
    enum: type[Enum], *, description: str, values: Mapping[str, str], name: str | None = None
) -> None:
    """Make a plain enum usable in the schema; KeyError for a value without a description."""
    shown: Any = strawberry.enum(enum, name=name, description=description)
    for value in shown.__strawberry_definition__.values:
        value.description = values[value.name]
