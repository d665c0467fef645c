"""What ministack does too dearly for a chain's data, done cheaper with the same answers.

It keeps each record of a stream for 24 hours, and each transaction with a token for ten minutes, as
live objects: a member whose JSON has 5 kB takes 60 there, twice in a record. It parses a condition
for each item that it looks at, checks a number three times for each write, and computes the
capacity of a batch when nobody asked. Written against ministack 1.5.33, which the lock pins.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any

dynamodb: Any = importlib.import_module("ministack.services.dynamodb")

Packed = tuple[int, str, bytes]

# No reader is given more at once (GetRecords).
PAGE_BYTES = 1 << 20


class Records(list[Any]):
    """A stream's records, compressed. A slice gives them whole, up to a page; one by one they only
    show their time and number, which is all that ministack asks before it takes a slice."""

    def append(self, record: dict[str, Any]) -> None:
        change = record["dynamodb"]
        text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
        packed = zlib.compress(text.encode(), 1)
        super().append((change["ApproximateCreationDateTime"], change["SequenceNumber"], packed))

    def __getitem__(self, index: Any) -> Any:
        if not isinstance(index, slice):
            return _glance(super().__getitem__(index))
        page, size = [], 0
        for _, _, packed in super().__getitem__(index):
            record = zlib.decompress(packed)
            page.append(json.loads(record))
            size += len(record)
            if size > PAGE_BYTES:
                break
        return page

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return map(_glance, super().__iter__())

    def packed(self) -> list[Packed]:
        """The records as they are held."""
        return list(super().__iter__())

    def put_back(self, packed: Iterable[Packed]) -> None:
        """Take records as `packed` gave them."""
        super().extend(packed)


def _glance(packed: Packed) -> dict[str, Any]:
    created, number, _ = packed
    return {"dynamodb": {"ApproximateCreationDateTime": created, "SequenceNumber": number}}


class Fingerprint:
    """Equals the request that it was made of, and is smaller."""

    __hash__ = None  # type: ignore[assignment]  # it is compared, never looked up

    def __init__(self, request: Any) -> None:
        self._digest = _digest(request)

    def __eq__(self, other: object) -> bool:
        return _digest(other) == self._digest


def _digest(request: Any) -> bytes:
    return hashlib.blake2b(json.dumps(request, sort_keys=True).encode(), digest_size=16).digest()


def install() -> None:
    """Change ministack before it serves its first request."""
    _pack_streams()
    _pack_tokens()
    _remember("_number_error", "_ddb_canonicalize_number", "_number_size_bytes")
    dynamodb._condition_syntax_error = lru_cache(4096)(dynamodb._condition_syntax_error)
    tokens = lru_cache(4096)(dynamodb._tokenize)
    dynamodb._tokenize = lambda expression: list(tokens(expression))
    _count_capacity_on_request()
    _take_numbers_of_parameters()
    if path := os.environ.get("DECISIONS"):
        _write_down_decisions(Path(path))


def _take_numbers_of_parameters() -> None:
    """A parameter of a template is text; CloudFormation makes a number of it where one belongs."""
    functions: Any = importlib.import_module("ministack.services.lambda_svc")
    limit = functions._sqs_esm_concurrency

    @wraps(limit)
    def limit_as_a_number(esm: dict[str, Any], *args: Any) -> Any:
        scaling = esm.get("ScalingConfig") or {}
        if "MaximumConcurrency" in scaling:
            scaling["MaximumConcurrency"] = int(scaling["MaximumConcurrency"])
        return limit(esm, *args)

    functions._sqs_esm_concurrency = limit_as_a_number


def _write_down_decisions(path: Path) -> None:
    """A line for each look at somebody's rights: who, what, to which resource, how it ended."""
    evaluator: Any = importlib.import_module("ministack.core.iam_evaluator")
    evaluate, file = evaluator.evaluate, path.open("a", buffering=1, encoding="utf-8")

    @wraps(evaluate)
    def evaluate_and_note(context: Any, *policies: Any) -> Any:
        # A batch takes the right of one: AWS knows no right to send, or delete, in batches.
        if context.action.startswith("sqs:"):
            context.action = context.action.removesuffix("Batch")
        result = evaluate(context, *policies)
        line = {
            "principal": context.principal_arn,
            "action": context.action,
            "resource": context.resource_arn,
            "decision": result.decision,
        }
        file.write(json.dumps(line) + "\n")
        return result

    evaluator.evaluate = evaluate_and_note


def _pack_streams() -> None:
    emit = dynamodb._emit_stream_event

    @wraps(emit)
    def emit_packed(table_name: str, *args: Any, **kwargs: Any) -> None:
        spec = (dynamodb._tables.get(table_name) or {}).get("StreamSpecification") or {}
        if spec.get("StreamEnabled") and table_name not in dynamodb._stream_records:
            dynamodb._stream_records[table_name] = Records()
        emit(table_name, *args, **kwargs)

    dynamodb._emit_stream_event = emit_packed


def _pack_tokens() -> None:
    store = dynamodb._txn_token_store

    @wraps(store)
    def store_packed(token: str, entry: dict[str, Any]) -> None:
        store(token, entry | {"signature": Fingerprint(entry["signature"])})

    dynamodb._txn_token_store = store_packed


def _remember(*names: str) -> None:
    """Let pure functions of a number's text remember their answers."""
    for name in names:
        setattr(dynamodb, name, _remembering(getattr(dynamodb, name)))


def _remembering(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    known = lru_cache(1 << 16)(function)
    # What is not text is refused by ministack in words of its own.
    return lambda text: known(text) if type(text) is str else function(text)


def _count_capacity_on_request() -> None:
    write, count = dynamodb._batch_write_item, dynamodb._accumulate_write_capacity

    @wraps(write)
    def batch_write_item(data: dict[str, Any]) -> Any:
        asked = data.get("ReturnConsumedCapacity", "NONE") != "NONE"
        dynamodb._accumulate_write_capacity = count if asked else _count_nothing
        return write(data)

    dynamodb._batch_write_item = batch_write_item


def _count_nothing(*_: Any) -> None:
    return None
