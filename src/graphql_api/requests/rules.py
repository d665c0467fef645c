"""What it means that a request comes under a key: arithmetic on what is known of the key."""

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum

LEASE = timedelta(seconds=60)
"""How long an attempt has its key to itself: twice what a request may take."""

KEPT = timedelta(hours=48)
"""How long a key and its answer are remembered."""

MAX_ANSWER = 200_000
"""Longer answers, in characters, are not kept."""


class State(StrEnum):
    """How far a request got."""

    STARTED = "STARTED"
    WRITTEN = "WRITTEN"
    ANSWERED = "ANSWERED"


class Verdict(StrEnum):
    """What is done about a request under a key."""

    DO = "DO"
    ANSWER = "ANSWER"
    OTHER_INPUT = "OTHER_INPUT"
    IN_PROGRESS = "IN_PROGRESS"
    ANSWER_LOST = "ANSWER_LOST"


def verdict(
    state: State,
    *,
    fingerprint: str,
    asked: Collection[str],
    leased_until: datetime,
    forget_at: datetime,
    at: datetime,
) -> Verdict:
    """What to do about a request whose key is known.

    `asked` holds the fingerprint of the request under every hash key. What was written is never
    done again; what was not is free when its lease is over, whatever the input then is.
    """
    if forget_at <= at or (state is State.STARTED and leased_until <= at):
        return Verdict.DO
    if fingerprint not in asked:
        return Verdict.OTHER_INPUT
    if state is State.ANSWERED:
        return Verdict.ANSWER
    return Verdict.IN_PROGRESS if at < leased_until else Verdict.ANSWER_LOST
