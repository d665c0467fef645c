"""What the benchmarks measure is what the product does, on a small scale."""

from scripts.bench import daily, policies, recompute, stored
from scripts.bench.year import History


def test_ways_from_an_answer_to_a_decision_find_the_same_changes(histories: list[History]) -> None:
    chosen = policies.shipped()
    batches = recompute.batches_of(histories[::40], chosen)
    first, *ways = recompute.ways(batches, chosen).values()
    answers, parsed = first
    assert sum(map(parsed, answers)) == len(histories[::40])
    assert [sum(map(way, answers)) for answers, way in ways] == [10, 10, 10]


def test_daily_run_looks_at_few_and_writes_whom_it_looks_at() -> None:
    both = {"without": policies.without_rfm(), "with": policies.shipped()}
    costs = daily.made_up(both, 500)
    rows = {name: cost.row(name)[1:4] + cost.row(name)[5:7] for name, cost in costs.items()}
    assert rows == {
        "without": ["15,500", "140", "0.90%", "130", "140"],
        "with": ["15,500", "415", "2.68%", "329", "415"],
    }


def test_stored_run_reads_who_is_due_and_the_second_run_nothing(database: str) -> None:
    table = stored.measured(lambda _: None, 60).splitlines()[2:]
    rows = [[cell.strip() for cell in line.split("|")[2:-1]] for line in table]
    scan, first, second, again = rows
    due = int(first[2])
    assert scan == ["0", "60", "60", "0", "0", "0"]
    assert 0 < due < 30
    assert first[:2] == [str(due), str(2 * due)]
    assert first[3:5] == [str(due), str(due)]
    assert int(second[2]) < due
    assert again == ["0"] * 6
