"""What WeCom pushes of customers 客户联系 and of corp tags, as it says it.

https://developer.work.weixin.qq.com/document/path/92130
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from graphql_api.connectors.weixin_bodies import Unreadable, tree

__all__ = ["ContactEvent", "Push", "TagsDeleted", "Unreadable", "event_of", "fields_of"]

ABOUT_CUSTOMERS = "change_external_contact"
ABOUT_TAGS = "change_external_tag"


class Push(StrEnum):
    """What happened between a member of the corp and a customer."""

    ADDED = "add_external_contact"
    HALF_ADDED = "add_half_external_contact"
    EDITED = "edit_external_contact"
    DELETED_BY_GUIDE = "del_external_contact"
    DELETED_BY_CUSTOMER = "del_follow_user"
    TRANSFER_FAILED = "transfer_fail"


class ContactEvent(BaseModel):
    """One event; ids are those of the corp, `welcome_code` works once and for 20 seconds."""

    # An error must not print a welcome code.
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, populate_by_name=True)

    push: Push = Field(validation_alias=AliasChoices("push", "ChangeType"))
    user_id: str = Field(
        validation_alias=AliasChoices("user_id", "UserID"), min_length=1, max_length=64
    )
    external_user_id: str = Field(
        validation_alias=AliasChoices("external_user_id", "ExternalUserID"),
        min_length=1,
        max_length=64,
    )
    created_at: datetime = Field(validation_alias=AliasChoices("created_at", "CreateTime"))
    state: str | None = Field(default=None, validation_alias=AliasChoices("state", "State"))
    welcome_code: str | None = Field(
        default=None, repr=False, validation_alias=AliasChoices("welcome_code", "WelcomeCode")
    )
    source: str | None = Field(default=None, validation_alias=AliasChoices("source", "Source"))
    fail_reason: str | None = Field(
        default=None, validation_alias=AliasChoices("fail_reason", "FailReason")
    )


class TagsDeleted(BaseModel):
    """Somebody deleted a tag of the corp, or a group with its tags."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tags_deleted: Literal[True] = True


def fields_of(body: bytes) -> dict[str, str]:
    """The flat fields of a body, without the empty ones; raises Unreadable for what is none."""
    return {name: value for name, value in tree(body).items() if isinstance(value, str)}


def event_of(fields: dict[str, str]) -> ContactEvent | TagsDeleted | None:
    """The event in the fields of a push; None for one that is about something else.

    Raises Unreadable for one about customers that lacks what it needs. What is not known of it, as
    a new kind of change, is somebody else's; a tag that is made, moved or named anew is too.
    """
    if (fields.get("Event"), fields.get("ChangeType")) == (ABOUT_TAGS, "delete"):
        return TagsDeleted()
    if fields.get("Event") != ABOUT_CUSTOMERS or fields.get("ChangeType") not in set(Push):
        return None
    try:
        event = ContactEvent.model_validate(fields)
    except ValidationError:
        raise Unreadable from None
    return event.model_copy(update={"created_at": event.created_at.astimezone(UTC)})
