"""The coupons of the imported year, through the doors that everybody's coupons go through.

A coupon of a campaign becomes a template that holds on the days of the campaign. Whoever redeemed
one was given it on the campaign's first day. The data names the day of a redemption and no basket:
it is taken for noon, in the store that the household went to that day, else in their own.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from graphql_api.coupons import repository as coupons
from graphql_api.coupons import service as coupon_service
from graphql_api.coupons.rules import CouponKind, CouponSource, CouponState, Terms, ValidityKind
from graphql_api.kit import ids
from graphql_api.kit.dynamo import Transaction, transact
from graphql_api.kit.time import Clock, start_of
from graphql_api.members import repository as members
from graphql_api.members.rules import Origin
from graphql_api.viewer import SYSTEM
from scripts.complete_journey import Campaign, CouponOffer, CouponRedemption, Dataset

_NOON = time(12)
_PERSONAL = "Type A"  # such a campaign sends each household coupons of its own


class Coupons:
    """The coupons of the data in one chain; `source` makes the ids."""

    def __init__(self, dataset: Dataset, source: str, zone: str, first_day: date) -> None:
        self._source = source
        self._zone = zone
        self._first_day = first_day
        self._campaigns = {one.campaign_id: one for one in dataset.campaigns()}
        self._offers = {(one.campaign_id, one.coupon_upc): one for one in dataset.coupons()}
        self._shops = dataset.shops
        self._used: dict[int, list[CouponRedemption]] = {}
        for redemption in dataset.redemptions():
            self._used.setdefault(redemption.household_id, []).append(redemption)

    def record_templates(self, household_ids: Iterable[int]) -> int:
        """Have the templates of what these households redeemed; how many are new."""
        used = {
            (one.campaign_id, one.coupon_upc)
            for household_id in household_ids
            for one in self._used.get(household_id, ())
        }
        wanted = sorted(used)
        known = coupons.get_templates([self.template_id(*key) for key in wanted])
        new = [key for key, template in zip(wanted, known, strict=True) if template is None]
        for key in new:
            self._record(self._offers[key])
        return len(new)

    def redeem_all(self, household_id: int, member_id: str, home: str) -> int:
        """Issue and redeem whatever a household redeemed; again changes nothing. How many."""
        used = self._used.get(household_id, [])
        for redemption in used:
            self._redeem(redemption, member_id, home)
        return len(used)

    def count(self) -> int:
        """How many redemptions of the data stand in the chain."""
        wanted = [self.coupon_id(one) for used in self._used.values() for one in used]
        found = coupons.get_many(wanted)
        return sum(1 for one in found if one and one.state is CouponState.REDEEMED)

    def template_id(self, campaign_id: int, coupon_upc: int) -> str:
        """The template that a coupon of a campaign becomes."""
        return ids.derived_id("ctp", self._source, str(campaign_id), str(coupon_upc))

    def coupon_id(self, redemption: CouponRedemption) -> str:
        """The coupon that was redeemed: see `issue_in` for the ids of what has a key."""
        template_id = self.template_id(redemption.campaign_id, redemption.coupon_upc)
        return ids.derived_id("cpn", template_id, _key_of(redemption))

    def _is_running(self, campaign_id: int) -> bool:
        campaign = self._campaigns[campaign_id]
        return campaign.start <= self._first_day <= campaign.end

    def _record(self, offer: CouponOffer) -> None:
        campaign = self._campaigns[offer.campaign_id]
        terms = Terms.model_validate(
            {
                "kind": CouponKind.AMOUNT,
                "amount": offer.amount,
                "categories": offer.categories,
                "validity": {
                    "kind": ValidityKind.FIXED,
                    "starts_on": campaign.start,
                    "ends_on": campaign.end,
                },
                "stackable": True,
                "returned_by_refund": True,
            }
        )
        new = coupon_service.TemplateCreate(
            name=_name_of(offer),
            terms=terms,
            public=campaign.kind != _PERSONAL and self._is_running(campaign.campaign_id),
            per_member=1,
            opens_at=start_of(campaign.start, self._zone),
            closes_at=start_of(campaign.end + timedelta(days=1), self._zone),
        )
        coupon_service.record_template(
            new,
            template_id=self.template_id(offer.campaign_id, offer.coupon_upc),
            at=start_of(campaign.start, self._zone),
        )

    def _redeem(self, redemption: CouponRedemption, member_id: str, home: str) -> None:
        campaign = self._campaigns[redemption.campaign_id]
        template_id = self.template_id(redemption.campaign_id, redemption.coupon_upc)
        key = _key_of(redemption)

        def issue(tx: Transaction) -> str:
            [template] = coupons.get_templates([template_id])
            member = members.get(member_id)
            assert template is not None
            assert member is not None
            coupon = coupon_service.issue_in(
                tx,
                member,
                template,
                source=CouponSource.IMPORT,
                origin=Origin.BACKFILL,
                clock=self._on(campaign.start),
                key=key,
                source_ref=campaign_name(campaign),
            )
            return coupon.coupon_id

        day = redemption.redeemed_on
        shop = self._shops.get((redemption.household_id, day))
        coupon_service.redeem(
            coupon_service.Redeem(
                coupon=coupon_service.Shown(id=transact(issue)),
                store_id=home if shop is None else ids.derived_id("sto", self._source, str(shop)),
                reference=key,
            ),
            viewer=SYSTEM,
            clock=self._on(day),
            origin=Origin.BACKFILL,
        )

    def _on(self, day: date) -> Clock:
        """Noon of a day of the year, always."""
        noon = datetime.combine(day, _NOON, ZoneInfo(self._zone))
        return Clock(self._zone, wall=lambda: noon)


def campaign_name(campaign: Campaign) -> str:
    """What a coupon says of where it came from."""
    return f"campaign {campaign.campaign_id}"


def _key_of(redemption: CouponRedemption) -> str:
    return f"{redemption.household_id}#{redemption.redeemed_on.isoformat()}"


def _name_of(offer: CouponOffer) -> str:
    first: Sequence[str] = offer.categories
    what = first[0] if len(first) == 1 else f"{first[0]} 等"
    return f"{offer.campaign_id}·{what[:40]} 立减券"
