"""The year's coupons go through everybody's doors: each redemption once, whatever happens to it."""

from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import pytest

from graphql_api.coupons import repository as coupons
from graphql_api.coupons import service as coupon_service
from graphql_api.coupons.models import Coupon
from graphql_api.coupons.rules import CouponState
from graphql_api.kit.dynamo import batch_write
from graphql_api.kit.time import DEFAULT_ZONE
from graphql_api.members.models import Member, MembersItem
from graphql_api.members.rules import Origin, SourceChannel
from scripts import import_data
from scripts.complete_journey import CouponRedemption, Dataset
from scripts.import_coupons import Coupons

HOUSEHOLDS = (807, 1437)


@pytest.fixture
def year(database: str, dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> Coupons:
    """The coupons of the year in a chain that has two of its households, and their stores."""
    used = used_by(dataset)
    shops = {dataset.shops.get((one.household_id, one.redeemed_on)) for one in used}
    stores = [s for n, s in enumerate(dataset.stores()) if n == 0 or s.store_id in shops]
    with monkeypatch.context() as patched:
        patched.setattr(dataset, "stores", lambda: stores)
        patched.setattr(dataset, "guides", list)
        import_data._import_organisation(dataset, lambda _: None)
    batch_write(
        MembersItem,
        [
            Member(
                import_data.member_id(household_id),
                number=household_id,
                source=SourceChannel.IMPORT,
                store_id="sto_1",
                joining_store_id="sto_1",
                joined_at=datetime(2017, 1, 1, tzinfo=UTC),
                created_at=datetime(2017, 1, 1, tzinfo=UTC),
                version=1,
            )
            for household_id in HOUSEHOLDS
        ],
    )
    found = Coupons(dataset, import_data.SOURCE, DEFAULT_ZONE, import_data.FIRST_BUSINESS_DAY)
    found.record_templates(HOUSEHOLDS)
    return found


def redeem_all(year: Coupons, dataset: Dataset) -> int:
    home = import_data.store_id(dataset.stores()[0].store_id)
    return sum(
        year.redeem_all(household_id, import_data.member_id(household_id), home)
        for household_id in HOUSEHOLDS
    )


def used_by(dataset: Dataset) -> list[CouponRedemption]:
    return [one for one in dataset.redemptions() if one.household_id in HOUSEHOLDS]


def stored(year: Coupons, dataset: Dataset) -> list[Coupon]:
    found = coupons.get_many([year.coupon_id(one) for one in used_by(dataset)])
    return [coupon for coupon in found if coupon is not None]


def test_redemption_is_a_coupon_of_its_campaign_used_on_its_day(
    year: Coupons, dataset: Dataset
) -> None:
    wanted = used_by(dataset)
    assert redeem_all(year, dataset) == len(wanted) == year.count() == 11
    campaigns = {one.campaign_id: one for one in dataset.campaigns()}
    shops = dataset.shops
    in_shops = 0
    for one, coupon in zip(wanted, stored(year, dataset), strict=True):
        campaign = campaigns[one.campaign_id]
        assert (coupon.state, coupon.origin) == (CouponState.REDEEMED, Origin.BACKFILL)
        assert coupon.member_id == import_data.member_id(one.household_id)
        assert (coupon.valid_from, coupon.valid_until) == (campaign.start, campaign.end)
        assert coupon.issued_at == noon(campaign.start)
        assert coupon.redeemed_at == noon(one.redeemed_on)
        if shop := shops.get((one.household_id, one.redeemed_on)):
            in_shops += 1
            assert coupon.redeemed_store_id == import_data.store_id(shop)
    assert 0 < in_shops < len(wanted)


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 4, tzinfo=UTC)


def test_templates_say_what_the_data_says_and_running_ones_may_be_claimed(
    year: Coupons, dataset: Dataset
) -> None:
    offers = {(one.campaign_id, one.coupon_upc): one for one in dataset.coupons()}
    keys = sorted({(one.campaign_id, one.coupon_upc) for one in used_by(dataset)})
    templates = coupons.get_templates([year.template_id(*key) for key in keys])
    for key, template in zip(keys, templates, strict=True):
        assert template is not None
        assert template.terms.amount == offers[key].amount
        assert tuple(template.terms.categories) == offers[key].categories
        # Of campaigns that run on 1 January 2018, those that send everybody the same.
        assert template.public is (key[0] in {15, 20, 21, 22, 23})
    assert year.record_templates(HOUSEHOLDS) == 0


def test_import_that_dies_between_issue_and_redemption_ends_with_each_once(
    year: Coupons, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    redeem, left = coupon_service.redeem, [4, 6]

    def dying(*args: Any, **kwargs: Any) -> Coupon:
        if left:
            left[0] -= 1
            if not left[0]:
                left.pop(0)
                raise KeyboardInterrupt
        return redeem(*args, **kwargs)

    monkeypatch.setattr(coupon_service, "redeem", dying)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            redeem_all(year, dataset)
    redeem_all(year, dataset)
    redeem_all(year, dataset)
    wanted = used_by(dataset)
    assert year.count() == len(wanted)
    held = Counter(
        coupon.coupon_id
        for household_id in HOUSEHOLDS
        for coupon in coupons.some_of_member(import_data.member_id(household_id), at_most=99)
    )
    assert held == {year.coupon_id(one): 1 for one in wanted}
    assert {coupon.version for coupon in stored(year, dataset)} == {2}
