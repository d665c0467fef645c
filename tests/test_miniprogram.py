"""The mini-program client against the API, over HTTP: it sends ids of its manifest alone."""

import json
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import uvicorn

from graphql_api.app import app
from graphql_api.config import settings
from graphql_api.documents import service as documents
from graphql_api.viewer import SYSTEM
from scripts import manifest
from tests.factories import CLOCK

CLIENT = Path(__file__).parents[1] / "clients" / "miniprogram"
GENERATED = manifest.GENERATED["mini_program"]

built = pytest.mark.skipif(
    not (GENERATED.exists() and (CLIENT / "node_modules").exists()),
    reason="the client is not made: `make client` makes it, and `make check` before its tests",
)


@pytest.fixture
def trusting(seeded: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An API that takes of members and strangers what the client's manifest holds; its address."""
    given = documents.ManifestPublish(
        client="mini_program",
        version="test",
        documents=tuple(
            documents.ManifestDocument(hash=hash_, text=text)
            for hash_, text in manifest.read(GENERATED).items()
        ),
    )
    documents.publish(given, viewer=SYSTEM, clock=CLOCK)
    monkeypatch.setenv("APP_TRUSTED_ROLES", "ANONYMOUS,MEMBER")
    settings.cache_clear()
    with socket.create_server(("127.0.0.1", 0)) as listening:  # who comes early waits
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/graphql"
        server.should_exit = True
        thread.join()
    monkeypatch.undo()
    settings.cache_clear()


@built
def test_somebody_new_enrols_sees_their_card_and_stays_logged_in(
    trusting: str, seeded: Mapping[str, str]
) -> None:
    command = ["node", "test/live.mjs", trusting, "openid-new~union-new", seeded["store"]]
    done = subprocess.run(command, cwd=CLIENT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    number = told["card"]
    assert len(number) == 9
    assert told == {
        "refusals": [],
        "card": number,
        "orders": 0,
        "coupons": [True],
        "shown": True,
        "cards": [number],
        "renewed": True,
        "loggedOut": True,
        "again": number,
        "sent": ["documentId,variables"],
    }
