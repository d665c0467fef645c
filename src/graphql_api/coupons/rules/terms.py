"""What a coupon gives, where and when: terms, which never change once coupons are given out."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

MAX_DAYS = 3_650
MAX_NAMED = 100
_TIME = r"(?:[01]\d|2[0-3]):[0-5]\d|24:00"

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
Fen = Annotated[int, Field(ge=1, le=100_000_000)]
Time = Annotated[str, StringConstraints(pattern=f"^(?:{_TIME})$")]
Weekday = Annotated[int, Field(ge=1, le=7)]
Channel = Literal["STORE", "MALL"]


class CouponKind(StrEnum):
    """What a coupon gives: 代金券, 折扣券, 满减券, 礼品券, 兑换券, 包邮券."""

    AMOUNT = "AMOUNT"
    PERCENT = "PERCENT"
    THRESHOLD = "THRESHOLD"
    GIFT = "GIFT"
    EXCHANGE = "EXCHANGE"
    FREE_SHIPPING = "FREE_SHIPPING"


class ValidityKind(StrEnum):
    """Whether all coupons hold on the same days, or each for some days after it was issued."""

    FIXED = "FIXED"
    DELAYED = "DELAYED"


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Hours(_Document):
    """A stretch of a weekday (1 = Monday) in which a coupon may be used; 24:00 ends the day."""

    weekday: Weekday
    opens: Time = "00:00"
    closes: Time = "24:00"

    @model_validator(mode="after")
    def _has_a_length(self) -> Self:
        if self.closes <= self.opens:
            raise ValueError("it closes after it opens")
        return self


class Validity(_Document):
    """The days on which a coupon holds, the last one included, and the hours of a week."""

    kind: ValidityKind
    starts_on: date | None = None
    ends_on: date | None = None
    after_days: Annotated[int, Field(ge=0, le=MAX_DAYS)] = 0
    for_days: Annotated[int, Field(ge=1, le=MAX_DAYS)] | None = None
    hours: list[Hours] = Field(default_factory=list, max_length=50)

    @model_validator(mode="after")
    def _is_of_its_kind(self) -> Self:
        fixed = self.kind is ValidityKind.FIXED
        if fixed and (self.starts_on is None or self.ends_on is None):
            raise ValueError("a fixed validity has a first and a last day")
        if fixed and (self.for_days is not None or self.after_days):
            raise ValueError("a fixed validity counts no days")
        if not fixed and self.for_days is None:
            raise ValueError("a delayed validity says for how many days it lasts")
        if not fixed and (self.starts_on is not None or self.ends_on is not None):
            raise ValueError("a delayed validity has no day of its own")
        if self.starts_on and self.ends_on and self.ends_on < self.starts_on:
            raise ValueError("the last day is not before the first")
        return self


class Terms(_Document):
    """What a coupon gives, on what, where, to whom and when; amounts in fen.

    Empty lists do not restrict. `threshold` is what the lines in scope must come to, `at_most` the
    greatest discount. Of coupons of one `group` an order takes one; one that is not `stackable`
    goes with no other.
    """

    kind: CouponKind
    amount: Fen | None = None
    percent: Annotated[int, Field(ge=1, le=99)] | None = None
    threshold: Annotated[int, Field(ge=0, le=100_000_000)] = 0
    at_most: Fen | None = None
    item_id: Name | None = None
    item_name: Name | None = None
    unit_ids: list[Name] = Field(default_factory=list, max_length=MAX_NAMED)
    store_ids: list[Name] = Field(default_factory=list, max_length=MAX_NAMED)
    categories: list[Name] = Field(default_factory=list, max_length=MAX_NAMED)
    channels: list[Channel] = Field(default_factory=list, max_length=2)
    tiers: list[Name] = Field(default_factory=list, max_length=20)
    validity: Validity
    stackable: bool = False
    group: Name | None = None
    giftable: bool = False
    returned_by_refund: bool = True
    grace_days: Annotated[int, Field(ge=0, le=365)] = 0

    @model_validator(mode="after")
    def _is_of_its_kind(self) -> Self:
        needs = _NEEDS[self.kind]
        for name in ("amount", "percent", "item_id", "at_most"):
            given = getattr(self, name) is not None
            if given is not needs.get(name, given):
                raise ValueError(f"{self.kind} {'needs' if needs[name] else 'has no'} {name}")
        if self.kind is CouponKind.THRESHOLD and self.threshold < (self.amount or 0):
            raise ValueError("THRESHOLD takes no more off than its threshold")
        if self.item_name is not None and self.item_id is None:
            raise ValueError(f"{self.kind} has no item_name")
        return self

    @property
    def places(self) -> frozenset[str]:
        """The units and stores that it is for; none means the whole chain."""
        return frozenset((*self.unit_ids, *self.store_ids))

    def document(self) -> dict[str, Any]:
        """As it is stored: what is not said is left out."""
        return self.model_dump(mode="json", exclude_defaults=True)


_NEEDS: dict[CouponKind, dict[str, bool]] = {
    CouponKind.AMOUNT: {"amount": True, "percent": False, "item_id": False, "at_most": False},
    CouponKind.THRESHOLD: {"amount": True, "percent": False, "item_id": False, "at_most": False},
    CouponKind.PERCENT: {"amount": False, "percent": True, "item_id": False},
    CouponKind.GIFT: {"amount": False, "percent": False, "item_id": True, "at_most": False},
    CouponKind.EXCHANGE: {"amount": False, "percent": False, "item_id": True, "at_most": False},
    CouponKind.FREE_SHIPPING: {"amount": False, "percent": False, "item_id": False},
}
"""Which of these a kind has; what is not named here it may have or not."""


@dataclass(frozen=True, slots=True)
class Days:
    """The first and the last day on which one coupon holds."""

    first: date
    last: date


def days_of(validity: Validity, issued_on: date) -> Days | None:
    """The days of a coupon that is issued on a day; None where they are over already."""
    if validity.kind is ValidityKind.FIXED:
        assert validity.starts_on is not None
        assert validity.ends_on is not None
        days = Days(validity.starts_on, validity.ends_on)
    else:
        first = issued_on + timedelta(days=validity.after_days)
        days = Days(first, first + timedelta(days=(validity.for_days or 1) - 1))
    return days if days.last >= issued_on else None


def fits_weekday(validity: Validity, at: datetime, zone: str) -> bool:
    """Whether a coupon may be used on the weekday of an instant, at some hour."""
    weekday = at.astimezone(ZoneInfo(zone)).isoweekday()
    return not validity.hours or any(one.weekday == weekday for one in validity.hours)


def fits_hour(validity: Validity, at: datetime, zone: str) -> bool:
    """Whether a coupon may be used at an instant; the closing minute is out."""
    local = at.astimezone(ZoneInfo(zone))
    now = f"{local:%H:%M}"
    return not validity.hours or any(
        one.weekday == local.isoweekday() and one.opens <= now < one.closes
        for one in validity.hours
    )
