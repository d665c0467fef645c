"""What the tests of webhooks share."""

from collections.abc import Iterator

import pytest

from graphql_api.config import settings
from tests.webhooks import receiver as receivers
from tests.webhooks.receiver import Receiver

RINGS = ("token", "phone_hash", "phone_cipher", "cursor", "access", "webhook")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Somebody who is told."""
    with receivers.serve() as server:
        yield server


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The settings of a stage in the cloud."""
    for ring in RINGS:
        monkeypatch.setenv(f"APP_{ring.upper()}_KEYS", f"2026:{'ab' * 32}")
    monkeypatch.setenv("APP_STAGE", "dev")
    monkeypatch.setenv("APP_WEBHOOK_QUEUE_URL", "https://queue.example/1/webhooks")
    settings.cache_clear()
    yield
    settings.cache_clear()
