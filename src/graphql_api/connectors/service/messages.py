"""What an operator does about messages and copies: have them done again, one or many."""

from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict

from graphql_api.connectors import models, queueing, repository, rules
from graphql_api.connectors.models import Copy, Message, Shop
from graphql_api.connectors.queueing import Wake
from graphql_api.connectors.rules import MessageState, Problem
from graphql_api.connectors.service.shops import require_manager, shop_of
from graphql_api.errors import Conflict, Invalid, NotFound
from graphql_api.viewer import Viewer


class MessagesReplay(BaseModel):
    """The dead messages of a shop: all, or those since an instant, or with a problem."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    shop_id: str
    since: AwareDatetime | None = None
    problem: Problem | None = None


def replay(message_id: str, *, viewer: Viewer, at: datetime) -> Message:
    """A message followed from the start, whatever became of it; Conflict while it is being so."""
    require_manager(viewer)
    message = repository.get_message(message_id) if Message.owns((message_id,)) else None
    if message is None:
        raise NotFound("There is no such message", field=("id",))
    if not repository.begin_again(message, at):
        raise Conflict("Somebody is at this message; try again", field=("id",))
    queueing.follow_soon([message])
    return message


def replay_many(given: MessagesReplay, *, viewer: Viewer, at: datetime) -> Shop:
    """Have the dead messages of a shop followed from the start, one after another."""
    require_manager(viewer)
    shop = shop_of(given.shop_id, ("input", "shop_id"))
    if given.since is not None and not at - rules.KEPT <= given.since <= at:
        text = f"Messages are kept for {rules.KEPT.days} days"
        raise Invalid(text, field=("input", "since"))
    queueing.wake(
        Wake(
            wake=shop.id,
            state=MessageState.DEAD,
            until=at,
            since=given.since,
            problem=given.problem,
        )
    )
    return shop


def tell_again(copy_id: str, *, viewer: Viewer, at: datetime) -> Copy:
    """A copy told from the start. What was asked for without an answer is asked for anew."""
    require_manager(viewer)
    [copy] = repository.get_copies([copy_id]) if Copy.owns((copy_id,)) else [None]
    if copy is None:
        raise NotFound("There is no such copy", field=("id",))
    if copy.told == models.ASKED:
        repository.note_asked(copy, None)
    due = repository.mark_due(copy.shop_id, copy.kind, copy.subject_id, at)
    queueing.tell_soon([due])
    return due
