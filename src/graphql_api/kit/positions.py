"""Positions on the globe: how far apart, and the cells of a grid that a circle touches."""

from math import asin, cos, degrees, floor, radians, sin, sqrt
from typing import NamedTuple

CELL_DEGREES = 0.25
MAX_LATITUDE = 70.0
_RADIUS_METRES = 6_371_008.8
_COLUMNS = round(360 / CELL_DEGREES)
_SLACK_DEGREES = 1e-6


class Position(NamedTuple):
    """Degrees north and east."""

    latitude: float
    longitude: float


def metres_between(one: Position, other: Position) -> float:
    """The way along a great circle."""
    north = radians(other.latitude - one.latitude)
    east = radians(other.longitude - one.longitude)
    across = cos(radians(one.latitude)) * cos(radians(other.latitude)) * sin(east / 2) ** 2
    return 2 * _RADIUS_METRES * asin(min(1.0, sqrt(sin(north / 2) ** 2 + across)))


def cell_of(at: Position) -> str:
    """The key of the cell that holds a position; a cell is a quarter of a degree high and wide."""
    return _key(_row(at.latitude), _column(at.longitude))


def cells_within(centre: Position, metres: float) -> list[str]:
    """Every cell in which something can be at most so far away.

    For circles that end below 89 degrees; at 70 degrees, one of 20 km touches 18 cells at most.
    """
    turn = metres / _RADIUS_METRES
    high = degrees(turn) + _SLACK_DEGREES
    wide = degrees(asin(sin(turn) / cos(radians(centre.latitude)))) + _SLACK_DEGREES
    rows = range(_row(centre.latitude - high), _row(centre.latitude + high) + 1)
    columns = range(_column(centre.longitude - wide), _column(centre.longitude + wide) + 1)
    return [_key(row, column) for row in rows for column in columns]


def _row(latitude: float) -> int:
    return floor((latitude + 90) / CELL_DEGREES)


def _column(longitude: float) -> int:
    return floor((longitude + 180) / CELL_DEGREES)


def _key(row: int, column: int) -> str:
    return f"{row:03d}:{column % _COLUMNS:04d}"
