"""What can be done to webhooks: endpoints registered and stopped, deliveries made and replayed."""

from graphql_api.webhooks.service.deliveries import (
    EndpointReplay,
    body_of,
    delivery_of,
    replay,
    replay_since,
    test,
)
from graphql_api.webhooks.service.endpoints import (
    EndpointCreate,
    EndpointUpdate,
    Registered,
    SecretRotate,
    create,
    disable,
    enable,
    rotate_secret,
    stop,
    update,
)

__all__ = [
    "EndpointCreate",
    "EndpointReplay",
    "EndpointUpdate",
    "Registered",
    "SecretRotate",
    "body_of",
    "create",
    "delivery_of",
    "disable",
    "enable",
    "replay",
    "replay_since",
    "rotate_secret",
    "stop",
    "test",
    "update",
]
