"""Corp tags 企业标签 of customers: which there are, and who has which from whom.

https://developer.work.weixin.qq.com/document/path/92117
What a call marks raises no push: only what people do.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from graphql_api.connectors.calls import nonsense
from graphql_api.connectors.wecom import api
from graphql_api.connectors.wecom.contacts import NOT_A_CUSTOMER
from graphql_api.connectors.weixin_errors import Refused

UNKNOWN_TAG = 40068
MAX_NAME = 30
"""Characters of a tag's name."""
_OF_THE_CORP = 1


class _Told(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)


class _Tag(_Told):
    id: str
    name: str


class _Group(_Told):
    group_name: str
    tag: list[_Tag] = Field(default_factory=list)


class _List(_Told):
    tag_group: list[_Group] = Field(default_factory=list)


class _Added(_Told):
    tag_group: _Group


class _Marked(_Told):
    tag_id: str = ""
    type: int = 0


class _Follow(_Told):
    userid: str
    createtime: int | None = None
    tags: list[_Marked] = Field(default_factory=list)


class _Contact(_Told):
    follow_user: list[_Follow] = Field(default_factory=list)
    next_cursor: str = ""


@dataclass(frozen=True, slots=True)
class CorpTag:
    """A tag of the corp, and its group."""

    id: str
    name: str
    group: str


@dataclass(frozen=True, slots=True)
class Followed:
    """What a user has of a customer: since when (Unix seconds), and the corp tags."""

    began: int | None
    tags: frozenset[str]


def all_tags() -> list[CorpTag]:
    """Every tag of the corp."""
    try:
        told = _List.model_validate(api.post("externalcontact/get_corp_tag_list", {}))
    except ValidationError:
        raise nonsense() from None
    return [CorpTag(t.id, t.name, g.group_name) for g in told.tag_group for t in g.tag]


def add(group: str, names: Sequence[str]) -> list[CorpTag]:
    """New tags in a group, which is made where there is none."""
    body = {"group_name": group, "tag": [{"name": name} for name in names]}
    try:
        told = _Added.model_validate(api.post("externalcontact/add_corp_tag", body))
    except ValidationError:
        raise nonsense() from None
    return [CorpTag(tag.id, tag.name, group) for tag in told.tag_group.tag]


def marks_of(external_user_id: str) -> dict[str, Followed]:
    """The corp tags of a customer by user, in lower case; nothing of who is nobody's customer."""
    found: dict[str, Followed] = {}
    further: dict[str, str] = {}
    while True:
        told = _asked(external_user_id, further)
        for follow in told.follow_user if told else ():
            of_corp = (tag.tag_id for tag in follow.tags if tag.type == _OF_THE_CORP)
            found[follow.userid.lower()] = Followed(follow.createtime, frozenset(of_corp))
        if told is None or not told.next_cursor:
            return found
        further = {"cursor": told.next_cursor}


def _asked(external_user_id: str, further: dict[str, str]) -> _Contact | None:
    try:
        answer = api.get("externalcontact/get", external_userid=external_user_id, **further)
        return _Contact.model_validate(answer)
    except Refused as refusal:
        if refusal.errcode in NOT_A_CUSTOMER:
            return None
        raise
    except ValidationError:
        raise nonsense() from None


def mark(user: str, customer: str, add: Sequence[str], remove: Sequence[str]) -> None:
    """Give and take tags of a customer, as a user has them; one call of a pair at a time."""
    body = {
        "userid": user,
        "external_userid": customer,
        "add_tag": list(add),
        "remove_tag": list(remove),
    }
    api.post("externalcontact/mark_tag", body)
