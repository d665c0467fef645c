"""What people and vendors do here: shops and links, receiving, messages replayed."""

from graphql_api.connectors.known import known_shops
from graphql_api.connectors.receiving import MAX_BYTES, Answer, receive
from graphql_api.connectors.service.links import LinkSet, detail_of, set_link, wake_for
from graphql_api.connectors.service.masters import MasterSet, master, set_master, setup
from graphql_api.connectors.service.messages import (
    MessagesReplay,
    replay,
    replay_many,
    tell_again,
)
from graphql_api.connectors.service.runs import RunBegin, begin, begin_day
from graphql_api.connectors.service.shops import (
    ShopChange,
    ShopLink,
    change,
    link,
    require_manager,
    shop_of,
    unlink,
)

__all__ = [
    "MAX_BYTES",
    "Answer",
    "LinkSet",
    "MasterSet",
    "MessagesReplay",
    "RunBegin",
    "ShopChange",
    "ShopLink",
    "begin",
    "begin_day",
    "change",
    "detail_of",
    "known_shops",
    "link",
    "master",
    "receive",
    "replay",
    "replay_many",
    "require_manager",
    "set_link",
    "set_master",
    "setup",
    "shop_of",
    "tell_again",
    "unlink",
    "wake_for",
]
