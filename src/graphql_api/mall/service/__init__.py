"""What can be done with the mall: offer things, redeem points for them, hand them over."""

from graphql_api.mall.service.items import (
    ItemCreate,
    ItemStateSet,
    ItemUpdate,
    StockAdd,
    add_stock,
    create,
    set_state,
    update,
)
from graphql_api.mall.service.redeeming import (
    Redeem,
    RedemptionEnd,
    cancel,
    hand_over,
    redeem,
)

__all__ = [
    "ItemCreate",
    "ItemStateSet",
    "ItemUpdate",
    "Redeem",
    "RedemptionEnd",
    "StockAdd",
    "add_stock",
    "cancel",
    "create",
    "hand_over",
    "redeem",
    "set_state",
    "update",
]
