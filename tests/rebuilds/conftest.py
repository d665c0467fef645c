"""A chain whose members bought differently much, in two pieces of a run."""

from datetime import date
from typing import Any

import pytest

from graphql_api.standing import repository as standings
from graphql_api.standing import tasks
from tests.factories import numbered, put_numbered
from tests.standing.storage import on

TODAY = "2018-01-10"
YUAN = {3: 50, 4: 250, 5: 700, 6: 2_000, 2100: 100, 2101: 650}
"""What each bought last January day, in whole yuan, by the number of the member."""


def bought(number: int) -> dict[str, Any]:
    """The facts of a member with one order."""
    yuan = YUAN[number]
    return {
        "month_document": {"2018-01": [1, yuan * 100, yuan]},
        "newest_month": "2018-01",
        "order_count": 1,
        "paid": yuan * 100,
        "growth": yuan,
        "first_purchase_on": date(2018, 1, 9),
        "last_purchase_on": date(2018, 1, 9),
    }


@pytest.fixture
def people(chain: str) -> list[str]:
    """Their ids, by number; each was decided on today."""
    put_numbered(YUAN, newest=max(YUAN), given=bought)
    standings.forget()
    found = [numbered(n) for n in YUAN]
    for id_ in found:
        tasks.follow(id_, clock=on(TODAY))
    return found
