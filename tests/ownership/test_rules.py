"""Rules of ownership: boundaries to the business day, and who may do what."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import ValidationError

from graphql_api.guides.rules import GuideStatus
from graphql_api.members.rules import Ownership, OwnershipSource, searched_name
from graphql_api.ownership import rules
from graphql_api.ownership.rules import Ending, EndReason, Outcome
from graphql_api.policies.rules import OwnershipPolicy
from graphql_api.viewer import READ_MEMBERS, SYSTEM, WRITE_MEMBERS, Role, Viewer

ZONE = "Asia/Shanghai"
SINCE = datetime(2018, 1, 10, 4, 0, tzinfo=UTC)
FIRST = date(2018, 1, 10)
ACTIVE, STOPPED, LEFT = GuideStatus


def day(days: int) -> date:
    return FIRST + timedelta(days=days)


def owned(*, valid: int | None = None, protected: int | None = None) -> Ownership:
    """An ownership whose last valid and protected days are so many after the first."""
    return Ownership(
        "gde_1",
        SINCE,
        OwnershipSource.TRANSACTION,
        valid_until=None if valid is None else day(valid),
        protected_until=None if protected is None else day(protected),
    )


@dataclass(frozen=True)
class Someone:
    id: str = "mbr_1"
    store_id: str = "here"
    guide_id: str | None = "gde_1"


HERE, THERE = frozenset({"here"}), frozenset({"there"})
WRITER = Viewer(Role.INTEGRATION, scopes=frozenset({READ_MEMBERS, WRITE_MEMBERS}))
READER = Viewer(Role.INTEGRATION, scopes=frozenset({READ_MEMBERS}))


# --- days ------------------------------------------------------------------------------------


def test_shipped_policy_protects_thirty_days_after_the_first_and_does_not_run_out() -> None:
    policy = OwnershipPolicy()
    assert policy.protected_until(FIRST) == date(2018, 2, 9)
    assert policy.valid_until(FIRST) is None


@pytest.mark.parametrize(
    ("protection", "valid", "expected"),
    [
        (0, None, (None, None)),
        (1, 1, (date(2018, 1, 11), date(2018, 1, 11))),
        (22, 365, (date(2018, 2, 1), date(2019, 1, 10))),
    ],
)
def test_last_days_are_so_many_days_after_the_first(
    protection: int, valid: int | None, expected: tuple[date | None, date | None]
) -> None:
    policy = OwnershipPolicy(protection_days=protection, valid_days=valid)
    assert (policy.protected_until(FIRST), policy.valid_until(FIRST)) == expected


@pytest.mark.parametrize("wrong", [{"protection_days": -1}, {"valid_days": 0}, {"days": 1}])
def test_policy_that_cannot_be_right_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        OwnershipPolicy.model_validate(wrong)


@pytest.mark.parametrize(
    ("last", "as_of", "holds"),
    [(None, 9_999, True), (0, 0, True), (0, 1, False), (30, 30, True), (30, 31, False)],
)
def test_ownership_holds_up_to_its_last_day(last: int | None, as_of: int, holds: bool) -> None:
    assert owned(valid=last).holds(day(as_of)) is holds


@pytest.mark.parametrize(
    ("last", "as_of", "protected"),
    [(None, 0, False), (0, 0, True), (0, 1, False), (30, 30, True), (30, 31, False)],
)
def test_protection_lasts_up_to_its_last_day(last: int | None, as_of: int, protected: bool) -> None:
    assert owned(protected=last).protected(day(as_of)) is protected


@pytest.mark.parametrize(
    ("ownership", "status", "as_of", "until"),
    [
        (None, None, 0, None),
        (owned(protected=30), ACTIVE, 30, day(30)),
        (owned(protected=30), STOPPED, 30, day(30)),
        (owned(protected=30), LEFT, 0, None),
        (owned(protected=30), None, 0, None),
        (owned(protected=30), ACTIVE, 31, None),
        (owned(), ACTIVE, 0, None),
    ],
)
def test_others_are_kept_away_from_the_member_of_a_guide_who_has_not_left(
    ownership: Ownership | None, status: GuideStatus | None, as_of: int, until: date | None
) -> None:
    assert rules.protected_until(ownership, status, day(as_of)) == until


@pytest.mark.parametrize(
    ("status", "free"), [(ACTIVE, False), (STOPPED, False), (LEFT, True), (None, True)]
)
def test_guide_who_has_left_looks_after_nobody(status: GuideStatus | None, free: bool) -> None:
    assert rules.is_free(owned(), status) is free
    assert rules.is_free(None, status)


def test_ownership_that_ran_out_ended_at_midnight_however_late_that_is_noticed() -> None:
    midnight = datetime(2018, 1, 15, 16, 0, tzinfo=UTC)  # 16 January in Shanghai
    now = datetime(2018, 3, 1, 4, 0, tzinfo=UTC)
    expired = Ending(midnight, EndReason.EXPIRED)
    taken = Ending(now, EndReason.TAKEN_OVER)

    def end(last: int | None, as_of: int) -> Ending:
        given = owned(valid=last)
        return rules.ended(given, EndReason.TAKEN_OVER, now, as_of=day(as_of), zone=ZONE)

    assert end(5, as_of=6) == end(5, as_of=50) == expired
    assert end(5, as_of=5) == end(None, as_of=5) == taken


@dataclass
class Row:
    ended_at: datetime | None
    valid_until: date | None


@pytest.mark.parametrize(
    ("row", "as_of", "ended"),
    [
        (Row(None, None), 99, False),
        (Row(None, day(5)), 5, False),
        (Row(None, day(5)), 6, True),
        (Row(SINCE, day(5)), 6, False),
    ],
)
def test_open_term_that_ran_out_is_shown_as_ended(row: Row, as_of: int, ended: bool) -> None:
    end = rules.ending_unnoticed(row, as_of=day(as_of), zone=ZONE)
    assert (end is not None) is ended


# --- who may do what -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("viewer", "claims", "changes"),
    [
        (Viewer(Role.GUIDE, "gde_1", store_ids=HERE), True, False),
        (Viewer(Role.GUIDE, "gde_2", store_ids=HERE), True, False),
        (Viewer(Role.GUIDE, "gde_1", store_ids=THERE), False, False),
        (Viewer(Role.STORE_MANAGER, "stf_1", store_ids=HERE), True, True),
        (Viewer(Role.STORE_MANAGER, "stf_1", store_ids=THERE), False, False),
        (Viewer(Role.OPERATOR, "stf_2"), True, True),
        (Viewer(Role.OPERATOR, "stf_2", store_ids=HERE | THERE), True, True),
        (Viewer(Role.OPERATOR, "stf_2", store_ids=THERE), False, False),
        (WRITER, True, True),
        (READER, False, False),
        (Viewer(Role.INTEGRATION, scopes=frozenset({WRITE_MEMBERS})), False, False),
        (Viewer(Role.MEMBER, "mbr_1"), False, False),
        (Viewer(Role.ANONYMOUS), False, False),
        (SYSTEM, True, True),
    ],
)
def test_members_are_given_and_taken_within_scope(
    viewer: Viewer, claims: bool, changes: bool
) -> None:
    assert rules.may_claim(viewer, Someone()) is claims
    assert rules.may_change(viewer, Someone()) is changes


@pytest.mark.parametrize(
    ("viewer", "forces"),
    [
        (Viewer(Role.OPERATOR), True),
        (Viewer(Role.OPERATOR, store_ids=HERE), False),
        (Viewer(Role.STORE_MANAGER, store_ids=HERE), False),
        (Viewer(Role.GUIDE, store_ids=HERE), False),
        (WRITER, False),
        (SYSTEM, True),
    ],
)
def test_headquarters_alone_end_a_protection(viewer: Viewer, forces: bool) -> None:
    assert rules.may_force(viewer) is forces


def test_each_states_the_sources_they_can_know() -> None:
    seen = {"TRANSACTION", "WECOM_FRIEND", "SHARED_LINK"}
    stated = {
        role: {s.value for s in OwnershipSource if rules.may_state(Viewer(role), s)}
        for role in (Role.GUIDE, Role.STORE_MANAGER, Role.OPERATOR, Role.INTEGRATION)
    }
    assert stated == {
        Role.GUIDE: seen,
        Role.STORE_MANAGER: seen | {"ASSIGNED_BY_MANAGER"},
        Role.OPERATOR: seen | {"ASSIGNED_BY_MANAGER"},
        Role.INTEGRATION: set(OwnershipSource),
    }
    assert {role: rules.source_of(Viewer(role)).value for role in stated} == {
        Role.GUIDE: "TRANSACTION",
        Role.STORE_MANAGER: "ASSIGNED_BY_MANAGER",
        Role.OPERATOR: "ASSIGNED_BY_MANAGER",
        Role.INTEGRATION: "ASSIGNED_BY_SYSTEM",
    }


@dataclass
class Job:
    store_id: str = "here"


@pytest.mark.parametrize(
    ("viewer", "seen"),
    [
        (Viewer(Role.STORE_MANAGER, store_ids=HERE), True),
        (Viewer(Role.STORE_MANAGER, store_ids=THERE), False),
        (Viewer(Role.OPERATOR), True),
        (Viewer(Role.OPERATOR, store_ids=THERE), False),
        (READER, True),
        (Viewer(Role.INTEGRATION), False),
        (Viewer(Role.GUIDE, store_ids=HERE), False),
        (Viewer(Role.MEMBER), False),
        (SYSTEM, True),
    ],
)
def test_hand_overs_are_seen_by_managers_within_reach_and_by_keys_that_read(
    viewer: Viewer, seen: bool
) -> None:
    job = Job()
    assert rules.visible_hand_over(viewer, job) is (job if seen else None)


# --- hand-overs ------------------------------------------------------------------------------


def test_members_go_round() -> None:
    assert [rules.turn(n, "abc") for n in range(7)] == list("abcabca")


@pytest.mark.parametrize(
    ("ownership", "takers_store", "outcome"),
    [
        (owned(), "here", Outcome.MOVED),
        (owned(), "there", Outcome.OTHER_STORE),
        (owned(), None, Outcome.MOVED),
        (None, "here", Outcome.NO_LONGER_THEIRS),
        (None, None, Outcome.NO_LONGER_THEIRS),
    ],
)
def test_hand_over_moves_members_of_the_guide_to_guides_of_the_members_store(
    ownership: Ownership | None, takers_store: str | None, outcome: Outcome
) -> None:
    assert rules.outcome(ownership, "gde_1", "here", takers_store) is outcome


def test_member_of_somebody_else_is_skipped() -> None:
    assert rules.outcome(owned(), "gde_2", "here", "here") is Outcome.NO_LONGER_THEIRS


@pytest.mark.parametrize(
    ("status", "reason"), [(ACTIVE, "HANDED_OVER"), (STOPPED, "HANDED_OVER"), (LEFT, "LEFT")]
)
def test_reason_of_a_hand_over_follows_from_whether_the_guide_works(
    status: GuideStatus, reason: str
) -> None:
    assert rules.reason_to_hand_over(status) == reason


@pytest.mark.parametrize(
    ("name", "searched"),
    [
        ("王小明", "王小明"),
        (" 王 小明\t", "王小明"),
        ("ＡＬＩＣＥ Li", "aliceli"),
        ("Straße", "strasse"),
        ("　", ""),
    ],
)
def test_names_are_searched_whatever_their_width_case_and_spaces(name: str, searched: str) -> None:
    assert searched_name(name) == searched
