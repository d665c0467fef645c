"""A function that does nothing: what the runtime itself takes."""

from typing import Any


def handler(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer."""
    return {"statusCode": 200, "body": "ok"}
