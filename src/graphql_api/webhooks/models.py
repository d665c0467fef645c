"""What is stored of webhooks: endpoints, how each is doing, and deliveries."""

from datetime import datetime
from typing import Any

import orjson
from pynamodb.attributes import (
    ListAttribute,
    NumberAttribute,
    TTLAttribute,
    UnicodeAttribute,
    VersionAttribute,
)
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb_attributes import UnicodeEnumAttribute

from graphql_api.kit.dynamo import InstantAttribute, Item, table_name
from graphql_api.webhooks import rules
from graphql_api.webhooks.rules import (
    DeliveryState,
    EndpointState,
    Health,
    Problem,
    StopReason,
    Topic,
)

SOLE = "@"
HEALTH = "health"
ALL_ENDPOINTS = "endpoints"
_INSTANT = InstantAttribute()


class ListIndex(GlobalSecondaryIndex["WebhooksItem"]):
    """Endpoints by time."""

    class Meta:
        index_name = "list"
        projection = KeysOnlyProjection()

    listed = UnicodeAttribute(hash_key=True)
    place = UnicodeAttribute(range_key=True)


class LogIndex(GlobalSecondaryIndex["WebhooksItem"]):
    """Deliveries to an endpoint by time, a day to a key."""

    class Meta:
        index_name = "log"
        projection = KeysOnlyProjection()

    log_day = UnicodeAttribute(hash_key=True)
    place = UnicodeAttribute(range_key=True)


class OpenIndex(GlobalSecondaryIndex["WebhooksItem"]):
    """Those of them that were not delivered."""

    class Meta:
        index_name = "open"
        projection = KeysOnlyProjection()

    open_day = UnicodeAttribute(hash_key=True)
    place = UnicodeAttribute(range_key=True)


class WebhooksItem(Item):
    """The table of this slice; DynamoDB removes deliveries some time after `forget_at`."""

    class Meta:
        table_name = table_name("webhooks")
        billing_mode = "PAY_PER_REQUEST"

    id = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True, default=SOLE)
    listed = UnicodeAttribute(null=True)
    log_day = UnicodeAttribute(null=True)
    open_day = UnicodeAttribute(null=True)
    place = UnicodeAttribute(null=True)
    forget_at = TTLAttribute(null=True)

    by_list = ListIndex()
    by_log = LogIndex()
    by_open = OpenIndex()


class Endpoint(WebhooksItem):
    """An address of another system, and what it wants to be told."""

    id_prefix = "whe"

    name = UnicodeAttribute()
    url = UnicodeAttribute()
    topic_names: ListAttribute[str] = ListAttribute(attr_name="topics", default=list)
    state = UnicodeEnumAttribute(EndpointState, default=EndpointState.ACTIVE)
    stop_reason = UnicodeEnumAttribute(StopReason, null=True)
    stopped_at = InstantAttribute(null=True)
    sealed_secret = UnicodeAttribute()
    sealed_old_secret = UnicodeAttribute(null=True)
    old_secret_until = InstantAttribute(null=True)
    created_at = InstantAttribute()
    created_by = UnicodeAttribute()
    version = VersionAttribute()

    @property
    def topics(self) -> list[Topic]:
        """What it is told of."""
        return [Topic(name) for name in self.topic_names]

    def sealed_secrets(self, at: datetime) -> list[str]:
        """The secrets that sign now, the present one first."""
        old = self.old_secret_until is not None and at < self.old_secret_until
        return [self.sealed_secret, *([self.sealed_old_secret] if old else [])]


class EndpointHealth(WebhooksItem):
    """How an endpoint is doing; apart from it, so that its version is of what people change."""

    id_prefix = "whe"

    failures = NumberAttribute(default=0)
    failing_since = InstantAttribute(null=True)
    rests_until = InstantAttribute(null=True)

    @property
    def value(self) -> Health:
        """As rules take it."""
        return Health(int(self.failures), self.failing_since, self.rests_until)


class Delivery(WebhooksItem):
    """An event for an endpoint, and what became of it.

    `turn` rises with every attempt and replay: a message of an older turn is late and does nothing.
    """

    id_prefix = "whd"

    endpoint_id = UnicodeAttribute()
    event_id = UnicodeAttribute()
    topic = UnicodeEnumAttribute(Topic)
    body = UnicodeAttribute()
    state = UnicodeEnumAttribute(DeliveryState)
    turn = NumberAttribute(default=0)
    attempts = NumberAttribute(default=0)
    created_at = InstantAttribute()
    begun_at = InstantAttribute()
    next_at = InstantAttribute(null=True)
    last_at = InstantAttribute(null=True)
    last_status = NumberAttribute(null=True)
    last_problem = UnicodeEnumAttribute(Problem, null=True)
    last_milliseconds = NumberAttribute(null=True)
    last_answer = UnicodeAttribute(null=True)

    @property
    def payload(self) -> dict[str, Any]:
        """The body, read."""
        document: dict[str, Any] = orjson.loads(self.body)
        return document

    def move(self, state: DeliveryState) -> None:
        """Take a state on, and leave or enter the list of what is not delivered."""
        self.state = state
        day = day_key(self.endpoint_id, self.created_at)
        self.log_day = day
        self.open_day = None if state is DeliveryState.DELIVERED else day
        self.place = place_of(self.created_at, self.id)
        self.forget_at = self.created_at + rules.KEPT


def day_key(endpoint_id: str, instant: datetime) -> str:
    """The key of an endpoint's deliveries of a day, UTC."""
    return f"{endpoint_id}#{_INSTANT.serialize(instant)[:10]}"


def place_of(instant: datetime, id_: str) -> str:
    """By time, and unique."""
    return f"{_INSTANT.serialize(instant)}#{id_}"
