"""What time makes of campaigns, stored: once, and only what is due."""

from datetime import UTC, datetime, timedelta

import pytest

from graphql_api.campaigns import repository, tasks
from graphql_api.campaigns.models import Campaign
from tests.campaigns.factories import DAY, make_campaign, make_running, set_state
from tests.campaigns.storage import everything, stored
from tests.factories import CLOCK, NOW

pytestmark = pytest.mark.usefixtures("chain")

MIDNIGHT = datetime(2018, 1, 31, 16, 0, tzinfo=UTC)
"""1 February 2018, 00:00 in Shanghai."""
MOMENT = timedelta(milliseconds=1)


def states(*campaigns: Campaign) -> list[str]:
    return [stored(campaign.id).state for campaign in campaigns]


def test_campaign_starts_and_ends_at_midnight_of_the_zone_and_the_second_run_changes_nothing() -> (
    None
):
    campaign = make_running(starts_at=MIDNIGHT, ends_at=MIDNIGHT + DAY)
    found = []
    for at in (MIDNIGHT - MOMENT, MIDNIGHT, MIDNIGHT + DAY - MOMENT, MIDNIGHT + DAY):
        moved = tasks.move_due(at, clock=CLOCK)
        before = everything()
        assert tasks.move_due(at, clock=CLOCK) == 0
        assert everything() == before
        found.append((moved, *states(campaign)))
    assert found == [(0, "SCHEDULED"), (1, "RUNNING"), (0, "RUNNING"), (1, "ENDED")]
    assert repository.due(MIDNIGHT + 999 * DAY) == []


def test_only_what_is_due_is_moved() -> None:
    draft = make_campaign()
    archived = make_campaign()
    waiting = make_running(starts_at=NOW + 2 * DAY)
    starting = make_running(starts_at=NOW + DAY)
    running = make_running()
    paused = set_state(make_running(ends_at=NOW + DAY), "PAUSED")
    all_of_them = (draft, archived, waiting, starting, running, paused)
    assert tasks.move_due(NOW + DAY, clock=CLOCK) == 3
    assert states(*all_of_them) == ["DRAFT", "DRAFT", "SCHEDULED", "RUNNING", "RUNNING", "ENDED"]


def test_campaign_that_both_started_and_ended_since_the_last_run_ends() -> None:
    campaign = make_running(starts_at=NOW + DAY, ends_at=NOW + 2 * DAY)
    assert tasks.move_due(NOW + 3 * DAY, clock=CLOCK) == 1
    assert states(campaign) == ["ENDED"]


def test_campaign_taken_back_in_time_is_not_started() -> None:
    campaign = make_running(starts_at=NOW + DAY)
    set_state(campaign, "DRAFT")
    assert tasks.move_due(NOW + 3 * DAY, clock=CLOCK) == 0
    assert states(campaign) == ["DRAFT"]
