"""Import a real retail chain's year: stores, guides, members, orders and campaigns.

What is real and what is synthetic stands in complete_journey/__init__.py. The import is resumable:
a record in the database says how far it came, and whatever was half done is done again to the same
end.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Literal, TypeVar

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from graphql_api import tables
from graphql_api.campaigns import models as campaign_models
from graphql_api.campaigns import repository as campaigns
from graphql_api.campaigns import service as campaign_service
from graphql_api.campaigns.rules import CampaignKind, ParticipationState
from graphql_api.guides import repository as guides
from graphql_api.guides.models import Guide
from graphql_api.guides.rules import GuideStatus
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, batch_get, transact
from graphql_api.kit.time import DEFAULT_ZONE, Clock, start_of
from graphql_api.members import repository as members
from graphql_api.members import service as member_service
from graphql_api.members.rules import IdentityKind, Origin
from graphql_api.orders import service as orders
from graphql_api.stores import models as store_models
from graphql_api.stores import repository as stores
from graphql_api.stores import service as store_service
from graphql_api.stores.models import OrgUnit, Store, StoresItem
from graphql_api.stores.rules import StoreFormat, UnitKind
from graphql_api.viewer import SYSTEM
from scripts import complete_journey, local
from scripts.complete_journey import Basket, Campaign, Dataset, Household, Refund
from scripts.import_coupons import Coupons
from scripts.import_points import open_balance

SOURCE = "complete-journey"
PART = 250
WORKERS = 4
FIRST_BUSINESS_DAY = date(2018, 1, 1)
_HISTORY_BEGAN = datetime(2016, 12, 31, tzinfo=UTC)
_EVERY_SECONDS = 2.0

T = TypeVar("T")
Stage = Literal["organisation", "members", "refunds", "campaigns", "coupons", "points", "complete"]
Say = Callable[[str], None]

_COUNTED = {
    "members": "orders",
    "refunds": "refunds",
    "campaigns": "participations",
    "coupons": "redemptions",
    "points": "points",
}
_KINDS = {
    "Type A": (CampaignKind.SCENE, "个性化优惠"),
    "Type B": (CampaignKind.PROMOTION, "品类促销"),
    "Type C": (CampaignKind.FESTIVAL, "季节主题"),
}
"""What the data tells of a campaign is its type: A sends each household coupons of its own, B and C
send everybody the same, C for longer. Kinds and names are synthetic."""


class ImportRecord(StoresItem):
    """How far the import came: `done` households of a stage, of those beyond the first `base`."""

    stage = UnicodeAttribute()
    households = NumberAttribute()
    base = NumberAttribute(default=0)
    first_number = NumberAttribute()
    done = NumberAttribute(default=0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the database holds in the end."""

    households: int
    resumed: bool
    seconds: float


_RECORD_KEY = (f"import#{SOURCE}", store_models.SOLE)


def record() -> ImportRecord | None:
    """How far the import came; None before it began."""
    return batch_get(ImportRecord, [_RECORD_KEY], consistent=True)[0]


def is_complete(households: int | None) -> bool:
    """Whether at least so many households (None: all) are imported."""
    known = record()
    wanted = complete_journey.PUBLISHED.households if households is None else households
    return known is not None and known.stage == "complete" and int(known.households) >= wanted


def is_begun() -> bool:
    """Whether an import began that is not complete."""
    known = record()
    return known is not None and known.stage != "complete"


def member_id(household_id: int) -> str:
    """The member that a household becomes."""
    return ids.derived_id("mbr", SOURCE, str(household_id))


def store_id(number: int) -> str:
    """The store that a store of the data becomes."""
    return ids.derived_id("sto", SOURCE, str(number))


def guide_id(key: str) -> str:
    """The guide that a synthetic guide becomes."""
    return ids.derived_id("gde", SOURCE, key)


def campaign_id(number: int) -> str:
    """The campaign that a campaign of the data becomes."""
    return ids.derived_id("cmp", SOURCE, str(number))


def run(*, households: int | None, say: Say, clock: Clock | None = None) -> Outcome:
    """Import so many households (None: all) with stores, guides, orders, refunds and campaigns.

    Safe to repeat and to kill anywhere: it goes on from its record. The first run sets the chain's
    clock so that its business day is 1 January 2018.
    """
    began = time.monotonic()
    dataset = complete_journey.open_dataset()
    clock = clock or _set_up_chain()
    wanted = complete_journey.PUBLISHED.households if households is None else households
    known = record()
    resumed = known is not None
    if known is None or (known.stage == "complete" and int(known.households) < wanted):
        known = _begin(known, wanted)
    if known.stage == "organisation":
        _import_organisation(dataset, say)
        _advance(known, "members")
    _import_members(dataset, known, clock, say)
    _import_refunds(dataset, known, clock, say)
    _import_campaigns(dataset, known, clock, say)
    _import_coupons(dataset, known, clock, say)
    _import_points(dataset, known, clock, say)
    return Outcome(int(known.households), resumed, time.monotonic() - began)


def _set_up_chain() -> Clock:
    today = Clock(DEFAULT_ZONE).today()
    store_service.set_up_chain(
        "完整旅程连锁",
        zone=DEFAULT_ZONE,
        offset_days=(FIRST_BUSINESS_DAY - today).days,
        clock=Clock(DEFAULT_ZONE, wall=lambda: _HISTORY_BEGAN),
    )
    return store_service.clock()


def _begin(known: ImportRecord | None, wanted: int) -> ImportRecord:
    """Take the numbers of all members to come, and note the plan, in one transaction."""
    base = int(known.households) if known else 0

    def attempt(tx: Transaction) -> ImportRecord:
        newest = members.newest_number()
        planned = ImportRecord(
            *_RECORD_KEY,
            stage="members" if known else "organisation",
            households=wanted,
            base=base,
            first_number=newest + 1,
        )
        members.move_newest_number(tx, newest, newest + wanted - base)
        tx.put(planned)
        return planned

    return transact(attempt)


def _advance(known: ImportRecord, stage: Stage) -> None:
    known.stage, known.done = stage, 0
    known.save()


def _import_organisation(dataset: Dataset, say: Say) -> None:
    kinds = {"REGION": UnitKind.REGION, "AGENT": UnitKind.AGENT}
    units = [
        OrgUnit(
            _unit_id(region.key),
            kind=kinds[region.kind],
            name=region.name,
            parent_id=store_models.HEADQUARTERS_ID,
            created_at=_HISTORY_BEGAN,
        )
        for region in dataset.regions()
        if region.kind in kinds
    ]
    kept = [
        Store(
            store_id(record.store_id),
            number=number,
            code=record.code,
            name=record.name,
            parent_id=_unit_id(record.region_key),
            format=StoreFormat(record.format),
            city=record.city,
            address=record.address,
            latitude=record.latitude,
            longitude=record.longitude,
            hours_document=[list(opening) for opening in record.hours],
            pickup=True,
            opened_on=record.opened_on,
            created_at=_HISTORY_BEGAN,
        )
        for number, record in enumerate(dataset.stores(), start=1)
    ]
    staff = [
        Guide(
            guide_id(record.key),
            store_id=store_id(record.store_id),
            name=record.name,
            wecom_user_id=record.wecom_user_id,
            status=GuideStatus.ACTIVE,
            created_at=_HISTORY_BEGAN,
        )
        for record in dataset.guides()
    ]
    stores.put_all(units, kept)
    guides.put_all(staff)
    say(f"{len(units)} regions and agents, {len(kept)} stores, {len(staff)} guides")


def _unit_id(region_key: str) -> str:
    return ids.derived_id("org", SOURCE, region_key)


def _plan(dataset: Dataset, known: ImportRecord) -> list[Household]:
    """The households of this run in their order: those wanted, without those of an earlier run."""
    before = dataset.households(int(known.base)) if known.base else []
    there = {household.household_id for household in before}
    wanted = dataset.households(int(known.households))
    return [household for household in wanted if household.household_id not in there]


def _import_members(dataset: Dataset, known: ImportRecord, clock: Clock, say: Say) -> None:
    if known.stage != "members":
        return
    plan = _plan(dataset, known)
    todo = plan[int(known.done) :]
    numbers = {h.household_id: int(known.first_number) + n for n, h in enumerate(plan)}
    people = {household.household_id: household for household in todo}

    def one(given: tuple[int, list[Basket]]) -> int:
        household_id, baskets = given
        _enrol(people[household_id], numbers[household_id], clock)
        snapshots = [_snapshot(household_id, basket) for basket in baskets]
        orders.backfill(member_id(household_id), snapshots, clock=clock, job=SOURCE)
        return len(baskets)

    work = dataset.baskets_of(people)
    _go_through(known, "members", len(plan), _in_order(one, work), say)
    _advance(known, "refunds")


def _import_refunds(dataset: Dataset, known: ImportRecord, clock: Clock, say: Say) -> None:
    """The second step: a seeded 2 % of the baskets come back, one by one through the live door."""
    if known.stage != "refunds":
        return
    plan = [household.household_id for household in _plan(dataset, known)]
    todo = plan[int(known.done) :]

    def one(given: tuple[int, list[Basket]]) -> int:
        refunds = list(dataset.refunds_of(given[1]))
        for refund in refunds:
            orders.apply(_refund_snapshot(refund), clock=clock, origin=Origin.BACKFILL)
        return len(refunds)

    work = dataset.baskets_of(todo)
    _go_through(known, "refunds", len(plan), _in_order(one, work), say)
    _advance(known, "campaigns")


def _import_campaigns(dataset: Dataset, known: ImportRecord, clock: Clock, say: Say) -> None:
    """The campaigns as they stand on the first business day, then what was sent to each member."""
    if known.stage != "campaigns":
        return
    starts = {c.campaign_id: _record(c, clock) for c in dataset.campaigns()}
    sent: dict[int, list[int]] = {}
    for send in dataset.sends():
        sent.setdefault(send.household_id, []).append(send.campaign_id)
    plan = [household.household_id for household in _plan(dataset, known)]

    def one(household_id: int) -> int:
        numbers = sent.get(household_id, [])
        for number in numbers:
            _invite(number, household_id, starts[number])
        return len(numbers)

    todo = plan[int(known.done) :]
    _go_through(known, "campaigns", len(plan), _in_order(one, todo), say)
    _advance(known, "coupons")


def _import_coupons(dataset: Dataset, known: ImportRecord, clock: Clock, say: Say) -> None:
    """What each household redeemed: issued when its campaign began, used on the day of the data."""
    if known.stage != "coupons":
        return
    plan = _plan(dataset, known)
    coupons = _coupons(dataset, clock.zone)
    coupons.record_templates(household.household_id for household in plan)

    def one(household: Household) -> int:
        id_ = household.household_id
        return coupons.redeem_all(id_, member_id(id_), store_id(household.store_id))

    todo = plan[int(known.done) :]
    _go_through(known, "coupons", len(plan), _in_order(one, todo), say)
    _advance(known, "points")


def _import_points(dataset: Dataset, known: ImportRecord, clock: Clock, say: Say) -> None:
    """The points that each member begins with."""
    if known.stage != "points":
        return
    plan = _plan(dataset, known)

    def one(household: Household) -> int:
        id_ = household.household_id
        return open_balance(id_, member_id(id_), first_day=FIRST_BUSINESS_DAY, zone=clock.zone)

    todo = plan[int(known.done) :]
    _go_through(known, "points", len(plan), _in_order(one, todo), say)
    _advance(known, "complete")


def _coupons(dataset: Dataset, zone: str) -> Coupons:
    return Coupons(dataset, SOURCE, zone, FIRST_BUSINESS_DAY)


def _record(campaign: Campaign, clock: Clock) -> datetime:
    """Keep a campaign of the whole chain, from the first of its days through the last."""
    kind, theme = _KINDS[campaign.kind]
    starts_at = start_of(campaign.start, clock.zone)
    new = campaign_service.CampaignCreate(
        kind=kind,
        name=f"{theme}·{campaign.campaign_id}",
        starts_at=starts_at,
        ends_at=start_of(campaign.end + timedelta(days=1), clock.zone),
        external_id=f"{SOURCE}:{campaign.campaign_id}",
    )
    campaign_service.record(
        new,
        campaign_id=campaign_id(campaign.campaign_id),
        created_at=_HISTORY_BEGAN,
        as_of=start_of(FIRST_BUSINESS_DAY, clock.zone),
        clock=clock,
    )
    return starts_at


def _invite(number: int, household_id: int, at: datetime) -> None:
    """The data does not tell the day of a send: it is taken for that of the campaign's start."""
    invited = campaign_models.participation(
        campaign_id(number),
        member_id(household_id),
        state=ParticipationState.INVITED,
        at=at,
        channel=None,
        origin=Origin.BACKFILL,
    )
    campaigns.add_participation(invited)


def _in_order(one: Callable[[T], int], work: Iterable[T]) -> Iterator[int]:
    """The results of `one`, in order, with a few at work at a time."""
    iterator = iter(work)
    with ThreadPoolExecutor(WORKERS) as pool:
        running = [pool.submit(one, item) for item in islice(iterator, WORKERS * 2)]
        while running:
            yield running.pop(0).result()
            running += [pool.submit(one, item) for item in islice(iterator, 1)]


def _go_through(
    known: ImportRecord, stage: str, total: int, results: Iterator[int], say: Say
) -> None:
    """Count what is done, say it, and note it: everything before the note is in the database."""
    noted = time.monotonic()
    written = 0
    what = _COUNTED[stage]
    for count in results:
        written += count
        known.done = int(known.done) + 1
        if time.monotonic() - noted > _EVERY_SECONDS:
            known.save()
            noted = time.monotonic()
            say(f"{stage}: {known.done:,} of {total:,} households, {written:,} {what}")
    known.save()
    say(f"{stage}: {known.done:,} of {total:,} households, {written:,} {what}")


def _enrol(household: Household, number: int, clock: Clock) -> None:
    if members.get(member_id(household.household_id)) is not None:
        return
    identities = {
        IdentityKind.PHONE: household.phone,
        IdentityKind.OPENID: household.openid,
        IdentityKind.UNIONID: household.unionid,
        IdentityKind.POS_CARD: household.pos_card,
    }
    new = member_service.Enrol.model_validate(
        {
            "identities": [{"kind": kind, "value": value} for kind, value in identities.items()],
            "store_id": store_id(household.joining_store_id),
            "home_store_id": store_id(household.store_id),
            "guide_id": guide_id(household.guide_key),
            "source": household.source_channel,
            "joined_at": household.joined_at,
            "name": household.name,
            "nickname": household.nickname,
            "gender": household.gender,
            "birthday": household.birthday_month_day,
            "birth_year": household.birth_year,
            "city": household.city,
            "occupation": household.occupation,
            "income_band": household.income_band,
            "consents": [
                {"purpose": c.purpose, "channel": c.channel, "text_version": c.text_version}
                | {"at": c.granted_at}
                for c in household.consents
            ],
        }
    )
    member_service.enrol(
        new,
        viewer=SYSTEM,
        clock=clock,
        origin=Origin.BACKFILL,
        member_id=member_id(household.household_id),
        number=number,
    )


def _snapshot(household_id: int, basket: Basket) -> orders.Snapshot:
    return orders.Snapshot.model_validate(
        {
            "source": SOURCE,
            "external_id": str(basket.basket_id),
            "body": {
                "revision": 1,
                "paid_at": basket.paid_at,
                "store_id": store_id(basket.store_id),
                "member_id": member_id(household_id),
                "lines": [
                    {
                        "item_id": str(line.product_id),
                        "name": line.name,
                        "category": line.category,
                        "quantity": line.quantity,
                        "amount": line.amount,
                    }
                    for line in basket.lines
                ],
            },
        }
    )


def _refund_snapshot(refund: Refund) -> orders.Snapshot:
    return orders.Snapshot.model_validate(
        {
            "source": SOURCE,
            "external_id": str(refund.basket_id),
            "refunds": [
                {
                    "id": refund.refund_id,
                    "revision": 1,
                    "at": refund.at,
                    "amount": refund.amount,
                    "lines": [
                        {"item_id": str(product), "amount": amount}
                        for product, amount in refund.lines
                    ],
                }
            ],
        }
    )


@dataclass(frozen=True, slots=True)
class Held:
    """What the database holds, summed over all members."""

    members: int
    gross_fen: int
    refunded_fen: int
    campaigns: int
    participations: int
    redemptions: int
    points: int

    @property
    def is_published(self) -> bool:
        """Whether a whole import holds what the data holds, to the fen."""
        return (self.members, self.gross_fen, self.redemptions) == (
            complete_journey.PUBLISHED.households,
            complete_journey.PUBLISHED.gross_fen,
            complete_journey.REDEMPTIONS,
        )


def held() -> Held:
    """Sum the facts of all members, page by page; count campaigns and redemptions of the data."""
    numbers = range(1, complete_journey.CAMPAIGNS + 1)
    known = campaigns.get_many([campaign_id(number) for number in numbers])
    parts = sum(campaigns.count_participations(c.id) for c in known if c is not None)
    count = gross = refunded = points = 0
    after: str | None = None
    while True:
        page = members.page_of_all(first=100, after=after, reverse=False)
        count += len(page.items)
        gross += sum(int(member.paid) for member in page.items)
        refunded += sum(int(member.refunded) for member in page.items)
        points += sum(int(member.points) for member in page.items)
        if not page.more:
            there = sum(campaign is not None for campaign in known)
            used = _coupons(complete_journey.open_dataset(), DEFAULT_ZONE).count()
            return Held(count, gross, refunded, there, parts, used, points)
        after = page.last


def main() -> int:
    """Import into the local chain, or into the database that AWS_ENDPOINT_URL names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", choices=("part", "full"), nargs="?", default="part")
    parser.add_argument("--households", type=int, help=f"how many in a part ({PART})", default=PART)
    chosen = parser.parse_args()
    with local.database():
        total = _import(chosen.households if chosen.data == "part" else None)
    if chosen.data == "full" and not total.is_published:
        print("That is not what the data holds.", file=sys.stderr)
        return 1
    return 0


def _import(wanted: int | None) -> Held:
    tables.create_all()
    if is_complete(wanted):
        print("The import is complete already.")
    else:
        outcome = run(households=wanted, say=lambda text: print(f"  {text}", flush=True))
        verb = "Resumed and completed" if outcome.resumed else "Imported"
        print(f"{verb} {outcome.households:,} households in {outcome.seconds:.0f} s.")
    total = held()
    print(
        f"The database holds {total.members:,} members, {total.gross_fen:,} fen gross, "
        f"{total.refunded_fen:,} fen refunded, {total.campaigns} campaigns, "
        f"{total.participations:,} participations, {total.redemptions:,} coupon redemptions, "
        f"{total.points:,} points."
    )
    return total


if __name__ == "__main__":
    sys.exit(main())
