"""Positions: distances, and the cells that a circle touches."""

from math import asin, atan2, cos, degrees, radians, sin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.kit.positions import MAX_LATITUDE, Position, cell_of, cells_within, metres_between

EARTH = 6_371_008.8
BUND = Position(31.2397, 121.4998)
HONGQIAO = Position(31.1979, 121.3363)

centres = st.builds(
    Position, st.floats(-MAX_LATITUDE, MAX_LATITUDE), st.floats(-180, 180, exclude_max=True)
)


def gone(centre: Position, metres: float, bearing: float) -> Position:
    """Where one is so far away in a direction."""
    turn, north = metres / EARTH, radians(centre.latitude)
    to = asin(sin(north) * cos(turn) + cos(north) * sin(turn) * cos(bearing))
    east = atan2(sin(bearing) * sin(turn) * cos(north), cos(turn) - sin(north) * sin(to))
    return Position(degrees(to), (centre.longitude + degrees(east) + 180) % 360 - 180)


def test_degree_along_a_meridian_is_a_360th_of_the_way_round() -> None:
    assert round(metres_between(Position(30, 120), Position(31, 120))) == 111_195
    assert metres_between(BUND, BUND) == 0
    assert metres_between(BUND, HONGQIAO) == metres_between(HONGQIAO, BUND)
    assert round(metres_between(BUND, HONGQIAO) / 100) == 162


def test_way_over_the_date_line_is_short() -> None:
    assert round(metres_between(Position(0, 179.9), Position(0, -179.9))) == 22_239


@given(centres, st.integers(1, 20_000), st.floats(0, 1), st.floats(0, 6.3))
def test_whatever_is_within_the_circle_lies_in_its_cells(
    centre: Position, metres: int, part: float, bearing: float
) -> None:
    there = gone(centre, metres * part, bearing)
    assert metres_between(centre, there) == pytest.approx(metres * part, abs=0.01)
    assert cell_of(there) in cells_within(centre, metres)


@given(centres)
def test_widest_circle_touches_eighteen_cells_at_most(centre: Position) -> None:
    cells = cells_within(centre, 20_000)
    assert len(cells) == len(set(cells)) <= 18


def test_small_circle_inside_a_cell_touches_no_other() -> None:
    centre = Position(31.125, 121.375)
    assert cells_within(centre, 1_000) == [cell_of(centre)]
    assert len(cells_within(Position(31.25, 121.5), 1_000)) == 4
