"""What stands in the queue of webhooks: try a delivery, or make some of an endpoint anew."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter

from graphql_api.config import settings
from graphql_api.kit import queues
from graphql_api.kit.queues import Message
from graphql_api.webhooks.models import Delivery
from graphql_api.webhooks.rules import DeliveryState


class _Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Attempt(_Wanted):
    """Try a delivery, if it is still at this turn."""

    delivery: str
    endpoint: str
    turn: int


class Wake(_Wanted):
    """Make deliveries of an endpoint anew: those in these states, written from `since` to `until`.

    `after` is how far it got.
    """

    wake: str
    states: list[DeliveryState]
    since: AwareDatetime
    until: AwareDatetime
    after: str | None = None


_ANY: TypeAdapter[Attempt | Wake] = TypeAdapter(Attempt | Wake)


def read(text: str) -> Attempt | Wake:
    """What a message asks for."""
    return _ANY.validate_json(text)


def try_soon(deliveries: Iterable[Delivery]) -> None:
    """Have deliveries tried, each at the turn that it has."""
    wanted = (Attempt(delivery=d.id, endpoint=d.endpoint_id, turn=int(d.turn)) for d in deliveries)
    _send([Message(one.model_dump()) for one in wanted])


def try_later(attempt: Attempt, delay: float, *, turn: int) -> None:
    """Have a delivery tried at a turn, in so many seconds or as late as the queue can."""
    wanted: dict[str, Any] = attempt.model_copy(update={"turn": turn}).model_dump()
    _send([Message(wanted, delay)])


def wake(wanted: Wake, *, delay: timedelta = timedelta()) -> None:
    """Have deliveries made anew, page after page."""
    _send([Message(wanted.model_dump(mode="json"), delay.total_seconds())])


def _send(messages: list[Message]) -> None:
    queues.send(settings().webhook_queue_url, messages)
