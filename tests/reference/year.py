"""What the reference says of the imported year, as a digest for each household.

The whole year takes the reference a minute or two, so `year.csv` keeps what it said; whoever
compares with it works the reference out anew where a digest differs. `python -m
tests.reference.year` writes the file.
"""

import csv
import hashlib
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from scripts import complete_journey
from scripts.bench import year
from scripts.bench.year import History
from tests.reference import till

FILE = Path(__file__).with_suffix(".csv")
LAST_DAY = date(2018, 12, 31)
BASE = {"orders": 30, "value": 2_950}

Months = dict[date, dict[str, Any]]


def histories() -> Iterator[History]:
    """Every household of the year, refunds included."""
    return year.histories(complete_journey.open_dataset())


def months_of(history: History) -> Months:
    """What the reference says at every month end, a year beyond the data's."""
    return till.month_ends(as_told(history), LAST_DAY, BASE)


def as_told(history: History) -> dict[str, Any]:
    """A history in the plain words of the reference."""
    arrivals: list[dict[str, Any]] = []
    for arrival in history.arrivals:
        told: dict[str, Any] = {"on": arrival.on, "amount": arrival.amount}
        if arrival.is_refund:
            told["refund_of"] = arrival.basket_id
        else:
            told["order"] = arrival.basket_id
            told["day"] = arrival.bought_on or arrival.on
        arrivals.append(told)
    return {"joined_on": history.joined_on, "arrivals": arrivals}


def digest(months: Months) -> str:
    """Equal for equal months, and for no others."""
    told = {str(day): card for day, card in months.items()}
    text = json.dumps(told, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read() -> dict[int, str]:
    """The digests by household."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return {int(row["household"]): row["digest"] for row in csv.DictReader(file)}


def main() -> None:
    """Write what the reference says now."""
    with FILE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["household", "digest"])
        for history in histories():
            writer.writerow([history.household_id, digest(months_of(history))])


if __name__ == "__main__":
    main()
