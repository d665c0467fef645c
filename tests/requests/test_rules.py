from datetime import UTC, datetime, timedelta

import pytest

from graphql_api.requests.rules import KEPT, LEASE, State, Verdict, verdict

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def asked(state: State, after: timedelta, fingerprint: str = "old.1") -> Verdict:
    """What becomes of a request that comes some time after another began under its key."""
    return verdict(
        state,
        fingerprint="old.1",
        asked=["new.9", fingerprint],
        leased_until=BEGUN + LEASE,
        forget_at=BEGUN + KEPT,
        at=BEGUN + after,
    )


@pytest.mark.parametrize(
    ("state", "after", "said"),
    [
        (State.STARTED, LEASE - SECOND, Verdict.IN_PROGRESS),
        (State.STARTED, LEASE, Verdict.DO),
        (State.WRITTEN, LEASE - SECOND, Verdict.IN_PROGRESS),
        (State.WRITTEN, LEASE, Verdict.ANSWER_LOST),
        (State.ANSWERED, SECOND, Verdict.ANSWER),
        (State.ANSWERED, KEPT - SECOND, Verdict.ANSWER),
        *((state, KEPT, Verdict.DO) for state in State),
    ],
)
def test_the_same_request_again(state: State, after: timedelta, said: Verdict) -> None:
    assert asked(state, after) is said


@pytest.mark.parametrize("state", State)
def test_another_request_under_the_key_is_refused_while_it_is_held(state: State) -> None:
    assert asked(state, SECOND, "old.2") is Verdict.OTHER_INPUT


def test_a_key_that_nothing_was_written_under_is_free_for_any_request() -> None:
    assert asked(State.STARTED, LEASE, "old.2") is Verdict.DO
    assert asked(State.WRITTEN, LEASE, "old.2") is Verdict.OTHER_INPUT
