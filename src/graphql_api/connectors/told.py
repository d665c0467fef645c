"""What vendors' JSON is made of: ids, money, and text that stands for nothing."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from graphql_api.kit.money import from_yuan

_NOTHING = ("", "null", None)


class Unreadable(Exception):
    """It is not what a vendor is known to tell; the message never shows what stood there."""


class Told(BaseModel):
    """Anything that a vendor tells; empty text, `null` and the text `null` all mean unset."""

    # An error must not print what was told: names, phones, ids of buyers.
    model_config = ConfigDict(extra="allow", frozen=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _drop_what_is_nothing(cls, told: Any) -> Any:
        if not isinstance(told, Mapping):
            return told
        return {name: value for name, value in told.items() if value not in _NOTHING}


def _id(told: object) -> object:
    whole = isinstance(told, int) and not isinstance(told, bool)
    return str(told) if whole else told


def _yuan(told: object) -> object:
    if isinstance(told, str):
        return from_yuan(told)
    if isinstance(told, int) and not isinstance(told, bool):
        return told * 100
    raise ValueError("yuan are text or a whole number")


def _object(told: object) -> object:
    return orjson.loads(told) if isinstance(told, str) else told


def _list(told: object) -> object:
    if isinstance(told, str) and told.startswith("["):
        return orjson.loads(told)
    return [told] if isinstance(told, str) else told


Id = Annotated[str, BeforeValidator(_id)]
"""An id: 64-bit numbers are kept as text."""
FenOfYuan = Annotated[int, BeforeValidator(_yuan)]
"""Fen, told as yuan with at most two decimals."""
InText = BeforeValidator(_object)
"""An object that may be told as JSON in a text."""
Names = Annotated[list[str], BeforeValidator(_list)]
"""Names that may be told as a list, as JSON in a text, or as one name."""

Read = TypeVar("Read", bound=Told)


def read(model: type[Read], told: object) -> Read:
    """What was told as a model; Unreadable if it is something else."""
    try:
        return model.model_validate(told)
    except ValidationError:
        raise Unreadable(f"not a {model.__name__} of theirs") from None


def json_object(text: str | bytes) -> dict[str, Any]:
    """A JSON object; Unreadable for anything else."""
    try:
        told = orjson.loads(text)
    except ValueError:
        raise Unreadable("not JSON") from None
    if not isinstance(told, dict):
        raise Unreadable("not a JSON object")
    return told
