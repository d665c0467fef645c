"""The data set, read once for all tests of a worker."""

import pytest

from scripts import complete_journey
from scripts.complete_journey import Dataset


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    """The real year."""
    return complete_journey.open_dataset()
