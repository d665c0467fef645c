"""Whom a campaign is for: a rule over what is known of a member."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

from graphql_api.members.rules import ConsentChannel, ConsentPurpose, Gender

MAX_DEPTH = 5
MAX_CLAUSES = 50

T = TypeVar("T")
Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Month = Annotated[int, Field(ge=1, le=12)]


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True
    )


class OneOf(_Part, Generic[T]):
    """One of these values."""

    values: list[T] = Field(alias="in", min_length=1, max_length=100)


class Between(_Part):
    """From one business day to another, both included; either may be left open."""

    first: date | None = Field(default=None, alias="from")
    last: date | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.first is None and self.last is None:
            raise ValueError("a range has a first or a last day")
        if self.first is not None and self.last is not None and self.first > self.last:
            raise ValueError("a range begins before it ends")
        return self


class Agreed(_Part):
    """An agreement that holds now."""

    purpose: ConsentPurpose
    channel: ConsentChannel = ConsentChannel.ANY


class Clause(_Part):
    """One condition: a combination of others, or a fact about the member."""

    all_of: list["Clause"] | None = Field(default=None, alias="all", min_length=1)
    any_of: list["Clause"] | None = Field(default=None, alias="any", min_length=1)
    none_of: list["Clause"] | None = Field(default=None, alias="none", min_length=1)
    tag: OneOf[Name] | None = None
    store: OneOf[Name] | None = None
    joined: Between | None = None
    gender: OneOf[Gender] | None = None
    birthday_month: OneOf[Month] | None = None
    consent: Agreed | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        said = [name for name in self.model_fields_set if getattr(self, name) is not None]
        if len(said) != 1 or len(self.model_fields_set) != 1:
            names = ", ".join(str(f.alias) for f in type(self).model_fields.values())
            raise ValueError(f"a condition says exactly one of {names}")
        return self

    def inner(self) -> list["Clause"]:
        """The conditions that this one combines."""
        return self.all_of or self.any_of or self.none_of or []


class Audience(Clause):
    """Whom a campaign is for, as a rule over what is known of a member: all, any, none, nested."""

    @model_validator(mode="after")
    def _is_small(self) -> Self:
        depths = list(_depths(self, 1))
        if max(depths) > MAX_DEPTH or len(depths) > MAX_CLAUSES:
            text = f"an audience has at most {MAX_CLAUSES} conditions, {MAX_DEPTH} levels deep"
            raise ValueError(text)
        return self

    def document(self) -> dict[str, Any]:
        """The rule as it came."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _depths(clause: Clause, depth: int) -> Iterator[int]:
    yield depth
    for inner in clause.inner():
        yield from _depths(inner, depth + 1)
