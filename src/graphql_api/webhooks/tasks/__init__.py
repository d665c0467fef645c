"""What follows from writes and messages: events told, attempts made, deliveries woken."""

from graphql_api.webhooks.tasks.attempts import Early, follow, wake_all
from graphql_api.webhooks.tasks.events import Change, member_events, order_events, tell

__all__ = ["Change", "Early", "follow", "member_events", "order_events", "tell", "wake_all"]
