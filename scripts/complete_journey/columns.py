"""Columns of the parquet files, as numbers and rows."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from scripts.complete_journey.records import Visit


def instant(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def same(columns: list[str]) -> dict[str, str]:
    return {column: column for column in columns}


def zipped(table: Any) -> Iterator[tuple[Any, ...]]:
    return zip(*(column.to_pylist() for column in table.columns), strict=True)


def visits(heads: Any) -> list[Visit]:
    return list(map(Visit._make, zipped(heads)))


def seconds(column: Any) -> Any:
    """A column of times as seconds since 1970; any other column as it is."""
    if not pa.types.is_timestamp(column.type):
        return column
    return pc.cast(pc.cast(column, pa.timestamp("s")), pa.int64())


def int64s(values: Iterable[int]) -> Any:
    # pa.array, given a Python list, would import pandas where that is installed.
    numbers = array("q", values)
    return pa.Array.from_buffers(pa.int64(), len(numbers), [None, pa.py_buffer(numbers)])


def run_stops(column: Any) -> list[int]:
    """Where each run of equal values in a column ends."""
    stops: list[int] = pc.run_end_encode(column.combine_chunks()).run_ends.to_pylist()
    return stops


def spans_of(column: Any) -> dict[int, tuple[int, int]]:
    """Where each run of equal values stands: (start, stop)."""
    stops = run_stops(column)
    starts = [0, *stops[:-1]]
    values = column.take(int64s(starts)).to_pylist()
    return dict(zip(values, zip(starts, stops, strict=True), strict=True))
