"""What stands in the queue of contacts: events, customers to look up, and the ways of a day."""

from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter

from graphql_api.config import settings
from graphql_api.connectors.wecom.events import ContactEvent, TagsDeleted
from graphql_api.kit import queues


class Follow(ContactEvent):
    """An event, and how often it was tried."""

    attempts: int = 0


class Meet(BaseModel):
    """Look whether a customer is a member."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    meet: str
    attempts: int = 0


class Keep(BaseModel):
    """Lead the contact ways anew, if nobody did on this day of the chain."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keep_ways: date
    attempts: int = 0


class Move(BaseModel):
    """Take the next step of a hand-over, if it is still at this one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    transfer: str
    step: int
    attempts: int = 0


class Sync(BaseModel):
    """Have a customer's linked tags be the same on both sides."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tags_of: str
    attempts: int = 0


class Check(TagsDeleted):
    """Look which links lead to tags that WeCom has no more."""

    attempts: int = 0


Wanted = Follow | Meet | Keep | Move | Sync | Check
_ANY: TypeAdapter[Wanted] = TypeAdapter(Wanted)


def read(text: str) -> Wanted:
    """What a message asks for."""
    return _ANY.validate_json(text)


def meet(external_user_ids: list[str]) -> None:
    """Have customers looked up."""
    _send([Meet(meet=id_) for id_ in external_user_ids])


def keep_ways(day: date) -> None:
    """Have the contact ways led anew, once on this day."""
    if settings().wecom_corp_id:
        _send([Keep(keep_ways=day)])


def sync(external_user_ids: list[str], delay: float = 0) -> None:
    """Have the tags of customers compared, in so many seconds."""
    _send([Sync(tags_of=id_) for id_ in external_user_ids], delay)


def move(transfer_id: str, step: int, delay: float = 0) -> None:
    """Have the next step of a hand-over taken, in so many seconds or as late as the queue can."""
    _send([Move(transfer=transfer_id, step=step)], delay)


def again(wanted: Wanted, delay: float) -> None:
    """Have the same done once more, in so many seconds or as late as the queue can."""
    _send([wanted.model_copy(update={"attempts": wanted.attempts + 1})], delay)


def _send(wanted: list[Any], delay: float = 0) -> None:
    bodies = [one.model_dump(mode="json") for one in wanted]
    queues.send(settings().contact_queue_url, [queues.Message(body, delay) for body in bodies])
