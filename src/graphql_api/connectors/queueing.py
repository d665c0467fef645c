"""What stands in the queues of this slice: follow a message, tell a copy, go on with something."""

from collections.abc import Iterable
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter

from graphql_api.config import settings
from graphql_api.connectors.models import Copy, Message
from graphql_api.connectors.rules import MessageState, Problem
from graphql_api.kit import queues


class _Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Follow(_Wanted):
    """Follow a vendor's message, if it is still at this turn."""

    message: str
    turn: int


class Wake(_Wanted):
    """Have messages of a shop followed from the start: those in a state, with a problem, or all.

    `detail` narrows the problem; `until` is when this was asked for; `after` is how far it got.
    """

    wake: str
    state: MessageState
    until: AwareDatetime
    since: AwareDatetime | None = None
    problem: Problem | None = None
    detail: str | None = None
    after: str | None = None


class Step(_Wanted):
    """Take the next step of a reconciliation, if it is still at this one."""

    run: str
    step: int


class Tell(_Wanted):
    """Tell a vendor a copy, if it is still at this turn."""

    copy_id: str
    turn: int


class Compare(_Wanted):
    """Have a page of members compared with what a shop has of their points; `after` goes on."""

    compare: str
    after: str | None = None


_ANY: TypeAdapter[Follow | Wake | Step] = TypeAdapter(Follow | Wake | Step)
_ANY_OUT: TypeAdapter[Tell | Compare] = TypeAdapter(Tell | Compare)


def read(text: str) -> Follow | Wake | Step:
    """What a message of the queue of messages asks for."""
    return _ANY.validate_json(text)


def read_out(text: str) -> Tell | Compare:
    """What a message of the queue of copies asks for."""
    return _ANY_OUT.validate_json(text)


def follow_soon(messages: Iterable[Message], delay: float = 0) -> None:
    """Have messages followed in so many seconds, each at the turn that it has."""
    _send(_in(), [Follow(message=m.id, turn=int(m.turn)) for m in messages], delay)


def follow_later(follow: Follow, delay: float, *, turn: int) -> None:
    """Have a message followed at a turn, in so many seconds or as late as the queue can."""
    _send(_in(), [follow.model_copy(update={"turn": turn})], delay)


def wake(wanted: Wake) -> None:
    """Have messages followed anew, page after page."""
    _send(_in(), [wanted])


def step(run_id: str, number: int, delay: float = 0) -> None:
    """Have the next step of a reconciliation taken."""
    _send(_in(), [Step(run=run_id, step=number)], delay)


def tell_soon(copies: Iterable[Copy], delay: float = 0) -> None:
    """Have copies told, each at the turn that it has."""
    _send(_out(), [Tell(copy_id=c.id, turn=int(c.turn)) for c in copies], delay)


def tell_later(tell: Tell, delay: float, *, turn: int) -> None:
    """Have a copy told at a turn, in so many seconds or as late as the queue can."""
    _send(_out(), [tell.model_copy(update={"turn": turn})], delay)


def compare(wanted: Compare) -> None:
    """Have members compared, page after page."""
    _send(_out(), [wanted])


def _in() -> str:
    return settings().vendor_queue_url


def _out() -> str:
    return settings().vendor_outbox_queue_url


def _send(url: str, wanted: list[Any], delay: float = 0) -> None:
    bodies = [one.model_dump(mode="json") for one in wanted]
    queues.send(url, [queues.Message(body, delay) for body in bodies])
