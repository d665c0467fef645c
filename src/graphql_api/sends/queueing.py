"""What stands in the queue of contacts for this slice: the next step of a send."""

from pydantic import BaseModel, ConfigDict, ValidationError

from graphql_api.config import settings
from graphql_api.kit import queues


class Step(BaseModel):
    """Take the next step of a send, if it is still at this one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    send: str
    step: int
    attempts: int = 0


def read(text: str) -> Step | None:
    """What a message asks for; None for one that is not of this slice."""
    try:
        return Step.model_validate_json(text)
    except ValidationError:
        return None


def step(send_id: str, number: int, delay: float = 0, *, attempts: int = 0) -> None:
    """Have the next step taken in so many seconds, or as late as the queue can."""
    wanted = Step(send=send_id, step=number, attempts=attempts)
    queues.send(
        settings().contact_queue_url, [queues.Message(wanted.model_dump(mode="json"), delay)]
    )
