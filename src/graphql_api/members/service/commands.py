"""What can be asked of members, as it comes from outside."""

import re
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from graphql_api.kit import phone
from graphql_api.members import rules
from graphql_api.members.rules import (
    ConsentChannel,
    ConsentPurpose,
    Gender,
    IdentityKind,
    SourceChannel,
)

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
MAX_IDENTITIES = 20
MAX_CONSENTS_AT_ONCE = 24
_OLDEST_BIRTH_YEAR = 1900
_LEAP_YEAR = 2000
NO_SUCH_BIRTHDAY = "this birthday does not exist in this birth year"
_TOKEN = re.compile(r"[\x21-\x7e]{1,128}")


def _existing_day(month_day: str) -> str:
    if not rules.birthday_exists(month_day, _LEAP_YEAR):
        raise ValueError("a birthday is a day that exists, MM-DD")
    return month_day


MonthDay = Annotated[str, StringConstraints(pattern="^[0-9]{2}-[0-9]{2}$")]
Birthday = Annotated[MonthDay, AfterValidator(_existing_day)]


class _Command(BaseModel):
    # Inputs hold personal data: an error that reaches a log must not print them.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class NewIdentity(_Command):
    """An identity as it comes from outside; any form of a phone that `kit.phone` reads."""

    kind: IdentityKind
    value: Annotated[str, StringConstraints(strip_whitespace=True)]

    @field_validator("value")
    @classmethod
    def _fits_its_kind(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("kind") is IdentityKind.PHONE:
            return phone.to_e164(value)
        if not _TOKEN.fullmatch(value):
            raise ValueError("an identity has 1 to 128 ASCII characters and no spaces")
        return value


class NewConsent(_Command):
    """An agreement, with the version of the text that was shown."""

    purpose: ConsentPurpose
    channel: ConsentChannel = ConsentChannel.ANY
    text_version: Annotated[str, StringConstraints(min_length=1, max_length=20)]
    at: AwareDatetime | None = None


class Profile(_Command):
    name: Name | None = None
    nickname: Name | None = None
    gender: Gender | None = None
    birthday: Birthday | None = None
    birth_year: int | None = Field(default=None, ge=_OLDEST_BIRTH_YEAR, le=2100)
    city: Name | None = None
    occupation: Name | None = None
    income_band: Name | None = None

    @field_validator("birth_year")
    @classmethod
    def _has_the_birthday(cls, birth_year: int | None, info: ValidationInfo) -> int | None:
        if not rules.birthday_exists(info.data.get("birthday"), birth_year):
            raise ValueError(NO_SUCH_BIRTHDAY)
        return birth_year


PROFILE_FIELDS = frozenset(Profile.model_fields)


class Enrol(Profile):
    """A new member. `store_id` may be left out by store staff, `guide_id` by a guide.

    `home_store_id` is for members who joined at another store than the one that keeps them now;
    the guide is one of the home store.
    """

    identities: list[NewIdentity] = Field(min_length=1, max_length=MAX_IDENTITIES)
    store_id: str | None = None
    home_store_id: str | None = None
    guide_id: str | None = None
    source: SourceChannel = SourceChannel.STORE
    joined_at: AwareDatetime | None = None
    consents: list[NewConsent] = Field(default_factory=list, max_length=MAX_CONSENTS_AT_ONCE)


class Update(Profile):
    """What changes of a member; what is not set stays, what is null is cleared."""

    id: str
    store_id: str | None = None
    expected_version: int | None = None


class ConsentSet(_Command):
    """Give or withdraw one agreement; `source` is the door through which the member said so."""

    member_id: str
    purpose: ConsentPurpose
    channel: ConsentChannel = ConsentChannel.ANY
    granted: bool
    text_version: Annotated[str, StringConstraints(min_length=1, max_length=20)]
    source: SourceChannel | None = None


class IdentityChange(_Command):
    """Give an identity to a member, or take it away."""

    member_id: str
    identity: NewIdentity
