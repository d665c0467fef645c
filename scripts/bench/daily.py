"""What the daily run reads and writes, against a full scan: the imported year, and members made up.

Counted on the rules alone, as the run does it on storage: it asks the index who is due, reads these
members, decides, and writes those whose decision changed or whose next day is a later one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from graphql_api.standing.rules import Policies
from scripts import complete_journey
from scripts.bench import policies, population, report, year
from scripts.bench.lives import Counts, Life, evenings
from scripts.bench.population import FIRST_DAY, Person
from scripts.bench.purchases import Purchases

SIZES = (10_000, 100_000, 1_000_000)
DAYS = 31
Say = Callable[[str], None]


@dataclass(slots=True)
class Cost:
    """What a stretch of days costs; `scanned` is what reading every member every day would."""

    members: int = 0
    days: int = 0
    scanned: int = 0
    counts: Counts = field(default_factory=Counts)

    def row(self, name: str) -> list[str]:
        """The numbers as a row of the table."""
        counts = self.counts
        checks = counts.checks.total()
        busiest = max(counts.checks.values(), default=0)
        return [
            name,
            f"{self.scanned:,}",
            f"{checks:,}",
            f"{checks / self.scanned:.2%}",
            f"{busiest / self.members:.1%}",
            f"{counts.changes.total():,}",
            f"{counts.changes.total() + counts.pushed_on.total():,}",
            f"{counts.moved_index.total() / max(1, counts.arrivals.total()):.1%}",
        ]


HEAD = (
    "members and days",
    "a full scan reads",
    "checks",
    "of the scan",
    "busiest day, of members",
    "changes",
    "writes",
    "purchases that move the index",
)


def run(sizes: Sequence[int], say: Say) -> str:
    """The table; `sizes` are of members made up."""
    both = {"without RFM": policies.without_rfm(), "with RFM": policies.shipped()}
    rows = []
    say("the imported year")
    for name, cost in _imported(both).items():
        rows.append(cost.row(f"imported year, {cost.members:,} × {cost.days}, {name}"))
    for size in sizes:
        say(f"{size:,} members made up")
        for name, cost in made_up(both, size).items():
            rows.append(cost.row(f"made up, {size:,} × {DAYS}, {name}"))
    return report.table(HEAD, rows)


def _imported(both: Mapping[str, Policies]) -> dict[str, Cost]:
    last_day = date(2017, 12, 31)
    costs = {name: Cost(days=365) for name in both}
    for history in year.histories(complete_journey.open_dataset()):
        arrivals = [arrival for arrival in history.arrivals if arrival.on <= last_day]
        for name, chosen in both.items():
            life = Life(history.joined_on, chosen)
            life.begin(history.joined_on)
            cost = costs[name]
            cost.members += 1
            cost.scanned += max(0, (last_day - history.joined_on).days)
            _live(evenings(life, arrivals, [last_day], cost.counts))
    return costs


def made_up(both: Mapping[str, Policies], size: int) -> dict[str, Cost]:
    last_day = FIRST_DAY + timedelta(days=DAYS - 1)
    costs = {name: Cost(days=DAYS) for name in both}
    for person in population.people(size, DAYS):
        for name, chosen in both.items():
            cost = costs[name]
            cost.members += 1
            cost.scanned += DAYS
            _live(evenings(begun(person, chosen), person.arrivals, [last_day], cost.counts))
    return costs


def begun(person: Person, chosen: Policies) -> Life:
    """The member as decided on the evening before, the tier reached at some time before that."""
    life = Life(person.joined_on, chosen, Purchases(facts=person.facts))
    tier_ends = FIRST_DAY + timedelta(days=person.tier_ends_in)
    life.begin(FIRST_DAY - timedelta(days=1), tier_ends)
    return life


def _live(days: Iterator[object]) -> None:
    for _ in days:
        pass
