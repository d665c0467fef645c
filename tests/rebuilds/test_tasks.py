"""A policy is tried, published and brought to everyone: once, wherever a run is killed."""

from typing import Any

import pytest

from graphql_api.errors import Conflict, Forbidden, ForbiddenTransition, Invalid, Refused
from graphql_api.kit.dynamo import transactions
from graphql_api.members.models import Member
from graphql_api.policies import repository as policies
from graphql_api.policies.rules import PolicyKind, RfmPolicy
from graphql_api.rebuilds import models, repository, service, tasks
from graphql_api.rebuilds.models import Run
from graphql_api.rebuilds.rules import RunState
from graphql_api.rebuilds.service import PolicyMeasure, PolicyPreview
from graphql_api.standing import service as standing
from graphql_api.standing import tasks as standing_tasks
from graphql_api.standing.rules import ChangeKind
from graphql_api.viewer import Role, Viewer
from tests.factories import numbered
from tests.policies.factories import HEADQUARTERS, make_draft
from tests.rebuilds.conftest import TODAY
from tests.rebuilds.storage import (
    LADDER,
    members_stored,
    published,
    run_now,
    runs_stored,
    tier_moves,
)
from tests.standing.storage import history, on, standing_now

CLOCK = on(TODAY)
LADDER_KIND = PolicyKind.TIER_LADDER
EXPECTED = {("V1", "V2"): 1, ("V4", "V3"): 1}
"""100 yuan are V2 now; 2,000 were V4. 250 are V2 as before, 650 and 700 V3."""


def previewed(document: Any = LADDER) -> Run:
    given = PolicyPreview(kind=LADDER_KIND, document=document)
    return service.preview(given, viewer=HEADQUARTERS, clock=CLOCK)


def rebuilt() -> Run:
    """The run of a ladder that was just published, not begun."""
    run = tasks.published(LADDER_KIND, published(), clock=CLOCK)
    assert run is not None
    return run


def tiers() -> dict[int, str]:
    numbers = (3, 4, 5, 6, 2100, 2101)
    return {n: standing_now(Member(numbered(n))).tier.name for n in numbers}


# --- preview ---------------------------------------------------------------------------------


def test_preview_counts_who_would_move_and_writes_nothing_of_members(people: list[str]) -> None:
    before = members_stored()
    run = previewed()
    assert (run.state, int(run.total)) == (RunState.WAITING, 2)
    tasks.run_all(run.id, clock=CLOCK)
    run = run_now(run)
    assert (run.state, int(run.done), int(run.members), int(run.changed)) == (
        RunState.DONE,
        2,
        6,
        2,
    )
    assert tier_moves(run) == EXPECTED
    samples = {move.new: named for move, named in run.tally.samples.items()}
    assert samples == {"V2": [numbered(2100)], "V3": [numbered(6)]}
    assert members_stored() == before


def test_preview_tries_the_open_draft(people: list[str]) -> None:
    make_draft(LADDER_KIND, LADDER)
    run = service.preview(PolicyPreview(kind=LADDER_KIND), viewer=HEADQUARTERS, clock=CLOCK)
    tasks.run_all(run.id, clock=CLOCK)
    assert tier_moves(run) == EXPECTED
    assert int(run.policy_version) == 1


def test_what_is_due_anyway_is_not_the_doing_of_a_policy(people: list[str]) -> None:
    given = PolicyPreview(kind=LADDER_KIND, document=LADDER)
    run = service.preview(given, viewer=HEADQUARTERS, clock=on("2018-09-01"))
    tasks.run_all(run.id, clock=on("2018-09-01"))
    assert {move.part for move in run_now(run).tally.moves} <= {ChangeKind.TIER}


def test_preview_refuses_what_cannot_be_tried(people: list[str]) -> None:
    region = Viewer(Role.OPERATOR, id="opr_2", unit_id="org_1", store_ids=frozenset())
    wrong = {"tiers": [{"name": "V1", "threshold": 5}]}
    before = runs_stored()
    for kind, document, viewer, refusal in (
        (LADDER_KIND, wrong, HEADQUARTERS, Refused),
        (LADDER_KIND, None, HEADQUARTERS, ForbiddenTransition),
        (PolicyKind.OWNERSHIP, {}, HEADQUARTERS, Invalid),
        (LADDER_KIND, LADDER, region, Forbidden),
    ):
        with pytest.raises(refusal):
            service.preview(PolicyPreview(kind=kind, document=document), viewer=viewer, clock=CLOCK)
    assert runs_stored() == before


# --- rebuild ---------------------------------------------------------------------------------


def test_publication_brings_everyone_where_the_policy_says(people: list[str]) -> None:
    assert tiers() == {3: "V1", 4: "V2", 5: "V3", 6: "V4", 2100: "V1", 2101: "V3"}
    run = rebuilt()
    tasks.run_all(run.id, clock=CLOCK)
    assert tiers() == {3: "V1", 4: "V2", 5: "V3", 6: "V3", 2100: "V2", 2101: "V3"}
    assert tier_moves(run) == EXPECTED
    assert (run_now(run).state, int(run_now(run).failed)) == (RunState.DONE, 0)
    assert history(Member(numbered(2100)), ChangeKind.TIER)[-1][:2] == (TODAY, "V2")


def test_second_run_and_the_day_after_it_write_nothing(people: list[str]) -> None:
    run = rebuilt()
    tasks.run_all(run.id, clock=CLOCK)
    before, runs = members_stored(), runs_stored()
    assert tasks.published(LADDER_KIND, 1, clock=CLOCK) is not None
    tasks.run_all(run.id, clock=CLOCK)
    for piece in range(2):
        tasks.do_piece(run.id, piece, clock=CLOCK)
    assert standing_tasks.run(CLOCK.today(), clock=CLOCK).changed == 0
    assert (members_stored(), runs_stored()) == (before, runs)


class _PowerFailure(BaseException):
    """The process is gone."""


def test_run_ends_the_same_at_whichever_write_the_power_goes(
    people: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before and after each of its writes, it goes on to one change for each member."""
    run = rebuilt()
    commit = transactions.Transaction.commit
    kills = 0

    def failing_at(at: int, after: bool) -> Any:
        seen = 0

        def failing(tx: transactions.Transaction) -> bool:
            nonlocal seen
            seen += 1
            if seen == at and not after:
                raise _PowerFailure
            done = commit(tx)
            if seen == at:
                raise _PowerFailure
            return done

        return failing

    for at in range(1, 4):
        for after in (False, True):
            monkeypatch.setattr(transactions.Transaction, "commit", failing_at(at, after))
            try:
                tasks.run_all(run.id, clock=CLOCK)
            except _PowerFailure:
                kills += 1
    monkeypatch.setattr(transactions.Transaction, "commit", commit)
    tasks.run_all(run.id, clock=CLOCK)
    assert kills >= 4
    run = run_now(run)
    assert (run.state, int(run.members), int(run.changed)) == (RunState.DONE, 6, 2)
    assert tier_moves(run) == EXPECTED
    for number in (6, 2100):
        reached = [new for _, new, _ in history(Member(numbered(number)), ChangeKind.TIER)]
        assert reached == {6: ["V4", "V3"], 2100: ["V2"]}[number]
    assert tiers() == {3: "V1", 4: "V2", 5: "V3", 6: "V3", 2100: "V2", 2101: "V3"}


def test_member_who_cannot_be_decided_on_stops_nobody(
    people: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    decide_in = standing.decide_in

    def failing(tx: Any, member: Member, cause: Any) -> bool:
        if member.id == numbered(6):
            raise ValueError("bad")
        return decide_in(tx, member, cause)

    run = rebuilt()
    monkeypatch.setattr(standing, "decide_in", failing)
    tasks.run_all(run.id, clock=CLOCK)
    assert (run_now(run).state, int(run_now(run).failed)) == (RunState.DONE, 1)
    assert (tiers()[6], tiers()[2100]) == ("V4", "V2")


def test_cancelled_run_stops_and_goes_on_when_it_is_asked_for_again(people: list[str]) -> None:
    run = rebuilt()
    assert tasks.plan(run.id) == [0, 1]
    tasks.do_piece(run.id, 0, clock=CLOCK)
    cancelled = service.cancel(run.id, viewer=HEADQUARTERS, clock=CLOCK)
    assert cancelled.state is RunState.CANCELLED
    assert not tasks.do_piece(run.id, 1, clock=CLOCK)
    assert tasks.plan(run.id) == []
    assert tiers()[2100] == "V1"
    assert service.cancel(run.id, viewer=HEADQUARTERS, clock=CLOCK).state is RunState.CANCELLED
    again = service.retry(run.id, viewer=HEADQUARTERS)
    assert (again.state, int(again.attempt)) == (RunState.WAITING, 2)
    tasks.run_all(run.id, clock=CLOCK)
    assert (run_now(run).state, int(run_now(run).done), tiers()[2100]) == (
        RunState.DONE,
        2,
        "V2",
    )
    with pytest.raises(ForbiddenTransition):
        service.cancel(run.id, viewer=HEADQUARTERS, clock=CLOCK)
    with pytest.raises(ForbiddenTransition):
        service.retry(run.id, viewer=HEADQUARTERS)


def test_run_does_not_end_before_its_pieces(people: list[str]) -> None:
    run = rebuilt()
    tasks.plan(run.id)
    tasks.do_piece(run.id, 1, clock=CLOCK)
    with pytest.raises(Conflict):
        tasks.finish(run.id, clock=CLOCK)
    assert tasks.fail(run.id, clock=CLOCK) is not None
    assert run_now(run).state is RunState.FAILED
    assert service.retry(run.id, viewer=HEADQUARTERS).state is RunState.WAITING


def test_version_that_is_not_known_yet_is_waited_for(
    people: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = rebuilt()
    tasks.plan(run.id)
    known = {k: policies.remembered(k) for k in PolicyKind}
    old = {**known, LADDER_KIND: (0, known[LADDER_KIND][1])}
    monkeypatch.setattr(policies, "remembered", old.__getitem__)
    with pytest.raises(Conflict):
        tasks.do_piece(run.id, 0, clock=CLOCK)
    assert repository.piece(run.id, 0) is None


def test_kind_on_which_no_standing_hangs_begins_no_run(chain: str) -> None:
    assert tasks.published(PolicyKind.OWNERSHIP, 1, clock=CLOCK) is None
    assert runs_stored() == []


# --- measure ---------------------------------------------------------------------------------


def test_base_is_measured_into_a_draft(people: list[str]) -> None:
    published(PolicyKind.RFM, {"monetaryMethod": "QUANTILE"})
    before = members_stored()
    run = service.measure(PolicyMeasure(), viewer=HEADQUARTERS, clock=CLOCK)
    tasks.run_all(run.id, clock=CLOCK)
    run = run_now(run)
    assert (run.state, int(run.drafted_version or 0), int(run.members)) == (RunState.DONE, 2, 6)
    draft = policies.version_of(PolicyKind.RFM, 2).content
    assert isinstance(draft, RfmPolicy)
    assert draft.measured_on == CLOCK.today()
    assert [band.min_fen for band in draft.monetary] == [200_000, 70_000, 25_000, 10_000, 0]
    assert draft.averages is not None
    assert (draft.averages.orders_percent, draft.averages.order_fen) == (100, 62_500)
    assert members_stored() == before


def test_run_of_a_version_has_one_id() -> None:
    ids = {models.rebuild_id(kind, n) for kind in PolicyKind for n in range(3)}
    assert len(ids) == 3 * len(PolicyKind)
