"""Members made up for measuring, and how lanes are compared and results written down."""

import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from graphql_api.checkout.rules import quote
from scripts.bench import __main__ as bench
from scripts.bench import population, quotes, report
from scripts.bench.measure import Lane


def test_fewer_made_up_members_are_the_first_of_more_and_buy_before_and_after() -> None:
    few, more = (list(population.people(count, days=31)) for count in (50, 400))
    assert more[:50] == few
    for person in more:
        last_on = person.facts.last_on
        assert person.joined_on <= (last_on or person.joined_on) < population.FIRST_DAY
        days = [arrival.on for arrival in person.arrivals]
        assert days == sorted(days)
        assert all(date(2018, 1, 1) <= day <= date(2018, 1, 31) for day in days)
    assert 0 < sum(person.facts.last_on is None for person in more) < 200
    assert 100 < sum(len(person.arrivals) for person in more) < 600


def test_lanes_of_quotes_take_the_coupons_that_they_say() -> None:
    what, by, ten = quotes.basket(), quotes.terms(), quotes.coupons()
    apart = tuple(quotes.apart(choice) for choice in ten)
    taken = [quote(what, replace(by, choices=given)).coupon_ids for given in ((), apart, ten)]
    assert [len(ids) for ids in taken] == [0, 1, 10]


def test_lane_is_compared_by_record_and_round() -> None:
    slow = Lane("slow", lambda: 0, seconds=[2.0, 4.0, 9.0], records=10)
    fast = Lane("fast", lambda: 0, seconds=[1.0, 1.0, 3.0], records=20)
    assert fast.times(slow) == 6
    assert slow.times(slow) == 1
    assert (fast.rate, slow.rate) == (20, 5)


@pytest.mark.parametrize(
    ("value", "text"),
    [(1_234, "1,230"), (123.4, "120"), (45.6, "46"), (4.56, "4.6"), (1.234, "1.23"), (0.5, "0.50")],
)
def test_ratios_have_the_figures_that_one_run_is_good_for(value: float, text: str) -> None:
    assert report.ratio(value) == text


def test_results_replace_what_stands_between_their_marks(tmp_path: Path) -> None:
    document = tmp_path / "benchmarks.md"
    document.write_text("# Kept\n<!-- bench: a -->\nold\n<!-- end: a -->\nkept too\n", "utf-8")
    report.write("a", report.table(["what", "×"], [["one", "2"]]), document)
    rows = "| what | × |\n| --- | --: |\n| one | 2 |"
    expected = f"# Kept\n<!-- bench: a -->\n{rows}\n<!-- end: a -->\nkept too\n"
    assert document.read_text("utf-8") == expected
    with pytest.raises(KeyError, match="b"):
        report.write("b", "new", document)


def test_part_that_cannot_be_measured_says_why_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "argv", ["bench", "stored", "--print"])
    assert bench.main() == 1
    said = capsys.readouterr().out
    assert "NOT measured: DynamoDB Local needs" in said
    assert "|" not in said


def test_unknown_part_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["bench", "everything"])
    with pytest.raises(SystemExit):
        bench.main()
