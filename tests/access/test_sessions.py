"""Sessions: begun, refreshed, stolen, ended, and refused to who has left."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphql_api import auth
from graphql_api.access import tokens
from graphql_api.access.service import sessions, staff
from graphql_api.access.service.sessions import TokenRefresh, Tokens
from graphql_api.errors import (
    AppError,
    Conflict,
    ForbiddenTransition,
    LimitExceeded,
    SessionEnded,
    TokenReused,
)
from graphql_api.guides import service as guides
from graphql_api.guides.models import Guide
from graphql_api.guides.rules import GuideStatus
from graphql_api.kit import ids
from graphql_api.kit.time import Clock
from graphql_api.members import service as members
from graphql_api.members.models import Member
from graphql_api.stores.models import HEADQUARTERS_ID, Store
from graphql_api.viewer import MANAGE_KEYS, SEE_PERSONAL_DATA, SYSTEM, Role, Viewer
from tests.access.factories import CLOCK, attempts_made, make_account, sessions_of, stored_access
from tests.calls import counted
from tests.factories import make_store

MINUTE = timedelta(minutes=1)


def refreshed(held: Tokens, at: datetime) -> Tokens:
    return sessions.refresh(TokenRefresh(refresh_token=held.refresh_token), at=at)


def works(held: Tokens) -> bool:
    try:
        auth.viewer_of(held.access_token)
    except auth.BadToken:
        return False
    return True


def outcome(held: Tokens, at: datetime) -> str:
    """How a refresh ends: the code of its refusal, or `LIVE`."""
    try:
        refreshed(held, at)
    except AppError as refusal:
        return refusal.code
    return "LIVE"


def test_session_of_a_member_gives_tokens(member: Member, at: datetime) -> None:
    held = sessions.begin(member.id, at=at)
    viewer = auth.viewer_of(held.access_token)
    [session_id] = sessions_of(member.id)
    assert viewer == Viewer(Role.MEMBER, id=member.id, session_id=session_id)
    assert (held.role, held.principal_id) == (Role.MEMBER, member.id)
    assert held.expires_at == at + timedelta(hours=2)
    assert held.refresh_expires_at == at + timedelta(days=30)


def test_session_of_a_guide_is_bound_to_their_store(guide: Guide, at: datetime) -> None:
    viewer = auth.viewer_of(sessions.begin(guide.id, at=at).access_token)
    assert (viewer.role, viewer.id, viewer.unit_id) == (Role.GUIDE, guide.id, guide.store_id)
    assert viewer.store_ids == {guide.store_id}


def test_session_of_an_account_has_its_unit_and_scopes(store: Store, at: datetime) -> None:
    operator = make_account("周总", scopes={MANAGE_KEYS})
    manager = make_account("店长", role=Role.STORE_MANAGER, unit_id=store.id)
    viewer = auth.viewer_of(sessions.begin(operator.id, at=at).access_token)
    assert (viewer.role, viewer.unit_id) == (Role.OPERATOR, HEADQUARTERS_ID)
    assert (viewer.store_ids, viewer.scopes) == (None, {MANAGE_KEYS})
    viewer = auth.viewer_of(sessions.begin(manager.id, at=at).access_token)
    assert (viewer.role, viewer.store_ids, viewer.scopes) == (
        Role.STORE_MANAGER,
        {store.id},
        frozenset(),
    )


def test_access_token_ends_after_two_hours(member: Member, at: datetime) -> None:
    assert works(sessions.begin(member.id, at=at - timedelta(minutes=119)))
    assert not works(sessions.begin(member.id, at=at - timedelta(minutes=121)))


def test_refresh_gives_new_tokens_of_the_same_session(member: Member, at: datetime) -> None:
    held = sessions.begin(member.id, at=at - MINUTE)
    new = refreshed(held, at)
    assert len({held.access_token, held.refresh_token, new.access_token, new.refresh_token}) == 4
    assert len(sessions_of(member.id)) == 1
    assert new.refresh_expires_at == at + timedelta(days=30)
    assert works(new)


def test_refresh_token_works_once_and_its_second_use_ends_the_session(
    member: Member, at: datetime
) -> None:
    held = sessions.begin(member.id, at=at)
    new = refreshed(held, at)
    with pytest.raises(TokenReused) as refusal:
        refreshed(held, at + MINUTE)
    assert refusal.value.field == ("input", "refresh_token")
    assert sessions_of(member.id) == []
    assert outcome(new, at + MINUTE) == "SESSION_ENDED"
    assert outcome(held, at + MINUTE) == "SESSION_ENDED"
    assert not works(held)
    assert not works(new)


def test_stolen_session_leaves_the_others_alone(member: Member, at: datetime) -> None:
    stolen, other = sessions.begin(member.id, at=at), sessions.begin(member.id, at=at)
    refreshed(stolen, at)
    assert outcome(stolen, at + MINUTE) == "TOKEN_REUSED"
    assert works(other)
    assert outcome(other, at + MINUTE) == "LIVE"


def test_token_replaced_a_moment_ago_is_late_and_nothing_is_written(
    member: Member, at: datetime
) -> None:
    held = sessions.begin(member.id, at=at)
    new = refreshed(held, at)
    before = stored_access()
    with pytest.raises(Conflict):
        refreshed(held, at + timedelta(seconds=9))
    assert stored_access() == before
    assert outcome(new, at + MINUTE) == "LIVE"


def test_refresh_token_ends_after_thirty_days(member: Member, at: datetime) -> None:
    held = sessions.begin(member.id, at=at)
    before = stored_access()
    assert outcome(held, at + timedelta(days=30)) == "SESSION_ENDED"
    assert stored_access() == before
    assert outcome(held, at + timedelta(days=30, seconds=-1)) == "LIVE"


def test_token_that_we_did_not_make_changes_and_counts_nothing(
    member: Member, at: datetime
) -> None:
    held = sessions.begin(member.id, at=at)
    before = stored_access()
    forged = [
        held.access_token,
        held.refresh_token[:-8] + "AAAAAAAA",
        held.refresh_token.replace("local.", "other."),
        "x",
    ]
    for text in forged:
        with pytest.raises(SessionEnded):
            sessions.refresh(TokenRefresh(refresh_token=text), at=at)
    assert stored_access() == before
    assert attempts_made() == 0


def test_token_of_ours_with_another_secret_ends_the_session(member: Member, at: datetime) -> None:
    """Whoever has the sealing key alone, and not the table, gets no further than this."""
    held = sessions.begin(member.id, at=at)
    read = tokens.read_refresh(held.refresh_token)
    assert read is not None
    guessed = tokens.Refresh(read.principal_id, read.session_id, 1, tokens.new_secret())
    with pytest.raises(TokenReused):
        sessions.refresh(TokenRefresh(refresh_token=tokens.refresh_text(guessed)), at=at)
    assert sessions_of(member.id) == []


def test_token_of_another_deployment_is_over(member: Member, at: datetime) -> None:
    other = tokens.Refresh(ids.new_id("mbr"), ids.new_id("ses"), 1, tokens.new_secret())
    text = tokens.refresh_text(other)
    with pytest.raises(SessionEnded):
        sessions.refresh(TokenRefresh(refresh_token=text), at=at)
    assert stored_access() == []


def test_two_refreshes_at_once_have_one_winner_and_the_session_lives(
    member: Member, at: datetime
) -> None:
    held = sessions.begin(member.id, at=at)
    start = threading.Barrier(6)

    def race(_n: int) -> Tokens | str:
        start.wait()
        try:
            return refreshed(held, at)
        except AppError as refusal:
            return refusal.code

    with ThreadPoolExecutor(6) as pool:
        came = list(pool.map(race, range(6)))
    won = [tokens for tokens in came if isinstance(tokens, Tokens)]
    assert [code for code in came if not isinstance(code, Tokens)] == ["CONFLICT"] * 5
    [winner] = won
    assert len(sessions_of(member.id)) == 1
    assert outcome(winner, at + MINUTE) == "LIVE"


def test_logins_at_once_all_have_their_session(member: Member, at: datetime) -> None:
    with ThreadPoolExecutor(5) as pool:
        held = list(pool.map(lambda _n: sessions.begin(member.id, at=at), range(5)))
    assert len(sessions_of(member.id)) == 5
    assert all(works(tokens) for tokens in held)


def test_eleventh_login_ends_the_session_used_longest_ago(member: Member, at: datetime) -> None:
    held = [sessions.begin(member.id, at=at - timedelta(seconds=11 - n)) for n in range(11)]
    assert len(sessions_of(member.id)) == 10
    assert [works(tokens) for tokens in held] == [False] + [True] * 10


def test_refreshes_of_one_principal_are_limited(member: Member, at: datetime) -> None:
    at = at.replace(second=0, microsecond=0)
    held = sessions.begin(member.id, at=at)
    for _ in range(10):
        held = refreshed(held, at)
    before = stored_access()
    with pytest.raises(LimitExceeded):
        refreshed(held, at)
    assert stored_access() == before
    assert outcome(held, at + MINUTE) == "LIVE"


# --- ended -----------------------------------------------------------------------------------


def test_logout_ends_one_session_at_once(member: Member, at: datetime) -> None:
    held, other = sessions.begin(member.id, at=at), sessions.begin(member.id, at=at)
    viewer = auth.viewer_of(held.access_token)
    assert sessions.log_out(viewer=viewer, at=at) == 1
    assert (works(held), works(other)) == (False, True)
    assert outcome(held, at) == "SESSION_ENDED"
    before = stored_access()
    assert sessions.log_out(viewer=viewer, at=at) == 0
    assert stored_access() == before


def test_token_without_a_session_cannot_log_out(member: Member, at: datetime) -> None:
    with pytest.raises(ForbiddenTransition):
        sessions.log_out(viewer=Viewer(Role.MEMBER, id=member.id), at=at)
    assert stored_access() == []


def test_logout_everywhere_voids_every_token(member: Member, at: datetime) -> None:
    held = [sessions.begin(member.id, at=at) for _ in range(3)]
    signed = auth.issue(Role.MEMBER, member.id, at=at)
    ended = sessions.log_out_everywhere(
        viewer=auth.viewer_of(signed), at=at + timedelta(milliseconds=5)
    )
    assert ended == 3
    assert not any(works(tokens) for tokens in held)
    assert [outcome(tokens, at) for tokens in held] == ["SESSION_ENDED"] * 3
    with pytest.raises(auth.BadToken):
        auth.viewer_of(signed)


def test_login_after_a_logout_everywhere_works(member: Member, at: datetime) -> None:
    sessions.log_out_everywhere(viewer=Viewer(Role.MEMBER, id=member.id), at=at)
    assert works(sessions.begin(member.id, at=at))
    assert auth.viewer_of(auth.issue(Role.MEMBER, member.id)).id == member.id


def test_archived_member_is_refused_until_restored(
    member: Member, at: datetime, clock: Clock
) -> None:
    held = sessions.begin(member.id, at=at)
    signed = auth.issue(Role.MEMBER, member.id)
    members.archive(member.id, viewer=SYSTEM, clock=clock)
    before = stored_access()
    for token in (held.access_token, signed):
        with pytest.raises(auth.BadToken):
            auth.viewer_of(token)
    assert outcome(held, at) == "SESSION_ENDED"
    with pytest.raises(SessionEnded):
        sessions.begin(member.id, at=at)
    assert stored_access() == before
    members.restore(member.id, viewer=SYSTEM)
    assert works(held)
    assert outcome(held, at) == "LIVE"


@pytest.mark.parametrize("status", [GuideStatus.STOPPED, GuideStatus.LEFT])
def test_guide_who_does_not_work_is_refused(
    guide: Guide, at: datetime, clock: Clock, status: GuideStatus
) -> None:
    held = sessions.begin(guide.id, at=at)
    signed = auth.issue(Role.GUIDE, guide.id, unit_id=guide.store_id)
    change = guides.GuideStatusSet(id=guide.id, status=status)
    guides.set_status(change, viewer=SYSTEM, clock=clock)
    for token in (held.access_token, signed):
        with pytest.raises(auth.BadToken):
            auth.viewer_of(token)
    assert outcome(held, at) == "SESSION_ENDED"


def test_disabled_account_is_refused_and_its_sessions_stay_ended(chain: str, at: datetime) -> None:
    account = make_account()
    held = sessions.begin(account.id, at=at)
    staff.disable(account.id, viewer=SYSTEM, clock=CLOCK, at=at)
    assert not works(held)
    assert outcome(held, at) == "SESSION_ENDED"
    staff.enable(account.id, viewer=SYSTEM)
    assert not works(held)
    assert works(sessions.begin(account.id, at=at))


def test_change_of_an_account_holds_from_the_next_request_on(store: Store, at: datetime) -> None:
    account = make_account(scopes={SEE_PERSONAL_DATA})
    held = sessions.begin(account.id, at=at)
    other = make_store("S2")
    change = staff.StaffAccountUpdate(
        id=account.id, role=Role.STORE_MANAGER, unit_id=other.id, scopes=frozenset()
    )
    staff.update(change, viewer=SYSTEM)
    viewer = auth.viewer_of(held.access_token)
    assert (viewer.role, viewer.store_ids, viewer.scopes) == (
        Role.STORE_MANAGER,
        {other.id},
        frozenset(),
    )
    assert auth.viewer_of(refreshed(held, at).access_token) == viewer


def test_session_of_somebody_who_is_gone_is_refused(member: Member, at: datetime) -> None:
    held = sessions.begin(member.id, at=at)
    Member(member.id).delete(add_version_condition=False)
    assert not works(held)
    assert outcome(held, at) == "SESSION_ENDED"


def test_token_of_a_principal_who_is_not_stored_is_taken(chain: str) -> None:
    """The deployment signed it itself: scripts/issue_token.py does."""
    assert auth.viewer_of(auth.issue(Role.OPERATOR, "opr_local")).id == "opr_local"


def test_token_with_a_session_that_is_not_stored_is_refused(chain: str) -> None:
    for principal in ("opr_local", ids.new_id("mbr")):
        token = auth.issue(Role.OPERATOR, principal, session_id=ids.new_id("ses"))
        with pytest.raises(auth.BadToken):
            auth.viewer_of(token)


def test_looking_a_principal_up_is_one_call(member: Member, guide: Guide, at: datetime) -> None:
    account = make_account()
    held = [
        *(sessions.begin(holder, at=at).access_token for holder in (member.id, guide.id)),
        sessions.begin(account.id, at=at).access_token,
        auth.issue(Role.OPERATOR, "opr_local"),
    ]
    for token in held:
        with counted() as calls:
            auth.viewer_of(token)
        assert calls == {"BatchGetItem": 1}


def test_tokens_are_nowhere_in_the_table(member: Member, at: datetime) -> None:
    held = sessions.begin(member.id, at=at)
    new = refreshed(held, at)
    stored = str(stored_access())
    for pair in (held, new):
        read = tokens.read_refresh(pair.refresh_token)
        assert read is not None
        for text in (pair.access_token, pair.refresh_token, read.secret):
            assert text not in stored
            assert text not in repr(pair)


_HOURS = itertools.count()
"""Each example has hours of its own, so that none uses up the attempts of another."""

ACTS = st.lists(
    st.tuples(
        st.sampled_from(["log_in", "refresh", "reuse", "log_out", "everywhere"]),
        st.integers(min_value=0, max_value=9),
    ),
    min_size=4,
    max_size=9,
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(acts=ACTS)
def test_any_sequence_leaves_each_session_one_live_token_at_most(
    member: Member, at: datetime, acts: list[tuple[str, int]]
) -> None:
    viewer = Viewer(Role.MEMBER, id=member.id)
    at += next(_HOURS) * timedelta(hours=2)
    sessions.log_out_everywhere(viewer=viewer, at=at)
    given: dict[str, list[Tokens]] = {}
    for n, (act, which) in enumerate(acts):
        now = at + (n + 1) * MINUTE
        if act == "log_in" or not given:
            held = sessions.begin(member.id, at=now)
            read = tokens.read_refresh(held.refresh_token)
            assert read is not None
            given[read.session_id] = [held]
            continue
        session_id = sorted(given)[which % len(given)]
        line = given[session_id]
        live = session_id in sessions_of(member.id)
        if act == "refresh":
            assert outcome_and_next(line, now) == ("LIVE" if live else "SESSION_ENDED")
        elif act == "reuse" and len(line) > 1:
            said = outcome(line[which % (len(line) - 1)], now)
            assert said == ("TOKEN_REUSED" if live else "SESSION_ENDED")
            assert session_id not in sessions_of(member.id)
        elif act == "log_out":
            ending = Viewer(Role.MEMBER, id=member.id, session_id=session_id)
            assert sessions.log_out(viewer=ending, at=now) == int(live)
        elif act == "everywhere":
            sessions.log_out_everywhere(viewer=viewer, at=now)
            assert sessions_of(member.id) == []
    end = at + timedelta(hours=1)
    for session_id, line in given.items():
        live = session_id in sessions_of(member.id)
        assert outcome(line[-1], end) == ("LIVE" if live else "SESSION_ENDED")


def outcome_and_next(line: list[Tokens], now: datetime) -> str:
    """Refresh with the latest token of a line, and keep what comes."""
    try:
        line.append(refreshed(line[-1], now))
    except AppError as refusal:
        return refusal.code
    return "LIVE"
