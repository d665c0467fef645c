"""Cold starts of the packaged functions, beside a plain handler of the same packages and an empty
one: CPU from the start of the process to the answer of a first event, without what the empty
handler takes."""

import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scripts import package
from scripts.bench import runtime
from scripts.bench.report import ratio, table

ROUNDS = 5
OURS = "graphql_api.handlers"
API = f"{OURS}.graphql.handler"
_HANDLERS = Path(__file__).with_name("handlers")
_BODY = json.dumps({"query": "{ __typename }"})
REQUEST: dict[str, Any] = {
    "version": "2.0",
    "routeKey": "POST /graphql",
    "rawPath": "/graphql",
    "rawQueryString": "",
    "headers": {"content-type": "application/json", "host": "bench"},
    "requestContext": {
        "http": {"method": "POST", "path": "/graphql", "sourceIp": "127.0.0.1"},
        "requestId": "bench",
        "stage": "$default",
    },
    "body": _BODY,
    "isBase64Encoded": False,
}
NO_RECORDS: dict[str, Any] = {"Records": []}


def run(say: Callable[[str], None]) -> str:
    """The table: each function once per round, in turn."""
    say("packaging for this machine")
    folder = package.BUILD / package.name_of(*package.here(), local=True)
    package.build(*package.here(), local=True)
    handlers = folder / "graphql_api" / "handlers"
    followers = sorted(
        f.stem for f in handlers.glob("*.py") if f.stem not in {"__init__", "graphql"}
    )
    lanes = {
        "empty": ("empty.handler", REQUEST),
        "plain": ("plain.handler", REQUEST),
        "graphql": (API, REQUEST),
        **{name: (f"{OURS}.{name}.handler", NO_RECORDS) for name in followers},
    }
    runtime.ensure_environment()
    seconds: dict[str, list[float]] = {name: [] for name in lanes}
    for round_ in range(ROUNDS + 1):
        for name, (handler, event) in lanes.items():
            started = runtime.start(handler, [folder, _HANDLERS], event)
            if round_:
                seconds[name].append(started.cpu)
        say(f"round {round_} of {ROUNDS}")
    return _table(seconds)


def _table(seconds: dict[str, list[float]]) -> str:
    """Each lane over the plain handler and over the API, medians of the rounds."""
    own = {
        name: [mine - empty for mine, empty in zip(rounds, seconds["empty"], strict=True)]
        for name, rounds in seconds.items()
        if name != "empty"
    }

    def over(one: str, other: str) -> str:
        pairs = zip(own[one], own[other], strict=True)
        return ratio(statistics.median(mine / theirs for mine, theirs in pairs))

    rows = [[name, over(name, "plain"), over(name, "graphql")] for name in own]
    floor = statistics.median(
        empty / whole for empty, whole in zip(seconds["empty"], seconds["graphql"], strict=True)
    )
    return (
        table(["function", "of plain", "of the API"], rows)
        + f"\n\nThe empty handler takes {ratio(floor)} of what the API takes as a whole."
    )
