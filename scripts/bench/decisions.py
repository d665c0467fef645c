"""Decisions a second and core, on the records that the equality tests of the year go through."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from graphql_api.standing.rules import Facts, Policies, Standing, decide
from scripts import complete_journey
from scripts.bench import measure, policies, report, year
from scripts.bench.lives import Counts, Life, evenings, standing_facts
from scripts.bench.measure import Lane

EVENINGS = (date(2017, 6, 30), date(2017, 9, 14), date(2017, 10, 31), date(2017, 12, 31))


@dataclass(slots=True)
class Record:
    """A member as a decision takes it, on the morning after one of the evenings."""

    facts: Facts
    held: Standing
    as_of: date


def records(chosen: Policies) -> list[Record]:
    """Every household of the year on each of the mornings."""
    return list(_records(chosen))


def _records(chosen: Policies) -> Iterator[Record]:
    for history in year.histories(complete_journey.open_dataset()):
        life = Life(history.joined_on, chosen)
        life.begin(history.joined_on)
        asked = [evening for evening in EVENINGS if evening >= history.joined_on]
        for evening, standing in evenings(life, history.arrivals, asked, Counts()):
            facts = standing_facts(life.purchases.facts, history.joined_on)
            yield Record(facts, standing, evening + timedelta(days=1))


def lanes() -> list[Lane]:
    """The same work with more and less of it; the first lane is the floor."""
    full, bare = policies.shipped(), policies.without_rfm()
    of_full, of_bare = records(full), records(bare)
    return [
        Lane("the loop and a call that does nothing", _floor(of_full)),
        Lane("shipped policies", _deciding(of_full, full)),
        Lane("shipped policies, with the next day", _foreseeing(of_full, full)),
        Lane("without RFM", _deciding(of_bare, bare)),
        Lane("without RFM, with the next day", _foreseeing(of_bare, bare)),
    ]


def run(say: Callable[[str], None]) -> str:
    """The table; rates, which are those of this machine, are only said."""
    say("records of the year")
    measured = lanes()
    measure.interleave(measured)
    for lane in measured:
        say(f"{lane.name}: {lane.rate:,.0f} a second and core")
    floor = measured[0]
    rows = [[lane.name, report.ratio(1 / lane.times(floor))] for lane in measured]
    return report.table(["a decision, and whether it changes anything", "times the floor"], rows)


def _nothing(facts: Facts, _held: Standing, _as_of: date) -> Facts:
    return facts


def _floor(given: list[Record]) -> Callable[[], int]:
    def work() -> int:
        for record in given:
            _nothing(record.facts, record.held, record.as_of)
        return len(given)

    return work


def _deciding(given: list[Record], chosen: Policies) -> Callable[[], int]:
    def work() -> int:
        changed = 0
        for record in given:
            changed += decide(record.facts, record.held, chosen, record.as_of).changed
        assert changed < len(given)
        return len(given)

    return work


def _foreseeing(given: list[Record], chosen: Policies) -> Callable[[], int]:
    def work() -> int:
        known = 0
        for record in given:
            decision = decide(record.facts, record.held, chosen, record.as_of)
            known += decision.next_on is not None
            known += decision.changed
        assert known
        return len(given)

    return work
