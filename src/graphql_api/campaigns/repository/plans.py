"""Access paths of campaigns, their calendar, adoptions and participations."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from graphql_api.campaigns import models, rules
from graphql_api.campaigns.models import (
    SHARDS,
    SOLE,
    Adoption,
    Campaign,
    CampaignsItem,
    Counter,
    ExternalClaim,
    MonthRow,
    StoreCampaign,
)
from graphql_api.campaigns.rules import Above, CampaignState, ControlMode, Scope
from graphql_api.errors import AppError
from graphql_api.kit.dynamo import Page, Transaction, batch_get, key_page
from graphql_api.kit.dynamo.blocks import (
    block_of,
    block_page,
    place_of,
)
from graphql_api.kit.time import business_day, month_of
from graphql_api.stores import repository as stores

_COUNTER_ID = "counter"
_STEP = 100
_STEPS = 5

StoreMoment = tuple[str, datetime, str]
"""A store, an instant, and the chain's zone."""


def get_many(campaign_ids: Sequence[str]) -> list[Campaign | None]:
    """Campaigns by id."""
    return batch_get(Campaign, [(id_, SOLE) for id_ in campaign_ids])


def get(campaign_id: str) -> Campaign | None:
    """One campaign as it is now (strongly consistent), to decide on."""
    return batch_get(Campaign, [(campaign_id, SOLE)], consistent=True)[0]


def id_by_external_id(external_id: str) -> str | None:
    """The campaign with an external id, read from its claim."""
    key = (models.external_claim_id(external_id), SOLE)
    claim = batch_get(ExternalClaim, [key], consistent=True)[0]
    return claim.campaign_id if claim else None


def page_of_all(*, first: int, after: str | None, reverse: bool) -> Page[Campaign]:
    """All campaigns that are not archived, by number."""
    keys = block_page(
        lambda block, **page: key_page(CampaignsItem.by_block, block, CampaignsItem.place, **page),
        _newest_number,
        first=first,
        after=after,
        reverse=reverse,
    )
    return keys.showing(get_many([key.id for key in keys.items]))


def page_of_reach(
    store_ids: tuple[str, ...],
    unit_ids: tuple[str, ...],
    *,
    first: int,
    after: str | None,
    reverse: bool,
) -> Page[Campaign]:
    """Published campaigns that are for some store of these, by number.

    A chain runs hundreds of campaigns in a year and most are for all stores, so this reads on in
    steps of a hundred until the page is full; after five it may be short although more follow.
    """
    reach = Scope(units=frozenset(unit_ids), stores=frozenset(store_ids))
    items: list[Campaign] = []
    places: list[str] = []
    for _ in range(_STEPS):
        page = page_of_all(first=_STEP, after=after, reverse=reverse)
        above = units_above(reach, [campaign.scope for campaign in page.items])
        for campaign, place in zip(page.items, page.places, strict=True):
            if rules.is_published(campaign) and rules.meets(reach, campaign.scope, above):
                items.append(campaign)
                places.append(place)
        if len(items) > first or not page.more:
            return Page(items[:first], places[:first], len(items) > first)
        after = page.last
    return Page(items, places, more=True, end=after)


def units_above(reach: Scope, scopes: Sequence[Scope]) -> Above:
    """What it takes to tell which of the scopes meet the reach; nothing is read needlessly."""
    wanted = sorted({id_ for scope in scopes for id_ in rules.looked_up(reach, scope)})
    return dict(zip(wanted, stores.lineages(wanted), strict=True)) if wanted else {}


def in_months(months: Sequence[str]) -> list[list[Campaign]]:
    """The campaigns that touch each of these months: a Query a month, one BatchGetItem for all."""
    listed = {m: [row.sort for row in MonthRow.query(models.month_id(m))] for m in set(months)}
    wanted = sorted({id_ for campaign_ids in listed.values() for id_ in campaign_ids})
    found = dict(zip(wanted, get_many(wanted), strict=True))
    return [[c for id_ in listed[month] if (c := found[id_]) is not None] for month in months]


def carried_out(keys: Sequence[StoreMoment]) -> list[list[StoreCampaign]]:
    """The campaigns that apply to each store at an instant: mandated in scope, or taken up.

    For all keys together one Query a month, and a BatchGetItem each of campaigns, of places in the
    tree level by level, and of adoptions.
    """
    here = _in_scope(keys, _running(keys))
    offered = [
        (campaign.id, store_id)
        for campaigns, (store_id, _, _) in zip(here, keys, strict=True)
        for campaign in campaigns
        if campaign.control_mode is ControlMode.OPT_IN
    ]
    adoptions = dict(zip(offered, get_adoptions(offered), strict=True))
    return [
        [one for c in campaigns if (one := _as_carried_out(c, key, adoptions)) is not None]
        for campaigns, key in zip(here, keys, strict=True)
    ]


def _running(keys: Sequence[StoreMoment]) -> list[list[Campaign]]:
    months = [month_of(business_day(at, zone)) for _, at, zone in keys]
    return [
        [c for c in found if rules.state_at(c.state, c.schedule, at) is CampaignState.RUNNING]
        for found, (_, at, _zone) in zip(in_months(months), keys, strict=True)
    ]


def _in_scope(
    keys: Sequence[StoreMoment], running: Sequence[Sequence[Campaign]]
) -> list[list[Campaign]]:
    reaches = [Scope(stores=frozenset({store_id})) for store_id, _, _ in keys]
    above: dict[str, Sequence[str]] = {}
    if any(campaign.unit_ids for campaigns in running for campaign in campaigns):
        store_ids = sorted({store_id for store_id, _, _ in keys})
        above = dict(zip(store_ids, stores.lineages(store_ids), strict=True))
    return [
        [c for c in campaigns if rules.meets(reach, c.scope, above)]
        for campaigns, reach in zip(running, reaches, strict=True)
    ]


def _as_carried_out(
    campaign: Campaign,
    key: StoreMoment,
    adoptions: Mapping[tuple[str, str], Adoption | None],
) -> StoreCampaign | None:
    """A running campaign in scope, as the store has it; None where the store does not."""
    store_id, at, _ = key
    if campaign.control_mode is ControlMode.MANDATED:
        return StoreCampaign(campaign, None, campaign.schedule)
    adoption = adoptions[campaign.id, store_id]
    if adoption is None or adoption.withdrawn_at is not None:
        return None
    schedule = adoption.schedule_in(campaign)
    if schedule is None or not schedule.holds(at):
        return None
    return StoreCampaign(campaign, adoption, schedule)


def due(as_of: datetime) -> list[str]:
    """Ids of the campaigns whose state time has changed by then: one Query a shard."""
    last = models.due_key_of(as_of, "~")
    return [
        row.id
        for shard in range(SHARDS)
        for row in CampaignsItem.by_due.query(
            models.due_shard_id(shard), CampaignsItem.due_key <= last
        )
    ]


def create(tx: Transaction, campaign: Campaign, *, zone: str, external_taken: AppError) -> None:
    """Add a new campaign with a number, a row for each month, and a claim on its external id."""
    counter = batch_get(Counter, [(_COUNTER_ID, SOLE)], consistent=True)[0]
    last = int(counter.last) if counter else 0
    unmoved = Counter.last == last if counter else Counter.last.does_not_exist()
    tx.update(Counter(_COUNTER_ID), [Counter.last.set(last + 1)], condition=unmoved)
    campaign.number = last + 1
    _index(campaign)
    tx.create(campaign)
    for month in campaign.schedule.months(zone):
        tx.put(MonthRow(models.month_id(month), campaign.id))
    if campaign.external_id is not None:
        claim = ExternalClaim(models.external_claim_id(campaign.external_id))
        claim.campaign_id = campaign.id
        tx.create(claim, lost=external_taken)


def save(tx: Transaction, campaign: Campaign, *, zone: str, months: Sequence[str]) -> None:
    """Write a campaign over the version that was read; `months` are those it touched then."""
    _index(campaign)
    tx.save(campaign)
    now = [] if campaign.archived_at else campaign.schedule.months(zone)
    for month in sorted(set(now) - set(months)):
        tx.put(MonthRow(models.month_id(month), campaign.id))
    for month in sorted(set(months) - set(now)):
        tx.delete(MonthRow(models.month_id(month), campaign.id))


def require_unmoved(tx: Transaction, campaign: Campaign) -> None:
    """Hold the transaction to a campaign that nobody wrote since it was read; stale otherwise."""
    tx.check(Campaign, (campaign.id, SOLE), Campaign.version == campaign.version)


def get_adoptions(keys: Sequence[tuple[str, str]]) -> list[Adoption | None]:
    """Adoptions by (campaign, store)."""
    return batch_get(Adoption, [(c, models.adoption_sort(s)) for c, s in keys])


def get_adoption(campaign_id: str, store_id: str) -> Adoption | None:
    """One adoption as it is now (strongly consistent), to decide on."""
    key = (campaign_id, models.adoption_sort(store_id))
    return batch_get(Adoption, [key], consistent=True)[0]


def page_of_adoptions(
    campaign_id: str, *, first: int, after: str | None, reverse: bool
) -> Page[Adoption]:
    """The stores that took a campaign up, withdrawn ones too, by store: one Query."""
    return key_page(
        Adoption,
        campaign_id,
        Adoption.sort,
        first=first,
        after=after,
        reverse=reverse,
        starts_with=models.adoption_sort(""),
    )


def page_of_adoptions_in(
    campaign_id: str,
    store_ids: tuple[str, ...],
    *,
    first: int,
    after: str | None,
    reverse: bool,
) -> Page[Adoption]:
    """Those of some stores that took a campaign up, by store: a BatchGetItem for every hundred."""
    found = get_adoptions([(campaign_id, id_) for id_ in sorted(store_ids, reverse=reverse)])
    rows = [row for row in found if row is not None and _comes_after(row.sort, after, reverse)]
    return Page(rows[:first], [row.sort for row in rows[:first]], len(rows) > first)


def _comes_after(place: str, after: str | None, reverse: bool) -> bool:
    return after is None or (place < after if reverse else place > after)


def save_adoption(tx: Transaction, adoption: Adoption) -> None:
    """Write an adoption over the version that was read, or a new one."""
    if adoption.version is None:
        tx.create(adoption)
    else:
        tx.save(adoption)


def _index(campaign: Campaign) -> None:
    """Set the keys of the lists; an archived campaign has none."""
    listed = campaign.archived_at is None
    number = int(campaign.number)
    campaign.block = block_of(number) if listed else None
    campaign.place = place_of(number) if listed else None
    due_at = rules.next_at(campaign.state, campaign.schedule) if listed else None
    campaign.due_shard = models.due_shard_id(models.shard_of(campaign.id)) if due_at else None
    campaign.due_key = models.due_key_of(due_at, campaign.id) if due_at else None


def _newest_number() -> int:
    counter = batch_get(Counter, [(_COUNTER_ID, SOLE)])[0]
    return int(counter.last) if counter else 0
