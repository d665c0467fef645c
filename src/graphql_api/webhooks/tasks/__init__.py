"""What follows from writes and messages: events told, attempts made, deliveries woken."""

from graphql_api.webhooks.tasks.attempts import Early, follow, wake_all
from graphql_api.webhooks.tasks.events import (
    Change,
    coupon_events,
    member_events,
    order_events,
    tell,
)

__all__ = [
    "Change",
    "Early",
    "coupon_events",
    "follow",
    "member_events",
    "order_events",
    "tell",
    "wake_all",
]
