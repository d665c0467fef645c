"""What commands on tags share."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

NO_TAG = "There is no such tag"

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Command(BaseModel):
    """What comes from outside: closed, and never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)
