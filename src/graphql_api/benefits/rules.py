"""Which gifts are due, and on which day a birthday is (domain: §3); what is given stands once."""

from calendar import isleap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from graphql_api.members.rules import EffectKind, Origin
from graphql_api.policies.rules import BenefitsPolicy, GiftTerms, TierBenefits

_LEAP_DAY, _DAY_BEFORE = "02-29", "02-28"


class GiftKind(StrEnum):
    """On which occasion a gift is given (入会礼, 升级礼, 生日礼)."""

    JOINING = "JOINING"
    UPGRADE = "UPGRADE"
    BIRTHDAY = "BIRTHDAY"


class GiftState(StrEnum):
    """What became of a gift: it was given, could not be, or is not to be given any more."""

    GIVEN = "GIVEN"
    FAILED = "FAILED"
    VOID = "VOID"


class GiftProblem(StrEnum):
    """Why a gift was not given."""

    OUT_OF_STOCK = "OUT_OF_STOCK"
    NOT_ISSUED = "NOT_ISSUED"
    NO_TEMPLATE = "NO_TEMPLATE"
    NOTHING_IN_FORCE = "NOTHING_IN_FORCE"
    GIVEN_ALREADY = "GIVEN_ALREADY"


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a gift is for; a member has one for each.

    `level` is the tier that was reached, or the year of the birthday; nothing of a joining.
    """

    kind: GiftKind
    level: str = "-"


JOINED = Occasion(GiftKind.JOINING)


def retried(others: Iterable[GiftState], terms: GiftTerms | None) -> GiftProblem | None:
    """Why a gift that failed is void by now: another id of the member had it, or it is nothing."""
    if GiftState.GIVEN in others:
        return GiftProblem.GIVEN_ALREADY
    return GiftProblem.NOTHING_IN_FORCE if terms is None else None


def occasion_of(kind: EffectKind, level: str, origin: Origin) -> Occasion | None:
    """The occasion that an effect is; None where it is none, and for all of a back-fill."""
    if origin is not Origin.LIVE:
        return None
    if kind is EffectKind.ENROLLED:
        return JOINED
    return Occasion(GiftKind.UPGRADE, level) if kind is EffectKind.TIER_UPGRADED else None


def terms_of(policy: BenefitsPolicy, occasion: Occasion, tier: str) -> GiftTerms | None:
    """What is given on an occasion to a member of a tier; None where that is nothing.

    An upgrade gives what its own tier says, however far the member has come by now.
    """
    match occasion.kind:
        case GiftKind.JOINING:
            return policy.of_tier(tier).joining_gift
        case GiftKind.UPGRADE:
            return policy.of_tier(occasion.level).upgrade_gift
        case GiftKind.BIRTHDAY:
            return policy.of_tier(tier).birthday_gift


def holding(benefits: TierBenefits, day: date) -> TierBenefits:
    """What a tier brings on a day: without the offers of partners that are over."""
    offers = tuple(offer for offer in benefits.partner_offers if offer.holds(day))
    return benefits.model_copy(update={"partner_offers": offers})


# --- birthdays -------------------------------------------------------------------------------


def birthday_in(year: int, month_day: str) -> date:
    """The day of a birthday in a year: who was born on a leap day has it on 28 February."""
    if month_day == _LEAP_DAY and not isleap(year):
        month_day = _DAY_BEFORE
    return date.fromisoformat(f"{year:04d}-{month_day}")


def born_on(day: date) -> tuple[str, ...]:
    """The birthdays, MM-DD, that are on a day."""
    month_day = day.isoformat()[5:]
    leaps = month_day == _DAY_BEFORE and not isleap(day.year)
    return (month_day, _LEAP_DAY) if leaps else (month_day,)


def near_birthdays(as_of: date, days_before: int) -> Iterator[tuple[str, date]]:
    """Every birthday, MM-DD, that is today or within so many days, with its day."""
    for ahead in range(days_before + 1):
        day = as_of + timedelta(days=ahead)
        yield from ((month_day, day) for month_day in born_on(day))


def near_birthday(month_day: str | None, as_of: date, days_before: int) -> date | None:
    """The day of a member's birthday where it is today or within so many days."""
    if month_day is None:
        return None
    day = next_birthday(month_day, as_of)
    return day if (day - as_of).days <= days_before else None


def next_birthday(month_day: str, as_of: date) -> date:
    """The first day of a birthday that is not over."""
    day = birthday_in(as_of.year, month_day)
    return day if day >= as_of else birthday_in(as_of.year + 1, month_day)


def birthday(day: date) -> Occasion:
    """The occasion of a birthday: one for each year in which it is."""
    return Occasion(GiftKind.BIRTHDAY, str(day.year))
