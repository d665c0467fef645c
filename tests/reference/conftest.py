"""The imported year, read once."""

import pytest

from scripts.bench.year import History
from tests.reference import year


@pytest.fixture(scope="session")
def histories() -> list[History]:
    """Every household of the year, refunds included."""
    return list(year.histories())
