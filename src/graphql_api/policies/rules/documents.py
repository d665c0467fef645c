"""What every policy document is, and the bounds that several of them share."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

MAX_MONTHS = 36

Months = Annotated[int, Field(ge=1, le=MAX_MONTHS)]
Amount = Annotated[int, Field(ge=0, le=10**12)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20)]


class PolicyDocument(BaseModel):
    """Numbers that the business may change; without any given they are those shipped.

    Outside, names are in camel case, and nothing is guessed: a text is no number.
    """

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        validate_default=True,
        hide_input_in_errors=True,
    )

    def document(self) -> dict[str, Any]:
        """The whole document, defaults included, as clients see it and as it is stored."""
        return self.model_dump(mode="json", by_alias=True)


def require_rising(values: Sequence[int], what: str, first: int | None = None) -> None:
    """Refuse values that do not rise, or do not begin at `first`."""
    if first is not None and list(values[:1]) != [first]:
        raise ValueError(f"the {what} begin at {first}")
    if any(low >= high for low, high in pairwise(values)):
        raise ValueError(f"the {what} rise")


def require_not_falling(values: Sequence[int], what: str, first: int | None = None) -> None:
    """Refuse values of which one is less than that before it, or that do not begin at `first`."""
    if first is not None and list(values[:1]) != [first]:
        raise ValueError(f"the {what} begin at {first}")
    if any(low > high for low, high in pairwise(values)):
        raise ValueError(f"the {what} do not fall")
