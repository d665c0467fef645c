"""Sessions, keys and limits as arithmetic."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule
from pydantic import TypeAdapter, ValidationError

from graphql_api.access import rules
from graphql_api.access.rules import Limit, Session, Use
from graphql_api.viewer import (
    MANAGE_KEYS,
    MANAGE_STAFF,
    SCOPES,
    SYSTEM,
    Role,
    Viewer,
)

NOW = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def session(generation: int = 3, at: datetime = NOW) -> Session:
    return Session(generation, "hash", at, at + timedelta(days=30))


def use(generation: int, *, after: timedelta = timedelta(), genuine: bool = True) -> Use:
    """What it means that a token comes so long after generation 3 was given out."""
    return rules.use_of(session(), generation, genuine=genuine, at=NOW + after)


def test_latest_token_is_live_for_thirty_days() -> None:
    assert use(3) is Use.LIVE
    assert use(3, after=timedelta(days=30) - SECOND) is Use.LIVE
    assert use(3, after=timedelta(days=30)) is Use.ENDED


def test_token_before_it_is_late_for_ten_seconds_then_stolen() -> None:
    assert use(2) is Use.JUST_REPLACED
    assert use(2, after=timedelta(seconds=9.999)) is Use.JUST_REPLACED
    assert use(2, after=timedelta(seconds=10)) is Use.REUSED


@pytest.mark.parametrize("after", [timedelta(), timedelta(days=1)])
def test_any_older_token_is_stolen(after: timedelta) -> None:
    assert use(1, after=after) is Use.REUSED


def test_latest_number_with_another_secret_is_stolen() -> None:
    assert use(3, genuine=False) is Use.REUSED


def test_token_of_no_session_or_of_its_future_is_over() -> None:
    assert rules.use_of(None, 1, genuine=False, at=NOW) is Use.ENDED
    assert use(4) is Use.ENDED


def test_rotation_prolongs_the_session() -> None:
    later = NOW + timedelta(days=29)
    after = rules.rotated(session(), "next", later)
    assert after == Session(4, "next", later, later + timedelta(days=30))


def test_eleventh_session_ends_the_one_used_longest_ago() -> None:
    sessions: rules.Sessions = {}
    for n in range(10):
        sessions = rules.begun(sessions, f"s{n}", "h", NOW + n * SECOND)
    sessions = {**sessions, "s0": rules.rotated(sessions["s0"], "h", NOW + 60 * SECOND)}
    after = rules.begun(sessions, "new", "h", NOW + 61 * SECOND)
    assert set(after) == {"s0", *(f"s{n}" for n in range(2, 10)), "new"}


def test_session_that_came_to_its_end_makes_room_first() -> None:
    old = {"old": session(at=NOW - timedelta(days=30))}
    assert list(rules.begun(old, "new", "h", NOW)) == ["new"]
    assert rules.running(old, NOW - SECOND) == old
    assert rules.running(old, NOW) == {}


def admitted(session_id: str | None, *, valid_from: datetime | None = None) -> bool:
    return rules.admits(
        {"ses_1": session()}, valid_from, session_id=session_id, issued_at=NOW, at=NOW
    )


def test_access_token_needs_its_session() -> None:
    assert admitted("ses_1")
    assert not admitted("ses_2")


def test_token_without_a_session_is_taken() -> None:
    assert admitted(None)


@pytest.mark.parametrize("session_id", ["ses_1", None])
def test_token_from_before_a_logout_everywhere_is_refused(session_id: str | None) -> None:
    assert admitted(session_id, valid_from=NOW)
    assert not admitted(session_id, valid_from=NOW + timedelta(milliseconds=1))


class Families(RuleBasedStateMachine):
    """Any sequence of logins, refreshes, replays and logouts of one principal, in any time.

    Every token that was ever given out is kept, as a thief would.
    """

    tokens = Bundle("tokens")

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.sessions: rules.Sessions = {}
        self.given: list[tuple[str, int, str]] = []
        self.ended: set[str] = set()
        self.begun = 0

    def _live(self, token: tuple[str, int, str]) -> bool:
        id_, generation, secret = token
        found = self.sessions.get(id_)
        genuine = found is not None and found.hash == secret
        return rules.use_of(found, generation, genuine=genuine, at=self.now) is Use.LIVE

    def _give(self, id_: str) -> tuple[str, int, str]:
        found = self.sessions[id_]
        self.given.append((id_, found.generation, found.hash))
        return self.given[-1]

    @rule(target=tokens)
    def log_in(self) -> tuple[str, int, str]:
        self.begun += 1
        id_ = f"ses_{self.begun}"
        self.sessions = rules.begun(self.sessions, id_, f"{id_}/1", self.now)
        return self._give(id_)

    @rule(target=tokens, token=tokens)
    def present(self, token: tuple[str, int, str]) -> tuple[str, int, str]:
        id_, generation, secret = token
        was_live, before = self._live(token), self.sessions
        found = before.get(id_)
        used, self.sessions = rules.presented(
            before,
            id_,
            generation,
            genuine=found is not None and found.hash == secret,
            next_hash=f"{id_}/{generation + 1}",
            at=self.now,
        )
        assert (used is Use.LIVE) == was_live
        if used is Use.LIVE:
            assert not self._live(token)
            return self._give(id_)
        if used is Use.REUSED:
            assert id_ not in self.sessions
            self.ended.add(id_)
        else:
            assert self.sessions == before
        return token

    @rule(token=tokens)
    def log_out(self, token: tuple[str, int, str]) -> None:
        self.sessions = {k: s for k, s in self.sessions.items() if k != token[0]}
        self.ended.add(token[0])

    @rule(seconds=st.sampled_from([1, 9, 11, 3_600, 86_400 * 29, 86_400 * 31]))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @invariant()
    def a_session_has_at_most_one_live_token(self) -> None:
        live = [token[0] for token in self.given if self._live(token)]
        assert len(live) == len(set(live))

    @invariant()
    def what_has_ended_stays_ended(self) -> None:
        assert self.ended.isdisjoint(self.sessions)
        assert not any(self._live(token) for token in self.given if token[0] in self.ended)

    @invariant()
    def there_are_ten_sessions_at_most(self) -> None:
        assert len(self.sessions) <= rules.MAX_SESSIONS


TestFamilies = Families.TestCase
TestFamilies.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)


def test_day_ends_at_midnight_of_its_zone() -> None:
    ends = rules.end_of(date(2026, 5, 1), "Asia/Shanghai")
    assert ends == datetime(2026, 5, 1, 16, 0, tzinfo=UTC)


def test_key_holds_until_it_is_revoked_or_over() -> None:
    assert rules.key_holds(None, None, NOW)
    assert rules.key_holds(None, NOW + SECOND, NOW)
    assert not rules.key_holds(None, NOW, NOW)
    assert not rules.key_holds(NOW - SECOND, None, NOW)


def test_use_of_a_key_is_noted_once_an_hour() -> None:
    assert rules.is_worth_noting(None, NOW)
    assert not rules.is_worth_noting(NOW - timedelta(minutes=59, seconds=59), NOW)
    assert rules.is_worth_noting(NOW - timedelta(hours=1), NOW)


def test_windows_follow_each_other() -> None:
    limit = Limit(3, 60)
    assert limit.window(NOW) == limit.window(NOW + 59 * SECOND)
    assert limit.window(NOW + 60 * SECOND) == limit.window(NOW) + 1


@pytest.mark.parametrize("scope", [MANAGE_KEYS, MANAGE_STAFF])
def test_only_headquarters_with_the_scope_manage(scope: str) -> None:
    held = frozenset({scope})
    assert rules.manages(Viewer(Role.OPERATOR, scopes=held), scope)
    assert rules.manages(SYSTEM, scope)
    assert not rules.manages(Viewer(Role.OPERATOR, scopes=SCOPES - held), scope)
    assert not rules.manages(Viewer(Role.OPERATOR, store_ids=frozenset(), scopes=held), scope)
    for role in set(Role) - {Role.OPERATOR, Role.SYSTEM}:
        assert not rules.manages(Viewer(role, scopes=SCOPES), scope)


def test_scopes_are_those_that_exist() -> None:
    known = TypeAdapter(rules.Scopes)
    assert known.validate_python(list(SCOPES)) == SCOPES
    with pytest.raises(ValidationError, match="unknown scopes: x, y"):
        known.validate_python([MANAGE_KEYS, "y", "x"])


def test_first_identity_that_is_held_decides() -> None:
    assert rules.first_holder([None, "b", "c"]) == "b"
    assert rules.first_holder([None]) is None
