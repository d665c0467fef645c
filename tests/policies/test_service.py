"""Drafts become policies in force: one at a time, checked, never lost."""

from datetime import timedelta
from typing import Any

import pytest

from graphql_api.errors import AppError, Conflict, Forbidden, ForbiddenTransition, Refused
from graphql_api.kit import ids
from graphql_api.kit.time import Clock
from graphql_api.policies import models, repository, rules, service
from graphql_api.policies.models import Head, PoliciesItem, Policy
from graphql_api.policies.rules import (
    DOCUMENTS,
    GrowthPolicy,
    PolicyKind,
    PolicyState,
    RfmPolicy,
    TierLadder,
)
from graphql_api.policies.service import PolicyDraft, PolicyDraftDiscard, PolicyPublish
from graphql_api.viewer import Role, Viewer
from tests.factories import CLOCK, NOW
from tests.policies.factories import HEADQUARTERS, make_draft, publish
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("database")

GROWTH = PolicyKind.GROWTH
LATER = Clock(wall=lambda: NOW + timedelta(days=1))


def everything() -> list[dict[str, Any]]:
    found = [item.serialize() for item in PoliciesItem.scan(consistent_read=True)]
    return sorted(found, key=str)


def versions(kind: PolicyKind = GROWTH, **page: Any) -> list[tuple[int, str]]:
    given = {"first": 100, "after": None, "reverse": False} | page
    found = repository.page_of_kind(kind, **given)
    return [(int(policy.version), policy.state.value) for policy in found.items]


def discard(expected_version: int | None = None, viewer: Viewer = HEADQUARTERS) -> Policy:
    given = PolicyDraftDiscard(kind=GROWTH, expected_version=expected_version)
    return service.discard(given, viewer=viewer)


def redraft(fen: int, expected_version: int | None) -> Policy:
    document = {"fenPerPoint": fen}
    given = PolicyDraft(kind=GROWTH, document=document, expected_version=expected_version)
    return service.draft(given, viewer=HEADQUARTERS, clock=CLOCK)


def refusal_of(do: Any) -> AppError:
    with pytest.raises(AppError) as refusal:
        do()
    return refusal.value


# --- in force --------------------------------------------------------------------------------


def test_shipped_policies_are_in_force_before_anything_is_stored() -> None:
    for kind in PolicyKind:
        policy = repository.in_force(kind)
        assert (policy.kind, policy.version, policy.state) == (kind, 0, PolicyState.SHIPPED)
        assert policy.content == DOCUMENTS[kind]()
        [found] = repository.get_many([policy.id])
        assert found is not None
        assert found.serialize() == policy.serialize()
    assert repository.in_force(PolicyKind.TIER_LADDER).content == TierLadder()
    assert everything() == []


def test_published_policy_is_in_force_with_who_when_and_all_its_numbers() -> None:
    draft = make_draft(PolicyKind.RFM, {"highFrom": 4})
    assert repository.in_force(PolicyKind.RFM).version == 0
    publish(draft, viewer=Viewer(Role.OPERATOR, id="opr_9"), clock=LATER)
    policy = repository.in_force(PolicyKind.RFM)
    assert (policy.id, policy.version, policy.state) == (draft.id, 1, PolicyState.PUBLISHED)
    assert (policy.drafted_by, policy.drafted_at) == ("opr_1", NOW)
    assert (policy.published_by, policy.published_at) == ("opr_9", LATER.now())
    assert policy.content == RfmPolicy(high_from=4)
    assert policy.document == RfmPolicy(high_from=4).document()
    assert repository.in_force(GROWTH).version == 0


def test_next_policy_takes_the_place_of_the_one_before() -> None:
    first = publish(make_draft(GROWTH, {"fenPerPoint": 200}))
    publish(make_draft(GROWTH, {"fenPerPoint": 300}), clock=LATER)
    [kept] = repository.get_many([first.id])
    assert kept is not None
    assert (kept.state, kept.superseded_at) == (PolicyState.SUPERSEDED, LATER.now())
    assert kept.content == GrowthPolicy(fen_per_point=200)
    assert repository.in_force(GROWTH).content == GrowthPolicy(fen_per_point=300)
    assert versions() == [(0, "SHIPPED"), (1, "SUPERSEDED"), (2, "PUBLISHED")]


def test_policies_in_force_come_in_the_order_asked_with_two_batches() -> None:
    publish(make_draft())
    kinds = [PolicyKind.RFM, GROWTH, PolicyKind.RFM]
    found = repository.get_in_force(kinds)
    assert [(p.kind, p.version) for p in found if p] == [("RFM", 0), ("GROWTH", 1), ("RFM", 0)]


def test_versions_are_listed_from_the_shipped_one_in_both_directions() -> None:
    assert versions() == [(0, "SHIPPED")]
    publish(make_draft(GROWTH, {"fenPerPoint": 200}))
    make_draft(GROWTH, {"fenPerPoint": 300})
    listed = [(0, "SHIPPED"), (1, "PUBLISHED"), (2, "DRAFT")]
    assert versions() == listed
    assert versions(reverse=True) == listed[::-1]
    for reverse in (False, True):
        expected = listed[::-1] if reverse else listed
        for size in (1, 2, 3):
            seen: list[tuple[int, str]] = []
            after = None
            while True:
                page = repository.page_of_kind(GROWTH, first=size, after=after, reverse=reverse)
                seen += [(int(p.version), p.state.value) for p in page.items]
                if not page.more:
                    break
                after = page.places[-1]
            assert seen == expected


# --- drafts ----------------------------------------------------------------------------------


def test_new_draft_takes_the_place_of_the_open_one_under_a_new_version() -> None:
    first = redraft(200, None)
    second = redraft(300, 1)
    assert (first.version, second.version) == (1, 2)
    assert repository.get_many([first.id]) == [None]
    assert versions() == [(0, "SHIPPED"), (2, "DRAFT")]


def test_same_draft_again_changes_nothing() -> None:
    redraft(200, None)
    before = everything()
    assert redraft(200, 1).version == 1
    assert everything() == before


def test_draft_made_from_another_version_is_a_conflict() -> None:
    publish(redraft(200, 0))
    redraft(300, 1)
    before = everything()
    for expected in (0, 1, 3):
        refusal = refusal_of(lambda expected=expected: redraft(400, expected))
        assert (type(refusal), refusal.field) == (Conflict, ("input", "expected_version"))
    assert everything() == before


def test_wrong_draft_names_every_field_and_writes_nothing() -> None:
    given = PolicyDraft(kind=PolicyKind.TIER_LADDER, document={"windowMonths": 40, "x": 1})
    refusal = refusal_of(lambda: service.draft(given, viewer=HEADQUARTERS, clock=CLOCK))
    assert isinstance(refusal, Refused)
    assert [problem.field for problem in refusal.problems] == [
        ("input", "document", "windowMonths"),
        ("input", "document", "x"),
    ]
    assert everything() == []


def test_discarded_draft_is_gone_and_its_version_is_not_given_again() -> None:
    publish(redraft(200, None))
    redraft(300, None)
    assert discard(expected_version=2).version == 1
    before = everything()
    assert discard().version == 1
    refusal = refusal_of(lambda: discard(expected_version=2))
    assert (type(refusal), refusal.field) == (Conflict, ("input", "expected_version"))
    assert everything() == before
    assert redraft(400, 1).version == 3


def test_draft_of_another_version_is_not_discarded() -> None:
    redraft(200, None)
    before = everything()
    assert isinstance(refusal_of(lambda: discard(expected_version=7)), Conflict)
    assert everything() == before


# --- publish ---------------------------------------------------------------------------------


def test_draft_that_changed_since_it_was_looked_at_is_not_published() -> None:
    looked_at = redraft(200, None)
    redraft(300, None)
    before = everything()
    refusal = refusal_of(lambda: publish(looked_at))
    assert (type(refusal), refusal.field) == (Conflict, ("input", "draft_version"))
    assert everything() == before


def test_nothing_is_published_without_a_draft() -> None:
    shipped = repository.in_force(GROWTH)
    refusal = refusal_of(lambda: publish(shipped))
    assert (type(refusal), refusal.field) == (ForbiddenTransition, ("input", "draft_version"))
    assert everything() == []


def test_published_again_changes_nothing() -> None:
    draft = redraft(200, None)
    publish(draft)
    before = everything()
    again = publish(draft, viewer=Viewer(Role.OPERATOR, id="opr_2"), clock=LATER)
    assert (again.published_by, again.published_at) == ("opr_1", NOW)
    assert everything() == before


def test_of_eight_who_publish_at_once_one_does() -> None:
    publish(redraft(200, None))
    draft = redraft(300, None)
    people = [Viewer(Role.OPERATOR, id=f"opr_{n}") for n in range(8)]
    found = at_once([lambda p=p: publish(draft, viewer=p) for p in people])  # type: ignore[misc]
    [winner] = {policy.published_by for policy in found}
    assert repository.in_force(GROWTH).published_by == winner
    assert versions() == [(0, "SHIPPED"), (1, "SUPERSEDED"), (2, "PUBLISHED")]
    # Written by two drafts, the first publication, and this one.
    assert repository.head(GROWTH).version == 4


def test_publishing_and_drafting_at_once_loses_neither() -> None:
    draft = redraft(200, None)

    def published() -> str:
        try:
            publish(draft)
        except Conflict:
            return "conflict"
        return "published"

    told, new = at_once([published, lambda: str(redraft(300, None).version)])
    expected = [(0, "SHIPPED"), (1, "PUBLISHED"), (2, "DRAFT")]
    assert new == "2"
    assert versions() == (expected if told == "published" else [(0, "SHIPPED"), (2, "DRAFT")])


def test_draft_that_goes_between_two_reads_is_a_conflict_for_who_publishes_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draft = redraft(200, None)
    read_head = repository.head
    others = [lambda: redraft(300, None)]

    def head_then_another_draft(kind: PolicyKind) -> Head:
        head = read_head(kind)
        while others:
            others.pop()()
        return head

    monkeypatch.setattr(repository, "head", head_then_another_draft)
    assert isinstance(refusal_of(lambda: publish(draft)), Conflict)
    assert versions() == [(0, "SHIPPED"), (2, "DRAFT")]


def test_draft_that_the_code_no_longer_takes_is_not_published(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draft = redraft(200, None)
    before = everything()
    monkeypatch.setitem(rules.DOCUMENTS, GROWTH, RfmPolicy)
    refusal = refusal_of(lambda: publish(draft))
    assert refusal.field == ("input", "draft_version")
    with pytest.raises(ValueError, match="GROWTH 1"):
        assert draft.content
    assert everything() == before


# --- who may ---------------------------------------------------------------------------------


def test_region_makes_no_policies() -> None:
    draft = make_draft()
    before = everything()
    region = Viewer(Role.OPERATOR, id="opr_2", unit_id="org_1", store_ids=frozenset())
    given = PolicyPublish(kind=GROWTH, draft_version=1)
    for do in (
        lambda: service.draft(PolicyDraft(kind=GROWTH, document={}), viewer=region, clock=CLOCK),
        lambda: service.publish(given, viewer=region, clock=CLOCK),
        lambda: discard(viewer=region),
    ):
        assert isinstance(refusal_of(do), Forbidden)
    assert everything() == before
    assert draft.version == 1


def test_unknown_version_is_nobody() -> None:
    unknown = [models.policy_id(GROWTH, 7), ids.derived_id("sto", "1"), "head#GROWTH", ""]
    make_draft()
    assert repository.get_many(unknown) == [None] * 4
