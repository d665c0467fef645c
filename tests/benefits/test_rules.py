"""Which gifts are due, and on which days birthdays are."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.benefits import rules
from graphql_api.benefits.rules import JOINED, GiftKind, Occasion
from graphql_api.members.rules import EffectKind, Origin
from graphql_api.policies import rules as policies
from graphql_api.policies.rules import BenefitsPolicy, GiftTerms, PolicyKind

SHIPPED = BenefitsPolicy()
DAYS = st.dates(date(1999, 1, 1), date(2101, 12, 31))
MONTH_DAYS = st.dates(date(2000, 1, 1), date(2000, 12, 31)).map(lambda day: day.isoformat()[5:])


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("kind", "level", "origin", "occasion"),
    [
        (EffectKind.ENROLLED, "-", Origin.LIVE, JOINED),
        (EffectKind.TIER_UPGRADED, "V3", Origin.LIVE, Occasion(GiftKind.UPGRADE, "V3")),
        (EffectKind.ENROLLED, "-", Origin.BACKFILL, None),
        (EffectKind.TIER_UPGRADED, "V3", Origin.BACKFILL, None),
        (EffectKind.TIER_DOWNGRADED, "2018-07-10#V1", Origin.LIVE, None),
        (EffectKind.FIRST_PURCHASE, "-", Origin.LIVE, None),
    ],
)
def test_joining_and_rising_are_occasions_where_they_happen_now(
    kind: EffectKind, level: str, origin: Origin, occasion: Occasion | None
) -> None:
    assert rules.occasion_of(kind, level, origin) == occasion


def test_upgrade_gives_what_its_own_tier_says_and_the_others_what_the_tier_of_now_says() -> None:
    rising = Occasion(GiftKind.UPGRADE, "V2")
    assert rules.terms_of(SHIPPED, rising, "V5") == GiftTerms(points=50)
    assert rules.terms_of(SHIPPED, rules.birthday(day("2018-02-28")), "V5") == GiftTerms(points=300)
    assert rules.terms_of(SHIPPED, JOINED, "V1") == GiftTerms(points=20)
    assert rules.terms_of(SHIPPED, JOINED, "Gold") is None
    assert rules.terms_of(SHIPPED, Occasion(GiftKind.UPGRADE, "V1"), "V1") is None


def test_shipped_benefits_grow_from_tier_to_tier() -> None:
    assert [tier.tier for tier in SHIPPED.tiers] == ["V1", "V2", "V3", "V4", "V5", "V6"]
    for lower, higher in pairwise(SHIPPED.tiers):
        assert lower.discount_percent <= higher.discount_percent
        assert lower.free_exchanges_per_year <= higher.free_exchanges_per_year
        assert lower.dedicated_service <= higher.dedicated_service
    assert [tier.free_shipping_over for tier in SHIPPED.tiers] == [
        None,
        9_900,
        9_900,
        5_900,
        3_900,
        0,
    ]


def test_tier_that_the_policy_does_not_name_has_nothing() -> None:
    assert SHIPPED.of_tier("Gold").document() == {
        "tier": "Gold",
        "joiningGift": None,
        "upgradeGift": None,
        "birthdayGift": None,
        "discountPercent": 0,
        "freeShippingOver": None,
        "freeExchangesPerYear": 0,
        "dedicatedService": False,
        "factoryTour": False,
        "partnerOffers": [],
    }


def test_partner_offers_are_shown_up_to_their_last_day() -> None:
    offers = [{"partner": "影院", "text": "票价九折", "validUntil": "2018-01-10"}]
    tiers = [{"tier": "V1", "partnerOffers": [*offers, {"partner": "书店", "text": "免运费"}]}]
    policy = policies.read(PolicyKind.BENEFITS, {"tiers": tiers})
    assert isinstance(policy, BenefitsPolicy)
    shown = [
        [o.partner for o in rules.holding(policy.of_tier("V1"), day(text)).partner_offers]
        for text in ("2018-01-10", "2018-01-11")
    ]
    assert shown == [["影院", "书店"], ["书店"]]


@pytest.mark.parametrize(
    ("year", "on"), [(2019, "2019-02-28"), (2020, "2020-02-29"), (2100, "2100-02-28")]
)
def test_leap_day_birthday_is_on_28_february_in_other_years(year: int, on: str) -> None:
    assert rules.birthday_in(year, "02-29") == day(on)


@pytest.mark.parametrize(
    ("on", "birthdays"),
    [
        ("2018-02-28", ("02-28", "02-29")),
        ("2020-02-28", ("02-28",)),
        ("2020-02-29", ("02-29",)),
        ("2018-12-31", ("12-31",)),
    ],
)
def test_day_has_the_birthdays_that_are_on_it(on: str, birthdays: tuple[str, ...]) -> None:
    assert rules.born_on(day(on)) == birthdays


def test_birthdays_of_a_window_that_runs_over_new_year() -> None:
    assert list(rules.near_birthdays(day("2017-12-30"), 3)) == [
        ("12-30", day("2017-12-30")),
        ("12-31", day("2017-12-31")),
        ("01-01", day("2018-01-01")),
        ("01-02", day("2018-01-02")),
    ]
    assert rules.birthday(day("2018-01-01")) == Occasion(GiftKind.BIRTHDAY, "2018")


def test_birthday_is_near_from_so_many_days_before_to_the_day_itself() -> None:
    def near(as_of: str) -> date | None:
        return rules.near_birthday("01-03", day(as_of), 7)

    assert [near(as_of) for as_of in ("2017-12-26", "2018-01-04")] == [None, None]
    assert {near(as_of) for as_of in ("2017-12-27", "2018-01-03")} == {day("2018-01-03")}
    assert rules.near_birthday(None, day("2018-01-03"), 7) is None


@given(DAYS, MONTH_DAYS, st.integers(0, 31))
def test_who_is_listed_for_a_day_is_who_has_a_birthday_near_it(
    as_of: date, month_day: str, days: int
) -> None:
    listed = [on for found, on in rules.near_birthdays(as_of, days) if found == month_day]
    near = rules.near_birthday(month_day, as_of, days)
    assert listed == ([] if near is None else [near])


@given(DAYS, MONTH_DAYS)
def test_every_birthday_comes_once_a_year(as_of: date, month_day: str) -> None:
    year = [as_of + timedelta(days=n) for n in range((date(as_of.year + 1, 1, 1) - as_of).days)]
    found = {rules.next_birthday(month_day, on) for on in year}
    assert len([on for on in found if on.year == as_of.year]) <= 1
    assert rules.next_birthday(month_day, date(as_of.year, 1, 1)).year == as_of.year
