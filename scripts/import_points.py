"""Opening balances of points, as a chain has them that comes from another system.

The data knows no points. A member begins with a drawn part of what a point for each yuan of the
last twelve months would have come to.
"""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from graphql_api.kit.time import Clock, month_number, month_of
from graphql_api.members import repository as members
from graphql_api.members.models import Member
from graphql_api.points import service as points
from graphql_api.viewer import SYSTEM
from scripts.complete_journey.draws import draw

KEY = "opening"
_MONTHS = 12
_LEAST, _SPREAD = 20, 41  # percent of what was earned that is still there


def open_balance(household_id: int, member_id: str, *, first_day: date, zone: str) -> int:
    """Give a member the points that they begin with; again changes nothing. How many."""
    member = members.get(member_id)
    assert member is not None
    balance = _balance(household_id, member, first_day)
    if not balance:
        return 0
    noon = datetime.combine(first_day, time(12), ZoneInfo(zone))
    given = points.PointsImport(
        balances=[points.OpeningBalance(member_id=member_id, points=balance, key=KEY)]
    )
    [outcome] = points.import_balances(given, viewer=SYSTEM, clock=Clock(zone, wall=lambda: noon))
    if outcome.refusal is not None:
        raise outcome.refusal
    return balance


def _balance(household_id: int, member: Member, first_day: date) -> int:
    newest = month_number(month_of(first_day))
    earned = sum(
        bucket.growth
        for month, bucket in member.facts.months.items()
        if newest - month_number(month) <= _MONTHS
    )
    percent = _LEAST + draw(_SPREAD, "points", household_id)
    return max(0, earned) * percent // 100
