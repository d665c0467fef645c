"""Stores take campaigns up: who may, when, and what applies to a store now."""

from datetime import timedelta
from typing import Any

import pytest

from graphql_api.campaigns import repository, service
from graphql_api.campaigns.models import Campaign
from graphql_api.campaigns.service import AdoptionUpdate, AdoptionWithdraw
from graphql_api.errors import (
    AppError,
    Conflict,
    ForbiddenTransition,
    Invalid,
    NotFound,
    Taken,
)
from graphql_api.kit import ids
from graphql_api.kit.time import Clock
from graphql_api.stores import service as stores
from graphql_api.stores.models import OrgUnit, Store
from graphql_api.viewer import SYSTEM, Viewer
from tests.calls import counted
from tests.campaigns.factories import (
    DAY,
    adopt,
    make_campaign,
    make_offer,
    make_running,
    manager_of,
    set_state,
)
from tests.campaigns.storage import everything
from tests.factories import CLOCK, NOW, make_store, make_unit
from tests.threads import at_once

MOMENT = timedelta(milliseconds=1)


def at(instant: Any) -> Clock:
    return Clock(wall=lambda: instant)


def update(campaign: Campaign, store: Store, *, viewer: Viewer | None = None, **more: Any) -> Any:
    given = AdoptionUpdate(campaign_id=campaign.id, store_id=store.id, **more)
    return service.update_adoption(given, viewer=viewer or manager_of(store), clock=CLOCK)


def withdraw(campaign: Campaign, store: Store, *, viewer: Viewer | None = None) -> Any:
    given = AdoptionWithdraw(campaign_id=campaign.id, store_id=store.id)
    return service.withdraw(given, viewer=viewer or manager_of(store), clock=CLOCK)


def refusal_of(do: Any) -> AppError:
    with pytest.raises(AppError) as refusal:
        do()
    return refusal.value


def here(store: Store, clock: Clock = CLOCK) -> list[str]:
    """The names of the campaigns that a store carries out."""
    [found] = repository.carried_out([(store.id, clock.now(), clock.zone)])
    return [one.name for one in found]


# --- take up ---------------------------------------------------------------------------------


def test_store_takes_a_campaign_up_with_what_it_adapts(store: Store) -> None:
    offer = make_offer()
    adopt(offer, store, name=" 本店会员日 ", starts_at=NOW, ends_at=NOW + DAY, note="二楼")
    kept = repository.get_adoption(offer.id, store.id)
    assert kept is not None
    assert (kept.campaign_id, kept.store_id, kept.version) == (offer.id, store.id, 1)
    assert (kept.name, kept.note) == ("本店会员日", "二楼")
    assert (kept.starts_at, kept.ends_at) == (NOW, NOW + DAY)
    assert (kept.taken_up_by, kept.taken_up_at) == ("stm_1", NOW)
    assert (kept.withdrawn_by, kept.withdrawn_at) == (None, None)


def test_same_adoption_again_changes_nothing_and_another_is_refused(store: Store) -> None:
    offer = make_offer()
    adopt(offer, store, note="二楼")
    before = everything()
    assert adopt(offer, store, note="二楼").version == 1
    refusal = refusal_of(lambda: adopt(offer, store, note="三楼"))
    assert (type(refusal), refusal.field) == (Taken, ("input", "campaign_id"))
    assert everything() == before


def test_campaign_is_taken_up_before_it_starts_and_while_it_is_paused(store: Store) -> None:
    ahead = make_offer("双十一", starts_at=NOW + DAY)
    paused = set_state(make_offer("会员日"), "PAUSED")
    assert adopt(ahead, store).version == adopt(paused, store).version == 1
    assert here(store) == []


def test_what_is_not_offered_to_a_store_is_not_taken_up(
    store: Store, elsewhere: Store, region: OrgUnit
) -> None:
    offers = {
        "draft": make_campaign(control_mode="OPT_IN"),
        "another store's": make_offer(store_ids=[elsewhere.id]),
        "another region's": make_offer(unit_ids=[make_unit("华北").id]),
        "mandated": make_running(),
        "ended": set_state(make_offer(), "ENDED"),
        "over": make_offer(ends_at=NOW + MOMENT),
    }
    before = everything()
    found = {
        name: type(refusal_of(lambda c=c: adopt(c, store, clock=at(NOW + MOMENT))))
        for name, c in offers.items()
    }
    assert found == {
        "draft": NotFound,
        "another store's": NotFound,
        "another region's": NotFound,
        "mandated": ForbiddenTransition,
        "ended": ForbiddenTransition,
        "over": ForbiddenTransition,
    }
    assert everything() == before


def test_store_acts_for_itself_alone(store: Store, elsewhere: Store) -> None:
    offer = make_offer()
    adopt(offer, store)
    before = everything()
    other = manager_of(elsewhere)
    for do in (
        lambda: adopt(offer, store, viewer=other),
        lambda: update(offer, store, viewer=other, note="x"),
        lambda: withdraw(offer, store, viewer=other),
    ):
        refusal = refusal_of(do)
        assert (type(refusal), refusal.field) == (NotFound, ("input", "store_id"))
    assert everything() == before


def test_archived_or_unknown_store_takes_nothing_up(store: Store) -> None:
    offer = make_offer()
    stores.archive_store(store.id, viewer=SYSTEM, clock=CLOCK)
    before = everything()
    assert isinstance(refusal_of(lambda: adopt(offer, store)), ForbiddenTransition)
    store.id = ids.derived_id("sto", "unknown")
    assert isinstance(refusal_of(lambda: adopt(offer, store)), NotFound)
    assert everything() == before


@pytest.mark.parametrize(
    ("name", "starts", "ends"),
    [
        ("starts_at", -DAY - MOMENT, None),
        ("ends_at", None, 9 * DAY + MOMENT),
        ("ends_at", 2 * DAY, 2 * DAY),
        ("ends_at", None, -DAY),
    ],
)
def test_store_carries_a_campaign_out_within_its_time(
    store: Store, name: str, starts: timedelta | None, ends: timedelta | None
) -> None:
    """The campaign runs from yesterday for ten days."""
    offer = make_offer()
    before = everything()
    times = {"starts_at": starts, "ends_at": ends}
    given: dict[str, Any] = {key: NOW + by for key, by in times.items() if by is not None}
    refusal = refusal_of(lambda: adopt(offer, store, **given))
    assert (type(refusal), refusal.field) == (Invalid, ("input", name))
    assert everything() == before


def test_store_that_takes_a_campaign_up_eight_times_at_once_does_so_once(store: Store) -> None:
    offer = make_offer()
    found = at_once([lambda: adopt(offer, store, note="二楼")] * 8)
    assert {adoption.version for adoption in found} == {1}


def test_campaign_that_becomes_a_draft_again_meanwhile_is_not_taken_up(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer = make_offer(starts_at=NOW + DAY)
    get_adoption, left = repository.get_adoption, [offer]

    def meanwhile(*key: str) -> Any:
        if left:
            set_state(left.pop(), "DRAFT")
        return get_adoption(*key)

    monkeypatch.setattr(repository, "get_adoption", meanwhile)
    assert isinstance(refusal_of(lambda: adopt(offer, store)), NotFound)
    assert get_adoption(offer.id, store.id) is None


# --- adapt and withdraw ----------------------------------------------------------------------


def test_adoption_keeps_what_a_change_does_not_name_and_null_clears(store: Store) -> None:
    offer = make_offer()
    adopt(offer, store, name="本店会员日", note="二楼", ends_at=NOW + DAY)
    changed = update(offer, store, note=None, ends_at=NOW + 2 * DAY, expected_version=1)
    assert (changed.name, changed.note, changed.ends_at) == ("本店会员日", None, NOW + 2 * DAY)
    assert changed.version == 2
    assert update(offer, store, name="本店会员日", note=None).version == 2
    before = everything()
    refusal = refusal_of(lambda: update(offer, store, note="x", expected_version=1))
    assert (type(refusal), refusal.field) == (Conflict, ("input", "expected_version"))
    assert isinstance(refusal_of(lambda: update(offer, store, ends_at=NOW + 10 * DAY)), Invalid)
    assert everything() == before


def test_withdrawn_store_may_come_back(store: Store) -> None:
    offer = make_offer()
    adopt(offer, store, note="二楼")
    gone = withdraw(offer, store)
    assert (gone.withdrawn_by, gone.withdrawn_at, gone.version) == ("stm_1", NOW, 2)
    assert here(store) == []
    before = everything()
    withdraw(offer, store)
    assert isinstance(refusal_of(lambda: update(offer, store, note="x")), ForbiddenTransition)
    assert everything() == before
    back = adopt(offer, store, name="又来了")
    assert (back.withdrawn_at, back.name, back.note, back.version) == (None, "又来了", None, 3)
    assert here(store) == ["又来了"]


def test_what_was_not_taken_up_is_neither_changed_nor_left(store: Store) -> None:
    offer = make_offer()
    before = everything()
    assert isinstance(refusal_of(lambda: update(offer, store, note="x")), NotFound)
    assert isinstance(refusal_of(lambda: withdraw(offer, store)), NotFound)
    assert everything() == before


# --- what applies to a store now -------------------------------------------------------------


def test_store_carries_out_what_is_mandated_in_its_scope_and_what_it_took_up(
    store: Store, elsewhere: Store, region: OrgUnit
) -> None:
    make_running("全店")
    make_running("本区", unit_ids=[region.id])
    make_running("本店", store_ids=[store.id])
    make_running("外店", store_ids=[elsewhere.id])
    make_running("未开始", starts_at=NOW + DAY)
    set_state(make_running("暂停"), "PAUSED")
    make_campaign("草稿")
    make_offer("没接")
    adopt(make_offer("接了", unit_ids=[region.id]), store)
    assert sorted(here(store)) == sorted(["全店", "本区", "本店", "接了"])
    assert sorted(here(elsewhere)) == sorted(["全店", "外店"])


def test_campaign_applies_at_the_local_time_under_the_local_name(store: Store) -> None:
    offer = make_offer()
    adopt(offer, store, name="本店会员日", starts_at=NOW, ends_at=NOW + DAY)
    times = (NOW - MOMENT, NOW, NOW + DAY - MOMENT, NOW + DAY)
    assert [here(store, at(instant)) for instant in times] == [
        [],
        ["本店会员日"],
        ["本店会员日"],
        [],
    ]


def test_local_time_that_the_new_schedule_leaves_behind_applies_no_more(store: Store) -> None:
    offer = make_offer(starts_at=NOW + DAY, ends_at=NOW + 3 * DAY)
    adopt(offer, store, ends_at=NOW + 2 * DAY)
    set_state(offer, "DRAFT")
    change = service.CampaignUpdate(id=offer.id, starts_at=NOW + 2 * DAY)
    service.update(change, viewer=SYSTEM, clock=CLOCK)
    set_state(offer, "SCHEDULED")
    assert here(store, at(NOW + 2 * DAY)) == []


def test_campaigns_of_many_stores_take_one_query_and_a_batch_each(region: OrgUnit) -> None:
    """Campaigns; places of the stores, of the region, of headquarters; adoptions."""
    shops = [make_store(f"S{n}", under=region.id) for n in range(5)]
    for n in range(3):
        make_running(f"活动 {n}", unit_ids=[region.id])
    offer = make_offer("会员日")
    adopt(offer, shops[0])
    with counted() as calls:
        found = repository.carried_out([(shop.id, NOW, CLOCK.zone) for shop in shops])
    assert [len(one) for one in found] == [4, 3, 3, 3, 3]
    assert calls == {"Query": 1, "BatchGetItem": 5}
