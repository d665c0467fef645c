"""What a caller may ask for, as it comes from outside."""

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from graphql_api.members.rules import OwnershipSource
from graphql_api.ownership import rules
from graphql_api.ownership.rules import EndReason

MAX_TARGETS = 50


def _once_each(guide_ids: list[str]) -> list[str]:
    if len(set(guide_ids)) < len(guide_ids):
        raise ValueError("a guide stands once in the list")
    return guide_ids


def _of_a_hand_over(reason: EndReason) -> EndReason:
    if reason not in rules.HANDING_OVER:
        raise ValueError("members are not handed over for this reason")
    return reason


Targets = Annotated[list[str], Field(max_length=MAX_TARGETS), AfterValidator(_once_each)]
Reason = Annotated[EndReason, AfterValidator(_of_a_hand_over)]


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Assign(_Command):
    """Give a member whom nobody looks after to a guide; `valid_until` is the last day."""

    member_id: str
    guide_id: str
    source: OwnershipSource | None = None
    valid_until: date | None = None


class TakeOver(_Command):
    """Give a member to a guide, whoever has them; a guide names nobody but themselves."""

    member_id: str
    guide_id: str | None = None
    source: OwnershipSource | None = None
    force: bool = False


class Release(_Command):
    """Take a member from their guide."""

    member_id: str


class HandOverCreate(_Command):
    """Whose members go to whom; without a reason, that of leaving where the guide has left."""

    from_guide_id: str
    target_ids: Targets = Field(min_length=1)
    reason: Reason | None = None


class GuideMove(_Command):
    """A guide goes to another store; their members stay, with these guides or with none."""

    guide_id: str
    store_id: str
    hand_over_to: Targets = Field(default_factory=list)
