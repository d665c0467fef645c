"""What people and vendors do here: shops and links, receiving, messages replayed."""

from graphql_api.connectors.service.links import LinkSet, detail_of, set_link, wake_for
from graphql_api.connectors.service.receiving import MAX_BYTES, Answer, receive
from graphql_api.connectors.service.shops import (
    ShopChange,
    ShopLink,
    change,
    known_shops,
    link,
    require_manager,
    shop_of,
    unlink,
)

__all__ = [
    "MAX_BYTES",
    "Answer",
    "LinkSet",
    "ShopChange",
    "ShopLink",
    "change",
    "detail_of",
    "known_shops",
    "link",
    "receive",
    "require_manager",
    "set_link",
    "shop_of",
    "unlink",
    "wake_for",
]
