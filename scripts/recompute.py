"""`make recompute` and `make replay`: what time brings, on the local data, with progress.

`--as-of DAY` does the work of one day, as the schedule does in the cloud: tags and ownerships that
ran out, campaigns, and everyone whose standing is due. Again it writes nothing. `--from DAY --to
DAY` goes through the days one by one. A day later than the local chain's moves its clock there, so
that the API shows the chain as it is by then; an earlier one is done without moving it back.
`--recount` compares the counts of forecasts with all members; they agree once the stream of the
members has been followed to its end.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from graphql_api.forecasts import tasks as forecasts
from graphql_api.handlers import recompute_worker
from graphql_api.kit.time import Clock
from graphql_api.observability import logger
from graphql_api.standing import repository as standing
from graphql_api.stores import repository as stores_repository
from graphql_api.stores import service as stores
from scripts import local


def say(text: str) -> None:
    """One line of progress."""
    print(text, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """0 when every member could be decided on, or every count is right; else 1."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--as-of", type=date.fromisoformat, metavar="DAY", help="one day")
    parser.add_argument("--from", dest="first", type=date.fromisoformat, metavar="DAY")
    parser.add_argument("--to", dest="last", type=date.fromisoformat, metavar="DAY")
    parser.add_argument("--recount", action="store_true", help="are the forecasts right?")
    chosen = parser.parse_args(arguments)
    if chosen.recount:
        with local.database():
            return recount()
    first, last = chosen.as_of or chosen.first, chosen.as_of or chosen.last
    if first is None or last is None or first > last:
        parser.error("name a day with --as-of, or two with --from and --to")
    with local.database():
        failed = sum(run_day(day) for day in _days(first, last))
    return int(failed > 0)


def run_day(day: date) -> int:
    """Do the work of a day and say what it came to; how many members failed."""
    clock = _clock_on(day)
    before = _counted(day)
    for piece in recompute_worker.pieces(day):
        left = recompute_worker.do(piece, clock)
        while left is not None:
            left = recompute_worker.do(left, clock)
    members, changed, failed = (now - was for now, was in zip(_counted(day), before, strict=True))
    say(f"{day}: {members} due, {changed} changed, {failed} failed")
    return failed


def recount() -> int:
    """Say which counts of forecasts are not what all members say; 0 when none is."""
    wrong = forecasts.recount()
    for place, (counted, told) in wrong.items():
        say(f"{place}: {counted} counted, {told} members")
    say(f"{len(wrong)} counts of forecasts are wrong")
    return int(bool(wrong))


def _clock_on(day: date) -> Clock:
    """The chain's clock on that day; the chain's own goes there when it is later."""
    clock = stores.clock()
    ahead = (day - clock.today()).days
    moved = replace(clock, offset_days=clock.offset_days + ahead)
    chain = stores_repository.chain()
    if ahead > 0 and chain is not None:
        chain.clock_offset_days = moved.offset_days
        stores_repository.save_chain(chain)
    return moved


def _counted(day: date) -> tuple[int, int, int]:
    shards = standing.run_of(day)
    members, changed, failed = (
        sum(int(getattr(shard, name)) for shard in shards)
        for name in ("members", "changed", "failed")
    )
    return members, changed, failed


def _days(first: date, last: date) -> Iterator[date]:
    for n in range((last - first).days + 1):
        yield first + timedelta(days=n)


if __name__ == "__main__":
    logger.setLevel("WARNING")  # a line a day is enough
    sys.exit(main())
