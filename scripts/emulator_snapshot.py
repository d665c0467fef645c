"""The emulator's state as one file: everything at one instant, or nothing.

One JSON document a line: a header, the state of each service in ministack's own form, then items
and stream records in blocks, and an end. ministack's own files are one per service and are written
one after the other; it leaves stream records out, so that a restart would lose what follows from
a write. Runs in the emulator's environment.
"""

from __future__ import annotations

import base64
import importlib
import json
import os
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from scripts.emulator_patches import Records

FORMAT = 1
FILE = "snapshot.jsonl"
ITEMS_IN_A_LINE = 500
RECORDS_IN_A_LINE = 2000

aws: Any = importlib.import_module("ministack.app")
dynamodb: Any = importlib.import_module("ministack.services.dynamodb")
persistence: Any = importlib.import_module("ministack.core.persistence")


class SnapshotError(RuntimeError):
    """The file is not a whole snapshot, or a service could not take it back."""


class Contents(NamedTuple):
    """What a snapshot holds."""

    tables: int
    items: int
    taken_at: str


def contents() -> Contents:
    """What a snapshot taken now would hold."""
    tables = dynamodb._tables.all_values()
    items = sum(table.get("ItemCount", 0) for table in tables)
    return Contents(len(tables), items, datetime.now(UTC).isoformat(timespec="seconds"))


def write(directory: Path) -> None:
    """Put a new snapshot in the place of the old one, once it is safely on the disk."""
    unfinished = directory / f"{FILE}.new"
    with unfinished.open("w", encoding="utf-8") as file:
        for line in _lines():
            file.write(line)
            file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(directory / FILE)
    folder = os.open(directory, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def restore(directory: Path) -> Contents | None:
    """Take the state back; None if there is none. It is all there, or SnapshotError."""
    path = directory / FILE
    if not path.exists():
        return None
    with path.open(encoding="utf-8") as file:
        header = json.loads(next(file, "null")) or {}
        if header.get("format") != FORMAT:
            raise SnapshotError(f"{path} is not a snapshot of format {FORMAT}")
        states = _read(file, path)
    for name, state in states.items():
        if not state:
            continue
        module = aws._get_module(aws._state_map[name])
        if isinstance(module, aws._ErrorModule):
            raise SnapshotError(f"{path} holds {name}, which could not be loaded")
        module.load_persisted_state(state)
    return Contents(header["tables"], header["items"], header["taken_at"])


def _lines() -> Iterator[str]:
    count = 0
    yield _dump({"format": FORMAT, **contents()._asdict()})
    for block in _blocks():
        count += 1
        yield _dump(block)
    yield _dump({"end": count})


def _blocks() -> Iterator[dict[str, Any]]:
    for name, state in aws._build_persistence_save_dict().items():
        value = _without_items(state) if name == "dynamodb" else state()
        if value is not None:
            yield {"service": name, "state": value}
    for key, table in dynamodb._tables.all_items():
        rows = (
            (pk, sk, item) for pk, group in table["items"].items() for sk, item in group.items()
        )
        while some := list(islice(rows, ITEMS_IN_A_LINE)):
            yield {"table": key, "items": some}
    for key, records in dynamodb._stream_records.all_items():
        packed = records.packed()
        trimmed = dynamodb._stream_trimmed.get_scoped(*key, 0)
        for start in range(0, len(packed) or 1, RECORDS_IN_A_LINE):
            block = [
                (created, number, base64.b64encode(record).decode())
                for created, number, record in packed[start : start + RECORDS_IN_A_LINE]
            ]
            yield {"stream": key, "trimmed": trimmed, "records": block}


def _without_items(get_state: Any) -> Any:
    """DynamoDB's state with empty tables: items are written apart, ministack would copy them."""
    full = dynamodb._tables
    empty = type(full)()
    for key, table in full.all_items():
        empty.set_scoped(*key, {**table, "items": {}})
    dynamodb._tables = empty
    try:
        return get_state()
    finally:
        dynamodb._tables = full


def _read(lines: Iterator[str], path: Path) -> dict[str, Any]:
    states: dict[str, Any] = {}
    count = 0
    for line in lines:
        block = _load(line)
        if "end" in block:
            if block["end"] != count:
                break
            return states
        count += 1
        if "service" in block:
            states[block["service"]] = block["state"]
        elif "table" in block:
            _fill(states["dynamodb"]["tables"]._data[tuple(block["table"])], block["items"])
        elif "stream" in block:
            _refill(tuple(block["stream"]), block["trimmed"], block["records"])
    raise SnapshotError(f"{path} breaks off after {count} lines")


def _fill(table: dict[str, Any], rows: list[list[Any]]) -> None:
    groups = table["items"] or defaultdict(dict)
    for pk, sk, item in rows:
        groups[pk][sk] = item
    table["items"] = groups


def _refill(key: tuple[str, str, str], trimmed: int, rows: list[tuple[int, str, str]]) -> None:
    records = dynamodb._stream_records.get_scoped(*key)
    if records is None:
        records = Records()
        dynamodb._stream_records.set_scoped(*key, records)
        dynamodb._stream_trimmed.set_scoped(*key, trimmed)
    records.put_back(
        (created, number, base64.b64decode(record)) for created, number, record in rows
    )


def _dump(value: Any) -> str:
    return json.dumps(
        value, default=persistence._json_default, ensure_ascii=False, separators=(",", ":")
    )


def _load(line: str) -> Any:
    # The hook is a Python call per map, four in five of the time; items hardly ever need it.
    marked = line.startswith('{"service"') or '"__bytes__"' in line
    return json.loads(line, object_hook=persistence._json_object_hook if marked else None)
