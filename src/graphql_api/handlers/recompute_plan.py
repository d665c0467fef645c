"""The start of a day: every piece of what time brings, as a message to the workers."""

import json
from datetime import date
from typing import Any

from graphql_api.config import settings
from graphql_api.handlers import recompute_worker
from graphql_api.kit import aws
from graphql_api.observability import invocation, logger
from graphql_api.stores import service as stores

_AT_ONCE = 10


@invocation
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Fix the business day, `as_of` of the event or today's, and hand out the work of it.

    A schedule that fires twice hands it out twice: the second time nothing is due.
    """
    given = event.get("as_of")
    as_of = date.fromisoformat(given) if given else stores.clock().today()
    pieces = recompute_worker.pieces(as_of)
    bodies = [json.dumps(piece) for piece in pieces]
    for start in range(0, len(bodies), _AT_ONCE):
        entries = [
            {"Id": str(n), "MessageBody": body}
            for n, body in enumerate(bodies[start : start + _AT_ONCE])
        ]
        _send(entries)
    logger.info("day handed out", as_of=as_of.isoformat(), pieces=len(pieces))
    return {"asOf": as_of.isoformat(), "pieces": len(pieces)}


def _send(entries: list[dict[str, str]]) -> None:
    queue = settings().recompute_queue_url
    answer = aws.client("sqs").send_message_batch(QueueUrl=queue, Entries=entries)
    if failed := answer.get("Failed"):
        raise RuntimeError(f"{len(failed)} pieces were not handed out")
