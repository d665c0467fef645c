"""What follows from writes to members: the counts of forecasts, and whether they are right."""

from collections import Counter
from collections.abc import Sequence

from graphql_api.forecasts import repository
from graphql_api.kit.dynamo.tallies import Told, count_once
from graphql_api.members import repository as members

COUNTED_AT_ONCE = 16  # each moves four counts at most, and has a mark
_PAGE = 100


def count(records: Sequence[Told]) -> int:
    """Add stream records to the counts, each once however often it comes; how many were new."""
    return count_once(
        records,
        at_once=COUNTED_AT_ONCE,
        unmarked=repository.unmarked,
        count=repository.count,
    )


def recount() -> dict[str, tuple[int, int]]:
    """Places whose count is not what all members say: what was counted, and what they say.

    Reads every member; right only where the stream has been counted to its end.
    """
    counted, told = repository.counts_now(), _told_by_all()
    places = sorted({*counted, *told})
    return {p: (counted[p], told[p]) for p in places if counted[p] != told[p]}


def _told_by_all() -> Counter[str]:
    told: Counter[str] = Counter()
    after: str | None = None
    while True:
        page = members.page_of_all(first=_PAGE, after=after, reverse=False)
        for member in page.items:
            told.update(member.foreseen or ())
        if not page.more:
            return told
        after = page.last
