"""Every document of schema/operations, sent to the deployed API of a chain with all in it."""

import json
import re
import time
from collections.abc import Mapping
from typing import Any

from scripts.e2e.journey import PATIENCE, Failed, Journey, await_that
from tests.seeded import seed
from tests.test_operations import DOCUMENTS, empty_answers, filled, read_run

# Members first: what headquarters changes, they would find changed.
CLIENTS = ("mini_program", "integration", "console")
# What ends something comes last, so that the others find it.
_ENDS = re.compile(
    r"archive|erase|remove|revoke|disable|merge|cancel|discard|withdraw|release|logout|retire"
    r"|recycle|stop|void|end"
)


def every_document_is_sent(journey: Journey) -> str:
    """Each by the viewer that it names; one may find what another ended, none may fail."""
    seeded = seed()
    # What documents take away again would move no count, had it come by the same batch.
    await_that(lambda: _is_counted(journey, seeded["tag"]), "the members of a tag")
    became: dict[str, list[str]] = {"answered": [], "refused": [], "failed": []}
    for name in sorted(DOCUMENTS, key=_turn):
        text = DOCUMENTS[name].read_text(encoding="utf-8")
        became[_sent(journey, text, name, seeded)].append(name)
    if became["failed"] or len(became["answered"]) < 0.75 * len(DOCUMENTS):
        raise Failed(f"failed: {became['failed']}, refused: {became['refused']}")
    refused = became["refused"]
    return f"{len(became['answered'])} answered, {len(refused)} refused after others: {refused}"


def _is_counted(journey: Journey, tag_id: str) -> bool:
    document = "query ($id: ID!) { node(id: $id) { ... on Tag { memberCount } } }"
    return bool(journey.ask(document, journey.token, id=tag_id)["node"]["memberCount"])


def _turn(name: str) -> tuple[bool, int, str]:
    return bool(_ENDS.search(name)), CLIENTS.index(name.partition("/")[0]), name


def _sent(journey: Journey, text: str, name: str, seeded: Mapping[str, str]) -> str:
    run = read_run(text)
    body = {"query": text, "variables": json.loads(filled(run.variables, seeded))}
    token = run.token(seeded)
    headers = {"authorization": f"Bearer {token}"} if token else {}
    told = _answer(journey, body, headers)
    if price := _price_now(told):
        # Streams gave the member a tier since, with another price: a client asks again with it.
        body["variables"]["input"]["payable"] = price
        body["variables"]["key"] += "-again"
        told = _answer(journey, body, headers)
    codes = {str(one.get("extensions", {}).get("code")) for one in told.get("errors", [])}
    if codes & {"INTERNAL_SERVER_ERROR", "None"}:
        print(f"    {name}: {json.dumps(told, ensure_ascii=False)[:500]}", flush=True)
        return "failed"
    if codes:
        return "refused"
    return "refused" if empty_answers(told["data"]) else "answered"


def _answer(journey: Journey, body: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
    """What the API says, at the latest when the client's bucket is full again."""
    while True:
        answer = journey.http.post(f"{journey.served.url}/graphql", json=body, headers=headers)
        wait = float(answer.headers.get("retry-after", 0))
        if answer.status_code != 429 or wait > PATIENCE:
            told: dict[str, Any] = answer.json()
            return told
        time.sleep(wait)


def _price_now(told: dict[str, Any]) -> str | None:
    """What a basket costs, where a reservation was refused for another price."""
    reserved = (told.get("data") or {}).get("checkoutReserve") or {}
    refusals = {(one["code"], (one["field"] or [""])[-1]) for one in reserved.get("userErrors", ())}
    price: str | None = (
        reserved["quote"]["payable"] if ("CONFLICT", "payable") in refusals else None
    )
    return price
