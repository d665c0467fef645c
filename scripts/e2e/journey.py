"""What every step needs: a client of the deployed API, and how a step says what it saw."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from scripts import package
from scripts.stack import LocalStack

OPERATIONS = package.ROOT / "schema" / "operations"
PATIENCE = 180.0  # seconds; a laptop may be busy


class Failed(AssertionError):
    """A step did not see what it should; the message says what it saw."""


@dataclass
class Journey:
    """A client of the deployed API, and what it has got to know so far."""

    served: LocalStack
    http: httpx.Client
    token: str | None = None
    known: dict[str, Any] = field(default_factory=dict)

    def send(self, operation: str, token: str | None = None, **variables: Any) -> Any:
        """Run a document of schema/operations; gives its one root field, which must be done."""
        document = (OPERATIONS / f"{operation}.graphql").read_text(encoding="utf-8")
        data = self.ask(document, token or self.token, **variables)
        [root] = data.values()
        if isinstance(root, dict) and root.get("userErrors"):
            raise Failed(f"{operation}: {root['userErrors']}")
        return root

    def ask(self, document: str, token: str | None, **variables: Any) -> dict[str, Any]:
        """Run a document; gives its data."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        body = {"query": document, "variables": variables}
        answer = self.http.post(f"{self.served.url}/graphql", json=body, headers=headers)
        told = answer.json()
        if answer.status_code != 200 or told.get("errors"):
            raise Failed(f"{answer.status_code}: {json.dumps(told, ensure_ascii=False)[:500]}")
        data: dict[str, Any] = told["data"]
        return data


def require(seen: object, expected: object, what: str) -> None:
    """Fail unless the step saw what it should."""
    if seen != expected:
        raise Failed(f"{what}: {seen!r}, and not {expected!r}")


def await_that(holds: Callable[[], bool], what: str, seconds: float = PATIENCE) -> float:
    """Wait for what follows from a write; gives how long it took."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > seconds:
            raise Failed(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.25)
    return time.monotonic() - began
