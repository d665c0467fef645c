"""Days on a laptop: when the chain's day has turned, the work that the cloud schedules is done."""

import threading
from collections.abc import Callable
from datetime import date

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from graphql_api.handlers import vendor_reconciliation
from graphql_api.stores import service as stores
from scripts import recompute
from scripts.stream_pump import Context

LOOK_EVERY_SECONDS = 30.0


class Days:
    """Does the work of each day of the chain once it has begun, the one of now at the start."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._done: date | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="days", daemon=True)

    def start(self) -> None:
        """Begin in the background."""
        self._thread.start()

    def stop(self) -> None:
        """End after the day at hand."""
        self._stop.set()
        self._thread.join(timeout=30)

    def _run(self) -> None:
        while not self._stop.is_set():
            self.look()
            self._stop.wait(LOOK_EVERY_SECONDS)

    def look(self) -> None:
        """Do the work of today, unless it was done, and what vendors are due."""
        try:
            today = stores.clock().today()
            if today != self._done:
                recompute.run_day(today)
                self._done = today
            vendor_reconciliation.handler({}, Context())
        except (ClientError, BotoCoreError, PynamoDBException) as problem:
            self._say(f"The work of the day is tried again: {problem}")
