"""Members take part in campaigns: once, whoever says so how often."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from graphql_api.campaigns import models, repository, service
from graphql_api.campaigns.models import Campaign
from graphql_api.campaigns.rules import ParticipationState
from graphql_api.campaigns.service import Added, NewParticipation, ParticipationAdd
from graphql_api.errors import ForbiddenTransition, NotFound
from graphql_api.kit import ids
from graphql_api.kit.time import Clock
from graphql_api.members import service as members
from graphql_api.members.rules import Origin
from graphql_api.stores.models import OrgUnit, Store
from graphql_api.viewer import SYSTEM, Role, Viewer
from tests.calls import counted
from tests.campaigns.factories import (
    DAY,
    make_campaign,
    make_running,
    member_of_shard,
    set_state,
    take_part,
)
from tests.campaigns.storage import everything
from tests.factories import CLOCK, NOW, make_member
from tests.threads import at_once

HOUR = timedelta(hours=1)
NOBODY = ids.derived_id("mbr", "nobody")


def add(
    campaign: Campaign,
    *parts: dict[str, Any],
    viewer: Viewer = SYSTEM,
    clock: Clock = CLOCK,
) -> list[Added]:
    given = ParticipationAdd(
        campaign_id=campaign.id, participations=[NewParticipation(**part) for part in parts]
    )
    return service.add_participations(given, viewer=viewer, clock=clock)


def of(campaign: Campaign) -> dict[str, str]:
    """The states of all members of a campaign."""
    page = repository.page_of_participations(campaign.id, first=100, after=None, reverse=False)
    assert not page.more
    return {part.member_id: part.state for part in page.items}


def test_participation_is_stored_as_given(store: Store) -> None:
    campaign, member = make_running(), make_member(store)
    [added] = add(
        campaign,
        {"member_id": member.id, "state": "CONVERTED", "at": NOW - HOUR, "channel": "SMS"},
    )
    [kept] = repository.get_participations(campaign.id, [member.id])
    assert kept is not None
    assert added.participation is not None
    assert added.participation.serialize() == kept.serialize()
    assert (added.is_new, added.refusal) == (True, None)
    assert (kept.campaign_id, kept.member_id) == (campaign.id, member.id)
    assert (kept.state, kept.at, kept.channel) == ("CONVERTED", NOW - HOUR, "SMS")
    assert kept.origin is Origin.LIVE


def test_who_takes_part_already_stays_as_they_are(store: Store) -> None:
    campaign, member = make_running(), make_member(store)
    take_part(campaign, member, state="INVITED", at=NOW - HOUR)
    before = everything()
    first, second = add(
        campaign, {"member_id": member.id}, {"member_id": member.id, "state": "CONVERTED"}
    )
    for added in (first, second):
        assert added.participation is not None
        assert (added.is_new, added.participation.state) == (False, "INVITED")
    assert everything() == before


def test_list_that_is_known_already_takes_three_reads(store: Store) -> None:
    campaign = make_running()
    people = [make_member(store) for _ in range(9)]
    parts = [{"member_id": member.id} for member in people]
    with counted() as calls:
        assert [added.is_new for added in add(campaign, *parts)] == [True] * 9
    assert calls == {"BatchGetItem": 3, "PutItem": 9}
    with counted() as calls:
        assert [added.is_new for added in add(campaign, *parts)] == [False] * 9
    # The campaign, the members, their parts.
    assert calls == {"BatchGetItem": 3}


def test_each_is_taken_or_refused_alone(store: Store) -> None:
    campaign = make_running()
    known, archived, late = (make_member(store) for _ in range(3))
    members.archive(archived.id, viewer=SYSTEM, clock=CLOCK)
    found = add(
        campaign,
        {"member_id": known.id},
        {"member_id": NOBODY},
        {"member_id": archived.id},
        {"member_id": "x"},
        {"member_id": late.id, "at": NOW + HOUR},
        {"member_id": known.id},
    )
    assert [added.is_new for added in found] == [True, False, False, False, False, False]
    assert [added.refusal.field[2:] if added.refusal else None for added in found] == [
        None,
        ("1", "member_id"),
        ("2", "member_id"),
        ("3", "member_id"),
        ("4", "at"),
        None,
    ]
    assert of(campaign) == {known.id: "JOINED"}


def test_news_may_come_after_the_end_but_not_be_of_later(store: Store) -> None:
    campaign = set_state(make_running(), "ENDED")
    one, other = make_member(store), make_member(store)
    after = Clock(wall=lambda: NOW + DAY)
    found = add(
        campaign, {"member_id": one.id, "at": NOW - HOUR}, {"member_id": other.id}, clock=after
    )
    assert [added.is_new for added in found] == [True, False]
    assert of(campaign) == {one.id: "JOINED"}


def test_nobody_takes_part_in_a_draft_or_in_what_is_not_there(store: Store) -> None:
    member, draft = make_member(store), make_campaign()
    before = everything()
    with pytest.raises(ForbiddenTransition) as refusal:
        add(draft, {"member_id": member.id})
    assert refusal.value.field == ("input", "campaign_id")
    draft.id = ids.derived_id("cmp", "unknown")
    with pytest.raises(NotFound):
        add(draft, {"member_id": member.id})
    assert everything() == before


def test_region_adds_members_of_its_own_to_campaigns_of_its_own(
    store: Store, elsewhere: Store, region: OrgUnit
) -> None:
    reach = frozenset({store.id})
    viewer = Viewer(Role.OPERATOR, id="opr_2", unit_id=region.id, store_ids=reach)
    own, other = make_member(store), make_member(elsewhere)
    campaign = make_running(unit_ids=[region.id])
    found = add(campaign, {"member_id": own.id}, {"member_id": other.id}, viewer=viewer)
    assert [added.is_new for added in found] == [True, False]
    with pytest.raises(NotFound):
        add(make_running(store_ids=[elsewhere.id]), {"member_id": own.id}, viewer=viewer)


def test_at_most_a_hundred_are_added_at_once() -> None:
    part = {"member_id": NOBODY}
    ParticipationAdd(campaign_id="x", participations=[part] * 100)
    for wrong in ([], [part] * 101):
        with pytest.raises(ValidationError):
            ParticipationAdd(campaign_id="x", participations=wrong)


def test_same_members_added_by_eight_at_once_take_part_once(store: Store) -> None:
    campaign = make_running()
    people = [make_member(store) for _ in range(5)]
    states = list(ParticipationState)

    def one(n: int) -> list[Added]:
        parts = [{"member_id": m.id, "state": states[(n + k) % 4]} for k, m in enumerate(people)]
        return add(campaign, *parts)

    results = at_once([lambda n=n: one(n) for n in range(8)])  # type: ignore[misc]
    new = Counter(a.member_id for added in results for a in added if a.is_new)
    assert new == {member.id: 1 for member in people}
    kept = of(campaign)
    winners = {
        a.member_id: a.participation.state
        for added in results
        for a in added
        if a.is_new and a.participation
    }
    assert kept == winners
    seen = {(a.member_id, a.participation.state) for r in results for a in r if a.participation}
    assert seen == set(kept.items())


def test_list_of_a_campaign_walks_its_shards_in_both_directions(store: Store) -> None:
    campaign, other = make_running(), make_running()
    people = [make_member(store) for _ in range(7)]
    for member in people:
        take_part(campaign, member)
    take_part(other, people[0])
    seen = []
    after = None
    while True:
        page = repository.page_of_participations(campaign.id, first=3, after=after, reverse=False)
        seen += [part.member_id for part in page.items]
        if not page.more:
            break
        after = page.places[-1]
    back = repository.page_of_participations(campaign.id, first=100, after=None, reverse=True)
    assert sorted(seen) == sorted(member.id for member in people)
    assert [part.member_id for part in back.items] == seen[::-1]
    assert repository.count_participations(campaign.id) == 7


def test_page_reads_only_the_shards_that_it_touches(store: Store) -> None:
    campaign = make_running()
    for shard in (0, 0, 0, 3):
        take_part(campaign, member_of_shard(store, shard))
    with counted() as calls:
        page = repository.page_of_participations(campaign.id, first=2, after=None, reverse=False)
    assert (len(page.items), page.more, calls) == (2, True, {"Query": 1})
    with counted() as calls:
        page = repository.page_of_participations(campaign.id, first=4, after=None, reverse=False)
    assert (len(page.items), page.more, calls) == (4, False, {"Query": models.SHARDS})


def test_list_of_a_member_is_by_time_in_both_directions(store: Store) -> None:
    member, other = make_member(store), make_member(store)
    parts = {name: make_running(name) for name in ("甲", "乙", "丙")}
    for name, hours in {"甲": 2, "乙": 3, "丙": 1}.items():
        take_part(parts[name], member, at=NOW - hours * HOUR)
    take_part(parts["甲"], other)
    order = [parts[name].id for name in ("乙", "甲", "丙")]
    with counted() as calls:
        first = repository.page_of_member(member.id, first=2, after=None, reverse=False)
    assert ([p.campaign_id for p in first.items], first.more) == (order[:2], True)
    assert calls == {"Query": 1, "BatchGetItem": 1}
    rest = repository.page_of_member(member.id, first=2, after=first.places[-1], reverse=False)
    assert ([p.campaign_id for p in rest.items], rest.more) == (order[2:], False)
    back = repository.page_of_member(member.id, first=9, after=None, reverse=True)
    assert [p.campaign_id for p in back.items] == order[::-1]
