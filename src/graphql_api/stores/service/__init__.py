"""What can be done to the chain, its organisation tree and its stores."""

from graphql_api.stores.service.chain import (
    REACH_SECONDS,
    ChainSetUp,
    begin,
    clock,
    forget_reaches,
    reach,
    set_up_chain,
)
from graphql_api.stores.service.shops import (
    Hours,
    Position,
    StoreCreate,
    StoreUpdate,
    archive_store,
    create_store,
    restore_store,
    update_store,
)
from graphql_api.stores.service.units import (
    UnitCreate,
    UnitUpdate,
    archive_unit,
    create_unit,
    restore_unit,
    update_unit,
)

__all__ = [
    "REACH_SECONDS",
    "ChainSetUp",
    "Hours",
    "Position",
    "StoreCreate",
    "StoreUpdate",
    "UnitCreate",
    "UnitUpdate",
    "archive_store",
    "archive_unit",
    "begin",
    "clock",
    "create_store",
    "create_unit",
    "forget_reaches",
    "reach",
    "restore_store",
    "restore_unit",
    "set_up_chain",
    "update_store",
    "update_unit",
]
