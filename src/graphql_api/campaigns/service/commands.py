"""What commands on campaigns share."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from graphql_api.campaigns import repository
from graphql_api.campaigns.models import Adoption, Campaign
from graphql_api.errors import Conflict, NotFound
from graphql_api.kit import ids

_FIRST_INSTANT, _LAST_INSTANT = (datetime(year, 1, 1, tzinfo=UTC) for year in (1970, 2200))

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Instant = Annotated[AwareDatetime, Field(ge=_FIRST_INSTANT, lt=_LAST_INSTANT)]


class Command(BaseModel):
    """What comes from outside: closed, and never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def get(campaign_id: str, *, field: tuple[str, ...] = ("input", "id")) -> Campaign:
    """A campaign as it is now, to decide on; NotFound where there is none."""
    campaign = repository.get(campaign_id) if ids.prefix_of(campaign_id) == "cmp" else None
    if campaign is None:
        raise NotFound("There is no such campaign", field=field)
    return campaign


def require_version(item: Campaign | Adoption, expected: int | None) -> None:
    """Conflict when somebody changed the item since."""
    if expected is not None and expected != item.version:
        text = f"It is at version {item.version}, not {expected}"
        raise Conflict(text, field=("input", "expected_version"))
