"""What is read of the data, and what it is dressed with, as plain records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple

OrgKind = Literal["HQ", "REGION", "AGENT"]
StoreFormat = Literal["STREET", "MALL", "COMMUNITY", "TRANSPORT"]
Gender = Literal["FEMALE", "MALE"]
SourceChannel = Literal["STORE", "MINI_PROGRAM"]


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
class CouponOffer:
    """A coupon of a campaign: the categories of the products that it is good for.

    `amount` is what it takes off, in fen; the data does not tell it, so it is drawn.
    """

    campaign_id: int
    coupon_upc: int
    categories: tuple[str, ...]
    amount: int


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
