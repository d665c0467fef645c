"""What members' effects and days bring: gifts on joining, on rising, and for birthdays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from graphql_api.benefits import repository, rules, service
from graphql_api.benefits.rules import GiftState, Occasion
from graphql_api.benefits.service import Outcome
from graphql_api.kit.time import Clock
from graphql_api.members import repository as members
from graphql_api.members.models import BIRTHDAY_SHARDS
from graphql_api.members.rules import EffectKind, Origin
from graphql_api.observability import log_failure

PAGE = 100
SHARDS = BIRTHDAY_SHARDS


@dataclass(frozen=True, slots=True)
class Report:
    """What a day's birthdays brought: gifts given, gifts that failed, members left for later."""

    given: int = 0
    failed: int = 0
    left: int = 0

    def plus(self, other: "Report") -> "Report":
        """Both together."""
        return Report(self.given + other.given, self.failed + other.failed, self.left + other.left)


def follow(
    member_id: str, kind: EffectKind, level: str, origin: Origin, *, clock: Clock
) -> Outcome | None:
    """Give what an effect brings; again changes nothing. Of a back-fill nothing follows."""
    occasion = rules.occasion_of(kind, level, origin)
    return service.give(member_id, occasion, clock.today(), clock=clock) if occasion else None


def give_birthdays(as_of: date, *, clock: Clock) -> Report:
    """Give everybody whose birthday is near by a day what they have not; again changes nothing."""
    total = Report()
    for shard in SHARDS:
        total = total.plus(give_shard(shard, as_of, clock=clock))
    return total


def give_shard(shard: str, as_of: date, *, clock: Clock) -> Report:
    """The same for one of the 16 shards.

    Killed anywhere and called again it ends the same: who has the gift of the year is passed over.
    Who stays busy is left, and the others go on.
    """
    _, policy = repository.in_force()
    total = Report()
    for month_day, day in rules.near_birthdays(as_of, policy.birthday_days_before):
        after, more = None, True
        while more:
            page = members.born_on(month_day, shard, first=PAGE, after=after)
            found = [key.id for key in page.items]
            total = total.plus(_give_page(found, rules.birthday(day), as_of, clock))
            after, more = page.last, page.more
    return total


def _give_page(member_ids: Sequence[str], occasion: Occasion, as_of: date, clock: Clock) -> Report:
    known = repository.gifts_for(member_ids, occasion)
    total = Report()
    for member_id, gift in zip(member_ids, known, strict=True):
        if gift is None:
            total = total.plus(_give_one(member_id, occasion, as_of, clock))
    return total


def _give_one(member_id: str, occasion: Occasion, as_of: date, clock: Clock) -> Report:
    try:
        outcome = service.give(member_id, occasion, as_of, clock=clock)
    except Exception as problem:  # noqa: BLE001 - one member stops nobody else
        log_failure("birthday gift not given", problem, member=member_id)
        return Report(left=1)
    if outcome is None or not outcome.is_new:
        return Report()
    given = outcome.gift.state is GiftState.GIVEN
    return Report(given=int(given), failed=int(not given))
