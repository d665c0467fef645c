"""Access paths of forecasts."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from graphql_api.forecasts import models
from graphql_api.forecasts.models import SHARDS, SOLE, ForecastCount, Mark
from graphql_api.kit.dynamo import Transaction, batch_get

Window = tuple[date, date]


def counts_in(windows: Sequence[Window]) -> list[Counter[str]]:
    """The counts at the places of each window of days, as far as the stream was counted.

    A Query for each of the eight parts.
    """
    return [_counts(window) for window in windows]


def counts_now() -> Counter[str]:
    """All counts that are not 0, as they are now (strongly consistent)."""
    counts = _counts(consistent=True)
    return Counter({place: members for place, members in counts.items() if members})


def _counts(window: Window | None = None, *, consistent: bool = False) -> Counter[str]:
    within = None
    if window is not None:
        first, last = window[0].isoformat(), (window[1] + timedelta(days=1)).isoformat()
        within = ForecastCount.sort.between(first, last)
    found: Counter[str] = Counter()
    for shard in SHARDS:
        key = models.shard_id(shard)
        for part in ForecastCount.query(key, within, consistent_read=consistent):
            found[part.sort] += int(part.members)
    return found


def unmarked(event_ids: Sequence[str]) -> list[str]:
    """Those stream records that were not counted (strongly consistent)."""
    keys = [(models.mark_id(id_), SOLE) for id_ in event_ids]
    marks = batch_get(Mark, keys, consistent=True)
    return [id_ for id_, mark in zip(event_ids, marks, strict=True) if mark is None]


def count(
    tx: Transaction, differences: Mapping[str, int], event_ids: Sequence[str], *, until: datetime
) -> None:
    """Add to counts, and mark the stream records that say so; stale when one was.

    Which part it goes to is a matter of chance, so that two streams seldom meet in one.
    """
    part = models.shard_id(random.choice(SHARDS))  # noqa: S311 - no secret
    for place, difference in differences.items():
        tx.update(ForecastCount(part, place), [ForecastCount.members.add(difference)])
    for id_ in event_ids:
        tx.create(Mark(models.mark_id(id_), forget_at=until))
