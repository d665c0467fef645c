"""Rules of merges: what of two members stands, as laws and by example."""

from datetime import date, timedelta
from itertools import islice
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.campaigns.rules import ParticipationState, went_further
from graphql_api.guides.rules import GuideStatus
from graphql_api.members.rules import (
    MAX_TAGS,
    Contribution,
    Gender,
    HeldTag,
    Ownership,
    OwnershipSource,
    TagSource,
    derive,
    unite,
)
from graphql_api.merges.rules import ConsentRow, filled, joining, united_consents
from graphql_api.ownership.rules import Relation, gives_way
from graphql_api.tags import rules
from graphql_api.tags.rules import applied, united
from tests.factories import NOW

TODAY = date(2018, 1, 10)
DAY = timedelta(days=1)

# --- facts -----------------------------------------------------------------------------------

purchases = st.lists(
    st.builds(
        Contribution,
        day=st.dates(date(2013, 1, 1), date(2018, 1, 10)),
        orders=st.sampled_from((0, 1)),
        paid=st.integers(0, 10_000),
        refunded=st.integers(0, 10_000),
        growth=st.integers(0, 100),
    ),
    max_size=8,
)


@given(purchases, purchases)
def test_facts_of_two_united_are_those_of_all_their_orders(
    mine: list[Contribution], theirs: list[Contribution]
) -> None:
    assert unite(derive(mine), derive(theirs)) == derive([*mine, *theirs])


# --- tags ------------------------------------------------------------------------------------

TAGS = [f"tag_{n}" for n in range(9)]
GROUPS = {tag: f"group_{n // 3}" for n, tag in enumerate(TAGS[:6])}

held_tags = st.builds(
    HeldTag,
    st.sampled_from(TagSource),
    st.none() | st.sampled_from([TODAY - DAY, TODAY, TODAY + DAY]),
)


def legal(tags: dict[str, HeldTag]) -> dict[str, HeldTag]:
    """One tag at most of each group that allows one."""
    kept: dict[str, HeldTag] = {}
    for id_, tag in tags.items():
        taken = {GROUPS[other] for other in kept if other in GROUPS}
        if GROUPS.get(id_) not in taken:
            kept[id_] = tag
    return kept


tag_maps = st.dictionaries(st.sampled_from(TAGS), held_tags).map(legal)


def together(mine: dict[str, HeldTag], theirs: dict[str, HeldTag]) -> dict[str, HeldTag]:
    return applied(mine, united(mine, theirs, groups=GROUPS, as_of=TODAY))


@given(tag_maps, tag_maps, st.sets(st.sampled_from(TAGS)))
def test_tags_united_part_after_part_are_those_united_at_once(
    mine: dict[str, HeldTag], theirs: dict[str, HeldTag], first: set[str]
) -> None:
    one = {id_: tag for id_, tag in theirs.items() if id_ in first}
    rest = {id_: tag for id_, tag in theirs.items() if id_ not in first}
    assert together(together(mine, one), rest) == together(mine, theirs)


@given(tag_maps, tag_maps, st.sets(st.sampled_from(TAGS)))
def test_tags_for_which_there_is_no_room_are_the_same_part_after_part(
    mine: dict[str, HeldTag], theirs: dict[str, HeldTag], first: set[str]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rules, "MAX_TAGS", 3)
        test_tags_united_part_after_part_are_those_united_at_once.hypothesis.inner_test(  # type: ignore[attr-defined]
            dict(islice(mine.items(), 3)), dict(islice(theirs.items(), 3)), first
        )


@given(tag_maps, tag_maps)
def test_of_every_tag_and_group_of_either_the_strongest_stays(
    mine: dict[str, HeldTag], theirs: dict[str, HeldTag]
) -> None:
    def strength(tag: HeldTag) -> tuple[bool, int, date]:
        order = [TagSource.RULE, TagSource.IMPORTED, TagSource.BY_HAND]
        return tag.holds(TODAY), order.index(tag.source), tag.expires_on or date.max

    after = together(mine, theirs)
    assert legal(after) == after
    assert together(after, theirs) == after
    for tags in (mine, theirs):
        for id_, tag in tags.items():
            rivals = [
                t for i, t in after.items() if i == id_ or GROUPS.get(i, i) == GROUPS.get(id_)
            ]
            if tag.holds(TODAY) or tags is mine:
                assert any(strength(rival) >= strength(tag) for rival in rivals)
    assert all(after[id_] in (mine.get(id_), theirs.get(id_)) for id_ in after)


def test_of_more_tags_than_a_member_has_the_strongest_stay() -> None:
    by_rule, by_hand = HeldTag(TagSource.RULE), HeldTag(TagSource.BY_HAND)
    gone = HeldTag(TagSource.BY_HAND, TODAY - DAY)
    mine = {f"mine{n:03d}": by_rule for n in range(199)} | {"gone": gone}
    theirs = {f"theirs{n}": by_hand for n in range(3)}
    after = applied(mine, united(mine, theirs, groups={}, as_of=TODAY))
    assert len(after) == MAX_TAGS
    assert set(theirs) <= after.keys()
    assert mine.keys() - after.keys() == {"gone", "mine000", "mine001"}


# --- consents --------------------------------------------------------------------------------

instants = st.sampled_from([f"2018-01-0{n}T04:00:00.000+00:00" for n in range(1, 6)])


@st.composite
def consent_rows(draw: st.DrawFn) -> ConsentRow:
    return [draw(st.sampled_from(("v1", "v2"))), draw(instants), draw(st.none() | instants)]


consent_maps = st.dictionaries(
    st.sampled_from(("MARKETING#SMS", "MARKETING#WECOM", "SERVICE#ANY")), consent_rows()
)


@given(consent_maps, consent_maps, consent_maps)
def test_consents_unite_the_same_in_any_sequence_and_withdrawn_stays_withdrawn(
    one: dict[str, ConsentRow], other: dict[str, ConsentRow], third: dict[str, ConsentRow]
) -> None:
    both = united_consents(one, other)
    assert both == united_consents(other, one)
    assert united_consents(both, other) == both
    assert united_consents(both, third) == united_consents(one, united_consents(other, third))
    for key, row in both.items():
        rows = [known[key] for known in (one, other) if key in known]
        assert row in rows
        assert (row[2] is None) == all(r[2] is None for r in rows)


def test_agreement_that_is_newer_than_a_withdrawal_does_not_bring_it_back() -> None:
    withdrawn = ["v1", "2017-01-01T00:00:00.000+00:00", "2017-06-01T00:00:00.000+00:00"]
    granted = ["v2", "2018-01-01T00:00:00.000+00:00", None]
    key = "MARKETING#SMS"
    assert united_consents({key: granted}, {key: withdrawn}) == {key: withdrawn}
    assert united_consents({key: granted}, {}) == {key: granted}


# --- profile and joining ---------------------------------------------------------------------


def person(**known: Any) -> Any:
    empty = dict.fromkeys(("name", "nickname", "city", "occupation", "income_band"))
    given = {"gender": Gender.UNKNOWN, "birthday": None, "birth_year": None, **empty}
    return SimpleNamespace(**given | known)


people = st.builds(
    person,
    name=st.none() | st.just("王"),
    nickname=st.none() | st.just("明"),
    city=st.none() | st.just("上海"),
    gender=st.sampled_from(Gender),
    birthday=st.none() | st.sampled_from(("02-28", "02-29")),
    birth_year=st.none() | st.sampled_from((1987, 1988)),
).filter(lambda p: not (p.birthday == "02-29" and p.birth_year == 1987))


@given(people, people)
def test_what_is_known_stays_and_every_gap_that_can_be_is_filled(mine: Any, theirs: Any) -> None:
    gaps = filled(mine, theirs)
    after = person(**vars(mine) | gaps)
    for name, known in vars(mine).items():
        if known not in (None, Gender.UNKNOWN):
            assert name not in gaps
    assert not (after.birthday == "02-29" and after.birth_year == 1987)
    for name in ("name", "nickname", "city", "gender"):
        if getattr(after, name) in (None, Gender.UNKNOWN):
            assert getattr(theirs, name) in (None, Gender.UNKNOWN)
    assert filled(after, theirs) == {}


def test_who_joined_first_says_how() -> None:
    early, late = SimpleNamespace(joined_at=NOW - DAY), SimpleNamespace(joined_at=NOW)
    same: Any = SimpleNamespace(joined_at=NOW)
    mine: Any = late
    assert joining(mine, early) is early
    assert joining(early, mine) is early
    assert joining(mine, same) is mine


# --- guides ----------------------------------------------------------------------------------


def relation(
    source: OwnershipSource = OwnershipSource.TRANSACTION,
    *,
    status: GuideStatus = GuideStatus.ACTIVE,
    days: int = 0,
    **more: Any,
) -> Relation:
    owned = Ownership("gde_1", NOW - days * DAY, source, **more)
    return Relation(owned, status)


NOBODY = Relation(None, None)


@pytest.mark.parametrize(
    ("mine", "theirs", "gives"),
    [
        (NOBODY, NOBODY, False),
        (NOBODY, relation(), True),
        (relation(), NOBODY, False),
        (relation(), relation(), False),
        (relation(), relation(days=1), True),
        (relation(days=1), relation(), False),
        (relation(OwnershipSource.IMPORT), relation(OwnershipSource.ASSIGNED_BY_SYSTEM), True),
        (relation(OwnershipSource.REGISTRATION), relation(OwnershipSource.SHARED_LINK), True),
        (relation(OwnershipSource.WECOM_FRIEND), relation(), True),
        (relation(), relation(OwnershipSource.ASSIGNED_BY_MANAGER), True),
        (relation(), relation(OwnershipSource.IMPORT, protected_until=TODAY), True),
        (relation(), relation(OwnershipSource.IMPORT, protected_until=TODAY - DAY), False),
        (relation(OwnershipSource.IMPORT), relation(status=GuideStatus.LEFT), False),
        (relation(status=GuideStatus.LEFT), relation(OwnershipSource.IMPORT), True),
        (relation(valid_until=TODAY - DAY), relation(OwnershipSource.IMPORT), True),
        (relation(OwnershipSource.IMPORT), relation(valid_until=TODAY - DAY), False),
        (relation(OwnershipSource.IMPORT), relation(valid_until=TODAY), True),
    ],
)
def test_stronger_relation_takes_the_member(mine: Relation, theirs: Relation, gives: bool) -> None:
    assert gives_way(mine, theirs, TODAY) is gives


# --- campaigns -------------------------------------------------------------------------------


def test_who_came_further_in_a_campaign_stays_and_of_the_same_the_earlier() -> None:
    def part(state: str, days: int = 0) -> Any:
        return SimpleNamespace(state=ParticipationState(state), at=NOW + days * DAY)

    rising = [part(state) for state in ("INVITED", "EXCLUDED", "JOINED", "CONVERTED")]
    for n, lower in enumerate(rising):
        for higher in rising[n + 1 :]:
            assert went_further(lower, higher)
            assert not went_further(higher, lower)
    assert went_further(part("JOINED", 1), part("JOINED", 0))
    assert not went_further(part("JOINED", 0), part("JOINED", 0))
