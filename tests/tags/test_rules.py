"""What gives way to what, what runs out, and who may do it."""

from collections.abc import Sequence
from datetime import date

import pytest

from graphql_api.members.rules import MAX_TAGS, HeldTag, TagSource
from graphql_api.tags import rules
from graphql_api.tags.rules import Change, Giving, TagAction
from graphql_api.viewer import READ_MEMBERS, READ_TAGS, SYSTEM, WRITE_TAGS, Role, Viewer

TODAY = date(2018, 1, 10)
YESTERDAY = date(2018, 1, 9)
NEXT_WEEK = date(2018, 1, 17)
BY_HAND, RULE, IMPORTED = TagSource.BY_HAND, TagSource.RULE, TagSource.IMPORTED

TEA = Giving("tea", "taste")
RICE = Giving("rice", "taste")
YOUNG = Giving("young", "age", exclusive=True)
OLD = Giving("old", "age", exclusive=True)
GROUPS = {"tea": "taste", "rice": "taste", "young": "age", "old": "age"}


def decide(
    held: dict[str, HeldTag],
    *add: Giving,
    remove: Sequence[str] = (),
    source: TagSource = BY_HAND,
    expires_on: date | None = None,
) -> list[Change]:
    return rules.decide(
        held, add, remove, groups=GROUPS, source=source, expires_on=expires_on, as_of=TODAY
    )


def said(changes: Sequence[Change]) -> list[tuple[str, TagAction]]:
    return [(change.tag_id, change.action) for change in changes]


def test_new_tag_is_added_and_a_taken_one_removed() -> None:
    held = {"rice": HeldTag(BY_HAND)}
    changes = decide(held, TEA, remove=["rice"])
    assert changes == [
        Change("rice", TagAction.REMOVED, HeldTag(BY_HAND)),
        Change("tea", TagAction.ADDED, None, HeldTag(BY_HAND)),
    ]
    assert rules.applied(held, changes) == {"tea": HeldTag(BY_HAND)}


def test_what_is_not_named_stays() -> None:
    held = {"rice": HeldTag(BY_HAND), "young": HeldTag(RULE)}
    assert rules.applied(held, decide(held, TEA)).keys() == {"rice", "young", "tea"}


def test_giving_again_and_taking_what_is_not_there_change_nothing() -> None:
    assert decide({"tea": HeldTag(BY_HAND)}, TEA, remove=["rice"]) == []


@pytest.mark.parametrize(
    ("held_by", "given_by", "then"),
    [
        (RULE, BY_HAND, BY_HAND),
        (IMPORTED, BY_HAND, BY_HAND),
        (RULE, IMPORTED, IMPORTED),
        (BY_HAND, RULE, BY_HAND),
        (BY_HAND, IMPORTED, BY_HAND),
        (IMPORTED, RULE, IMPORTED),
    ],
)
def test_tag_stays_with_the_strongest_source(
    held_by: TagSource, given_by: TagSource, then: TagSource
) -> None:
    held = {"tea": HeldTag(held_by)}
    changes = decide(held, TEA, source=given_by)
    assert rules.applied(held, changes) == {"tea": HeldTag(then)}
    assert said(changes) == ([] if then is held_by else [("tea", TagAction.CHANGED)])


@pytest.mark.parametrize("held_by", TagSource)
@pytest.mark.parametrize("taken_by", TagSource)
def test_rule_and_import_take_only_what_they_gave(held_by: TagSource, taken_by: TagSource) -> None:
    changes = decide({"tea": HeldTag(held_by)}, remove=["tea"], source=taken_by)
    taken = taken_by is BY_HAND or taken_by is held_by
    assert said(changes) == ([("tea", TagAction.REMOVED)] if taken else [])


def test_tag_of_an_exclusive_group_takes_the_place_of_the_other() -> None:
    changes = decide({"old": HeldTag(RULE), "tea": HeldTag(RULE)}, YOUNG)
    assert changes == [
        Change("old", TagAction.REPLACED, HeldTag(RULE), None, "young"),
        Change("young", TagAction.ADDED, None, HeldTag(BY_HAND)),
    ]


@pytest.mark.parametrize(
    ("held_by", "given_by"), [(BY_HAND, RULE), (BY_HAND, IMPORTED), (IMPORTED, RULE)]
)
def test_weaker_source_does_not_replace_within_a_group(
    held_by: TagSource, given_by: TagSource
) -> None:
    assert decide({"old": HeldTag(held_by)}, YOUNG, source=given_by) == []


def test_tags_of_one_exclusive_group_cannot_be_given_together() -> None:
    assert rules.clashing([TEA, YOUNG, RICE, OLD]) is OLD
    assert rules.clashing([TEA, YOUNG, RICE]) is None


def test_tag_holds_to_the_end_of_its_last_day() -> None:
    lasting = Giving("tea", "taste", validity_days=7)
    [change] = decide({}, lasting)
    assert change.after == HeldTag(BY_HAND, NEXT_WEEK)
    assert [HeldTag(RULE, TODAY).holds(day) for day in (TODAY, NEXT_WEEK)] == [True, False]


def test_given_last_day_beats_that_of_the_tag() -> None:
    [change] = decide({}, Giving("tea", "taste", validity_days=30), expires_on=NEXT_WEEK)
    assert change.after == HeldTag(BY_HAND, NEXT_WEEK)


def test_by_hand_renews_and_a_rule_only_with_a_day_of_its_own() -> None:
    lasting = Giving("tea", "taste", validity_days=7)
    for source in (RULE, IMPORTED):
        held = {"tea": HeldTag(source, TODAY)}
        assert decide(held, lasting, source=source) == []
        [renewed] = decide(held, lasting, source=source, expires_on=NEXT_WEEK)
        assert (renewed.action, renewed.after) == (TagAction.CHANGED, HeldTag(source, NEXT_WEEK))
    [renewed] = decide({"tea": HeldTag(BY_HAND, TODAY)}, lasting)
    assert (renewed.action, renewed.after) == (TagAction.CHANGED, HeldTag(BY_HAND, NEXT_WEEK))


def test_tag_that_ran_out_is_no_obstacle() -> None:
    over = HeldTag(BY_HAND, YESTERDAY)
    assert said(decide({"tea": over}, TEA, source=RULE)) == [("tea", TagAction.ADDED)]
    assert decide({"old": over}, YOUNG, source=RULE) == [
        Change("old", TagAction.EXPIRED, over),
        Change("young", TagAction.ADDED, None, HeldTag(RULE)),
    ]
    assert said(decide({"tea": over}, remove=["tea"])) == [("tea", TagAction.EXPIRED)]


def test_tags_that_ran_out_make_room_longest_ago_first() -> None:
    full = {f"t{n}": HeldTag(BY_HAND) for n in range(MAX_TAGS - 3)}
    full |= {f"x{n}": HeldTag(RULE, date(2018, 1, n)) for n in (3, 1, 2)}
    assert said(decide(full, TEA, RICE)) == [
        ("tea", TagAction.ADDED),
        ("rice", TagAction.ADDED),
        ("x1", TagAction.EXPIRED),
        ("x2", TagAction.EXPIRED),
    ]


def test_expired_are_those_whose_last_day_is_over() -> None:
    held = {
        "a": HeldTag(BY_HAND, YESTERDAY),
        "b": HeldTag(RULE, TODAY),
        "c": HeldTag(RULE),
        "d": HeldTag(IMPORTED, date(2017, 12, 31)),
    }
    expected = [Change(id_, TagAction.EXPIRED, held[id_]) for id_ in ("d", "a")]
    assert rules.expired(held, TODAY, at_most=30) == expected
    assert rules.expired(held, TODAY, at_most=1) == expected[:1]


class Person:
    """A member of a store and a guide."""

    id = "mbr_1"
    store_id = "sto_1"
    guide_id = "gde_1"


STORE = frozenset({"sto_1"})


@pytest.mark.parametrize(
    ("viewer", "may"),
    [
        (Viewer(Role.MEMBER, id="mbr_1"), False),
        (Viewer(Role.ANONYMOUS), False),
        (Viewer(Role.GUIDE, id="gde_1", store_ids=STORE), True),
        (Viewer(Role.GUIDE, id="gde_2", store_ids=STORE), False),
        (Viewer(Role.STORE_MANAGER, id="stm_1", store_ids=STORE), True),
        (Viewer(Role.STORE_MANAGER, id="stm_2", store_ids=frozenset({"sto_2"})), False),
        (Viewer(Role.OPERATOR, id="opr_1"), True),
        (Viewer(Role.OPERATOR, id="opr_1", store_ids=frozenset({"sto_2"})), False),
        (Viewer(Role.INTEGRATION, scopes=frozenset({READ_MEMBERS, WRITE_TAGS})), True),
        (Viewer(Role.INTEGRATION, scopes=frozenset({READ_MEMBERS})), False),
        (Viewer(Role.INTEGRATION, scopes=frozenset({WRITE_TAGS})), False),
        (SYSTEM, True),
    ],
)
def test_staff_tag_members_within_their_reach(viewer: Viewer, may: bool) -> None:
    assert rules.may_tag(viewer, Person()) is may


def test_people_give_by_hand_and_keys_import() -> None:
    sources = {role: rules.source_of(Viewer(role)) for role in Role}
    assert sources.pop(Role.INTEGRATION) is IMPORTED
    assert set(sources.values()) == {BY_HAND}


class Job:
    """A job that a manager made over a guide's members."""

    by_role = Role.STORE_MANAGER
    by_id = "stm_1"
    store_id: str | None = "sto_1"
    guide_id: str | None = "gde_1"


class ListJob(Job):
    """A job over listed members."""

    store_id = None
    guide_id = None


@pytest.mark.parametrize(
    ("viewer", "sees", "sees_listed"),
    [
        (Viewer(Role.MEMBER, id="stm_1"), False, False),
        (Viewer(Role.GUIDE, id="gde_1", store_ids=STORE), True, False),
        (Viewer(Role.GUIDE, id="gde_2", store_ids=STORE), False, False),
        (Viewer(Role.STORE_MANAGER, id="stm_1", store_ids=frozenset({"sto_2"})), True, True),
        (Viewer(Role.STORE_MANAGER, id="stm_2", store_ids=STORE), True, False),
        (Viewer(Role.OPERATOR, id="stm_1", store_ids=frozenset({"sto_2"})), False, False),
        (Viewer(Role.OPERATOR, id="opr_1"), True, True),
        (Viewer(Role.INTEGRATION, scopes=frozenset({READ_TAGS})), True, True),
        (Viewer(Role.INTEGRATION, id="stm_1"), False, False),
        (SYSTEM, True, True),
    ],
)
def test_job_is_seen_by_its_maker_headquarters_and_who_reaches_its_members(
    viewer: Viewer, sees: bool, sees_listed: bool
) -> None:
    assert (rules.sees_job(viewer, Job()), rules.sees_job(viewer, ListJob())) == (
        sees,
        sees_listed,
    )
